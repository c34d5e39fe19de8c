package shop;

import jakarta.servlet.DispatcherType;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
import org.apache.shiro.web.env.EnvironmentLoaderListener;
import org.apache.shiro.web.servlet.ShiroFilter;
import shop.yaopai.YaopaiWebhook;

/**
 * A shop as it was before mini programs: Tomcat, Shiro, JSESSIONID.
 *
 * <pre>YAOPAI_WEBHOOK_SECRET=whsec_… java -cp 'target/classes:target/lib/*' shop.Shop 8080</pre>
 */
public final class Shop {
    public static void main(String[] args) throws Exception {
        String secret = Objects.requireNonNull(System.getenv("YAOPAI_WEBHOOK_SECRET"), "YAOPAI_WEBHOOK_SECRET is not set");
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir(System.getProperty("java.io.tmpdir") + "/yaopai-shiro-" + ProcessHandle.current().pid());
        tomcat.setPort(args.length > 0 ? Integer.parseInt(args[0]) : 8080);
        Context context = tomcat.addContext("", null);
        context.addApplicationListener(EnvironmentLoaderListener.class.getName());
        context.addServletContainerInitializer((classes, servlets) -> {
            servlets.addFilter("shiro", ShiroFilter.class).addMappingForUrlPatterns(EnumSet.of(DispatcherType.REQUEST), false, "/*");
            Map.of("cart", new Cart(), "webhook", new YaopaiWebhook(secret)).forEach(servlets::addServlet);
            servlets.getServletRegistration("cart").addMapping("/cart", "/cart/*", "/account", "/renew");
            servlets.getServletRegistration("webhook").addMapping("/hooks/yaopai");
        }, null);
        tomcat.getConnector();
        tomcat.start();
        if (!context.getState().isAvailable()) {
            throw new IllegalStateException("the shop did not start; Tomcat says above why");
        }
        System.out.println("listening on " + tomcat.getConnector().getLocalPort());
        tomcat.getServer().await();
    }
}

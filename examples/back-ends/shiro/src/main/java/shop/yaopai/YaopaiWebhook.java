package shop.yaopai;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.shiro.SecurityUtils;
import org.apache.shiro.authc.AuthenticationException;
import org.apache.shiro.authc.UsernamePasswordToken;

/** Yaopai's three questions (docs/api.md, "The webhook"). */
public final class YaopaiWebhook extends HttpServlet {
    /** Seconds that a call may be old or ahead (Standard Webhooks, "Timestamp"). */
    private static final long TOLERANCE = 300;
    private static final int BODY_MAX = 64 * 1024;

    private final byte[] key;

    /** {@code secret}: what webhook.secret holds. */
    public YaopaiWebhook(String secret) {
        key = Base64.getDecoder().decode(secret.strip().substring("whsec_".length()));
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
        byte[] body = request.getInputStream().readNBytes(BODY_MAX);
        if (!isSigned(request, body)) {
            response.sendError(HttpServletResponse.SC_UNAUTHORIZED);
            return;
        }
        JsonObject call = JsonParser.parseString(new String(body, StandardCharsets.UTF_8)).getAsJsonObject();
        JsonObject data = call.getAsJsonObject("data");
        response.setContentType("application/json");
        response.getWriter().print(switch (call.get("type").getAsString()) {
            case "opened" -> opened(data);
            case "bind" -> bind(data);
            default -> user(null); // "resolve": ask your table of bound accounts here, if you have one.
        });
    }

    /**
     * This call has a JSESSIONID of its own. Log it in as your login page does: its cookie goes back with the answer, and Yaopai shows
     * it with every request of that mini program's session.
     */
    private static JsonObject opened(JsonObject data) {
        SecurityUtils.getSubject().login(new YaopaiToken(data.get("user").getAsString()));
        return new JsonObject();
    }

    /** Your own login, without its session. */
    private static JsonObject bind(JsonObject data) {
        JsonObject form = data.getAsJsonObject("form");
        String account = form.get("account").getAsString();
        try {
            SecurityUtils.getSecurityManager().authenticate(new UsernamePasswordToken(account, form.get("password").getAsString()));
            return user(account);
        } catch (AuthenticationException e) {
            JsonObject refused = user(null);
            refused.addProperty("message", "Wrong account or password.");
            return refused;
        }
    }

    private static JsonObject user(String name) {
        JsonObject answer = new JsonObject();
        answer.addProperty("user", name);
        return answer;
    }

    /** Standard Webhooks, "Verifying webhook authenticity". */
    private boolean isSigned(HttpServletRequest request, byte[] body) {
        String id = request.getHeader("webhook-id");
        String time = request.getHeader("webhook-timestamp");
        String signatures = request.getHeader("webhook-signature");
        if (id == null || signatures == null || time == null || !time.matches("\\d{1,12}")
                || Math.abs(System.currentTimeMillis() / 1000 - Long.parseLong(time)) > TOLERANCE) {
            return false;
        }
        byte[] right = ("v1," + Base64.getEncoder().encodeToString(mac(id + "." + time + ".", body))).getBytes(StandardCharsets.UTF_8);
        for (String one : signatures.split(" ")) {
            if (MessageDigest.isEqual(right, one.getBytes(StandardCharsets.UTF_8))) {
                return true;
            }
        }
        return false;
    }

    private byte[] mac(String head, byte[] body) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update(head.getBytes(StandardCharsets.UTF_8));
            return mac.doFinal(body);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has HmacSHA256", e);
        }
    }
}

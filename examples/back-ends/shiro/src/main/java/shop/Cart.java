package shop;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.shiro.SecurityUtils;

/** The shop's pages. What is in a cart stands in the servlet session, and who somebody is Shiro keeps there, too. */
public final class Cart extends HttpServlet {
    private static final Gson JSON = new GsonBuilder().serializeNulls().create();

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Object user = SecurityUtils.getSubject().getPrincipal();
        switch (request.getServletPath()) {
            case "/cart" -> cart(request, response);
            case "/account" -> {
                boolean known = SecurityUtils.getSubject().isAuthenticated();
                answer(response, known ? 200 : 401, known ? Map.of("user", user) : Map.of("error", "log in first"));
            }
            default -> response.sendError(HttpServletResponse.SC_METHOD_NOT_ALLOWED);
        }
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
        HttpSession session = request.getSession();
        if (request.getServletPath().equals("/renew")) {
            // What careful back ends do after a login: the same session under a new id.
            request.changeSessionId();
        } else if (request.getPathInfo() != null) {
            synchronized (session.getId().intern()) {
                session.setAttribute("cart", Stream.concat(items(session).stream(), Stream.of(request.getPathInfo().substring(1))).toList());
            }
        }
        cart(request, response);
    }

    @SuppressWarnings("unchecked")
    private static List<String> items(HttpSession session) {
        Object items = session.getAttribute("cart");
        return items == null ? List.of() : (List<String>) items;
    }

    private static void cart(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Map<String, Object> cart = new HashMap<>();
        cart.put("items", items(request.getSession()));
        cart.put("user", SecurityUtils.getSubject().getPrincipal());
        answer(response, 200, cart);
    }

    private static void answer(HttpServletResponse response, int status, Map<String, ?> body) throws IOException {
        response.setStatus(status);
        response.setContentType("application/json");
        response.getWriter().print(JSON.toJson(body));
    }
}

package cn.example.orders;

import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.security.access.prepost.PreAuthorize;
import org.springframework.security.core.GrantedAuthority;
import org.springframework.security.oauth2.server.resource.authentication.AbstractOAuth2TokenAuthenticationToken;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
public class OrdersController {
    /** Who asks. With a JWT and with introspection it is the same. */
    @GetMapping("/me")
    public Map<String, Object> me(AbstractOAuth2TokenAuthenticationToken<?> who) {
        Map<String, Object> said = who.getTokenAttributes();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("user", said.get("user"));
        answer.put("app", said.get("app"));
        answer.put("openid", said.get("openid"));
        answer.put("session_id", said.get("session_id"));
        answer.put("authorities", who.getAuthorities().stream().map(GrantedAuthority::getAuthority).sorted().toList());
        return answer;
    }

    /** For users whose claims say {"roles": ["manager"]}: scope_from = "roles" makes it the scope. */
    @PostMapping("/discounts")
    @PreAuthorize("hasAuthority('SCOPE_manager')")
    public Map<String, Object> discount(AbstractOAuth2TokenAuthenticationToken<?> who) {
        return Map.of("by", who.getName());
    }
}

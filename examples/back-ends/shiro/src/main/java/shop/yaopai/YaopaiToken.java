package shop.yaopai;

import org.apache.shiro.authc.AuthenticationToken;

/** A user that Yaopai's signed call has named. */
record YaopaiToken(String user) implements AuthenticationToken {
    @Override
    public Object getPrincipal() {
        return user;
    }

    @Override
    public Object getCredentials() {
        return user;
    }
}

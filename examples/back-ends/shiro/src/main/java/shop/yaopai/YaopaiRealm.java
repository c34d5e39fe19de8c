package shop.yaopai;

import org.apache.shiro.authc.AuthenticationInfo;
import org.apache.shiro.authc.AuthenticationToken;
import org.apache.shiro.authc.SimpleAuthenticationInfo;
import org.apache.shiro.authc.credential.AllowAllCredentialsMatcher;
import org.apache.shiro.realm.AuthenticatingRealm;

/** Believes {@link YaopaiToken}, which only {@link YaopaiWebhook} makes, after it has checked the signature. */
public final class YaopaiRealm extends AuthenticatingRealm {
    public YaopaiRealm() {
        super(new AllowAllCredentialsMatcher());
        setAuthenticationTokenClass(YaopaiToken.class);
    }

    @Override
    protected AuthenticationInfo doGetAuthenticationInfo(AuthenticationToken token) {
        return new SimpleAuthenticationInfo(token.getPrincipal(), token.getCredentials(), getName());
    }
}

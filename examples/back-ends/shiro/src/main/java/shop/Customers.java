package shop;

import org.apache.shiro.authc.AuthenticationException;
import org.apache.shiro.authc.AuthenticationInfo;
import org.apache.shiro.authc.AuthenticationToken;
import org.apache.shiro.authc.SimpleAuthenticationInfo;
import org.apache.shiro.authc.UnknownAccountException;
import org.apache.shiro.authc.UsernamePasswordToken;
import org.apache.shiro.authc.credential.SimpleCredentialsMatcher;
import org.apache.shiro.realm.AuthenticatingRealm;

/** The shop's customers and their passwords. Here they are demo-1, demo-2 …, and all use the same. */
public final class Customers extends AuthenticatingRealm {
    public Customers() {
        super(new SimpleCredentialsMatcher());
        setAuthenticationTokenClass(UsernamePasswordToken.class);
    }

    @Override
    protected AuthenticationInfo doGetAuthenticationInfo(AuthenticationToken token) throws AuthenticationException {
        String account = (String) token.getPrincipal();
        if (account == null || !account.matches("demo-\\d{1,6}")) {
            throw new UnknownAccountException();
        }
        return new SimpleAuthenticationInfo(account, "tea".toCharArray(), getName());
    }
}

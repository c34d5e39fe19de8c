use std::path::Path;

use super::super::Config;

/// A configuration with these tables at its end.
pub fn parse(tables: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    for (name, text) in [("master.key", key), ("app.secret", "secret")] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let text = format!(
        "master_key = \"file:master.key\"\n[[apps]]\nname = \"shop\"\nappid = \"wx1\"\nsecret = \"file:app.secret\"\n\
         binding = \"auto\"\n{tables}"
    );
    Config::parse(&text, Path::new(folder.path())).map_err(|e| e.to_string())
}

fn with_route(route: &str) -> Result<Config, String> {
    parse(&format!("[[upstreams]]\nname = \"shop\"\nurls = [\"http://127.0.0.1:8080\"]\n[[routes]]\n{route}"))
}

#[test]
fn what_is_left_out_is_careful() {
    let config = with_route("prefix = \"/\"\nupstream = \"shop\"").unwrap();
    let (route, upstream) = (&config.routes[0], &config.upstreams[0]);
    assert_eq!((route.check.as_str(), route.cookies, &route.methods), ("", super::Cookies::Keep, &None));
    assert_eq!((upstream.host, upstream.addresses[0].as_str()), (super::HostSent::Client, "127.0.0.1:8080"));
}

#[test]
fn who_may_read_may_ask() {
    let config = with_route("prefix = \"/a\"\nupstream = \"shop\"\nmethods = [\"GET\"]").unwrap();
    assert_eq!(config.routes[0].methods.as_deref(), Some(&[http::Method::GET, http::Method::HEAD][..]));
}

#[test]
fn mistakes_are_told_by_name() {
    for (route, said) in [
        ("prefix = \"api\"\nupstream = \"shop\"", "routes.prefix"),
        ("prefix = \"/api/\"\nupstream = \"shop\"", "without a slash at its end"),
        ("prefix = \"/a/../b\"\nupstream = \"shop\"", "routes.prefix"),
        ("prefix = \"/a%20b\"\nupstream = \"shop\"", "routes.prefix"),
        ("prefix = \"/yaopai/v2\"\nupstream = \"shop\"", "our own"),
        ("prefix = \"/\"\nupstream = \"shp\"", "the name of no upstream"),
        ("prefix = \"/\"\nupstream = \"shop\"\ncheck = \"requires=open\"", "routes.check"),
        ("prefix = \"/\"\nupstream = \"shop\"\ncheck = \"prefix=/a\"", "takes nothing off"),
        ("prefix = \"/\"\nupstream = \"shop\"\ncheck = \"realm=other\"", "no app is in the realm"),
        ("prefix = \"/\"\nupstream = \"shop\"\ncheck = \"apps=shop,pay\"", "no app \"pay\""),
        ("prefix = \"/\"\nupstream = \"shop\"\ncookies = \"kept\"", "did you mean `keep`"),
        ("prefix = \"/\"\nupstream = \"shop\"\nmethods = []", "routes.methods"),
        ("prefix = \"/\"\nupstream = \"shop\"\nmethods = [\"get\"]", "routes.methods"),
        ("prefix = \"/\"\nupstream = \"shop\"\nmethods = [\"CONNECT\"]", "routes.methods"),
        ("prefix = \"/\"\nupstream = \"shop\"\nmethod = [\"GET\"]", "did you mean `methods`"),
    ] {
        let e = with_route(route).unwrap_err();
        assert!(e.contains(said), "{route}: {e}");
    }
    let twice = "prefix = \"/a\"\nupstream = \"shop\"\nmethods = [\"GET\"]\n[[routes]]\nprefix = \"/a\"\nupstream = \"shop\"\n\
                 methods = [\"HEAD\"]";
    assert!(with_route(twice).unwrap_err().contains("for HEAD"), "two routes for one request");
}

/// A webhook that is one of an upstream's own addresses is a part of it; any other one has to be called so.
#[test]
fn whose_cookies_a_webhook_is_shown() {
    let of = |url: &str, named: &str| {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("master.key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("app.secret", "secret"),
            ("webhook.secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let text = format!(
            "master_key = \"file:master.key\"\n[[apps]]\nname = \"shop\"\nappid = \"wx1\"\nsecret = \"file:app.secret\"\n\
             binding = \"webhook\"\nwebhook = {{ url = \"{url}\", secret = \"file:webhook.secret\"{named} }}\n\
             [[upstreams]]\nname = \"shop\"\nurls = [\"http://10.0.0.1:8080\", \"http://127.0.0.1:8080\"]\n\
             [[upstreams]]\nname = \"pay\"\nurls = [\"http://Pay.internal\"]"
        );
        let config = Config::parse(&text, folder.path()).map_err(|e| e.to_string())?;
        Ok::<_, String>(config.webhooks.values().next().unwrap().cookies_of.join(","))
    };
    for (url, named, expected) in [
        ("http://127.0.0.1:8080/hook", "", "shop"),
        ("http://localhost:8080/hook", "", "shop"),
        ("http://[::1]:8080/hook", "", "shop"),
        ("http://10.0.0.1:8080", "", "shop"),
        ("http://pay.internal/hook", "", "pay"),
        ("http://pay.internal:80/hook", "", "pay"),
        ("http://pay.internal:8080/hook", "", ""),
        ("http://127.0.0.1:8081/hook", "", ""),
        ("http://10.0.0.2:8080/hook", "", ""),
        ("https://pay.internal/hook", "", ""),
        ("https://pay.internal/hook", ", cookies_of = [\"shop\"]", "shop"),
        ("http://127.0.0.1:8080/hook", ", cookies_of = [\"pay\", \"shop\"]", "pay,shop"),
        ("http://127.0.0.1:8080/hook", ", cookies_of = []", ""),
    ] {
        assert_eq!(of(url, named).as_deref(), Ok(expected), "{url}{named}");
    }
    let e = of("http://h/hook", ", cookies_of = [\"shp\"]").unwrap_err();
    assert!(e.contains("apps.webhook.cookies_of"), "{e}");
}

#[test]
fn addresses_are_plain() {
    for (urls, said) in [
        ("[]", "has no address"),
        ("[\"127.0.0.1:8080\"]", "no address like"),
        ("[\"http://h:8080/api\"]", "no address like"),
        ("[\"https://h\"]", "plain HTTP"),
        ("[\"http://u:secret@h\"]", "no user and password"),
    ] {
        let e = parse(&format!("[[upstreams]]\nname = \"shop\"\nurls = {urls}")).unwrap_err();
        assert!(e.contains(said) && !e.contains("secret"), "{urls}: {e}");
    }
    let e = parse("[[upstreams]]\nname = \"shop\"\nurls = [\"http://h\"]\nidle_timeout = 0").unwrap_err();
    assert!(e.contains("upstreams.idle_timeout"), "{e}");
    let e = parse("[[upstreams]]\nname = \"shop\"\nurls = [\"http://h\"]\nmin_rate = 1000001").unwrap_err();
    assert!(e.contains("upstreams.min_rate"), "{e}");
}

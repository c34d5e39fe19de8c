use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::config::HostSent;

fn upstream() -> Arc<Upstream> {
    let seconds = Duration::from_secs;
    let config = config::Upstream {
        name: "shop".into(),
        addresses: vec!["127.0.0.1:1".parse().unwrap()],
        host: HostSent::Client,
        connect_timeout: seconds(1),
        response_timeout: seconds(1),
        idle_timeout: seconds(1),
        min_rate: 0,
        socket_idle_timeout: seconds(1),
        keep_alive: seconds(1),
        max_requests: 1,
        health: None,
    };
    Upstream::new(config)
}

/// Each is a prefix, methods and the app it asks for, by which it is told.
fn routes(entries: &[(&str, &[Method], &str)]) -> Routes {
    let route = |(prefix, methods, check): &(&str, &[Method], &str)| config::Route {
        prefix: (*prefix).into(),
        methods: (!methods.is_empty()).then(|| methods.to_vec()),
        upstream: 0,
        check: (*check).into(),
        cookies: Cookies::Pass,
        legacy: false,
    };
    Routes::new(entries.iter().map(route).collect(), &[upstream()])
}

fn taken(routes: &Routes, path: &str, method: &Method) -> String {
    routes.find(path, method).map_or_else(
        |e| e.code.as_str().to_owned(),
        |route| match route.ask() {
            Ask { apps: Some(apps), .. } => format!("apps={apps}"),
            Ask { require, .. } => format!("require={require:?}").to_lowercase(),
        },
    )
}

#[test]
fn the_longest_prefix_then_the_method() {
    let all = routes(&[
        ("/", &[], "apps=rest"),
        ("/api", &[Method::GET], "apps=read"),
        ("/api", &[], "apps=write"),
        ("/api/admin", &[Method::POST], "apps=admin"),
    ]);
    for (path, method, expected) in [
        ("/", Method::GET, "apps=rest"),
        ("/apis", Method::GET, "apps=rest"),
        ("/api", Method::GET, "apps=read"),
        ("/api/", Method::GET, "apps=read"),
        ("/api/x", Method::PUT, "apps=write"),
        ("/api/admin/x", Method::POST, "apps=admin"),
        ("/api/admin/x", Method::GET, "method_not_allowed"),
        ("/API/admin", Method::GET, "apps=rest"),
    ] {
        assert_eq!(taken(&all, path, &method), expected, "{method} {path}");
    }
    assert_eq!(taken(&routes(&[("/api", &[], "")]), "/other", &Method::GET), "not_found");
}

#[test]
fn an_escape_is_no_way_around_a_route() {
    let all = routes(&[("/", &[], "require=open"), ("/admin", &[], "require=bound")]);
    for path in ["/%61dmin", "/%61%64min/x", "/adm%69n/%78"] {
        assert_eq!(taken(&all, path, &Method::GET), "require=bound", "{path}");
    }
    // Whoever allows unclean paths on a route must not open another one by it.
    for path in ["/admin%2Fx", "/admin%2fx%2e"] {
        assert_eq!(taken(&all, path, &Method::GET), "path_unclean", "{path}");
    }
    assert_eq!(taken(&all, "/a%2Fb", &Method::GET), "require=open");
}

proptest! {
    /// What the upstream will read as below a prefix takes that prefix's route, however it is escaped.
    #[test]
    fn no_spelling_escapes(path in "/(admin|a|ad)(/[a-z]{0,3})?", escape: [bool; 12]) {
        let spelt: String = path.bytes().zip(escape.iter().chain(std::iter::repeat(&false)))
            .map(|(b, e)| if *e && b != b'/' { format!("%{b:02x}") } else { char::from(b).to_string() }).collect();
        let all = routes(&[("/", &[], "require=open"), ("/admin", &[], "require=bound")]);
        prop_assert_eq!(taken(&all, &spelt, &Method::GET), taken(&all, &path, &Method::GET), "{}", spelt);
    }

    #[test]
    fn never_panics(path: String) {
        let _ = routes(&[("/a", &[], "")]).find(&path, &Method::GET);
    }
}

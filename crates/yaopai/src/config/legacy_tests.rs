use super::super::Config;
use super::super::gateway::tests::parse;

const UPSTREAM: &str = "[[upstreams]]\nname = \"shop\"\nurls = [\"http://127.0.0.1:8080\"]\n";

fn with(legacy: &str, route: &str) -> Result<Config, String> {
    parse(&format!("{UPSTREAM}[[routes]]\nprefix = \"/\"\nupstream = \"shop\"\n{route}\n{legacy}"))
}

#[test]
fn what_is_left_out_is_no_move() {
    let config = with("", "").unwrap();
    assert_eq!((config.legacy, config.routes[0].legacy), (super::Legacy::default(), false));
    let app = config.apps.iter().next().unwrap();
    assert_eq!(app.policy.move_ask_again.as_secs(), 3_600);
}

#[test]
fn a_move_is_read() {
    let config = with("[legacy]\ncookies = [\"JSESSIONID\"]\nheaders = [\"X-Session-Id\"]", "legacy = true").unwrap();
    assert_eq!(config.legacy.cookies, ["JSESSIONID"]);
    assert_eq!(config.legacy.headers, ["x-session-id"]);
    assert!(config.routes[0].legacy);
}

#[test]
fn mistakes_are_told_by_name() {
    let cookies = |names: &str| format!("[legacy]\ncookies = [{names}]");
    let headers = |names: &str| format!("[legacy]\nheaders = [{names}]");
    for (legacy, said) in [
        (String::new(), "no [legacy] says by what"),
        ("[legacy]".to_owned(), "names nothing"),
        (cookies(""), "names nothing"),
        ("[legacy]\ncookie = [\"a\"]".to_owned(), "did you mean `cookies`"),
        (cookies("\"a b\""), "can't be a cookie's name"),
        (cookies("\"\""), "can't be a cookie's name"),
        (cookies("\"yaopai_view\""), "is ours"),
        (cookies(&vec!["\"a\""; 17].join(",")), "at most 16"),
        (headers("\"a b\""), "can't be a header's name"),
        (headers("\"Cookie\""), "legacy.cookies"),
        (headers("\"Authorization\""), "carrier of ours"),
        (headers("\"Yaopai-User\""), "is ours"),
        (headers("\"yaopai_user\""), "is ours"),
        (headers("\"Signature-Input\""), "is ours"),
        (headers("\"X-Session-Id\", \"User-Agent\""), "any client may send"),
        (headers("\"Content_Length\""), "any client may send"),
    ] {
        let e = with(&legacy, "legacy = true").unwrap_err();
        assert!(e.contains(said), "{legacy}: {e}");
    }
    let e = with(&cookies("\"JSESSIONID\""), "").unwrap_err();
    assert!(e.contains("no route has legacy = true"), "{e}");
    let e = with(&cookies("\"JSESSIONID\""), "legacy = \"true\"").unwrap_err();
    assert!(e.contains("expected a boolean"), "{e}");
}

/// A request that shows our token is ours, whatever it is carried in.
#[test]
fn no_carrier_of_ours_is_the_old_programs() {
    let carriers = "[carriers]\nauthorization = false\ncookie = \"sid\"\nheader = \"x-session\"\n";
    for (named, said) in [
        ("cookies = [\"sid\"]", "is ours"),
        ("headers = [\"X-Session\"]", "carrier of ours"),
        ("headers = [\"X_Session\"]", "carrier of ours"),
    ] {
        let e = with(&format!("{carriers}[legacy]\n{named}"), "legacy = true").unwrap_err();
        assert!(e.contains(said), "{named}: {e}");
    }
    // Where it carries nothing of ours, it may be the old program's, but not where our JWT takes its place.
    let legacy = format!("{carriers}[legacy]\nheaders = [\"Authorization\"]");
    assert!(with(&legacy, "legacy = true").is_ok());
    let jwt = "[jwt]\nissuer = \"http://127.0.0.1:9702\"\n[[audiences]]\nname = \"orders\"\n";
    let e = with(&format!("{jwt}{legacy}"), "legacy = true\ncheck = \"jwt=orders\"").unwrap_err();
    assert!(e.contains("takes it out"), "{e}");
}

#[test]
fn an_app_asks_again_in_bounds() {
    for (seconds, ok) in [("1", true), ("86400", true), ("0", false), ("2592001", false)] {
        let read = parse(&format!("move_ask_again = {seconds}"));
        assert_eq!(read.is_ok(), ok, "{seconds}: {:?}", read.err());
    }
}

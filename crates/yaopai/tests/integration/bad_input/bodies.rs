//! Bodies that are no JSON object, are too large, or of another type.

use serde_json::json;

use super::{PATHS, SENT, World};
use crate::support::{raw, request_id};

#[tokio::test]
async fn bodies_that_are_no_json_object() {
    let world = World::start().await;
    for path in PATHS {
        for (what, body) in [
            ("nothing", &b""[..]),
            ("no JSON", SENT.as_bytes()),
            ("half an object", br#"{"app": "shop""#),
            ("a list", br#"["app"]"#),
            ("a text", br#""app""#),
            ("null", b"null"),
            ("a number", b"1"),
            ("two objects", b"{}{}"),
            ("a form", b"app=shop&code=x"),
            ("a trailing comma", br#"{"app": "shop",}"#),
            ("single quotes", b"{'app': 'shop'}"),
            ("invalid UTF-8", b"{\"app\": \"\xff\xfe\"}"),
            ("invalid UTF-8 in a name", b"{\"\xc3\x28\": 1}"),
            ("a lone surrogate", br#"{"app": "\ud800"}"#),
            ("a control character", b"{\"app\": \"a\x00b\"}"),
            ("a byte order mark", b"\xef\xbb\xbf{}"),
            ("UTF-16", b"{\x00}\x00"),
        ] {
            world.body_refused(what, path, body, "400 malformed").await;
        }
        let deep = [vec![b'['; 20_000], vec![b']'; 20_000]].concat();
        world.body_refused("a deep list", path, &deep, "413 too_large").await;
        let deep = format!("{{\"a\": {}1{}}}", "[".repeat(200), "]".repeat(200));
        world.body_refused("a deep field", path, deep.as_bytes(), "400 malformed").await;
        let deep = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
        world.body_refused("a deep object", path, deep.as_bytes(), "400 malformed").await;
    }
}

/// Two readers take different ones: a firewall the first, we the last.
#[tokio::test]
async fn a_name_twice() {
    let world = World::start().await;
    let (code, id) = (world.phone.code(), request_id("login"));
    for body in [
        format!(r#"{{"app": "shop", "code": "{SENT}", "code": "{code}", "request_id": "{id}"}}"#),
        format!(r#"{{"app": "shop", "app": "shop", "code": "{code}", "request_id": "{id}"}}"#),
        format!(r#"{{"app": "shop", "\u0061pp": "shop", "code": "{code}", "request_id": "{id}"}}"#),
        format!(r#"{{"app": "shop", "code": "{code}", "request_id": "{id}", "device": {{"id": "a", "id": "b"}}}}"#),
        format!(r#"{{"app": "shop", "code": "{code}", "request_id": "{id}", "x": [{{"a": 1, "a": 2}}]}}"#),
    ] {
        let answer = world.body_refused(&body, "/session", body.as_bytes(), "400 malformed").await;
        assert!(answer.body().contains("twice"), "{}", answer.body());
    }
    let body = format!(r#"{{"way": "form", "request_id": "{id}", "form": {{"a": 1, "a": 2}}}}"#);
    world.body_refused("in the form", "/binding", body.as_bytes(), "400 malformed").await;
    assert_eq!(world.app.back_end.calls("bind").len(), 0);
    assert_eq!(world.app.sim.exchanges_of(&code), 0);
}

#[tokio::test]
async fn bodies_that_are_too_large() {
    let world = World::start().await;
    for path in PATHS {
        let body = format!(r#"{{"app": "shop", "pad": "{}"}}"#, "x".repeat(33 * 1024));
        world.body_refused("said beforehand", path, body.as_bytes(), "413 too_large").await;
        // Without a length it is counted as it comes.
        let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
        let head = format!(
            "POST /yaopai/v1{path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n\
             {}Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
            world.bearer(),
            chunk.repeat(3)
        );
        let answer = raw::Answer(raw::send(&world.app.addresses().public, head.as_bytes()).await);
        assert_eq!((answer.status(), answer.code()), (413, "too_large"), "{path}");
    }
}

#[tokio::test]
async fn bodies_of_another_type() {
    let world = World::start().await;
    let body = json!({ "app": "shop", "code": world.phone.code(), "request_id": request_id("x") }).to_string();
    for kind in [
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: application/jsonp\r\n",
        "Content-Type: xapplication/json\r\n",
        "Content-Type: \u{ff}\r\n",
    ] {
        for path in PATHS {
            let head = format!("POST /yaopai/v1{path}\n{kind}{}", world.bearer());
            world.refused(kind, &head, body.as_bytes(), "415 content_type_unsupported").await;
        }
    }
    // Of the same type, spelled otherwise: only this one is done.
    let head = "Content-Type: Application/JSON; charset=utf-8\r\n";
    let request = format!(
        "POST /yaopai/v1/session HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{head}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = raw::Answer(raw::send(&world.app.addresses().public, request.as_bytes()).await);
    assert_eq!(answer.status(), 201, "{}", answer.0);
}

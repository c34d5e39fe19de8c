//! Whatever is wrong with a request: the exact code, a sentence that says what to do, nothing changed, nothing echoed.

use serde_json::{Value, json};

use crate::support::{Phone, TestApp, raw, request_id};

/// A marker in what is sent; it must not come back.
const SENT: &str = "sEcReT-marker-9f3b";

struct World {
    app: TestApp,
    phone: Phone,
}

impl World {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let phone = app.customer("lilei", "42");
        phone.log_in().await;
        phone.check("-").await.user();
        Self { app, phone }
    }

    fn bearer(&self) -> String {
        format!("Authorization: Bearer {}\r\n", self.phone.token())
    }

    /// Sends bytes to the public listener; the answer must be this refusal and must have changed nothing.
    async fn refused(&self, what: &str, head: &str, body: &[u8], expected: &str) -> raw::Answer {
        let before = self.app.state();
        let length = format!("Content-Length: {}\r\n", body.len());
        let host = "Host: shop.example\r\nConnection: close\r\n";
        let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
        let mut bytes = format!("{line} HTTP/1.1\r\n{host}{headers}{length}\r\n").into_bytes();
        bytes.extend(body);
        let answer = raw::Answer(raw::send(&self.app.addresses().public, &bytes).await);
        assert_eq!(format!("{} {}", answer.status(), answer.code()), expected, "{what}: {}", answer.0);
        assert_eq!(self.app.state(), before, "{what}");
        assert!(!answer.0.contains(SENT), "{what}: it echoes what was sent: {}", answer.0);
        assert!(!answer.0.contains(&self.phone.token()), "{what}: it echoes the token");
        let problem: Value =
            serde_json::from_str(answer.body()).unwrap_or_else(|e| panic!("{what}: {e}: {}", answer.0));
        assert_eq!(problem["code"], answer.code());
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.split(' ').count() >= 3 && detail.ends_with('.'), "{what}: says nothing: {detail}");
        assert!(answer.header("yaopai-time").is_some() && answer.header("cache-control") == Some("no-store"), "{what}");
        answer
    }

    /// The same for a JSON body on a path of the API with the session's token.
    async fn body_refused(&self, what: &str, path: &str, body: &[u8], expected: &str) -> raw::Answer {
        let head = format!("POST /yaopai/v1{path}\nContent-Type: application/json\r\n{}", self.bearer());
        self.refused(what, &head, body, expected).await
    }
}

const PATHS: [&str; 3] = ["/session", "/session/refresh", "/binding"];

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

/// Each field missing, of the wrong type, empty and too long; the answer names it.
#[tokio::test]
async fn fields_of_a_login() {
    let world = World::start().await;
    let good = json!({ "app": "shop", "code": world.phone.code(), "request_id": request_id("x") });
    let exchanges = world.app.sim.calls("jscode2session");
    let long = |n: usize| json!(SENT.repeat(n / SENT.len() + 1));
    let mut cases: Vec<(&str, &str, Value)> = Vec::new();
    for field in ["app", "code", "request_id"] {
        for wrong in [Value::Null, json!(""), json!(1), json!(true), json!([SENT]), json!({ "a": SENT }), long(600)] {
            cases.push((field, field, wrong));
        }
    }
    for wrong in
        ["x", "21-characters-too-few", "white space in it, long enough", "ctrl\u{1}ctrl\u{1}ctrl\u{1}ctrl\u{1}"]
    {
        cases.push(("request_id", "request_id", json!(wrong)));
    }
    cases.push(("request_id", "request_id", json!("号".repeat(22))));
    for wrong in [json!("phone"), json!(1), json!([SENT])] {
        cases.push(("device", "device", wrong));
    }
    for (field, max) in [("device.id", 64), ("device.type", 32), ("device.name", 64)] {
        let name = field.strip_prefix("device.").unwrap();
        for wrong in [json!(""), json!(1), json!([SENT]), long(max + 1)] {
            cases.push((field, "device", json!({ name: wrong })));
        }
    }
    for wrong in [json!("prod"), json!(SENT), json!(1), json!("")] {
        cases.push(("env_version", "env_version", wrong));
    }
    cases.push(("key", "key", json!({ "alg": SENT })));
    for (named, field, wrong) in cases {
        let mut body = good.clone();
        body[field] = wrong;
        let what = body.to_string();
        let answer = world.body_refused(&what, "/session", what.as_bytes(), "400 field_invalid").await;
        assert_eq!(serde_json::from_str::<Value>(answer.body()).unwrap()["field"], named, "{what}");
    }
    for field in ["app", "code", "request_id"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().shift_remove(field);
        world.body_refused(field, "/session", body.to_string().as_bytes(), "400 field_invalid").await;
    }
    assert_eq!(world.app.sim.calls("jscode2session"), exchanges, "no code was spent");
}

#[tokio::test]
async fn apps_that_are_not_there() {
    let world = World::start().await;
    let exchanges = world.app.sim.calls("jscode2session");
    for app in [SENT, "Shop", "shop ", yaopai_sim::DEFAULT_APPID, "../shop", "shop\u{0}"] {
        let body = json!({ "app": app, "code": world.phone.code(), "request_id": request_id("x") }).to_string();
        let answer = world.body_refused(app, "/session", body.as_bytes(), "400 app_unknown").await;
        assert_eq!(serde_json::from_str::<Value>(answer.body()).unwrap()["field"], "app");
    }
    assert_eq!(world.app.sim.calls("jscode2session"), exchanges);
}

#[tokio::test]
async fn codes_that_are_none() {
    let world = World::start().await;
    for code in [SENT, " ", "x&appid=wx", "x\u{0}", "%00", "号", &"x".repeat(512)] {
        let body = json!({ "app": "shop", "code": code, "request_id": request_id("x") }).to_string();
        world.body_refused(code, "/session", body.as_bytes(), "400 code_invalid").await;
    }
}

#[tokio::test]
async fn tokens_that_are_none() {
    let world = World::start().await;
    let token = world.phone.token();
    let flipped = |at: usize| {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let junk = [
        String::new(),
        SENT.to_owned(),
        "null".to_owned(),
        "undefined".to_owned(),
        format!("{token}A"),
        token[..token.len() - 1].to_owned(),
        token.replace("yp1_", "yp2_"),
        token.to_lowercase(),
        format!("\"{token}\""),
        format!("{token}, {token}"),
        "yp1_".to_owned() + &"A".repeat(70),
        "A".repeat(20_000),
        flipped(10),
        flipped(40),
        flipped(72),
        raw::forged_token(&token),
    ];
    for token in &junk {
        for (method, path, body) in [
            ("GET", "/session", ""),
            ("DELETE", "/session", ""),
            ("GET", "/sessions", ""),
            ("DELETE", "/binding", ""),
            ("POST", "/session/refresh", r#"{"request_id": "1234567890123456789012"}"#),
            ("POST", "/binding", r#"{"request_id": "1234567890123456789012", "way": "form", "form": {}}"#),
        ] {
            let what = format!("{method} {path} {}", &token[..token.len().min(80)]);
            let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
            let head = format!("{method} /yaopai/v1{path}\nAuthorization: Bearer {token}\r\n{kind}");
            world.refused(&what, &head, body.as_bytes(), "401 session_unknown").await;
        }
    }
    for (header, expected) in [
        (String::new(), "401 session_missing"),
        ("Authorization: Basic eDp5\r\n".to_owned(), "401 session_missing"),
        (format!("Authorization: {token}\r\n"), "401 session_missing"),
        (format!("Cookie: yaopai={token}\r\n"), "401 session_missing"),
        (format!("X-Session: {token}\r\n"), "401 session_missing"),
        (world.bearer() + &world.bearer(), "400 carrier_conflict"),
        (world.bearer() + "Authorization: Basic eDp5\r\n", "400 carrier_conflict"),
    ] {
        world.refused(&header, &format!("GET /yaopai/v1/session\n{header}"), b"", expected).await;
    }
    assert_eq!(world.phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn a_token_in_the_query() {
    let world = World::start().await;
    let token = world.phone.token();
    for (method, path) in [("GET", "/session"), ("DELETE", "/session"), ("POST", "/session"), ("GET", "/nowhere")] {
        for query in [format!("token={token}"), format!("access_token={token}&x=1"), token.clone()] {
            let head = format!("{method} /yaopai/v1{path}?{query}\n{}", world.bearer());
            world.refused(&head, &head, b"", "400 token_in_query").await;
        }
    }
    assert_eq!(world.phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    let world = World::start().await;
    for path in [
        "/",
        "/yaopai",
        "/yaopai/v1",
        "/yaopai/v1/",
        "/yaopai/v1/session/",
        "/yaopai/v2/session",
        "/yaopai/v1//session",
        "/yaopai/v1/./session",
        "/yaopai/v1/x/../session",
        "/yaopai/v1/%73ession/x",
        "/YAOPAI/V1/SESSION",
        "/admin/v1/sessions",
        "/metrics",
        &format!("/{SENT}"),
    ] {
        world.refused(path, &format!("GET {path}\n{}", world.bearer()), b"", "404 not_found").await;
    }
    for (method, path) in [
        ("PUT", "/session"),
        ("PATCH", "/session"),
        ("OPTIONS", "/session"),
        ("TRACE", "/session"),
        ("BREW", "/session"),
        ("GET", "/session/refresh"),
        ("DELETE", "/session/refresh"),
        ("GET", "/binding"),
        ("PUT", "/binding"),
        ("POST", "/sessions"),
        ("DELETE", "/sessions"),
        ("GET", "/sessions/00000000-0000-7000-8000-000000000000"),
    ] {
        let head = format!("{method} /yaopai/v1{path}\n{}", world.bearer());
        world.refused(&head, &head, b"", "405 method_not_allowed").await;
    }
}

#[tokio::test]
async fn session_ids_that_are_none() {
    let world = World::start().await;
    let own = world.phone.read().await.field("session_id");
    for id in [
        SENT.to_owned(),
        "%ff".to_owned(),
        "%00".to_owned(),
        "..".to_owned(),
        "x".repeat(8_000),
        own.replace('-', ""),
        format!("%7B{own}%7D"),
        format!("urn:uuid:{own}"),
        "00000000-0000-0000-0000-000000000000".to_owned(),
        "'%20OR%201=1--".to_owned(),
    ] {
        let head = format!("DELETE /yaopai/v1/sessions/{id}\n{}", world.bearer());
        world.refused(&id, &head, b"", "404 not_found").await;
    }
    assert_eq!(world.phone.check("-").await.user(), "42");
}

/// What is no HTTP, or too much of it, is ended before anybody reads it.
#[tokio::test]
async fn requests_that_are_none() {
    let world = World::start().await;
    let before = world.app.state();
    let addresses = world.app.addresses();
    for base in [&addresses.public, &addresses.check, &addresses.admin] {
        for (bytes, status) in [
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), 400),
            (b"GET\r\n\r\n".to_vec(), 400),
            (b"GET / HTTP/9.9\r\n\r\n".to_vec(), 400),
            (b"GET / HTTP/1.1\r\nHost h\r\n\r\n".to_vec(), 400),
            (b"GET / HTTP/1.1\r\nA: \x00\r\n\r\n".to_vec(), 400),
            (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n".to_vec(), 400),
            (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_vec(), 400),
            // The preface of HTTP/2: hyper only closes.
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 0),
            (format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(64 * 1024)).into_bytes(), 431),
            (format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(200)).into_bytes(), 431),
        ] {
            let answer = raw::Answer(raw::send(base, &bytes).await);
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
            assert_eq!(answer.status(), status, "{shown:?}: {}", answer.0);
        }
    }
    // Two ways to say how long it is: what stands behind it must not be read as a second request.
    let smuggled = "GET /yaopai/v1/session HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
    let both = format!(
        "POST /yaopai/v1/session HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\
         Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}{}\r\n",
        world.bearer()
    );
    let answer = raw::send(&addresses.public, both.as_bytes()).await;
    assert!(!answer.contains("\"bound\""), "{answer}");
    assert_eq!(world.app.state(), before);
    assert_eq!(world.phone.check("-").await.user(), "42");
}

/// The admin API's bodies and paths, with the right key.
#[tokio::test]
async fn the_admin_api() {
    let world = World::start().await;
    let before = world.app.state();
    let base = world.app.addresses().admin;
    let key = "Authorization: Bearer key-of-default\r\nConnection: close\r\nHost: h\r\n";
    let kind = "Content-Type: application/json\r\n";
    for (line, headers, body, expected) in [
        ("PUT /admin/v1/users/42/claims", kind, SENT, "400 malformed"),
        ("PUT /admin/v1/users/42/claims", kind, r#"{"a": 1, "a": 2}"#, "400 malformed"),
        ("PUT /admin/v1/users/42/claims", "", "{}", "415 content_type_unsupported"),
        ("POST /admin/v1/bindings", kind, "{}", "400 field_invalid"),
        ("GET /admin/v1/users/%ff/claims", "", "", "404 not_found"),
        ("PUT /admin/v1/users/%ff%fe/claims", kind, "{}", "404 not_found"),
        ("DELETE /admin/v1/users/%ff/sessions", "", "", "404 not_found"),
        ("GET /admin/v1/users//claims", "", "", "404 not_found"),
        ("PUT /admin/v1/users//claims", kind, "{}", "404 not_found"),
        ("DELETE /admin/v1/users//sessions", "", "", "404 not_found"),
        ("DELETE /admin/v1/sessions/%ff", "", "", "404 not_found"),
        ("GET /admin/v1/sessions/%ff", "", "", "404 not_found"),
        ("DELETE /admin/v1/bindings/%ff", "", "", "404 not_found"),
        ("GET /admin/v1/sessions?user=%ff&limit=%zz", "", "", "400 field_invalid"),
        ("GET /admin/v1/nothing", "", "", "404 not_found"),
        ("PATCH /admin/v1/sessions", "", "", "405 method_not_allowed"),
        ("POST /admin/v1/sessions", "", "", "405 method_not_allowed"),
    ] {
        let request = format!("{line} HTTP/1.1\r\n{key}{headers}Content-Length: {}\r\n\r\n{body}", body.len());
        let answer = raw::Answer(raw::send(&base, request.as_bytes()).await);
        assert_eq!(format!("{} {}", answer.status(), answer.code()), expected, "{line}: {}", answer.0);
        assert!(!answer.0.contains(SENT), "{line}");
        assert_eq!(serde_json::from_str::<Value>(answer.body()).unwrap()["code"], answer.code(), "{line}");
    }
    assert_eq!(world.app.state(), before);
}

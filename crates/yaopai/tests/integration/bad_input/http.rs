//! Paths and methods that are not there; what is no HTTP.

use super::{SENT, World};
use crate::support::raw;

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
            // The preface of HTTP/2, where that is not spoken: hyper only closes.
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 0),
            (format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(64 * 1024)).into_bytes(), 431),
            (format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(200)).into_bytes(), 431),
        ] {
            if status == 0 && base == &addresses.public {
                continue;
            }
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

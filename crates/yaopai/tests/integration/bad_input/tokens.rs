//! Tokens and ids that are none, or in the wrong place.

use super::{SENT, World};
use crate::support::raw;

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

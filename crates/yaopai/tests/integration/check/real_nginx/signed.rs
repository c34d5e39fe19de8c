//! Signed requests and tickets through nginx: what it passes on of a request is what was signed.

use serde_json::json;

use super::{Front, principal, user};
use crate::support::{Draft, Phone, Setup, raw};

impl Front {
    /// A phone with a keyed session, logged in through nginx.
    async fn keyed() -> (Self, Phone) {
        let front = Self::with(Setup { shop: "keyed = \"required\"", ..Setup::default() }).await;
        let phone = front.app.customer("lilei", "42").keyed();
        phone.log_in().await;
        (front, phone)
    }

    /// A request of the phone's for what is behind nginx.
    fn draft(&self, phone: &Phone, method: &str, uri: &str, body: Option<&serde_json::Value>) -> Draft {
        let draft = Draft::new(method, &self.nginx.base.replace("http://", ""), uri, body).bearing(&phone.token());
        let draft = Draft { scheme: "http".into(), ..draft };
        draft.signed(&phone.key().unwrap(), phone.clock())
    }
}

#[tokio::test]
async fn a_signed_request_reaches_the_back_end_once() {
    let (front, phone) = Front::keyed().await;
    let order = json!({ "tea": "龙井" });
    let draft = front.draft(&phone, "POST", "/orders/%E5%BC%A0?b=2&a=1&a=&c", Some(&order));
    let reply = draft.send_to(&front.app, &front.nginx.base).await;
    let arrived = reply.ok().json();
    assert_eq!(user(&arrived).as_deref(), Some("42"));
    assert!(principal(&arrived).contains(&("yaopai-body-signed".to_owned(), "1".to_owned())), "{arrived}");
    assert_eq!(arrived["body"], order.to_string());
    assert_eq!(arrived["uri"], "/orders/%E5%BC%A0?b=2&a=1&a=&c");
    // Sent again by whoever has seen it.
    let again = draft.send_to(&front.app, &front.nginx.base).await;
    assert_eq!((again.status.as_u16(), again.header("yaopai-code")), (401, Some("proof_replayed")));
    assert!(again.header("yaopai-time").is_some());
    assert_eq!(front.shop.visits(), 1);
}

#[tokio::test]
async fn what_is_not_signed_or_signed_otherwise_reaches_nobody() {
    let (front, phone) = Front::keyed().await;
    let signed = || front.draft(&phone, "GET", "/orders?page=1", None);
    let mut alone = signed();
    alone.remove("signature");
    alone.remove("signature-input");
    assert_eq!(front.refused(&alone.send_to(&front.app, &front.nginx.base).await), "401 proof_required");
    for uri in ["/orders?page=2", "/orders", "/orders?page=1&", "/Orders?page=1"] {
        let moved = Draft { uri: uri.into(), ..signed() };
        assert_eq!(front.refused(&moved.send_to(&front.app, &front.nginx.base).await), "401 proof_invalid", "{uri}");
    }
    let other = Draft { host: "evil.example".into(), ..signed() };
    assert_eq!(front.refused(&other.send_to(&front.app, &front.nginx.base).await), "401 proof_invalid");
}

/// The host in the request line decides which of nginx's servers answers, `Host` what the check is asked: they must not differ.
#[tokio::test]
async fn a_signature_for_one_server_opens_no_other() {
    let (front, phone) = Front::keyed().await;
    let draft = front.draft(&phone, "GET", "/orders", None);
    let (token, input, signature) = (draft.get("authorization"), draft.get("signature-input"), draft.get("signature"));
    let request = |target: &str| {
        format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: {}\r\nSignature-Input: {}\r\n\
             Signature: {}\r\n\r\n",
            draft.host,
            token.unwrap(),
            input.unwrap(),
            signature.unwrap()
        )
    };
    let moved = raw::send(&front.nginx.base, request("http://admin.example/orders").as_bytes()).await;
    assert!(moved.starts_with("HTTP/1.1 400 "), "{moved}");
    assert_eq!(front.shop.visits(), 0);
    let own = raw::send(&front.nginx.base, request("/orders").as_bytes()).await;
    assert!(own.starts_with("HTTP/1.1 200 "), "{own}");
}

#[tokio::test]
async fn the_api_behind_nginx_verifies_what_the_phone_signed() {
    let (front, phone) = Front::keyed().await;
    let refresh = json!({ "request_id": "a-refresh-through-nginx-1" });
    let draft = front.draft(&phone, "POST", "/yaopai/v1/session/refresh", Some(&refresh));
    assert_eq!(draft.send_to(&front.app, &front.nginx.base).await.field("user"), "42");
    let read = front.draft(&phone, "GET", "/yaopai/v1/session", None);
    assert_eq!(read.send_to(&front.app, &front.nginx.base).await.field("user"), "42");
}

#[tokio::test]
async fn a_page_in_a_web_view_gets_its_cookie_through_nginx() {
    let (front, phone) = Front::keyed().await;
    let host = front.nginx.base.replace("http://", "");
    let place = json!({ "authority": host, "path": "/h5/orders", "for": "web-view" });
    let ticket = phone.call("POST", "/ticket", Some(place)).await.field("ticket");
    let page = front.get(&format!("/h5/orders?yaopai_ticket={ticket}"), None).await;
    assert_eq!(user(&page.ok().json()).as_deref(), Some("42"));
    let cookie = page.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let mut script = Draft::new("GET", &host, "/h5/app.js", None);
    script.set("cookie", &cookie);
    let script = script.send_to(&front.app, &front.nginx.base).await;
    assert_eq!(user(&script.ok().json()).as_deref(), Some("42"));
    assert_eq!(script.header("set-cookie"), None);
}

//! Tickets: for sockets, images and web-views, which can't sign. What must be refused is in `attacks`.

use serde_json::json;

use crate::support::{Draft, Reply, Setup, TestApp};

async fn required() -> TestApp {
    TestApp::with(Setup { shop: "keyed = \"required\"", ..Setup::default() }).await
}

/// A request for the shop that shows nothing but what stands in its URL and this cookie.
pub fn bare(uri: &str, cookie: Option<&str>) -> Draft {
    let mut draft = Draft::new("GET", "shop.example", uri, None);
    if let Some(cookie) = cookie {
        draft.set("cookie", cookie);
    }
    draft
}

pub fn asks_for(path: &str, purpose: &str) -> serde_json::Value {
    json!({ "authority": "shop.example", "path": path, "for": purpose })
}

/// The pair of the cookie that an answer sets, and its attributes.
pub fn cookie_of(reply: &Reply) -> (String, String) {
    let (pair, attributes) = reply.header("set-cookie").unwrap().split_once("; ").unwrap();
    (pair.to_owned(), attributes.to_owned())
}

#[tokio::test]
async fn a_socket_is_let_in_by_a_ticket() {
    let app = required().await;
    let phone = app.customer("lilei", "42").keyed();
    phone.log_in().await;
    let answer = phone.call("POST", "/ticket", Some(asks_for("/chat", "socket"))).await;
    assert_eq!(answer.ok().json()["expires_in"], 30);
    let ticket = answer.field("ticket");
    let reply = bare(&format!("/chat?room=7&yaopai_ticket={ticket}"), None).check(&app, "-").await;
    assert_eq!((reply.user().as_str(), reply.header("set-cookie")), ("42", None));
    assert_eq!(reply.header("yaopai-body-signed"), Some(""));
}

#[tokio::test]
async fn an_image_is_let_in_by_forward_auth_too() {
    let app = required().await;
    let phone = app.customer("lilei", "42").keyed();
    phone.log_in().await;
    let ticket = phone.call("POST", "/ticket", Some(asks_for("/img/1.png", "image"))).await.field("ticket");
    let image = bare(&format!("/img/1.png?yaopai_ticket={ticket}"), None);
    assert_eq!(image.check_forward(&app, "require=session").await.user(), "42");
}

#[tokio::test]
async fn a_page_gets_a_cookie_for_its_folder() {
    let app = required().await;
    let phone = app.customer("lilei", "42").keyed();
    phone.log_in().await;
    let ticket = phone.call("POST", "/ticket", Some(asks_for("/h5/orders", "web-view"))).await.field("ticket");
    let page = bare(&format!("/h5/orders?yaopai_ticket={ticket}"), None).check(&app, "-").await;
    assert_eq!(page.user(), "42");
    let (cookie, attributes) = cookie_of(&page);
    assert_eq!(attributes, "Path=/h5/; Max-Age=1800; HttpOnly; Secure; SameSite=Lax");
    for uri in ["/h5/app.js", "/h5/orders", "/h5/orders?page=2", "/h5/api/list"] {
        let reply = bare(uri, Some(&format!("a=b; {cookie}"))).check(&app, "-").await;
        assert_eq!((reply.user().as_str(), reply.header("set-cookie")), ("42", None), "{uri}");
    }
}

/// A guest's ticket is a guest's.
#[tokio::test]
async fn a_ticket_is_as_good_as_its_session() {
    let app = required().await;
    let phone = app.newcomer("dora").keyed();
    phone.log_in().await;
    let uri = |ticket: String| format!("/chat?yaopai_ticket={ticket}");
    let ticket = || async { phone.call("POST", "/ticket", Some(asks_for("/chat", "socket"))).await.field("ticket") };
    assert_eq!(bare(&uri(ticket().await), None).check(&app, "-").await.denied(), "403 not_bound");
    assert_eq!(bare(&uri(ticket().await), None).check(&app, "require=session").await.user(), "");
    assert_eq!(bare(&uri(ticket().await), None).check(&app, "require=open").await.user(), "");
}

#[tokio::test]
async fn what_is_asked_for_must_make_sense() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    for (body, field) in [
        (json!({ "authority": "shop.example", "path": "/a", "for": "video" }), "for"),
        (json!({ "authority": "shop.example", "path": "/a" }), "for"),
        (json!({ "authority": "Shop.example", "path": "/a", "for": "image" }), "authority"),
        (json!({ "authority": "https://shop.example", "path": "/a", "for": "image" }), "authority"),
        (json!({ "authority": "shop.example", "path": "/a?b=1", "for": "image" }), "path"),
        (json!({ "authority": "shop.example", "path": "/a/../b", "for": "image" }), "path"),
        (json!({ "path": "/a", "for": "image" }), "authority"),
    ] {
        let reply = phone.call("POST", "/ticket", Some(body)).await;
        assert_eq!((reply.refusal().as_str(), &reply.json()["field"]), ("400 field_invalid", &json!(field)));
    }
    // Bearer sessions have sockets, too.
    phone.call("POST", "/ticket", Some(asks_for("/a", "socket"))).await.ok();
}

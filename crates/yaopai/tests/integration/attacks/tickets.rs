//! A ticket stands in a URL, and so in logs: whoever reads it there is late, or in another place.

use serde_json::json;

use crate::support::{Phone, Setup, TestApp, form, minutes, seconds};
use crate::yaopai::v1::ticket::{asks_for, bare, cookie_of};

async fn required() -> (TestApp, Phone) {
    let app = TestApp::with(Setup { shop: "keyed = \"required\"", ..Setup::default() }).await;
    let phone = app.customer("lilei", "42").keyed();
    phone.log_in().await;
    (app, phone)
}

async fn ticket(phone: &Phone, path: &str, purpose: &str) -> String {
    phone.call("POST", "/ticket", Some(asks_for(path, purpose))).await.field("ticket")
}

fn shown(path: &str, ticket: &str) -> crate::support::Draft {
    bare(&format!("{path}?yaopai_ticket={ticket}"), None)
}

#[tokio::test]
async fn a_ticket_is_good_once() {
    let (app, phone) = required().await;
    let ticket = ticket(&phone, "/chat", "socket").await;
    assert_eq!(shown("/chat", &ticket).check(&app, "-").await.user(), "42");
    for _ in 0..3 {
        assert_eq!(shown("/chat", &ticket).check(&app, "-").await.denied(), "401 proof_replayed");
    }
}

#[tokio::test]
async fn of_many_at_once_one_is_let_in() {
    let (app, phone) = required().await;
    let ticket = ticket(&phone, "/chat", "socket").await;
    let draft = shown("/chat", &ticket);
    let all = futures_util::future::join_all((0..200).map(|_| draft.check(&app, "-"))).await;
    assert_eq!(all.iter().filter(|reply| reply.status == 200).count(), 1);
}

#[tokio::test]
async fn a_ticket_is_good_nowhere_else_and_for_reading_only() {
    let (app, phone) = required().await;
    let ticket = ticket(&phone, "/chat", "socket").await;
    for path in ["/orders", "/chat/", "/chat/x", "/cha", "/"] {
        assert_eq!(shown(path, &ticket).check(&app, "-").await.denied(), "401 proof_invalid", "{path}");
    }
    let mut elsewhere = shown("/chat", &ticket);
    elsewhere.host = "admin.example".into();
    assert_eq!(elsewhere.check(&app, "-").await.denied(), "401 proof_invalid");
    elsewhere.host = "shop.example:8443".into();
    assert_eq!(elsewhere.check(&app, "-").await.denied(), "401 proof_invalid");
    for method in ["POST", "DELETE", "PUT", "OPTIONS"] {
        let mut acts = shown("/chat", &ticket);
        acts.method = method.into();
        assert_eq!(acts.check(&app, "-").await.denied(), "401 proof_invalid", "{method}");
    }
    // Whoever tried that has not used it up.
    assert_eq!(shown("/chat", &ticket).check(&app, "-").await.user(), "42");
}

#[tokio::test]
async fn a_late_ticket() {
    let (app, phone) = required().await;
    let (early, late) = (ticket(&phone, "/chat", "socket").await, ticket(&phone, "/chat", "socket").await);
    app.clock.advance(seconds(30));
    assert_eq!(shown("/chat", &early).check(&app, "-").await.user(), "42");
    app.clock.advance(seconds(1));
    assert_eq!(shown("/chat", &late).check(&app, "-").await.denied(), "401 proof_stale");
}

#[tokio::test]
async fn a_ticket_ends_with_its_session() {
    let (app, phone) = required().await;
    let ticket = ticket(&phone, "/chat", "socket").await;
    phone.log_out().await.ok();
    assert_eq!(shown("/chat", &ticket).check(&app, "-").await.denied(), "401 session_ended");
}

#[tokio::test]
async fn a_ticket_is_not_asked_for_by_a_token_alone_nor_by_another_ticket() {
    let (app, phone) = required().await;
    let ticket = ticket(&phone, "/yaopai/v1/ticket", "web-view").await;
    phone.hold_key(None);
    let reply = phone.call("POST", "/ticket", Some(asks_for("/chat", "socket"))).await;
    assert_eq!(reply.refusal(), "401 proof_required");
    let mut draft = shown("/yaopai/v1/ticket", &ticket);
    draft.host = app.addresses().public.replace("http://", "");
    draft.method = "POST".into();
    assert_eq!(draft.send(&app).await.refusal(), "401 session_missing");
}

#[tokio::test]
async fn two_of_them() {
    let (app, phone) = required().await;
    let (one, two) = (ticket(&phone, "/chat", "socket").await, ticket(&phone, "/chat", "socket").await);
    let both = bare(&format!("/chat?yaopai_ticket={one}&yaopai_ticket={two}"), None);
    assert_eq!(both.check(&app, "-").await.denied(), "401 session_unknown");
    let beside_a_token = shown("/chat", &one).bearing(&phone.token());
    assert_eq!(beside_a_token.check(&app, "-").await.denied(), "400 carrier_conflict");
    let junk = shown("/chat", "yt1_junk");
    assert_eq!(junk.check(&app, "require=open").await.denied(), "401 session_unknown", "open lets no junk in");
}

#[tokio::test]
async fn a_ticket_is_forgotten_by_a_restart() {
    let (mut app, phone) = required().await;
    let ticket = ticket(&phone, "/chat", "socket").await;
    app.restart_after(seconds(1)).await;
    assert_eq!(shown("/chat", &ticket).check(&app, "-").await.denied(), "401 proof_stale");
}

/// A ticket acts as the user for whom it was asked, and as no other.
#[tokio::test]
async fn a_ticket_does_not_follow_the_session_to_another_user() {
    let (app, phone) = required().await;
    app.back_end.has_account("xiaohong", "secret", "43");
    phone.steps_up().await;
    let ticket = ticket(&phone, "/chat", "socket").await;
    assert_eq!(phone.call("POST", "/binding", Some(form("rebind", "xiaohong", "secret"))).await.field("user"), "43");
    assert_eq!(shown("/chat", &ticket).check(&app, "-").await.denied(), "401 proof_stale");
}

#[tokio::test]
async fn a_page_s_cookie_is_good_for_its_folder_and_for_reading() {
    let (app, phone) = required().await;
    let ticket = ticket(&phone, "/h5/orders", "web-view").await;
    let (cookie, _) = cookie_of(&shown("/h5/orders", &ticket).check(&app, "-").await);
    let with = |uri: &str| bare(uri, Some(&cookie));
    for uri in ["/orders", "/h5", "/h5x/a", "/"] {
        assert_eq!(with(uri).check(&app, "-").await.denied(), "401 proof_invalid", "{uri}");
    }
    let mut acts = with("/h5/orders");
    acts.method = "POST".into();
    assert_eq!(acts.check(&app, "-").await.denied(), "401 proof_invalid");
    let mut elsewhere = with("/h5/orders");
    elsewhere.host = "evil.example".into();
    assert_eq!(elsewhere.check(&app, "-").await.denied(), "401 proof_invalid");
    assert_eq!(with("/h5/orders").bearing(&phone.token()).check(&app, "-").await.denied(), "401 proof_required");
    // It brings no other, and is no ticket itself.
    let value = cookie.split_once('=').unwrap().1;
    assert_eq!(shown("/chat", value).check(&app, "-").await.denied(), "401 proof_invalid");
    app.clock.advance(minutes(20));
    assert_eq!(with("/h5/orders").check(&app, "-").await.user(), "42");
    app.clock.advance(minutes(11));
    assert_eq!(with("/h5/orders").check(&app, "-").await.denied(), "401 proof_stale", "half an hour at most");
}

/// Where a route lets unclean paths in, `/h5/../orders` is the back end's to read: the cookie is none for it.
#[tokio::test]
async fn a_page_s_cookie_does_not_climb_out_of_its_folder() {
    let (app, phone) = required().await;
    let ticket = ticket(&phone, "/h5/orders", "web-view").await;
    let (cookie, _) = cookie_of(&shown("/h5/orders", &ticket).check(&app, "-").await);
    for uri in ["/h5/../orders", "/h5/..%2forders", "/h5/a/../../orders", "/h5/%2e%2e/orders"] {
        let reply = bare(uri, Some(&cookie)).check(&app, "unclean_path=1").await;
        assert_eq!(reply.denied(), "401 proof_invalid", "{uri}");
    }
    assert_eq!(bare("/h5/app.js", Some(&cookie)).check(&app, "unclean_path=1").await.user(), "42");
}

/// The whole host would make a bearer session of it.
#[tokio::test]
async fn a_page_s_cookie_is_never_good_for_the_whole_host() {
    let (app, phone) = required().await;
    for path in ["/", "/index.html"] {
        let reply = phone.call("POST", "/ticket", Some(asks_for(path, "web-view"))).await;
        assert_eq!((reply.refusal().as_str(), &reply.json()["field"]), ("400 field_invalid", &json!("path")), "{path}");
        assert_eq!(shown(path, &ticket(&phone, path, "image").await).check(&app, "-").await.user(), "42");
    }
}

/// The cookie beside a ticket is a browser's own doing: it neither spoils the ticket nor stands in for a wrong one.
#[tokio::test]
async fn a_page_s_cookie_beside_a_ticket() {
    let (app, phone) = required().await;
    let first = ticket(&phone, "/h5/orders", "web-view").await;
    let (cookie, _) = cookie_of(&shown("/h5/orders", &first).check(&app, "-").await);
    let both = |path: &str, ticket: &str| bare(&format!("{path}?yaopai_ticket={ticket}"), Some(&cookie));
    // The page is loaded again: no new cookie comes of that.
    let again = both("/h5/orders", &first).check(&app, "-").await;
    assert_eq!((again.user().as_str(), again.header("set-cookie")), ("42", None));
    // Another page of the same folder, with a ticket of its own.
    let second = ticket(&phone, "/h5/cart", "web-view").await;
    let next = both("/h5/cart", &second).check(&app, "-").await;
    assert_eq!(next.user(), "42");
    assert_ne!(cookie_of(&next).0, cookie);
    for (path, ticket) in [("/orders", &first), ("/h5/cart", &first), ("/h5/orders", &"yt1_junk".to_owned())] {
        assert!(both(path, ticket).check(&app, "require=open").await.status != 200, "{path} {ticket}");
    }
    phone.log_out().await.ok();
    assert_eq!(both("/h5/orders", &first).check(&app, "-").await.denied(), "401 session_ended");
}

/// One folder lies in another: a browser sends the cookies of both. Two people's are nobody's.
#[tokio::test]
async fn cookies_of_several_pages() {
    let (app, phone) = required().await;
    let other = app.customer("xiaoming", "666").keyed();
    other.log_in().await;
    let mut cookies = Vec::new();
    for (phone, path) in [(&phone, "/h5/index"), (&phone, "/h5/shop/item"), (&other, "/h5/shop/item")] {
        let ticket = ticket(phone, path, "web-view").await;
        cookies.push(cookie_of(&shown(path, &ticket).check(&app, "-").await).0);
    }
    let [outer, inner, foreign] = &cookies[..] else { unreachable!() };
    let with = |uri: &str, cookies: &[&String]| {
        let cookies = cookies.iter().map(|cookie| cookie.as_str()).collect::<Vec<_>>().join("; ");
        bare(uri, Some(&cookies))
    };
    for both in [[inner, outer], [outer, inner]] {
        assert_eq!(with("/h5/shop/app.js", &both).check(&app, "-").await.user(), "42");
    }
    assert_eq!(with("/h5/shop/app.js", &[foreign]).check(&app, "-").await.user(), "666");
    for two in [[inner, foreign], [foreign, outer]] {
        for ask in ["-", "require=open"] {
            assert_eq!(with("/h5/shop/app.js", &two).check(&app, ask).await.denied(), "401 session_unknown");
        }
    }
}

#[tokio::test]
async fn a_page_s_cookie_ends_with_the_session() {
    let (app, phone) = required().await;
    let ticket = ticket(&phone, "/h5/orders", "web-view").await;
    let (cookie, _) = cookie_of(&shown("/h5/orders", &ticket).check(&app, "-").await);
    let session = phone.key().unwrap().session;
    app.admin("DELETE", &format!("/admin/v1/sessions/{session}"), None).await.ok();
    assert_eq!(bare("/h5/orders", Some(&cookie)).check(&app, "-").await.denied(), "401 session_kicked");
}

#[tokio::test]
async fn one_session_can_not_take_all_tickets() {
    let (app, phone) = required().await;
    for _ in 0..200 {
        ticket(&phone, "/chat", "socket").await;
    }
    let reply = phone.call("POST", "/ticket", Some(asks_for("/chat", "socket"))).await;
    assert_eq!((reply.refusal().as_str(), reply.header("retry-after")), ("429 rate_limited", Some("30")));
    app.clock.advance(seconds(31));
    app.upkeep().await;
    ticket(&phone, "/chat", "socket").await;
}

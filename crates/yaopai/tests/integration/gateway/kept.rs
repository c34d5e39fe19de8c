//! `cookies = "keep"`: the back end's own session stays on our side.

use std::collections::HashSet;

use yaopai_core::ids::SessionId;

use super::world::World;
use crate::support::raw::{self, Answer};
use crate::support::{Phone, Setup, minutes};

async fn get(world: &World, phone: &Phone, path: &str, lines: &str) -> Answer {
    let bearer = phone.token();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nAuthorization: Bearer {bearer}\r\n{lines}\r\n"
    );
    let answer = Answer(raw::send(&world.public(), request.as_bytes()).await);
    assert_eq!(answer.header("set-cookie"), None, "{answer:?}");
    answer
}

/// Which session of the back end it is.
async fn session(world: &World, phone: &Phone) -> String {
    let answer = get(world, phone, "/kept/x", "").await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    answer.body().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_holds_and_the_phone_sees_nothing_of_it() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let first = session(&world, &phone).await;
    assert_eq!(session(&world, &phone).await, first);
    // Under another id, from then on.
    let renewed = get(&world, &phone, "/kept/x", "X-Renew: 1\r\n").await.body().to_owned();
    assert_ne!(renewed, first);
    assert_eq!(session(&world, &phone).await, renewed);
    // Refreshing ours changes nothing of theirs.
    phone.hold(&phone.refresh("r").await.field("token"));
    assert_eq!(session(&world, &phone).await, renewed);
}

/// Neither to plant one, nor to be another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_phone_calls_a_cookie_stops_here() {
    let world = World::start().await;
    let (a, b) = (world.customer_in("lilei", "1").await, world.customer_in("xiaohong", "2").await);
    let of_b = session(&world, &b).await;
    let answer = get(&world, &a, "/kept/x", &format!("Cookie: JSESSIONID={of_b}; a=b\r\n")).await;
    assert_ne!(answer.body(), of_b);
    assert_eq!(world.upstream.seen().pop().unwrap().header("cookie"), None);
    // A guest has no jar: nothing in either direction.
    let request = format!(
        "GET /kept/open/x HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nCookie: JSESSIONID={of_b}\r\n\r\n"
    );
    let answer = Answer(raw::send(&world.public(), request.as_bytes()).await);
    assert_eq!((answer.status(), answer.header("set-cookie")), (200, None));
    assert_ne!(answer.body(), of_b);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn first_requests_at_the_same_time_open_one_session() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let all = futures_util::future::join_all((0..20).map(|_| session(&world, &phone))).await;
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 1, "{all:?}");
    let without = world.upstream.seen().into_iter().filter(|seen| seen.header("cookie").is_none()).count();
    assert_eq!(without, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_with_ours() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let first = session(&world, &phone).await;
    phone.log_out().await.ok();
    assert_eq!(get(&world, &phone, "/kept/x", "").await.status(), 401);
    phone.log_in().await.ok();
    assert_ne!(session(&world, &phone).await, first, "another session of ours, another of theirs");
    assert_eq!(world.count("jar"), 1);
}

/// A guest has filled a cart, and binds: the back end may log in the session that it knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bind_goes_on_with_the_guests_session() {
    // The webhook is a part of that back end, at another address.
    let setup = Setup { hook: ", cookies_of = [\"shop\"]", ..Setup::default() };
    let world = World::with("", setup).await;
    world.back_end.has_account("lilei", "secret", "42");
    let phone = world.phone("lilei");
    phone.log_in().await.ok();
    let guests = session(&world, &phone).await;
    phone.hold(&phone.bind("b", "lilei", "secret").await.field("token"));
    let told = world.back_end.calls("opened").pop().unwrap();
    assert_eq!(told.cookie, Some(format!("JSESSIONID={guests}")));
    assert_eq!(session(&world, &phone).await, guests);
    // What it sets in place of that counts from now on.
    world.back_end.sets_cookies(&["JSESSIONID=logged-in; Path=/"]);
    phone.log_in().await.ok();
    assert_eq!(world.back_end.calls("opened").pop().unwrap().cookie, None, "a new session begins with none");
    assert_eq!(session(&world, &phone).await, "logged-in");
    // The other questions are asked about somebody, and not in anybody's session.
    assert!(world.back_end.calls("bind").iter().all(|call| call.cookie.is_none()));
}

/// Who else is asked at the webhook's address is nobody's business: what an upstream has set goes there only if it is a part of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_elsewhere_is_shown_nothing_but_its_own() {
    let world = World::start().await;
    world.back_end.has_account("lilei", "secret", "42");
    world.back_end.has_account("lilei2", "secret", "42");
    let phone = world.phone("lilei");
    phone.log_in().await.ok();
    let guests = session(&world, &phone).await;
    world.back_end.sets_cookies(&["hook=1; Path=/", "named=2; Domain=shop.example"]);
    phone.hold(&phone.bind("b", "lilei", "secret").await.field("token"));
    assert_eq!(world.back_end.calls("opened").pop().unwrap().cookie, None);
    assert_eq!(session(&world, &phone).await, guests, "what is there stays");
    let sent = world.upstream.seen().pop().unwrap();
    assert_eq!(sent.header("cookie").unwrap().split("; ").count(), 3);
    // A bind again, of the same user: the jar stays, and its own are shown to it.
    phone.bind("c", "lilei2", "secret").await.ok();
    assert_eq!(world.back_end.calls("opened").pop().unwrap().cookie.as_deref(), Some("hook=1; named=2"));
}

/// A back end that sets no cookie: after its first answer nobody waits for anybody, for as long as the session is used. One that
/// breaks off has said nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nothing_is_set_nobody_goes_alone() {
    let world = World::start().await;
    let phone = world.customer("lilei", "1");
    let session = SessionId::parse(&phone.log_in().await.field("session_id")).unwrap();
    let goes_alone = async || {
        world.app.clock.advance(minutes(20));
        world.server().service().alone(session, "shop").await.unwrap().is_first()
    };
    assert_eq!(get(&world, &phone, "/kept/breaks", "").await.status(), 502);
    assert!(goes_alone().await);
    for _ in 0..3 {
        world.app.clock.advance(minutes(2));
        assert_eq!(get(&world, &phone, "/kept/nothing", "").await.status(), 200);
        assert!(!goes_alone().await);
    }
}

/// Guarantee 3's cousin: a copy of the guest's token, from before the bind, acts for nobody, and so it does at the back end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_from_before_the_bind_is_not_shown_the_users_session() {
    let world = World::start().await;
    world.back_end.has_account("lilei", "secret", "42");
    let phone = world.phone("lilei");
    phone.log_in().await.ok();
    let guests = session(&world, &phone).await;
    let copied = phone.token();
    world.back_end.sets_cookies(&["JSESSIONID=of-42; Path=/"]);
    let bound = phone.bind("b", "lilei", "secret").await.field("token");
    // The new one isn't used yet: the old one still passes, unbound.
    phone.hold(&copied);
    let stolen = session(&world, &phone).await;
    assert!(stolen != "of-42" && stolen != guests, "{stolen}");
    let seen = world.upstream.seen().pop().unwrap();
    assert_eq!((seen.header("yaopai-user"), seen.header("cookie")), (None, None));
    // And what it is answered doesn't become the user's.
    phone.hold(&bound);
    assert_eq!(session(&world, &phone).await, "of-42");
    assert_eq!(world.upstream.seen().pop().unwrap().header("yaopai-user"), Some("42"));
}

/// The back end answers the former user late: what it sets is nothing to the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_answer_to_another_user_is_not_kept() {
    let world = World::start().await;
    world.back_end.has_account("lilei", "secret", "42");
    world.back_end.has_account("other", "secret", "43");
    let phone = world.phone("lilei");
    phone.log_in().await.ok();
    phone.hold(&phone.bind("a", "lilei", "secret").await.field("token"));
    session(&world, &phone).await;
    // Begun as 42: its body is not whole yet.
    let mut late = raw::Kept::connect(&world.public()).await;
    let bearer = phone.token();
    let head = format!(
        "POST /kept/x HTTP/1.1\r\nHost: shop.example\r\nX-Renew: 1\r\nAuthorization: Bearer {bearer}\r\nContent-Length: 2\r\n\r\n1"
    );
    late.send(head.as_bytes()).await;
    world.upstream.until("it has the head", |upstream| upstream.seen().len() == 2).await;
    phone.steps_up().await;
    world.back_end.sets_cookies(&["JSESSIONID=of-43; Path=/"]);
    phone.hold(&phone.bind("c", "other", "secret").await.field("token"));
    late.send(b"2").await;
    let _ = late.answer().await;
    assert_eq!(session(&world, &phone).await, "of-43");
    assert_eq!(world.upstream.seen().pop().unwrap().header("yaopai-user"), Some("43"));
}

//! Kicked is kicked: what is under way for a session ends with it.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::sockets::{is_cut, open, speaks};
use super::world::World;
use crate::support::raw::{Answer, Kept};
use crate::support::{Phone, Setup, hours, minutes};

fn count(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

const MOVE: &str = "/admin/v1/apps/shop/move";

fn bearer(phone: &Phone) -> String {
    format!("Authorization: Bearer {}\r\n", phone.token())
}

async fn kick(world: &World, session: &str) {
    world.admin("DELETE", &format!("/admin/v1/sessions/{session}"), None).await.ok();
}

/// A thousand of one session, and one of another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_kick_cuts_a_thousand_sockets() {
    let many = count("YAOPAI_GATEWAY_SOCKETS", 1_000);
    let world = World::start().await;
    let (phone, other) = (world.customer("lilei", "1"), world.customer_in("xiaohong", "2").await);
    let session = phone.log_in().await.field("session_id");
    let line = bearer(&phone);
    let mut sockets = Vec::new();
    for _ in 0..many.div_ceil(50) {
        let opening = (0..50).map(|_| open(&world, "/shop/socket", &line));
        sockets.extend(futures_util::future::join_all(opening).await);
    }
    let mut others = open(&world, "/shop/socket", &bearer(&other)).await;
    for socket in sockets.iter_mut().step_by(97) {
        speaks(socket).await;
    }
    world.upstream.until("all are open", |u| u.sockets() == sockets.len() + 1).await;
    kick(&world, &session).await;
    for socket in &mut sockets {
        is_cut(socket).await;
    }
    world.upstream.until("the back end's ends are closed", |u| u.sockets() == 1).await;
    speaks(&mut others).await;
}

/// A download and events stop in the middle, so that nobody takes what came for the whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kick_cuts_answers() {
    let world = World::start().await;
    let phone = world.customer("lilei", "1");
    let session = phone.log_in().await.field("session_id");
    let mut streams = Vec::new();
    for path in ["/shop/events", "/shop/download/1000000000"] {
        let mut stream = TcpStream::connect(world.public().replace("http://", "")).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\n{}\r\n", bearer(&phone));
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut first = [0; 64];
        stream.read_exact(&mut first).await.unwrap();
        assert!(first.starts_with(b"HTTP/1.1 200 OK"));
        streams.push(stream);
    }
    kick(&world, &session).await;
    for mut stream in streams {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "it goes on after the kick");
        assert!(rest.len() < 900_000_000 && !rest.ends_with(b"0\r\n\r\n"), "an end that is none");
    }
    world.upstream.until("the back end hears it", |u| u.streams() == 0).await;
}

/// The back end has the request: the client is told, by a code after which nobody sends it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kick_ends_what_waits_for_its_answer() {
    let world = World::start().await;
    let phone = world.customer("lilei", "1");
    let session = phone.log_in().await.field("session_id");
    let (mut waiting, mut sending) = (Kept::connect(&world.public()).await, Kept::connect(&world.public()).await);
    waiting
        .send(format!("POST /shop/hangs HTTP/1.1\r\nHost: h\r\n{}Content-Length: 0\r\n\r\n", bearer(&phone)).as_bytes())
        .await;
    sending
        .send(format!("POST /shop/x HTTP/1.1\r\nHost: h\r\n{}Content-Length: 9\r\n\r\nabc", bearer(&phone)).as_bytes())
        .await;
    world.upstream.until("both are there", |u| u.seen().len() == 2).await;
    kick(&world, &session).await;
    assert_eq!(waiting.answer().await.code(), "upstream_failed");
    assert_eq!(sending.answer().await.code(), "upstream_failed");
    assert!(world.upstream.seen().iter().all(|s| s.target != "/shop/x" || s.sha256.is_none()));
}

/// However a session ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_end_cuts() {
    let world = World::with("", Setup { sessions: "max = 1", ..Setup::default() }).await;
    let phone = world.customer("lilei", "1");
    phone.log_in().await;
    for end in ["logout", "kicked", "replaced", "user_disabled", "unbound", "moved", "expired_idle", "expired_absolute"]
    {
        let session = phone.log_in().await.field("session_id");
        let mut socket = open(&world, "/shop/socket", &bearer(&phone)).await;
        speaks(&mut socket).await;
        match end {
            "logout" => assert_eq!(phone.log_out().await.status, 204),
            "kicked" => kick(&world, &session).await,
            "replaced" => drop(world.phone("lilei").log_in().await),
            "user_disabled" => {
                world.admin("PUT", "/admin/v1/users/1/disabled", None).await.ok();
            }
            "unbound" => {
                let reply = world.admin_get(&format!("/admin/v1/sessions/{session}")).await;
                let identity = reply["identity_id"].as_str().expect("an identity").to_owned();
                world.admin("DELETE", &format!("/admin/v1/bindings/{identity}"), None).await.ok();
            }
            // No revocation, but none could reach it any more: a later kick finds no session to end.
            "moved" => {
                world.admin("PUT", MOVE, Some(serde_json::json!({ "share": 0 }))).await.ok();
                assert_eq!(phone.refresh("r").await.refusal(), "403 not_moved");
                world.admin("DELETE", MOVE, None).await.ok();
            }
            "expired_idle" => world.clock.advance(minutes(31)),
            _ => world.clock.advance(hours(24 * 8)),
        }
        if end.starts_with("expired") {
            world.upkeep().await;
        }
        is_cut(&mut socket).await;
        if end == "user_disabled" {
            world.admin("DELETE", "/admin/v1/users/1/disabled", None).await.ok();
        }
    }
    world.upstream.until("all are closed", |u| u.sockets() == 0).await;
}

/// What goes on without a session, or under a secret that was only replaced, is nobody's to cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_and_guests_are_not_cut() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let (mut guest, mut socket) =
        (open(&world, "/open/socket", "").await, open(&world, "/shop/socket", &bearer(&phone)).await);
    let token = phone.refresh("r").await.field("token");
    phone.hold(&token);
    phone.read().await.ok();
    speaks(&mut socket).await;
    speaks(&mut guest).await;
    assert_eq!(phone.log_out().await.status, 204);
    is_cut(&mut socket).await;
    speaks(&mut guest).await;
}

/// A switch of accounts within one session: what passed as 42 is 42's, and ends. A first bind and a refresh cut nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_user_cuts() {
    let world = World::start().await;
    for (account, user) in [("home", "42"), ("work", "43")] {
        world.back_end.has_account(account, "secret", user);
    }
    let phone = world.phone("lilei");
    phone.log_in().await;
    let mut unbound = open(&world, "/session/socket", &bearer(&phone)).await;
    phone.hold(&phone.bind("a", "home", "secret").await.field("token"));
    phone.read().await.ok();
    let mut first = open(&world, "/shop/socket", &bearer(&phone)).await;
    speaks(&mut unbound).await;
    phone.steps_up().await;
    phone.read().await.ok();
    speaks(&mut first).await;
    let reply = phone.bind("b", "work", "secret").await;
    assert_eq!(reply.field("user"), "43");
    is_cut(&mut first).await;
    phone.hold(&reply.field("token"));
    let mut second = open(&world, "/shop/socket", &bearer(&phone)).await;
    speaks(&mut second).await;
    assert_eq!(world.upstream.seen().last().unwrap().header("yaopai-user"), Some("43"));
    // What passed without a user goes on, as nobody's, until the session ends.
    speaks(&mut unbound).await;
    assert_eq!(phone.log_out().await.status, 204);
    is_cut(&mut second).await;
    is_cut(&mut unbound).await;
}

/// A storm of kicks against requests: after each kick's answer not one request that is sent gets through, and none stays open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kick_between_the_check_and_the_upstream() {
    let world = World::start().await;
    for round in 0..count("YAOPAI_GATEWAY_KICKS", 20) {
        // WeChat gives nobody more than a hundred codes a minute.
        let person = format!("member-{}", round / 50);
        if round % 50 == 0 {
            world.newcomer(&person);
        }
        let phone = world.customer(&person, &format!("user-{person}"));
        let session = phone.log_in().await.field("session_id");
        let request =
            format!("GET /shop/events?{round} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{}\r\n", bearer(&phone));
        let asking = (0..8).map(|_| {
            let (base, request) = (world.public(), request.clone());
            tokio::spawn(async move { Answer(crate::support::raw::send(&base, request.as_bytes()).await) })
        });
        let asking: Vec<_> = asking.collect();
        kick(&world, &session).await;
        // Each is refused or cut: none is left open, whenever it came.
        for answer in asking {
            let answer = tokio::time::timeout(Duration::from_secs(20), answer).await.expect("an end").unwrap();
            assert!(!answer.0.ends_with("0\r\n\r\n"), "{answer:?}");
        }
        world.upstream.until("nothing is open", |u| u.streams() == 0).await;
    }
}

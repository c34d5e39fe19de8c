//! Tickets over nodes: one that any of them made is good at each of them, and once over all, sent to whichever at the same instant or later.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use crate::fleet::{Fleet, NODES, Said, Shape};
use crate::redis_server::RedisServer;

/// How often each is shown: to each node twice.
const COPIES: usize = 2 * NODES;
const TICKETS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accepted_once_by_postgres() {
    let fleet = Fleet::start().await;
    once("PostgreSQL", &fleet).await;
    views(&fleet).await;
    moved(&fleet).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accepted_once_by_redis() {
    let redis = RedisServer::start();
    let fleet = Fleet::with(Shape { nonces: &redis.named(), ..Shape::default() }).await;
    once("Redis", &fleet).await;
    // In doubt: refused, and the client asks for another.
    let session = fleet.login(0, false).await;
    redis.kill();
    let ticket = fleet.ticket(1, &session, "/chat", "socket").await;
    let said = fleet.show(2, &format!("/chat?yaopai_ticket={ticket}"), None).await.0;
    assert_eq!(said, Said { status: 401, code: "proof_stale".into() });
    redis.run();
    for _ in 0..100 {
        let ticket = fleet.ticket(1, &session, "/chat", "socket").await;
        if fleet.show(2, &format!("/chat?yaopai_ticket={ticket}"), None).await.0.status == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the nodes don't find Redis again");
}

async fn once(name: &str, fleet: &Arc<Fleet>) {
    let sessions = join_all((0..NODES).map(|n| fleet.login(n, false))).await;
    // Stores that have just begun to remember know nothing of the seconds before.
    tokio::time::sleep(Duration::from_millis(6_500)).await;
    let mut codes = BTreeMap::<String, usize>::new();
    for n in 0..TICKETS {
        let (made_at, session) = (n % NODES, &sessions[n / NODES % NODES]);
        let ticket = fleet.ticket(made_at, session, "/chat", "socket").await;
        let uri = format!("/chat?room={n}&yaopai_ticket={ticket}");
        if n % 10 == 0 {
            // Elsewhere, and changed: none of that uses it up.
            let elsewhere = fleet.show((made_at + 1) % NODES, &format!("/chats?yaopai_ticket={ticket}"), None).await.0;
            assert_eq!(elsewhere, Said { status: 401, code: "proof_invalid".into() });
            let last = if ticket.ends_with('A') { "B" } else { "A" };
            let changed = format!("{}{last}", &ticket[..ticket.len() - 1]);
            let forged = fleet.show(made_at, &format!("/chat?yaopai_ticket={changed}"), None).await.0;
            assert_eq!(forged, Said { status: 401, code: "proof_stale".into() });
        }
        let copies = (0..COPIES).map(|copy| fleet.show((made_at + 1 + copy) % NODES, &uri, None));
        let said = join_all(copies).await;
        let accepted = said.iter().filter(|(said, _)| said.status == 200).count();
        assert_eq!(accepted, 1, "{n}: {said:?}");
        said.into_iter().for_each(|(said, _)| *codes.entry(said.code).or_default() += 1);
        let later = fleet.show(n % NODES, &uri, None).await.0;
        assert_eq!(later, Said { status: 401, code: "proof_replayed".into() });
    }
    println!("tickets over nodes, nonces in {name}: {TICKETS}, each shown {} times: {codes:?}", COPIES + 1);
    assert_eq!(codes.keys().map(String::as_str).collect::<Vec<_>>(), ["", "proof_replayed"]);
}

/// What was made before a move may have been used where nothing is known of here: no node that starts after it takes that, whatever the nonces
/// don't know.
async fn moved(fleet: &Arc<Fleet>) {
    let session = fleet.login(0, false).await;
    fleet.kill(2);
    let until = fleet.now() + 8_000;
    fleet.primary.sql(&format!("UPDATE nodes SET leased_until = {until}"));
    fleet.start_again(2).await;
    let ticket = fleet.ticket(1, &session, "/chat", "socket").await;
    let uri = format!("/chat?yaopai_ticket={ticket}");
    assert_eq!(fleet.show(2, &uri, None).await.0, Said { status: 401, code: "proof_stale".into() });
    assert_eq!(fleet.show(1, &uri, None).await.0.status, 200, "it was not used up");
    while fleet.now() < until + 6_000 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let ticket = fleet.ticket(1, &session, "/chat", "socket").await;
    assert_eq!(fleet.show(2, &format!("/chat?yaopai_ticket={ticket}"), None).await.0.status, 200);
}

/// A page in a web-view is let in everywhere by the cookie that one node set, until its session ends.
async fn views(fleet: &Arc<Fleet>) {
    let session = fleet.login(0, false).await;
    let ticket = fleet.ticket(0, &session, "/h5/orders", "web-view").await;
    let (said, cookie) = fleet.show(1, &format!("/h5/orders?yaopai_ticket={ticket}"), None).await;
    assert_eq!(said.status, 200);
    let cookie = cookie.unwrap();
    assert!(cookie.starts_with("yaopai_view=yt2_") && cookie.contains("Path=/h5/;"), "{cookie}");
    let pair = cookie.split(';').next();
    for node in 0..NODES {
        for (uri, status) in [("/h5/app.js", 200), ("/h5/orders", 200), ("/orders", 401)] {
            assert_eq!(fleet.show(node, uri, pair).await.0.status, status, "{uri} at {node}");
        }
        // Loaded again: its ticket is used up, its cookie is not.
        let again = fleet.show(node, &format!("/h5/orders?yaopai_ticket={ticket}"), pair).await.0;
        assert_eq!(again.status, 200);
    }
    assert!(fleet.kick(2, &session.id, "?wait=all").await);
    for node in 0..NODES {
        assert_eq!(fleet.show(node, "/h5/app.js", pair).await.0.code, "session_kicked");
    }
}

//! Requests that two readers would read as different ones. What the upstream gets is at most the one request that was checked, and
//! never somebody else's name.

use super::world::World;
use crate::support::raw::{self, Answer};

/// What is sent, and what the upstream may see of it at most.
async fn try_it(lines: &str, may_see: &[&str]) -> (Answer, World) {
    let world = World::start().await;
    let answer = Answer(raw::send(&world.public(), lines.as_bytes()).await);
    let seen = world.upstream.seen();
    let targets: Vec<&str> = seen.iter().map(|s| s.target.as_str()).collect();
    assert!(targets == may_see || targets.is_empty(), "{lines:?}: {seen:#?}");
    assert!(seen.iter().all(|s| s.identity().is_empty()), "{seen:#?}");
    // Everything answered is one answer: nothing after it was taken for a request.
    assert_eq!(answer.0.matches("HTTP/1.").count(), 1, "{answer:?}");
    (answer, world)
}

/// Refused: nothing of it goes on.
async fn refused(lines: &str) {
    let (answer, _) = try_it(lines, &[]).await;
    assert!(matches!(answer.status(), 400..=499), "{lines:?}: {answer:?}");
}

const HOST: &str = "Host: shop.example\r\n";
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: shop.example\r\nYaopai-User: 1\r\n\r\n";

macro_rules! refused {
    ($($(#[$doc:meta])* $name:ident: $($lines:expr),+;)*) => {
        $($(#[$doc])* #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            $(refused(&$lines).await;)+
        })*
    };
}

/// RFC 9112, section 6.3: the coding counts, and the connection ends with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_length_and_a_coding() {
    for (first, second) in
        [("Content-Length: 6", "Transfer-Encoding: chunked"), ("Transfer-Encoding: chunked", "Content-Length: 6")]
    {
        let lines = format!("POST /a HTTP/1.1\r\n{HOST}{first}\r\n{second}\r\n\r\n0\r\n\r\n{SMUGGLED}");
        let (_, world) = try_it(&lines, &["/a"]).await;
        for seen in world.upstream.seen() {
            assert_eq!((seen.length, seen.header("content-length")), (0, None), "{seen:?}");
        }
    }
}

/// The other way round: a reader of lengths sees two requests where a reader of chunks sees one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_length_and_a_coding() {
    let chunk = SMUGGLED.len();
    let lines = format!(
        "POST /a HTTP/1.1\r\n{HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{chunk:x}\r\n{SMUGGLED}\r\n0\r\n\r\n"
    );
    try_it(&lines, &["/a"]).await;
}

refused! {
    two_lengths: format!("POST /a HTTP/1.1\r\n{HOST}Content-Length: 0\r\nContent-Length: 44\r\n\r\n{SMUGGLED}");
    a_list_of_lengths: format!("POST /a HTTP/1.1\r\n{HOST}Content-Length: 0, 0\r\n\r\n{SMUGGLED}");
    lengths_that_are_no_numbers:
        format!("POST /a HTTP/1.1\r\n{HOST}Content-Length: +5\r\n\r\n{SMUGGLED}"),
        format!("POST /a HTTP/1.1\r\n{HOST}Content-Length: 0x5\r\n\r\n{SMUGGLED}"),
        format!("POST /a HTTP/1.1\r\n{HOST}Content-Length: -1\r\n\r\n{SMUGGLED}"),
        format!("POST /a HTTP/1.1\r\n{HOST}Content-Length:\r\n\r\n{SMUGGLED}");
    a_length_in_disguise:
        format!("POST /a HTTP/1.1\r\n{HOST}Content_Length: 44\r\n\r\n{SMUGGLED}"),
        format!("POST /a HTTP/1.1\r\n{HOST}Content.Length: 44\r\nContent-Length: 0\r\n\r\n{SMUGGLED}");
    a_coding_in_disguise:
        format!("POST /a HTTP/1.1\r\n{HOST}Transfer_Encoding: chunked\r\nContent-Length: 0\r\n\r\n{SMUGGLED}"),
        format!("POST /a HTTP/1.1\r\n{HOST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{SMUGGLED}"),
        format!("POST /a HTTP/1.1\r\n{HOST} Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}");
    another_coding:
        format!("POST /a HTTP/1.1\r\n{HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{SMUGGLED}"),
        format!("POST /a HTTP/1.1\r\n{HOST}Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n{SMUGGLED}"),
        format!("POST /a HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n{SMUGGLED}"),
        format!("POST /a HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{SMUGGLED}"),
        format!("POST /a HTTP/1.1\r\n{HOST}Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n{SMUGGLED}"),
        format!("POST /a HTTP/1.1\r\n{HOST}Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}");
    a_coding_in_http_1_0: format!("POST /a HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}");
    a_folded_line:
        format!("GET /a HTTP/1.1\r\n{HOST}X-A: 1\r\n Yaopai-User: 1\r\n\r\n"),
        format!("GET /a HTTP/1.1\r\n{HOST}X-A: 1\r\n\tYaopai-User: 1\r\n\r\n"),
        format!("POST /a HTTP/1.1\r\n{HOST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{SMUGGLED}");
    two_hosts:
        format!("GET /a HTTP/1.1\r\n{HOST}Host: evil.example\r\n\r\n"),
        format!("GET /a HTTP/1.1\r\n{HOST}{HOST}\r\n");
    no_host: "GET /a HTTP/1.1\r\n\r\n", "GET /a HTTP/1.1\r\nHost:\r\n\r\n", "GET /a HTTP/1.0\r\n\r\n";
    a_host_that_is_none:
        "GET /a HTTP/1.1\r\nHost: shop.example/evil\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: shop.example, evil.example\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: u@shop.example\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: shop.example evil.example\r\n\r\n";
    a_whole_url:
        format!("GET http://evil.example/a HTTP/1.1\r\n{HOST}\r\n"),
        format!("GET http://shop.example/a HTTP/1.1\r\n{HOST}\r\n"),
        format!("GET https://shop.example@evil.example/a HTTP/1.1\r\n{HOST}\r\n");
    other_forms_of_a_target:
        format!("OPTIONS * HTTP/1.1\r\n{HOST}\r\n"),
        format!("CONNECT evil.example:80 HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"),
        format!("TRACE /a HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"),
        format!("GET a HTTP/1.1\r\n{HOST}\r\n");
    a_request_line_of_more_words:
        format!("GET /a HTTP/1.1 HTTP/1.1\r\n{HOST}\r\n"),
        format!("GET /a b HTTP/1.1\r\n{HOST}\r\n"),
        format!("GET\t/a HTTP/1.1\r\n{HOST}\r\n"),
        format!("GET /a\r\nYaopai-User: 1 HTTP/1.1\r\n{HOST}\r\n");
    bytes_that_end_no_line:
        format!("GET /a HTTP/1.1\r\n{HOST}X-A: 1\rYaopai-User: 1\r\n\r\n"),
        format!("GET /a HTTP/1.1\r\n{HOST}X-A: 1\0\r\n\r\n"),
        format!("GET /a HTTP/1.1\r\n{HOST}X-A\0: 1\r\n\r\n"),
        format!("GET /a HTTP/1.1\r\n{HOST}: 1\r\n\r\n");
    a_bare_line_feed_hides_nobody: format!("GET /a HTTP/1.1\r\n{HOST}X-A: 1\nYaopai-User: 1\r\n\r\n");
    a_name_beside_a_name: format!("GET /a HTTP/1.1\r\n{HOST}Yaopai-User : 1\r\n\r\n");
}

/// A body ends where its length says: what is behind it is another request, and is checked as one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_follows_is_checked_for_itself() {
    let world = World::start().await;
    let lines = format!(
        "POST /a HTTP/1.1\r\n{HOST}Content-Length: 3\r\n\r\nabcGET /shop/x HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"
    );
    let answers = raw::send(&world.public(), lines.as_bytes()).await;
    assert!(answers.contains("yaopai-code: session_missing"), "{answers}");
    assert_eq!(world.upstream.targets(), ["/a"]);
    assert_eq!(world.upstream.one().length, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_that_are_none() {
    for body in
        ["z\r\nabc\r\n0\r\n\r\n", "fffffffffffffffff\r\nabc", "3\nabc\n0\n\n", "3\r\nabcd\r\n0\r\n\r\n", "-1\r\n\r\n"]
    {
        let world = World::start().await;
        let lines = format!("POST /a HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n{body}{SMUGGLED}");
        let answer = raw::send(&world.public(), lines.as_bytes()).await;
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{answer}");
        let seen = world.upstream.seen();
        // It may have seen the beginning; never an end, and never a second one.
        assert!(seen.len() <= 1 && seen.iter().all(|s| s.target == "/a" && s.sha256.is_none()), "{body:?} {seen:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunks_extension_and_a_trailer_stop_here() {
    let lines = format!(
        "POST /a HTTP/1.1\r\n{HOST}Connection: close\r\nTransfer-Encoding: chunked\r\nTrailer: Yaopai-User\r\n\r\n\
         3;yaopai-user=1\r\nabc\r\n0\r\nYaopai-User: 1\r\nContent-Length: 44\r\n\r\n"
    );
    let (answer, world) = try_it(&lines, &["/a"]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(world.upstream.one().length, 3);
}

/// `h2c` and any other protocol: what came over such a connection would be past the check.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_other_protocol_is_switched_to() {
    for upgrade in [
        "Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
        "Connection: Upgrade, close\r\nUpgrade: websocket, h2c\r\n",
        "Connection: Upgrade, close\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n",
        "Connection: close\r\nUpgrade: websocket\r\n",
    ] {
        let lines = format!("GET /a/socket HTTP/1.1\r\n{HOST}{upgrade}\r\n");
        let (answer, world) = try_it(&lines, &["/a/socket"]).await;
        assert_eq!(answer.status(), 200, "{answer:?}");
        let seen = world.upstream.one();
        assert!(seen.header("upgrade").is_none() && seen.header("http2-settings").is_none(), "{seen:?}");
    }
}

/// The upstream refuses a handshake: then the connection is no socket, and what follows is checked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_was_not_opened_carries_nothing_past_the_check() {
    let world = World::start().await;
    let lines = format!(
        "GET /a HTTP/1.1\r\n{HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\n\r\n\
         GET /shop/secret HTTP/1.1\r\n{HOST}Yaopai-User: 1\r\nConnection: close\r\n\r\n"
    );
    let answers = raw::send(&world.public(), lines.as_bytes()).await;
    assert!(!answers.contains("101 "), "{answers}");
    assert_eq!(world.upstream.targets(), ["/a"]);
}

//! A real nginx before the gateway and another one behind it: two more readers of the same requests.

use super::sockets::speaks;
use super::upstream::Upstream;
use super::world::start_at;
use crate::support::nginx::Nginx;
use crate::support::raw::{self, Answer, Kept};
use crate::support::{Draft, Setup};

const BEHIND: &str = r#"server {
    listen 127.0.0.1:{port};
    root {root};
    location /shop/who { return 200 "$request_method $request_uri $http_yaopai_user $http_host $http_x_forwarded_for $http_x_forwarded_proto"; }
}"#;

/// As docs/gateway.md asks of it.
fn before(gateway: &str) -> Nginx {
    let gateway = gateway.replace("http://", "");
    let http = format!(
        r#"map $http_upgrade $on {{ default upgrade; "" ""; }}
        server {{
            listen 127.0.0.1:{{port}};
            location / {{
                proxy_pass http://{gateway};
                proxy_http_version 1.1;
                proxy_set_header Host $http_host;
                proxy_set_header X-Forwarded-For $remote_addr;
                proxy_set_header X-Forwarded-Proto https;
                proxy_set_header Upgrade $http_upgrade;
                proxy_set_header Connection $on;
                proxy_buffering off;
                proxy_request_buffering off;
                client_max_body_size 0;
            }}
        }}"#
    );
    Nginx::serving(&http, &[])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_requests_files_and_ranges_through_both() {
    let picture: Vec<u8> = (0..1_000_000u32).map(|n| n.to_le_bytes()[0]).collect();
    let behind = Nginx::serving(BEHIND, &[("picture.bin", &picture)]);
    let app = start_at(&format!("[\"{}\"]", behind.base), "", Setup::default()).await;
    let front = before(&app.addresses().public);
    let phone = app.customer("lilei", "1").keyed();
    phone.log_in().await;

    let draft = phone.draft_for_shop("POST", "/shop/who?a=%20b", Some(&serde_json::json!({ "n": 1 })));
    let reply = draft.send_to(&app, &front.base).await;
    assert_eq!(reply.ok().text, "POST /shop/who?a=%20b 1 shop.example 127.0.0.1, 127.0.0.1 https");
    let bare = Draft::new("GET", "shop.example", "/shop/who", None).bearing(&phone.token());
    assert_eq!(bare.send_to(&app, &front.base).await.refusal(), "401 proof_required");

    let whole = app.http.get(format!("{}/picture.bin", front.base)).send().await.unwrap();
    let etag = whole.headers()["etag"].clone();
    assert_eq!(whole.bytes().await.unwrap(), picture);
    let part = app.http.get(format!("{}/picture.bin", front.base)).header("range", "bytes=10-19").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.bytes().await.unwrap()), (206, picture[10..20].to_vec().into()));
    let known = app.http.get(format!("{}/picture.bin", front.base)).header("if-none-match", etag).send().await.unwrap();
    assert_eq!(known.status(), 304);
}

/// In chunks, with nginx before and hyper behind: nginx is a strict reader of what the gateway answers, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chunks_sockets_and_tricks_through_it() {
    let upstream = Upstream::start().await;
    let app = start_at(&format!("[\"http://{}\"]", upstream.address), "", Setup::default()).await;
    let front = before(&app.addresses().public);
    let chunked = "POST /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert_eq!(Answer(raw::send(&front.base, chunked.as_bytes()).await).status(), 200);
    assert_eq!(upstream.one().length, 5);

    let mut socket = Kept::connect(&front.base).await;
    socket
        .send(
            b"GET /open/socket HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await;
    assert_eq!(socket.answer().await.status(), 101);
    speaks(&mut socket.0).await;

    // A length beside a coding: whatever either of them makes of it, the upstream sees no second request.
    let both = "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
    raw::send(&front.base, both.as_bytes()).await;
    assert!(!upstream.targets().contains(&"/smuggled".to_owned()));
}

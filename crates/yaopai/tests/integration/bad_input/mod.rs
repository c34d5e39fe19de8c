//! Whatever is wrong with a request: the exact code, a sentence that says what to do, nothing changed, nothing echoed.

mod admin;
mod bodies;
mod fields;
mod http;
mod tokens;

use serde_json::Value;

use crate::support::{Phone, TestApp, raw};

/// A marker in what is sent; it must not come back.
const SENT: &str = "sEcReT-marker-9f3b";

struct World {
    app: TestApp,
    phone: Phone,
}

impl World {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let phone = app.customer("lilei", "42");
        phone.log_in().await;
        phone.check("-").await.user();
        Self { app, phone }
    }

    fn bearer(&self) -> String {
        format!("Authorization: Bearer {}\r\n", self.phone.token())
    }

    /// Sends bytes to the public listener; the answer must be this refusal and must have changed nothing.
    async fn refused(&self, what: &str, head: &str, body: &[u8], expected: &str) -> raw::Answer {
        let before = self.app.state();
        let length = format!("Content-Length: {}\r\n", body.len());
        let host = "Host: shop.example\r\nConnection: close\r\n";
        let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
        let mut bytes = format!("{line} HTTP/1.1\r\n{host}{headers}{length}\r\n").into_bytes();
        bytes.extend(body);
        let answer = raw::Answer(raw::send(&self.app.addresses().public, &bytes).await);
        assert_eq!(format!("{} {}", answer.status(), answer.code()), expected, "{what}: {}", answer.0);
        assert_eq!(self.app.state(), before, "{what}");
        assert!(!answer.0.contains(SENT), "{what}: it echoes what was sent: {}", answer.0);
        assert!(!answer.0.contains(&self.phone.token()), "{what}: it echoes the token");
        let problem: Value =
            serde_json::from_str(answer.body()).unwrap_or_else(|e| panic!("{what}: {e}: {}", answer.0));
        assert_eq!(problem["code"], answer.code());
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.split(' ').count() >= 3 && detail.ends_with('.'), "{what}: says nothing: {detail}");
        assert!(answer.header("yaopai-time").is_some() && answer.header("cache-control") == Some("no-store"), "{what}");
        answer
    }

    /// The same for a JSON body on a path of the API with the session's token.
    async fn body_refused(&self, what: &str, path: &str, body: &[u8], expected: &str) -> raw::Answer {
        let head = format!("POST /yaopai/v1{path}\nContent-Type: application/json\r\n{}", self.bearer());
        self.refused(what, &head, body, expected).await
    }
}

const PATHS: [&str; 6] = ["/session", "/session/refresh", "/binding", "/binding/preview", "/phone", "/decrypt"];

//! Everything between a phone and a shop, and what is seen from both ends.

use std::time::Duration;

use serde_json::Value;

use crate::kinds::Kind;
use crate::running::{Ports, Running};
use crate::support::shop::{self, Shop, user};
use crate::support::{Draft, Phone, Setup, TestApp, raw};
use crate::wire::Wire;

pub struct Front {
    pub app: TestApp,
    pub shop: Shop,
    pub wire: Wire,
    proxy: Running,
}

/// One request as its client, the shop and the check's wire saw it.
pub struct Seen {
    /// `None`: there was no answer in [`PATIENCE`].
    pub answer: Option<raw::Answer>,
    pub arrived: Option<Value>,
    /// The first lines of the checks that it caused.
    pub checks: Vec<String>,
}

/// How long a client waits: longer than any time-out of the examples.
const PATIENCE: Duration = Duration::from_secs(9);

/// What a request may not be able to prove, by one person: see the case of 429.
const LIMITS: &str = "limits = { binds_per_network = 0, logins_per_network = 0, logins_per_identity = 0, \
                      failed_proofs_per_identity = 3, failed_proofs_per_network = 0 }";

impl Front {
    pub async fn start(kind: &Kind) -> Self {
        Self::edited(kind, &[]).await
    }

    /// With something else replaced in the example's files, too.
    pub async fn edited(kind: &Kind, edits: &[(&str, &str)]) -> Self {
        let app = TestApp::with(Setup { top: LIMITS, ..Setup::default() }).await;
        let shop = Shop::start().await;
        let at = app.addresses();
        let wire = Wire::start(at.check.strip_prefix("http://").unwrap().parse().unwrap()).await;
        let port = |address: &str| address.rsplit(':').next().unwrap().parse().unwrap();
        let ports = Ports { check: wire.port, public: port(&at.public), shop: port(&shop.address) };
        let proxy = Running::start(kind, &ports, edits).await;
        Self { app, shop, wire, proxy }
    }

    /// Where the proxy listens.
    pub fn base(&self) -> &str {
        &self.proxy.base
    }

    /// A phone whose user the shop knows as `42`, logged in.
    pub async fn customer(&self) -> Phone {
        let phone = self.app.customer("lilei", "42");
        phone.log_in().await;
        phone
    }

    /// Sends a request's bytes; `Connection: close` is in them.
    pub async fn send(&self, bytes: &[u8]) -> Seen {
        let (visits, asked) = (self.shop.visits(), self.wire.asked().len());
        let answer = tokio::time::timeout(PATIENCE, raw::send(&self.proxy.base, bytes)).await.ok().map(raw::Answer);
        let arrived = self.shop.arrived.lock().unwrap()[visits..].to_vec();
        assert!(arrived.len() <= 1, "one request, and several arrived: {arrived:?}");
        Seen { answer, arrived: arrived.into_iter().next(), checks: self.wire.asked()[asked..].to_vec() }
    }

    /// A request as it was drawn.
    pub async fn draft(&self, draft: &Draft) -> Seen {
        let lines: String = draft.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let Draft { method, uri, host, body, .. } = draft;
        let length = if method == "GET" { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let head = format!("{method} {uri} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{lines}{length}\r\n");
        self.send(&[head.as_bytes(), body].concat()).await
    }

    /// `GET`, with these headers as they are written here.
    pub async fn get(&self, uri: &str, token: Option<&str>, headers: &[(&str, &str)]) -> Seen {
        let mut draft = Draft::new("GET", "shop.example", uri, None);
        draft.fields = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let draft = if let Some(token) = token { draft.bearing(token) } else { draft };
        self.draft(&draft).await
    }
}

impl Seen {
    pub fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, raw::Answer::status)
    }

    pub fn code(&self) -> &str {
        self.answer.as_ref().map_or("", |a| a.code())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.as_ref()?.header(name)
    }

    /// It passed; what arrived.
    #[track_caller]
    pub fn passed(&self) -> &Value {
        assert_eq!(self.status(), 200, "{:?}", self.answer);
        self.arrived.as_ref().expect("it arrived")
    }

    /// It did not.
    #[track_caller]
    pub fn stopped(&self) -> &Self {
        assert_eq!(self.arrived, None, "it got through");
        assert_ne!(self.status(), 200, "{:?}", self.answer);
        self
    }

    /// Why it did not. That is the same for every proxy, or the table would be a place to hide in.
    #[track_caller]
    pub fn refused(&self, as_what: &str) -> &Self {
        self.stopped();
        assert_eq!(format!("{} {}", self.status(), self.code()), as_what, "{:?}", self.answer);
        assert!(
            self.header("yaopai-time").is_some_and(|time| time.ends_with('Z')),
            "phone clocks lie: {:?}",
            self.answer
        );
        assert_eq!(self.header("cache-control"), Some("no-store"), "{:?}", self.answer);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{:?}", self.answer);
        self
    }

    /// As a cell of the table.
    pub fn cell(&self) -> String {
        match (&self.arrived, &self.answer) {
            (Some(arrived), _) => match user(arrived) {
                Some(user) => format!("{}, user {user}", self.status()),
                None => format!("{}, no user", self.status()),
            },
            (None, None) => format!("no answer in {} s", PATIENCE.as_secs()),
            (None, Some(_)) if self.code().is_empty() => self.status().to_string(),
            (None, Some(_)) => format!("{} `{}`", self.status(), self.code()),
        }
    }

    /// The headers that tell the client what to do, as a cell.
    pub fn told(&self) -> String {
        let names = ["Yaopai-Code", "Yaopai-Time", "Retry-After", "WWW-Authenticate"];
        let told = names.iter().filter(|name| self.header(name).is_some_and(|value| !value.is_empty()));
        let told: Vec<String> = told.map(|name| format!("`{name}`")).collect();
        if told.is_empty() { "none".to_owned() } else { told.join(" ") }
    }

    /// Is there a header with a principal header's name, in any spelling, that the client has sent?
    pub fn forged(&self, value: &str) -> bool {
        let headers = self.arrived.as_ref().map(shop::headers).unwrap_or_default();
        headers.iter().any(|(name, is)| name.to_lowercase().contains("yaopai") && is == value)
    }
}

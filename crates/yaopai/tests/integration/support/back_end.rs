//! A business system with its three webhook calls. It believes nobody: the signature is verified as Standard Webhooks
//! describes, with code of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

/// One call that was made of it.
#[derive(Debug, Clone)]
pub struct Call {
    /// `resolve`, `bind` or `opened`.
    pub kind: String,
    pub data: Value,
    /// The cookies that it was shown.
    pub cookie: Option<String>,
}

/// What it does in place of its work.
#[derive(Debug, Clone)]
pub enum Act {
    /// This status, no body.
    Status(u16),
    /// Works, but takes its time.
    Slow(Duration),
    /// 200 with this body.
    Say(String),
    /// Works, and the connection breaks before the answer.
    Hang,
}

#[derive(Default)]
struct Inner {
    /// By openid: what `resolve` answers.
    people: HashMap<String, Value>,
    /// The same, once it has been asked.
    next_time: HashMap<String, Value>,
    /// By account and password: what `bind` answers.
    accounts: HashMap<(String, String), Value>,
    /// What `bind` answers to a bind code; without it, that code's user.
    codes: Option<Value>,
    acts: HashMap<String, Act>,
    cookies: Vec<String>,
    calls: Vec<Call>,
    forgeries: Vec<String>,
    ids: Vec<String>,
    pushes: Vec<Push>,
}

/// A push that was forwarded to it, as it came.
#[derive(Debug, Clone)]
pub struct Push {
    pub query: String,
    pub kind: Option<String>,
    pub body: Bytes,
}

#[derive(Clone)]
pub struct BackEnd {
    inner: Arc<Mutex<Inner>>,
    pub url: String,
}

#[derive(Clone)]
struct Shared {
    inner: Arc<Mutex<Inner>>,
    secret: Vec<u8>,
    now_ms: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl BackEnd {
    /// `secret` as the configuration holds it: `whsec_` and base64.
    pub async fn start(secret: &str, now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let secret = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let shared = Shared { inner: inner.clone(), secret, now_ms: Arc::new(now_ms) };
        let router = Router::new().route("/yaopai", post(call)).route("/yaopai/push", post(push)).with_state(shared);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/yaopai", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { inner, url }
    }

    /// It knows this openid.
    pub fn knows(&self, openid: &str, user: &str) {
        self.answers_resolve(openid, json!({ "user": user }));
    }

    /// It is asked about this openid and doesn't know it; the old program binds it at once.
    pub fn knows_next_time(&self, openid: &str, user: &str) {
        self.lock().next_time.insert(openid.to_owned(), json!({ "user": user }));
    }

    pub fn answers_resolve(&self, openid: &str, answer: Value) {
        self.lock().people.insert(openid.to_owned(), answer);
    }

    /// The bind form takes this account; a phone number is one without a password.
    pub fn has_account(&self, account: &str, password: &str, user: &str) {
        self.answers_bind(account, password, json!({ "user": user }));
    }

    pub fn answers_bind(&self, account: &str, password: &str, answer: Value) {
        self.lock().accounts.insert((account.to_owned(), password.to_owned()), answer);
    }

    /// From now on bind codes are answered so.
    pub fn answers_codes(&self, answer: Value) {
        self.lock().codes = Some(answer);
    }

    /// `opened` sets these cookies.
    pub fn sets_cookies(&self, lines: &[&str]) {
        self.lock().cookies = lines.iter().map(|l| (*l).to_owned()).collect();
    }

    /// From now on a kind of call is answered so.
    pub fn acts(&self, kind: &str, act: Act) {
        self.lock().acts.insert(kind.to_owned(), act);
    }

    /// It works again.
    pub fn recovers(&self) {
        self.lock().acts.clear();
    }

    pub fn calls(&self, kind: &str) -> Vec<Call> {
        self.lock().calls.iter().filter(|c| c.kind == kind).cloned().collect()
    }

    /// Pushes that were forwarded to it.
    pub fn pushes(&self) -> Vec<Push> {
        self.lock().pushes.clone()
    }

    /// Calls whose signature did not verify. None is ever expected.
    pub fn forgeries(&self) -> Vec<String> {
        self.lock().forgeries.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

async fn call(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(why) = verify(&shared, &headers, &body) {
        shared.inner.lock().unwrap().forgeries.push(why);
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let message: Value = serde_json::from_slice(&body).unwrap();
    let kind = message["type"].as_str().unwrap().to_owned();
    let data = message["data"].clone();
    let (answer, act) = {
        let mut inner = shared.inner.lock().unwrap();
        let cookie = headers.get("cookie").map(|v| v.to_str().unwrap().to_owned());
        inner.calls.push(Call { kind: kind.clone(), data: data.clone(), cookie });
        let answer = work(&inner, &kind, &data);
        if let Some(next) =
            data["openid"].as_str().filter(|_| kind == "resolve").and_then(|o| inner.next_time.remove_entry(o))
        {
            inner.people.insert(next.0, next.1);
        }
        (answer, inner.acts.get(&kind).cloned())
    };
    match act {
        None => answer,
        Some(Act::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some(Act::Say(text)) => text.into_response(),
        Some(Act::Slow(by)) => {
            tokio::time::sleep(by).await;
            answer
        }
        Some(Act::Hang) => std::future::pending().await,
    }
}

/// A push of WeChat's: answered with 201, a type of its own and some bytes, unless it acts otherwise.
async fn push(State(shared): State<Shared>, RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers.get("content-type").map(|v| v.to_str().unwrap().to_owned());
    let act = {
        let mut inner = shared.inner.lock().unwrap();
        inner.pushes.push(Push { query: query.unwrap_or_default(), kind, body });
        inner.acts.get("push").cloned()
    };
    match act {
        Some(Act::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some(Act::Hang) => std::future::pending().await,
        Some(Act::Slow(by)) => {
            tokio::time::sleep(by).await;
            "late".into_response()
        }
        Some(Act::Say(text)) => text.into_response(),
        None => {
            (StatusCode::OK, [("content-type", "text/xml; charset=gbk")], &b"<xml>\xc4\xe3</xml>"[..]).into_response()
        }
    }
}

fn work(inner: &Inner, kind: &str, data: &Value) -> Response {
    match kind {
        "resolve" => {
            let openid = data["openid"].as_str().unwrap();
            let answer = inner.people.get(openid).cloned().unwrap_or(json!({ "user": null }));
            axum::Json(answer).into_response()
        }
        "bind" if data["way"] == "bind_code" => {
            let answer = inner.codes.clone().unwrap_or(json!({ "user": data["bind_code"]["user"] }));
            axum::Json(answer).into_response()
        }
        "bind" if data["way"] == "phone" => {
            let number = data["phone"]["pure"].as_str().unwrap().to_owned();
            let answer = inner.accounts.get(&(number, String::new())).cloned();
            axum::Json(answer.unwrap_or(json!({ "user": null, "message": "该手机号未注册" }))).into_response()
        }
        "bind" => {
            let field = |name: &str| data["form"][name].as_str().unwrap_or_default().to_owned();
            let answer = inner.accounts.get(&(field("account"), field("password"))).cloned();
            axum::Json(answer.unwrap_or(json!({ "user": null, "message": "账号或密码错误" }))).into_response()
        }
        "opened" => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            for line in &inner.cookies {
                response.headers_mut().append("set-cookie", line.parse().unwrap());
            }
            response
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Standard Webhooks, "Verifying signatures": the three headers, the time within five minutes, an id never seen before.
fn verify(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).ok_or(format!("no {name}"));
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    let seconds: i64 = timestamp.parse().map_err(|_| "the timestamp is no number")?;
    if (seconds - (shared.now_ms)() / 1000).abs() > 300 {
        return Err("the timestamp is far off".into());
    }
    let given = header("webhook-signature")?.strip_prefix("v1,").ok_or("no v1 signature")?;
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&shared.secret).unwrap();
    mac.update(&[id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat());
    mac.verify_slice(&STANDARD.decode(given).map_err(|_| "no base64")?).map_err(|_| "the signature is wrong")?;
    if header("content-type")? != "application/json" {
        return Err("not JSON".into());
    }
    let mut inner = shared.inner.lock().unwrap();
    if inner.ids.iter().any(|seen| seen == id) {
        return Err("the id came twice".into());
    }
    inner.ids.push(id.to_owned());
    Ok(())
}

//! A person's phone with a mini program on it.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::app::World;
use super::{ClientKey, Draft, Reply};

pub struct Phone {
    world: Arc<World>,
    app: String,
    appid: String,
    person: String,
    token: Mutex<Option<String>>,
    /// Does it ask for a key when it logs in?
    wants_key: bool,
    key: Mutex<Option<ClientKey>>,
    /// How far its clock is ahead of the server's, in seconds.
    ahead: AtomicI64,
}

/// A client's id of a request: 128 random bits there, a readable word here.
pub fn request_id(word: &str) -> String {
    format!("{word:.<24}")
}

/// The bind form's request.
pub fn form(word: &str, account: &str, password: &str) -> Value {
    let form = json!({ "account": account, "password": password });
    json!({ "way": "form", "request_id": request_id(word), "form": form })
}

fn fresh_request_id() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    request_id(&format!("request-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
}

impl Phone {
    pub fn new(world: Arc<World>, app: &str, appid: &str, person: &str) -> Self {
        let (app, appid, person) = (app.to_owned(), appid.to_owned(), person.to_owned());
        Self {
            world,
            app,
            appid,
            person,
            token: Mutex::default(),
            wants_key: false,
            key: Mutex::default(),
            ahead: AtomicI64::new(0),
        }
    }

    /// It asks for keyed sessions, and signs.
    #[must_use]
    pub fn keyed(mut self) -> Self {
        self.wants_key = true;
        self
    }

    /// Its session's key, if that has one.
    pub fn key(&self) -> Option<ClientKey> {
        self.key.lock().unwrap().clone()
    }

    /// From now on it signs with this key, or not at all.
    pub fn hold_key(&self, key: Option<ClientKey>) {
        *self.key.lock().unwrap() = key;
    }

    /// Its clock is wrong by so many seconds.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.ahead.store(seconds, Ordering::SeqCst);
    }

    /// By how many its clock is wrong.
    pub fn clock_ahead(&self) -> i64 {
        self.ahead.load(Ordering::SeqCst)
    }

    /// Its clock, in seconds.
    pub fn clock(&self) -> i64 {
        self.world.clock.now_ms().div_euclid(1000) + self.clock_ahead()
    }

    /// A request for the public listener with the token it holds, signed if it has a key.
    pub fn draft(&self, method: &str, path: &str, body: Option<&Value>) -> Draft {
        let host = self.world.addresses().public.replace("http://", "");
        self.drawn(Draft::new(method, &host, &format!("/yaopai/v1{path}"), body))
    }

    /// The same for the shop behind a proxy: `https://shop.example`.
    pub fn draft_for_shop(&self, method: &str, uri: &str, body: Option<&Value>) -> Draft {
        self.drawn(Draft::new(method, "shop.example", uri, body))
    }

    fn drawn(&self, draft: Draft) -> Draft {
        let draft = draft.bearing(&self.token());
        match self.key() {
            Some(key) => draft.signed(&key, self.clock()),
            None => draft,
        }
    }

    /// Sends a draft to the public listener.
    pub async fn send(&self, draft: &Draft) -> Reply {
        draft.send(&self.world).await
    }

    pub fn openid(&self) -> String {
        self.world.sim.handle().openid(&self.appid, &self.person).unwrap()
    }

    /// `wx.login`: a code.
    pub fn code(&self) -> String {
        self.world.sim.handle().issue_code(&self.appid, &self.person).unwrap()
    }

    /// Logs in with a new code and keeps the token. Fails the test if it doesn't work.
    #[track_caller]
    pub fn log_in(&self) -> impl Future<Output = Reply> {
        let caller = std::panic::Location::caller();
        async move {
            let reply = self.try_log_in().await;
            assert_eq!(reply.status, 201, "login at {caller}: {}", reply.text);
            reply
        }
    }

    /// Logs in with a new code; keeps the token if there is one.
    pub async fn try_log_in(&self) -> Reply {
        self.send_login(&self.code(), &fresh_request_id()).await
    }

    pub async fn send_login(&self, code: &str, request_id: &str) -> Reply {
        self.send_login_of(json!({ "code": code, "request_id": request_id })).await
    }

    /// `more` fields over the usual ones.
    pub async fn log_in_with(&self, more: Value) -> Reply {
        let mut body = json!({ "code": self.code(), "request_id": fresh_request_id() });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.send_login_of(body).await
    }

    async fn send_login_of(&self, mut body: Value) -> Reply {
        body["app"] = json!(self.app);
        if self.wants_key && body.get("key").is_none() {
            body["key"] = json!({ "alg": "hmac-sha256" });
        }
        let url = format!("{}/yaopai/v1/session", self.world.addresses().public);
        let reply = Reply::of(self.world.http.post(url).json(&body).send().await.unwrap()).await;
        self.keep_token_of(&reply);
        reply
    }

    fn keep_token_of(&self, reply: &Reply) {
        if reply.status.is_success()
            && let Some(token) = reply.json()["token"].as_str()
        {
            self.hold(token);
            if reply.json()["key"]["secret"].is_string() {
                self.hold_key(Some(ClientKey::of(reply)));
            }
        }
    }

    /// The token that it holds.
    #[track_caller]
    pub fn token(&self) -> String {
        self.token.lock().unwrap().clone().expect("not logged in")
    }

    /// From now on it holds this token.
    pub fn hold(&self, token: &str) {
        *self.token.lock().unwrap() = Some(token.to_owned());
    }

    /// A call of the API with the token it holds. Keeps no token.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.call_as(&self.token(), method, path, body).await
    }

    /// The same with another token.
    pub async fn call_as(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Reply {
        let host = self.world.addresses().public.replace("http://", "");
        let draft = Draft::new(method, &host, &format!("/yaopai/v1{path}"), body.as_ref()).bearing(token);
        match self.key() {
            Some(key) => self.send(&draft.signed(&key, self.clock())).await,
            None => self.send(&draft).await,
        }
    }

    pub async fn read(&self) -> Reply {
        self.call("GET", "/session", None).await
    }

    /// A read that the client marks as background.
    pub async fn read_in_background(&self) -> Reply {
        let url = format!("{}/yaopai/v1/session", self.world.addresses().public);
        let request = self.world.http.get(url).bearer_auth(self.token()).header("yaopai-background", "1");
        Reply::of(request.send().await.unwrap()).await
    }

    pub async fn log_out(&self) -> Reply {
        self.call("DELETE", "/session", None).await
    }

    /// Refreshes under this request id. The new token is not kept: answers get lost.
    pub async fn refresh(&self, word: &str) -> Reply {
        self.refresh_as(&self.token(), word).await
    }

    pub async fn refresh_as(&self, token: &str, word: &str) -> Reply {
        self.call_as(token, "POST", "/session/refresh", Some(json!({ "request_id": request_id(word) }))).await
    }

    /// Refreshes with a new code and keeps the token.
    pub async fn steps_up(&self) {
        let code = self.code();
        self.hold(&self.step_up(&fresh_request_id(), &code).await.field("token"));
    }

    /// Refreshes with a code under this request id. The new token is not kept.
    pub async fn step_up(&self, word: &str, code: &str) -> Reply {
        self.step_up_as(&self.token(), word, code).await
    }

    pub async fn step_up_as(&self, token: &str, word: &str, code: &str) -> Reply {
        let body = json!({ "request_id": request_id(word), "code": code });
        self.call_as(token, "POST", "/session/refresh", Some(body)).await
    }

    /// Sends the bind form under this request id. The new token is not kept.
    pub async fn bind(&self, word: &str, account: &str, password: &str) -> Reply {
        self.call("POST", "/binding", Some(form(word, account, password))).await
    }

    /// The same from another network: the proxy in front says which.
    pub async fn bind_from(&self, network: &str, word: &str, account: &str, password: &str) -> Reply {
        let url = format!("{}/yaopai/v1/binding", self.world.addresses().public);
        let request = self.world.http.post(url).bearer_auth(self.token()).header("x-forwarded-for", network);
        Reply::of(request.json(&form(word, account, password)).send().await.unwrap()).await
    }

    /// Shows a bind code's account to the person.
    pub async fn preview(&self, code: &str) -> Reply {
        self.call("POST", "/binding/preview", Some(json!({ "bind_code": code }))).await
    }

    /// Redeems a bind code under this request id. The new token is not kept.
    pub async fn redeem(&self, word: &str, code: &str) -> Reply {
        let body = json!({ "way": "bind_code", "request_id": request_id(word), "bind_code": code });
        self.call("POST", "/binding", Some(body)).await
    }

    /// The person presses the button of `getPhoneNumber`: a code.
    pub fn phone_code(&self) -> String {
        self.world.sim.handle().issue_phone_code(&self.appid, &self.person).unwrap()
    }

    /// Binds by a phone code under this request id. The new token is not kept.
    pub async fn bind_by_phone(&self, word: &str, code: &str) -> Reply {
        let body = json!({ "way": "phone", "request_id": request_id(word), "code": code });
        self.call("POST", "/binding", Some(body)).await
    }

    /// A proxy asks about a request of this phone: `GET https://shop.example/orders`.
    pub async fn check(&self, ask: &str) -> Reply {
        self.check_as(&self.token(), ask).await
    }

    pub async fn check_as(&self, token: &str, ask: &str) -> Reply {
        let draft = Draft::new("GET", "shop.example", "/orders", None).bearing(token);
        let draft = match self.key() {
            Some(key) => draft.signed(&key, self.clock()),
            None => draft,
        };
        draft.check(&self.world, ask).await
    }

    /// Caddy or Traefik asks about it.
    pub async fn check_forwarded(&self, ask: &str) -> Reply {
        let ask = if ask == "-" { "" } else { ask };
        self.draft_for_shop("GET", "/orders", None).check_forward(&self.world, ask).await
    }
}

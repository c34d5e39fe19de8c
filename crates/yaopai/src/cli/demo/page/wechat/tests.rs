//! The protocol as the runtime in the browser speaks it, against a whole demo.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::request::ORIGIN;
use super::{Gone, REQUESTS_MAX, WeChat};
use crate::cli::demo::shop::BindCode;
use crate::cli::demo::signing::{Sent, SessionKey};
use crate::cli::demo::tale::Tale;
use crate::cli::demo::walk::KNOWN;
use crate::cli::demo::world::{Plan, Platform, World};

const PERSON: &str = "hanmeimei";
const LOGIN: &str = "/yaopai/v1/session";

pub async fn world() -> World {
    let plan = Plan { platform: Platform::Simulated { known: KNOWN }, free_ports: true, lan: false };
    World::start(plan, Arc::new(Tale::kept())).await.unwrap()
}

/// A runtime, and the client that it talks to.
pub struct Phone {
    pub wechat: WeChat,
    stop: watch::Sender<bool>,
    page: &'static str,
    hello: Value,
    last: u64,
    next: u64,
}

impl Phone {
    pub fn start(world: &World) -> Self {
        let sim = world.sim.as_ref().unwrap().handle().clone();
        let number =
            yaopai_sim::UserConfig { name: PERSON.into(), phone: Some("13800138004".into()), ..Default::default() };
        let _ = sim.add_user(number);
        let (stop, stopping) = watch::channel(false);
        let wechat = WeChat::new(world.ground(), world.clock.clone(), sim, stopping);
        wechat.open(PERSON);
        let mut phone = Self { wechat, stop, page: "", hello: Value::Null, last: 0, next: 1 };
        phone.begin("a");
        phone
    }

    /// The browser loads the page.
    fn begin(&mut self, page: &'static str) {
        self.page = page;
        self.hello = self.wechat.hello(page, "en").unwrap();
        self.last = self.hello["last"].as_u64().unwrap();
    }

    fn post(&self, message: &Value) {
        assert_eq!(self.wechat.calls(self.page, json!([message]).to_string().as_bytes()), Ok(Some(())));
    }

    /// A call, and the event that answers it.
    pub async fn call(&mut self, mut message: Value) -> Value {
        message["id"] = json!(self.next);
        self.next += 1;
        self.post(&message);
        loop {
            let told = self.wechat.events(self.page, self.last).await.unwrap();
            self.last = told["last"].as_u64().unwrap();
            let events = told["events"].as_array().unwrap();
            assert!(!events.is_empty(), "no answer to {message}");
            if let Some(answer) = events.iter().find(|e| e["id"] == message["id"]) {
                return answer.clone();
            }
        }
    }

    pub async fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<&Value>,
    ) -> Value {
        let body = body.map(|body| json!({ "text": body.to_string() }));
        let (url, redirect) = (format!("{ORIGIN}{path}"), "follow");
        let mut message = json!({ "type": "request", "as": "request", "url": url, "method": method, "headers": headers, "redirect": redirect });
        if let Some(body) = body {
            message["body"] = body;
        }
        self.call(message).await
    }

    /// What `wx.login` and a library make of it: the login's body.
    async fn credentials(&mut self) -> Value {
        let code = self.call(json!({ "type": "login" })).await;
        let request_id = format!("{:032x}", self.next);
        json!({ "app": "shop", "code": code["result"]["code"], "request_id": request_id, "key": { "alg": "hmac-sha256" } })
    }

    pub async fn login(&mut self) -> Value {
        let body = self.credentials().await;
        let came = self.request("POST", LOGIN, &content(), Some(&body)).await;
        assert_eq!(came["result"]["status"], 201, "{came}");
        parsed(&came)
    }
}

pub fn content() -> [(String, String); 1] {
    [("content-type".to_owned(), "application/json".to_owned())]
}

pub fn parsed(came: &Value) -> Value {
    serde_json::from_str(came["result"]["body"]["text"].as_str().unwrap()).unwrap()
}

/// The headers of a request that is signed as the app does, for the host that the app names.
pub fn sign(
    world: &World,
    login: &Value,
    method: Method,
    path: &str,
    body: Option<&Value>,
    nonce: u8,
) -> Vec<(String, String)> {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, format!("Bearer {}", login["token"].as_str().unwrap()).parse().unwrap());
    let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let mut sent = Sent { method, path: path.into(), headers, body };
    let now = yaopai_core::ports::Clock::now(&*world.clock).0 / 1000;
    let key = SessionKey::of(login).unwrap().unwrap();
    key.sign(&mut sent, ORIGIN.trim_start_matches("http://"), now, &format!("{nonce:032x}")).unwrap();
    sent.headers.iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).chain(content()).collect()
}

/// Of a GET.
pub fn signed(world: &World, login: &Value, path: &str, nonce: u8) -> Vec<(String, String)> {
    sign(world, login, Method::GET, path, None, nonce)
}

/// The newest exchange of the phone's, as the page shows it; and all notes.
fn shown(world: &World) -> (Value, Vec<String>) {
    let entries: Vec<_> = world.wire.since(0).2.iter().map(|e| serde_json::to_value(e).unwrap()).collect();
    let notes =
        entries.iter().filter(|e| e["kind"] == "note").map(|e| e["name"].as_str().unwrap().to_owned()).collect();
    (entries.into_iter().rfind(|e| e["from"] == "phone").unwrap_or_default(), notes)
}

#[tokio::test]
async fn an_app_logs_in_and_asks_the_shop_with_a_phone_s_bytes() {
    let world = world().await;
    let mut phone = Phone::start(&world);
    let login = phone.login().await;
    assert_eq!((&phone.hello["language"], &login["bound"]), (&json!("en"), &json!(false)));
    let came = phone.request("GET", "/goods", &signed(&world, &login, "/goods", 1), None).await;
    assert_eq!((&came["result"]["status"], &parsed(&came)["user"]), (&json!(200), &Value::Null));

    let (exchange, notes) = shown(&world);
    let field = |name: &str| {
        let headers = exchange["headers"].as_array().unwrap();
        headers.iter().find(|h| h[0] == name).unwrap_or_else(|| panic!("no {name}: {exchange}"))[1]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!((exchange["target"].as_str(), field("host")), (Some("/goods"), "127.0.0.1:8443".to_owned()));
    assert!(
        field("referer").starts_with("https://servicewechat.com/wx") && field("user-agent").contains("MicroMessenger")
    );
    assert!(exchange["headers"].as_array().unwrap().iter().all(|h| !h[0].as_str().unwrap().starts_with("sec-")));
    assert!(field("authorization").len() < 30, "the log has the token whole");
    assert!(notes.contains(&"wx_login".to_owned()));

    let token = login["token"].as_str().unwrap();
    assert!(phone.wechat.follow(|f| f.is_logged_in() && f.refresh_at().is_some() && **f.token == *token).unwrap());
    assert!(phone.wechat.follow(|f| f.sent.as_ref().is_some_and(|s| s.path == "/goods")).unwrap());
    world.stop().await;
}

#[tokio::test]
async fn a_lost_answer_is_sent_and_never_heard() {
    let world = world().await;
    let mut phone = Phone::start(&world);
    let body = phone.credentials().await;
    phone.wechat.lose();
    let lost = phone.request("POST", LOGIN, &content(), Some(&body)).await;
    assert_eq!((&lost["type"], &lost["errno"]), (&json!("failure"), &json!(600_003)), "{lost}");
    assert_eq!(shown(&world).0["answer"]["lost"], true);
    assert!(!phone.wechat.follow(|f| f.is_logged_in()).unwrap(), "the app has no token yet");
    let again = phone.request("POST", LOGIN, &content(), Some(&body)).await;
    assert_eq!(again["result"]["status"], 201, "the same request_id gets the same answer: {again}");
    let (exchange, notes) = shown(&world);
    assert!(exchange["answer"]["lost"] == false && notes.contains(&"resent".to_owned()));
    world.stop().await;
}

/// What is told without the app's saying a word.
#[tokio::test]
async fn the_wire_tells_of_ends_and_wrong_clocks() {
    let world = world().await;
    let mut phone = Phone::start(&world);
    let login = phone.login().await;
    let early = signed(&world, &login, "/goods", 1);
    world.clock.advance(Duration::from_secs(120));
    let stale = phone.request("GET", "/goods", &early, None).await;
    assert_eq!(stale["result"]["status"], 401);
    let anew = signed(&world, &login, "/goods", 2);
    assert_eq!(phone.request("GET", "/goods", &anew, None).await["result"]["status"], 200);
    assert!(shown(&world).1.contains(&"clock_set".to_owned()));

    world.clock.advance(Duration::from_secs(31 * 60));
    let late = signed(&world, &login, "/goods", 3);
    assert_eq!(phone.request("GET", "/goods", &late, None).await["result"]["status"], 401, "idle for too long");
    assert!(!phone.wechat.follow(|f| f.is_logged_in()).unwrap());
    phone.login().await;
    assert!(shown(&world).1.contains(&"silent_login".to_owned()));
    assert_eq!(phone.wechat.follow(|f| f.sessions.len()), Some(2));
    world.stop().await;
}

#[tokio::test]
async fn wechat_answers_for_the_person() {
    let world = world().await;
    let mut phone = Phone::start(&world);
    let ask = |what: &str| json!({ "type": what });
    assert_eq!(phone.call(ask("checkSession")).await["type"], "failure", "nobody has logged in yet");
    phone.login().await;
    assert_eq!(phone.call(ask("checkSession")).await["result"], json!({}));
    assert_eq!(phone.call(ask("phoneNumber.show")).await["result"]["masked"], "138****8004");
    let number = phone.call(ask("phoneNumber")).await;
    assert!(number["result"]["code"].is_string() && number["result"]["encryptedData"].is_string());
    for (what, field) in [("userInfo", "rawData"), ("weRunData", "encryptedData"), ("userKey", "encryptKey")] {
        let told = phone.call(ask(what)).await;
        assert!(told["result"][field].is_string(), "{told}");
    }
    assert_eq!(phone.call(ask("scanCode")).await["reason"], "cancel", "there is nothing to scan");
    phone.wechat.see(BindCode { code: "yb_1".to_owned().into(), picture: 1 });
    assert_eq!(phone.call(ask("scanCode")).await["result"]["result"], "yb_1");
    for what in ["socket", "nonsense"] {
        assert_eq!(phone.call(ask(what)).await["type"], "failure");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_person_s_storage_is_kept_over_reloads_and_is_nobody_else_s() {
    let world = world().await;
    let mut phone = Phone::start(&world);
    phone.post(&json!({ "type": "store", "key": "k", "value": "\"mine\"", "encrypted": true }));
    phone.begin("b");
    assert_eq!(phone.hello["storage"], json!([{ "key": "k", "value": "\"mine\"", "encrypted": true }]));
    phone.wechat.open(KNOWN);
    let store = json!([{ "type": "store", "key": "k", "value": "1" }]).to_string();
    assert_eq!(phone.wechat.calls("b", store.as_bytes()), Err(Gone), "what still runs there is the other person's");
    phone.begin("c");
    assert_eq!(phone.hello["storage"], json!([]));
    phone.wechat.leave();
    assert_eq!(phone.wechat.hello("d", "en"), Err(Gone), "nobody has the phone");
    phone.wechat.open(PERSON);
    phone.begin("e");
    assert_eq!(phone.hello["storage"][0]["key"], "k");
    world.stop().await;
}

#[tokio::test]
async fn a_tap_is_written_down_before_what_it_sets_off() {
    let world = world().await;
    let phone = Phone::start(&world);
    let tap = json!({ "type": "tap", "what": "牌".repeat(100) });
    phone.wechat.calls("a", json!([tap, { "id": 1, "type": "login" }]).to_string().as_bytes()).unwrap();
    let entries: Vec<_> = world.wire.since(0).2.iter().map(|e| serde_json::to_value(e).unwrap()).collect();
    let last = |n: usize| &entries[entries.len() - n];
    assert_eq!((&last(2)["name"], &last(1)["name"]), (&json!("tap"), &json!("wx_login")));
    assert_eq!(last(2)["about"]["what"].as_str().unwrap().chars().count(), 40);
    world.stop().await;
}

#[tokio::test]
async fn only_the_page_that_began_last_is_heard() {
    let world = world().await;
    let mut phone = Phone::start(&world);
    let waiting = tokio::spawn({
        let (wechat, last) = (phone.wechat.clone(), phone.last);
        async move { wechat.events("a", last).await }
    });
    phone.begin("b");
    assert_eq!(waiting.await.unwrap(), Err(Gone));
    assert_eq!(phone.wechat.calls("a", b"[]"), Err(Gone));
    assert_eq!(phone.wechat.calls("b", b"{"), Ok(None));
    assert_eq!(phone.wechat.calls("b", json!(vec![0; 1000]).to_string().as_bytes()), Ok(None), "too many");
    world.stop().await;
}

#[tokio::test]
async fn time_passes_on_the_phone_and_its_clock_may_be_wrong() {
    let world = world().await;
    let mut phone = Phone::start(&world);
    world.clock.advance(Duration::from_secs(60));
    phone.wechat.advance(Duration::from_secs(60));
    let told = phone.wechat.events("a", phone.last).await.unwrap();
    assert_eq!(told["events"], json!([{ "type": "command", "name": "advance", "value": 60_000 }]));
    assert!(phone.wechat.skew());
    phone.begin("b");
    assert_eq!(phone.hello["clock"]["skipped"], 60_000);
    assert_eq!(phone.hello["quirks"]["wrongClock"], -600_000);
    assert_eq!(phone.wechat.look().unwrap().starts, 2);
    world.stop().await;
}

#[tokio::test]
async fn requests_are_bounded_and_a_stop_waits_for_no_events() {
    let world = world().await;
    let mut phone = Phone::start(&world);
    let all = u32::try_from(REQUESTS_MAX).unwrap();
    let places = phone.wechat.places.clone().acquire_many_owned(all).await.unwrap();
    assert_eq!(phone.request("GET", "/goods", &[], None).await["reason"], "too many requests at a time");
    drop(places);
    assert_eq!(phone.request("GET", "/goods", &[], None).await["result"]["status"], 200);
    phone.stop.send_replace(true);
    assert_eq!(phone.wechat.events("a", phone.last).await.unwrap()["events"], json!([]));
    world.stop().await;
}

/// As the browser reaches it.
#[tokio::test]
async fn it_is_served_to_our_own_page_alone() {
    let mut world = world().await;
    let page = world.page().await.unwrap();
    let origin = page.trim_end_matches('/').to_owned();
    let client = world.client.clone();
    let ask = async |method: Method, path: &str, more: &[(&'static str, &str)], body: &'static str| {
        let mut headers = HeaderMap::new();
        for (name, value) in more {
            headers.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        client.send(method, &format!("{origin}{path}"), headers, Bytes::from_static(body.as_bytes())).await.unwrap()
    };
    let opened =
        ask(Method::POST, "/act", &[("content-type", "application/json")], r#"{"do":"open","user":"wangfang"}"#).await;
    assert_eq!(opened.status, 200);
    for name in ["index.html", "phone.js", "phone.css", "app.js", "LICENSES.txt"] {
        let file = ask(Method::GET, &format!("/phone/1f/zh-CN/{name}"), &[], "").await;
        let policy = file.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            file.status == 200 && policy.contains("frame-ancestors 'self'") && !policy.contains("unsafe-eval"),
            "{name}"
        );
        assert!(
            !policy.split(';').any(|part| part.contains("script-src") && part.contains("unsafe-inline")),
            "{policy}"
        );
    }
    assert_eq!(ask(Method::GET, "/phone/LICENSES.txt", &[], "").await.status, 200);
    for path in
        ["/phone/", "/phone/1f/de/index.html", "/phone/1f!/en/index.html", "/phone/1f/en/x.js", "/phone/1f/en/client/x"]
    {
        assert_eq!(ask(Method::GET, path, &[], "").await.status, 404, "{path}");
    }
    let hello = "/phone/1f/zh-CN/client/hello";
    assert_eq!(
        ask(Method::GET, hello, &[("sec-fetch-site", "cross-site")], "").await.status,
        403,
        "a script of another page's"
    );
    assert_eq!(ask(Method::GET, hello, &[("host", "evil.example")], "").await.status, 403);
    let came = ask(Method::GET, hello, &[("sec-fetch-site", "same-origin")], "").await;
    let hello: Value = serde_json::from_slice(&came.body).unwrap();
    assert_eq!((&hello["language"], &hello["appid"]), (&json!("zh_CN"), &json!("wx0123456789abcdef")));
    let calls = "/phone/1f/zh-CN/client/calls";
    assert_eq!(ask(Method::POST, calls, &[("origin", "https://evil.example")], "[]").await.status, 403);
    assert_eq!(ask(Method::POST, calls, &[], r#"[{"id":1,"type":"login"}]"#).await.status, 204);
    let events = ask(Method::GET, "/phone/1f/zh-CN/client/events?after=0", &[], "").await;
    assert!(String::from_utf8_lossy(&events.body).contains(r#""code":""#));
    assert_eq!(ask(Method::POST, "/phone/2f/zh-CN/client/calls", &[], "[]").await.status, 410);
    world.stop().await;
}

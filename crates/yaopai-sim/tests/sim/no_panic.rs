//! Whatever is sent to whatever path, an answer comes and nothing panics.

use std::{
    panic,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use reqwest::Method;
use serde_json::{Map, Value, json};
use yaopai_sim::{
    DEFAULT_APPID, DEFAULT_SECRET, DataSpoil, Endpoint, FaultKind, MOCK_CODE, PushConfig, PushMode, Secret, Tamper,
};

use crate::support::{CONTROL_TOKEN, OTHER_APPID, World, world_with};

const CONTROL: [&str; 20] = [
    "code",
    "code/x",
    "phone-code",
    "phone-code/x",
    "session-key",
    "user-key",
    "encrypted-data",
    "access-tokens/revoke",
    "push",
    "push/verify",
    "users",
    "users/lilei",
    "apps",
    "apps/wx0123456789abcdef",
    "apps/wx0123456789abcdef/secret",
    "faults",
    "faults/1",
    "counters",
    "clock",
    "reset",
];

/// Names that mean something somewhere.
const NAMES: [&str; 40] = [
    "appid",
    "secret",
    "js_code",
    "grant_type",
    "access_token",
    "openid",
    "signature",
    "sig_method",
    "code",
    "force_refresh",
    "encrypted_msg_hash",
    "app",
    "user",
    "action",
    "session_key",
    "data",
    "key",
    "watermark_appid",
    "watermark_timestamp",
    "spoil",
    "event",
    "fields",
    "times",
    "tamper",
    "name",
    "phone",
    "blocked",
    "unionid",
    "openids",
    "kind",
    "when",
    "errcode",
    "status",
    "field",
    "endpoint",
    "advance_ms",
    "answer",
    "guesses",
    "push",
    "code_ttl",
];

#[derive(Clone, Debug)]
struct Sent {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Vec<u8>,
}

fn text() -> impl Strategy<Value = String> {
    let known = [
        DEFAULT_APPID,
        DEFAULT_SECRET,
        OTHER_APPID,
        MOCK_CODE,
        "lilei",
        "authorization_code",
        "client_credential",
        "hmac_sha256",
        "rotate",
        "expire",
        "set",
        "old",
        "random",
        "phone",
        "before",
        "after",
        "replay",
        "",
        "never",
        "tiihtNczf5v6AKRyjwEUhQ==",
        "http://127.0.0.1:1/",
        "phone_info.watermark",
        "key_info_list.0.iv",
        "openid.",
    ];
    let kinds = FaultKind::ALL.iter().map(|kind| kind.name().to_owned());
    let endpoints = Endpoint::ALL.map(|endpoint| endpoint.name().to_owned());
    let tampers = Tamper::ALL.map(|tamper| json!(tamper).as_str().unwrap().to_owned());
    let spoils = DataSpoil::ALL.map(|spoil| json!(spoil).as_str().unwrap().to_owned());
    let known = known.map(str::to_owned).into_iter().chain(kinds).chain(endpoints).chain(tampers).chain(spoils);
    prop_oneof![4 => prop::sample::select(known.collect::<Vec<_>>()), 1 => any::<String>()]
}

fn number() -> impl Strategy<Value = Value> {
    let edges = [0, 1, 2, 299, 1000, u64::from(u32::MAX), i64::MAX as u64, u64::MAX];
    prop_oneof![prop::sample::select(edges.to_vec()).prop_map(Value::from), any::<i64>().prop_map(Value::from)]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => text().prop_map(Value::from),
        3 => number(),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![vec(inner.clone(), 0..3).prop_map(Value::from), object(inner).prop_map(Value::from)]
    })
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![8 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned), 1 => any::<String>()];
    vec((name, value), 0..6).prop_map(|fields| {
        // A delay is no panic, and no test should wait for one; nor should it wait for a server that is told to be slow.
        fields.into_iter().filter(|(name, _)| name != "ms" && name != "timeout_ms").collect()
    })
}

fn sent() -> impl Strategy<Value = Sent> {
    let paths = Endpoint::ALL.iter().map(|endpoint| endpoint.path().to_owned());
    let paths = paths.chain(CONTROL.iter().map(|path| format!("/_sim/{path}"))).collect::<Vec<_>>();
    let method = prop::sample::select(vec![Method::GET, Method::POST, Method::POST, Method::PATCH, Method::DELETE]);
    let query = vec((prop::sample::select(&NAMES[..]).prop_map(str::to_owned), text()), 0..5);
    let body = prop_oneof![
        8 => object(value()).prop_map(|fields| json!(fields).to_string().into_bytes()),
        1 => vec(any::<u8>(), 0..64),
    ];
    (method, prop::sample::select(paths), query, body).prop_map(|(method, path, query, body)| Sent {
        method,
        path,
        query,
        body,
    })
}

/// Panics of the simulator's own code, whichever task they are in.
static PANICS: AtomicUsize = AtomicUsize::new(0);
static FIRST: Mutex<String> = Mutex::new(String::new());

fn count_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.location().is_some_and(|at| at.file().contains("yaopai-sim/src")) {
            PANICS.fetch_add(1, Ordering::SeqCst);
            *FIRST.lock().unwrap_or_else(PoisonError::into_inner) = info.to_string();
        }
        before(info);
    }));
}

async fn all_are_answered(world: &World, calls: &[Sent]) {
    for call in calls {
        let mut url = reqwest::Url::parse(&world.url(&call.path)).unwrap();
        url.query_pairs_mut().extend_pairs(&call.query);
        let request = world.http.request(call.method.clone(), url).bearer_auth(CONTROL_TOKEN).body(call.body.clone());
        let answer = world.send(request).await;
        // A call for faults may have asked for none.
        assert!(answer.is_ok() || world.counters().faults > 0, "no answer to {call:?}");
    }
}

async fn pushing() -> World {
    world_with(|app| {
        let push = PushConfig::new("http://127.0.0.1:1/", "pushtoken");
        let key = Some(Secret::new("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"));
        app.push = Some(PushConfig { mode: PushMode::Compatible, encoding_aes_key: key, ..push });
    })
    .await
}

#[test]
fn no_input_panics() {
    count_panics();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(64);
    // Without a file of old failures: what they were is written as a test of its own.
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let result = runner.run(&vec(sent(), 1..8), |calls| {
        runtime.block_on(async {
            // Each time a new one: a clock that was moved to its end never comes back.
            let world = pushing().await;
            let ended = tokio::time::timeout(Duration::from_secs(60), all_are_answered(&world, &calls)).await;
            assert!(ended.is_ok(), "waits for ever");
        });
        let first = FIRST.lock().unwrap_or_else(PoisonError::into_inner).clone();
        prop_assert_eq!(PANICS.swap(0, Ordering::SeqCst), 0, "{}", first);
        Ok(())
    });
    result.unwrap();
}

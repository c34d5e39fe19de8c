use yaopai_sim::{Config, DEFAULT_APPID, DEFAULT_SECRET, Endpoint, MOCK_CODE, Simulator};

use crate::support::{OTHER_APPID, OTHER_SECRET, config, login_query, world, world_of, world_with};

const LOGIN: Endpoint = Endpoint::Jscode2session;

#[tokio::test]
async fn a_login_answers_as_wechat_does() {
    let world = world().await;
    let reply = world.login_as("lilei").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["content-type"], "text/plain");
    assert_eq!(reply.headers["yaopai-sim"], "1");
    let keys: Vec<_> = reply.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["session_key", "openid", "unionid"], "no errcode");
    assert_eq!(reply.field("session_key").len(), 24);
    assert_eq!(reply.field("openid"), world.openid(DEFAULT_APPID, "lilei").unwrap());
    assert!(reply.field("openid").starts_with('o') && reply.field("openid").len() == 28);
}

#[tokio::test]
async fn every_refusal_is_http_200_with_the_time_in_its_rid() {
    let world = world().await;
    let reply = world.login("0123456789abcdefghijABCDEFGHIJ01").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["content-type"], "text/plain");
    let errmsg = reply.field("errmsg");
    let (text, rid) = errmsg.split_once(", rid: ").unwrap();
    assert_eq!(text, "invalid code");
    let groups: Vec<_> = rid.split('-').collect();
    assert!(groups.len() == 3 && groups.iter().all(|group| group.len() == 8), "{rid}");
    assert_eq!(u64::from_str_radix(groups[0], 16).unwrap(), world.now_ms() / 1000);
}

/// Address → missing parameter → credentials → code: each row is wrong in everything that comes later, too.
#[tokio::test]
async fn checks_come_in_the_measured_order() {
    let world = world().await;
    let wrong_secret = ("secret", "wrong");
    let (app, secret) = (("appid", DEFAULT_APPID), ("secret", DEFAULT_SECRET));
    let (code, grant) = (("js_code", "junk"), ("grant_type", "authorization_code"));
    let rows: &[(&[(&str, &str)], i64)] = &[
        (&[], 41002),
        (&[("appid", ""), wrong_secret, code], 41002),
        (&[app], 41004),
        (&[("appid", "wx0000000000000000")], 41004),
        (&[app, wrong_secret], 41008),
        (&[("appid", "wx0000000000000000"), wrong_secret, code, grant], 40013),
        (&[app, wrong_secret, code, grant], 40125),
        (&[app, ("secret", OTHER_SECRET), code, grant], 40125),
        (&[app, secret, code, ("grant_type", "client_credential")], 40002),
        (&[app, secret, code], 40002),
        (&[app, secret, code, grant], 40029),
    ];
    for (query, errcode) in rows {
        assert_eq!(world.get(LOGIN, query).await.errcode(), *errcode, "{query:?}");
    }
    world.update_app(DEFAULT_APPID, |app| app.ip_whitelist = vec!["10.1.2.3".parse().unwrap()]).unwrap();
    let reply = world.get(LOGIN, &[app]).await;
    assert_eq!(reply.errcode(), 40164);
    let start = "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: ";
    assert!(reply.field("errmsg").starts_with(start), "{}", reply.text);
    world.update_app(DEFAULT_APPID, |app| app.ip_whitelist = vec!["127.0.0.1".parse().unwrap()]).unwrap();
    assert_eq!(world.login_as("lilei").await.errcode(), 0);
}

#[tokio::test]
async fn a_post_is_refused() {
    let world = world().await;
    let code = world.issue_code(DEFAULT_APPID, "lilei").unwrap();
    assert_eq!(world.post(LOGIN, &login_query(&code), &serde_json::json!({})).await.errcode(), 43001);
    assert_eq!(world.login(&code).await.errcode(), 0);
}

#[tokio::test]
async fn a_frozen_secret_is_told() {
    let world = world_with(|app| app.frozen = true).await;
    assert_eq!(world.login_as("lilei").await.errcode(), 40243);
}

#[tokio::test]
async fn a_code_works_once() {
    let world = world().await;
    let code = world.issue_code(DEFAULT_APPID, "lilei").unwrap();
    assert_eq!(code.len(), 32);
    assert_eq!(world.login(&code).await.errcode(), 0);
    let again = world.login(&code).await;
    assert_eq!(again.errcode(), 40163);
    assert!(again.field("errmsg").starts_with("code been used, rid: "));
    assert_eq!(world.exchanges_of(&code), 2);
    assert_eq!(world.calls("jscode2session"), 2);
    // Used stays used when it would have expired, too.
    world.seconds(301);
    assert_eq!(world.login(&code).await.errcode(), 40163);
}

#[tokio::test]
async fn of_many_exchanges_at_once_one_wins() {
    let world = world().await;
    let code = world.issue_code(DEFAULT_APPID, "lilei").unwrap();
    let calls = (0..16).map(|_| tokio::spawn(world.login_request(&code).send())).collect::<Vec<_>>();
    let mut successes = 0;
    for call in calls {
        let text = call.await.unwrap().unwrap().text().await.unwrap();
        successes += usize::from(text.contains("openid"));
    }
    assert_eq!(successes, 1);
    assert_eq!(world.exchanges_of(&code), 16);
}

#[tokio::test]
async fn another_apps_code_is_unknown_and_stays_good() {
    let world = world().await;
    let code = world.issue_code(OTHER_APPID, "lilei").unwrap();
    assert_eq!(world.login(&code).await.errcode(), 40029);
    let mut query = login_query(&code);
    (query[0].1, query[1].1) = (OTHER_APPID, OTHER_SECRET);
    assert_eq!(world.get(LOGIN, &query).await.errcode(), 0);
}

#[tokio::test]
async fn a_code_lives_300_seconds() {
    let world = world().await;
    let [in_time, late] = [(); 2].map(|()| world.issue_code(DEFAULT_APPID, "lilei").unwrap());
    world.seconds(299);
    assert_eq!(world.login(&in_time).await.errcode(), 0);
    world.seconds(1);
    assert_eq!(world.login(&late).await.errcode(), 40029);
    world.update_app(DEFAULT_APPID, |app| app.expired_code_errcode = 42003).unwrap();
    assert_eq!(world.login(&late).await.errcode(), 42003);
}

#[tokio::test]
async fn a_high_risk_user_is_blocked_without_losing_the_code() {
    let world = world().await;
    world.block_user("lilei", true).unwrap();
    let code = world.issue_code(DEFAULT_APPID, "lilei").unwrap();
    assert_eq!(world.login(&code).await.errcode(), 40226);
    assert_eq!(world.login_as("xiaoming").await.errcode(), 0);
    world.block_user("lilei", false).unwrap();
    assert_eq!(world.login(&code).await.errcode(), 0);
}

#[tokio::test]
async fn the_101st_login_of_a_minute_has_to_wait() {
    let world = world().await;
    for n in 0..100 {
        assert_eq!(world.login_as("lilei").await.errcode(), 0, "{n}");
    }
    let code = world.issue_code(DEFAULT_APPID, "lilei").unwrap();
    assert_eq!(world.login(&code).await.errcode(), 45011);
    assert_eq!(world.login_as("xiaoming").await.errcode(), 0, "the limit is per user");
    world.seconds(60);
    assert_eq!(world.login(&code).await.errcode(), 0);
}

#[tokio::test]
async fn ids_depend_on_app_and_name_alone() {
    let (one, two) = (world().await, world().await);
    one.login_as("xiaoming").await;
    let (first, second) = (one.login_as("lilei").await, two.login_as("lilei").await);
    assert_eq!(first.field("openid"), second.field("openid"));
    assert_ne!(one.openid(DEFAULT_APPID, "lilei").unwrap(), one.openid(OTHER_APPID, "lilei").unwrap());
    assert_eq!(one.unionid(DEFAULT_APPID, "lilei").unwrap(), one.unionid(OTHER_APPID, "lilei").unwrap());
}

#[test]
fn the_same_seed_gives_the_same_codes_and_no_seed_does_not() {
    let code = |seed| {
        let config = Config { seed, ..Config::default() };
        let handle = Simulator::from_config(config).unwrap().handle();
        (handle.issue_code(DEFAULT_APPID, "lilei").unwrap(), handle.openid(DEFAULT_APPID, "lilei").unwrap())
    };
    assert_eq!(code(Some(5)), code(Some(5)));
    assert_ne!(code(Some(5)), code(Some(6)));
    let (one, two) = (code(None), code(None));
    assert_ne!(one.0, two.0, "codes are fresh");
    assert_eq!(one.1, two.1, "openids last over restarts");
}

#[tokio::test]
async fn configured_ids_are_used() {
    let mut config = config();
    config.users[2].openids.insert(DEFAULT_APPID.into(), "oFixed".into());
    config.users[2].unionid = Some("uFixed".into());
    let world = world_of(config).await;
    let reply = world.login_as("lilei").await;
    assert_eq!((reply.field("openid"), reply.field("unionid")), ("oFixed".into(), "uFixed".into()));
}

#[tokio::test]
async fn the_mock_code_logs_in_the_first_user_again_and_again() {
    let world = world().await;
    for _ in 0..3 {
        assert_eq!(world.login(MOCK_CODE).await.field("openid"), world.openid(DEFAULT_APPID, "xiaoming").unwrap());
    }
    assert_eq!(world.exchanges_of(MOCK_CODE), 3);
}

#[tokio::test]
async fn the_mock_code_has_a_knob() {
    let named = world_of(Config { mock_code_user: Some("lilei".into()), ..config() }).await;
    assert_eq!(named.login(MOCK_CODE).await.field("openid"), named.openid(DEFAULT_APPID, "lilei").unwrap());
    let off = world_of(Config { mock_code: false, ..config() }).await;
    assert_eq!(off.login(MOCK_CODE).await.errcode(), 40029);
}

#[tokio::test]
async fn answers_can_take_every_shape_that_was_seen() {
    let world = world_with(|app| {
        app.answer.errcode_zero = true;
        app.answer.expires_in = true;
        app.answer.extra_fields = true;
        app.answer.unionid = false;
    })
    .await;
    let reply = world.login_as("lilei").await;
    assert_eq!(reply.json()["errcode"], 0);
    assert_eq!(reply.json()["expires_in"], 7200);
    assert!(reply.json().get("unionid").is_none());
    assert!(reply.json().get("ext_info").is_some());
}

#[tokio::test]
async fn slashes_can_be_escaped() {
    let world = world_with(|app| app.answer.escape_slashes = true).await;
    let key = "/IkZjlZpIUAFICUVPmWbmw==";
    world.update_app(DEFAULT_APPID, |app| app.session_key.min_refresh = yaopai_sim::MinRefresh::Never).unwrap();
    world.set_session_key(DEFAULT_APPID, "lilei", key).unwrap();
    let reply = world.login_as("lilei").await;
    assert!(reply.text.contains(r#""\/IkZjlZpIUAFICUVPmWbmw==""#), "{}", reply.text);
    assert_eq!(reply.field("session_key"), key);
}

#[tokio::test]
async fn keys_can_come_in_any_order() {
    let world = world_with(|app| app.answer.shuffle_keys = true).await;
    let mut orders = std::collections::HashSet::new();
    for _ in 0..40 {
        let json = world.login_as("lilei").await.json();
        orders.insert(json.as_object().unwrap().keys().cloned().collect::<Vec<_>>());
    }
    assert_eq!(orders.len(), 6);
}

#[tokio::test]
async fn a_refusal_can_consume_the_code() {
    for consumes in [false, true] {
        let world = world_with(|app| app.guesses.refusals_consume_code = consumes).await;
        let code = world.issue_code(DEFAULT_APPID, "lilei").unwrap();
        world.block_user("lilei", true).unwrap();
        assert_eq!(world.login(&code).await.errcode(), 40226);
        world.block_user("lilei", false).unwrap();
        assert_eq!(world.login(&code).await.errcode(), if consumes { 40163 } else { 0 });
    }
}

//! A token in the team's own keeping: asked for as seldom as WeChat's would be, and never fought for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use yaopai_core::app::AppSecret;
use yaopai_core::ports::{HandedToken, Platform, PlatformError as E};
use yaopai_platform::wechat::{Config, Endpoints, TokenUrl, TokenUrlError, WeChat};

use crate::exchange_faults::faults;
use crate::support::{APPID, Manual, SECRET, app, app_named, config, simulated, wechat as wechat_of};
use crate::wire::{Reply, Wire, http, json};

const BEARER: &str = "s3cret-of-the-team";

fn token(text: &str, expires_in: u64) -> Reply {
    json(format!(r#"{{"access_token":"{text}","expires_in":{expires_in}}}"#))
}

/// A client whose app "shop" takes its token from the team.
fn client_of(team: &Wire, platform: String) -> (WeChat, Manual) {
    let url = format!("{}/keeper?app=shop&k=key-in-url", team.base_url());
    let url = TokenUrl::new(&url, Some(AppSecret::new(BEARER.into())), false).unwrap();
    let [connect_timeout, total_timeout] = [1000, 1500].map(Duration::from_millis);
    let token_urls = [("shop".into(), url)].into();
    wechat_of(Config { token_urls, connect_timeout, total_timeout, ..config(platform) })
}

/// What back ends get.
async fn handed(wechat: &WeChat) -> Result<HandedToken, E> {
    Platform::access_token(wechat, &app()).await
}

#[tokio::test]
async fn the_request() {
    let (team, platform) = (Wire::always(token("T", 1000)).await, Wire::always(Reply::Reset).await);
    let (wechat, clock) = client_of(&team, platform.base_url());
    let given = handed(&wechat).await.unwrap();
    // Ten seconds are kept back for the token's way.
    assert_eq!((given.token.as_str(), given.expires_in), ("T", 990));
    clock.forward(100);
    assert_eq!(handed(&wechat).await.unwrap().expires_in, 890);
    let requests = team.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("GET /keeper?app=shop&k=key-in-url HTTP/1.1\r\n"), "{}", requests[0]);
    let head = requests[0].to_ascii_lowercase();
    assert!(head.contains(&format!("\r\nauthorization: bearer {BEARER}\r\n")), "{head}");
    assert!(!requests[0].contains(SECRET), "the AppSecret is none of the team's URL's business");
    assert_eq!(platform.connections(), 0);
}

#[tokio::test]
async fn other_apps_get_theirs_from_wechat() {
    let team = Wire::always(token("T", 7200)).await;
    let platform = Wire::always(token("W", 7200)).await;
    let (wechat, _) = client_of(&team, platform.base_url());
    assert_eq!(wechat.access_token(&app_named("other")).await.unwrap().expose(), "W");
    assert_eq!(wechat.access_token(&app()).await.unwrap().expose(), "T");
    assert_eq!((team.requests().len(), platform.requests().len()), (1, 1));
    // No secret, no header.
    let url = TokenUrl::new(&team.base_url(), None, false).unwrap();
    let (open, _) =
        crate::support::wechat(Config { token_urls: [("shop".into(), url)].into(), ..config(platform.base_url()) });
    open.access_token(&app()).await.unwrap();
    assert!(!team.requests()[1].to_ascii_lowercase().contains("authorization"));
}

#[tokio::test]
async fn one_fetch_for_all() {
    let team = Wire::always(Reply::Late(100, r#"{"access_token":"T","expires_in":7200}"#.into())).await;
    let (wechat, clock) = client_of(&team, "http://127.0.0.1:1".into());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let wechat = wechat.clone();
        tasks.spawn(async move { handed(&wechat).await });
    }
    assert!(tasks.join_all().await.iter().all(|t| t.as_ref().is_ok_and(|t| t.token.as_str() == "T")));
    assert_eq!(team.requests().len(), 1);
    // As long as it is good, nobody is asked.
    clock.forward(7200 - 281);
    handed(&wechat).await.unwrap();
    assert_eq!(team.requests().len(), 1);
}

/// A team whose keeper hands out T0, T1 … : the next one only once it has been told.
async fn keeper() -> (Wire, Arc<AtomicUsize>) {
    let current = Arc::new(AtomicUsize::new(0));
    let shown = Arc::clone(&current);
    (Wire::start(move |_, _| token(&format!("T{}", shown.load(Ordering::SeqCst)), 7200)).await, current)
}

/// A WeChat that takes only this token.
async fn taking(good: &'static str) -> Wire {
    Wire::start(move |_, request| match request.contains(&format!("access_token={good}&")) {
        true => json(r#"{"errcode":0}"#),
        false => json(r#"{"errcode":40001,"errmsg":"invalid credential"}"#),
    })
    .await
}

#[tokio::test]
async fn a_dead_token_is_asked_for_again_and_never_forced() {
    let ((team, current), platform) = (keeper().await, taking("T1").await);
    let (wechat, clock) = client_of(&team, platform.base_url());
    wechat.access_token(&app()).await.unwrap();
    // The keeper has fetched a new one, which killed ours.
    current.store(1, Ordering::SeqCst);
    assert!(wechat.check_session_key(&app(), "o1", "k").await.unwrap());
    assert_eq!((team.requests().len(), platform.count("/wxa/checksession")), (2, 2));

    // The keeper doesn't know yet that its token is dead: one retry of the question, none of the call.
    current.store(2, Ordering::SeqCst);
    clock.forward(7200);
    let error = wechat.check_session_key(&app(), "o1", "k").await.unwrap_err();
    assert!(matches!(&error, E::NotReached { what, .. } if what.contains("access_token_url hands out")), "{error:?}");
    assert_eq!((team.requests().len(), platform.count("/wxa/checksession")), (4, 3));

    // Later it does.
    current.store(1, Ordering::SeqCst);
    clock.forward(5);
    assert!(wechat.check_session_key(&app(), "o1", "k").await.unwrap());
    assert_eq!(platform.count("/cgi-bin/"), 0, "WeChat was never asked for a token");
}

#[tokio::test]
async fn the_simulated_wechat_takes_it() {
    let (sim, keeper, _) = simulated().await;
    // Another client of the same app plays the team.
    let ours = keeper.access_token(&app()).await.unwrap().expose().to_owned();
    let team = Wire::always(token(&ours, 7000)).await;
    let (wechat, _) = client_of(&team, sim.base_url());
    let openid = sim.openid(APPID, "lilei").unwrap();
    let code = sim.issue_phone_code(APPID, "lilei").unwrap();
    wechat.phone(&app(), &openid, &code).await.unwrap();
    assert_eq!((sim.calls("stable_token"), sim.calls("token")), (1, 0));
}

#[tokio::test]
async fn failures() {
    for (status, misconfigured) in
        [("401 Unauthorized", true), ("403 Forbidden", true), ("500 Oops", false), ("302 Found\r\nLocation: /x", false)]
    {
        let team = Wire::always(Reply::Raw(http(status, br#"{"access_token":"T","expires_in":7200}"#))).await;
        let (wechat, _) = client_of(&team, "http://127.0.0.1:1".into());
        let error = handed(&wechat).await.unwrap_err();
        assert_eq!(matches!(error, E::Misconfigured { .. }), misconfigured, "{status}: {error:?}");
        assert!(error.to_string().contains("access_token_url"), "{error}");
        assert_eq!(team.requests().len(), 1, "{status}");
    }
    // WeChat's errcodes would speak of our AppSecret; the team's don't.
    for body in [r#"{"errcode":40001}"#, r#"{"errcode":40125}"#, r#"{"access_token":"T"}"#, "{}", "", "<html>"] {
        let team = Wire::always(json(body)).await;
        let (wechat, clock) = client_of(&team, "http://127.0.0.1:1".into());
        let error = handed(&wechat).await.unwrap_err();
        assert!(matches!(&error, E::Unavailable { what, .. } if what.starts_with("access_token_url")), "{error:?}");
        // No storm on the team either.
        for _ in 0..100 {
            handed(&wechat).await.unwrap_err();
        }
        assert_eq!(team.requests().len(), 1, "{body}");
        clock.forward(60);
        handed(&wechat).await.unwrap_err();
        assert_eq!(team.requests().len(), 2, "{body}");
    }
}

#[tokio::test]
async fn nothing_of_the_url_is_told() {
    let mut checks = tokio::task::JoinSet::new();
    for (name, reply) in faults() {
        checks.spawn(async move {
            let team = Wire::always(reply).await;
            let (wechat, _) = client_of(&team, "http://127.0.0.1:1".into());
            let text = format!("{:?} {wechat:?}", handed(&wechat).await.unwrap_err());
            for secret in [BEARER, "key-in-url", "/keeper", "secretkey"] {
                assert!(!text.contains(secret), "{name}: {secret} in {text}");
            }
        });
    }
    checks.join_all().await;
}

#[test]
fn urls() {
    use TokenUrlError as U;
    let new = |url: &str, plain| TokenUrl::new(url, None, plain).map(drop);
    for url in ["https://token.example/x?app=1", "http://127.0.0.1:8080/t", "http://[::1]/t", "http://localhost/t"] {
        assert_eq!(new(url, false), Ok(()), "{url}");
    }
    for url in ["http://10.0.0.5/t", "http://token.internal/t", "http://127.0.0.1.evil.example/", "http://localhost.x/"]
    {
        assert_eq!(new(url, false), Err(U::PlainHttp), "{url}");
        assert_eq!(new(url, true), Ok(()), "{url}");
    }
    for (url, expected) in [
        ("", U::NoUrl),
        ("token.example/x", U::NoUrl),
        ("ftp://token.example/x", U::NoUrl),
        ("https://u:p@token.example/x", U::UserInfo),
        ("https://u@token.example/x", U::UserInfo),
        ("https://token.example/x#y", U::Fragment),
    ] {
        assert_eq!(new(url, true), Err(expected), "{url}");
    }
    for secret in ["", "a b", "a\r\nX: y", "schlüssel"] {
        let result = TokenUrl::new("https://a/", Some(AppSecret::new(secret.into())), false).map(drop);
        assert_eq!(result, Err(U::Secret), "{secret:?}");
    }
    // Plain HTTP on loopback needs no development, though the platform itself does.
    let url = TokenUrl::new("http://127.0.0.1:1/", None, false).unwrap();
    assert_eq!(format!("{url:?}"), r#"TokenUrl { host: Some("127.0.0.1"), .. }"#);
    let config =
        Config { token_urls: [("shop".into(), url)].into(), endpoints: Endpoints::default(), ..Config::default() };
    WeChat::new(config, Arc::new(Manual::new())).unwrap();
}

//! What a check needs: `require=`, `apps=`, `vouched=` …

use insta::assert_snapshot;

use super::{OPEN, customer};
use crate::support::{OTHER_APPID, Reply, Setup, TestApp, minutes, seconds};

#[tokio::test]
async fn a_guest_route() {
    let (app, phone) = customer().await;
    let url = format!("{}{OPEN}", app.addresses().check);
    let guest = Reply::of(app.http.get(&url).send().await.unwrap()).await;
    assert_snapshot!(guest.show(), @r#"
    200 OK
    cache-control: no-store
    yaopai-app:
    yaopai-body-signed:
    yaopai-claims:
    yaopai-env-version:
    yaopai-identity-id:
    yaopai-openid:
    yaopai-session-id:
    yaopai-unionid:
    yaopai-user:
    yaopai-vouched-at:
    "#);
    assert_eq!(guest.principal(), []);
    assert_eq!(phone.check("require=open").await.user(), "42", "who shows a session is named");
    // Shown and invalid is not a guest: the client must learn that it has to log in again.
    assert_eq!(phone.check_as("junk", "require=open").await.denied(), "401 session_unknown");
    app.clock.advance(minutes(31));
    assert_eq!(phone.check("require=open").await.denied(), "401 session_expired");
}

/// A misspelt demand must not pass as none.
#[tokio::test]
async fn a_misspelt_demand_lets_nobody_through() {
    let (_app, phone) = customer().await;
    for ask in [
        "requir=bound",
        "require=Open",
        "require=",
        "require",
        "require=open,bound",
        "apps=",
        "app=shop",
        "vouched=",
        "vouched=-1",
        "vouched=5m",
        "vouched=99999999999",
        "realm=",
        "unsigned_body=yes",
        "unclean_path=true",
        "require=open&nonsense=1",
        "require=open&require=bound&x=1",
        "-&require=open",
        "%72equire=open",
    ] {
        let reply = phone.check(ask).await;
        assert_eq!(reply.denied(), "400 malformed", "{ask}");
        assert!(reply.json()["detail"].as_str().unwrap().contains("proxy's configuration"), "{}", reply.text);
    }
}

#[tokio::test]
async fn only_some_apps() {
    let app = TestApp::with(Setup {
        tables: r#"
        [[apps]]
        keyed = "offered"
        name = "pay"
        appid = "{other_appid}"
        secret = "file:app.secret"
        base_url = "{sim}"
        binding = "auto""#,
        ..Setup::default()
    })
    .await;
    let (shop, pay) = (app.customer("lilei", "42"), app.phone_in("pay", OTHER_APPID, "lilei"));
    shop.log_in().await;
    pay.log_in().await;
    assert_eq!(shop.check("apps=shop").await.user(), "42");
    assert_eq!(shop.check("apps=pay,shop").await.user(), "42");
    assert_eq!(pay.check("apps=pay").await.header("yaopai-app"), Some("pay"));
    assert_eq!(pay.check("apps=shop").await.denied(), "403 app_not_allowed");
    assert_eq!(pay.check("apps=sho,shopp,SHOP").await.denied(), "403 app_not_allowed");
    assert_eq!(pay.check("require=open&apps=shop").await.denied(), "403 app_not_allowed", "a session was shown");
}

#[tokio::test]
async fn the_platform_s_word_may_be_too_old() {
    let (app, phone) = customer().await;
    app.clock.advance(seconds(300));
    assert_eq!(phone.check("vouched=300").await.user(), "42");
    app.clock.advance(seconds(1));
    assert_eq!(phone.check("vouched=300").await.denied(), "401 login_required");
    assert_eq!(phone.check("vouched=301").await.user(), "42");
    // A refresh is our own word, not the platform's.
    phone.hold(&phone.refresh("r").await.field("token"));
    assert_eq!(phone.check("vouched=300").await.denied(), "401 login_required");
    phone.log_in().await;
    assert_eq!(phone.check("vouched=0").await.user(), "42");
}

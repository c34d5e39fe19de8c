//! One person, two users: what the unionid does not say is not guessed.

use serde_json::json;

use crate::support::OTHER_APPID;
use crate::yaopai::v1::session::linking::{LINKED, shop_and, two_apps};

/// A family shares a phone and has two users. Whose a new app is, the family says, not we.
#[tokio::test]
async fn a_unionid_with_two_users_links_to_neither() {
    let app = shop_and("webhook", &[("club", LINKED), ("cafe", LINKED)]).await;
    let phone_in = |name| app.phone_in(name, OTHER_APPID, "lilei");
    let (here, there, third) = (app.customer("lilei", "42"), phone_in("club"), phone_in("cafe"));
    here.log_in().await;
    app.back_end.knows(&there.openid(), "43");
    assert_eq!(there.log_in().await.json()["user"], "43", "the back end's word goes before the unionid's");
    app.back_end.answers_resolve(&there.openid(), json!({ "user": null }));
    assert_eq!(third.log_in().await.json()["bound"], false);
    // It binds in the usual way.
    app.back_end.has_account("father", "secret", "42");
    third.hold(&third.bind("b", "father", "secret").await.field("token"));
    assert_eq!(third.check("-").await.user(), "42");
}

/// An app of another realm of the same company sees the same unionids; its users are other people.
#[tokio::test]
async fn a_unionid_leads_into_no_other_realm() {
    let app = two_apps("webhook", &format!("realm = \"other\"\n{LINKED}")).await;
    let (here, there) = (app.customer("lilei", "42"), app.phone_in("club", OTHER_APPID, "lilei"));
    here.log_in().await;
    assert_eq!(there.log_in().await.json()["bound"], false);
    assert_eq!(there.check("realm=other&require=session").await.user(), "");
}

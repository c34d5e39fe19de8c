//! Apps of one open platform: who has a user in one has it in the other.

use crate::support::{OTHER_APPID, Setup, TestApp};

/// `shop` of the open platform `acme`, and `club` in the same realm.
pub async fn two_apps(binding: &'static str, club: &str) -> TestApp {
    shop_and(binding, &[("club", club)]).await
}

/// `shop` of the open platform `acme`, and others, which share one appid.
pub async fn shop_and(binding: &'static str, others: &[(&str, &str)]) -> TestApp {
    let tables: String = others.iter().map(|(name, keys)| table(binding, name, keys)).collect();
    let shop = "open_platform = \"acme\"";
    TestApp::with(Setup { binding, shop, tables: Box::leak(tables.into_boxed_str()), ..Setup::default() }).await
}

fn table(binding: &str, name: &str, keys: &str) -> String {
    format!(
        r#"
        [[apps]]
        keyed = "offered"
        name = "{name}"
        appid = "{{other_appid}}"
        secret = "file:app.secret"
        base_url = "{{sim}}"
        binding = "{binding}"
        {keys}
        webhook = {{ url = "{{hook}}", secret = "file:webhook.secret", timeout = 1 }}
        "#
    )
}

pub const LINKED: &str = "open_platform = \"acme\"\nlink = \"unionid\"";

#[tokio::test]
async fn a_new_identity_is_its_person_s_user() {
    for binding in ["webhook", "auto", "api"] {
        let app = two_apps(binding, LINKED).await;
        let (here, there) = (app.customer("lilei", "42"), app.phone_in("club", OTHER_APPID, "lilei"));
        here.log_in().await;
        if binding == "api" {
            let body = serde_json::json!({ "app": "shop", "openid": here.openid(), "user": "42" });
            app.admin("POST", "/admin/v1/bindings", Some(body)).await.ok();
        }
        let user = here.check("-").await.user();
        let reply = there.log_in().await;
        assert_eq!((reply.field("user"), there.check("-").await.user()), (user.clone(), user.clone()), "{binding}");
        // It is a binding like any other: kept, listed, removed, and not made again by itself.
        there.log_in().await;
        let bindings = app.admin_get(&format!("/admin/v1/bindings?user={user}")).await;
        assert_eq!(bindings["bindings"].as_array().unwrap().len(), 2, "{binding}");
        there.steps_up().await;
        assert_eq!(there.call("DELETE", "/binding", None).await.status, 204);
        let again = there.log_in().await.json();
        assert_ne!(again["user"], user, "{binding}");
        assert_eq!(here.check("-").await.user(), user, "{binding}");
    }
}

#[tokio::test]
async fn apps_that_do_not_ask_for_it_are_not_linked() {
    for club in ["", "open_platform = \"acme\"", "open_platform = \"other\"\nlink = \"unionid\""] {
        let app = two_apps("webhook", club).await;
        let (here, there) = (app.customer("lilei", "42"), app.phone_in("club", OTHER_APPID, "lilei"));
        here.log_in().await;
        assert_eq!(there.log_in().await.json()["bound"], false, "{club}");
    }
}

//! `/livez`, `/readyz`

use insta::assert_snapshot;

use crate::support::{TestApp, minutes, raw};

#[tokio::test]
async fn it_lives_and_is_ready() {
    let app = TestApp::start().await;
    let live = raw::get(&app.addresses().admin, "/livez", &[]).await;
    assert_eq!((live.status(), live.body()), (200, "ok\n"));
    let ready = app.admin("GET", "/readyz", None).await;
    let shown = ready.show().replace(env!("CARGO_PKG_VERSION"), "[version]");
    assert_snapshot!(shown, @r#"
    200 OK
    content-type: application/json
    {
      "status": "ready",
      "store": {
        "read": true,
        "write": true
      },
      "development": true,
      "version": "[version]"
    }
    "#);
}

/// Upkeep writes through the store's one writer: when it stands still, so does every login.
#[tokio::test]
async fn a_store_that_takes_no_writes_is_not_ready() {
    let app = TestApp::start().await;
    app.clock.advance(minutes(16));
    let ready = app.admin("GET", "/readyz", None).await;
    assert_eq!((ready.status.as_u16(), &ready.json()["store"]["write"]), (503, &false.into()));
}

#[tokio::test]
async fn neither_is_on_another_listener() {
    let app = TestApp::start().await;
    for path in ["/livez", "/readyz", "/metrics"] {
        let answer = raw::get(&app.addresses().public, path, &[]).await;
        assert_eq!((answer.status(), answer.code()), (404, "not_found"), "{path}");
    }
}

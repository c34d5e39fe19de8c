//! A bind that is at the back end while its session is kicked.

use std::time::Duration;

use serde_json::json;

use crate::support::{Act, TestApp};

/// The operator kicks a session; its bind, sent before, must not bring it or a binding back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bind_that_races_a_kick_binds_nobody() {
    let app = TestApp::start().await;
    app.back_end.has_account("lilei", "secret", "42");
    app.back_end.acts("bind", Act::Slow(Duration::from_millis(400)));
    for rebinds in [false, true] {
        let phone = if rebinds { app.customer("xiaohong", "1") } else { app.phone("lilei") };
        let session = phone.log_in().await.field("session_id");
        let kick = async {
            while app.back_end.calls("bind").len() <= usize::from(rebinds) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            app.admin("DELETE", &format!("/admin/v1/sessions/{session}"), None).await.ok();
        };
        let (bind, ()) = tokio::join!(phone.bind("b", "lilei", "secret"), kick);
        assert_eq!(bind.refusal(), "401 session_kicked");
        assert_eq!(phone.check("require=session").await.denied(), "401 session_kicked");
        let bindings = app.admin_get("/admin/v1/bindings?user=42").await;
        assert_eq!(bindings["bindings"], json!([]), "rebinds: {rebinds}");
    }
    assert_eq!(app.back_end.calls("opened").len(), 1, "of the login that was bound");
}

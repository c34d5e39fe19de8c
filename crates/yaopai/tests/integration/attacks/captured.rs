//! Whoever has captured a request can send it for ever. It does nothing, and uses nothing up that its signer needs.

use crate::support::{Setup, TestApp, minutes};

/// As many as one session may send in a minute, and some.
const FLOOD: usize = 3_100;

#[tokio::test]
async fn a_captured_request_uses_up_none_of_its_signer_s_requests() {
    let app = TestApp::with(Setup { shop: "keyed = \"required\"", ..Setup::default() }).await;
    let phone = app.customer("lilei", "42").keyed();
    phone.log_in().await;
    let captured = phone.draft_for_shop("GET", "/orders", None);
    assert_eq!(captured.check(&app, "-").await.user(), "42");
    for later in [minutes(0), minutes(3)] {
        app.clock.advance(later);
        for _ in 0..FLOOD {
            assert_ne!(captured.check(&app, "-").await.status, 200);
        }
        assert_eq!(phone.draft_for_shop("GET", "/orders", None).check(&app, "-").await.user(), "42", "{later:?}");
    }
}

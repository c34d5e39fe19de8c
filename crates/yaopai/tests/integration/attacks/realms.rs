//! Two realms whose back ends use the same user ids.

use crate::support::OTHER_APPID;
use crate::yaopai::v1::sessions::two_realms;

/// User 42 of one realm is another person than user 42 of the other: no way of binding leads across.
#[tokio::test]
async fn one_user_id_in_two_realms_is_two_users() {
    let app = two_realms().await;
    let (here, there) = (app.phone("lilei"), app.phone_in("club", OTHER_APPID, "xiaohong"));
    here.log_in().await;
    there.log_in().await;
    let ours = app.bind_code("42").await;
    assert_eq!(there.preview(&ours).await.refusal(), "400 bind_code_invalid");
    assert_eq!(there.redeem("b", &ours).await.refusal(), "400 bind_code_invalid");
    here.preview(&ours).await.ok();
    here.hold(&here.redeem("b", &ours).await.field("token"));
    // The other realm's 42 is free: it is nobody's second identity.
    app.back_end.has_account("42", "secret", "42");
    there.hold(&there.bind("b", "42", "secret").await.field("token"));
    assert_eq!((here.check("-").await.user(), there.check("realm=other").await.user()), ("42".into(), "42".into()));
    // And neither realm's key or call reaches the other's.
    app.admin("DELETE", "/admin/v1/users/42/sessions", None).await.ok();
    assert_eq!(here.check("-").await.denied(), "401 session_kicked");
    assert_eq!(there.check("realm=other").await.user(), "42");
    assert_eq!(there.check("-").await.denied(), "401 session_unknown");
}

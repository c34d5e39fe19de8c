//! `/metrics`

use crate::support::TestApp;

#[tokio::test]
async fn what_happened_is_counted() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    phone.check("-").await.user();
    phone.check("-").await.user();
    phone.check_as("junk", "-").await.denied();
    phone.check_as("junk", "require=open").await.denied();
    let next = phone.refresh("r").await.field("token");
    phone.check_as(&next, "-").await.user();
    phone.call_as("junk", "GET", "/session", None).await.refusal();

    let metrics = app.admin("GET", "/metrics", None).await;
    assert_eq!(metrics.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(metrics.text.ends_with("# EOF\n"));
    let value = |line: &str| {
        let found = metrics.text.lines().find_map(|l| l.strip_prefix(line)).unwrap_or_else(|| panic!("no {line}"));
        found.trim().parse::<u64>().unwrap()
    };
    assert_eq!(value(r#"yaopai_checks_total{outcome="passed"}"#), 3);
    assert_eq!(value(r#"yaopai_checks_total{outcome="session_unknown"}"#), 2);
    assert_eq!(value("yaopai_checks_slow_total"), 1, "the first use of a new secret");
    assert_eq!(value(r#"yaopai_api_calls_total{outcome="done"}"#), 2);
    assert_eq!(value(r#"yaopai_api_calls_total{outcome="session_unknown"}"#), 1);
    // Nothing about anybody.
    for private in ["42", &phone.openid(), &phone.token(), "junk", "lilei"] {
        let told = metrics.text.lines().filter(|l| !l.starts_with('#')).any(|l| l.contains(private));
        assert!(!told, "{private}");
    }
}

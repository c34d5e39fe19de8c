//! TLS, the environment, and what they must not change.

use std::process::Command;
use std::sync::Arc;

use yaopai_core::ports::{Platform, PlatformError as E};
use yaopai_platform::wechat::{Config, ConfigError, Endpoints, WeChat};

use crate::support::{Manual, SECRET, app, client, config, wechat};
use crate::wire::{Wire, json};

const CHILD: &str = "YAOPAI_TEST_CHILD";

/// Runs one test of this binary again with another environment. True in the process that should go on with it.
fn with_environment(test: &str, variables: &[(&str, &str)]) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env(CHILD, "1").envs(variables.iter().copied());
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    false
}

/// The client for api.weixin.qq.com can be made and speaks TLS. (The system needs root certificates, as in production.)
#[tokio::test]
async fn https_works_and_nothing_is_sent_before_the_handshake() {
    let wire = Wire::always(json("{}")).await;
    let config =
        Config { allow_plain_http: false, allow_simulator: false, ..config(format!("https://{}", wire.addr())) };
    let (wechat, _) = wechat(config);
    let error = wechat.exchange(&app(), "code-to-spend").await.unwrap_err();
    assert!(matches!(error, E::NotReached { .. }), "{error:?}");
    let bytes = wire.all_bytes();
    assert_eq!(bytes[..2], [0x16, 0x03], "a ClientHello");
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains(SECRET) && !text.contains("code-to-spend"));
    assert_eq!(wire.connections(), 1);
}

#[test]
fn without_root_certificates() {
    let roots = [("SSL_CERT_FILE", "/nonexistent/file"), ("SSL_CERT_DIR", "/nonexistent/directory")];
    if !with_environment("https::without_root_certificates", &roots) {
        return;
    }
    let clock = Arc::new(Manual::new());
    let error = WeChat::new(Config::default(), clock).unwrap_err();
    assert!(matches!(error, ConfigError::Http(_)) && error.to_string().contains("ca-certificates"), "{error}");
    // The simulator needs none.
    client("http://127.0.0.1:9380");
    // One app over HTTPS is enough to need them.
    let mut mixed = config("http://127.0.0.1:9380");
    mixed.app_endpoints.insert("real".into(), Endpoints::default());
    assert!(WeChat::new(mixed, Arc::new(Manual::new())).is_err());
}

#[test]
fn a_proxy_in_the_environment_is_ignored() {
    let proxy = "http://127.0.0.1:1";
    let variables = [("HTTP_PROXY", proxy), ("http_proxy", proxy), ("ALL_PROXY", proxy), ("all_proxy", proxy)];
    if !with_environment("https::a_proxy_in_the_environment_is_ignored", &variables) {
        return;
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let wire = Wire::always(json(r#"{"session_key":"k","openid":"o1"}"#)).await;
        client(wire.base_url()).0.exchange(&app(), "c").await.unwrap();
    });
}

#[test]
fn plain_http_is_refused() {
    let config = Config { allow_plain_http: false, ..config("http://127.0.0.1:9380") };
    let error = WeChat::new(config, Arc::new(Manual::new())).unwrap_err();
    assert!(matches!(error, ConfigError::PlainHttp { .. }), "{error}");
}

//! No secret in an error, in a Debug text or in a log, at any level, whatever goes wrong.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tracing_subscriber::filter::LevelFilter;
use yaopai_core::ports::{Encrypted, Platform};
use yaopai_core::time::Timestamp;
use yaopai_platform::wechat::Config;

use crate::exchange_faults::faults;
use crate::support::{APPID, OPENID, SECRET, SESSION_KEY, app, config, wechat};
use crate::wire::{Reply, Wire, json};

const CODE: &str = "081pVmGa1YykHB0oWtFa1ppAmK2pVmGO";
const TOKEN: &str = "88_tokentokentoken";
const NUMBER: &str = "13800138000";
const USER_KEY: &str = "VI6BpyrK9XH4i4AIGe86tg";
const ENCRYPTED: &str = "CiyLU1Aw2KjvrjMdj8YKliAjtP4gsMZMQmRzooG2xrA";
const SIGNATURE: &str = "46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn clean(of: &str, text: &str) {
    let bare = |s: &str| s.trim_end_matches('=').to_owned();
    for secret in [SECRET, CODE, TOKEN, OPENID, SIGNATURE, &bare(SESSION_KEY), NUMBER, USER_KEY, ENCRYPTED]
        .into_iter()
        .chain(["secretkey", "secret=", "access_token=", "js_code"])
    {
        assert!(!text.contains(secret), "{of}: {secret} in {text}");
    }
}

/// Calls all there is, of a server that always gives this reply; `with_token`: but for the token's fetch.
async fn everything(name: &'static str, reply: Reply, with_token: bool) {
    let wire = Wire::start(move |_, request| match with_token && request.starts_with("POST") {
        true => json(format!(r#"{{"access_token":"{TOKEN}","expires_in":7200}}"#)),
        false => reply.clone(),
    })
    .await;
    let [connect_timeout, total_timeout] = [1000, 1500].map(Duration::from_millis);
    let (wechat, _) = wechat(Config { connect_timeout, total_timeout, ..config(wire.base_url()) });
    let e = wechat.exchange(&app(), CODE).await.unwrap_err();
    let mut texts = vec![format!("{wechat:?}"), format!("{e}"), format!("{e:?}"), format!("{e:#?}")];
    let e = yaopai_core::Error::from(e);
    texts.extend([format!("{e}"), format!("{e:?}")]);
    if let Err(e) = wechat.access_token(&app()).await {
        texts.extend([format!("{e}"), format!("{e:?}")]);
    }
    let app = &app();
    let (known, phone, keys) = tokio::join!(
        wechat.check_session_key(app, OPENID, SESSION_KEY),
        wechat.phone(app, OPENID, CODE),
        wechat.user_keys(app, OPENID, SESSION_KEY),
    );
    for e in [known.err(), phone.err(), keys.err()].into_iter().flatten() {
        texts.extend([format!("{e}"), format!("{e:?}")]);
    }
    let sealed = Encrypted { data: ENCRYPTED.into(), iv: SESSION_KEY.into() };
    if let Err(e) = wechat.open(app, SESSION_KEY, &sealed, Timestamp(0)) {
        texts.extend([format!("{e}"), format!("{e:?}")]);
    }
    clean(name, &texts.join("\n"));
}

#[tokio::test]
async fn nowhere() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_ansi(false);
    // For this thread, which is the whole of this test's runtime.
    let _guard = tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());

    // What comes back quotes all that it was given, in every place where it can.
    let quoted = format!("{SECRET} {CODE} {SESSION_KEY} {OPENID} {TOKEN} {NUMBER} {USER_KEY} rid: {SECRET}");
    let mut replies = faults();
    for (name, errcode) in [
        ("unknown", "99999"),
        ("system", "-1"),
        ("invalid", "40029"),
        ("used", "40163"),
        ("dead token", "40001"),
        ("secret", "40125"),
        ("address", "40164"),
        ("busy", "45011"),
        ("quoting", &format!(r#""{SECRET}""#)),
    ] {
        replies.push((name, json(format!(r#"{{"errcode":{errcode},"errmsg":"{quoted}"}}"#))));
    }
    for quoting in [
        format!(r#"{{"openid":{{"{OPENID}":1}},"session_key":"{SESSION_KEY}"}}"#),
        format!(r#"{{"openid":"{OPENID}","session_key":"{SESSION_KEY}" {SECRET}}}"#),
        format!(r#"{{"access_token":"{TOKEN}","expires_in":"{SECRET}"}}"#),
        format!(r#""{SECRET}""#),
        format!(r#"{{"phone_info":{{"phoneNumber":"{NUMBER}","purePhoneNumber":{NUMBER}}}}}"#),
        format!(r#"{{"key_info_list":[{{"encrypt_key":"{USER_KEY}","version":"{SECRET}"}}]}}"#),
        format!("<html>GET /sns/jscode2session?appid=wx&secret={SECRET}&js_code={CODE}"),
    ] {
        replies.push(("quoting", json(quoting)));
    }
    replies.push(("quoting status", Reply::Raw(format!("HTTP/1.1 500 {SECRET}\r\nX: {CODE}\r\n\r\n").into_bytes())));
    replies.push((
        "quoting redirect",
        Reply::Raw(format!("HTTP/1.1 302 Found\r\nLocation: /?secret={SECRET}\r\n\r\n").into_bytes()),
    ));
    replies.push(("quoting head", Reply::Raw(format!("HTTP/1.1 200 OK\r\n{SECRET} {CODE}\r\n\r\n").into_bytes())));

    let mut checks = JoinSet::new();
    for (name, reply) in replies {
        checks.spawn(everything(name, reply.clone(), false));
        checks.spawn(everything(name, reply, true));
    }
    checks.join_all().await;

    // Successes, and no connection.
    let ok = format!(
        r#"{{"openid":"{OPENID}","session_key":"{SESSION_KEY}","access_token":"{TOKEN}","expires_in":7200,
        "phone_info":{{"phoneNumber":"{NUMBER}","purePhoneNumber":"{NUMBER}","countryCode":86,"watermark":{{"appid":"{APPID}"}}}},
        "key_info_list":[{{"encrypt_key":"{USER_KEY}==","version":1,"expire_in":9,"iv":"6003f73ec441c386"}}]}}"#
    );
    let wire = Wire::always(json(ok)).await;
    for base_url in [wire.base_url(), "http://127.0.0.1:1".into(), "http://nowhere.invalid".into()] {
        let (wechat, _) = wechat(config(base_url.clone()));
        let results = (
            wechat.exchange(&app(), CODE).await.map(|v| v.session_key.map(drop)),
            wechat.access_token(&app()).await,
            wechat.check_session_key(&app(), OPENID, SESSION_KEY).await,
            wechat.phone(&app(), OPENID, CODE).await,
            wechat.user_keys(&app(), OPENID, SESSION_KEY).await,
            Platform::access_token(&wechat, &app()).await,
        );
        let reached = base_url == wire.base_url();
        assert_eq!((results.3.is_ok(), results.4.is_ok(), results.5.is_ok()), (reached, reached, reached));
        clean("success", &format!("{results:?}"));
    }

    let log = log.text();
    for wanted in ["errcode 40125", "got an access token", "wx0123456789abcdef"] {
        assert!(log.contains(wanted), "the log was not captured: {wanted}");
    }
    clean("log", &log);
}

#[tokio::test]
async fn rids_and_errcodes_are_logged() {
    let wire =
        Wire::always(json(r#"{"errcode":40164,"errmsg":"invalid ip 9.9.9.9 rid: 65d7e94d-59b8e5d7-0dc0ad08"}"#)).await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_ansi(false);
    let _guard = tracing::subscriber::set_default(subscriber.with_writer(move || writer.clone()).finish());
    let (wechat, clock) = wechat(config(wire.base_url()));
    for _ in 0..100 {
        wechat.exchange(&app(), CODE).await.unwrap_err();
        clock.forward(1);
    }
    let log = log.text();
    assert!(log.contains("whitelist") && log.contains("errcode 40164, rid 65d7e94d-59b8e5d7-0dc0ad08"), "{log}");
    assert_eq!(log.lines().count(), 2, "once a minute:\n{log}");
}

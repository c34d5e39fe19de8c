//! The page of a demo that stays up.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use crate::{Demo, PATIENCE, assert_empty, assert_no_secret, yaopai};

/// The page of a running demo: what a browser asks, and what others might.
struct Page {
    host: String,
}

impl Page {
    /// Waits for the line that is its address and nothing else.
    fn of(demo: &Demo) -> Self {
        let told = demo.until("Ctrl-C stops everything");
        let address = told.iter().find_map(|l| l.trim().strip_prefix("http://")?.strip_suffix('/'));
        Self { host: address.unwrap_or_else(|| panic!("no address in {told:#?}")).to_owned() }
    }

    /// One request; `headers` are lines. Answers the status and all that came.
    fn ask(&self, line: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let length = body.len();
        write!(stream, "{line} HTTP/1.1\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .unwrap();
        let mut came = String::new();
        stream.read_to_string(&mut came).unwrap();
        (came[9..12].parse().unwrap(), came)
    }

    /// As the page itself presses a button.
    fn press(&self, act: &str) -> String {
        let headers = format!("Host: {0}\r\nOrigin: http://{0}\r\nContent-Type: application/json\r\n", self.host);
        let (status, came) = self.ask("POST /act?since=0", &headers, act);
        assert_eq!(status, 200, "{act}: {came}");
        came
    }
}

#[test]
fn the_page_shows_what_really_crossed_the_wire_and_no_secret() {
    let temporary = tempfile::tempdir().unwrap();
    let demo = Demo::start(&mut yaopai(&["demo"], temporary.path()));
    let page = Page::of(&demo);
    let opened = page.press(r#"{"do":"open","user":"hanmeimei"}"#);
    for crossed in [
        r#""to":"wechat","depth":1,"method":"GET","target":"/sns/jscode2session?"#,
        r#""type":"resolve""#,
        r#""from":"proxy","to":"yaopai","depth":1,"method":"GET","target":"/check/forward?require=open""#,
        r#""bound":false"#,
        r#""standing":"current""#,
    ] {
        assert!(opened.contains(crossed), "{crossed}\n{opened}");
    }
    let evidence = |password: &str| {
        format!(r#"{{"do":"bind","evidence":{{"way":"form","account":"hanmeimei","password":"{password}"}}}}"#)
    };
    let rejected = page.press(&evidence("0000"));
    assert!(rejected.contains("binding_rejected") && rejected.contains("Wrong account"), "{rejected}");
    let bound = page.press(&evidence("peach-27"));
    assert!(bound.contains(r#""user":"1004""#) && bound.contains(r#""password":"•••""#), "{bound}");
    page.press(r#"{"do":"lose"}"#);
    let refreshed = page.press(r#"{"do":"refresh"}"#);
    assert!(refreshed.contains(r#""lost":true"#) && !refreshed.contains(r#""standing":"successor""#), "{refreshed}");
    page.press(r#"{"do":"later","how":"absolute"}"#);
    let state = page.ask("GET /state?since=0", &format!("Host: {}\r\n", page.host), "").1;
    assert!(state.contains(r#""ended":"expired_absolute""#), "{state}");
    assert!(opened.contains(r#"["signature","yaopai=:"#) && opened.contains(r#""alg":"hmac-sha256""#), "{opened}");
    for shown in [opened, bound, refreshed, state] {
        // The passwords stand in one place: the hints for whoever sits before the demo.
        let (before, rest) = shown.split_once(r#""people":["#).unwrap();
        let shown = format!("{before}{}", rest.split_once(']').unwrap().1);
        assert_no_secret(&shown);
        // A key and a signature are 44 characters of base64, and a label or a quote stands before each.
        for at in shown.match_indices(r#""secret":""#).chain(shown.match_indices("yaopai=:")).map(|(n, m)| n + m.len())
        {
            let text: String = shown[at..].chars().take_while(|c| !matches!(c, '"' | ':')).collect();
            assert!(text.chars().count() <= 5, "too much of a secret: {text}");
        }
        for secret in ["peach-27", "0123456789abcdef0123456789abcdef"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
    assert!(demo.signal("-INT").success());
    assert_empty(temporary.path());
}

/// Pays when it is fresh, steps up when it isn't; a stale session_key is cured the same way.
#[test]
fn the_page_s_phone_steps_up_by_itself() {
    let temporary = tempfile::tempdir().unwrap();
    let demo = Demo::start(&mut yaopai(&["demo"], temporary.path()));
    let page = Page::of(&demo);
    page.press(r#"{"do":"open","user":"xiaoming"}"#);
    let pay = || {
        page.press(r#"{"do":"order","item":"tea"}"#);
        page.press(r#"{"do":"clear"}"#);
        page.press(r#"{"do":"pay"}"#)
    };
    let paid = pay();
    assert!(paid.contains(r#""target":"/check/forward?require=bound&vouched=300""#), "{paid}");
    assert!(paid.contains(r#""paid":1"#) && !paid.contains("login_required"), "{paid}");
    page.press(r#"{"do":"later","how":"vouched"}"#);
    let paid = pay();
    for crossed in ["login_required", r#""name":"step_up""#, "/sns/jscode2session?", r#""paid":2"#] {
        assert!(paid.contains(crossed), "{crossed}\n{paid}");
    }
    page.press(r#"{"do":"session_key"}"#);
    page.press(r#"{"do":"clear"}"#);
    let steps = page.press(r#"{"do":"steps"}"#);
    for crossed in ["session_key_stale", "/wxa/checksession?", r#""name":"step_up""#, r#""steps":8642"#] {
        assert!(steps.contains(crossed), "{crossed}\n{steps}");
    }
    let state = page.ask("GET /state?since=0", &format!("Host: {}\r\n", page.host), "").1;
    assert!(state.contains(r#""past":[]"#), "all of it in one session: {state}");
    assert!(demo.signal("-INT").success());
}

/// What a thief of a token, and of a whole request, gets; and a phone whose clock is wrong.
#[test]
fn the_page_s_thief_gets_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let demo = Demo::start(&mut yaopai(&["demo"], temporary.path()));
    let page = Page::of(&demo);
    page.press(r#"{"do":"open","user":"xiaoming"}"#);
    page.press(r#"{"do":"go","to":"orders"}"#);
    let thief = |act: &str, status: u16, code: &str| {
        let came = page.press(&format!(r#"{{"do":"{act}"}}"#));
        let (_, thief) = came.split_once(r#""thief":{"#).unwrap();
        let saw = thief.split_once('}').unwrap().0;
        assert!(
            saw.contains(&format!(r#""code":"{code}""#)) && saw.contains(&format!(r#""status":{status}"#)),
            "{saw}"
        );
    };
    thief("steal", 401, "proof_required");
    thief("thief_refreshes", 401, "proof_required");
    thief("capture", 401, "proof_replayed");
    thief("thief_moves", 401, "proof_invalid");
    page.press(r#"{"do":"later","how":"window"}"#);
    thief("thief_repeats", 401, "proof_stale");
    page.press(r#"{"do":"skew"}"#);
    page.press(r#"{"do":"clear"}"#);
    let went_on = page.press(r#"{"do":"go","to":"orders"}"#);
    for crossed in ["proof_stale", r#""name":"clock_set""#, r#""ended":null"#, r#""past":[]"#] {
        assert!(went_on.contains(crossed), "{crossed}\n{went_on}");
    }
    assert!(demo.signal("-INT").success());
}

/// By the phone number, and by a code that is never handed to the page.
#[test]
fn the_page_s_phone_binds_by_number_and_by_code() {
    let temporary = tempfile::tempdir().unwrap();
    let demo = Demo::start(&mut yaopai(&["demo"], temporary.path()));
    let page = Page::of(&demo);
    let by = |way: &str| page.press(&format!(r#"{{"do":"bind","evidence":{{"way":"{way}"}}}}"#));
    page.press(r#"{"do":"open","user":"wangfang"}"#);
    let unseen = by("bind_code");
    assert!(unseen.contains(r#""bound":false"#) && !unseen.contains("/yaopai/v1/binding"), "nothing scanned: {unseen}");
    let bound = by("phone");
    assert!(bound.contains(r#""user":"1005""#) && bound.contains("138****8005"), "{bound}");

    page.press(r#"{"do":"open","user":"xiaoming"}"#);
    page.press(r#"{"do":"unbind"}"#);
    let unknown = by("phone");
    assert!(unknown.contains("No account of ours has this phone number. / 没有使用此手机号的账号。"), "{unknown}");
    let shown = page.press(r#"{"do":"show_code"}"#);
    assert!(shown.contains(r#""target":"/admin/v1/bind-codes""#), "{shown}");
    let scanned = page.press(r#"{"do":"scan"}"#);
    assert!(scanned.contains(r#""masked":"xi***ng""#) && scanned.contains(r#""bound":false"#), "{scanned}");
    let bound = by("bind_code");
    assert!(bound.contains(r#""user":"1001""#), "{bound}");
    for (n, _) in bound.match_indices("\"yb_") {
        let code: String = bound[n + 1..].chars().take_while(|c| *c != '"').collect();
        assert!(code.chars().count() <= 13, "a whole bind code: {code}");
    }
    assert!(!bound.contains("13800138005"), "{bound}");
    assert!(demo.signal("-INT").success());
}

#[test]
fn the_page_is_for_this_machine_s_browser_alone() {
    let temporary = tempfile::tempdir().unwrap();
    let demo = Demo::start(&mut yaopai(&["demo"], temporary.path()));
    let page = Page::of(&demo);
    let host = format!("Host: {}\r\n", page.host);
    let (status, html) = page.ask("GET /", &format!("{host}Accept-Language: zh-CN,en;q=0.5\r\n"), "");
    assert!(status == 200 && html.contains(r#"<html lang="zh-CN">"#), "{html}");
    assert!(html.to_lowercase().contains("content-security-policy: default-src 'none'"), "{html}");
    assert_eq!(page.ask("GET /", "Host: evil.example\r\n", "").0, 403, "a foreign name that points here");
    let act = r#"{"do":"open","user":"xiaoming"}"#;
    let json = "Content-Type: application/json\r\n";
    let foreign = format!("{host}Origin: https://evil.example\r\n{json}");
    assert_eq!(page.ask("POST /act", &foreign, act).0, 403, "a page of somebody else's");
    assert_eq!(page.ask("POST /act", &format!("{host}Content-Type: text/plain\r\n"), act).0, 415, "a form");
    assert_eq!(page.ask("POST /act", &format!("{host}{json}"), r#"{"do":"shell"}"#).0, 400);
    assert_eq!(page.ask("POST /act", &format!("{host}{json}"), &"x".repeat(100_000)).0, 413);
    assert!(demo.signal("-INT").success());
}

#[test]
fn open_hands_the_page_s_address_to_the_desktop() {
    let temporary = tempfile::tempdir().unwrap();
    let desktop = tempfile::tempdir().unwrap();
    let (opener, told) = (desktop.path().join("xdg-open"), desktop.path().join("told"));
    // A pipe: reading it waits for whoever writes.
    assert!(Command::new("mkfifo").arg(&told).status().unwrap().success());
    std::fs::write(&opener, format!("#!/bin/sh\necho \"$@\" > {}\n", told.display())).unwrap();
    assert!(Command::new("chmod").arg("755").arg(&opener).status().unwrap().success());
    let path = format!("{}:{}", desktop.path().display(), std::env::var("PATH").unwrap());
    let demo = Demo::start(yaopai(&["demo", "--open"], temporary.path()).env("PATH", path));
    let page = Page::of(&demo);
    assert_eq!(std::fs::read_to_string(told).unwrap(), format!("http://{}/\n", page.host));
    assert!(demo.signal("-INT").success());
}

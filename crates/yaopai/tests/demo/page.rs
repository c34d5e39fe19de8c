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

    /// As the mini program's frame says something to the WeChat client.
    fn phone(&self, method: &str, call: &str, body: &str) -> String {
        let headers = format!("Host: {0}\r\nOrigin: http://{0}\r\nSec-Fetch-Site: same-origin\r\n", self.host);
        let (status, came) = self.ask(&format!("{method} /phone/1f/en/client/{call}"), &headers, body);
        assert!((200..300).contains(&status), "{call} {body}: {came}");
        came
    }

    fn state(&self) -> String {
        self.ask("GET /state?since=0", &format!("Host: {}\r\n", self.host), "").1
    }
}

/// A phone that logs in, as the runtime in the browser has it: nothing whole of a secret comes to the page around it.
#[test]
fn the_page_shows_what_really_crossed_the_wire_and_no_secret() {
    let temporary = tempfile::tempdir().unwrap();
    let demo = Demo::start(&mut yaopai(&["demo"], temporary.path()));
    let page = Page::of(&demo);
    page.press(r#"{"do":"open","user":"hanmeimei"}"#);
    let hello = page.phone("GET", "hello", "");
    assert!(hello.contains(r#""appid":"wx0123456789abcdef""#) && hello.contains(r#""storage":[]"#), "{hello}");
    page.phone("POST", "calls", r#"[{"id":1,"type":"login"}]"#);
    let told = page.phone("GET", "events?after=0", "");
    let code = told.split_once(r#""code":""#).unwrap_or_else(|| panic!("{told}")).1.split('"').next().unwrap();
    page.phone("POST", "calls", r#"[{"type":"tap","what":"Log in"}]"#);
    let login = format!(
        r#"{{\"app\":\"shop\",\"code\":\"{code}\",\"request_id\":\"{:032}\",\"key\":{{\"alg\":\"hmac-sha256\"}}}}"#,
        7
    );
    let url = "http://127.0.0.1:8443/yaopai/v1/session";
    let headers = r#"[["content-type","application/json"]]"#;
    page.phone(
        "POST",
        "calls",
        &format!(
            r#"[{{"id":2,"type":"request","as":"request","url":"{url}","method":"POST","headers":{headers},"body":{{"text":"{login}"}}}}]"#
        ),
    );
    let answered = page.phone("GET", "events?after=1", "");
    assert!(answered.contains(r#""status":201"#), "{answered}");
    let state = page.state();
    for crossed in [
        r#""name":"tap""#,
        r#""to":"wechat","depth":1,"method":"GET","target":"/sns/jscode2session?"#,
        r#""type":"resolve""#,
        r#"["referer","https://servicewechat.com/wx0123456789abcdef/1/page-frame.html"]"#,
        r#""bound":false"#,
        r#""standing":"current""#,
        r#""holders":["phone"]"#,
        r#""logged_in":true"#,
    ] {
        assert!(state.contains(crossed), "{crossed}\n{state}");
    }
    let stolen = page.press(r#"{"do":"steal"}"#);
    assert!(
        stolen.contains(r#""code":"proof_required""#) && stolen.contains(r#""holders":["phone","thief"]"#),
        "{stolen}"
    );
    page.press(r#"{"do":"later","how":"absolute"}"#);
    let ended = page.state();
    assert!(ended.contains(r#""ended":"expired_absolute""#), "{ended}");
    for shown in [state, stolen, ended] {
        // The passwords stand in one place: the hints for whoever sits before the demo.
        let (before, rest) = shown.split_once(r#""people":["#).unwrap();
        let shown = format!("{before}{}", rest.split_once(']').unwrap().1);
        assert_no_secret(&shown);
        for at in shown.match_indices(r#""secret":""#).map(|(n, m)| n + m.len()) {
            let text: String = shown[at..].chars().take_while(|c| !matches!(c, '"' | ':')).collect();
            assert!(text.chars().count() <= 5, "too much of a secret: {text}");
        }
        for secret in ["peach-27", "0123456789abcdef0123456789abcdef", code] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
    assert!(demo.signal("-INT").success());
    assert_empty(temporary.path());
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

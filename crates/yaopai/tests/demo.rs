//! `yaopai demo` as a person or a pipeline runs it: as a process.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Far longer than anything here takes: a demo that hangs must not hang the tests.
const PATIENCE: Duration = Duration::from_secs(60);

fn yaopai(arguments: &[&str], temporary: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yaopai"));
    command.args(arguments).env("TMPDIR", temporary).env_remove("YAOPAI_LOG").env_remove("YAOPAI_DEMO_SECRET");
    command
}

/// A demo that stays up. Killed if a test fails on the way.
struct Demo {
    child: Child,
    lines: Receiver<String>,
}

impl Demo {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (send, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { child, lines }
    }

    /// Everything up to the line that holds this text.
    fn until(&self, text: &str) -> Vec<String> {
        let mut told = Vec::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("{e}: no {text:?} in {told:#?}"));
            told.push(line);
            if told.last().unwrap().contains(text) {
                return told;
            }
        }
    }

    /// Signals it and waits for its end.
    fn signal(mut self, signal: &str) -> std::process::ExitStatus {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        // Its standard output ends when it does.
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
        self.child.wait().unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

fn assert_empty(folder: &std::path::Path) {
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

/// No token, key or password as a whole.
fn assert_no_secret(told: &str) {
    for (n, _) in told.match_indices("yp1_") {
        let token: String = told[n..].chars().take_while(|c| c.is_ascii_graphic()).collect();
        assert!(token.len() < 20, "a whole token: {token}");
    }
    for password in ["noodles-88", "dumpling-42", "dumpling-24"] {
        assert!(!told.contains(password), "{password}");
    }
}

#[test]
fn the_script_plays_twice_at_a_time() {
    let temporary = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = yaopai(&["demo", "--script"], temporary.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    for child in [start(), start()] {
        let output = child.wait_with_output().unwrap();
        let (told, log) = text(&output);
        assert!(output.status.success(), "{told}\n{log}");
        assert!(told.starts_with("Yaopai demo: starting"), "{told}");
        let steps: Vec<_> = (1..=8).map(|n| told.find(&format!("\n{n}. ")).unwrap_or_else(|| panic!("{n}"))).collect();
        assert!(steps.is_sorted());
        for outcome in [
            "bound: true, user: \"1001\"",
            "403 not_bound",
            "400 header_forged",
            "422 binding_rejected \"Wrong account or password.",
            "sees user 1002 \"李雷\"",
            "✓ the same request gets the same token",
            "401 session_superseded",
            "401 session_reused",
            "401 session_kicked",
            "Every step went as it should.",
        ] {
            assert!(told.contains(outcome), "{outcome}\n{told}");
        }
        assert!(!told.contains('✗') && !told.contains('\x1b'), "{told}");
        assert_no_secret(&told);
        for line in told.lines() {
            // All wide characters here are above U+2E80.
            let columns: usize = line.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum();
            assert!(columns <= 100, "{columns} columns: {line}");
        }
    }
    assert_empty(temporary.path());
}

#[test]
fn the_script_opens_no_page() {
    let temporary = tempfile::tempdir().unwrap();
    let output = yaopai(&["demo", "--script"], temporary.path()).output().unwrap();
    assert!(!text(&output).0.contains("browser"));
    let output = yaopai(&["demo", "--script", "--open"], temporary.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "--open is for who stays: {}", text(&output).1);
}

#[test]
fn the_printed_commands_work_and_ctrl_c_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let demo = Demo::start(&mut yaopai(&["demo"], temporary.path()));
    let told = demo.until("Ctrl-C stops everything");
    let tips = told.iter().position(|l| l.starts_with("Try it")).unwrap();
    let commands: Vec<_> = told[tips..].iter().filter(|l| l.starts_with("    ")).map(String::as_str).collect();
    let run = Command::new("bash").args(["-euo", "pipefail", "-c", &commands.join("\n")]).output().unwrap();
    let (out, err) = text(&run);
    assert!(run.status.success(), "{out}\n{err}");
    for outcome in [
        r#""user":null}"#,
        "yaopai-code: not_bound",
        r#"{"user":1003,"name":"小红","orders":[]}"#,
        "yaopai-user: 1003",
        r#""user":"1003""#,
        r#""status":"ready""#,
    ] {
        assert!(out.contains(outcome), "{outcome}\n{out}\n{err}");
    }
    demo.until("sees user 1003");
    assert!(demo.signal("-INT").success());
    assert_empty(temporary.path());
}

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
    assert!(refreshed.contains(r#""lost":true"#) && refreshed.contains(r#""standing":"successor""#), "{refreshed}");
    page.press(r#"{"do":"later","how":"absolute"}"#);
    let state = page.ask("GET /state?since=0", &format!("Host: {}\r\n", page.host), "").1;
    assert!(state.contains(r#""ended":"expired_absolute""#), "{state}");
    for shown in [opened, bound, refreshed, state] {
        // The passwords stand in one place: the hints for whoever sits before the demo.
        let (before, rest) = shown.split_once(r#""people":["#).unwrap();
        let shown = format!("{before}{}", rest.split_once(']').unwrap().1);
        assert_no_secret(&shown);
        for secret in ["peach-27", "0123456789abcdef0123456789abcdef"] {
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

#[test]
fn the_real_wechat_needs_no_simulator_and_its_secret_shows_nowhere() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = yaopai(&["demo", "--appid", "wx00000000000000aa"], temporary.path());
    let demo = Demo::start(command.env("YAOPAI_DEMO_SECRET", "5ec7e75ec7e75ec7e75ec7e75ec7e75e"));
    let told = demo.until("Ctrl-C stops everything").join("\n");
    assert!(told.contains("wx.login(") && told.contains("/yaopai/v1/session"), "{told}");
    assert!(!told.contains("_sim") && !told.contains("browser") && !told.contains("5ec7e7"), "{told}");
    assert!(demo.signal("-TERM").success());

    // As it stands on the command line it has to be written for the configuration, and is removed at once.
    let secret = "0b5cu4e0b5cu4e0b5cu4e0b5cu4e0b5c";
    let demo =
        Demo::start(&mut yaopai(&["demo", "--appid", "wx00000000000000aa", "--secret", secret], temporary.path()));
    let told = demo.until("Ctrl-C stops everything").join("\n");
    assert!(!told.contains(secret), "{told}");
    let folder = std::fs::read_dir(temporary.path()).unwrap().next().unwrap().unwrap().path();
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()));
    }
    // As when its terminal is closed.
    assert!(demo.signal("-HUP").success());
    assert_empty(temporary.path());
}

#[test]
fn what_cannot_be_played_says_so_and_fails() {
    let temporary = tempfile::tempdir().unwrap();
    let nowhere = temporary.path().join("nowhere");
    for (arguments, folder, sentence) in [
        (vec!["demo", "--script"], nowhere.as_path(), "yaopai: cannot create the temporary folder"),
        (
            vec!["demo", "--script", "--appid", "wx1", "--secret", "s"],
            temporary.path(),
            "leave out --script or --appid",
        ),
        (vec!["demo", "--appid", "wx1"], temporary.path(), "--secret env:NAME"),
        (
            vec!["demo", "--appid", "wx1", "--secret", "env:NOT_SET_ANYWHERE"],
            temporary.path(),
            "NOT_SET_ANYWHERE is not set",
        ),
    ] {
        let output = yaopai(&arguments, folder).output().unwrap();
        let (told, log) = text(&output);
        assert_eq!(output.status.code(), Some(1), "{told}\n{log}");
        assert!(log.contains(sentence), "{log}");
    }
    assert_empty(temporary.path());
}

//! `yaopai demo` as a person or a pipeline runs it: as a process.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod page;

use std::io::{BufRead as _, BufReader};
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
            "✓ and a key, which this answer alone brings",
            "✓ 30 minutes more, and nothing else has changed",
            "401 proof_required",
            "401 proof_replayed",
            "401 proof_invalid",
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
        "yaopai-code: proof_required",
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

#[test]
fn the_real_wechat_needs_no_simulator_and_its_secret_shows_nowhere() {
    let temporary = tempfile::tempdir().unwrap();
    let mut command = yaopai(&["demo", "--appid", "wx00000000000000aa"], temporary.path());
    let demo = Demo::start(command.env("YAOPAI_DEMO_SECRET", "5ec7e75ec7e75ec7e75ec7e75ec7e75e"));
    let told = demo.until("Ctrl-C stops everything").join("\n");
    assert!(told.contains("require('yaopai').install({ app: 'shop', server: 'http://127.0.0.1:"), "{told}");
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

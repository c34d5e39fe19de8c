//! A program of the next release. There is one source, so it is this test's own executable, started once more: the whole server and its command
//! line, with one migration more.

use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode};

use yaopai_store::play_the_next_release;

use crate::server_process;

/// What makes a process that program: its migration, and whether this release works on what comes of that.
const MIGRATION: &str = "YAOPAI_TEST_NEXT_RELEASE";
const WORKS_WITH_THIS: &str = "YAOPAI_TEST_NEXT_RELEASE_WORKS_WITH_THIS";
/// Its words, a line each.
const WORDS: &str = "YAOPAI_TEST_NEXT_RELEASE_WORDS";

/// At the end of the next release's connection strings. Its migrations make the database know by it who writes.
pub const OF_THE_NEXT: &str = " options=-cyaopai.release=next";

/// What a node runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    This,
    Next { migration: &'static str, works_with_this: bool },
}

impl Program {
    /// To run it with these words.
    pub fn command(self, words: &[&OsStr]) -> Command {
        let Self::Next { migration, works_with_this } = self else { return server_process::command(words) };
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "upgrade::next_release::is_played_by_this_executable", "--nocapture"])
            .env(MIGRATION, migration)
            .env(WORKS_WITH_THIS, works_with_this.to_string())
            .env(WORDS, words.join(OsStr::new("\n")))
            .env_remove("YAOPAI_LOG")
            .env_remove("YAOPAI_CONFIG");
        command
    }
}

/// Not a test but where that program begins: by itself it says which release this is.
#[test]
fn is_played_by_this_executable() {
    let mut words = vec![OsString::from("yaopai")];
    if let Ok(migration) = std::env::var(MIGRATION) {
        play_the_next_release(&migration, std::env::var(WORKS_WITH_THIS).unwrap() == "true");
        words.extend(std::env::var(WORDS).unwrap().lines().map(OsString::from));
    } else {
        return assert!(Program::This.command(&[OsStr::new("--version")]).status().unwrap().success());
    }
    // At once: what the harness would say at the end is nothing of ours.
    std::process::exit(i32::from(yaopai::cli::main_with(words) != ExitCode::SUCCESS));
}

//! No secret in clear, at rest or in a log: the real binary logs at TRACE while everything is done that has to do with a
//! secret, failures included; then every byte of the database and of the log is read.

mod keyed;
mod steps;
mod walk;

use walk::{Walk, base64, database_files};

use crate::support::scan::forms;
use crate::support::server_process::ServerProcess;

#[tokio::test]
async fn no_secret_lies_in_clear_in_the_database_or_in_a_log() {
    let mut walk = Walk::start().await;
    walk.everything().await;
    walk.every_way().await;
    walk.signed().await;
    walk.platform_gone().await;

    let files = database_files(walk.folder.path());
    let size = |name: &str| files.iter().find(|(n, _)| n == name).map_or(0, |(_, bytes)| bytes.len());
    assert!(size("yaopai.db") > 0 && size("yaopai.db-wal") > 0, "what was written lies in both");
    walk.nothing_is_in_clear("running");
    walk.server.kill();
    walk.nothing_is_in_clear("killed");

    // It was all really there, and really logged.
    let log = walk.server.log();
    for said in ["DEBUG", "login", "webhook `opened` failed", "platform_unavailable", "a call failed"] {
        assert!(log.contains(said), "{said} is not in the log: {log}");
    }
    let config = walk.folder.path().join("yaopai.toml");
    walk.server = ServerProcess::start(&config, &["--log", "trace"]);
    assert!(walk.server.terminate().success());
    walk.nothing_is_in_clear("stopped in order");
    assert!(walk.secrets.names().len() > 90, "{:?}", walk.secrets.names());
}

/// The scan itself is tested: every secret, in every form, is found where the real ones would be.
#[tokio::test]
async fn a_planted_secret_is_found() {
    let mut walk = Walk::start().await;
    let (reply, _) = walk.login("lilei").await;
    let token = walk.took("a login", &reply);
    walk.server.kill();
    walk.nothing_is_in_clear("before");

    let secret = yaopai_wire::token::Token::parse(token.as_bytes()).unwrap().secret;
    for (form, planted) in forms(secret.expose()) {
        // In a log line.
        let mut log = walk.server.log().into_bytes();
        log.extend([b" DEBUG login token=", planted.as_slice(), b" done"].concat());
        assert!(!walk.secrets.find(&log).is_empty(), "{form}");
        // In a row, which SQLite writes into the log beside the file first.
        let copy = tempfile::tempdir().unwrap();
        for (name, bytes) in database_files(walk.folder.path()) {
            std::fs::write(copy.path().join(name), bytes).unwrap();
        }
        let db = rusqlite::Connection::open(copy.path().join("yaopai.db")).unwrap();
        db.execute("UPDATE identities SET session_key = ?1", [&planted]).unwrap();
        let found: Vec<_> =
            database_files(copy.path()).iter().flat_map(|(_, bytes)| walk.secrets.find(bytes)).collect();
        assert!(!found.is_empty(), "{form}");
    }
    // A token as a whole, and in the middle of something that is base64 itself.
    for around in ["", "a", "ab", "abc"] {
        let wrapped = base64(format!("{around}{{\"token\":\"{token}\"}}").as_bytes());
        assert!(!walk.secrets.find(wrapped.as_bytes()).is_empty(), "{around}");
    }
}

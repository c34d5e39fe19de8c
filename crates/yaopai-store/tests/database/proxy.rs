//! Stands between an engine and its database, on a socket, and loses what it is told to lose.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use tempfile::TempDir;

/// A socket of its own. It goes on as long as the test runs.
pub struct Proxy {
    folder: TempDir,
    rules: Arc<Rules>,
}

/// What it does from now on.
#[derive(Default)]
pub struct Rules {
    /// Loses the answer to the next COMMIT, or to the next message of the kind that it looks for, and with it the connection: once
    /// the server has given it.
    pub loses_next_commit: AtomicBool,
    /// How many of them it has seen.
    pub seen: AtomicUsize,
    /// Closes what is opened.
    pub refuses: AtomicBool,
}

impl Proxy {
    pub fn before(server: &Path) -> Self {
        Self::between(&socket(server), is_commit)
    }

    /// The same before any server on a socket. `looks_for`: messages that it counts, and whose answers it may lose.
    pub fn between(server: &Path, looks_for: fn(&[u8]) -> bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rules = Arc::new(Rules::default());
        let listener = UnixListener::bind(socket(folder.path())).unwrap();
        let (server, seen) = (server.to_owned(), Arc::clone(&rules));
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                if !seen.refuses.load(Ordering::SeqCst) {
                    pass(client, UnixStream::connect(&server).unwrap(), &seen, looks_for);
                }
            }
        });
        Self { folder, rules }
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Where it listens.
    pub fn host(&self) -> &Path {
        self.folder.path()
    }

    pub fn socket(&self) -> PathBuf {
        socket(self.host())
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join(".s.PGSQL.5432")
}

/// Carries both ways, on threads of their own.
fn pass(client: UnixStream, server: UnixStream, rules: &Arc<Rules>, looks_for: fn(&[u8]) -> bool) {
    let loses = Arc::new(AtomicBool::new(false));
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (asked, rules) = (Arc::clone(&loses), Arc::clone(rules));
    thread::spawn(move || {
        let mut some = [0; 65_536];
        while let Ok(n @ 1..) = from.read(&mut some) {
            if looks_for(&some[..n]) {
                rules.seen.fetch_add(1, Ordering::SeqCst);
                if rules.loses_next_commit.swap(false, Ordering::SeqCst) {
                    asked.store(true, Ordering::SeqCst);
                }
            }
            if to.write_all(&some[..n]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
    let (mut from, mut to) = (server, client);
    thread::spawn(move || {
        let mut some = [0; 65_536];
        while let Ok(n @ 1..) = from.read(&mut some) {
            if loses.load(Ordering::SeqCst) || to.write_all(&some[..n]).is_err() {
                break;
            }
        }
        let _ = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
    });
}

/// A simple query is `Q`, its length, and its text.
fn is_commit(message: &[u8]) -> bool {
    message.first() == Some(&b'Q') && message.get(5..11) == Some(b"COMMIT")
}

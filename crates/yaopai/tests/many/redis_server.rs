//! A Redis of a test's own, in a temporary folder, and gone with the test.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;

pub struct RedisServer {
    port: u16,
    running: Mutex<Option<Child>>,
    _folder: TempDir,
}

impl RedisServer {
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut server = Command::new("redis-server");
        server.args(["--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0"]);
        server.args(["--port", &port.to_string(), "--dir"]).arg(folder.path());
        let child = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.expect("Redis is missing: run scripts/setup");
        let this = Self { port, running: Mutex::new(Some(child)), _folder: folder };
        this.becomes(&["PING"], "PONG");
        this
    }

    /// Follows another one, and has what that has.
    pub fn follow(&self, master: &Self) {
        self.ask(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
        self.becomes(&["INFO", "replication"], "master_link_status:up");
        master.becomes(&["INFO", "replication"], "state=online");
    }

    /// Takes its master's place.
    pub fn promote(&self) {
        self.ask(&["REPLICAOF", "NO", "ONE"]);
    }

    pub fn kill(&self) {
        if let Some(mut child) = self.running.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops it where it stands, or has it go on.
    pub fn signal(&self, name: &str) {
        let pid = self.running.lock().unwrap().as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// What `[cluster]` says to have nonces in it.
    pub fn nonces(&self, folder: &std::path::Path) -> String {
        let file = folder.join(format!("redis-{}", self.port));
        std::fs::write(&file, self.url()).unwrap();
        format!("redis = {{ urls = [\"file:{}\"] }}", file.display())
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// How often it was told to do this, by clients or by their scripts.
    pub fn calls(&self, command: &str) -> u64 {
        let stats = self.ask(&["INFO", "commandstats"]);
        let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
    }

    /// What it says.
    pub fn ask(&self, words: &[&str]) -> String {
        let mut cli = Command::new("redis-cli");
        let output = cli.args(["-p", &self.port.to_string()]).args(words).output();
        String::from_utf8_lossy(&output.expect("redis-cli is missing: run scripts/setup").stdout).into_owned()
    }

    fn becomes(&self, words: &[&str], wanted: &str) {
        for _ in 0..1_000 {
            if self.ask(words).contains(wanted) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("Redis does not say {wanted:?} to {words:?}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

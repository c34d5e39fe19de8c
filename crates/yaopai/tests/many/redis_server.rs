//! A Redis of a test's own, in a temporary folder, and gone with the test.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;

pub struct RedisServer {
    pub port: u16,
    settings: Vec<String>,
    running: Mutex<Option<Child>>,
    folder: TempDir,
}

impl RedisServer {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With settings as in `--appendonly yes`.
    pub fn start_with(settings: &[&str]) -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("url"), format!("redis://127.0.0.1:{port}")).unwrap();
        let this = Self {
            port,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            running: Mutex::new(None),
            folder,
        };
        this.run();
        this
    }

    /// Starts it, after [`Self::kill`] too: with nothing in it.
    pub fn run(&self) {
        let mut server = Command::new("redis-server");
        server.args(["--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0"]);
        server.args(["--port", &self.port.to_string(), "--dir"]).arg(self.folder.path());
        server.args(&self.settings);
        let child = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        *self.running.lock().unwrap() = Some(child.expect("Redis is missing: run scripts/setup"));
        self.becomes(&["PING"], "PONG");
    }

    /// What a configuration says of it, alone.
    pub fn named(&self) -> String {
        format!("redis = {{ urls = [{}] }}", self.url_file())
    }

    /// Where its address stands, as a configuration says it.
    pub fn url_file(&self) -> String {
        format!("\"file:{}\"", self.folder.path().join("url").display())
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

    /// Asks until it says so.
    pub fn becomes(&self, words: &[&str], wanted: &str) {
        for _ in 0..1_000 {
            if self.ask(words).contains(wanted) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("Redis does not say {wanted:?} to {words:?}");
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

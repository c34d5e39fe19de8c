//! A Redis of a test's own: in a temporary folder, on a free port of the loopback and a socket in the folder, and gone with the test.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tempfile::TempDir;
use yaopai_core::ports::{Shared, StoreResult, Use, Used};
use yaopai_store::{RedisOptions, RedisShared};

use super::Proxy;
use super::tls::Certificate;
use crate::conformance::shared::{Place, used};

/// A server, which keeps nothing over a restart unless its settings say so.
pub struct Redis {
    folder: TempDir,
    pub port: u16,
    scheme: &'static str,
    settings: Vec<String>,
    running: Mutex<Option<Child>>,
}

impl Redis {
    pub fn start() -> Arc<Self> {
        Self::start_with(&[])
    }

    /// With settings as in `appendonly yes`.
    pub fn start_with(settings: &[&str]) -> Arc<Self> {
        Self::start_on(free_port(), "redis", settings.iter().map(|&setting| setting.to_owned()).collect())
    }

    /// By TLS and no other way. It takes clients without a certificate, unless its settings say otherwise.
    pub fn start_secured(certificate: &Certificate, root: &Path, settings: &[&str]) -> Arc<Self> {
        let port = free_port();
        let mut all = vec!["port 0".to_owned(), format!("tls-port {port}"), "tls-auth-clients no".into()];
        all.push(format!("tls-cert-file {}", certificate.cert.display()));
        all.push(format!("tls-key-file {}", certificate.key.display()));
        all.push(format!("tls-ca-cert-file {}", root.display()));
        all.extend(settings.iter().map(|&setting| setting.to_owned()));
        Self::start_on(port, "rediss", all)
    }

    fn start_on(port: u16, scheme: &'static str, settings: Vec<String>) -> Arc<Self> {
        let redis = Self { folder: tempfile::tempdir().unwrap(), port, scheme, settings, running: Mutex::new(None) };
        redis.run();
        Arc::new(redis)
    }

    /// Starts it, after [`Redis::kill`] too.
    pub fn run(&self) {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut server = Command::new(program());
        server.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--unixsocket", "s", "--save", ""]);
        // A replica gets what there is at once, and not with others five seconds later.
        server.args(["--repl-diskless-sync-delay", "0", "--dir"]).arg(self.folder.path());
        for setting in &self.settings {
            let (name, value) = setting.split_once(' ').unwrap();
            server.arg(format!("--{name}")).args(value.split(' '));
        }
        server.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut child = server.spawn().unwrap();
        let mut tries = 0..4_000;
        while !self.try_ask(&["PING"]).is_ok_and(|pong: String| pong == "PONG") {
            let going = child.try_wait().unwrap().is_none() && tries.next().is_some();
            assert!(going, "Redis does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        *self.running.lock().unwrap() = Some(child);
    }

    /// Kills it, as by kill -9.
    pub fn kill(&self) {
        let Some(mut child) = self.running.lock().unwrap().take() else { return };
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Stops it, or has it go on: it loses nothing, and says nothing.
    pub fn signal(&self, signal: &str) {
        let id = self.running.lock().unwrap().as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    /// A proxy before it, which looks for uses.
    pub fn proxy(&self) -> (Proxy, String) {
        let proxy =
            Proxy::between(&self.folder.path().join("s"), |sent| sent.windows(7).any(|some| some == b"EVALSHA"));
        let url = format!("redis+unix://{}", proxy.socket().display());
        (proxy, url)
    }

    /// Asks it something.
    #[track_caller]
    pub fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_ask(words).unwrap_or_else(|e| panic!("{words:?}: {e}"))
    }

    fn try_ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        // By its socket: the client of this test speaks no TLS.
        let socket = format!("redis+unix://{}", self.folder.path().join("s").display());
        let mut connection = redis::Client::open(socket)?.get_connection_with_timeout(Duration::from_secs(5))?;
        let mut cmd = redis::cmd(words[0]);
        cmd.arg(&words[1..]).query(&mut connection)
    }

    /// Asks until it says so.
    #[track_caller]
    pub fn becomes(&self, words: &[&str], wanted: &str) {
        for _ in 0..2_000 {
            if self.ask::<String>(words).contains(wanted) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("{words:?} has no {wanted}: {}", self.ask::<String>(words));
    }

    /// Makes it a replica, and waits until it has what its master has.
    pub fn follow(&self, master: &Self) {
        let _: () = self.ask(&["REPLICAOF", "127.0.0.1", &master.port.to_string()]);
        self.becomes(&["INFO", "replication"], "master_link_status:up");
        // Counted, once it has said so.
        master.becomes(&["INFO", "replication"], "state=online");
    }

    /// Waits until it has all that its master has.
    pub fn catch_up(&self, master: &Self) {
        let all = master.replicated("master_repl_offset:");
        while self.replicated("slave_repl_offset:") < all {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn replicated(&self, name: &str) -> u64 {
        let said: String = self.ask(&["INFO", "replication"]);
        said.lines().find_map(|line| line.strip_prefix(name)?.parse().ok()).unwrap()
    }

    /// Moves the beginning of what it remembers back, for all buckets.
    pub fn age(&self, ms: i64) {
        for past in self.ask::<Vec<String>>(&["KEYS", "*:past"]) {
            let _: i64 = self.ask(&["HINCRBY", &past, "first", &(-ms).to_string()]);
        }
    }

    pub fn now(&self) -> i64 {
        let (seconds, micros): (i64, i64) = self.ask(&["TIME"]);
        seconds * 1000 + micros / 1000
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

pub async fn open(urls: &[String]) -> RedisShared {
    RedisShared::open(patient(urls)).await.unwrap()
}

/// Where no test is about the time, a busy machine may take it.
pub fn patient(urls: &[String]) -> RedisOptions {
    RedisOptions { wait: Duration::from_secs(1), timeout: Duration::from_secs(10), ..RedisOptions::new(urls) }
}

#[track_caller]
pub fn fails(answer: StoreResult<Used>) -> String {
    let e = answer.unwrap_err();
    assert!(e.retry, "{e}");
    e.what
}

/// A use of now.
pub fn fresh(redis: &Redis, n: u16) -> Use {
    used(n, redis.now() / 1000)
}

/// Its answer as soon as there is one: a connection that was lost is found out by a use.
pub async fn answer(store: &RedisShared, used: Use) -> Used {
    for _ in 0..200 {
        if let Ok(answer) = store.first_use(used).await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no answer for {used:?}: {:?}", store.first_use(used).await);
}

#[async_trait]
impl Place for Arc<Redis> {
    async fn connect(&self) -> Arc<dyn Shared> {
        Arc::new(open(&[self.url()]).await)
    }

    fn now(&self) -> i64 {
        Redis::now(self)
    }

    fn age(&self, ms: i64) {
        Redis::age(self, ms);
    }

    fn hold(&self, ms: i64) {
        for past in self.ask::<Vec<String>>(&["KEYS", "*:past"]) {
            let _: i64 = self.ask(&["HINCRBY", &past, "high", &ms.to_string()]);
        }
    }

    fn forget(&self) {
        let _: () = self.ask(&["FLUSHALL"]);
    }

    fn fill(&self, slot_ms: i64) {
        let names: Vec<String> = self.ask(&["KEYS", &format!("{{yaopai:tries}}:{slot_ms}:0:*")]);
        assert_eq!(names.len(), 1);
        assert!(self.ask::<i64>(&["PTTL", &names[0]]) > 11 * slot_ms, "it goes by itself");
        let fill = "for n = 1, 25000 do if redis.call('HLEN', KEYS[1]) > 500000 then return 1 end \
                    redis.call('HSET', KEYS[1], ARGV[1] .. n, '') end return 0";
        for part in 0.. {
            if self.ask::<u8>(&["EVAL", fill, "1", &names[0], &format!("{part}-")]) == 1 {
                return;
            }
        }
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Debian puts it into everybody's PATH.
fn program() -> PathBuf {
    let wanted = std::env::var_os("YAOPAI_REDIS_SERVER").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).flat_map(|folder| ["redis-server", "valkey-server"].map(|name| folder.join(name)));
    wanted
        .into_iter()
        .chain(found)
        .find(|program| program.is_file())
        .expect("Redis is missing: run scripts/setup (or name its program in YAOPAI_REDIS_SERVER)")
}

//! A PostgreSQL of a test's own: in a temporary folder, on a socket in it, and gone with the test.

// Each test crate that includes this uses some of it.
#![allow(dead_code, clippy::unwrap_used)]

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

/// A server. It keeps its word on fsync, as one in production must.
pub struct Server {
    programs: PathBuf,
    /// Who it runs as: it refuses to be root.
    owner: Option<(u32, u32)>,
    folder: TempDir,
    settings: Vec<String>,
    running: Mutex<Option<Child>>,
    pub databases: AtomicU32,
}

impl Server {
    pub fn start() -> Arc<Self> {
        Self::start_with(&[])
    }

    /// With settings as in `fsync=off`.
    pub fn start_with(settings: &[&str]) -> Arc<Self> {
        let server = Self::nothing(settings);
        let mut make = server.program("initdb");
        make.args(["--username=yaopai", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"]);
        server.finish(make.arg(server.data()));
        server.run();
        Arc::new(server)
    }

    /// A standby of this one, which has all of it so far and follows it.
    pub fn standby(&self, settings: &[&str]) -> Arc<Self> {
        let server = Self::nothing(settings);
        let mut copy = server.program("pg_basebackup");
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "-U", "yaopai", "-h"]);
        server.finish(copy.arg(self.folder.path()).arg("-D").arg(server.data()));
        server.run();
        Arc::new(server)
    }

    /// Makes a standby a server that takes writes. Whoever asks it from now on is answered by another time line.
    pub fn promote(&self) {
        self.sql("SELECT pg_promote(true, 30)");
    }

    fn nothing(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ours = std::fs::metadata(folder.path()).unwrap();
        let owner = (ours.uid() == 0).then(unprivileged);
        if let Some((uid, gid)) = owner {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        Self {
            programs: programs(),
            owner,
            folder,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            running: Mutex::new(None),
            databases: AtomicU32::new(0),
        }
    }

    /// Starts it, after [`Server::kill`] too.
    pub fn run(&self) {
        let mut running = self.running.lock().unwrap();
        for _ in 0..600 {
            let mut postgres = self.program("postgres");
            postgres.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path()).args(["-c", "listen_addresses="]);
            for setting in ["shared_buffers=16MB", "max_connections=40"] {
                postgres.args(["-c", setting]);
            }
            for setting in &self.settings {
                postgres.args(["-c", setting]);
            }
            let mut child = postgres.spawn().unwrap();
            // It is there, or it has gone again: what was killed may still hold its memory.
            while child.try_wait().unwrap().is_none() {
                let mut ask = self.program("pg_isready");
                if ask.args(["-q", "-h"]).arg(self.folder.path()).status().unwrap().success() {
                    *running = Some(child);
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL does not start: {}", self.log());
    }

    /// Kills it, as by kill -9 of everything.
    pub fn kill(&self) {
        let Some(mut child) = self.running.lock().unwrap().take() else { return };
        let ours = Command::new("pgrep").arg("-P").arg(child.id().to_string()).output().unwrap();
        child.kill().unwrap();
        for id in String::from_utf8_lossy(&ours.stdout).lines() {
            // It may have gone by itself by now.
            let _ = Command::new("kill").args(["-KILL", id]).stderr(Stdio::null()).status();
        }
        child.wait().unwrap();
    }

    /// Kills it, and starts it again on a new time line, as a standby that is promoted. It needs `restore_command=false`.
    pub fn promote_itself(&self) {
        self.kill();
        let signal = self.data().join("recovery.signal");
        File::create(&signal).unwrap();
        if let Some((uid, gid)) = self.owner {
            chown(&signal, Some(uid), Some(gid)).unwrap();
        }
        self.run();
        for _ in 0..2_000 {
            if self.sql("SELECT pg_is_in_recovery()") == "f" {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it stays a standby: {}", self.log());
    }

    /// Where its programs are.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Where its socket is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How to reach it.
    pub fn url(&self) -> String {
        format!("host={} user=yaopai dbname=postgres", self.folder.path().display())
    }

    /// Runs SQL as the database's owner, and answers what it prints.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", &self.url(), "-c", sql]);
        let output = psql.output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A connection that stays, for what holds something.
    pub fn session(&self) -> Session {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", &self.url()]);
        let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(psql.stdout.take().unwrap());
        Session { asks: psql.stdin.take().unwrap(), answers, psql }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        if let Some((uid, gid)) = self.owner {
            command.uid(uid).gid(gid);
        }
        // Not into our pipes: whoever reads them would wait for the server's end.
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        command.current_dir("/").stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        command
    }

    fn finish(&self, command: &mut Command) {
        let done = command.status().unwrap();
        assert!(done.success(), "{command:?}: {}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// It ends with this, and with it what it holds.
pub struct Session {
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    psql: Child,
}

impl Session {
    /// Runs SQL, and waits until that is done.
    pub fn sql(&mut self, sql: &str) {
        writeln!(self.asks, "{sql};\n\\echo done").unwrap();
        let done = self.answers.by_ref().lines().any(|line| line.unwrap() == "done");
        assert!(done, "{sql}");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = (self.psql.kill(), self.psql.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(mut child) = self.running.lock().unwrap().take() else { return };
        // At once, without a last checkpoint. By a signal, so that it lets go of what the system lends it.
        let asked = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = child.kill();
        }
        let _ = child.wait();
    }
}

/// Gives a file to whom the server runs as, and to nobody else: so it wants its key.
pub fn hand_over(file: &Path) {
    let ours = std::fs::metadata(file).unwrap();
    if ours.uid() == 0 {
        let (uid, gid) = unprivileged();
        chown(file, Some(uid), Some(gid)).unwrap();
    }
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Where `initdb` and `postgres` are. Debian puts them beside each other by version, and into nobody's PATH.
fn programs() -> PathBuf {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = debian
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let asked = || {
        let output = Command::new("pg_config").arg("--bindir").output().ok()?;
        Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
    };
    let wanted = std::env::var_os("YAOPAI_POSTGRES_BIN").map(PathBuf::from);
    let there = |bin: &PathBuf| bin.join("initdb").is_file() && bin.join("postgres").is_file();
    let mut found = wanted.into_iter().chain(versions.into_iter().rev().map(|(_, bin)| bin)).chain(asked());
    found
        .find(there)
        .expect("PostgreSQL is missing: run scripts/setup (or name its programs' folder in YAOPAI_POSTGRES_BIN)")
}

/// Somebody who isn't root: `postgres` where the distribution has made one.
fn unprivileged() -> (u32, u32) {
    let users = std::fs::read_to_string(Path::new("/etc/passwd")).unwrap();
    let of = |wanted: &str| {
        users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find_map(|fields| match fields[..] {
            [name, _, uid, gid, ..] if name == wanted => Some((uid.parse().ok()?, gid.parse().ok()?)),
            _ => None,
        })
    };
    of("postgres")
        .or_else(|| of("nobody"))
        .expect("a user `postgres` or `nobody`, because PostgreSQL does not run as root")
}

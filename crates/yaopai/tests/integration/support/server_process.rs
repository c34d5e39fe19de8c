//! The real binary.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A running `yaopai serve`, with all that it wrote to standard error.
pub struct ServerProcess {
    child: Child,
    log: Arc<Mutex<Vec<u8>>>,
    pub public: String,
    pub check: String,
    pub admin: String,
}

/// A command that ends by itself.
pub fn run(args: &[&str]) -> Output {
    let args = args.iter().map(OsStr::new);
    command(args.collect::<Vec<_>>().as_slice()).stdin(Stdio::null()).output().unwrap()
}

/// It fails with one sentence on standard error, and nothing else. Answers the sentence.
#[track_caller]
pub fn fails(args: &[&str]) -> String {
    let output = run(args);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(output.stdout, b"");
    // What it logs before (a migration, a warning) is not the error.
    let last = said.lines().last().unwrap_or_default();
    assert!(!said.contains("panicked"), "{said}");
    last.strip_prefix("yaopai: ").unwrap_or_else(|| panic!("no sentence of ours: {said}")).to_owned()
}

/// This release's program, with these words.
pub fn command(args: &[&OsStr]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yaopai"));
    command.args(args).env_remove("YAOPAI_LOG").env_remove("YAOPAI_CONFIG");
    command
}

impl ServerProcess {
    /// Starts it and waits until it listens.
    pub fn start(config: &Path, more: &[&str]) -> Self {
        let mut args = vec![OsStr::new("serve"), OsStr::new("--config"), config.as_os_str()];
        args.extend(more.iter().map(OsStr::new));
        Self::of(command(&args)).unwrap_or_else(|log| panic!("it did not start: {log}"))
    }

    /// The same with any command that serves. If it ends instead: what it said.
    pub fn of(mut command: Command) -> Result<Self, String> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (log, mut stderr) = (Arc::new(Mutex::new(Vec::new())), child.stderr.take().unwrap());
        let into = log.clone();
        let reading = std::thread::spawn(move || {
            let mut chunk = [0u8; 8192];
            while let Ok(n @ 1..) = stderr.read(&mut chunk) {
                into.lock().unwrap().extend_from_slice(&chunk[..n]);
            }
        });
        let mut process = Self { child, log, public: String::new(), check: String::new(), admin: String::new() };
        for _ in 0..1_000 {
            let log = process.log();
            if let Some(line) = log.lines().find(|l| l.contains("listening")) {
                (process.public, process.check, process.admin) =
                    (address(line, "public"), address(line, "check"), address(line, "admin"));
                return Ok(process);
            }
            if process.child.try_wait().unwrap().is_some() {
                reading.join().unwrap();
                return Err(process.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not listen: {}", process.log());
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().unwrap()).into_owned()
    }

    /// As if the power went out.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops it in order.
    pub fn terminate(&mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("sh").args(["-c", &format!("kill -TERM {pid}")]).status().unwrap().success());
        for _ in 0..500 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not stop: {}", self.log());
    }
}

/// `public=http://127.0.0.1:9700` or `"public":"http://127.0.0.1:9700"`, as a log says it.
fn address(line: &str, name: &str) -> String {
    let (_, rest) = line.split_once(&format!("{name}=")).or(line.split_once(&format!("\"{name}\":\""))).unwrap();
    rest.split([' ', '"']).next().unwrap().to_owned()
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let from = log.len().saturating_sub(4000);
            eprintln!("the server said: {}", log.get(from..).unwrap_or(&log));
        }
    }
}

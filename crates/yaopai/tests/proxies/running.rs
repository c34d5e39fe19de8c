//! A proxy that runs: the example's own files in a folder of its own, with other ports.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::kinds::Kind;
use crate::support::raw;

/// It stops when dropped.
pub struct Running {
    process: Child,
    /// Where it listens, `http://host:port`.
    pub base: String,
    folder: tempfile::TempDir,
}

/// Where everything is in the examples, and where it is here.
pub struct Ports {
    pub check: u16,
    pub public: u16,
    pub shop: u16,
}

impl Running {
    /// `edits`: what else is replaced in the files, for tests of what they should hold against.
    pub async fn start(kind: &Kind, ports: &Ports, edits: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let replaced = [("9701", ports.check), ("9700", ports.public), ("8080", ports.shop), ("8443", own)];
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(kind.folder);
        let texts: Vec<String> =
            kind.files.iter().map(|file| std::fs::read_to_string(examples.join(file)).unwrap()).collect();
        for (from, _) in edits {
            assert_eq!(texts.iter().map(|text| text.matches(from).count()).sum::<usize>(), 1, "{}: {from}", kind.name);
        }
        for (port, _) in replaced {
            assert!(texts.iter().any(|text| text.contains(port)), "{}: no port {port} in its files", kind.name);
        }
        for (file, text) in kind.files.iter().zip(texts) {
            let text = edits.iter().fold(text, |text, (from, to)| text.replace(from, to));
            // By way of names, so that a port which is put in is never taken for one of the examples'.
            let named = replaced.iter().fold(text, |text, (port, _)| text.replace(port, &format!("<{port}>")));
            let text =
                replaced.iter().fold(named, |text, (port, here)| text.replace(&format!("<{port}>"), &here.to_string()));
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = (kind.command)(folder.path());
        command.current_dir(folder.path()).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().unwrap();
        let mut running = Self { process, base: format!("http://127.0.0.1:{own}"), folder };
        running.ready(own).await;
        running
    }

    /// Traefik listens before it has read its routes, so this waits for an answer from behind it.
    async fn ready(&mut self, port: u16) {
        for _ in 0..600 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()
                && raw::get(&self.base, "/yaopai/v1/session", &[]).await.code() == "session_missing"
            {
                return;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "it did not start: {}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not answer: {}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("{}: {}", self.base, self.log());
        }
    }
}

/// Some live in sbin, which is not in everybody's PATH, and some in `.tools`. Without one its tests fail: a check that no proxy asks is
/// untested.
pub fn binary(name: &str) -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tools).chain(std::env::split_paths(&path));
    let mut folders = folders.chain(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let found = folders.find_map(|folder| folder.join(name).canonicalize().ok().filter(|file| file.is_file()));
    found.unwrap_or_else(|| panic!("{name} is missing: run scripts/setup"))
}

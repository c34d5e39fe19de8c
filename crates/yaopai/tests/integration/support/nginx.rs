//! A real nginx with `examples/nginx/nginx.conf`, word for word but for the ports.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::TestApp;

const EXAMPLE: &str = include_str!("../../../../../examples/nginx/nginx.conf");

/// A running nginx. It stops when dropped.
pub struct Nginx {
    process: Child,
    /// Where it listens.
    pub base: String,
    folder: tempfile::TempDir,
}

impl Nginx {
    /// In front of a server and of a shop at this address.
    pub fn start(app: &TestApp, shop: &str) -> Self {
        Self::changed(app, shop, &[])
    }

    /// The same, with these texts of the example in place of others.
    pub fn changed(app: &TestApp, shop: &str, changes: &[(&str, &str)]) -> Self {
        let port = free_port();
        let of = |url: String| url.strip_prefix("http://").unwrap().to_owned();
        let mut config = EXAMPLE.to_owned();
        for (example, here) in [
            ("127.0.0.1:9701", of(app.addresses().check)),
            ("127.0.0.1:9700", of(app.addresses().public)),
            ("127.0.0.1:8080", shop.to_owned()),
            ("127.0.0.1:8443", format!("127.0.0.1:{port}")),
        ] {
            assert_eq!(config.matches(example).count(), 1, "{example}");
            config = config.replace(example, &here);
        }
        for (from, to) in changes {
            assert_eq!(config.matches(from).count(), 1, "{from}");
            config = config.replace(from, to);
        }
        Self::run(config, port)
    }

    /// With this in its `http`; `{port}` is where it listens, `{root}` a folder with the files of these names and contents.
    pub fn serving(http: &str, files: &[(&str, &[u8])]) -> Self {
        let (port, temp) = (free_port(), ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]);
        let temp: String = temp.map(|kind| format!("{kind}_temp_path temp_{kind};\n")).concat();
        let config = format!("daemon off;\npid nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{temp}{http}\n}}\n");
        let nginx = Self::run(config.replace("{port}", &port.to_string()).replace("{root}", "files"), port);
        let root = nginx.folder.path().join("files");
        std::fs::create_dir(&root).unwrap();
        for (name, content) in files {
            std::fs::write(root.join(name), content).unwrap();
        }
        nginx
    }

    fn run(config: String, port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("nginx.conf"), config).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(binary());
        command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "stderr"]);
        // One process, so that nothing is left when it is killed.
        command.args(["-g", "master_process off;"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = command.spawn().unwrap();
        let mut nginx = Self { process, base: format!("http://127.0.0.1:{port}"), folder };
        nginx.wait(port);
        nginx
    }

    fn wait(&mut self, port: u16) {
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "nginx did not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("nginx does not listen: {}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("nginx: {}", self.log());
        }
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// nginx lives in sbin, which is not in everybody's PATH. Without it these tests fail: a check that no proxy asks is untested.
fn binary() -> PathBuf {
    let path = std::env::var("PATH").unwrap_or_default();
    let found =
        path.split(':').chain(["/usr/sbin", "/sbin", "/usr/local/sbin"]).map(|folder| Path::new(folder).join("nginx"));
    found.into_iter().find(|file| file.is_file()).expect("nginx is missing: run scripts/setup")
}

//! What stands in the way of a start, and what a stop leaves.

use std::path::{Path, PathBuf};

use crate::support::server_process::{ServerProcess, fails};

const HEAD: &str = "master_key = \"file:master.key\"\ndevelopment = true\n";
const LISTEN: &str = "listen = { public = \"127.0.0.1:0\", check = \"127.0.0.1:0\", admin = \"127.0.0.1:0\" }\n";
const APP: &str = "[[apps]]\nname = \"shop\"\nappid = \"wx1\"\nsecret = \"file:app.secret\"\nbinding = \"auto\"\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("master.key"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        std::fs::write(folder.path().join("app.secret"), "hunter2hunter2").unwrap();
        std::fs::write(folder.path().join("yaopai.toml"), config).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn config(&self) -> PathBuf {
        self.path("yaopai.toml")
    }

    fn serve(&self, more: &[&str]) -> ServerProcess {
        ServerProcess::start(&self.config(), more)
    }

    #[track_caller]
    fn refuses(&self, more: &[&str]) -> String {
        let config = self.config();
        let mut args = vec!["serve", "--config", config.to_str().unwrap()];
        args.extend(more);
        fails(&args)
    }

    fn set(&self, config: &str) {
        std::fs::write(self.config(), config).unwrap();
    }
}

fn usual() -> String {
    format!("{HEAD}{LISTEN}{APP}")
}

async fn livez(server: &ServerProcess) -> bool {
    let answer = crate::support::raw::get(&server.admin, "/livez", &[]).await;
    answer.status() == 200
}

#[test]
fn without_a_configuration() {
    let said = fails(&["serve", "--config", "/nowhere/yaopai.toml"]);
    assert!(said.contains("/nowhere/yaopai.toml") && said.contains("`yaopai init` writes one"), "{said}");
}

#[test]
fn a_wrong_configuration_says_what_to_do() {
    let key =
        |name: &str| format!("[[api_keys]]\nname = \"{name}\"\nrealm = \"{name}\"\nhash = \"sha256:{:064}\"\n", 7);
    let twice = key("a") + &key("b");
    for (config, says) in [
        ("databse = 1".to_owned(), "did you mean `database`?"),
        (format!("{HEAD}{LISTEN}[[apps]]\nname = \"shop\""), "missing field `appid`"),
        (usual().replace("file:app.secret", "hunter2hunter2"), "file:PATH or env:NAME"),
        (usual().replace("file:app.secret", "file:nowhere"), "cannot read the file"),
        (usual().replace("file:master.key", "file:app.secret"), "holds no key"),
        (usual() + APP, "two apps are called"),
        (usual().replace("binding = \"auto\"\n", ""), "[apps.webhook]"),
        (usual() + "base_url = \"ftp://h\"\n", "base_url"),
        (usual() + "base_url = \"https://\"\n", "base_url"),
        (usual() + "keyed = \"always\"\n", "unknown variant `always`"),
        (usual() + "[[api_keys]]\nname = \"a\"\nhash = \"hunter2hunter2\"\n", "must be sha256:"),
        (usual() + &twice, "keys \"a\" and \"b\" are the same one"),
        (usual().replace("127.0.0.1:0", "localhost:0"), "is no address"),
    ] {
        let said = Folder::with(&config).refuses(&[]);
        assert!(said.contains(says), "{says}: {said}");
        assert!(!said.contains("hunter2"), "a secret is printed: {said}");
    }
}

/// Development's freedoms are for this machine only, and production has none of them.
#[tokio::test]
async fn development_and_production() {
    let open = Folder::with(&usual().replacen("127.0.0.1:0", "0.0.0.0:0", 1));
    let said = open.refuses(&[]);
    assert!(said.contains("listen.public") && said.contains("--lan"), "{said}");
    let server = open.serve(&["--lan"]);
    assert!(livez(&server).await);
    assert!(server.log().contains("open to the network"), "{}", server.log());

    let production = usual().replace("development = true\n", "");
    let said = Folder::with(&(production.clone() + "base_url = \"http://127.0.0.1:9380\"\n")).refuses(&[]);
    assert!(said.contains("not https"), "{said}");
    let server = Folder::with(&production);
    assert!(livez(&server.serve(&[])).await, "with WeChat's own address it starts");
}

#[test]
fn a_taken_port_leaves_no_database_behind() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for key in ["public", "check", "admin"] {
        let folder = Folder::with(
            &usual().replace(&format!("{key} = \"127.0.0.1:0\""), &format!("{key} = \"127.0.0.1:{port}\"")),
        );
        let said = folder.refuses(&[]);
        assert!(said.contains(&format!("listen.{key}")) && said.contains("the port is taken"), "{said}");
        assert!(!folder.path("yaopai.db").exists(), "{key}");
    }
}

#[test]
fn another_master_key_opens_nothing() {
    let folder = Folder::with(&usual());
    assert!(folder.serve(&[]).terminate().success());
    let right = std::fs::read(folder.path("master.key")).unwrap();
    std::fs::write(folder.path("master.key"), "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=").unwrap();
    let said = folder.refuses(&[]);
    assert!(said.contains("master key does not open this database") && said.contains("set master_key"), "{said}");
    // It has changed nothing: with the right one it goes on.
    std::fs::write(folder.path("master.key"), right).unwrap();
    assert!(folder.serve(&[]).terminate().success());
}

#[test]
fn one_database_one_server() {
    let folder = Folder::with(&usual());
    let mut first = folder.serve(&[]);
    let said = folder.refuses(&[]);
    assert!(said.contains("yaopai.db"), "{said}");
    first.kill();
    assert!(folder.serve(&[]).terminate().success(), "a killed server holds nothing");
}

#[test]
fn a_file_that_is_no_database() {
    let folder = Folder::with(&usual());
    std::fs::write(folder.path("yaopai.db"), "not a database, but somebody's only copy of something ".repeat(50))
        .unwrap();
    let before = std::fs::read(folder.path("yaopai.db")).unwrap();
    let said = folder.refuses(&[]);
    assert!(said.contains("yaopai.db"), "{said}");
    assert_eq!(std::fs::read(folder.path("yaopai.db")).unwrap(), before, "it is left as it was");
    folder.set(&usual().replace("development", "database = \"nowhere/yaopai.db\"\ndevelopment"));
    let said = folder.refuses(&[]);
    assert!(said.contains("nowhere"), "{said}");
}

#[tokio::test]
async fn it_stops_in_order() {
    let folder = Folder::with(&usual());
    let mut server = folder.serve(&[]);
    assert!(livez(&server).await);
    // A client that keeps its connection open must not keep the server.
    let idle = tokio::net::TcpStream::connect(server.public.strip_prefix("http://").unwrap()).await.unwrap();
    assert!(server.terminate().success());
    assert!(server.log().contains("stopped"), "{}", server.log());
    assert!(!folder.path("yaopai.db-wal").exists(), "the log is folded into the database");
    drop(idle);
}

#[tokio::test]
async fn a_unix_socket() {
    let config = usual().replacen("check = \"127.0.0.1:0\"", "check = \"unix:SOCKET\"", 1);
    let folder = Folder::with(&config);
    let path = folder.path("c.sock");
    folder.set(&config.replace("SOCKET", path.to_str().unwrap()));
    let mut server = folder.serve(&[]);
    assert!(server.check.starts_with("unix:"), "{}", server.check);
    // Whoever may open the socket is trusted: its owner says who.
    let said = ask(&path, "/check/forward?require=open");
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    assert!(said.contains("yaopai-user: \r\n"), "{said}");

    // A running server's socket is not taken away; a killed one's is replaced; a stopped one's is gone.
    let other = Folder::with(&config.replace("SOCKET", path.to_str().unwrap()));
    assert!(other.refuses(&[]).contains("listen.check"));
    server.kill();
    assert!(path.exists());
    let mut server = other.serve(&[]);
    assert!(ask(&path, "/check/forward?require=open").starts_with("HTTP/1.1 200"));
    assert!(server.terminate().success());
    assert!(!path.exists());
}

fn ask(socket: &Path, target: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    let forwarded =
        "X-Forwarded-Method: GET\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: h\r\nX-Forwarded-Uri: /\r\n";
    write!(stream, "GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{forwarded}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn logs_as_json() {
    let folder = Folder::with(&usual());
    let mut server = folder.serve(&["--log-format", "json"]);
    assert!(server.terminate().success());
    let log = server.log();
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(line["timestamp"].is_string() && line["level"].is_string());
    }
}

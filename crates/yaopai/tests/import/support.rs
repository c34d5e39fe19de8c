//! A folder with a configuration, and what the command did there.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;

#[allow(dead_code, reason = "this crate needs the server only")]
#[path = "../integration/support/server_process.rs"]
pub mod server_process;

pub struct World {
    folder: tempfile::TempDir,
}

/// How a run ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A binding as it stands in the database: app, openid, unionid, user, bound_at, claims.
pub type Row = (String, String, Option<String>, Option<String>, Option<i64>, Option<String>);

const CONFIG: &str = r#"
master_key = "file:master.key"
listen = { public = "127.0.0.1:0", check = "127.0.0.1:0", admin = "127.0.0.1:0" }
[[apps]]
keyed = "offered"
name = "shop"
appid = "wx0000000000000001"
secret = "file:app.secret"
binding = "api"
[[apps]]
keyed = "offered"
name = "mall"
appid = "wx0000000000000002"
secret = "file:app.secret"
binding = "api"
second_identity = "allow"
"#;

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("master.key"), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        std::fs::write(folder.path().join("app.secret"), "0123456789abcdef0123456789abcdef").unwrap();
        std::fs::write(folder.path().join("yaopai.toml"), CONFIG).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes the configuration.
    pub fn configure(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path("yaopai.toml")).unwrap();
        assert!(text.contains(from));
        std::fs::write(self.path("yaopai.toml"), text.replace(from, to)).unwrap();
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn command(&self, file: &Path, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_yaopai"));
        command.args(["import", "bindings"]).arg(file).arg("--config").arg(self.path("yaopai.toml"));
        command.args(more).current_dir(self.folder.path()).env_remove("YAOPAI_LOG").env_remove("YAOPAI_CONFIG");
        command.stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn import(&self, file: &Path, more: &[&str]) -> Ran {
        let output = self.command(file, more).output().unwrap();
        let ran = Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        ran
    }

    /// The same for a file of this content.
    pub fn import_text(&self, content: impl AsRef<[u8]>, more: &[&str]) -> Ran {
        let file = self.write("some.csv", content);
        self.import(&file, more)
    }

    /// Starts it.
    pub fn start(&self, file: &Path, more: &[&str]) -> Child {
        self.command(file, more).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }

    pub fn database(&self) -> Connection {
        Connection::open(self.path("yaopai.db")).unwrap()
    }

    /// How many rows differ between two databases, ids apart. Decided by SQLite, for millions of rows.
    pub fn differing(&self, other: &Self) -> i64 {
        let db = self.database();
        db.execute("ATTACH ?1 AS other", [other.path("yaopai.db").to_str().unwrap()]).unwrap();
        let differing = |table: &str, columns: &str| -> i64 {
            let (ours, theirs) =
                (format!("SELECT {columns} FROM main.{table}"), format!("SELECT {columns} FROM other.{table}"));
            let only = |a: &str, b: &str| format!("(SELECT count(*) FROM ({a} EXCEPT {b}))");
            let sql = format!("SELECT {} + {}", only(&ours, &theirs), only(&theirs, &ours));
            db.query_row(&sql, [], |r| r.get(0)).unwrap()
        };
        differing("identities", "app, openid, unionid, user_id, bound_at, created_at, realm")
            + differing("users", "realm, user_id, claims")
    }

    /// Everything that is bound or known, in order.
    pub fn rows(&self) -> Vec<Row> {
        let db = self.database();
        let sql = "SELECT i.app, i.openid, i.unionid, i.user_id, i.bound_at, u.claims FROM identities i \
                   LEFT JOIN users u ON u.realm = i.realm AND u.user_id = i.user_id ORDER BY i.app, i.openid";
        let mut statement = db.prepare(sql).unwrap();
        let read = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?));
        statement.query_map([], read).unwrap().map(Result::unwrap).collect()
    }

    /// `openid=user` of an app, in order.
    pub fn bound(&self, app: &str) -> String {
        let of_app = |r: &Row| (r.0 == app).then(|| format!("{}={}", r.1, r.3.as_deref().unwrap_or("-")));
        self.rows().iter().filter_map(of_app).collect::<Vec<_>>().join(" ")
    }

    /// The lines of a report, without the header and the last column.
    pub fn report(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        let mut lines = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(
            lines.headers().unwrap(),
            ["line", "openid", "user", "problem", "stands_now", "what_to_do"].as_slice()
        );
        lines.records().map(|r| r.unwrap().iter().take(5).collect::<Vec<_>>().join("|")).collect()
    }
}

impl Ran {
    /// A number of the summary.
    #[track_caller]
    pub fn count(&self, name: &str) -> u64 {
        let line = self.out.lines().find_map(|l| l.trim().strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {}{}", self.out, self.err)).trim().parse().unwrap()
    }

    /// It could not run. What it said.
    #[track_caller]
    pub fn refused(&self) -> &str {
        assert_eq!((self.code, self.out.as_str()), (2, ""), "{}", self.err);
        self.err.lines().last().unwrap().strip_prefix("yaopai: ").unwrap()
    }
}

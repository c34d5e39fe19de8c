//! Databases, and a configuration for each.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use yaopai_sim::{DEFAULT_APPID, DEFAULT_SECRET};

use crate::postgres::Server;
use crate::redis_server::RedisServer;
use crate::server_process::run;
use crate::{API_KEY, KIOSK_APPID, WEBHOOK_SECRET};

pub struct Places {
    folder: TempDir,
    _postgres: Arc<Server>,
    _redis: RedisServer,
    pub embedded: PathBuf,
    pub cluster: PathBuf,
    /// Another cluster at the same Redis.
    pub warm: PathBuf,
    pub second: PathBuf,
    pub trials: [PathBuf; 2],
    /// With another master key.
    pub stranger: PathBuf,
}

impl Places {
    pub fn new(sim: &str, back_end: &str) -> Self {
        let (folder, postgres, redis) = (tempfile::tempdir().unwrap(), Server::start(), RedisServer::start());
        for (name, text) in [
            ("master.key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("other.key", "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            ("app.secret", DEFAULT_SECRET),
            ("webhook.secret", WEBHOOK_SECRET),
            ("redis", &redis.url()),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let configure = |name: &str, database: String| {
            let path = folder.path().join(format!("{name}.toml"));
            std::fs::write(&path, config(&database, sim, back_end)).unwrap();
            path
        };
        let cluster = |name: &str| {
            postgres.sql(&format!("CREATE SCHEMA {name}"));
            let url = format!("{} options='-c search_path={name}'", postgres.url());
            std::fs::write(folder.path().join(format!("{name}.url")), url).unwrap();
            let text = format!(
                "[cluster]\npostgres = \"file:{name}.url\"\nnode = \"node-a\"\nredis = {{ urls = [\"file:redis\"], replicas = 0 }}"
            );
            configure(name, text)
        };
        let embedded = |name: &str| configure(name, format!("database = \"{name}.db\""));
        let stranger = embedded("stranger");
        let text = std::fs::read_to_string(&stranger).unwrap();
        std::fs::write(&stranger, text.replace("file:master.key", "file:other.key")).unwrap();
        Self {
            stranger,
            embedded: embedded("first"),
            cluster: cluster("new_house"),
            warm: cluster("other_house"),
            second: embedded("second"),
            trials: [cluster("trial_house"), embedded("trial")],
            folder,
            _postgres: postgres,
            _redis: redis,
        }
    }

    pub fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }
}

/// Runs a command that ends so, and answers what it said.
pub async fn ran(args: &[&str], config: &Path, code: i32) -> String {
    let (mut args, config) = (args.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>(), config.to_owned());
    args.extend(["--config".to_owned(), config.to_str().unwrap().to_owned()]);
    let output = tokio::task::spawn_blocking(move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run(&args)
    });
    let output = output.await.unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn config(database: &str, sim: &str, back_end: &str) -> String {
    // A table ends where the next begins.
    let (before, after) = if database.starts_with('[') { ("", database) } else { (database, "") };
    let mut text = format!(
        r#"
        master_key = "file:master.key"
        development = true
        {before}
        listen = {{ public = "127.0.0.1:0", check = "127.0.0.1:0", admin = "127.0.0.1:0" }}
        live = {{ flush_interval = 1 }}
        limits = {{ logins_per_identity = 0, logins_per_network = 0, binds_per_identity = 0, binds_per_network = 0 }}
        {after}
        [[apps]]
        keyed = "offered"
        name = "shop"
        appid = "{DEFAULT_APPID}"
        secret = "file:app.secret"
        base_url = "{sim}"
        webhook = {{ url = "{back_end}", secret = "file:webhook.secret" }}
        sessions = {{ max = 1000 }}
        [[apps]]
        keyed = "offered"
        name = "kiosk"
        appid = "{KIOSK_APPID}"
        secret = "file:app.secret"
        base_url = "{sim}"
        binding = "auto"
        sessions = {{ max = 1000 }}
        "#
    );
    write!(text, "[[api_keys]]\nname = \"test\"\nhash = \"{}\"\n", yaopai::config::api_key_hash(API_KEY)).unwrap();
    text
}

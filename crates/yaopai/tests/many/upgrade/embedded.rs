//! The same with the embedded database: one file, two programs in turn, each killed under load.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;
use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;
use yaopai_sim::{AppConfig, DEFAULT_APPID, DEFAULT_SECRET, Simulator};

use crate::back_end::BackEnd;
use crate::ledger::{Figures, Held};
use crate::server_process::ServerProcess;
use crate::upgrade::next_release::Program;
use crate::worker::{Worker, World};
use crate::{API_KEY, KIOSK_APPID};

const ADDITIVE: &str = "ALTER TABLE sessions ADD COLUMN weight INTEGER NOT NULL DEFAULT 1; ALTER TABLE identities ADD COLUMN later TEXT; \
    CREATE INDEX sessions_by_weight ON sessions (weight, app); CREATE TABLE openers (name TEXT PRIMARY KEY) STRICT";
const NEXT: Program = Program::Next { migration: ADDITIVE, works_with_this: true };
const BREAKING: Program = Program::Next { migration: ADDITIVE, works_with_this: false };
const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const WORKERS: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_embedded_database_there_and_back() {
    let apps = [DEFAULT_APPID, KIOSK_APPID].map(|appid| AppConfig::new(appid, DEFAULT_SECRET));
    let sim = Simulator::builder().apps(apps).build().unwrap().start_local().await.unwrap();
    let clock = SystemClock::default();
    let back_end = BackEnd::start(WEBHOOK_SECRET, move || clock.now().0).await;
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), &sim.base_url(), &back_end.url);
    let schema = || {
        let db = rusqlite::Connection::open(folder.path().join("yaopai.db")).unwrap();
        let sql = "SELECT schema, compatible_from FROM meta";
        db.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).unwrap()
    };

    let (mut figures, mut ledger) = (Figures::default(), Vec::<Held>::new());
    let mut server = serve(Program::This, &config).unwrap();
    let (ours, _) = schema();
    for (round, next) in [NEXT, Program::This, NEXT, Program::This].into_iter().enumerate() {
        let world = World::new(&server, &sim, &back_end);
        let workers: Vec<_> =
            (0..WORKERS).map(|n| tokio::spawn(Worker::new(world.clone(), format!("e{round}-{n}"), n).run())).collect();
        tokio::time::sleep(Duration::from_millis(700)).await;
        server.kill();
        server = serve(next, &config).unwrap();
        assert_eq!(schema(), (ours + 1, ours), "{next:?}");
        let world = World::new(&server, &sim, &back_end);
        for report in join_all(workers).await {
            let mut report = report.unwrap();
            figures.add(&report.figures);
            report.finish_login(&world, &mut figures).await;
            ledger.append(&mut report.held);
        }
        for held in &mut ledger {
            held.verify(&world, &mut figures).await;
        }
    }
    println!("an embedded database upgraded and back, twice: {} sessions; {figures}", ledger.len());
    assert_eq!((figures.lost, figures.undead), (0, 0));
    assert!(figures.logins > 20 && figures.refreshes > 0 && figures.binds > 0 && figures.ends > 0, "too little load");
}

/// What takes something away says so, and then there is no way back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedded_database_with_no_way_back() {
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), "http://127.0.0.1:9", "http://127.0.0.1:9");
    assert!(serve(Program::This, &config).unwrap().terminate().success());
    assert!(serve(BREAKING, &config).unwrap().terminate().success());
    let said = serve(Program::This, &config).err().unwrap();
    for word in ["yaopai.db was written by a newer version", "run that version or a later one, or put back a backup"] {
        assert!(said.contains(word), "{said}");
    }
    assert!(serve(BREAKING, &config).is_ok());
}

fn serve(program: Program, config: &Path) -> Result<ServerProcess, String> {
    ServerProcess::of(program.command(&[OsStr::new("serve"), OsStr::new("--config"), config.as_os_str()]))
}

fn configure(folder: &Path, sim: &str, back_end: &str) -> PathBuf {
    std::fs::write(folder.join("master.key"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    std::fs::write(folder.join("app.secret"), DEFAULT_SECRET).unwrap();
    std::fs::write(folder.join("webhook.secret"), WEBHOOK_SECRET).unwrap();
    let app = |name: &str, appid: &str, more: &str| {
        format!(
            "[[apps]]\nkeyed = \"offered\"\nname = \"{name}\"\nappid = \"{appid}\"\nsecret = \"file:app.secret\"\nbase_url = \"{sim}\"\n\
             sessions = {{ max = 1000 }}\n{more}\n"
        )
    };
    let hook = format!("webhook = {{ url = \"{back_end}\", secret = \"file:webhook.secret\" }}");
    let text = format!(
        "master_key = \"file:master.key\"\ndevelopment = true\ndatabase = \"yaopai.db\"\n\
         listen = {{ public = \"127.0.0.1:0\", check = \"127.0.0.1:0\", admin = \"127.0.0.1:0\" }}\n\
         limits = {{ logins_per_identity = 0, logins_per_network = 0, binds_per_identity = 0, binds_per_network = 0 }}\n\
         {}{}[[api_keys]]\nname = \"test\"\nhash = \"{}\"\n",
        app("shop", DEFAULT_APPID, &hook),
        app("kiosk", KIOSK_APPID, "binding = \"auto\""),
        yaopai::config::api_key_hash(API_KEY)
    );
    let path = folder.join("yaopai.toml");
    std::fs::write(&path, text).unwrap();
    path
}

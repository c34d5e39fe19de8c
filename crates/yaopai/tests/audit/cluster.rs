//! The same commands where nodes share PostgreSQL: each has a chain, and they run meanwhile.
#![cfg(unix)]

use std::sync::Arc;

use serde_json::Value;
use yaopai::clock::{SystemClock, SystemEntropy};
use yaopai_core::audit::{Actor, By, Event, Kind, Noted, Scribe};
use yaopai_core::ids::{Realm, UserId};
use yaopai_core::ports::AuditStore as _;
use yaopai_core::seal::MasterKey;
use yaopai_store::{Postgres, PostgresOptions};

use crate::postgres::Server;
use crate::{MASTER_KEY, Nobody, Ran, run};

struct World {
    folder: tempfile::TempDir,
    server: Arc<Server>,
    nodes: Vec<Postgres>,
}

impl World {
    /// Nodes `a` and `b`, which run, with three rows and two.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server, nodes) = tokio::task::spawn_blocking(|| {
            let server = Server::start();
            let open = |node| Postgres::open(&server.url(), Arc::new(Nobody), PostgresOptions::new(node)).unwrap();
            let nodes = vec![open("a"), open("b")];
            (server, nodes)
        })
        .await
        .unwrap();
        let config = "master_key = \"file:master.key\"\naudit = { heads_file = \"heads\" }\n\
                      listen = { public = \"127.0.0.1:0\", check = \"127.0.0.1:0\", admin = \"127.0.0.1:0\" }\n\
                      [cluster]\npostgres = \"file:postgres\"\nnode = \"a\"\n\
                      [[apps]]\nname = \"shop\"\nappid = \"wx0000000000000001\"\nsecret = \"file:app.secret\"\nbinding = \"api\"\n";
        for (name, text) in [
            ("master.key", MASTER_KEY),
            ("app.secret", "0123456789abcdef0123456789abcdef"),
            ("yaopai.toml", config),
            ("postgres", &server.url()),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let master = MasterKey::parse(MASTER_KEY).unwrap();
        for (node, rows) in nodes.iter().zip([3u8, 2]) {
            node.begin_audit(Arc::new(Scribe::new(&master, Arc::new(SystemClock::default()), Arc::new(SystemEntropy))));
            let login = |n: u8| {
                let user = Some(UserId::from(format!("u{}", n % 2 + 1).as_str()));
                let event = Event { realm: Some(Realm::from("default")), user, ..Event::new(Kind::Login, "known") };
                Noted { event, by: By::actor(Actor::Client, Some([203, 0, 113, n].into())) }
            };
            node.note((0..rows).map(login).collect()).await.unwrap();
        }
        Self { folder, server, nodes }
    }

    async fn audit(&self, args: &[&str]) -> Ran {
        let config = self.folder.path().join("yaopai.toml").to_str().unwrap().to_owned();
        let args: Vec<String> = ["audit"].iter().chain(args).map(|&arg| arg.to_owned()).collect();
        let done = tokio::task::spawn_blocking(move || {
            let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
            args.extend(["--config", &config]);
            run(&args)
        });
        let output = done.await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    async fn exported(&self, args: &[&str]) -> Vec<Value> {
        let ran = self.audit(&[&["export"], args].concat()).await;
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_node_has_a_chain() {
    let world = World::new().await;
    let whole = world.audit(&["verify"]).await;
    assert_eq!(whole.code, 0, "{}", whole.err);
    for said in
        ["a: The audit log is whole: 3 row(s), up to row 3, ", "b: The audit log is whole: 2 row(s), up to row 2, "]
    {
        assert!(whole.out.contains(said), "{}", whole.out);
    }
    // A head of another node's, which this one's file would not fit.
    let mac = |out: &str| {
        out.lines().find(|l| l.starts_with("b: The")).unwrap().split_once("row 2, ").unwrap().1[..64].to_owned()
    };
    let heads = world.folder.path().join("of-b");
    std::fs::write(&heads, format!("{{\"seq\":2,\"mac\":\"{}\",\"at\":\"x\"}}\n", mac(&whole.out))).unwrap();
    let heads = heads.to_str().unwrap();
    let of_b = world.audit(&["verify", "--heads", heads, "--node", "b"]).await;
    assert_eq!(of_b.code, 0, "{}", of_b.out);
    assert!(of_b.out.contains("b: 1 exported head(s) are in it") && !of_b.out.contains("a:"), "{}", of_b.out);
    assert_eq!(world.audit(&["verify", "--heads", heads]).await.code, 1);
    let unknown = world.audit(&["verify", "--node", "c"]).await;
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("no node of this name"), "{}", unknown.err);

    let server = world.server.clone();
    let attack = "ALTER TABLE audit DISABLE TRIGGER ALL; UPDATE audit SET at = at - 1 WHERE node = 2 AND seq = 2";
    tokio::task::spawn_blocking(move || server.sql(attack)).await.unwrap();
    let edited = world.audit(&["verify"]).await;
    assert_eq!(edited.code, 1, "{}", edited.out);
    assert!(edited.out.contains("b: The audit log is NOT whole: row 2 does not fit"), "{}", edited.out);
    assert!(edited.out.contains("a: The audit log is whole"), "{}", edited.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_forgotten_in_every_chain_while_nodes_run() {
    let world = World::new().await;
    let rows = world.exported(&[]).await;
    let of =
        |node: &str| rows.iter().filter(|row| row["node"] == node).map(|row| row["user"].clone()).collect::<Vec<_>>();
    assert_eq!((of("a"), of("b")), (vec!["u1".into(), "u2".into(), "u1".into()], vec!["u1".into(), "u2".into()]));
    assert_eq!(world.exported(&["--node", "b"]).await.len(), 2);

    let erased = world.audit(&["erase", "--user", "u1"]).await;
    assert_eq!(erased.code, 0, "{}", erased.err);
    assert!(erased.out.starts_with("2 key(s) erased") && erased.out.contains("VACUUM"), "{}", erased.out);
    let rows = world.exported(&[]).await;
    let personal = |node: &str| rows.iter().filter(|row| row["node"] == node && row["personal"] == "erased").count();
    assert_eq!((personal("a"), personal("b"), rows.iter().filter(|row| row["user"] == "u2").count()), (2, 1, 2));
    assert!(rows.iter().any(|row| row["node"] == "a/erase" && row["kind"] == "erased"), "{rows:?}");
    // Those that run go on with their chains.
    let event =
        Event { realm: Some(Realm::from("default")), user: Some("u1".into()), ..Event::new(Kind::Login, "known") };
    world.nodes[0]
        .note(vec![Noted { event, by: By::actor(Actor::Client, Some([203, 0, 113, 1].into())) }])
        .await
        .unwrap();
    let whole = world.audit(&["verify"]).await;
    assert_eq!(whole.code, 0, "{}", whole.out);
    assert!(whole.out.contains("a: The audit log is whole: 4 row(s)"), "{}", whole.out);
    assert_eq!(world.exported(&["--node", "a"]).await[3]["user"], "u1");
}

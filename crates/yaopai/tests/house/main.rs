//! Moving house under load, with the real binary: what a server answered before its stop holds in another database of the other kind.
//!
//! Workers log in, refresh, bind, log out and kick until the server stops; a client signs. Then everything is exported, imported, and
//! served from the new place, and each answer that anybody got is asked about there.
//! `YAOPAI_MOVE_LOAD`: for how long they work, in milliseconds (3,000).
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test's helper fails the test, and says why")]

#[allow(dead_code, reason = "shared with the integration tests")]
#[path = "../integration/support/back_end.rs"]
mod back_end;
#[allow(dead_code, reason = "shared with the test of one node")]
#[path = "../crash/ledger.rs"]
mod ledger;
mod place;
#[path = "../../../yaopai-store/tests/database/postgres.rs"]
mod postgres;
#[allow(dead_code, reason = "shared with the test of many nodes")]
#[path = "../many/redis_server.rs"]
mod redis_server;
#[allow(dead_code, reason = "shared with the integration tests")]
#[path = "../integration/support/server_process.rs"]
mod server_process;
mod signer;
#[path = "../crash/worker.rs"]
mod worker;

use std::path::Path;
use std::time::Duration;

use back_end::BackEnd;
use ledger::Figures;
use place::{Places, ran};
use server_process::ServerProcess;
use signer::Signer;
use worker::{Worker, World};
use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;
use yaopai_sim::{AppConfig, DEFAULT_APPID, DEFAULT_SECRET, Simulator};

/// The app whose first login creates the user.
const KIOSK_APPID: &str = "wxfedcba9876543210";
const API_KEY: &str = "yk_house-test";
const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const WORKERS: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn from_the_embedded_database_to_postgres_and_back() {
    let load = std::env::var("YAOPAI_MOVE_LOAD").map_or(3_000, |n| n.parse().unwrap());
    let apps = [DEFAULT_APPID, KIOSK_APPID].map(|appid| AppConfig::new(appid, DEFAULT_SECRET));
    let sim = Simulator::builder().apps(apps).build().unwrap().start_local().await.unwrap();
    let clock = SystemClock::default();
    let back_end = BackEnd::start(WEBHOOK_SECRET, move || clock.now().0).await;
    let places = tokio::task::spawn_blocking({
        let (sim, back_end) = (sim.base_url(), back_end.url.clone());
        move || Places::new(&sim, &back_end)
    });
    let places = places.await.unwrap();

    // A Redis that remembers already, and knows nothing of what the embedded server accepts.
    let mut warm = ServerProcess::start(&places.warm, &[]);
    let (mut figures, mut ledger) = (Figures::default(), Vec::new());
    let legs: [(&Path, &Path); 2] = [(&places.embedded, &places.cluster), (&places.cluster, &places.second)];
    for (leg, (from, to)) in (0u64..).zip(legs) {
        let mut server = ServerProcess::start(from, &[]);
        let world = World::new(&server, &sim, &back_end);
        let workers: Vec<_> = (0..WORKERS)
            .map(|n| tokio::spawn(Worker::new(world.clone(), format!("h{leg}-{n}"), 100 * leg + n).run()))
            .collect();
        let mut signer = Signer::log_in(&server, &sim, &format!("signer{leg}")).await;
        tokio::time::sleep(Duration::from_millis(load)).await;

        // Who still serves is not moved out of; a rehearsal is possible, and taken for nothing else.
        let mut file = places.file(&format!("leg{leg}.yx"));
        let said = ran(&["export", "all", &file], from, 1).await;
        assert!(said.contains("--rehearsal"), "{said}");
        let trial = places.file(&format!("trial{leg}.yx"));
        ran(&["export", "all", &trial, "--rehearsal"], from, 0).await;
        let said = ran(&["import", "all", &trial], &places.trials[leg as usize], 2).await;
        assert!(said.contains("rehearsal"), "{said}");
        ran(&["import", "all", &trial, "--rehearsal"], &places.trials[leg as usize], 0).await;
        let said = ran(&["serve"], &places.trials[leg as usize], 1).await;
        assert!(said.contains("yaopai serve --rehearsal"), "{said}");
        drop(ServerProcess::start(&places.trials[leg as usize], &["--rehearsal"]));

        signer.until_accepted(&server).await;
        let accepted = signer.accepted(&server, 40).await;
        if leg == 0 {
            warm.terminate();
        }
        assert!(server.terminate().success(), "{}", server.log());
        let mut reports = Vec::new();
        for worker in workers {
            reports.push(worker.await.unwrap());
        }

        let said = ran(&["export", "all", &file], from, 0).await;
        assert!(said.contains("sessions"), "{said}");
        private(&file);
        // Nobody lives in the old place any more, but whoever says that the move is given up.
        let said = ran(&["serve"], from, 1).await;
        assert!(said.contains("it has moved"), "{said}");
        if leg == 0 {
            let said = ran(&["export", "undo"], from, 1).await;
            assert!(said.contains("kicked there is logged in"), "{said}");
            ran(&["serve"], from, 1).await;
            let said = ran(&["export", "undo", "--as-it-was"], from, 0).await;
            assert!(said.contains("kicked there is logged in"), "{said}");
            drop(ServerProcess::start(from, &[]));
            file = places.file("again.yx");
            ran(&["export", "all", &file], from, 0).await;
        }
        let said = ran(&["import", "all", &file], &places.stranger, 2).await;
        assert!(said.contains("under another master key"), "{said}");
        ran(&["import", "all", &file], to, 0).await;
        let said = ran(&["import", "all", &file], to, 2).await;
        assert!(said.contains("not empty"), "{said}");
        let server = ServerProcess::start(to, &[]);
        let world = World::new(&server, &sim, &back_end);

        // What was signed for the old place opens nothing in the new one, neither now nor later.
        assert_eq!(signer.replayed(&server, &accepted).await, 0, "at once");
        for mut report in reports {
            figures.add(&report.figures);
            for held in &mut report.held {
                held.verify(&world, &mut figures).await;
            }
            report.finish_login(&world, &mut figures).await;
            ledger.append(&mut report.held);
        }
        // Those of the leg before, too.
        for held in &mut ledger {
            held.verify(&world, &mut figures).await;
        }
        signer.until_accepted(&server).await;
        assert_eq!(signer.replayed(&server, &accepted).await, 0, "when signed requests are accepted again");
        drop(server);
        let said = ran(&["audit", "verify"], to, 0).await;
        assert!(
            said.contains("is whole") && said.contains(if leg == 0 { "embedded database: " } else { "node-a: " }),
            "{said}"
        );
    }
    println!("moved house under load, there and back: {} sessions; {figures}", ledger.len());
    assert_eq!((figures.lost, figures.undead), (0, 0));
    assert!(figures.logins > 20 && figures.refreshes > 0 && figures.binds > 0 && figures.ends > 0, "too little load");
}

/// Nobody else reads it.
fn private(file: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

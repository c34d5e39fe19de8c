//! Upgrades, played with two programs: of this release, and of the next one ([`next_release`]).
//!
//! Three nodes under load are replaced one by one, and back again: the schema of a release works with the program of the one before it. Nobody
//! is logged out, nothing that was answered is lost, no kick is late and no signed request is accepted twice, old and new nodes taken together.
//!
//! `YAOPAI_NODE_UPGRADES`: how many times there and back (1).

mod embedded;
mod left_behind;
mod load;
pub mod next_release;

use crate::fleet::{Fleet, NODES};
use crate::server_process::run;
use load::Load;
use next_release::Program;

/// A migration of the kind that takes nothing away, while others write. What a program of the next release opens, it signs.
const ADDITIVE: &str = "ALTER TABLE sessions ADD COLUMN opened_by text, ADD COLUMN weight bigint NOT NULL DEFAULT 1; \
    ALTER TABLE sessions ALTER COLUMN opened_by SET DEFAULT current_setting('yaopai.release', true); \
    ALTER TABLE identities ADD COLUMN opened_by text; \
    CREATE INDEX sessions_by_opener ON sessions (opened_by, app); \
    CREATE TABLE openers (name text PRIMARY KEY)";

const NEXT: Program = Program::Next { migration: ADDITIVE, works_with_this: true };

/// How many logins each mixture of programs sees, however long that takes here.
const LOGINS: u64 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn node_by_node_there_and_back() {
    let times = std::env::var("YAOPAI_NODE_UPGRADES").map_or(1, |n| n.parse().unwrap());
    let fleet = Fleet::start().await;
    let schema = async || {
        let fleet = fleet.clone();
        let ask = move || fleet.primary.sql("SELECT schema || ' from ' || compatible_from FROM meta");
        tokio::task::spawn_blocking(ask).await.unwrap()
    };
    assert_eq!(schema().await, "1 from 1");
    let load = Load::start(&fleet);
    load.goes_on(LOGINS).await;
    for _ in 0..times {
        for program in [NEXT, Program::This] {
            for node in 0..NODES {
                unharmed(&fleet);
                fleet.stop(node).await;
                fleet.start_as(node, program, &[]).await.unwrap();
                assert_eq!(schema().await, "2 from 1");
                load.goes_on(LOGINS).await;
            }
        }
    }
    load.finish(times).await;

    let by = "SELECT count(*) FILTER (WHERE opened_by = 'next') > 10 AND count(*) FILTER (WHERE opened_by IS NULL) > 10 FROM sessions";
    assert_eq!(fleet.primary.sql(by), "t", "both programs opened sessions");
    // One chain for each node, of rows that both have written.
    let verified = run(&["audit", "verify", "--config", fleet.config(0).to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    unharmed(&fleet);
}

/// Whoever asks again elsewhere hears nothing of what goes wrong at a node.
fn unharmed(fleet: &Fleet) {
    for node in 0..NODES {
        let log = fleet.log(node);
        assert!(!log.contains("panicked") && !log.contains(" ERROR "), "node {node}: {log}");
    }
}

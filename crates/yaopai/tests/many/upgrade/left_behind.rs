//! A next release on whose schema this one's program doesn't work: who runs is not left behind unasked, and who is left behind does no harm.

use std::time::Duration;

use crate::fleet::{Fleet, MAX_STALE, NODES};
use crate::upgrade::next_release::Program;

/// It says that older programs don't work on it, and notes down whoever writes all the same.
const BREAKING: &str = "CREATE TABLE wrong (what text); \
    CREATE FUNCTION who_writes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
      IF current_setting('yaopai.release', true) IS DISTINCT FROM 'next' THEN INSERT INTO wrong VALUES (TG_OP || ' ' || TG_TABLE_NAME); END IF; \
      RETURN NULL; \
    END $$; \
    CREATE TRIGGER sessions_written AFTER INSERT OR UPDATE OR DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION who_writes(); \
    CREATE TRIGGER nodes_written AFTER INSERT OR UPDATE OR DELETE ON nodes FOR EACH ROW EXECUTE FUNCTION who_writes()";

const NEXT: Program = Program::Next { migration: BREAKING, works_with_this: false };

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_left_behind_unasked() {
    let fleet = Fleet::start().await;
    let schema = || fleet.primary.sql("SELECT schema || ' from ' || compatible_from FROM meta");
    let session = fleet.login(0, false).await;
    let passes = async |node| fleet.check(node, &session.token, &[]).await.unwrap().status;

    // It refuses, names who runs, and changes nothing.
    fleet.stop(0).await;
    let said = fleet.start_as(0, NEXT, &[]).await.unwrap_err();
    for word in ["schema 2", "don't work on it: node1, node2. Stop them", "--cut-off-old-nodes"] {
        assert!(said.contains(word), "{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(schema(), "1 from 1");
    for node in [1, 2] {
        assert_eq!(passes(node).await, 200);
        assert_eq!(fleet.try_login(node).await, 201);
    }
    // Whoever changes his mind goes on as before.
    fleet.start_as(0, Program::This, &[]).await.unwrap();
    fleet.stop(0).await;
    fleet.stop(1).await;

    // One that can't be stopped: its machine stands still.
    freeze(&fleet, 2).await;
    let said = fleet.start_as(0, NEXT, &[]).await.unwrap_err();
    assert!(said.contains("don't work on it: node2. Stop"), "{said}");
    fleet.start_as(0, NEXT, &["--cut-off-old-nodes"]).await.unwrap();
    assert_eq!(schema(), "2 from 2");
    assert_eq!(passes(0).await, 200);
    assert_eq!(fleet.try_login(0).await, 201);
    // It comes back: nothing is written by it, and soon nothing is believed by it.
    fleet.go_on(2);
    let went_on = fleet.now();
    loop {
        let sent = fleet.now() - went_on;
        assert_eq!(fleet.try_login(2).await, 503);
        assert_eq!(fleet.refresh(2, &session.token, "a-refresh-at-an-old-node-0123456789").await, None);
        let status = passes(2).await;
        assert!(status == 503 || (status == 200 && sent <= MAX_STALE), "{status} after {sent} ms");
        if sent > MAX_STALE + 1_500 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(fleet.log(2).contains("a newer version has upgraded the database"), "{}", fleet.log(2));
    assert_eq!(fleet.primary.sql("SELECT string_agg(what, ', ') FROM wrong"), "");

    // This release doesn't start on it any more, and says what to do.
    let said = fleet.start_as(1, Program::This, &[]).await.unwrap_err();
    assert!(said.contains("written by a newer version (schema 2, this one knows 1): run that version"), "{said}");
    // Once all are replaced all is as it was.
    fleet.kill(2);
    for node in [1, 2] {
        fleet.start_as(node, NEXT, &[]).await.unwrap();
    }
    for node in 0..NODES {
        assert_eq!(passes(node).await, 200, "node {node}");
    }
    assert_eq!(fleet.primary.sql("SELECT string_agg(what, ', ') FROM wrong"), "");
}

/// Stops a node where it stands, but not in the middle of a transaction: that would be ended after 10 s, and with it the node's name, so
/// that it is one that has lost its connection.
async fn freeze(fleet: &Fleet, node: usize) {
    let idle = format!(
        "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN nodes n ON n.id::bigint = l.objid::bigint \
         WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted AND l.classid = 'sessions'::regclass::oid \
         AND n.name = 'node{node}' AND a.state = 'idle'"
    );
    for _ in 0..100 {
        fleet.pause(node);
        // What it has sent is answered by then.
        tokio::time::sleep(Duration::from_millis(300)).await;
        if fleet.primary.sql(&idle) == "1" {
            return;
        }
        fleet.go_on(node);
        tokio::time::sleep(Duration::from_millis(70)).await;
    }
    panic!("node {node} is never idle");
}

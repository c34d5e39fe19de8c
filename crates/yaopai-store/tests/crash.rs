//! What was answered survives kill -9. The test starts itself as a child, kills it in the middle of its work, and looks.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

use yaopai_core::audit::Kind;
use yaopai_core::ids::SessionId;
use yaopai_core::moving::{AppMove, Share};
use yaopai_core::ports::*;
use yaopai_core::session::{EndReason, Standing};
use yaopai_store::{Options, Sqlite};

use conformance::*;

/// Set for the child: where the database is.
const CHILD: &str = "YAOPAI_STORE_CRASH_CHILD";

fn numbered(n: u32) -> Open {
    let mut open = login_as(1, &format!("o{n}"), &format!("u{n}"));
    let mut session = [9; 16];
    session[..4].copy_from_slice(&n.to_be_bytes());
    open.session.id = SessionId(session);
    open.new_identity.0 = session;
    open.login.key = [1; 32];
    open.login.key[..4].copy_from_slice(&n.to_be_bytes());
    open.login.session = open.session.id;
    open
}

/// Of a state that lost a part the numbers would differ.
fn numbered_move(n: u32) -> AppMove {
    AppMove {
        share: Share::of_hundredths(u16::try_from(n % 10_000).unwrap()).unwrap(),
        openids: BTreeSet::from([n.to_string()]),
        users: BTreeSet::from([user(&n.to_string())]),
        back: n.is_multiple_of(2),
    }
}

/// Logs in, refreshes, confirms, kicks and moves an app on in eight tasks, and says so once it has the answer. Runs until it is killed.
async fn child(path: &str) {
    let store = Arc::new(Sqlite::open(path, Arc::new(Log::default()), Options::default()).unwrap());
    store.begin_audit(audit::scribe().0);
    let tasks = (0..8).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in (task..).step_by(8) {
                let say = |what: &str| writeln!(std::io::stdout().lock(), "done {what} {n}").unwrap();
                let id = opened(store.open(numbered(n)).await.unwrap()).id;
                say("open");
                answer(store.rotate(Rotate { id, ..refresh(1, 1, "a", 2, T0) }).await.unwrap());
                say("rotate");
                store.confirm(id, h(2), T0).await.unwrap().unwrap();
                say("confirm");
                // Each task's own app, so that the last state that was told is known.
                let app = format!("app{task}").as_str().into();
                let action = Action::SetMove(app, numbered_move(n));
                store.act(Act { realm: main(), action, keep: None, now: T0 }).await.unwrap();
                say("move");
                if n.is_multiple_of(3) {
                    store.end(&main(), &Which::One(id), EndReason::Kicked, T0).await.unwrap();
                    say("end");
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_kill_9() {
    if let Ok(path) = std::env::var(CHILD) {
        return child(&path).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yaopai.db");
    let mut answered = 0;
    for lines in [1, 40, 700] {
        for extension in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.path().join(format!("yaopai.db{extension}")));
        }
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "what_was_answered_survives_kill_9", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said: Vec<String> = Vec::new();
        while said.len() < lines {
            let line = out.next().expect("the child lives until it is killed").unwrap();
            said.extend(line.strip_prefix("done ").map(str::to_owned));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        said.extend(out.map_while(Result::ok).filter_map(|line| line.strip_prefix("done ").map(str::to_owned)));

        let log = Arc::new(Log::default());
        let store = Sqlite::open(&path, Arc::clone(&log) as _, Options::default()).unwrap();
        for line in &said {
            let (what, n) = line.split_once(' ').unwrap();
            let Ok(n) = n.parse() else { continue };
            let open = numbered(n);
            let s = store.load(open.session.id).await.unwrap().unwrap_or_else(|| panic!("{line} is lost"));
            assert_eq!(s.user, open.user.map(|u| u.user));
            assert_eq!(store.login(&open.login.key).await.unwrap(), Some(open.login));
            match what {
                "open" => {}
                "rotate" => assert_ne!(s.secrets.standing(&h(2), T0), Standing::Unknown, "{line} is lost"),
                "confirm" => assert_eq!(s.secrets.current(), h(2), "{line} is lost"),
                "move" => {
                    let app = format!("app{}", n % 8).as_str().into();
                    let state =
                        store.app_move(&main(), &app).await.unwrap().unwrap_or_else(|| panic!("{line} is lost"));
                    let kept: u32 = state.openids.first().unwrap().parse().unwrap();
                    assert!(kept >= n && kept % 8 == n % 8, "{line} is lost: {state:?}");
                    assert_eq!(state, numbered_move(kept), "half of it");
                }
                "end" => assert_eq!(s.ended.map(|e| e.reason), Some(EndReason::Kicked), "{line} is lost"),
                other => panic!("{other}"),
            }
            answered += 1;
        }
        no_change_without_its_row(&store).await;
        // And it works on.
        opened(store.open(numbered(u32::MAX)).await.unwrap());
    }
    assert!(answered >= 741, "{answered}");
}

/// Each session has one row that says it was opened, each end one, and there are no others: answered or not.
async fn no_change_without_its_row(store: &Sqlite) {
    let (mut told, rows) = (BTreeMap::new(), audit::rows(store).await);
    audit::whole(&audit::scribe().0, None, &rows);
    for kept in &rows {
        let (event, _) = kept.row.read().unwrap();
        if event.kind == Kind::AppMove {
            continue;
        }
        let (opens, ends): &mut (u32, u32) = told.entry(event.session.unwrap()).or_default();
        *(if event.kind == Kind::Login { opens } else { ends }) += 1;
    }
    let mut live = 0;
    store
        .scan_live(&mut |s| {
            live += 1;
            assert_eq!(told.remove(&s.id), Some((1, 0)), "{}", s.id);
        })
        .await
        .unwrap();
    assert!(live > 0);
    for (id, rows) in told {
        assert_eq!(rows, (1, 1), "{id}");
        assert!(store.load(id).await.unwrap().is_some_and(|s| s.ended.is_some()), "{id}");
    }
}

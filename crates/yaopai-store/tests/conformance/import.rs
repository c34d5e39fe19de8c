//! Bindings that come in from a file.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};

use yaopai_core::ids::AppName;
use yaopai_core::ports::*;
use yaopai_core::session::{EndReason, RiseLimits, Session};

const FILE: FileHash = [7; 32];

/// Answers how many rows it saw, or fails.
#[derive(Default)]
struct Noting(AtomicBool);

impl ImportLog for Noting {
    fn note(&self, outcomes: &[ImportOutcome]) -> Result<String, String> {
        if self.0.load(Ordering::Relaxed) {
            Err("the disk is full".into())
        } else {
            Ok(format!("{} rows", outcomes.len()))
        }
    }
}

fn row(n: u8, openid: &str, name: &str) -> ImportRow {
    ImportRow {
        app: shop(),
        openid: openid.into(),
        unionid: None,
        user: found(name),
        bound_at: None,
        new_identity: who(n),
    }
}

fn piece(from: u64, rows: Vec<ImportRow>) -> ImportPiece {
    let terms = |realm| ImportTerms { realm, bind: terms(T0) };
    let terms = [(shop(), terms(main())), (AppName::from("mall"), terms(main()))];
    ImportPiece {
        file: FILE,
        from,
        to: from + 10,
        rows,
        terms: Arc::new(terms.into()),
        log: Arc::new(Noting::default()),
    }
}

async fn alone(lab: &Lab, row: ImportRow) -> ImportOutcome {
    let from = lab.import_mark(&FILE).await.unwrap().map_or(0, |m| m.position);
    lab.import_bindings(piece(from, vec![row])).await.unwrap().remove(0)
}

pub async fn an_openid_never_seen_gets_its_user(mut lab: Lab) {
    let mall = Open { session: Session { app: AppName::from("mall"), ..wanted(1, "m") }, ..login_as(1, "m", "u") };
    lab.must_open(mall).await;
    lab.log.take();
    let at = later(-5 * MINUTE);
    let said =
        ImportRow { unionid: Some("un".into()), user: found_as("u", "boss"), bound_at: Some(at), ..row(9, "o", "u") };
    assert_eq!(alone(&lab, said.clone()).await, ImportOutcome::Bound);
    assert_eq!(lab.log.did(), [Did::Put(id(1))], "what is said of the user reaches the sessions of other apps");
    lab.reopen();
    let identity = Identity {
        id: who(9),
        realm: main(),
        app: shop(),
        openid: "o".into(),
        unionid: Some("un".into()),
        user: Some(user("u")),
        bound_at: Some(at),
        created_at: at,
        vouched_at: None,
    };
    assert_eq!(lab.identity_of("o").await, Some(identity));
    assert_eq!(lab.claims(&main(), &user("u")).await.unwrap(), said.user.claims);
    assert_eq!(lab.must_open(login(2, "o")).await.user, Some(user("u")), "the first login is bound");
    let now = row(8, "p", "v");
    assert_eq!(alone(&lab, now).await, ImportOutcome::Bound);
    let identity = lab.identity_of("p").await.unwrap();
    assert_eq!((identity.bound_at, identity.created_at), (Some(T0), T0));
}

pub async fn a_known_one_rises_as_by_the_back_end(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.must_open(login(2, "o")).await;
    lab.log.take();
    let first = lab.identity_of("o").await.unwrap();
    let at = later(-MINUTE);
    let row = ImportRow { unionid: Some("un".into()), bound_at: Some(at), ..row(9, "o", "u") };
    let one_session = |mut piece: ImportPiece| {
        let terms = Arc::make_mut(&mut piece.terms).get_mut(&shop()).unwrap();
        terms.bind.limits = RiseLimits { max: 1, ..terms.bind.limits.clone() };
        piece
    };
    let outcomes = lab.import_bindings(one_session(piece(0, vec![row]))).await.unwrap();
    assert_eq!(outcomes, [ImportOutcome::Bound]);
    let identity = lab.identity_of("o").await.unwrap();
    assert_eq!(identity, Identity { user: Some(user("u")), unionid: Some("un".into()), bound_at: Some(at), ..first });
    assert_eq!(lab.reason(1).await, Some(EndReason::Replaced), "room is made");
    assert_eq!(lab.get(2).await.user, Some(user("u")));
    // The table that is made of the changes alone knows as much.
    let Some(Change::Put(last)) = lab.log.take().pop() else { panic!("nothing was told") };
    assert_eq!(*last, lab.get(2).await);
}

pub async fn what_is_so_already_stays(lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    let before = lab.identity_of("o").await.unwrap();
    lab.log.take();
    let row = ImportRow { user: found_as("u", "boss"), bound_at: Some(later(-MINUTE)), ..row(9, "o", "u") };
    assert_eq!(alone(&lab, row.clone()).await, ImportOutcome::Already);
    assert_eq!(lab.identity_of("o").await.unwrap(), before, "nor does it change since when");
    assert_eq!(lab.log.did(), [Did::Put(id(1))]);
    assert_eq!(lab.get(1).await.claims, Some(said("boss")));
    assert_eq!(alone(&lab, ImportRow { user: found("u"), ..row }).await, ImportOutcome::Already);
    assert_eq!(lab.get(1).await.claims, Some(said("boss")), "no claims say nothing");
}

pub async fn conflicts_leave_all_as_it_was(lab: Lab) {
    use ImportConflict as C;
    lab.must_open(login_as(1, "o1", "u")).await;
    lab.must_open(login(2, "o2")).await;
    let moved = Open { session: Session { realm: other_realm(), ..wanted(3, "o3") }, ..login(3, "o3") };
    lab.must_open(moved).await;
    let known = Open { session: Session { unionid: Some("a".into()), ..wanted(4, "o4") }, ..login(4, "o4") };
    lab.must_open(known).await;
    lab.log.take();
    let before: Vec<_> = lab.live().await;
    let with = |row: ImportRow| ImportRow { user: UserFound { claims: Some(said("boss")), ..row.user }, ..row };
    let rows = vec![
        with(row(20, "o1", "v")),
        with(row(21, "o2", "u")),
        with(row(22, "o9", "u")),
        with(row(23, "o3", "w")),
        ImportRow { unionid: Some("b".into()), ..with(row(24, "o4", "w")) },
    ];
    let outcomes = lab.import_bindings(piece(0, rows)).await.unwrap();
    let expected = [
        C::OtherUser(user("u")),
        C::OtherIdentity("o1".into()),
        C::OtherIdentity("o1".into()),
        C::OtherRealm(other_realm()),
        C::OtherUnionid("a".into()),
    ];
    assert_eq!(outcomes, expected.map(ImportOutcome::Conflict));
    assert_eq!(lab.live().await, before);
    assert!(lab.log.take().is_empty());
    assert_eq!(lab.identity_of("o9").await, None);
    for name in ["u", "v", "w"] {
        assert_eq!(lab.claims(&main(), &user(name)).await.unwrap(), None);
    }
    let mut allowed = piece(10, vec![row(21, "o2", "u"), row(22, "o9", "u")]);
    Arc::make_mut(&mut allowed.terms).get_mut(&shop()).unwrap().bind.second_identity = true;
    assert_eq!(lab.import_bindings(allowed).await.unwrap(), [ImportOutcome::Bound, ImportOutcome::Bound]);
    // Of several the first in order is named, whichever came first.
    let third = alone(&lab, row(25, "o0", "u")).await;
    assert_eq!(third, ImportOutcome::Conflict(C::OtherIdentity("o1".into())));
}

pub async fn a_row_sees_those_before_it(lab: Lab) {
    let mall = |n, openid: &str, name| ImportRow { app: AppName::from("mall"), ..row(n, openid, name) };
    let rows = vec![row(9, "o1", "u"), row(10, "o2", "u"), row(11, "o1", "u"), row(12, "o1", "v"), mall(13, "o1", "u")];
    use ImportOutcome::{Already, Bound, Conflict};
    let expected = [
        Bound,
        Conflict(ImportConflict::OtherIdentity("o1".into())),
        Already,
        Conflict(ImportConflict::OtherUser(user("u"))),
        Bound,
    ];
    assert_eq!(lab.import_bindings(piece(0, rows)).await.unwrap(), expected);
}

pub async fn a_piece_is_taken_once_with_its_note(mut lab: Lab) {
    assert_eq!(lab.import_mark(&FILE).await.unwrap(), None);
    lab.import_bindings(piece(0, vec![row(9, "o1", "u1"), row(10, "o2", "u2")])).await.unwrap();
    lab.reopen();
    let mark = ImportMark { position: 10, note: "2 rows".into() };
    assert_eq!(lab.import_mark(&FILE).await.unwrap(), Some(mark.clone()));
    for from in [0, 5, 20] {
        let e = lab.import_bindings(piece(from, vec![row(11, "o3", "u3")])).await.unwrap_err();
        assert!(!e.retry && e.what.contains("byte 10"), "{e}");
    }
    assert_eq!((lab.identity_of("o3").await, lab.import_mark(&FILE).await.unwrap()), (None, Some(mark)));
    assert_eq!(lab.import_mark(&[8; 32]).await.unwrap(), None, "each file has its own");
    lab.import_bindings(piece(10, Vec::new())).await.unwrap();
    lab.end_import(&FILE).await.unwrap();
    assert_eq!(lab.import_mark(&FILE).await.unwrap(), None);
    assert_eq!(alone(&lab, row(12, "o1", "u1")).await, ImportOutcome::Already, "from the first row again");
}

pub async fn a_failing_log_leaves_no_trace(lab: Lab) {
    lab.must_open(login(1, "o1")).await;
    let before = lab.live().await;
    lab.log.take();
    let log = Arc::new(Noting(AtomicBool::new(true)));
    let row = |n, openid, name| ImportRow { user: found_as(name, "boss"), ..row(n, openid, name) };
    let rows = vec![row(9, "o1", "u1"), row(10, "o2", "u2")];
    let e = lab.import_bindings(ImportPiece { log, ..piece(0, rows) }).await.unwrap_err();
    assert!(e.what.contains("the disk is full"), "{e}");
    assert_eq!((lab.live().await, lab.identity_of("o2").await), (before, None));
    assert_eq!(lab.claims(&main(), &user("u1")).await.unwrap(), None);
    assert_eq!(lab.import_mark(&FILE).await.unwrap(), None);
    assert!(lab.log.take().is_empty());
}

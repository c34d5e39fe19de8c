//! The audit log: each change has its row, in one transaction with it, and what did nothing has none.

use super::*;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use yaopai_core::audit::{Actor, By, Event, Kind, Noted, Outcome, Owner, Scribe, Verified, Verifier};
use yaopai_core::ids::Realm;
use yaopai_core::ports::{AuditRow, BindCode, Clock, Entropy, Erase, Opened, Proof, Subject};
use yaopai_core::seal::MasterKey;
use yaopai_core::session::EndReason;
use yaopai_core::time::Timestamp;

/// A clock that a test sets, and that moves by a millisecond at each look.
pub struct Hand(pub AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// The same bytes in every run.
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, buffer: &mut [u8]) {
        for part in buffer.chunks_mut(8) {
            let n = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            part.copy_from_slice(&n.to_le_bytes()[..part.len()]);
        }
    }
}

/// A scribe of the one master key that tests have, and its clock.
pub fn scribe() -> (Arc<Scribe>, Arc<Hand>) {
    scribe_of(7)
}

/// One of another master key.
pub fn scribe_of(master: u8) -> (Arc<Scribe>, Arc<Hand>) {
    let clock = Arc::new(Hand(AtomicI64::new(T0.0)));
    let key = MasterKey::parse(&[master; 32].map(|byte| format!("{byte:02x}")).concat()).unwrap();
    (Arc::new(Scribe::new(&key, clock.clone(), Arc::new(Counted(AtomicU64::new(0))))), clock)
}

pub async fn rows<S: AuditStore + ?Sized>(store: &S) -> Vec<AuditRow> {
    store.audit_rows(None, 0, u32::MAX).await.unwrap()
}

/// What happened, each `kind/code:session`.
pub async fn story<S: AuditStore + ?Sized>(store: &S) -> Vec<String> {
    let tell = |kept: &AuditRow| {
        let (event, _) = kept.row.read().unwrap();
        let of = event.session.map_or(String::new(), |id| format!(":{}", id.0[15]));
        format!("{}/{}{of}", event.kind.as_str(), event.code)
    };
    rows(store).await.iter().map(tell).collect()
}

#[track_caller]
pub fn whole(scribe: &Scribe, checkpoint: Option<&yaopai_core::audit::Checkpoint>, rows: &[AuditRow]) -> Verified {
    let mut verifier = Verifier::new(scribe, checkpoint, []).unwrap();
    rows.iter().for_each(|kept| verifier.row(&kept.row).unwrap());
    verifier.end().unwrap()
}

fn from(last: u8) -> By {
    By::actor(Actor::Client, Some([203, 0, 113, last].into()))
}

pub async fn nothing_without_a_scribe(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.note(vec![Noted { event: Event::new(Kind::Read, "x"), by: By::default() }]).await.unwrap();
    assert_eq!(rows(&*lab).await, []);
    assert_eq!(lab.audit_head().await.unwrap(), None);
}

pub async fn each_change_has_its_row(mut lab: Lab) {
    let (scribe, _) = scribe();
    lab.begin_audit(scribe.clone());
    from(9)
        .scope(async {
            lab.must_open(login(1, "o")).await;
            lab.must_open(login_as(2, "p", "v")).await;
            assert!(matches!(lab.open(login(1, "o")).await.unwrap(), Opened::Repeated(_)));
            assert!(matches!(lab.open(login_as(3, "q", "v")).await.unwrap(), Opened::Conflict));
            answer(lab.bind(bind_as(1, 1, "b", 11, "u")).await.unwrap());
            answer(lab.bind(bind_as(1, 1, "b", 12, "u")).await.unwrap());
            answer(lab.step_up(step_up(1, 11, "s", 13, later(5))).await.unwrap());
            answer(lab.step_up(step_up(1, 11, "s", 14, later(5))).await.unwrap());
            answer(lab.rotate(refresh(2, 2, "r", 22, later(5))).await.unwrap());
            lab.confirm(id(2), h(22), later(6)).await.unwrap();
        })
        .await;
    let expected = ["login/unbound:1", "login/bound:2", "bind/form:1", "step_up/:1"];
    assert_eq!(story(&*lab).await, expected, "a refresh is nobody's business, and what was answered before no news");
    // Theft.
    lab.rotate(refresh(2, 2, "thief", 33, later(5 * MINUTE))).await.unwrap();
    // A rebind is the end of one binding and the beginning of another.
    answer(lab.bind(rebind()).await.unwrap());
    lab.end(&main(), &Which::One(id(1)), EndReason::Kicked, later(7)).await.unwrap();
    lab.end(&main(), &Which::One(id(1)), EndReason::Kicked, later(7)).await.unwrap();
    let more = ["session_ended/reused:2", "unbind/rebind", "bind/form:1", "session_ended/kicked:1"];
    assert_eq!(story(&*lab).await[4..], more);
    lab.reopen();
    lab.begin_audit(scribe.clone());
    // By the back end.
    let key = By::actor(Actor::Key("shop".into()), None);
    key.clone()
        .scope(async {
            lab.set_claims(&main(), &user("v"), Some(said("boss")), T0).await.unwrap();
            lab.set_claims(&main(), &user("v"), Some(said("boss")), T0).await.unwrap();
            lab.set_claims(&main(), &user("v"), None, T0).await.unwrap();
            lab.must_open(login(4, "p")).await;
            lab.set_disabled(&main(), &user("v"), Some(later(8))).await.unwrap();
            lab.set_disabled(&main(), &user("v"), Some(later(9))).await.unwrap();
            lab.set_disabled(&main(), &user("v"), None).await.unwrap();
            lab.set_disabled(&main(), &user("v"), None).await.unwrap();
            assert!(lab.unbind_identity(&main(), who(2), None, later(10)).await.unwrap());
            assert!(!lab.unbind_identity(&main(), who(2), None, later(10)).await.unwrap());
            lab.bind_identity(&main(), who(2), found_as("x", "boss"), &terms(later(11))).await.unwrap();
            lab.bind_identity(&main(), who(2), found_as("x", "boss"), &terms(later(11))).await.unwrap();
            let code = BindCode {
                hash: [1; 32],
                realm: main(),
                app: None,
                user: user("w"),
                masked: "w***".into(),
                expires_at: later(MINUTE),
                seen_by: None,
            };
            lab.keep_bind_code(code).await.unwrap();
        })
        .await;
    let told = ["claims/set", "claims/cleared", "login/known:4", "user_disabled/", "session_ended/user_disabled:4"];
    let more = ["user_enabled/", "unbind/api", "bind/api", "claims/set", "bind_code/made"];
    assert_eq!(story(&*lab).await[8..], [told.as_slice(), &more].concat());
    // Of age a session ends by itself.
    lab.must_open(login(5, "o")).await;
    lab.expire(vec![(id(5), EndReason::ExpiredIdle)], later(12)).await.unwrap();
    assert_eq!(story(&*lab).await.last().unwrap(), "login/known:5");

    let rows = rows(&*lab).await;
    let verified = whole(&scribe, None, &rows);
    assert_eq!(lab.audit_head().await.unwrap(), Some(verified.head));
    // Who, about whom, from where.
    let (event, by) = rows[2].row.read().unwrap();
    assert_eq!((event.realm, event.app, event.identity), (Some(main()), Some(shop()), Some(who(1))));
    assert_eq!((event.outcome, by.actor), (Outcome::Done, Actor::Client));
    let personal = scribe.open(&rows[2].row, &rows[2].salt.unwrap()).unwrap();
    assert_eq!((personal.user, personal.from), (Some(user("u")), from(9).from));
    let old = scribe.open(&rows[5].row, &rows[5].salt.unwrap()).unwrap();
    assert_eq!(old.user, Some(user("u")), "whose binding ended");
    assert!(rows[8..18].iter().all(|kept| kept.row.read().unwrap().1.actor == key.actor));
}

/// Session 1 was stepped up with secret 13 at 5 ms.
fn rebind() -> Bind {
    let mut bind = bind_as(1, 13, "rebind", 15, "w");
    (bind.rotate.now, bind.proof) = (later(6), Proof::Form);
    bind
}

pub async fn everybody_whom_a_call_ends_is_told(lab: Lab) {
    let (scribe, _) = scribe();
    lab.begin_audit(scribe);
    lab.must_open(login_as(1, "o", "u")).await;
    lab.must_open(login(2, "o")).await;
    let mut third = login(3, "o");
    third.limits.max = 2;
    lab.must_open(third).await;
    lab.end(&main(), &Which::All(Subject::User(user("u"))), EndReason::Kicked, later(1)).await.unwrap();
    let told = ["login/bound:1", "login/known:2", "login/known:3", "session_ended/replaced:1"];
    assert_eq!(story(&*lab).await, [told.as_slice(), &["session_ended/kicked:2", "session_ended/kicked:3"]].concat());
}

pub async fn what_belongs_to_no_change(lab: Lab) {
    let (scribe, _) = scribe();
    lab.begin_audit(scribe.clone());
    let read = Event { realm: Some(other_realm()), ..Event::new(Kind::Read, "sessions") };
    let lost = Event::new(Kind::Dropped, "").times(7);
    let noted = |event, by| Noted { event, by };
    lab.note(vec![noted(read, from(1)), noted(lost, By::default())]).await.unwrap();
    lab.must_open(login(1, "o")).await;
    let all = rows(&*lab).await;
    whole(&scribe, None, &all);
    assert_eq!((all[0].row.person.is_some(), all[1].row.person, all[1].row.read().unwrap().0.count), (true, None, 7));
    // A realm sees its own, and the server's own are nobody's.
    let of = async |realm: &Realm, after| lab.audit_rows(Some(realm), after, 10).await.unwrap();
    assert_eq!(of(&other_realm(), 0).await, all[..1]);
    assert_eq!(of(&main(), 0).await, all[2..]);
    assert_eq!(of(&main(), 3).await, []);
    assert_eq!(lab.audit_rows(None, 1, 1).await.unwrap(), all[1..2]);
}

pub async fn retention_leaves_a_checkpoint(mut lab: Lab) {
    let (scribe, clock) = scribe();
    lab.begin_audit(scribe.clone());
    let month = 31 * 24 * 60 * MINUTE;
    for n in 1..=6 {
        clock.0.store(T0.0 + i64::from(n) * month, Ordering::Relaxed);
        lab.must_open(login_as(n, &format!("o{n}"), &format!("u{n}"))).await;
    }
    let all = rows(&*lab).await;
    assert_eq!(lab.purge_audit(later(month), 100).await.unwrap(), 0);
    assert_eq!(lab.audit_checkpoint().await.unwrap(), None);
    // In pieces, and not beyond the first that is younger.
    assert_eq!(lab.purge_audit(later(4 * month), 2).await.unwrap(), 2);
    assert_eq!(lab.purge_audit(later(4 * month), 100).await.unwrap(), 1);
    assert_eq!(lab.purge_audit(later(4 * month), 100).await.unwrap(), 0);
    lab.reopen();
    lab.begin_audit(scribe.clone());
    let checkpoint = lab.audit_checkpoint().await.unwrap().unwrap();
    assert_eq!((checkpoint.head, checkpoint.rows), (all[2].row.head(), 3));
    assert_eq!(rows(&*lab).await, all[3..]);
    assert_eq!(whole(&scribe, Some(&checkpoint), &all[3..]).rows, 3);
    // All of it; and the chain goes on where it was.
    assert_eq!(lab.purge_audit(later(100 * month), 100).await.unwrap(), 3);
    assert_eq!(lab.audit_head().await.unwrap(), Some(all[5].row.head()));
    lab.must_open(login(7, "o7")).await;
    let checkpoint = lab.audit_checkpoint().await.unwrap().unwrap();
    let left = rows(&*lab).await;
    assert_eq!((left[0].row.seq, checkpoint.rows), (7, 6));
    whole(&scribe, Some(&checkpoint), &left);
}

pub async fn a_person_is_forgotten(lab: Lab) {
    let (scribe, clock) = scribe();
    lab.begin_audit(scribe.clone());
    from(1)
        .scope(async {
            // A guest first, who is then bound: two keys, one person.
            lab.must_open(login(1, "o")).await;
            answer(lab.bind(bind_as(1, 1, "b", 11, "u")).await.unwrap());
            lab.must_open(login_as(2, "p", "v")).await;
            // And months later, under the next period's key.
            clock.0.fetch_add(40 * 24 * 60 * MINUTE, Ordering::Relaxed);
            lab.must_open(login(3, "o")).await;
        })
        .await;
    let readable = async || rows(&*lab).await.iter().map(|kept| kept.salt.is_some()).collect::<Vec<_>>();
    assert_eq!(readable().await, [true; 4]);
    let operator = By::actor(Actor::Operator, None);
    let erase = async |whose| operator.clone().scope(lab.erase(whose)).await.unwrap();
    assert_eq!(erase(Erase::User(other_realm(), user("u"))).await, 0, "another realm's u");
    assert_eq!(erase(Erase::User(main(), user("u"))).await, 3);
    assert_eq!(readable().await, [false, false, true, false, false, false]);
    let all = rows(&*lab).await;
    whole(&scribe, None, &all);
    let (event, by) = all[5].row.read().unwrap();
    assert_eq!((event.kind, event.count, event.user, by.actor), (Kind::Erased, 3, None, Actor::Operator));
    assert_eq!(all[5].row.sealed, None, "what says that a person was forgotten says nothing of the person");
    // Whoever comes back has a new key, and what was erased stays so.
    from(1).scope(lab.must_open(login(4, "o"))).await;
    assert_eq!(readable().await, [false, false, true, false, false, false, true]);
    // By the openid, and by an address of which nothing else is known.
    assert_eq!(erase(Erase::Openid(shop(), "p".into())).await, 1);
    let refused = Noted { event: Event::refused(Kind::Key, "api_key_invalid"), by: from(5) };
    lab.note(vec![refused]).await.unwrap();
    assert_eq!(erase(Erase::Owner(Owner::Network([203, 0, 113, 5].into()))).await, 1);
    assert_eq!(readable().await, [false, false, false, false, false, false, true, false, false, false]);
    whole(&scribe, None, &rows(&*lab).await);
}

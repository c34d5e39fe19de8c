//! The chain against whoever can write to the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use proptest::prelude::*;

use super::*;
use crate::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use crate::ports::{Clock, Entropy};
use crate::seal::MasterKey;
use crate::time::Timestamp;

struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        for part in buffer.chunks_mut(8) {
            let n = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            part.copy_from_slice(&n.to_le_bytes()[..part.len()]);
        }
    }
}

fn scribe(master: u8) -> Scribe {
    let master = MasterKey::parse(&hex::encode([master; 32])).unwrap();
    Scribe::new(&master, Arc::new(Ticking(AtomicI64::new(1_800_000_000_000))), Arc::new(Counting(AtomicU64::new(1))))
}

fn login(n: u8) -> (Event, By) {
    let event = Event {
        realm: Some(Realm::from("default")),
        app: Some(AppName::from("shop")),
        session: Some(SessionId([n; 16])),
        identity: Some(IdentityId([n; 16])),
        user: Some(UserId::from("张三")),
        device: Some("her phone".into()),
        ..Event::new(Kind::Login, "known")
    };
    (event, By::actor(Actor::Client, Some([203, 0, 113, n].into())))
}

/// Rows of one person, after a head.
fn write(scribe: &Scribe, mut head: Head, many: u8) -> Vec<Row> {
    let key = PersonKey { no: 1, salt: [7; 16] };
    let next = |n| {
        let (event, by) = login(n);
        let row = scribe.row(head, scribe.now(), &event, &by, Some(&key));
        head = row.head();
        row
    };
    (1..=many).map(next).collect()
}

fn chain(many: u8) -> (Scribe, Vec<Row>) {
    let scribe = scribe(1);
    let rows = write(&scribe, scribe.genesis(), many);
    (scribe, rows)
}

fn verify(scribe: &Scribe, checkpoint: Option<&Checkpoint>, rows: &[Row], heads: &[Head]) -> Result<Verified, Fault> {
    let mut verifier = Verifier::new(scribe, checkpoint, heads.iter().copied())?;
    rows.iter().try_for_each(|row| verifier.row(row))?;
    verifier.end()
}

#[test]
fn a_whole_chain_verifies() {
    let (scribe, rows) = chain(9);
    let heads = [scribe.genesis(), rows[3].head(), rows[8].head()];
    let verified = verify(&scribe, None, &rows, &heads).unwrap();
    assert_eq!(verified, Verified { rows: 9, head: rows[8].head(), heads: 3, older: 0 });
}

#[test]
fn a_cut() {
    let (scribe, rows) = chain(9);
    // Of the tail: the rows that are left are whole, and only the exported head tells.
    assert!(verify(&scribe, None, &rows[..5], &[]).is_ok());
    assert_eq!(verify(&scribe, None, &rows[..5], &[rows[8].head()]), Err(Fault::CutOff { last: 5, exported: 9 }));
    assert_eq!(verify(&scribe, None, &[], &[rows[0].head()]), Err(Fault::CutOff { last: 0, exported: 1 }));
    // In the middle, and of the beginning.
    let middle = [&rows[..3], &rows[4..]].concat();
    assert_eq!(verify(&scribe, None, &middle, &[]), Err(Fault::Gap { after: 3, found: 5 }));
    assert_eq!(verify(&scribe, None, &rows[2..], &[]), Err(Fault::Gap { after: 0, found: 3 }));
}

#[test]
fn an_edit_of_any_byte() {
    let (scribe, rows) = chain(5);
    let edited = |change: &dyn Fn(&mut Row)| {
        let mut rows = rows.clone();
        change(&mut rows[2]);
        assert_eq!(verify(&scribe, None, &rows, &[]), Err(Fault::Edited(3)));
    };
    edited(&|row| row.at.0 += 1);
    edited(&|row| row.realm = Some(Realm::from("other")));
    edited(&|row| row.realm = None);
    edited(&|row| row.person = Some(2));
    edited(&|row| row.person = None);
    edited(&|row| row.sealed = None);
    edited(&|row| row.sealed = Some(Vec::new()));
    for at in 0..rows[2].clear.len() {
        edited(&|row| row.clear[at] ^= 1);
    }
    for at in 0..rows[2].sealed.as_ref().unwrap().len() {
        edited(&|row| row.sealed.as_mut().unwrap()[at] ^= 1);
    }
    for at in 0..32 {
        edited(&|row| row.mac[at] ^= 0x80);
    }
    // A byte that moves from one column into the next.
    edited(&|row| {
        let byte = row.clear.pop().unwrap();
        row.sealed.as_mut().unwrap().insert(0, byte);
    });
}

#[test]
fn rows_that_change_places() {
    let (scribe, mut rows) = chain(5);
    rows.swap(1, 2);
    assert_eq!(verify(&scribe, None, &rows, &[]), Err(Fault::Gap { after: 1, found: 3 }));
    let (second, third) = (rows[2].seq, rows[1].seq);
    (rows[1].seq, rows[2].seq) = (second, third);
    assert_eq!(verify(&scribe, None, &rows, &[]), Err(Fault::Edited(2)));
    let (scribe, rows) = chain(5);
    let twice = [&rows[..3], &rows[2..]].concat();
    assert_eq!(verify(&scribe, None, &twice, &[]), Err(Fault::OutOfOrder { after: 3, found: 3 }));
}

#[test]
fn a_tail_written_anew() {
    let (ours, rows) = chain(6);
    // By who has not the key.
    let forged = write(&scribe(2), rows[2].head(), 3);
    let with_forged = [&rows[..3], &forged[..]].concat();
    assert_eq!(verify(&ours, None, &with_forged, &[]), Err(Fault::Edited(4)));
    // By who has it: only a head that was exported before tells.
    let anew = write(&ours, rows[2].head(), 9);
    let with_anew = [&rows[..3], &anew[..]].concat();
    assert!(verify(&ours, None, &with_anew, &[rows[1].head()]).is_ok(), "what came after the last exported head");
    assert_eq!(verify(&ours, None, &with_anew, &[rows[1].head(), rows[5].head()]), Err(Fault::Rewritten(6)));
    // And two heads that were exported of one row.
    assert_eq!(verify(&ours, None, &rows, &[rows[5].head(), with_anew[5].head()]), Err(Fault::Rewritten(6)));
}

/// Each of them was written by us, with that number: in another copy of the database, that was put back since.
#[test]
fn a_row_of_another_copy() {
    let (scribe, rows) = chain(6);
    let copy = write(&scribe, rows[1].head(), 4);
    let one = [&rows[..3], &copy[1..2], &rows[4..]].concat();
    assert_eq!(verify(&scribe, None, &one, &[]), Err(Fault::Edited(4)));
    let the_rest = [&rows[..3], &copy[1..]].concat();
    assert_eq!(verify(&scribe, None, &the_rest, &[]), Err(Fault::Edited(4)));
}

#[test]
fn a_checkpoint_stands_for_what_it_deleted() {
    let (scribe, rows) = chain(9);
    let checkpoint = scribe.checkpoint(rows[3].head(), 4, Timestamp(5));
    let heads = [rows[0].head(), rows[3].head(), rows[8].head()];
    let verified = verify(&scribe, Some(&checkpoint), &rows[4..], &heads).unwrap();
    assert_eq!((verified.rows, verified.heads, verified.older), (5, 2, 1));
    // Deleted, it leaves a gap; changed, it is not ours; and it doesn't stand for more than it says.
    assert_eq!(verify(&scribe, None, &rows[4..], &[]), Err(Fault::Gap { after: 0, found: 5 }));
    let changed = Checkpoint { rows: 3, ..checkpoint.clone() };
    assert_eq!(verify(&scribe, Some(&changed), &rows[4..], &[]), Err(Fault::Checkpoint(4)));
    let moved = Checkpoint { head: rows[4].head(), ..checkpoint.clone() };
    assert_eq!(verify(&scribe, Some(&moved), &rows[5..], &[]), Err(Fault::Checkpoint(5)));
    let theirs = Checkpoint { mac: rows[3].mac, ..checkpoint.clone() };
    assert_eq!(
        verify(&scribe, Some(&theirs), &rows[4..], &[]),
        Err(Fault::Checkpoint(4)),
        "a row's MAC is no checkpoint's"
    );
    assert_eq!(verify(&scribe, Some(&checkpoint), &rows[5..], &[]), Err(Fault::Gap { after: 4, found: 6 }));
    let anew = Head { mac: [0; 32], ..rows[3].head() };
    assert_eq!(verify(&scribe, Some(&checkpoint), &rows[4..], &[anew]), Err(Fault::Rewritten(4)));
}

#[test]
fn what_is_personal_opens_under_its_key_only() {
    let (scribe, rows) = chain(2);
    let personal = scribe.open(&rows[0], &[7; 16]).unwrap();
    assert_eq!(personal.user, Some(UserId::from("张三")));
    assert_eq!(personal.from, Some([203, 0, 113, 1].into()));
    assert_eq!(personal.device.as_deref(), Some("her phone"));
    assert_eq!(scribe.open(&rows[0], &[8; 16]), None, "another salt");
    assert_eq!(self::scribe(2).open(&rows[0], &[7; 16]), None, "the salt without the master key");
    let spelt = format!("{:?}", rows[0]);
    let clear = String::from_utf8_lossy(&rows[0].clear);
    for personal in ["张三", "her phone"] {
        assert!(!clear.contains(personal) && !spelt.contains(personal));
    }
    assert!(!rows[0].clear.windows(4).any(|four| four == [203, 0, 113, 1]));
}

#[test]
fn whose_key() {
    let (event, by) = login(1);
    assert_eq!(Owner::of(&event, &by), Some(Owner::User(Realm::from("default"), UserId::from("张三"))));
    let guest = Event { user: None, ..event.clone() };
    assert_eq!(Owner::of(&guest, &by), Some(Owner::Identity(IdentityId([1; 16]))));
    let stranger = Event::refused(Kind::Key, "api_key_invalid");
    assert_eq!(Owner::of(&stranger, &by), Some(Owner::Network([203, 0, 113, 1].into())));
    assert_eq!(Owner::of(&stranger, &By::default()), None);
    let scribe = scribe(1);
    let of = |realm: &str, user: &str| scribe.owner(&Owner::User(Realm::from(realm), UserId::from(user)));
    assert_ne!(of("a", "bc"), of("ab", "c"));
    assert_ne!(of("a", "1"), of("b", "1"), "one realm's user is no other's");
}

#[tokio::test]
async fn on_whose_behalf() {
    assert_eq!(By::current(), By::default());
    let by = By::actor(Actor::Client, Some([192, 0, 2, 1].into()));
    let (inside, spawned, forgotten) = by
        .clone()
        .scope(async {
            By::is_session(SessionId([4; 16]));
            let spawned = tokio::spawn(carried(async { By::current() })).await.unwrap();
            (By::current(), spawned, tokio::spawn(async { By::current() }).await.unwrap())
        })
        .await;
    assert_eq!(inside, By { session: Some(SessionId([4; 16])), ..by });
    assert_eq!((spawned, forgotten), (inside, By::default()));
    assert_eq!(By::current(), By::default(), "what was learnt stays in its scope");
}

#[test]
fn a_flood_leaves_a_few_rows_and_their_number() {
    let notes = Notes::default();
    let proof = |app: &str| Event { app: Some(AppName::from(app)), ..Event::refused(Kind::Proof, "proof_invalid") };
    for n in 0..100_000 {
        // One each millisecond: ten spans of it.
        notes.tell(proof("shop"), Timestamp(n));
    }
    notes.tell(proof("other"), Timestamp(99_999));
    let drained = notes.drain(Timestamp(100_000), false);
    let count = |outcome| drained.iter().filter(|n| n.event.outcome == outcome).map(|n| n.event.count).sum::<u64>();
    assert_eq!(count(Outcome::Refused), 101, "ten a span of each app");
    assert_eq!(count(Outcome::Suppressed), 99_900, "and no one is uncounted");
    assert!(
        drained
            .iter()
            .filter(|n| n.event.outcome == Outcome::Suppressed)
            .all(|n| n.event.app == Some(AppName::from("shop")))
    );
    assert_eq!(notes.drain(Timestamp(200_000), false), Vec::new());
}

#[test]
fn a_flood_without_a_pause_is_told_while_it_lasts() {
    let notes = Notes::default();
    let mut told = 0;
    for quarter in 0..40 {
        let now = Timestamp(quarter * 2_500);
        (0..100).for_each(|_| notes.tell(Event::refused(Kind::Key, ""), now));
        let drained = notes.drain(now, false);
        told += drained.iter().map(|noted| noted.event.count).sum::<u64>();
        let passed = u64::try_from(quarter / 4).unwrap();
        assert!(told >= passed * 400, "{told} told in span {passed}");
    }
    told += notes.drain(Timestamp(100_000), false).iter().map(|noted| noted.event.count).sum::<u64>();
    assert_eq!(told, 4_000);
}

#[test]
fn what_has_no_room_is_counted() {
    let notes = Notes::default();
    for n in 0..5_000 {
        notes.tell(Event::refused(Kind::Key, "api_key_invalid"), Timestamp(n * 10_000));
    }
    let drained = notes.drain(Timestamp(50_000_000), false);
    assert_eq!(drained.len(), 1025);
    assert_eq!(drained[1024].event, Event::new(Kind::Dropped, "").times(5_000 - 1024));
    // Could not be written: the next that can says so.
    notes.lost(&drained);
    assert_eq!(notes.drain(Timestamp(60_000_000), false)[0].event.count, 5_000);
    // The running span waits for its end, but for the last call.
    (0..15).for_each(|_| notes.tell(Event::refused(Kind::Key, ""), Timestamp(70_000_000)));
    assert_eq!(notes.drain(Timestamp(70_000_001), false).len(), 10);
    assert_eq!(notes.drain(Timestamp(70_000_002), true)[0].event.count, 5);
}

proptest! {
    #[test]
    fn rows_read_as_they_are_written(
        kind in 0..Kind::ALL.len(), outcome in 0..Outcome::ALL.len(), code in "[a-z_]{0,20}", count in any::<u64>(),
        app in proptest::option::of("[a-z]{1,9}"), ids in any::<[Option<[u8; 16]>; 3]>(), user in proptest::option::of(".{1,40}"),
        device in proptest::option::of(".{0,40}"), from in proptest::option::of(any::<std::net::IpAddr>()), key in proptest::option::of("[a-z]{1,9}"),
    ) {
        let event = Event {
            outcome: Outcome::ALL[outcome],
            app: app.as_deref().map(AppName::from),
            session: ids[0].map(SessionId),
            identity: ids[1].map(IdentityId),
            realm: Some(Realm::from("r")),
            user: user.as_deref().map(UserId::from),
            device,
            ..Event::new(Kind::ALL[kind], code).times(count)
        };
        let actor = key.map_or(Actor::Platform, |key| Actor::Key(key.as_str().into()));
        let by = By { actor, session: ids[2].map(SessionId).filter(|id| Some(*id) != event.session), from };
        let scribe = scribe(1);
        let key = Owner::of(&event, &by).map(|_| PersonKey { no: 1, salt: [1; 16] });
        let row = scribe.row(scribe.genesis(), Timestamp(1), &event, &by, key.as_ref());
        let (read, reader) = row.read().unwrap();
        let personal = scribe.open(&row, &[1; 16]).unwrap_or_default();
        // Without an owner nothing personal is kept; a device alone names nobody.
        let owned = key.is_some();
        prop_assert_eq!(&personal.user, &event.user.clone().filter(|_| owned));
        prop_assert_eq!(personal.from, by.from.filter(|_| owned));
        prop_assert_eq!(Event { user: event.user.clone(), device: event.device.clone(), ..read }, event);
        prop_assert_eq!(By { from: by.from, ..reader }, by);
    }

    /// Whatever lies in a row: it is read or refused, and never a panic.
    #[test]
    fn anything_is_read_or_refused(clear: Vec<u8>, sealed: Vec<u8>) {
        let row = Row { clear, sealed: Some(sealed), ..chain(1).1.remove(0) };
        let _ = row.read();
        let _ = scribe(1).open(&row, &[0; 16]);
    }
}

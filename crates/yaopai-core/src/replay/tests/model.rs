//! Any calls in any order, against a set.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Call {
    Accept {
        session: u8,
        nonce: u8,
        ahead: i64,
    },
    /// The caller's clock moves, in milliseconds; maybe back.
    Clock(i64),
    Sweep,
    NotBefore(i64),
    Restart,
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        12 => (0..3u8, 0..4u8, -64..=7i64).prop_map(|(session, nonce, ahead)| Call::Accept { session, nonce, ahead }),
        4 => (-20_000..40_000i64).prop_map(Call::Clock),
        2 => Just(Call::Sweep),
        1 => (-90..-20i64).prop_map(Call::NotBefore),
        1 => Just(Call::Restart),
    ]
}

struct Model {
    now: i64,
    mark: i64,
    shut: i64,
    /// Session, nonce, generation.
    seen: HashSet<(u8, u8, i64)>,
    accepted: HashSet<(u8, u8, i64)>,
}

impl Model {
    /// What may be answered, of what was seen.
    fn expect(&mut self, session: u8, nonce: u8, created: i64) -> Vec<Result<(), NotFresh>> {
        self.mark = self.mark.max(self.now);
        let ms = created * 1000;
        if ms < self.mark - 60_000 || ms > self.mark + 5000 || ms <= self.shut {
            return vec![Err(NotFresh::Stale)];
        }
        let home = created.div_euclid(66);
        let near = [home - 1, home + 1].map(|number| (number, self.seen.contains(&(session, nonce, number))));
        if !self.seen.insert((session, nonce, home)) {
            return vec![Err(NotFresh::Replayed)];
        }
        let open = |number: i64| (number * 66 + 65) * 1000 >= self.mark - 60_000;
        match near {
            [(_, false), (_, false)] => vec![Ok(())],
            _ if near.iter().any(|(number, seen)| *seen && open(*number)) => vec![Err(NotFresh::Replayed)],
            // Remembered until it is swept.
            _ => vec![Ok(()), Err(NotFresh::Replayed)],
        }
    }
}

proptest! {
    #[test]
    fn as_a_set_would(calls in prop::collection::vec(call(), 1..120)) {
        let mut room = replays();
        let now = at(0).0;
        let mut model = Model { now, mark: 0, shut: i64::MIN, seen: HashSet::new(), accepted: HashSet::new() };
        for call in calls {
            match call {
                Call::Accept { session: who, nonce, ahead } => {
                    let created = model.now.div_euclid(1000) + ahead;
                    let allowed = model.expect(who, nonce, created);
                    let got = room.accept(session(who), &nonce.to_string(), created, Timestamp(model.now));
                    prop_assert!(allowed.contains(&got), "{:?}, not one of {:?}", got, allowed);
                    prop_assert!(got.is_err() || model.accepted.insert((who, nonce, created)), "accepted twice");
                }
                Call::Clock(by) => model.now += by,
                Call::Sweep => {
                    model.mark = model.mark.max(model.now);
                    room.sweep(Timestamp(model.now));
                }
                Call::NotBefore(seconds) => {
                    let at = model.now + seconds * 1000;
                    model.shut = model.shut.max(at + 5000);
                    room.not_before(Timestamp(at));
                }
                Call::Restart => {
                    let saved = Saved::from_bytes(&room.save().to_bytes()).unwrap();
                    room = Replays::restore(BOUND, &saved);
                }
            }
            prop_assert_eq!(room.high_water(), Timestamp(model.mark));
        }
    }
}

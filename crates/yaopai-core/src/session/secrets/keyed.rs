//! A keyed session's one secret. Nothing replaces it: a copy of the token is worth nothing without the key, and a client that
//! keeps its token can lose no answer that brings a new one.

use yaopai_wire::token::SecretHash;

use super::kept::{SteppedUp, Successor};
use super::{Refreshed, RequestHash, Secrets};
use crate::time::Timestamp;

impl Secrets {
    /// A step-up or a bind of a keyed session: the secret stays, and for [`STEP_UP_KEPT`](super::STEP_UP_KEPT) the same request
    /// gets the same answer. `binds`: from now on it may act as the user. Answers with the shown secret's own hash and nothing
    /// sealed.
    pub fn keep(&mut self, shown: &SecretHash, request: RequestHash, binds: bool, now: Timestamp) -> Refreshed {
        if let Some(answer) = self.answered(shown, request, now) {
            return Refreshed::Answer(answer);
        }
        if !self.current.hash.matches(shown) {
            return Refreshed::Unknown;
        }
        self.current.bound |= binds;
        let answer = Successor { hash: self.current.hash, bound: self.current.bound, sealed: Vec::new() };
        let handed_out = answer.answer();
        self.stepped_up = Some(SteppedUp { shown: *shown, request, answer, at: now.0 });
        Refreshed::Answer(handed_out)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use yaopai_wire::token::SecretHash;

    use super::super::{Answer, STEP_UP_KEPT, Standing};
    use super::*;

    const FIRST: SecretHash = SecretHash([1; 32]);
    const NOW: Timestamp = Timestamp(1_000_000);

    fn request(n: u8) -> RequestHash {
        RequestHash([n; 16])
    }

    #[test]
    fn the_secret_stays() {
        let mut secrets = Secrets::new(FIRST, false);
        let kept = Answer { sealed: vec![], hash: FIRST, bound: false };
        assert_eq!(secrets.keep(&FIRST, request(1), false, NOW), Refreshed::Answer(kept));
        assert_eq!(secrets.standing(&FIRST, NOW), Standing::Current { bound: false });
        let risen = Answer { sealed: vec![], hash: FIRST, bound: true };
        assert_eq!(secrets.keep(&FIRST, request(2), true, NOW), Refreshed::Answer(risen.clone()));
        assert_eq!(secrets.standing(&FIRST, NOW), Standing::Current { bound: true });
        assert_eq!(secrets.answered(&FIRST, request(2), NOW + STEP_UP_KEPT), Some(risen));
        assert_eq!(secrets.answered(&FIRST, request(2), NOW + STEP_UP_KEPT + Duration::from_millis(1)), None);
        assert_eq!(secrets.keep(&FIRST, request(3), false, NOW).bound(), Some(true), "a step-up takes nothing away");
    }

    #[test]
    fn another_secret_changes_nothing() {
        let mut secrets = Secrets::new(FIRST, false);
        let before = secrets.clone();
        assert_eq!(secrets.keep(&SecretHash([2; 32]), request(1), true, NOW), Refreshed::Unknown);
        assert_eq!(secrets, before);
    }

    impl Refreshed {
        fn bound(&self) -> Option<bool> {
            if let Self::Answer(answer) = self { Some(answer.bound) } else { None }
        }
    }
}

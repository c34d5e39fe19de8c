//! What is promised of a step-up: the new secret is the current one at once, nothing else passes, and only the very same
//! request gets its answer again, for a minute.

use yaopai_core::ports::{Rotate, Rotated};

use super::{GRACES, Ledger, REQUESTS, STEP_UP_KEPT, Sec, State, SteppedUp, told};

impl Ledger {
    pub fn stepped_up(&mut self, r: &Rotate, out: &Rotated) {
        self.took_none("step_up");
        let before = match self.promised_of(r) {
            Ok(before) => before,
            Err(refusal) => {
                if told(out) != refusal {
                    self.wrong(format!("a step-up of {}: promised is {refusal:?}, it was {:?}", r.id, told(out)));
                }
                return;
            }
        };
        let Rotated::Answer(session, answer) = out else {
            return self.wrong(format!("a step-up of {}: promised is an answer, it was {out:?}", r.id));
        };
        let got = answer.hash.0;
        let Some(sess) = self.sessions.get_mut(&r.id) else { return };
        let mut wrong = Vec::new();
        match before {
            Some(before) if before != got => wrong.push("the same step-up was given two different secrets"),
            Some(_) => self.repeated += 1,
            None => {
                if got != r.candidate.hash.0 {
                    wrong.push("it handed out an old secret");
                }
                let bound = sess.secrets.get(&r.shown.0).is_some_and(|s| s.bound);
                for sec in sess.secrets.values_mut() {
                    sec.state = match sec.state {
                        State::Current | State::Successor => State::Cut(r.now.0),
                        State::Retired(at) if sec.state.passes(r.now) => State::Cut(at),
                        state => state,
                    };
                }
                sess.secrets.insert(got, Sec { bound, state: State::Current, asked: Default::default() });
                sess.current = got;
                sess.vouched_at = r.now;
                sess.stepped_up = Some(SteppedUp { shown: r.shown.0, request: r.request.0, answer: got, at: r.now.0 });
                self.step_ups += 1;
            }
        }
        if sess.secrets.get(&got).is_some_and(|s| s.bound) != answer.bound {
            wrong.push("the answer's rank is not its secret's");
        }
        if session.vouched_at != sess.vouched_at || session.absolute_at != sess.absolute_at {
            wrong.push("the session was vouched for at another time than promised, or lives longer");
        }
        wrong.into_iter().for_each(|w| self.wrong(format!("a step-up of {}: {w}", r.id)));
    }

    /// The secret that must be answered, if this was asked before; or a refusal's name.
    fn promised_of(&mut self, r: &Rotate) -> Result<Option<[u8; 32]>, String> {
        let sess = self.sessions.get_mut(&r.id).ok_or("unknown")?;
        if !sess.secrets.contains_key(&r.shown.0) {
            return Err("unknown".into());
        }
        if let Some(reason) = sess.ended {
            return Err(format!("ended {}", reason.as_str()));
        }
        if let Some(s) = &sess.stepped_up
            && (s.shown, s.request) == (r.shown.0, r.request.0)
            && r.now.0 <= s.at + STEP_UP_KEPT
        {
            return Ok(Some(s.answer));
        }
        sess.confirm(&r.shown.0, r.now);
        let sec = sess.secrets.get(&r.shown.0).ok_or("unknown")?;
        if sec.state != State::Current {
            return Err("superseded".into());
        }
        if sec.asked.len() >= REQUESTS || sess.graces(r.now) >= GRACES {
            return Err("too many".into());
        }
        Ok(None)
    }

    /// Ends that this call must not have handed out.
    fn took_none(&mut self, call: &str) {
        if !self.ended_now.is_empty() {
            let ended = std::mem::take(&mut self.ended_now);
            self.wrong(format!("{call} ended {ended:?}"));
        }
    }
}

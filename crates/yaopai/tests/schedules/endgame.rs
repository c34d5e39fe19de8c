//! The end of a schedule: the weather calms down, everything late arrives, and who is honest must still be logged in; then
//! thief and owner both go on, and the theft must be found.

use yaopai_core::ids::SessionId;
use yaopai_core::session::EndReason;

use super::client::{Login, Next};
use super::network::From;
use super::schedule::{MINUTE, SECOND, Schedule, name, tail};
use super::server::{Call, Reply};

/// So many rounds may pass until a theft is found: each side refreshes and uses its newest token once a round.
const ROUNDS: usize = 4;

impl Schedule {
    pub fn end(&mut self) {
        self.drain();
        self.calm = Some(Vec::new());
        let before: Vec<_> = (0..self.phones.len()).filter(|p| self.goes_on(*p).is_none()).collect();
        for thief in 0..self.thieves.len() {
            if self.wrong.is_empty() {
                self.unmask(thief);
            }
        }
        // Once more for those who met no thief.
        for phone in before {
            let _ = self.goes_on(phone);
        }
        self.look(true);
    }

    /// An honest phone uses its token, refreshes it and uses the new one. Its session, if it still has one.
    fn goes_on(&mut self, phone: usize) -> Option<SessionId> {
        for step in 0..3 {
            for attempt in 0.. {
                let dice = &mut self.dice;
                let shown = self.phones[phone].client.show(0, &mut || dice.id())?;
                let token = shown.token;
                let call = match (step, self.noted(phone)) {
                    (_, Some(noted)) => Call::StepUp { token, request_id: noted.request_id, code: noted.code },
                    (1, None) => Call::Refresh { token, request_id: shown.refresh_id },
                    (_, None) => Call::Check { token, background: false },
                };
                match self.ask_as(phone, call) {
                    Next::Later => break,
                    Next::LogIn => return None,
                    Next::Again | Next::StepUp if attempt < 3 => {}
                    Next::Refresh if attempt < 3 => {
                        let dice = &mut self.dice;
                        let shown = self.phones[phone].client.show(0, &mut || dice.id())?;
                        self.ask_as(phone, Call::Refresh { token: shown.token, request_id: shown.refresh_id });
                    }
                    next => {
                        self.wrong(format!("phone {phone} is told {next:?} again and again"));
                        return None;
                    }
                }
            }
        }
        let token = &self.phones[phone].client.stored.as_ref()?.token;
        self.ghost.known.get(token).map(|k| k.session)
    }

    /// The step-up that the phone waits for: it alone is sent until it is answered.
    pub fn noted(&self, phone: usize) -> Option<Login> {
        self.phones[phone].client.stored.as_ref()?.step_up.clone()
    }

    fn ask_as(&mut self, phone: usize, call: Call) -> Next {
        let reply = self.ask(From::Page { phone, page: 0, call: 0 }, call.clone());
        if !matches!(reply, Reply::Passes { .. } | Reply::Granted { .. } | Reply::Refused(_)) {
            self.wrong(format!("phone {phone}: {call:?} is not answered"));
        }
        self.take_answer(phone, self.messages.len() - 1, reply)
    }

    fn why(&self, session: SessionId) -> Option<EndReason> {
        self.ground.ledger.lock().unwrap().sessions.get(&session)?.ended
    }

    /// Both sides go on. The session must end as `reused`, and then nobody passes.
    fn unmask(&mut self, thief: usize) {
        let Some(session) = self.ghost.known.get(&self.thieves[thief].holds[0]).map(|k| k.session) else { return };
        if !self.thieves[thief].acted && !self.dice.chance(500) {
            return; // A thief who never acts isn't found, and does no harm.
        }
        self.figures.thefts_played += 1;
        for _ in 0..ROUNDS {
            if self.why(session).is_some() {
                break;
            }
            let owner = self.owner(session);
            self.wait();
            if self.steals_on(thief).is_some() || owner.is_none() {
                break;
            }
            self.wait();
            if let Some(owner) = owner {
                let _ = self.goes_on(owner);
            }
        }
        // The store knows at the next request what the clock says now.
        self.steals_on(thief);
        self.upkeep();
        self.look(true);
        match self.why(session) {
            Some(EndReason::Reused) => self.figures.thefts_found += 1,
            Some(_) => self.figures.thefts_moot += 1,
            None if self.owner(session).is_none() => self.figures.thefts_moot += 1,
            None => self.wrong(format!("both sides went on in {} and the theft was not found", name(session))),
        }
        if self.why(session).is_some() {
            self.nobody_passes(session);
        }
    }

    fn owner(&self, session: SessionId) -> Option<usize> {
        let holds = |p: &super::people::Phone| {
            let known = self.ghost.known.get(&p.client.stored.as_ref()?.token)?;
            Some(known.session == session)
        };
        self.phones.iter().position(|p| holds(p) == Some(true))
    }

    /// Longer than a grace, shorter than the idle time-out.
    fn wait(&mut self) {
        let to = self.now + self.dice.between(31 * SECOND, 20 * MINUTE);
        self.pass_time(to);
        self.note(|_| "  time passes".into());
    }

    /// The thief refreshes the newest token and uses what it gets. `Some` if the session is over for the thief.
    fn steals_on(&mut self, thief: usize) -> Option<()> {
        let token = self.thieves[thief].holds.last()?.clone();
        let request_id = self.dice.id();
        let reply = self.ask(From::Thief(thief), Call::Refresh { token, request_id });
        match &reply {
            Reply::Granted { token, .. } => {
                self.thief_answered(thief, reply.clone());
                let token = token.clone();
                self.ask(From::Thief(thief), Call::Check { token, background: false });
                None
            }
            _ => Some(()),
        }
    }

    /// No token of an ended session passes, on any way.
    fn nobody_passes(&mut self, session: SessionId) {
        for token in self.ghost.newest(session, 5) {
            let request_id = self.dice.id();
            let code = format!("code-late-{}", tail(&self.dice.id()));
            self.ground.platform.codes.lock().unwrap().insert(code.clone(), self.phones[0].openid.clone());
            for call in [
                Call::StepUp { token: token.clone(), request_id: request_id.clone(), code },
                Call::Check { token: token.clone(), background: false },
                Call::Read { token: token.clone() },
                Call::Refresh { token: token.clone(), request_id: request_id.clone() },
                Call::Bind { token: token.clone(), request_id: request_id.clone() },
            ] {
                let reply = self.ask(From::Thief(0), call);
                if !matches!(reply, Reply::Refused(_)) {
                    self.wrong(format!("a token of {} still gets {reply:?}", name(session)));
                }
            }
        }
    }
}

//! Thieves: they copy a token, use it and refresh it as they like.

use super::client::Login;
use super::network::From;
use super::schedule::{Event, Schedule, tail};
use super::server::{Call, Reply};

/// How the codes of thieves' own accounts begin.
pub const OWN_CODE: &str = "code-thief-";

/// Somebody with a copy of a token.
pub struct Thief {
    /// Newest last.
    pub holds: Vec<String>,
    /// The id under which the copied token is refreshed, where the whole storage was copied.
    pub id: Option<(String, String)>,
    /// The step-up of the copied token that was noted in that storage.
    pub step_up: Option<Login>,
    /// Did a request of theirs reach the server?
    pub acted: bool,
}

impl Schedule {
    /// Somebody copies a token: the one stored now, or one that was seen on the way.
    pub fn steal(&mut self) {
        let phone = self.dice.index(self.phones.len());
        let Some(stored) = self.phones[phone].client.stored.clone() else { return };
        let whole = self.dice.chance(300);
        let old = self.ghost.older(&stored.token).filter(|_| self.dice.chance(300));
        let token = old.unwrap_or_else(|| stored.token.clone());
        let step_up = stored.step_up.filter(|_| whole);
        let id = whole.then(|| (stored.token.clone(), stored.refresh_id));
        self.note(|_| format!("  …{} of phone {phone} is copied, with its id: {whole}", tail(&token)));
        self.thieves.push(Thief { holds: vec![token], id, step_up, acted: false });
        let after = self.think();
        self.at(after, Event::ThiefWakes { thief: self.thieves.len() - 1 });
    }

    pub fn thief_wakes(&mut self, thief: usize) {
        let call = self.thief_call(thief);
        self.send(From::Thief(thief), call);
        let after = self.think();
        self.at(after, Event::ThiefWakes { thief });
    }

    fn thief_call(&mut self, thief: usize) -> Call {
        let dice = &mut self.dice;
        let it = &self.thieves[thief];
        let newest = it.holds.len() - 1;
        let token = it.holds[if dice.chance(700) { newest } else { dice.index(it.holds.len()) }].clone();
        match dice.below(10) {
            0..5 => Call::Check { token, background: false },
            5 => Call::Read { token },
            6 => match (&it.id, &it.step_up) {
                (Some((copied, _)), Some(noted)) if *copied == token => {
                    Call::StepUp { token, request_id: noted.request_id.clone(), code: noted.code.clone() }
                }
                _ => {
                    // An account of their own they have.
                    let code = format!("{OWN_CODE}{}", tail(&dice.id()));
                    self.ground.platform.codes.lock().unwrap().insert(code.clone(), "thief".into());
                    Call::StepUp { token, request_id: dice.id(), code }
                }
            },
            _ => match &it.id {
                Some((copied, id)) if *copied == token => Call::Refresh { token, request_id: id.clone() },
                _ => Call::Refresh { token, request_id: dice.id() },
            },
        }
    }

    pub fn thief_answered(&mut self, thief: usize, reply: Reply) {
        if let Reply::Granted { token, .. } = reply {
            let holds = &mut self.thieves[thief].holds;
            if !holds.contains(&token) {
                holds.push(token);
            }
        }
    }
}

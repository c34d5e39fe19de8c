//! The tokens that were handed out to the phone, so that the page can draw what each is worth. Only their hashes and their two
//! ends are kept.

use serde_json::{Value, json};
use yaopai_core::session::{Session, Standing};
use yaopai_core::time::Timestamp;
use yaopai_wire::token::{SecretHash, Token};

use crate::cli::demo::tale::short;

/// How many are remembered; the oldest go.
const MAX: usize = 12;

/// In the order in which they were handed out.
#[derive(Default)]
pub struct Tokens(Vec<Known>);

struct Known {
    shown: String,
    session: [u8; 16],
    hash: SecretHash,
    holders: Vec<&'static str>,
}

impl Tokens {
    /// Somebody has this token: nobody else has it that was said to have another before.
    pub fn hold(&mut self, who: &'static str, token: &str) {
        let Ok(parsed) = Token::parse(token.as_bytes()) else { return };
        let hash = parsed.secret.hash();
        self.0.iter_mut().for_each(|k| k.holders.retain(|h| *h != who));
        if let Some(known) = self.0.iter_mut().find(|k| k.hash == hash) {
            known.holders.push(who);
            return;
        }
        if self.0.len() >= MAX {
            self.0.remove(0);
        }
        self.0.push(Known { shown: short(token), session: parsed.id, hash, holders: vec![who] });
    }

    /// What each of a session's tokens is worth at this moment, by the session's own rules.
    pub fn worth(&self, session: &Session, now: Timestamp) -> Vec<Value> {
        let own = self.0.iter().filter(|k| k.session == session.id.0);
        own.map(|known| {
            let (standing, bound) = match session.secrets.standing(&known.hash, now) {
                Standing::Current { bound } => ("current", Some(bound)),
                Standing::Successor { bound } => ("successor", Some(bound)),
                Standing::Grace { bound } => ("grace", Some(bound)),
                Standing::Retired => ("retired", None),
                Standing::Unknown => ("unknown", None),
            };
            json!({ "token": known.shown, "standing": standing, "bound": bound, "holders": known.holders })
        })
        .collect()
    }
}

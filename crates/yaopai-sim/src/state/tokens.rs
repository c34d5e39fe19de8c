//! Access tokens of the two kinds, which never invalidate each other.
//!
//! `/cgi-bin/token`: each call issues a new one; the one before passes five minutes more. `/cgi-bin/stable_token`: the same one
//! until its last five minutes; a forced refresh kills it at once, at most 20 times a day and not within 30 s of the last.

use std::collections::{HashMap, VecDeque};

use crate::dice::Dice;

const LIFE_MS: u64 = 7200 * 1000;
const OVERLAP_MS: u64 = 300 * 1000;
const FORCE_PAUSE_MS: u64 = 30 * 1000;
const FORCED_PER_DAY: u32 = 20;
const DAY_MS: u64 = 24 * 3600 * 1000;
/// The vendor's day begins at midnight in Beijing (INF).
const BEIJING_MS: u64 = 8 * 3600 * 1000;
/// How many tokens of one app and kind are remembered, to tell "expired" from "never seen".
const REMEMBERED: usize = 64;

/// Which endpoint issued a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TokenKind {
    Plain,
    Stable,
}

/// What an API says about a token that was shown to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenStanding {
    /// Live; of this app.
    Good(String),
    /// Its two hours are over: 42001.
    Expired,
    /// Superseded, revoked or never issued: 40001.
    Dead,
    /// Not the shape of a token at all: 40014.
    Malformed,
}

struct Token {
    app: String,
    expires_ms: u64,
    /// Earlier than `expires_ms` once superseded or revoked.
    dies_ms: u64,
}

#[derive(Default)]
struct Line {
    oldest_first: VecDeque<String>,
    forced: Option<Forced>,
}

struct Forced {
    last_ms: Option<u64>,
    day: u64,
    count: u32,
}

/// An answer to a call for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) token: String,
    /// Seconds left.
    pub(crate) expires_in: u64,
}

#[derive(Default)]
pub(crate) struct Tokens {
    by_token: HashMap<String, Token>,
    lines: HashMap<(String, TokenKind), Line>,
}

impl Tokens {
    /// `/cgi-bin/token`.
    pub(crate) fn plain(&mut self, app: &str, now: u64, dice: &mut Dice) -> Issued {
        self.supersede(app, TokenKind::Plain, now.saturating_add(OVERLAP_MS));
        self.issue(app, TokenKind::Plain, now, dice)
    }

    /// `/cgi-bin/stable_token`; `None` if the day's forced refreshes are used up.
    pub(crate) fn stable(&mut self, app: &str, force: bool, now: u64, dice: &mut Dice) -> Option<Issued> {
        let Some(current) = self.current(app, TokenKind::Stable, now) else {
            return Some(self.issue(app, TokenKind::Stable, now, dice));
        };
        if force {
            return self.forced(app, current, now, dice);
        }
        let left_ms = self.by_token.get(&current).map_or(0, |token| token.dies_ms.saturating_sub(now));
        if left_ms > OVERLAP_MS {
            return Some(Issued { token: current, expires_in: left_ms / 1000 });
        }
        // Its last five minutes: it lives on to its own end, which is the overlap.
        Some(self.issue(app, TokenKind::Stable, now, dice))
    }

    fn forced(&mut self, app: &str, current: String, now: u64, dice: &mut Dice) -> Option<Issued> {
        let line = self.lines.entry((app.to_owned(), TokenKind::Stable)).or_default();
        let day = now.saturating_add(BEIJING_MS) / DAY_MS;
        let forced = line.forced.get_or_insert(Forced { last_ms: None, day, count: 0 });
        if forced.day != day {
            (forced.day, forced.count) = (day, 0);
        }
        if forced.last_ms.is_some_and(|last| now.saturating_sub(last) < FORCE_PAUSE_MS) {
            let left_ms = self.by_token.get(&current).map_or(0, |token| token.dies_ms.saturating_sub(now));
            return Some(Issued { token: current, expires_in: left_ms / 1000 });
        }
        if forced.count >= FORCED_PER_DAY {
            return None;
        }
        forced.count += 1;
        forced.last_ms = Some(now);
        self.supersede(app, TokenKind::Stable, now);
        Some(self.issue(app, TokenKind::Stable, now, dice))
    }

    /// Kills every token of an app, as an administrator's reset of the AppSecret would.
    pub(crate) fn revoke(&mut self, app: &str, now: u64) {
        self.supersede(app, TokenKind::Plain, now);
        self.supersede(app, TokenKind::Stable, now);
    }

    pub(crate) fn standing(&self, token: &str, now: u64) -> TokenStanding {
        match self.by_token.get(token) {
            Some(known) if now < known.dies_ms => TokenStanding::Good(known.app.clone()),
            Some(known) if known.dies_ms == known.expires_ms => TokenStanding::Expired,
            Some(_) => TokenStanding::Dead,
            None if well_formed(token) => TokenStanding::Dead,
            None => TokenStanding::Malformed,
        }
    }

    fn current(&self, app: &str, kind: TokenKind, now: u64) -> Option<String> {
        let newest = self.lines.get(&(app.to_owned(), kind))?.oldest_first.back()?;
        self.by_token.get(newest).filter(|token| now < token.dies_ms).map(|_| newest.clone())
    }

    fn supersede(&mut self, app: &str, kind: TokenKind, dies_ms: u64) {
        let Some(line) = self.lines.get(&(app.to_owned(), kind)) else { return };
        for token in &line.oldest_first {
            if let Some(token) = self.by_token.get_mut(token) {
                token.dies_ms = token.dies_ms.min(dies_ms);
            }
        }
    }

    fn issue(&mut self, app: &str, kind: TokenKind, now: u64, dice: &mut Dice) -> Issued {
        let token = dice.access_token();
        let expires_ms = now.saturating_add(LIFE_MS);
        self.by_token.insert(token.clone(), Token { app: app.to_owned(), expires_ms, dies_ms: expires_ms });
        let line = self.lines.entry((app.to_owned(), kind)).or_default();
        line.oldest_first.push_back(token.clone());
        if line.oldest_first.len() > REMEMBERED
            && let Some(oldest) = line.oldest_first.pop_front()
        {
            self.by_token.remove(&oldest);
        }
        Issued { token, expires_in: LIFE_MS / 1000 }
    }
}

/// The shape every token of ours has: `NN_` and URL-safe base64 (that WeChat decides 40014 by the shape is INF).
fn well_formed(token: &str) -> bool {
    let Some((number, rest)) = token.split_once('_') else { return false };
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && (64..=512).contains(&rest.len())
        && rest.bytes().all(base64url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_tokens_is_bounded() {
        let (mut tokens, mut dice) = (Tokens::default(), Dice::new(1));
        for n in 0..1000 {
            tokens.plain("wx", n * 1000, &mut dice);
        }
        assert_eq!(tokens.by_token.len(), REMEMBERED);
    }
}

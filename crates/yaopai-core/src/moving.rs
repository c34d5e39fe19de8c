//! Moving an app from a session that its back end made at home, person by person: who is on which side. Pure.
//!
//! An app without a move's state is in no move: everybody is on our side. `docs/moving.md` tells how a team goes about it.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use crate::ids::{AppName, UserId};

/// How many openids, and how many users, a move names.
pub const LISTED_MAX: usize = 1_000;

/// A share in hundredths of a percent.
const ALL: u16 = 10_000;

/// Which part of an app's people has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u16);

impl Share {
    /// Nobody.
    pub const NOBODY: Self = Self(0);
    /// Everybody.
    pub const EVERYBODY: Self = Self(ALL);

    /// Of hundredths of a percent, 0 to 10,000.
    pub fn of_hundredths(hundredths: u16) -> Option<Self> {
        (hundredths <= ALL).then_some(Self(hundredths))
    }

    /// Of a percentage with two decimals at most.
    pub fn of_percent(percent: f64) -> Option<Self> {
        let hundredths = (percent * 100.0).round();
        // Two decimals can't be told exactly in binary; three differ by far more than this.
        let is_whole = (percent * 100.0 - hundredths).abs() < 1e-6;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 to 10,000, and whole")]
        (is_whole && (0.0..=f64::from(ALL)).contains(&hundredths)).then_some(Self(hundredths as u16))
    }

    /// In hundredths of a percent.
    pub fn hundredths(self) -> u16 {
        self.0
    }

    /// In percent.
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// Is this person in it? Each person has a fixed place in its app, so a growing share only adds people.
    pub fn holds(self, app: &AppName, openid: &str) -> bool {
        place(app, openid) < u64::from(self.0)
    }
}

/// A person's place in its app: 0 to 9,999.
fn place(app: &AppName, openid: &str) -> u64 {
    let mut sha = Sha256::new();
    for part in [b"yaopai move".as_slice(), b"\0", app.as_str().as_bytes(), b"\0", openid.as_bytes()] {
        sha.update(part);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&sha.finalize()[..8]);
    u64::from_be_bytes(first) % u64::from(ALL)
}

/// The state of an app's move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppMove {
    /// Which part of its people has moved.
    pub share: Share,
    /// These have, whatever the share says: [`LISTED_MAX`] at most.
    pub openids: BTreeSet<String>,
    /// And so have these of the business system's users: [`LISTED_MAX`] at most.
    pub users: BTreeSet<UserId>,
    /// The one switch: everybody is on the legacy side, and share and lists are kept for later.
    pub back: bool,
}

/// What a move says of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveFor {
    /// The app's share.
    pub share: Share,
    /// Is the person's openid or user on a list?
    pub listed: bool,
    /// Are there openids on the list?
    pub by_openid: bool,
    /// Are there users on the list, so that it matters who the person is?
    pub by_user: bool,
    /// Is everybody on the legacy side?
    pub back: bool,
}

impl AppMove {
    /// What it says of one person.
    pub fn of(&self, openid: &str, user: Option<&UserId>) -> MoveFor {
        MoveFor {
            share: self.share,
            listed: self.openids.contains(openid) || user.is_some_and(|user| self.users.contains(user)),
            by_openid: !self.openids.is_empty(),
            by_user: !self.users.is_empty(),
            back: self.back,
        }
    }
}

/// Whose session a person has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Ours.
    Yaopai,
    /// The back end's own, as before.
    Legacy,
}

/// What put a person there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The share, which holds the person or doesn't.
    Share,
    /// A list.
    Listed,
    /// The switch.
    Back,
    /// The app is in no move.
    NoMove,
}

impl Side {
    /// As the admin API says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yaopai => "yaopai",
            Self::Legacy => "legacy",
        }
    }
}

impl Why {
    /// As the admin API, the audit log and the log say it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Listed => "listed",
            Self::Back => "back",
            Self::NoMove => "no_move",
        }
    }
}

/// On which side a person is, and by what.
pub fn side(said: Option<&MoveFor>, app: &AppName, openid: &str) -> (Side, Why) {
    match said {
        None => (Side::Yaopai, Why::NoMove),
        Some(said) if said.back => (Side::Legacy, Why::Back),
        Some(said) if said.listed => (Side::Yaopai, Why::Listed),
        Some(said) if said.share.holds(app, openid) => (Side::Yaopai, Why::Share),
        Some(_) => (Side::Legacy, Why::Share),
    }
}

/// Why a person is on the legacy side, if so.
pub fn stays(said: Option<&MoveFor>, app: &AppName, openid: &str) -> Option<Why> {
    match side(said, app, openid) {
        (Side::Legacy, why) => Some(why),
        (Side::Yaopai, _) => None,
    }
}

/// Why everybody is on the legacy side, whoever that is, if so.
pub fn all_stay(said: Option<&MoveFor>) -> Option<Why> {
    let said = said?;
    let nobody = said.share == Share::NOBODY && !said.by_openid && !said.by_user;
    if said.back { Some(Why::Back) } else { nobody.then_some(Why::Share) }
}

#[cfg(test)]
#[path = "moving_tests.rs"]
mod tests;

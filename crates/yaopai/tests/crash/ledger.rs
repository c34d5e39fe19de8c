//! What was answered, and whether it still holds.

use std::fmt;

use crate::worker::World;

/// One session as its worker knows it.
#[derive(Debug)]
pub struct Held {
    #[allow(dead_code, reason = "printed when something is lost")]
    pub person: String,
    /// The newest token that was answered.
    pub token: String,
    /// The user it may act as, if a bind or a login answered so.
    pub user: Option<String>,
    /// The code of its end, if that was answered.
    pub ended: Option<&'static str>,
    /// A call that was sent and not answered: it may have happened or not.
    pub open: Option<Open>,
}

/// What may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Nothing that the newest token would notice.
    Harmless,
    /// The session may have ended so.
    End(&'static str),
}

/// Counts.
#[derive(Debug, Default, Clone)]
pub struct Figures {
    pub logins: u64,
    pub refreshes: u64,
    pub confirms: u64,
    pub binds: u64,
    pub ends: u64,
    pub verified: u64,
    /// Calls whose answer the kill cut off.
    pub unanswered: u64,
    /// Answered, and gone.
    pub lost: u64,
    /// Ended, and alive.
    pub undead: u64,
}

impl Figures {
    pub fn add(&mut self, other: &Self) {
        self.logins += other.logins;
        self.refreshes += other.refreshes;
        self.confirms += other.confirms;
        self.binds += other.binds;
        self.ends += other.ends;
        self.unanswered += other.unanswered;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "answered: {} logins, {} refreshes, {} confirms, {} binds, {} ends; {} cut off; {} verified: {} lost, {} ended \
             and alive",
            self.logins,
            self.refreshes,
            self.confirms,
            self.binds,
            self.ends,
            self.unanswered,
            self.verified,
            self.lost,
            self.undead
        )
    }
}

impl Held {
    /// Asks the server about it.
    pub async fn verify(&mut self, world: &World, figures: &mut Figures) {
        figures.verified += 1;
        let (passes, code, user) = world.check(&self.token).await;
        if let Some(ended) = self.ended {
            if passes {
                figures.undead += 1;
                println!("alive again: {self:?}");
            } else if code != ended {
                figures.lost += 1;
                println!("the reason is lost, {code} now: {self:?}");
            }
            return;
        }
        match self.open.take() {
            Some(Open::End(end)) if !passes && code == end => self.ended = Some(end),
            _ if !passes => {
                figures.lost += 1;
                println!("lost, {code} now: {self:?}");
            }
            _ => {}
        }
        if passes && self.user.as_ref().is_some_and(|u| *u != user) {
            figures.lost += 1;
            println!("the bind is lost: {self:?}");
        }
    }
}

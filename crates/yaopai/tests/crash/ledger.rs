//! What was answered, and whether it still holds.

use std::fmt;

use serde_json::json;

use crate::worker::World;

/// One session as its worker knows it.
#[derive(Debug)]
pub struct Held {
    #[allow(dead_code, reason = "printed when something is lost")]
    pub person: String,
    pub app: &'static str,
    /// The newest token that was answered.
    pub token: String,
    /// The user it may act as, if a bind or a login answered so.
    pub user: Option<String>,
    /// The code of its end, if that was answered.
    pub ended: Option<&'static str>,
    /// A call that was sent and not answered: it may have happened or not.
    pub open: Option<Open>,
    /// A token that an answered first use of its successor has retired.
    pub retired: Option<Retired>,
}

/// What may have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Open {
    /// The newest token's first use.
    Confirm,
    /// A refresh under this id.
    Refresh(String),
    /// A bind under this id.
    Bind(String),
    /// The session may have ended so.
    End(&'static str),
}

/// A token that is of no use any more, or will soon be.
#[derive(Debug, Clone)]
pub struct Retired {
    pub token: String,
    /// Under which it was refreshed.
    pub request_id: String,
    /// When the request that retired it was sent and answered, in milliseconds since the epoch.
    pub sent: i64,
    pub answered: i64,
}

/// A retired token passes for so long (milliseconds).
pub const GRACE: i64 = 30_000;

/// Counts.
#[derive(Debug, Default, Clone)]
pub struct Figures {
    pub logins: u64,
    pub refreshes: u64,
    pub confirms: u64,
    pub binds: u64,
    pub ends: u64,
    pub verified: u64,
    /// Calls that were cut off and then sent again.
    pub repeated: u64,
    /// Retired tokens that still passed, and that did not any more.
    pub graces: u64,
    pub superseded: u64,
    /// Thefts played, all of them found.
    pub thefts: u64,
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
            "answered: {} logins, {} refreshes, {} confirms, {} binds, {} ends; {} cut off, {} sent again; {} verified, {} \
             retired tokens in their grace, {} superseded, {} thefts: {} lost, {} ended and alive",
            self.logins,
            self.refreshes,
            self.confirms,
            self.binds,
            self.ends,
            self.unanswered,
            self.repeated,
            self.verified,
            self.graces,
            self.superseded,
            self.thefts,
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
        let open = self.open.take();
        if !passes {
            match open {
                Some(Open::End(end)) if code == end => self.ended = Some(end),
                _ => self.lost(figures, &format!("refused as {code}")),
            }
            return;
        }
        if self.user.as_ref().is_some_and(|u| *u != user) {
            self.lost(figures, "its user is gone");
        }
        match open {
            Some(Open::Refresh(id)) => self.again(world, figures, "/session/refresh", &id).await,
            Some(Open::Bind(id)) => self.again(world, figures, "/binding", &id).await,
            Some(Open::End(_) | Open::Confirm) | None => {}
        }
        self.verify_retired(world, figures).await;
    }

    fn lost(&self, figures: &mut Figures, what: &str) {
        figures.lost += 1;
        println!("lost, {what}: {self:?}");
    }

    /// The call that was cut off, twice: one request, one answer, whether it had happened or not.
    async fn again(&mut self, world: &World, figures: &mut Figures, path: &str, id: &str) {
        figures.repeated += 1;
        let form = json!({ "account": self.person, "password": "secret" });
        let body = json!({ "request_id": id, "way": "form", "form": form });
        let (first, token) = world.granted(path, &self.token, &body).await;
        let (second, again) = world.granted(path, &self.token, &body).await;
        if (first, second) != (200, 200) || token != again {
            self.lost(figures, &format!("{path} again gave {first} and {second}"));
        }
        let (passes, code, user) = world.check(&token).await;
        if !passes || (path == "/binding" && user != self.bound_to()) {
            self.lost(figures, &format!("{path} again gave a token that is refused: {code:?}, user {user:?}"));
        }
        self.token = token;
        if !user.is_empty() {
            self.user = Some(user);
        }
    }

    /// Whom a bind binds it to.
    pub fn bound_to(&self) -> String {
        format!("u-{}", self.person)
    }

    /// A retired token passes through its grace and never after; a late copy of its refresh does no harm.
    async fn verify_retired(&mut self, world: &World, figures: &mut Figures) {
        let Some(retired) = self.retired.clone() else { return };
        let before = world.now();
        let (passes, code, _) = world.check(&retired.token).await;
        let after = world.now();
        if after < retired.sent + GRACE {
            figures.graces += 1;
            if !passes {
                self.lost(figures, &format!("a token in its grace is refused as {code}"));
            }
        }
        if before > retired.answered + GRACE + 1 {
            figures.superseded += 1;
            let body = json!({ "request_id": retired.request_id });
            let (status, _) = world.granted("/session/refresh", &retired.token, &body).await;
            let (newest_passes, _, _) = world.check(&self.token).await;
            if passes || code != "session_superseded" || status != 401 || !newest_passes {
                figures.undead += 1;
                println!("a retired token: {passes}, {code}, {status}, {newest_passes}: {self:?}");
            }
        }
    }

    /// Somebody refreshes the retired token, after its grace, under an id of their own. The session ends.
    pub async fn steal(&mut self, world: &World, figures: &mut Figures) {
        let Some(retired) = self.retired.clone().filter(|r| world.now() > r.answered + GRACE + 1) else { return };
        if self.ended.is_some() {
            return;
        }
        figures.thefts += 1;
        let body = json!({ "request_id": format!("of-a-thief-{}-{}", retired.request_id, figures.thefts) });
        world.granted("/session/refresh", &retired.token, &body).await;
        self.ended = Some("session_reused");
        self.verify(world, figures).await;
    }
}

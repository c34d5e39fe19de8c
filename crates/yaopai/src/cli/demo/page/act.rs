//! What can be pressed on the page, one at a time.

use serde_json::{Value, json};

use super::stage::{Later, Stage};

/// A press.
#[derive(serde::Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Take this user's phone and open the mini program.
    Open {
        user: String,
    },
    /// Put the phone away.
    Leave {},
    /// The shop's website shows a bind code.
    ShowCode {},
    Later {
        how: Later,
    },
    Lose {},
    Skew {},
    Outage {},
    SessionKey {},
    Tablet {},
    Kicked {},
    Steal {},
    ThiefReads {},
    ThiefRefreshes {},
    Capture {},
    ThiefRepeats {},
    ThiefMoves {},
    Forge {},
    /// Empty the log.
    Clear {},
}

impl Act {
    /// What the log calls it, and what it is about; `None` for what needs no line of its own.
    fn step(&self) -> Option<(&'static str, Value)> {
        let name = match self {
            Self::Clear {} | Self::Lose {} | Self::Leave {} => return None,
            Self::Open { user } => return Some(("open", json!({ "user": user }))),
            Self::Later { how } => return Some(("later", json!({ "how": how }))),
            Self::ShowCode {} => "show_code",
            Self::Skew {} => "skew",
            Self::Outage {} => "outage",
            Self::SessionKey {} => "session_key",
            Self::Tablet {} => "tablet",
            Self::Kicked {} => "kicked",
            Self::Steal {} => "steal",
            Self::ThiefReads {} => "thief_reads",
            Self::ThiefRefreshes {} => "thief_refreshes",
            Self::Capture {} => "capture",
            Self::ThiefRepeats {} => "thief_repeats",
            Self::ThiefMoves {} => "thief_moves",
            Self::Forge {} => "forge",
        };
        Some((name, json!({})))
    }
}

impl Stage {
    /// Does it.
    ///
    /// # Errors
    /// Something of the demo itself failed; a refusal by the server is none.
    pub async fn act(&mut self, act: Act) -> anyhow::Result<()> {
        if let Some((name, about)) = act.step() {
            self.ground.wire.step(name, about);
        }
        match act {
            Act::Open { user } => self.open(&user),
            Act::Leave {} => self.leave(),
            Act::ShowCode {} => return self.show_code().await,
            Act::Later { how } => return self.later(how).await,
            Act::Lose {} => self.wechat.lose(),
            Act::Skew {} => self.skew(),
            Act::Outage {} => return self.outage(),
            Act::SessionKey {} => return self.session_key(),
            Act::Tablet {} => return self.tablet().await,
            Act::Kicked {} => return self.kicked().await,
            Act::Steal {} => return self.steal().await,
            Act::ThiefReads {} => return self.thief_reads().await,
            Act::ThiefRefreshes {} => return self.thief_refreshes().await,
            Act::Capture {} => return self.capture().await,
            Act::ThiefRepeats {} => return self.thief_repeats().await,
            Act::ThiefMoves {} => return self.thief_moves().await,
            Act::Forge {} => return self.forge().await,
            Act::Clear {} => self.ground.wire.clear(),
        }
        Ok(())
    }
}

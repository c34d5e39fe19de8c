//! What can be pressed on the page, one at a time.

use serde_json::{Value, json};

use super::bind::Evidence;
use super::handset::Screen;
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
    /// Open a page.
    Go {
        to: Screen,
    },
    /// Log in again, after having been told of an end.
    Again {},
    Order {
        item: String,
    },
    Pay {},
    Steps {},
    Bind {
        evidence: Evidence,
    },
    /// The shop's website shows a bind code.
    ShowCode {},
    /// The phone scans it.
    Scan {},
    /// The account that it is for is somebody else's.
    TurnDown {},
    Unbind {},
    Kick {
        session_id: String,
    },
    Logout {},
    Refresh {},
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
    /// What the log calls it, and what it is about. Nothing that a person typed.
    fn step(&self) -> (&'static str, Value) {
        match self {
            Self::Open { user } => ("open", json!({ "user": user })),
            Self::Leave {} => ("leave", json!({})),
            Self::Go { to } => ("go", json!({ "to": to })),
            Self::Again {} => ("again", json!({})),
            Self::Order { .. } => ("order", json!({})),
            Self::Pay {} => ("pay", json!({})),
            Self::Steps {} => ("steps", json!({})),
            Self::Bind { evidence } => ("bind", json!({ "way": evidence.way() })),
            Self::ShowCode {} => ("show_code", json!({})),
            Self::Scan {} => ("scan", json!({})),
            Self::TurnDown {} => ("turn_down", json!({})),
            Self::Unbind {} => ("unbind", json!({})),
            Self::Kick { .. } => ("kick", json!({})),
            Self::Logout {} => ("logout", json!({})),
            Self::Refresh {} => ("refresh", json!({})),
            Self::Later { how } => ("later", json!({ "how": how })),
            Self::Lose {} => ("lose", json!({})),
            Self::Skew {} => ("skew", json!({})),
            Self::Outage {} => ("outage", json!({})),
            Self::SessionKey {} => ("session_key", json!({})),
            Self::Tablet {} => ("tablet", json!({})),
            Self::Kicked {} => ("kicked", json!({})),
            Self::Steal {} => ("steal", json!({})),
            Self::ThiefReads {} => ("thief_reads", json!({})),
            Self::ThiefRefreshes {} => ("thief_refreshes", json!({})),
            Self::Capture {} => ("capture", json!({})),
            Self::ThiefRepeats {} => ("thief_repeats", json!({})),
            Self::ThiefMoves {} => ("thief_moves", json!({})),
            Self::Forge {} => ("forge", json!({})),
            Self::Clear {} => ("clear", json!({})),
        }
    }
}

impl Stage {
    /// Does it.
    ///
    /// # Errors
    /// Something of the demo itself failed; a refusal by the server is none.
    pub async fn act(&mut self, act: Act) -> anyhow::Result<()> {
        let (name, about) = act.step();
        if !matches!(act, Act::Clear {} | Act::Lose {} | Act::Leave {} | Act::TurnDown {}) {
            self.ground.wire.step(name, about);
        }
        match act {
            Act::Open { user } => return self.open(&user).await,
            Act::Leave {} => self.leave(),
            Act::Later { how } => return self.later(how).await,
            Act::Skew {} => self.skew(),
            Act::Outage {} => return self.outage(),
            Act::SessionKey {} => return self.session_key().await,
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
            Act::ShowCode {} => return self.show_code().await,
            Act::Scan {} => return self.scan().await,
            Act::Bind { .. } => {
                self.press(act).await?;
                self.take_code_down();
            }
            Act::Kick { .. } => {
                // What is kicked is the tablet: there is no third device.
                self.tablet = None;
                return self.press(act).await;
            }
            of_the_phone => return self.press(of_the_phone).await,
        }
        Ok(())
    }

    /// What needs the phone and nothing else.
    async fn press(&mut self, act: Act) -> anyhow::Result<()> {
        let Some(phone) = &mut self.phone else { return Ok(()) };
        match act {
            Act::Go { to } => phone.go(to).await,
            Act::Again {} => phone.go(phone.seen.wanted).await,
            Act::Order { item } => phone.order(&item).await,
            Act::Pay {} => phone.pay().await,
            Act::Steps {} => phone.steps().await,
            Act::Bind { evidence } => phone.bind(evidence).await,
            Act::TurnDown {} => {
                phone.turn_down();
                Ok(())
            }
            Act::Unbind {} => phone.unbind().await,
            Act::Kick { session_id } => phone.kick(&session_id).await,
            Act::Logout {} => phone.logout().await,
            Act::Refresh {} => phone.refresh().await,
            Act::Lose {} => {
                phone.lose = !phone.lose;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

//! What the phone's screen shows.

use serde::Serialize;
use serde_json::Value;

/// A page of the mini program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Screen {
    #[default]
    Shop,
    Orders,
    Me,
    Bind,
    /// No session, and the person has to say whether to go on.
    Out,
}

/// What a person sees.
#[derive(Default, Serialize)]
pub struct Seen {
    pub screen: Screen,
    /// Where to go once there is a session, or a user, again.
    pub wanted: Screen,
    pub notice: Option<Notice>,
    pub bound: bool,
    pub user: Option<String>,
    pub name: Option<String>,
    pub goods: Value,
    pub orders: Value,
    /// How many of the orders are paid, the oldest first.
    pub paid: u64,
    pub devices: Value,
    /// The person's steps of today, which WeChat counts.
    pub steps: Option<u64>,
    /// The masked account of a bind code, for the person to confirm.
    pub preview: Value,
}

/// Something the person is told.
#[derive(Serialize)]
pub struct Notice {
    pub code: String,
    /// The back end's own words, where it had some.
    pub message: Option<String>,
    /// Seconds after which it makes sense to try again.
    pub retry_after: Option<u64>,
}

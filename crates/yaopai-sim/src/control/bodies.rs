//! Bodies of the control API's calls.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{DataKey, DataSpoil, OpenData, Secret, Tamper};

/// A user in an app; the app may be left out where there is only one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Who {
    pub(super) app: Option<String>,
    pub(super) user: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppOnly {
    pub(super) app: Option<String>,
}

/// What to do to a key before it is shown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyAction {
    pub(super) app: Option<String>,
    pub(super) user: String,
    #[serde(default)]
    pub(super) action: Action,
    /// Of [`Action::Set`].
    pub(super) session_key: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    #[default]
    Show,
    Rotate,
    Expire,
    Set,
}

/// The fields of [`crate::Encrypt`]: flattening them in would let unknown ones pass.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EncryptBody {
    pub(super) app: Option<String>,
    pub(super) user: String,
    #[serde(default)]
    pub(super) data: OpenData,
    #[serde(default)]
    pub(super) key: DataKey,
    pub(super) watermark_appid: Option<String>,
    pub(super) watermark_timestamp: Option<u64>,
    pub(super) spoil: Option<DataSpoil>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserPatch {
    pub(super) blocked: Option<bool>,
    pub(super) phone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSecret {
    /// Made fresh if absent.
    pub(super) secret: Option<Secret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    pub(super) advance_ms: u64,
}

/// [`crate::Push`] and its app.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PushBody {
    pub(super) app: Option<String>,
    pub(super) user: String,
    pub(super) event: String,
    #[serde(default)]
    pub(super) fields: Map<String, Value>,
    pub(super) times: Option<u32>,
    pub(super) tamper: Option<Tamper>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyBody {
    pub(super) app: Option<String>,
    pub(super) tamper: Option<Tamper>,
}

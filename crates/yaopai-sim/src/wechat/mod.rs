//! The WeChat server APIs (`https://api.weixin.qq.com`). The files below mirror the URL tree.

mod answer;
mod call;
mod cgi_bin;
mod credentials;
mod open_data;
mod pipeline;
mod refusal;
mod signature;
mod sns;
mod spoil;
mod wxa;

pub use open_data::{DataKey, DataSpoil, Encrypt, EncryptedData, OpenData};
pub(crate) use open_data::{encrypt, key_bytes, sign_raw};
pub(crate) use pipeline::{Peer, routes};
use serde::{Deserialize, Serialize};
pub(crate) use spoil::Hangup;

/// The header, always `1`, by which a server recognises the simulator and refuses it in production.
pub const SIM_HEADER: &str = "yaopai-sim";

/// What `wx.login` yields in WeChat's DevTools where no real appid is set; the spaces are real.
pub const MOCK_CODE: &str = "the code is a mock one";

/// The endpoints that are simulated; the names are the last segments of their paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Endpoint {
    /// `GET /sns/jscode2session`
    Jscode2session,
    /// `GET /cgi-bin/token`
    Token,
    /// `POST /cgi-bin/stable_token`
    #[serde(rename = "stable_token")]
    StableToken,
    /// `GET /wxa/checksession`
    Checksession,
    /// `GET /wxa/resetusersessionkey`
    Resetusersessionkey,
    /// `POST /wxa/business/getuserphonenumber`
    Getuserphonenumber,
    /// `POST /wxa/business/getuserencryptkey` (GET, too)
    Getuserencryptkey,
    /// `POST /wxa/business/checkencryptedmsg`
    Checkencryptedmsg,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Jscode2session,
        Self::Token,
        Self::StableToken,
        Self::Checksession,
        Self::Resetusersessionkey,
        Self::Getuserphonenumber,
        Self::Getuserencryptkey,
        Self::Checkencryptedmsg,
    ];

    /// The field, as a path with dots, without which a success is none; `None` where "no error" says all.
    pub fn chief_field(self) -> Option<&'static str> {
        match self {
            Self::Jscode2session => Some("openid"),
            Self::Token | Self::StableToken => Some("access_token"),
            Self::Checksession => None,
            Self::Resetusersessionkey => Some("session_key"),
            Self::Getuserphonenumber => Some("phone_info.phoneNumber"),
            Self::Getuserencryptkey => Some("key_info_list.0.encrypt_key"),
            Self::Checkencryptedmsg => Some("vaild"),
        }
    }

    /// The last segment of the path.
    pub fn name(self) -> &'static str {
        self.path().rsplit('/').next().unwrap_or_default()
    }

    /// The path.
    pub fn path(self) -> &'static str {
        match self {
            Self::Jscode2session => "/sns/jscode2session",
            Self::Token => "/cgi-bin/token",
            Self::StableToken => "/cgi-bin/stable_token",
            Self::Checksession => "/wxa/checksession",
            Self::Resetusersessionkey => "/wxa/resetusersessionkey",
            Self::Getuserphonenumber => "/wxa/business/getuserphonenumber",
            Self::Getuserencryptkey => "/wxa/business/getuserencryptkey",
            Self::Checkencryptedmsg => "/wxa/business/checkencryptedmsg",
        }
    }
}

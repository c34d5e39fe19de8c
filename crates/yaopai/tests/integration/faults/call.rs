//! The calls that reach WeChat, as one client makes them: the same request, as often as one likes.

use serde_json::{Value, json};
use yaopai_sim::{DEFAULT_APPID, DataKey, Encrypt, Endpoint, UserConfig};

use crate::support::{Phone, Reply, TestApp, request_id};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Login,
    StepUp,
    Bind,
    Phone,
    Decrypt,
    AccessToken,
}

impl Call {
    pub const ALL: [Self; 6] = [Self::Login, Self::StepUp, Self::Bind, Self::Phone, Self::Decrypt, Self::AccessToken];

    pub fn title(self) -> &'static str {
        match self {
            Self::Login => "Login: `POST /yaopai/v1/session`",
            Self::StepUp => "Refresh with a code: `POST /yaopai/v1/session/refresh`",
            Self::Bind => "Bind by phone: `POST /yaopai/v1/binding`",
            Self::Phone => "Phone number: `POST /yaopai/v1/phone`",
            Self::Decrypt => "Data that our key doesn't open: `POST /yaopai/v1/decrypt`",
            Self::AccessToken => "Access token: `GET /admin/v1/apps/{app}/access-token`",
        }
    }

    /// The endpoints of WeChat's that it may reach.
    pub fn endpoints(self) -> &'static [Endpoint] {
        match self {
            Self::Login | Self::StepUp => &[Endpoint::Jscode2session],
            Self::Bind | Self::Phone => &[Endpoint::Getuserphonenumber, Endpoint::StableToken],
            Self::Decrypt => &[Endpoint::Checksession, Endpoint::StableToken],
            Self::AccessToken => &[Endpoint::StableToken],
        }
    }

    /// Whether a success gives the session another token.
    fn rotates(self) -> bool {
        matches!(self, Self::StepUp | Self::Bind)
    }
}

/// A person who is new, with a session, about to make the call.
pub struct Caller {
    call: Call,
    phone: Phone,
    /// The session's token; a granted one takes its place.
    token: String,
    session: String,
    /// Of wx.login or of getPhoneNumber.
    code: String,
    sealed: Value,
}

impl Caller {
    pub async fn new(app: &TestApp, call: Call, n: usize) -> Self {
        let (person, number) = (format!("caller-{n}"), format!("139{n:08}"));
        app.sim.add_user(UserConfig::named(&person)).unwrap();
        app.sim.set_phone(&person, &number).unwrap();
        app.back_end.has_account(&number, "", &format!("user-{n}"));
        let phone = app.phone(&person);
        let session = phone.log_in().await.field("session_id");
        let code = match call {
            Call::Login | Call::StepUp => phone.code(),
            _ => phone.phone_code(),
        };
        // Under a key that is nobody's: only then WeChat is asked about ours.
        let data = app.sim.encrypt(DEFAULT_APPID, &person, &Encrypt::user_info().key(DataKey::Random)).unwrap();
        let sealed = json!({ "encrypted_data": data.encrypted_data, "iv": data.iv });
        Self { call, token: phone.token(), phone, session, code, sealed }
    }

    /// The same request each time.
    pub async fn send(&mut self, app: &TestApp) -> Reply {
        let old = self.phone.token();
        let reply = match self.call {
            Call::Login => self.phone.send_login(&self.code, &request_id("login")).await,
            Call::StepUp => self.phone.step_up("u", &self.code).await,
            Call::Bind => self.phone.bind_by_phone("b", &self.code).await,
            Call::Phone => self.phone.call("POST", "/phone", Some(json!({ "code": self.code }))).await,
            Call::Decrypt => self.phone.call("POST", "/decrypt", Some(self.sealed.clone())).await,
            Call::AccessToken => app.admin_as("key-of-other", "GET", "/admin/v1/apps/shop/access-token", None).await,
        };
        self.phone.hold(&old);
        if self.call.rotates() && reply.status.is_success() {
            self.token = reply.field("token");
        }
        reply
    }

    /// How often WeChat was shown the code, if the call has one.
    pub fn shown(&self, app: &TestApp) -> Option<u64> {
        match self.call {
            Call::Login | Call::StepUp => Some(app.sim.exchanges_of(&self.code)),
            Call::Bind | Call::Phone => Some(app.sim.phone_code(&self.code).unwrap().exchanges),
            Call::Decrypt | Call::AccessToken => None,
        }
    }

    /// Whether the session that it had before the call still lives.
    pub async fn lives(&self) -> bool {
        let reply = self.phone.call_as(&self.token, "GET", "/session", None).await;
        reply.status == 200 && reply.field("session_id") == self.session
    }
}

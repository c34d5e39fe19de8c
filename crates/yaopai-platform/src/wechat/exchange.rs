//! code2Session: a login code for an openid. One request a call, whatever happens: WeChat spends a code at its first use,
//! so a second request could only tell us less than the first.
//!
//! `GET /sns/jscode2session`,
//! <https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_code2session>

use yaopai_core::app::App;
use yaopai_core::ports::{PlatformError, Vouched};

use super::answer::Answer;
use super::api::{CallError, Way};
use super::config::with_query;
use super::{WeChat, errcode};

const CALL: &str = "code2Session";

/// Real codes are 32 characters; nothing longer than this is sent on.
const CODE_MAX: usize = 512;

/// An openid is 28 characters; a platform that answers more than this is not WeChat.
const ID_MAX: usize = 128;

/// Could this be a code at all? WeChat would answer 41008 to an empty one, which speaks of our mistake and not the client's.
pub(super) fn is_code(code: &str) -> bool {
    (1..=CODE_MAX).contains(&code.len()) && !code.chars().any(char::is_control)
}

impl WeChat {
    pub(super) async fn code2session(&self, app: &App, code: &str) -> Result<Vouched, PlatformError> {
        if !is_code(code) {
            return Err(PlatformError::CodeInvalid);
        }
        let state = self.0.app(app);
        let site = self.0.sites.of(&app.name);
        let url = with_query(
            &site.exchange,
            &[
                ("appid", &app.appid),
                ("secret", app.secret.expose()),
                ("js_code", code),
                ("grant_type", "authorization_code"),
            ],
        );
        let way = Way { app, lane: &state.exchange, call: CALL };
        self.0.call(way, self.0.once.get(url), vouched).await.map_err(|error| match error {
            CallError::Refused(refusal) => {
                let now = self.0.clock.now();
                let error = errcode::of_exchange(&refusal, now);
                tracing::debug!(app = app.name.as_str(), appid = app.appid, %refusal, "code2Session refused");
                if matches!(error, PlatformError::Misconfigured { .. }) {
                    state.log(app, CALL, &error, now);
                }
                error
            }
            failed => self.give_up(app, &state, CALL, failed),
        })
    }
}

/// Success is an openid *and* a session_key: errcode 0 vanished from successes long ago.
fn vouched(mut answer: Answer) -> Option<Vouched> {
    let id = |text: &str| (1..=ID_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    let openid = answer.text("openid").filter(|s| id(s))?.to_string();
    let session_key = answer.text("session_key")?;
    let unionid = match answer.text("unionid") {
        Some(text) if id(&text) => Some(text.to_string()),
        Some(_) => return None,
        None => None,
    };
    Some(Vouched { openid, unionid, session_key: Some(session_key) })
}

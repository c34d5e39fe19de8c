//! Message push.

use serde_json::{Map, Value};

use super::SimHandle;
use crate::{
    Push, PushConfig, PushReport, SimError, Tamper, Verification, dice,
    push::{self, Letter, Parties},
    state::State,
};

/// WeChat sends a message that nobody answers three times in all.
const SENDINGS: u32 = 3;

struct Addressed {
    appid: String,
    openid: String,
    fields: Map<String, Value>,
}

impl SimHandle {
    /// WeChat tells the app's server something, and again if it gets no HTTP 200 in time (that another status counts as no
    /// answer is INF). Each sending has a timestamp, a nonce and a signature of its own; the message stays the same.
    ///
    /// # Errors
    /// Unknown app or user, an app without `push`, or a push that contradicts itself. A server that refuses is no error.
    pub async fn push(&self, appid: &str, push: &Push) -> Result<PushReport, SimError> {
        push.check()?;
        let addressed = self.address(appid, push)?;
        let mut report = PushReport { accepted: true, resends: 0, tries: Vec::new() };
        for _ in 0..push.times {
            let mut answered = false;
            for sending in 0..SENDINGS {
                let (config, letter) = self.letter(&addressed, push.tamper)?;
                let sent = self.0.courier.send(&config, &letter).await?;
                answered = sent.status == Some(200);
                report.resends += u32::from(sending > 0);
                report.tries.push(sent);
                if answered {
                    break;
                }
            }
            report.accepted &= answered;
        }
        Ok(report)
    }

    /// What the administrator's "submit" does: WeChat asks the app's server whether the address is its own.
    ///
    /// # Errors
    /// Unknown app, an app without `push`, or a `tamper` that needs a message.
    pub async fn verify_push_url(&self, appid: &str, tamper: Option<Tamper>) -> Result<Verification, SimError> {
        let (config, letter, echostr) = {
            let now = self.now_ms();
            let mut state = self.0.state();
            let config = push_config(&state, appid)?;
            let (letter, echostr) = push::verification(&config, tamper, now, &mut state.dice)?;
            (config, letter, echostr)
        };
        let answer = self.0.courier.send(&config, &letter).await?;
        let verified = answer.status == Some(200) && answer.body == echostr;
        Ok(Verification { verified, answer })
    }

    /// The app's "original id", by which messages name it (`gh_…`).
    pub fn original_id(appid: &str) -> String {
        dice::original_id(appid)
    }

    fn address(&self, appid: &str, push: &Push) -> Result<Addressed, SimError> {
        let now = self.now_ms();
        let state = self.0.state();
        let openid = state.people.openid(&state.subject(appid, &push.user)?)?;
        let original_id = dice::original_id(appid);
        let parties = Parties { original_id: &original_id, openid: &openid, appid };
        let fields = push::message(push, &parties, now);
        Ok(Addressed { appid: appid.to_owned(), openid, fields })
    }

    fn letter(&self, to: &Addressed, tamper: Option<Tamper>) -> Result<(PushConfig, Letter), SimError> {
        let now = self.now_ms();
        let mut state = self.0.state();
        let config = push_config(&state, &to.appid)?;
        if tamper == Some(Tamper::Replay) {
            let last = state.last_letters.get(&to.appid).cloned();
            let last = last.ok_or_else(|| SimError::Invalid("tamper: nothing was pushed yet".to_owned()))?;
            return Ok((config, last));
        }
        let fields = to.fields.clone();
        let letter = push::write(&config, &to.appid, &to.openid, fields, tamper, now, &mut state.dice)?;
        state.last_letters.insert(to.appid.clone(), letter.clone());
        Ok((config, letter))
    }
}

fn push_config(state: &State, appid: &str) -> Result<PushConfig, SimError> {
    let none = || SimError::Invalid(format!("push: {appid} has none configured"));
    state.app(appid)?.push.clone().ok_or_else(none)
}

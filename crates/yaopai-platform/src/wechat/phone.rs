//! getPhoneNumber: the code of `<button open-type="getPhoneNumber">` for a phone number. It is another code than wx.login's,
//! and as single: 5 minutes, once.
//!
//! `POST /wxa/business/getuserphonenumber`,
//! <https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/phone-number/api_getphonenumber>

use serde_json::json;
use yaopai_core::app::App;
use yaopai_core::ports::{Phone, PlatformError};

use super::answer::Answer;
use super::api::{CallError, Way};
use super::config::with_query;
use super::exchange::is_code;
use super::{AccessToken, WeChat, errcode};

const CALL: &str = "getPhoneNumber";

/// A number has at most 15 digits (ITU-T E.164, section 6); the rest is for a prefix and separators.
const NUMBER_MAX: usize = 32;

/// A country's code has at most 3 digits (the same), and in North America an area code may stand behind it.
const COUNTRY_MAX: usize = 6;

impl WeChat {
    /// One request, or two if WeChat refuses the first one's access token (40001, 40014, 42001). That spends no code twice:
    /// the token is the credential of the whole call and is looked at before the body, in which the code is. And were it
    /// otherwise, the second request would be refused as 40029, and the code lost, which it was already.
    pub(super) async fn get_phone_number(&self, app: &App, openid: &str, code: &str) -> Result<Phone, PlatformError> {
        if !is_code(code) {
            return Err(PlatformError::CodeInvalid);
        }
        let state = &self.0.app(app);
        // The openid makes WeChat refuse another person's code. Without it a stolen code would give its owner's number.
        let body = &json!({"code": code, "openid": openid}).to_string();
        let call = |token: AccessToken| async move {
            let url = with_query(&self.0.sites.of(&app.name).phone, &[("access_token", token.expose())]);
            let way = Way { app, lane: &state.api, call: CALL };
            let request = self.0.once.post_json(url, body.clone().into_bytes());
            self.0.call(way, request, |answer| phone(answer, &app.appid)).await
        };
        self.with_token(app, call).await.map_err(|error| match error {
            CallError::Refused(refusal) => {
                let now = self.0.clock.now();
                let error = errcode::of_phone(&refusal, now);
                state.log(app, CALL, &error, now);
                error
            }
            failed => self.give_up(app, state, CALL, failed),
        })
    }
}

/// The number, if it is about this app. `countryCode` is a number in the page's example and a text in its table.
fn phone(mut answer: Answer, appid: &str) -> Option<Phone> {
    let mut info = answer.object("phone_info")?;
    if info.object("watermark")?.text("appid")?.as_str() != appid {
        return None;
    }
    let number = |text: &str| {
        let fits = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b' ' | b'(' | b')'));
        fits && text.len() <= NUMBER_MAX && text.bytes().any(|b| b.is_ascii_digit())
    };
    let mut take = |field| info.text(field).filter(|s| number(s)).map(|s| s.to_string());
    let (full, pure) = (take("phoneNumber")?, take("purePhoneNumber")?);
    let country = match info.number("countryCode") {
        Some(code) => code.to_string(),
        None => info.text("countryCode")?.chars().filter(char::is_ascii_digit).collect(),
    };
    let fits = (1..=COUNTRY_MAX).contains(&country.len()) && country.bytes().all(|b| b.is_ascii_digit());
    (fits && country != "0").then_some(Phone { number: full, pure, country })
}

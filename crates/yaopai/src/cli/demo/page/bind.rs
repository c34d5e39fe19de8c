//! The ways to bind: the shop's form, the phone number that WeChat knows, and a bind code from the shop's website.

use http::Method;
use serde_json::{Value, json};
use yaopai_sim::DEFAULT_APPID;
use zeroize::Zeroizing;

use super::handset::Handset;
use crate::cli::demo::tale::short;

/// What the person has brought to prove who they are.
#[derive(serde::Deserialize)]
#[serde(tag = "way", rename_all = "snake_case", deny_unknown_fields)]
pub enum Evidence {
    /// An account of the shop.
    Form { account: String, password: String },
    /// The phone number that WeChat knows.
    Phone,
    /// The code that the phone scanned last.
    BindCode,
}

impl Evidence {
    /// What the wire calls it.
    pub fn way(&self) -> &'static str {
        match self {
            Self::Form { .. } => "form",
            Self::Phone => "phone",
            Self::BindCode => "bind_code",
        }
    }
}

impl Handset {
    /// The person binds.
    pub async fn bind(&mut self, evidence: Evidence) -> anyhow::Result<()> {
        self.seen.notice = None;
        if self.phone.token.is_empty() && !self.login().await? {
            return Ok(());
        }
        let mut body = match evidence {
            Evidence::Form { account, password } => {
                json!({ "way": "form", "form": { "account": account, "password": password } })
            }
            Evidence::Phone => json!({ "way": "phone", "code": self.phone_code()? }),
            Evidence::BindCode => {
                let Some(code) = &self.scanned else { return Ok(()) };
                json!({ "way": "bind_code", "bind_code": **code })
            }
        };
        body["request_id"] = json!(self.phone.request_id());
        let token = self.phone.token.clone();
        let reply = self.deliver("/yaopai/v1/binding", Some(&token), body).await?;
        match &reply.code {
            None => {
                self.keep(&reply)?;
                self.turn_down();
                self.note("bound", json!({}));
                match self.pending.take() {
                    Some(item) => self.order(&item).await,
                    None => self.go(self.seen.wanted).await,
                }
            }
            // The session may be over: the next page finds out, and says so.
            Some(code) if code.starts_with("session_") => self.go(self.seen.wanted).await,
            Some(_) => {
                self.turn_down();
                self.tell(&reply);
                Ok(())
            }
        }
    }

    /// The phone scans a bind code, and shows the person whose account it is for, before it is redeemed.
    pub async fn scan(&mut self, bind_code: Zeroizing<String>) -> anyhow::Result<()> {
        self.seen.notice = None;
        self.note("scanned", json!({}));
        let body = json!({ "bind_code": *bind_code });
        if let Some(reply) = self.ask(Method::POST, "/yaopai/v1/binding/preview", Some(body)).await? {
            self.seen.preview = reply.body;
            self.scanned = Some(bind_code);
        }
        Ok(())
    }

    /// The person does not want the account of the code that was scanned, or no longer needs it.
    pub fn turn_down(&mut self) {
        (self.scanned, self.seen.preview) = (None, Value::Null);
    }

    /// The person no longer wants the shop to know this WeChat account. The shop's own table goes first: else it would bind
    /// the account again at the next login.
    pub async fn unbind(&mut self) -> anyhow::Result<()> {
        self.seen.notice = None;
        if self.ask(Method::POST, "/unlink", None).await?.is_none() {
            return Ok(());
        }
        if self.ask(Method::DELETE, "/yaopai/v1/binding", None).await?.is_some() {
            self.forget();
            self.note("unbound", json!({}));
            self.go(super::handset::Screen::Shop).await?;
        }
        Ok(())
    }

    /// `<button open-type="getPhoneNumber">`
    fn phone_code(&self) -> anyhow::Result<String> {
        let wx = self.ground.wx.as_ref().ok_or_else(|| anyhow::anyhow!("there is no simulated WeChat"))?;
        let code = wx.issue_phone_code(DEFAULT_APPID, self.wechat())?;
        self.note("get_phone_number", json!({ "code": short(&code) }));
        Ok(code)
    }
}

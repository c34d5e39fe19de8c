//! The ways to bind. A form is always there; of the others the server is asked.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Value, json};
use yaopai_sim::DEFAULT_APPID;

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
    /// A code that the shop showed elsewhere.
    BindCode { bind_code: String },
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
            Evidence::BindCode { bind_code } => json!({ "way": "bind_code", "bind_code": bind_code }),
        };
        body["request_id"] = json!(self.phone.request_id());
        let token = self.phone.token.clone();
        let reply = self.deliver("/yaopai/v1/binding", Some(&token), body).await?;
        match &reply.code {
            None => {
                self.keep(&reply)?;
                self.seen.preview = Value::Null;
                self.note("bound", json!({}));
                match self.pending.take() {
                    Some(item) => self.order(&item).await,
                    None => self.go(self.seen.wanted).await,
                }
            }
            // The session may be over: the next page finds out, and says so.
            Some(code) if code.starts_with("session_") => self.go(self.seen.wanted).await,
            Some(_) => {
                self.tell(&reply);
                Ok(())
            }
        }
    }

    /// Shows the person which account a bind code is of, before it is redeemed.
    pub async fn preview(&mut self, bind_code: String) -> anyhow::Result<()> {
        let body = json!({ "bind_code": bind_code });
        if let Some(reply) = self.ask(Method::POST, "/yaopai/v1/binding/preview", Some(body)).await? {
            self.seen.preview = reply.body;
        }
        Ok(())
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

    /// Which ways this server has: one that it doesn't know it refuses by the field `way`, before it looks at anything else.
    /// Asked without evidence, so that nothing can come of it.
    pub(super) async fn ways(&self) -> anyhow::Result<Vec<&'static str>> {
        let mut ways = vec!["form"];
        for way in ["phone", "bind_code"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, format!("Bearer {}", self.phone.token).parse()?);
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert("yaopai-background", HeaderValue::from_static("1"));
            let body = json!({ "way": way, "request_id": self.phone.request_id() }).to_string();
            // Past the front door: it is no call of the mini program's, and doesn't belong into the log.
            let url = format!("{}/yaopai/v1/binding", self.ground.public);
            let answer = self.ground.client.send(Method::POST, &url, headers, Bytes::from(body)).await?;
            let refusal: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            if refusal["code"] == "field_invalid" && refusal["field"] != "way" {
                ways.push(way);
            }
        }
        Ok(ways)
    }
}

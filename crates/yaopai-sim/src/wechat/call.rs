use std::net::IpAddr;

use axum::{
    body::Bytes,
    extract::Query,
    http::{Method, Uri},
};
use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::{
    AppConfig, Endpoint,
    state::{State, Subject, TokenStanding},
};

/// A call as an endpoint sees it.
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    pub(crate) method: Method,
    pub(crate) peer: IpAddr,
    query: Vec<(String, String)>,
    body: Option<Map<String, Value>>,
    form: Vec<(String, String)>,
    pub(crate) now: u64,
}

impl Call {
    pub(crate) fn new(endpoint: Endpoint, method: Method, peer: IpAddr, uri: &Uri, body: &Bytes, now: u64) -> Self {
        let query = pairs(uri);
        // Only one endpoint is sent forms, so the others needn't pay for reading one.
        let form = if endpoint == Endpoint::Checkencryptedmsg { form(body) } else { Vec::new() };
        // A dual-stack socket shows IPv4 peers as mapped IPv6 addresses.
        let peer = peer.to_canonical();
        Self { endpoint, method, peer, query, body: serde_json::from_slice(body).ok(), form, now }
    }

    /// A query parameter; an empty one is missing, and of several the first counts (INF).
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The JSON object in the body.
    pub(crate) fn json(&self) -> Result<&Map<String, Value>, Refusal> {
        self.body.as_ref().ok_or(Refusal::by_code(47001))
    }

    /// A non-empty text in the JSON body.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let value = self.body.as_ref()?.get(name)?.as_str()?;
        Some(value).filter(|value| !value.is_empty())
    }

    /// A non-empty text in the body, be it JSON or a form.
    pub(crate) fn text_or_form(&self, name: &str) -> Option<&str> {
        let in_form = || self.form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        self.text(name).or_else(in_form).filter(|value| !value.is_empty())
    }

    pub(crate) fn require(&self, method: Method) -> Result<(), Refusal> {
        match method {
            _ if self.method == method => Ok(()),
            Method::GET => Err(Refusal::by_code(43001)),
            _ => Err(Refusal::by_code(43002)),
        }
    }

    /// The app that owns the `access_token` of the query.
    pub(crate) fn app_of_token<'a>(&self, state: &'a State) -> Result<&'a AppConfig, Refusal> {
        let token = self.param("access_token").ok_or(Refusal::by_code(41001))?;
        match state.tokens.standing(token, self.now) {
            TokenStanding::Good(app) => state.app(&app).map_err(|_| Refusal::by_code(40013)),
            TokenStanding::Expired => Err(Refusal::by_code(42001)),
            TokenStanding::Dead => Err(Refusal::by_code(40001)),
            TokenStanding::Malformed => Err(Refusal::by_code(40014)),
        }
    }

    /// Whom the call is about, before anything is checked: only to decide which faults hit it.
    pub(crate) fn about(&self, state: &State) -> (Option<String>, Option<Subject>) {
        let named = || self.param("appid").or_else(|| self.text("appid")).map(str::to_owned);
        let of_token = || match state.tokens.standing(self.param("access_token")?, self.now) {
            TokenStanding::Good(app) => Some(app),
            _ => None,
        };
        let app = named().or_else(of_token);
        let by_openid = || state.people.by_openid(app.as_deref()?, self.param("openid")?);
        let subject = match self.endpoint {
            Endpoint::Jscode2session => {
                self.param("js_code").and_then(|code| state.code_subject(app.as_deref().unwrap_or_default(), code))
            }
            Endpoint::Getuserphonenumber => self
                .text("code")
                .and_then(|code| state.phone_codes.get(code))
                .map(|code| Subject { app: code.app.clone(), user: code.user.clone() }),
            _ => by_openid(),
        };
        (app, subject)
    }
}

fn pairs(uri: &Uri) -> Vec<(String, String)> {
    Query::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default()
}

/// A form has the syntax of a query.
fn form(body: &Bytes) -> Vec<(String, String)> {
    let text = std::str::from_utf8(body).unwrap_or_default();
    format!("/?{}", text.trim()).parse().map(|uri| pairs(&uri)).unwrap_or_default()
}

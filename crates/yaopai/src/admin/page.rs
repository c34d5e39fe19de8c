//! Query strings of lists: what to list, and which page. Unknown keys are refused.

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde::Deserialize;
use yaopai_core::Error;
use yaopai_core::ids::{IdentityId, SessionId};
use yaopai_wire::problem::Code;

use crate::api::answer::Refusal;

const PAGE: u32 = 50;
const PAGE_MAX: u32 = 200;

/// What lists take.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    pub user: Option<String>,
    pub app: Option<String>,
    pub openid: Option<String>,
    pub after: Option<String>,
    pub limit: Option<u32>,
}

impl Asked {
    /// How many; 50 unless asked, 200 at most.
    pub fn limit(&self) -> Result<u32, Error> {
        limit(self.limit)
    }

    pub fn after_session(&self) -> Result<Option<SessionId>, Error> {
        cursor(self.after.as_deref(), SessionId::parse)
    }

    pub fn after_identity(&self) -> Result<Option<IdentityId>, Error> {
        cursor(self.after.as_deref(), IdentityId::parse)
    }
}

/// How many rows a page has, by what was asked.
pub fn limit(asked: Option<u32>) -> Result<u32, Error> {
    match asked {
        None => Ok(PAGE),
        Some(n) if (1..=PAGE_MAX).contains(&n) => Ok(n),
        Some(_) => Err(Error::field("limit", "Between 1 and 200.")),
    }
}

fn cursor<T>(text: Option<&str>, parse: fn(&str) -> Option<T>) -> Result<Option<T>, Error> {
    match text {
        None => Ok(None),
        Some(text) => parse(text).map(Some).ok_or_else(|| Error::field("after", "Use the `next` of the page before.")),
    }
}

/// [`Asked`] of a request.
pub struct Page(pub Asked);

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Query::<Asked>::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(_) => Err(Refusal(Error::new(
                Code::FieldInvalid,
                "The query takes user, app, openid, after and limit, each at most once.",
            ))),
        }
    }
}

//! Lists, page by page: `after` is the `next` of the page before.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use yaopai_core::Error;
use yaopai_core::ids::{IdentityId, SessionId, USER_ID_MAX, UserId};

const PAGE: u32 = 50;
/// The most rows of one page.
pub const PAGE_MAX: u32 = 200;

/// How many rows a page has, by what was asked.
pub fn limit(asked: Option<u32>) -> Result<u32, Error> {
    match asked {
        None => Ok(PAGE),
        Some(n) if (1..=PAGE_MAX).contains(&n) => Ok(n),
        Some(_) => Err(Error::field("limit", "Between 1 and 200.")),
    }
}

pub fn after_session(text: Option<&str>) -> Result<Option<SessionId>, Error> {
    cursor(text, SessionId::parse)
}

pub fn after_identity(text: Option<&str>) -> Result<Option<IdentityId>, Error> {
    cursor(text, IdentityId::parse)
}

/// A user's id may be any text, so it travels encoded.
pub fn after_user(text: Option<&str>) -> Result<Option<UserId>, Error> {
    cursor(text, |text| {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| (1..=USER_ID_MAX).contains(&bytes.len()))?;
        String::from_utf8(bytes).ok().map(|user| UserId::from(user.as_str()))
    })
}

/// The same the other way.
pub fn next_user(user: &UserId) -> String {
    URL_SAFE_NO_PAD.encode(user.as_str())
}

/// Takes off the row that was asked for beyond the page, only to see whether there is one. Answers where the next page begins.
pub fn cut<T, C>(rows: &mut Vec<T>, limit: u32, cursor: impl Fn(&T) -> C) -> Option<C> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last().map(cursor)
}

fn cursor<T>(text: Option<&str>, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Error> {
    match text {
        None => Ok(None),
        Some(text) => parse(text).map(Some).ok_or_else(|| Error::field("after", "Use the `next` of the page before.")),
    }
}

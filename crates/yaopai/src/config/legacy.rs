//! `[legacy]`: by what a request of the old program's is known while an app is being moved.

use http::header::{self, HeaderName};
use yaopai_wire::carrier::Carriers;
use yaopai_wire::principal::{is_ours, reads_as};
use yaopai_wire::signature::{SIGNATURE, SIGNATURE_INPUT};

use super::{ConfigError, Route, file, is_cookie_name};
use crate::check::Ask;

/// How many names of each kind.
const NAMES_MAX: usize = 16;

/// What every client sends, and what makes a request one: a request that shows it shows nothing of anybody's session.
const EVERYBODYS: [&str; 21] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-digest",
    "content-length",
    "content-type",
    "expect",
    "forwarded",
    "host",
    "origin",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-forwarded-for",
    "x-real-ip",
];

/// Which cookies and headers the old program shows its session by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Legacy {
    /// Names of cookies.
    pub cookies: Vec<String>,
    /// Names of headers.
    pub headers: Vec<HeaderName>,
}

/// Reads it. What a route lets pass unchecked must be told by something that is the old program's alone.
pub(super) fn read(entry: Option<&file::Legacy>, routes: &[Route], carriers: &Carriers) -> Result<Legacy, ConfigError> {
    let route = routes.iter().find(|route| route.legacy);
    let Some(entry) = entry else {
        return match route {
            Some(route) => Err(ConfigError::value(
                "routes.legacy",
                format!(
                    "the route of {:?} has legacy = true, but no [legacy] says by what such a request is known",
                    route.prefix
                ),
            )),
            None => Ok(Legacy::default()),
        };
    };
    let (cookies, headers) = (&entry.cookies, &entry.headers);
    if cookies.is_empty() && headers.is_empty() {
        return wrong(
            "legacy",
            "names nothing: give cookies or headers by which the old program shows its session".into(),
        );
    }
    if cookies.len() > NAMES_MAX || headers.len() > NAMES_MAX {
        return wrong("legacy", format!("at most {NAMES_MAX} cookies and {NAMES_MAX} headers"));
    }
    if route.is_none() {
        return wrong("legacy", "no route has legacy = true, so nothing of the old program's would pass".into());
    }
    cookies.iter().try_for_each(|name| cookie(name, carriers))?;
    let headers = headers.iter().map(|name| header(name, carriers)).collect::<Result<Vec<_>, _>>()?;
    // Where our JWT stands in `Authorization`, no other one goes on.
    let asks_jwt = |route: &&Route| route.legacy && Ask::parse(&route.check).is_ok_and(|ask| ask.jwt.is_some());
    if let Some(route) = routes.iter().find(asks_jwt)
        && headers.contains(&header::AUTHORIZATION)
    {
        let text =
            format!("authorization: the route of {:?} has legacy = true and jwt=, which takes it out", route.prefix);
        return wrong("legacy.headers", text);
    }
    Ok(Legacy { cookies: cookies.clone(), headers })
}

fn cookie(name: &str, carriers: &Carriers) -> Result<(), ConfigError> {
    const KEY: &str = "legacy.cookies";
    if !is_cookie_name(name) {
        return wrong(KEY, format!("{name:?} can't be a cookie's name"));
    }
    if is_ours(name) || carriers.cookie.as_deref() == Some(name) {
        return wrong(KEY, format!("{name:?} is ours: a request with our token is checked, always"));
    }
    Ok(())
}

fn header(name: &str, carriers: &Carriers) -> Result<HeaderName, ConfigError> {
    const KEY: &str = "legacy.headers";
    let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
        return wrong(KEY, format!("{name:?} can't be a header's name"));
    };
    let is = |other: &str| reads_as(header.as_str(), other);
    if is(header::COOKIE.as_str()) || is(header::SET_COOKIE.as_str()) {
        return wrong(KEY, format!("{name:?}: name the cookie in legacy.cookies"));
    }
    // In any spelling that a back end may read as the same.
    let carries = carriers.header.as_ref().is_some_and(|ours| is(ours.as_str()));
    if carries || (carriers.authorization && is(header::AUTHORIZATION.as_str())) {
        return wrong(KEY, format!("{name:?} is a carrier of ours ([carriers]): what shows it is checked, always"));
    }
    if is_ours(header.as_str()) || [SIGNATURE, SIGNATURE_INPUT].into_iter().any(is) {
        return wrong(KEY, format!("{name:?} is ours, and says whose a request is"));
    }
    if EVERYBODYS.into_iter().any(is) {
        return wrong(KEY, format!("{name:?} is what any client may send; name what shows the old session alone"));
    }
    Ok(header)
}

fn wrong<T>(key: &str, what: String) -> Result<T, ConfigError> {
    Err(ConfigError::value(key, what))
}

#[cfg(test)]
#[path = "legacy_tests.rs"]
mod tests;

//! An event as bytes: `version ‖ kind ‖ outcome ‖ actor ‖ fields`, a field as `tag ‖ length (2) ‖ value`, in the order of their
//! tags, each at most once, absent ones left out. One event has one spelling, and no two events have the same.
//!
//! The realm has a column of its own, so that a realm's rows are found without being read; the MAC covers it there.

use std::net::IpAddr;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::by::{Actor, By};
use super::event::{Event, Kind, Outcome};
use super::person::Personal;
use crate::ids::{AppName, IdentityId, SessionId, UserId};

const VERSION: u8 = 1;

/// Tags of what anybody may read who reads the log.
mod clear {
    pub const CODE: u8 = 1;
    pub const COUNT: u8 = 2;
    pub const APP: u8 = 3;
    pub const SESSION: u8 = 4;
    pub const IDENTITY: u8 = 5;
    pub const KEY: u8 = 6;
    pub const BY_SESSION: u8 = 7;
}

/// Tags of what is sealed.
mod personal {
    pub const USER: u8 = 1;
    pub const FROM: u8 = 2;
    pub const DEVICE: u8 = 3;
}

fn put(to: &mut Vec<u8>, tag: u8, value: &[u8]) {
    // Nothing that gets here is as long: names, ids and codes are bounded where they come in.
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    to.push(tag);
    to.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
    to.extend_from_slice(value);
}

/// What isn't personal.
pub(super) fn clear_of(event: &Event, by: &By) -> Vec<u8> {
    let actor = match by.actor {
        Actor::Server => 1,
        Actor::Client => 2,
        Actor::Key(_) => 3,
        Actor::Platform => 4,
        Actor::Operator => 5,
    };
    let mut to = Vec::with_capacity(96);
    to.extend_from_slice(&[VERSION, event.kind as u8, event.outcome as u8, actor]);
    if !event.code.is_empty() {
        put(&mut to, clear::CODE, event.code.as_bytes());
    }
    if event.count != 1 {
        put(&mut to, clear::COUNT, &event.count.to_be_bytes());
    }
    if let Some(app) = &event.app {
        put(&mut to, clear::APP, app.as_str().as_bytes());
    }
    if let Some(id) = event.session {
        put(&mut to, clear::SESSION, &id.0);
    }
    if let Some(id) = event.identity {
        put(&mut to, clear::IDENTITY, &id.0);
    }
    if let Actor::Key(name) = &by.actor {
        put(&mut to, clear::KEY, name.as_bytes());
    }
    // Most often it is the session that the event is about.
    if let Some(id) = by.session.filter(|id| Some(*id) != event.session) {
        put(&mut to, clear::BY_SESSION, &id.0);
    }
    to
}

/// What is.
pub(super) fn personal_of(event: &Event, by: &By) -> Zeroizing<Vec<u8>> {
    let mut to = Zeroizing::new(Vec::with_capacity(64));
    if let Some(user) = &event.user {
        put(&mut to, personal::USER, user.as_str().as_bytes());
    }
    match by.from {
        Some(IpAddr::V4(ip)) => put(&mut to, personal::FROM, &ip.octets()),
        Some(IpAddr::V6(ip)) => put(&mut to, personal::FROM, &ip.octets()),
        None => {}
    }
    if let Some(device) = &event.device {
        put(&mut to, personal::DEVICE, device.as_bytes());
    }
    to
}

/// The fields, or `None` where they are not spelt as we spell them.
fn fields(bytes: &[u8]) -> Option<Vec<(u8, &[u8])>> {
    let (mut rest, mut found, mut last) = (bytes, Vec::new(), 0);
    while let [tag, a, b, after @ ..] = rest {
        let (value, after) = after.split_at_checked(usize::from(u16::from_be_bytes([*a, *b])))?;
        if *tag <= last {
            return None;
        }
        (last, rest) = (*tag, after);
        found.push((*tag, value));
    }
    rest.is_empty().then_some(found)
}

/// Reads what isn't personal. `None`: written by a newer version.
pub(super) fn read_clear(bytes: &[u8]) -> Option<(Event, By)> {
    let [VERSION, kind, outcome, actor, rest @ ..] = bytes else { return None };
    let mut event = Event { outcome: Outcome::of(*outcome)?, ..Event::new(Kind::of(*kind)?, "") };
    let (mut by, mut key) = (By::default(), None::<Arc<str>>);
    for (tag, value) in fields(rest)? {
        let text = || std::str::from_utf8(value).ok();
        match tag {
            clear::CODE => event.code = text()?.to_owned().into(),
            clear::COUNT => event.count = u64::from_be_bytes(value.try_into().ok()?),
            clear::APP => event.app = Some(AppName::from(text()?)),
            clear::SESSION => event.session = Some(SessionId(value.try_into().ok()?)),
            clear::IDENTITY => event.identity = Some(IdentityId(value.try_into().ok()?)),
            clear::KEY => key = Some(text()?.into()),
            clear::BY_SESSION => by.session = Some(SessionId(value.try_into().ok()?)),
            _ => return None,
        }
    }
    by.actor = match (*actor, key) {
        (1, None) => Actor::Server,
        (2, None) => Actor::Client,
        (3, Some(name)) => Actor::Key(name),
        (4, None) => Actor::Platform,
        (5, None) => Actor::Operator,
        _ => return None,
    };
    Some((event, by))
}

/// Reads what is.
pub(super) fn read_personal(bytes: &[u8]) -> Option<Personal> {
    let mut found = Personal::default();
    for (tag, value) in fields(bytes)? {
        let text = || std::str::from_utf8(value).ok();
        match tag {
            personal::USER => found.user = Some(UserId::from(text()?)),
            personal::FROM => {
                let v4 = <[u8; 4]>::try_from(value).map(IpAddr::from);
                found.from = Some(v4.or_else(|_| <[u8; 16]>::try_from(value).map(IpAddr::from)).ok()?);
            }
            personal::DEVICE => found.device = Some(text()?.to_owned()),
            _ => return None,
        }
    }
    Some(found)
}

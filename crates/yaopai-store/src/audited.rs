//! What each command tells the audit log, by what it was asked and what came of it. Pure, and the same for every engine.
//!
//! Sessions that ended are not here: an engine tells of each [`Change::Ended`](yaopai_core::ports::Change) by itself, whatever
//! command it came of.

use yaopai_core::audit::{Event, Kind, Said};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::moving::{AppMove, Why};
use yaopai_core::ports::{Bind, BindCode, BindEnd, Identity, Move, NextKeys, Open, Opened, Proof, Rotated, UserFound};
use yaopai_core::session::{Claims, EndReason, Session};

/// A login.
pub(crate) fn opened(open: &Open, answer: &Opened) -> Said {
    let (session, code) = match answer {
        Opened::Opened(session) => (session, how(open, session)),
        Opened::NotLinked(session) => (session, "not_linked"),
        // Nothing was done.
        Opened::Repeated(_) | Opened::Disabled | Opened::Conflict | Opened::Full | Opened::Stays(_) => {
            return Said::new();
        }
    };
    vec![Event { device: session.device.name.clone(), ..Event::new(Kind::Login, code).of_session(session) }]
}

/// How it got its user.
fn how(open: &Open, session: &Session) -> &'static str {
    let named = open.user.as_ref().map(|found| &found.user);
    match &session.user {
        None => "unbound",
        Some(user) if named == Some(user) => "bound",
        Some(_) if session.identity == open.new_identity => "linked",
        Some(_) => "known",
    }
}

/// A refresh with a code. Not one that was answered before.
pub(crate) fn stepped_up(answer: &Rotated, changed: bool) -> Said {
    match answer {
        Rotated::Answer(session, _) if changed => vec![Event::new(Kind::StepUp, "").of_session(session)],
        _ => Said::new(),
    }
}

/// A bind by the client. `had` is the user that the identity had before.
pub(crate) fn bound(bind: &Bind, had: Option<&UserId>, answer: &Rotated, changed: bool) -> Said {
    let Rotated::Answer(session, _) = answer else { return Said::new() };
    if !changed {
        return Said::new();
    }
    let code = match &bind.proof {
        Proof::Form => "form",
        Proof::Phone => "phone",
        Proof::Code(_) => "bind_code",
    };
    let left = had.filter(|had| session.user.as_ref() != Some(had)).map(|had| Event {
        user: Some(had.clone()),
        session: None,
        ..Event::new(Kind::Unbind, "rebind").of_session(session)
    });
    left.into_iter().chain([Event::new(Kind::Bind, code).of_session(session)]).collect()
}

/// A bind by the back end. `had` and `claims` are from before.
pub(crate) fn bound_by_back_end(
    user: &UserFound,
    had: Option<&UserId>,
    claims: Option<&Claims>,
    answer: &BindEnd,
) -> Said {
    let BindEnd::Bound(identity) = answer else { return Said::new() };
    let mut said = Said::new();
    if had.is_none() {
        said.push(Event::new(Kind::Bind, "api").of_identity(identity));
    }
    if user.claims.is_some() && user.claims.as_ref() != claims {
        said.push(Event::new(Kind::Claims, "set").of_user(&identity.realm, &user.user));
    }
    said
}

/// An identity that went from its user to another. `was` and `claims` are from before.
pub(crate) fn moved(to: &Move, was: Option<&Identity>, claims: Option<&Claims>, answer: &BindEnd) -> Said {
    let (BindEnd::Bound(is), Some(was)) = (answer, was) else { return Said::new() };
    let mut said = Said::new();
    if was.user != is.user {
        said.push(Event::new(Kind::Unbind, to.why).of_identity(was));
        said.push(Event::new(Kind::Bind, to.why).of_identity(is));
    }
    if to.to.claims.is_some() && to.to.claims.as_ref() != claims {
        said.push(Event::new(Kind::Claims, "set").of_user(&is.realm, &to.to.user));
    }
    said
}

/// One step of a merge.
pub(crate) fn merging(identity: IdentityId, to: UserFound, second_identity: bool) -> Move {
    Move { identity, from: None, to, second_identity, why: "merge" }
}

/// The end of a binding. `was` is the identity as it was before; a client names the user from whom it unbinds.
pub(crate) fn unbound(was: Option<&Identity>, from: Option<&UserId>, done: bool) -> Said {
    let code = if from.is_some() { "client" } else { "api" };
    was.filter(|_| done).map(|was| Event::new(Kind::Unbind, code).of_identity(was)).into_iter().collect()
}

/// What is said about a user.
pub(crate) fn claimed(realm: &Realm, user: &UserId, new: Option<&Claims>, before: Option<&Claims>) -> Said {
    let code = if new.is_some() { "set" } else { "cleared" };
    if new == before { Said::new() } else { vec![Event::new(Kind::Claims, code).of_user(realm, user)] }
}

/// A user was disabled or enabled, or was so before.
pub(crate) fn disabled(realm: &Realm, user: &UserId, was: bool, is: bool) -> Said {
    let kind = if is { Kind::Disabled } else { Kind::Enabled };
    if was == is { Said::new() } else { vec![Event::new(kind, "").of_user(realm, user)] }
}

/// A bind code.
pub(crate) fn made(code: &BindCode) -> Said {
    vec![Event { app: code.app.clone(), ..Event::new(Kind::BindCode, "made").of_user(&code.realm, &code.user) }]
}

/// An app's move has a new state; `None`: there is none any more.
pub(crate) fn move_set(realm: &Realm, app: &AppName, was: Option<&AppMove>, is: Option<&AppMove>) -> Said {
    if was == is {
        return Said::new();
    }
    let code = match is {
        Some(is) if is.back => "back",
        Some(_) => "set",
        None => "ended",
    };
    let share = is.map_or(0, |is| u64::from(is.share.hundredths()));
    let event = Event::new(Kind::AppMove, code).times(share);
    vec![Event { realm: Some(realm.clone()), app: Some(app.clone()), ..event }]
}

/// A session that ends because its person is on the legacy side.
pub(crate) fn went_back(session: &Session, why: Why) -> Said {
    vec![Event::new(Kind::WentBack, why.as_str()).of_session(session)]
}

/// Keys were made on request.
pub(crate) fn rotated(next: &NextKeys, done: bool) -> Said {
    let code = if next.alone { "at_once" } else { "next" };
    if done && !next.keys.is_empty() { vec![Event::new(Kind::SigningKey, code)] } else { Said::new() }
}

/// A session that ended, as it is stored.
pub struct End {
    /// Which.
    pub id: SessionId,
    /// Where.
    pub realm: Realm,
    /// Of which app.
    pub app: AppName,
    /// Whose.
    pub identity: IdentityId,
    /// Its user.
    pub user: Option<UserId>,
    /// Why.
    pub reason: EndReason,
}

/// The end of a session. Of age it ends by itself, and that is nobody's doing.
pub(crate) fn ended(end: End) -> Option<Event> {
    let End { id, realm, app, identity, user, reason } = end;
    if matches!(reason, EndReason::ExpiredIdle | EndReason::ExpiredAbsolute) {
        return None;
    }
    Some(Event {
        realm: Some(realm),
        app: Some(app),
        session: Some(id),
        identity: Some(identity),
        user,
        ..Event::new(Kind::Ended, reason.as_str())
    })
}

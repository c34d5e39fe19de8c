//! Opening a session.

use yaopai_core::ids::UserId;
use yaopai_core::moving::stays;
use yaopai_core::ports::{Change, Identity, LinkBy, Open, Opened, StoreResult, UserFound};
use yaopai_core::session::{EndReason, Other, Room, Secrets, Session};
use yaopai_core::time::{Timestamp, Uptime};

use super::moving;
use super::state::{Kept, State};
use crate::rules::{self, Linked};

pub(super) fn open(state: &mut State, open: &Open, changes: &mut Vec<Change>) -> StoreResult<Opened> {
    let mut session = open.session.clone();
    let now = session.created_at;
    if let Some(kept) = state.logins.get(&open.login.key).filter(|kept| kept.expires_at > now) {
        return Ok(Opened::Repeated(kept.clone()));
    }
    let found = state.by_openid.get(&(session.app.clone(), session.openid.clone())).copied();
    let was = found.and_then(|id| state.identities.get(&id)).map(|kept| kept.identity.clone());
    if let Some(was) = was.as_ref().filter(|was| was.realm != session.realm) {
        return Err(rules::moved(&session, &was.realm));
    }
    let bound_to = was.as_ref().and_then(|i| i.user.clone());
    let has_other = |user: &UserId| state.has_other(&session.realm, &session.app, user, found);
    let linked = rules::link(open, found.is_none()).map(|(link, unionid)| named_by(state, &session, link, unionid));
    let (linked, unlinked) = match linked {
        Some(Linked::To(user)) if open.second_identity || !has_other(&user) => (Some(user), false),
        Some(Linked::To(_) | Linked::Unclear) => (None, true),
        Some(Linked::No) | None => (None, false),
    };
    let linked = linked.map(|user| UserFound { user, claims: None });
    let proposed = linked.as_ref().or(open.user.as_ref()).filter(|_| bound_to.is_none());
    let user = bound_to.as_ref().or_else(|| proposed.map(|p| &p.user));
    let said = moving::of(state, &session.realm, &session.app, &session.openid, user);
    if let Some(why) = stays(said.as_ref(), &session.app, &session.openid) {
        return Ok(Opened::Stays(why));
    }
    if user.is_some_and(|user| state.disabled_at(&session.realm, user).is_some()) {
        return Ok(Opened::Disabled);
    }
    if proposed.is_some_and(|proposed| !open.second_identity && has_other(&proposed.user)) {
        return Ok(Opened::Conflict);
    }
    session.identity = found.unwrap_or(open.new_identity);
    session.user = bound_to.or_else(|| proposed.map(|p| p.user.clone()));
    session.secrets = Secrets::new(session.secrets.current(), session.user.is_some());
    session.ended = None;
    let Room::After(yielding) = open.limits.room(&others(state, &session, open.idle_ms, open.up, now)) else {
        return Ok(Opened::Full);
    };
    if state.sessions.contains_key(&session.id) || (found.is_none() && state.identities.contains_key(&session.identity))
    {
        return Err(rules::refuse("an id is taken"));
    }

    for id in yielding {
        state.end(id, EndReason::Replaced, now, changes);
    }
    let kept = state.identities.entry(session.identity).or_insert_with(|| Kept {
        identity: Identity {
            id: session.identity,
            realm: session.realm.clone(),
            app: session.app.clone(),
            openid: session.openid.clone(),
            unionid: session.unionid.clone(),
            user: None,
            bound_at: None,
            created_at: now,
            vouched_at: None,
        },
        session_key: None,
    });
    kept.identity.vouched_at = Some(session.vouched_at);
    if let Some(proposed) = proposed {
        kept.identity.user = Some(proposed.user.clone());
        kept.identity.bound_at = Some(now);
    }
    if open.session_key.is_some() {
        kept.session_key.clone_from(&open.session_key);
    }
    let renamed = session.unionid.is_some() && kept.identity.unionid != session.unionid;
    if renamed {
        kept.identity.unionid.clone_from(&session.unionid);
    }
    state.by_openid.insert((session.app.clone(), session.openid.clone()), session.identity);

    let said = open.user.as_ref().filter(|u| session.user.as_ref() == Some(&u.user)).and_then(|u| u.claims.as_ref());
    let newly_said = match (&session.user, said) {
        (Some(user), Some(claims)) => state.say(&session.realm, user, Some(claims)),
        _ => false,
    };
    let told = state.live(|s| {
        (renamed && s.identity == session.identity)
            || (newly_said && s.realm == session.realm && s.user == session.user)
    });
    state.put(told, changes);
    state.sessions.insert(session.id, session.clone());
    state.logins.insert(open.login.key, open.login.clone());
    let session = state.joined(&session);
    changes.push(Change::Put(Box::new(session.clone())));
    Ok(if unlinked { Opened::NotLinked(Box::new(session)) } else { Opened::Opened(Box::new(session)) })
}

/// Whom the unionid names, over the apps that count.
fn named_by(state: &State, session: &Session, link: &LinkBy, unionid: &str) -> Linked {
    let kin =
        state.identities.values().map(|kept| &kept.identity).filter(|i| {
            i.realm == session.realm && i.unionid.as_deref() == Some(unionid) && link.apps.contains(&i.app)
        });
    rules::linked(kin.filter_map(|i| i.user.clone()).collect())
}

/// The live sessions that the limits count: of the same user in the same app or, without a user, of the identity.
pub(super) fn others(state: &State, new: &Session, idle_ms: i64, up: Uptime, now: Timestamp) -> Vec<Other> {
    let counted = |s: &&Session| {
        s.ended.is_none()
            && s.realm == new.realm
            && s.app == new.app
            && s.user == new.user
            && (new.user.is_some() || s.identity == new.identity)
            && s.last_seen.0.saturating_add(idle_ms) > up.0
            && s.absolute_at > now
    };
    let other = |s: &Session| Other { id: s.id, same_type: s.device.kind == new.device.kind };
    state.sessions.values().filter(counted).map(other).collect()
}

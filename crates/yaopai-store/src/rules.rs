//! What every engine does alike with a session that it has loaded: the rules of `yaopai_core::session`, and what of it has
//! to be written. Pure.

use std::collections::BTreeSet;

use yaopai_core::ids::{IdentityId, SessionId, UserId};
use yaopai_core::ports::{
    Bind, BindCode, Identity, LinkBy, Open, Proof, Rotate, Rotated, Stale, StaleAfter, StaleEnded, StepUp, StoreError,
    Subject, Which,
};
use yaopai_core::session::{Answer, EndReason, Ended, Refreshed, Session, Standing};
use yaopai_core::time::{Timestamp, Uptime};
use yaopai_wire::token::SecretHash;

/// What has to be written after a rule was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    Nothing,
    /// The session as it is now: its secrets, its user.
    Session,
    /// Its end.
    End(Ended),
}

/// A refresh.
pub(crate) fn rotate(session: &mut Session, rotate: &Rotate) -> (Write, Rotated) {
    if let Some(refusal) = over(session, &rotate.shown, rotate.now) {
        return (Write::Nothing, refusal);
    }
    // A keyed session has one secret for life: nobody who holds its key asks for another.
    if session.key.is_keyed() {
        return (Write::Nothing, Rotated::Unknown);
    }
    let before = session.secrets.clone();
    match session.secrets.refresh(&rotate.shown, rotate.request, rotate.candidate.clone(), rotate.now) {
        Refreshed::Answer(answer) => {
            let write = if session.secrets == before { Write::Nothing } else { Write::Session };
            (write, Rotated::Answer(Box::new(session.clone()), answer))
        }
        Refreshed::Theft => {
            let ended = Ended { reason: EndReason::Reused, at: rotate.now };
            session.ended = Some(ended);
            (Write::End(ended), Rotated::Ended(ended.reason))
        }
        other => (Write::Nothing, refused(&other)),
    }
}

/// A refresh with a code.
pub(crate) fn step_up(session: &mut Session, step_up: &StepUp) -> (Write, Rotated) {
    let Rotate { shown, request, candidate, now, .. } = &step_up.rotate;
    if let Some(refusal) = over(session, shown, *now) {
        return (Write::Nothing, refusal);
    }
    if let Some(answer) = session.secrets.answered(shown, *request, *now) {
        return (Write::Nothing, Rotated::Answer(Box::new(session.clone()), answer));
    }
    let stepped_up = if session.key.is_keyed() {
        session.secrets.keep(shown, *request, false, *now)
    } else {
        session.secrets.step_up(shown, *request, candidate.clone(), *now)
    };
    match stepped_up {
        Refreshed::Answer(answer) => {
            // Later than the login's word, also within its millisecond: some things ask for a step-up's.
            session.vouched_at = Timestamp(now.0.max(session.created_at.0 + 1));
            (Write::Session, Rotated::Answer(Box::new(session.clone()), answer))
        }
        other => (Write::Nothing, refused(&other)),
    }
}

/// The first use of a new secret. True if that has to be written.
pub(crate) fn confirm(session: &mut Session, shown: &SecretHash, now: Timestamp) -> bool {
    session.ended.is_none() && session.secrets.confirm(shown, now)
}

/// May the user get a second identity of the app by this bind? Never by a phone number alone: numbers are recycled, and the
/// next owner of one is not its last.
pub(crate) fn may_be_second(bind: &Bind) -> bool {
    bind.second_identity && bind.proof != Proof::Phone
}

/// May the session redeem this code for the bind's user? The page that shows a code names its user; the back end's word on
/// the bind must be the same.
pub(crate) fn redeems(code: Option<&BindCode>, session: &Session, bind: &Bind) -> bool {
    code.is_some_and(|code| code.redeems(session, bind.rotate.now) && code.user == bind.user.user)
}

/// Whom a new identity's unionid names.
pub(crate) enum Linked {
    /// Nobody, or it isn't to be asked.
    No,
    /// This user.
    To(UserId),
    /// Several users.
    Unclear,
}

/// Is the unionid to be asked? Only of an identity that is new: one that was unbound must not come back by itself.
pub(crate) fn link(open: &Open, is_new: bool) -> Option<(&LinkBy, &str)> {
    let link = open.link.as_ref().filter(|link| is_new && (link.first || open.user.is_none()))?;
    Some((link, open.session.unionid.as_deref()?))
}

/// What the users of a unionid come to.
pub(crate) fn linked(users: BTreeSet<UserId>) -> Linked {
    let mut users = users.into_iter();
    match (users.next(), users.next()) {
        (None, _) => Linked::No,
        (Some(user), None) => Linked::To(user),
        (Some(_), Some(_)) => Linked::Unclear,
    }
}

/// The client has read that its session was bound. True if that has to be written.
pub(crate) fn bind_read(session: &mut Session) -> bool {
    session.ended.is_none() && session.secrets.read()
}

/// What a bind's secret rule says. The engine then looks for conflicts, and only then writes.
pub(crate) enum Rise {
    /// It is refused.
    No(Rotated),
    /// This request was answered before: nothing to write.
    Again(Answer),
    /// The session has risen to the user, if there is no conflict.
    To(Answer),
    /// The same, and the identity leaves the user it has.
    Over(Answer),
}

/// A bind, of a session whose identity has this user.
pub(crate) fn rise(session: &mut Session, has: Option<&UserId>, bind: &Bind) -> Rise {
    let Rotate { shown, request, candidate, now, .. } = &bind.rotate;
    if let Some(refusal) = over(session, shown, *now) {
        return Rise::No(refusal);
    }
    if let Some(answer) = session.secrets.answered(shown, *request, *now) {
        return Rise::Again(answer);
    }
    let leaves = has.is_some_and(|has| *has != bind.user.user);
    if leaves {
        match session.secrets.standing(shown, *now) {
            // Whose secret it isn't, and whose it was long ago, learn nothing about the binding.
            Standing::Unknown | Standing::Retired => {}
            // Only who acts as the user may take the identity away from it.
            Standing::Current { bound } | Standing::Successor { bound } | Standing::Grace { bound } => {
                if !bound || session.user.as_ref() != has {
                    return Rise::No(Rotated::Conflict);
                }
                if !session.stepped_up_lately(*now) {
                    return Rise::No(Rotated::Stale);
                }
                session.secrets.leave_user();
            }
        }
    }
    let risen = if session.key.is_keyed() {
        session.secrets.keep(shown, *request, true, *now)
    } else {
        session.secrets.rise(shown, *request, candidate.clone(), *now)
    };
    match risen {
        Refreshed::Answer(answer) => {
            session.user = Some(bind.user.user.clone());
            if leaves { Rise::Over(answer) } else { Rise::To(answer) }
        }
        other => Rise::No(refused(&other)),
    }
}

/// Has it ended? Only who holds one of its secrets learns why.
fn over(session: &Session, shown: &SecretHash, now: Timestamp) -> Option<Rotated> {
    let ended = session.ended?;
    Some(match session.secrets.standing(shown, now) {
        Standing::Unknown => Rotated::Unknown,
        _ => Rotated::Ended(ended.reason),
    })
}

fn refused(refreshed: &Refreshed) -> Rotated {
    match refreshed {
        Refreshed::Superseded => Rotated::Superseded,
        Refreshed::TooMany => Rotated::TooMany,
        // The first two are handled by the callers, and hand out nothing here.
        Refreshed::Answer(_) | Refreshed::Theft | Refreshed::Unknown => Rotated::Unknown,
    }
}

/// Is the session among those named? The realm is the caller's to compare.
pub(crate) fn named(
    which: &Which,
    id: SessionId,
    identity: IdentityId,
    user: Option<&UserId>,
    opened_at: Timestamp,
) -> bool {
    match which {
        Which::One(one) => *one == id,
        Which::Some(ids) => ids.contains(&id),
        Which::Own(one, subject) => *one == id && owns(subject, identity, user),
        Which::All(subject) => owns(subject, identity, user),
        Which::Opened(owner, by) => identity == *owner && opened_at <= *by,
    }
}

/// Has the identity a user, and this one if one is named?
pub(crate) fn has(identity: &Identity, user: Option<&UserId>) -> bool {
    identity.user.as_ref().is_some_and(|has| user.is_none_or(|user| user == has))
}

/// Is the session the subject's?
pub(crate) fn owns(subject: &Subject, identity: IdentityId, user: Option<&UserId>) -> bool {
    match subject {
        Subject::User(owner) => user == Some(owner),
        Subject::Guest(owner) => user.is_none() && identity == *owner,
    }
}

/// Has it expired, by what is stored of it? Such a one counts towards no limit.
pub(crate) fn expired(session: &Session, idle_ms: i64, up: Uptime, now: Timestamp) -> bool {
    now >= session.absolute_at || up.0 >= session.last_seen.0.saturating_add(idle_ms)
}

/// What a step over live sessions has found: those that have expired, and where the next one goes on.
pub(crate) fn step(stale: &Stale, found: Vec<(StaleAfter, Option<EndReason>)>) -> StaleEnded {
    let full = found.len() >= usize::try_from(stale.limit).unwrap_or(usize::MAX);
    let next = found.last().map(|(at, _)| *at).filter(|_| full);
    let ended = found.into_iter().filter_map(|((_, id), reason)| Some((id, reason?))).collect();
    StaleEnded { ended, next }
}

/// The same call can't succeed later.
pub(crate) fn refuse(what: impl Into<String>) -> StoreError {
    StoreError { retry: false, what: what.into() }
}

/// An app's identities can't follow it into another realm: what was bound there would be visible here.
pub(crate) fn moved(session: &Session, was: &yaopai_core::ids::Realm) -> StoreError {
    refuse(format!(
        "app `{}` belonged to realm `{was}` and its identities can't move to realm `{}`: give the app a new name",
        session.app, session.realm
    ))
}

//! What a merge by unionid comes to. Pure, and the same for every engine.

use std::collections::BTreeSet;

use yaopai_core::ids::{AppName, UserId};
use yaopai_core::ports::{BindTerms, Identity, Merge, MergeConflict, MergeOutcome, Merged};

use crate::rules::{self, Linked};

/// The terms of an app, if it is one of those that count.
pub(crate) fn terms<'m>(merge: &'m Merge, app: &AppName) -> Option<&'m BindTerms> {
    merge.apps.iter().find(|(name, _)| name == app).map(|(_, terms)| terms)
}

/// What becomes of each of these identities, which are all that share the unionid in the apps that count. `has_other`: has the user
/// another identity of this one's app?
pub(crate) fn plan<E>(
    merge: &Merge,
    identities: Vec<Identity>,
    mut has_other: impl FnMut(&Identity, &UserId) -> Result<bool, E>,
) -> Result<Merged, E> {
    let users: BTreeSet<UserId> = identities.iter().filter_map(|i| i.user.clone()).collect();
    let (user, against) = match (&merge.user, rules::linked(users)) {
        (Some(named), _) => (Some(named.clone()), MergeConflict::SecondIdentity),
        (None, Linked::To(one)) => (Some(one), MergeConflict::SecondIdentity),
        (None, Linked::No) => (None, MergeConflict::NoUser),
        (None, Linked::Unclear) => (None, MergeConflict::SeveralUsers),
    };
    let mut outcomes = Vec::new();
    for (at, identity) in identities.iter().enumerate() {
        outcomes.push(match &user {
            None => MergeOutcome::Conflict(against),
            Some(user) if identity.user.as_ref() == Some(user) => MergeOutcome::Kept,
            Some(user) => {
                let may = terms(merge, &identity.app).is_some_and(|terms| terms.second_identity);
                let twin = identities.iter().enumerate().any(|(other, i)| other != at && i.app == identity.app);
                if !may && (twin || has_other(identity, user)?) {
                    MergeOutcome::Conflict(against)
                } else if identity.user.is_some() {
                    MergeOutcome::Moved
                } else {
                    MergeOutcome::Bound
                }
            }
        });
    }
    let mut merged = Merged { user, identities: identities.into_iter().zip(outcomes).collect(), done: false };
    merged.done = !merge.dry_run && !merged.identities.is_empty() && !merged.conflicts();
    Ok(merged)
}

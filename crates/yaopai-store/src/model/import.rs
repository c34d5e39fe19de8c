//! Bindings that come in from a file.

use std::convert::Infallible;

use yaopai_core::ports::{
    BindEnd, Change, Identity, ImportMark, ImportOutcome, ImportPiece, ImportRow, ImportTerms, StoreResult,
};

use super::bind;
use super::state::{Kept, State};
use crate::rules::refuse;

pub(super) fn bring_in(
    state: &mut State,
    piece: &ImportPiece,
    changes: &mut Vec<Change>,
) -> StoreResult<Vec<ImportOutcome>> {
    let before = state.imports.get(&piece.file).map_or(0, |mark| mark.position);
    if before != piece.from {
        return Err(refuse(format!("the import is at byte {before}, not at {}", piece.from)));
    }
    // On a copy: all of the piece or nothing of it.
    let (mut after, mut told) = (state.clone(), Vec::new());
    let outcomes =
        piece.rows.iter().map(|row| one(&mut after, piece, row, &mut told)).collect::<StoreResult<Vec<_>>>()?;
    let note = piece.log.note(&outcomes).map_err(refuse)?;
    after.imports.insert(piece.file, ImportMark { position: piece.to, note });
    *state = after;
    changes.append(&mut told);
    Ok(outcomes)
}

fn one(
    state: &mut State,
    piece: &ImportPiece,
    row: &ImportRow,
    changes: &mut Vec<Change>,
) -> StoreResult<ImportOutcome> {
    let terms = piece.terms.get(&row.app).ok_or_else(|| refuse(format!("app `{}` has no terms", row.app)))?;
    let found = state.by_openid.get(&(row.app.clone(), row.openid.clone()));
    let identity = found.and_then(|id| state.identities.get(id)).map(|kept| kept.identity.clone());
    let other = || Ok::<_, Infallible>(other_openid(state, row, terms));
    let outcome = match row.judge(terms, identity.as_ref(), other) {
        Ok(outcome) => outcome,
        Err(never) => match never {},
    };
    match (&outcome, identity) {
        (ImportOutcome::Conflict(_), _) => {}
        (_, None) => create(state, row, terms, changes)?,
        (_, Some(identity)) => complete(state, row, terms, &identity, changes)?,
    }
    Ok(outcome)
}

fn create(state: &mut State, row: &ImportRow, terms: &ImportTerms, changes: &mut Vec<Change>) -> StoreResult<()> {
    if state.identities.contains_key(&row.new_identity) {
        return Err(refuse("an id is taken"));
    }
    let identity = row.identity(terms);
    state.identities.insert(identity.id, Kept { identity, session_key: None });
    state.by_openid.insert((row.app.clone(), row.openid.clone()), row.new_identity);
    if row.user.claims.is_some() {
        bind::set_claims(state, &terms.realm, &row.user.user, row.user.claims.as_ref(), changes);
    }
    Ok(())
}

fn complete(
    state: &mut State,
    row: &ImportRow,
    terms: &ImportTerms,
    identity: &Identity,
    changes: &mut Vec<Change>,
) -> StoreResult<()> {
    if !matches!(
        bind::bind_identity(state, &terms.realm, identity.id, &row.user, &terms.bind, changes),
        BindEnd::Bound(_)
    ) {
        return Err(refuse("a bind was refused that the rule allows"));
    }
    let Some(kept) = state.identities.get_mut(&identity.id) else { return Ok(()) };
    if row.bound_at.is_some() && identity.user.is_none() {
        kept.identity.bound_at = row.bound_at;
    }
    if row.unionid.is_some() && identity.unionid.is_none() {
        kept.identity.unionid.clone_from(&row.unionid);
        let told = state.live(|s| s.identity == identity.id);
        state.put(told, changes);
    }
    Ok(())
}

fn other_openid(state: &State, row: &ImportRow, terms: &ImportTerms) -> Option<String> {
    let others = state.identities.values().map(|k| &k.identity);
    let of_user = |i: &&Identity| i.realm == terms.realm && i.app == row.app && i.user.as_ref() == Some(&row.user.user);
    others.filter(of_user).map(|i| i.openid.clone()).min()
}

//! Bindings that come in from a file.

use yaopai_core::ports::{BindEnd, Identity, ImportOutcome, ImportPiece, ImportRow, ImportTerms};

use super::{Done, Failure, Work, bind};
use crate::rows::Rows;
use crate::rules::refuse;

pub(crate) fn bring_in<R: Rows>(work: &mut Work<'_, R>, piece: &ImportPiece) -> Done<Vec<ImportOutcome>> {
    let before = work.db.import_mark(&piece.file)?.map_or(0, |mark| mark.position);
    if before != piece.from {
        return Err(Failure::Refused(refuse(format!("the import is at byte {before}, not at {}", piece.from))));
    }
    let outcomes = piece.rows.iter().map(|row| one(work, piece, row)).collect::<Done<Vec<_>>>()?;
    let note = piece.log.note(&outcomes).map_err(|what| Failure::Undone(refuse(what)))?;
    work.db.set_import_mark(&piece.file, piece.to, &note)?;
    Ok(outcomes)
}

fn one<R: Rows>(work: &mut Work<'_, R>, piece: &ImportPiece, row: &ImportRow) -> Done<ImportOutcome> {
    let Some(terms) = piece.terms.get(&row.app) else {
        return Err(Failure::Undone(refuse(format!("app `{}` has no terms", row.app))));
    };
    let identity = work.db.identity_by_openid(&row.app, &row.openid)?;
    // The row's own identity can't be among them: it has no user when this is asked. The first in order, so that two runs over
    // equal databases report the same.
    let other = || work.db.first_openid(&terms.realm, &row.app, &row.user.user);
    let outcome = row.judge(terms, identity.as_ref(), other)?;
    match (&outcome, identity) {
        (ImportOutcome::Conflict(_), _) => {}
        (_, None) => create(work, row, terms)?,
        (_, Some(identity)) => complete(work, row, terms, &identity)?,
    }
    Ok(outcome)
}

/// An openid that was never seen.
fn create<R: Rows>(work: &mut Work<'_, R>, row: &ImportRow, terms: &ImportTerms) -> Done<()> {
    let identity = row.identity(terms);
    work.db.insert_identity(&identity, None)?;
    match &row.user.claims {
        Some(claims) => bind::set_claims(work, &terms.realm, &row.user.user, Some(claims)),
        None => Ok(()),
    }
}

/// One that is known: with its sessions, as by the back end's own bind.
fn complete<R: Rows>(work: &mut Work<'_, R>, row: &ImportRow, terms: &ImportTerms, identity: &Identity) -> Done<()> {
    if !matches!(bind::bind_identity(work, &terms.realm, identity.id, &row.user, &terms.bind)?, BindEnd::Bound(_)) {
        return Err(Failure::Undone(refuse("a bind was refused that the rule allows")));
    }
    if let Some(at) = row.bound_at.filter(|_| identity.user.is_none()) {
        work.db.set_bound_at(identity.id, at)?;
    }
    if let Some(unionid) = row.unionid.as_deref().filter(|_| identity.unionid.is_none()) {
        work.db.set_unionid(identity.id, unionid)?;
        let told = work.db.live_of_identity(identity.id)?;
        bind::tell(work, told)?;
    }
    Ok(())
}

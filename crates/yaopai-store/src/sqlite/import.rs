//! Bindings that come in from a file.

use rusqlite::{Connection, params};
use yaopai_core::ids::{AppName, Realm, UserId};
use yaopai_core::ports::{
    BindEnd, FileHash, Identity, ImportMark, ImportOutcome, ImportPiece, ImportRow, ImportTerms, StoreError,
};

use super::writer::{Done, Failure, Work};
use super::{bind, rows};
use crate::rules::refuse;

pub(super) fn bring_in(work: &mut Work<'_>, piece: &ImportPiece) -> Done<Vec<ImportOutcome>> {
    let before = mark(work.db, &piece.file)?.map_or(0, |mark| mark.position);
    if before != piece.from {
        return Err(Failure::Refused(refuse(format!("the import is at byte {before}, not at {}", piece.from))));
    }
    let outcomes = piece.rows.iter().map(|row| one(work, piece, row)).collect::<Done<Vec<_>>>()?;
    let note = piece.log.note(&outcomes).map_err(|what| undone(refuse(what)))?;
    let sql = "INSERT OR REPLACE INTO imports (file, position, note) VALUES (?1, ?2, ?3)";
    work.db.prepare_cached(sql)?.execute(params![piece.file, piece.to.cast_signed(), note])?;
    Ok(outcomes)
}

fn one(work: &mut Work<'_>, piece: &ImportPiece, row: &ImportRow) -> Done<ImportOutcome> {
    let Some(terms) = piece.terms.get(&row.app) else {
        return Err(undone(refuse(format!("app `{}` has no terms", row.app))));
    };
    let identity = bind::by_openid(work.db, &row.app, &row.openid)?;
    let other = || other_openid(work.db, &terms.realm, &row.app, &row.user.user);
    let outcome = row.judge(terms, identity.as_ref(), other)?;
    match (&outcome, identity) {
        (ImportOutcome::Conflict(_), _) => {}
        (_, None) => create(work, row, terms)?,
        (_, Some(identity)) => complete(work, row, terms, &identity)?,
    }
    Ok(outcome)
}

/// An openid that was never seen.
fn create(work: &mut Work<'_>, row: &ImportRow, terms: &ImportTerms) -> Done<()> {
    let at = row.bound_at.unwrap_or(terms.bind.now);
    let sql = "INSERT INTO identities (id, realm, app, openid, unionid, user_id, bound_at, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)";
    work.db.prepare_cached(sql)?.execute(params![
        row.new_identity.0,
        terms.realm.as_str(),
        row.app.as_str(),
        row.openid,
        row.unionid,
        row.user.user.as_str(),
        at.0,
    ])?;
    match &row.user.claims {
        Some(claims) => bind::set_claims(work, &terms.realm, &row.user.user, Some(claims)),
        None => Ok(()),
    }
}

/// One that is known: with its sessions, as by the back end's own bind.
fn complete(work: &mut Work<'_>, row: &ImportRow, terms: &ImportTerms, identity: &Identity) -> Done<()> {
    if !matches!(bind::bind_identity(work, &terms.realm, identity.id, &row.user, &terms.bind)?, BindEnd::Bound(_)) {
        return Err(undone(refuse("a bind was refused that the rule allows")));
    }
    if let Some(at) = row.bound_at.filter(|_| identity.user.is_none()) {
        work.db
            .prepare_cached("UPDATE identities SET bound_at = ?2 WHERE id = ?1")?
            .execute(params![identity.id.0, at.0])?;
    }
    if row.unionid.is_some() && identity.unionid.is_none() {
        let sql = "UPDATE identities SET unionid = ?2 WHERE id = ?1";
        work.db.prepare_cached(sql)?.execute(params![identity.id.0, row.unionid])?;
        let told = bind::live_of_identity(work.db, identity.id)?;
        bind::tell(work, told)?;
    }
    Ok(())
}

/// The first in order, so that two runs over equal databases report the same.
fn other_openid(db: &Connection, realm: &Realm, app: &AppName, user: &UserId) -> rusqlite::Result<Option<String>> {
    // The row's own identity can't be among them: it has no user when this is asked.
    let sql = "SELECT min(openid) FROM identities WHERE realm = ?1 AND user_id = ?2 AND app = ?3";
    Ok(rows::one(db, sql, [realm.as_str(), user.as_str(), app.as_str()], |r| r.get(0))?.flatten())
}

pub(super) fn mark(db: &Connection, file: &FileHash) -> rusqlite::Result<Option<ImportMark>> {
    let sql = "SELECT position, note FROM imports WHERE file = ?1";
    let read =
        |r: &rusqlite::Row<'_>| Ok(ImportMark { position: r.get::<_, i64>(0)?.cast_unsigned(), note: r.get(1)? });
    rows::one(db, sql, [file], read)
}

pub(super) fn end(work: &mut Work<'_>, file: &FileHash) -> Done<()> {
    work.db.prepare_cached("DELETE FROM imports WHERE file = ?1")?.execute([file])?;
    Ok(())
}

/// A refusal after something was written: the transaction is rolled back.
fn undone(why: StoreError) -> Failure {
    Failure::Sql(rusqlite::Error::ToSqlConversionFailure(Box::new(why)))
}

//! Rows and what they mean.

use rusqlite::types::Type;
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Params, Row, params};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::Identity;
use yaopai_core::session::{Claims, Device, EndReason, Ended, EnvVersion, Session, SessionKey};
use yaopai_core::time::{Timestamp, Uptime};

/// What [`session`] reads, from `sessions s`, `identities i` and `users u`.
macro_rules! session_columns {
    () => {
        "SELECT s.id, s.realm, s.app, s.identity, i.openid, i.unionid, s.user_id, u.claims, s.device_id, s.device_type, \
         s.device_name, s.env_version, s.created_at, s.vouched_at, s.absolute_at, s.last_seen, s.key_kind, s.secrets, \
         s.ended_reason, s.ended_at, s.key_version, s.key "
    };
}

/// Sessions, looked up by their own columns. `CROSS JOIN` keeps SQLite from starting anywhere else.
macro_rules! sessions {
    ($rest:literal) => {
        concat!(
            $crate::sqlite::rows::session_columns!(),
            "FROM sessions s CROSS JOIN identities i ON i.id = s.identity \
             LEFT JOIN users u ON u.realm = s.realm AND u.user_id = s.user_id ",
            $rest
        )
    };
}

/// Live sessions of the user ?2 in the realm ?1, looked up through the user's identities.
macro_rules! sessions_of_user {
    ($rest:literal) => {
        concat!(
            $crate::sqlite::rows::session_columns!(),
            "FROM identities i CROSS JOIN sessions s LEFT JOIN users u ON u.realm = s.realm AND u.user_id = s.user_id \
             WHERE i.realm = ?1 AND i.user_id = ?2 \
             AND s.identity = i.id AND s.ended_at IS NULL AND s.realm = ?1 AND s.user_id = ?2 ",
            $rest
        )
    };
}

pub(super) use {session_columns, sessions, sessions_of_user};

/// An identity's columns, as [`identity`] reads them.
macro_rules! identity_columns {
    () => {
        "id, realm, app, openid, unionid, user_id, bound_at, created_at, vouched_at"
    };
}
pub(super) use identity_columns;

pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: SessionId(row.get(0)?),
        realm: realm(row, 1)?,
        app: app(row, 2)?,
        identity: IdentityId(row.get(3)?),
        openid: row.get(4)?,
        unionid: row.get(5)?,
        user: user(row, 6)?,
        claims: row.get::<_, Option<String>>(7)?.map(Claims::from_stored),
        device: Device { id: row.get(8)?, kind: row.get(9)?, name: row.get(10)? },
        env_version: row.get_ref(11)?.as_str_or_null()?.map(|text| env_version(text, 11)).transpose()?,
        created_at: Timestamp(row.get(12)?),
        vouched_at: Timestamp(row.get(13)?),
        absolute_at: Timestamp(row.get(14)?),
        last_seen: Uptime(row.get(15)?),
        key: key(row)?,
        secrets: serde_json::from_str(row.get_ref(17)?.as_str()?)
            .map_err(|e| rusqlite::Error::FromSqlConversionFailure(17, Type::Text, Box::new(e)))?,
        ended: match row.get_ref(18)?.as_str_or_null()? {
            None => None,
            Some(text) => Some(Ended {
                reason: EndReason::parse(text).ok_or_else(|| unreadable(text, 18))?,
                at: Timestamp(row.get(19)?),
            }),
        },
    })
}

pub(super) fn identity(row: &Row<'_>) -> rusqlite::Result<Identity> {
    Ok(Identity {
        id: IdentityId(row.get(0)?),
        realm: realm(row, 1)?,
        app: app(row, 2)?,
        openid: row.get(3)?,
        unionid: row.get(4)?,
        user: user(row, 5)?,
        bound_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
        created_at: Timestamp(row.get(7)?),
        vouched_at: row.get::<_, Option<i64>>(8)?.map(Timestamp),
    })
}

pub(super) fn insert(db: &Connection, s: &Session) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO sessions (id, realm, app, identity, user_id, device_id, device_type, device_name, \
        env_version, created_at, vouched_at, absolute_at, last_seen, key_kind, secrets, key_version, key) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    let (key_version, key) = s.key.kept();
    db.prepare_cached(SQL)?.execute(params![
        s.id.0,
        s.realm.as_str(),
        s.app.as_str(),
        s.identity.0,
        s.user.as_ref().map(UserId::as_str),
        s.device.id,
        s.device.kind,
        s.device.name,
        s.env_version.map(EnvVersion::as_str),
        s.created_at.0,
        s.vouched_at.0,
        s.absolute_at.0,
        s.last_seen.0,
        s.key.kind(),
        secrets(s)?,
        key_version,
        key,
    ])?;
    Ok(())
}

/// The first row, if there is one.
pub(super) fn one<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    db.prepare_cached(sql)?.query_row(params, read).optional()
}

/// All rows.
pub(super) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut statement: CachedStatement<'_> = db.prepare_cached(sql)?;
    statement.query_map(params, read)?.collect()
}

/// Changes rows. Answers how many.
pub(super) fn change(db: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<u32> {
    Ok(u32::try_from(db.prepare_cached(sql)?.execute(params)?).unwrap_or(u32::MAX))
}

/// Where a page starts. The empty blob is before every id.
pub(super) fn after(id: Option<&[u8; 16]>) -> &[u8] {
    id.map_or(&[], |id| id.as_slice())
}

/// The id in the first column.
pub(super) fn session_id(row: &Row<'_>) -> rusqlite::Result<SessionId> {
    row.get(0).map(SessionId)
}

pub(super) fn user(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<UserId>> {
    Ok(row.get_ref(column)?.as_str_or_null()?.map(UserId::from))
}

pub(super) fn realm(row: &Row<'_>, column: usize) -> rusqlite::Result<Realm> {
    Ok(Realm::from(row.get_ref(column)?.as_str()?))
}

fn app(row: &Row<'_>, column: usize) -> rusqlite::Result<AppName> {
    Ok(AppName::from(row.get_ref(column)?.as_str()?))
}

pub(super) fn secrets(s: &Session) -> rusqlite::Result<String> {
    serde_json::to_string(&s.secrets).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

fn env_version(text: &str, column: usize) -> rusqlite::Result<EnvVersion> {
    [EnvVersion::Develop, EnvVersion::Trial, EnvVersion::Release]
        .into_iter()
        .find(|v| v.as_str() == text)
        .ok_or_else(|| unreadable(text, column))
}

fn key(row: &Row<'_>) -> rusqlite::Result<SessionKey> {
    let kind = row.get_ref(16)?.as_str()?;
    SessionKey::from_kept(kind, row.get(20)?, row.get(21)?).ok_or_else(|| unreadable(kind, 16))
}

fn unreadable(text: &str, column: usize) -> rusqlite::Error {
    let what = format!("`{text}` is not known to this version");
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.into())
}

//! Rows and what they mean.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::Identity;
use yaopai_core::session::{Claims, Device, EndReason, Ended, EnvVersion, Session, SessionKey};
use yaopai_core::time::{Timestamp, Uptime};

use super::error::Error;
use super::value::Id;

pub(super) type Read<T> = Result<T, Error>;

/// What [`session`] reads, from `sessions s`, `identities i` and `users u`.
macro_rules! session_columns {
    () => {
        "SELECT s.id, s.realm, s.app, s.identity, i.openid, i.unionid, s.user_id, u.claims, s.device_id, s.device_type, \
         s.device_name, s.env_version, s.created_at, s.vouched_at, s.absolute_at, s.last_seen, s.key_kind, s.secrets, \
         s.ended_reason, s.ended_at, s.key_version, s.key "
    };
}

/// Sessions, looked up by their own columns.
macro_rules! sessions {
    ($rest:literal) => {
        concat!(
            $crate::postgres::rows::session_columns!(),
            "FROM sessions s JOIN identities i ON i.id = s.identity \
             LEFT JOIN users u ON u.realm = s.realm AND u.user_id = s.user_id ",
            $rest
        )
    };
}

/// Live sessions of the user $2 in the realm $1, looked up through the user's identities.
macro_rules! sessions_of_user {
    ($rest:literal) => {
        concat!(
            $crate::postgres::rows::session_columns!(),
            "FROM identities i JOIN sessions s ON s.identity = i.id \
             LEFT JOIN users u ON u.realm = s.realm AND u.user_id = s.user_id \
             WHERE i.realm = $1 AND i.user_id = $2 AND s.ended_at IS NULL AND s.realm = $1 AND s.user_id = $2 ",
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

pub(super) fn session(row: &Row) -> Read<Session> {
    Ok(Session {
        id: session_id(row)?,
        realm: realm(row, 1)?,
        app: app(row, 2)?,
        identity: IdentityId(id(row, 3)?),
        openid: name(row, 4)?,
        unionid: name_if_any(row, 5)?,
        user: user(row, 6)?,
        claims: get::<Option<String>>(row, 7)?.map(Claims::from_stored),
        device: Device { id: name_if_any(row, 8)?, kind: name_if_any(row, 9)?, name: name_if_any(row, 10)? },
        env_version: get::<Option<&str>>(row, 11)?.map(env_version).transpose()?,
        created_at: at(row, 12)?,
        vouched_at: at(row, 13)?,
        absolute_at: at(row, 14)?,
        last_seen: Uptime(get(row, 15)?),
        key: key(row)?,
        secrets: serde_json::from_str(get(row, 17)?).map_err(|e| Error::Unreadable(format!("secrets: {e}")))?,
        ended: match get::<Option<&str>>(row, 18)? {
            None => None,
            Some(text) => {
                Some(Ended { reason: EndReason::parse(text).ok_or_else(|| unreadable(text))?, at: at(row, 19)? })
            }
        },
    })
}

pub(super) fn identity(row: &Row) -> Read<Identity> {
    Ok(Identity {
        id: IdentityId(id(row, 0)?),
        realm: realm(row, 1)?,
        app: app(row, 2)?,
        openid: name(row, 3)?,
        unionid: name_if_any(row, 4)?,
        user: user(row, 5)?,
        bound_at: at_if_any(row, 6)?,
        created_at: at(row, 7)?,
        vouched_at: at_if_any(row, 8)?,
    })
}

/// A column.
pub(super) fn get<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Read<T> {
    Ok(row.try_get(column)?)
}

pub(super) fn id(row: &Row, column: usize) -> Read<[u8; 16]> {
    Ok(get::<Id>(row, column)?.0)
}

/// The id in the first column.
pub(super) fn session_id(row: &Row) -> Read<SessionId> {
    id(row, 0).map(SessionId)
}

/// Bytes of a length that is known.
pub(super) fn bytes<const N: usize>(row: &Row, column: usize) -> Read<[u8; N]> {
    let raw: &[u8] = get(row, column)?;
    raw.try_into().map_err(|_| Error::Unreadable(format!("{} bytes where {N} belong", raw.len())))
}

pub(super) fn at(row: &Row, column: usize) -> Read<Timestamp> {
    get(row, column).map(Timestamp)
}

pub(super) fn at_if_any(row: &Row, column: usize) -> Read<Option<Timestamp>> {
    Ok(get::<Option<i64>>(row, column)?.map(Timestamp))
}

/// A count: the database's integers are signed.
pub(super) fn count(row: &Row, column: usize) -> Read<u64> {
    Ok(get::<i64>(row, column)?.cast_unsigned())
}

/// A name that somebody else gave.
pub(super) fn name(row: &Row, column: usize) -> Read<String> {
    text(get(row, column)?).map(str::to_owned)
}

pub(super) fn name_if_any(row: &Row, column: usize) -> Read<Option<String>> {
    get::<Option<&[u8]>>(row, column)?.map(|raw| text(raw).map(str::to_owned)).transpose()
}

pub(super) fn user(row: &Row, column: usize) -> Read<Option<UserId>> {
    get::<Option<&[u8]>>(row, column)?.map(|raw| text(raw).map(UserId::from)).transpose()
}

pub(super) fn realm(row: &Row, column: usize) -> Read<Realm> {
    get::<&str>(row, column).map(Realm::from)
}

pub(super) fn app(row: &Row, column: usize) -> Read<AppName> {
    get::<&str>(row, column).map(AppName::from)
}

pub(super) fn secrets(s: &Session) -> Read<String> {
    serde_json::to_string(&s.secrets).map_err(|e| Error::Unreadable(format!("secrets: {e}")))
}

fn text(raw: &[u8]) -> Read<&str> {
    std::str::from_utf8(raw).map_err(|e| Error::Unreadable(format!("a name is no UTF-8: {e}")))
}

fn env_version(text: &str) -> Read<EnvVersion> {
    [EnvVersion::Develop, EnvVersion::Trial, EnvVersion::Release]
        .into_iter()
        .find(|v| v.as_str() == text)
        .ok_or_else(|| unreadable(text))
}

fn key(row: &Row) -> Read<SessionKey> {
    let kind: &str = get(row, 16)?;
    let version = u32::try_from(get::<i64>(row, 20)?).map_err(|_| unreadable("key_version"))?;
    SessionKey::from_kept(kind, version, get(row, 21)?).ok_or_else(|| unreadable(kind))
}

fn unreadable(text: &str) -> Error {
    Error::Unreadable(format!("`{text}` is not known to this version"))
}

//! What can go wrong.

use std::fmt;

use tokio_postgres::error::{DbError, Severity, SqlState};
use yaopai_core::ports::StoreError;

use crate::house::Shut;
use crate::rows::{Base, Fault};

/// The database can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// The connection string can't be used.
    #[error("the database's address: {0}")]
    Settings(String),
    /// It can't be reached.
    #[error("PostgreSQL can't be reached at {place} ({what}): start it, or name another place")]
    Unreachable {
        /// Hosts and ports.
        place: String,
        /// What failed.
        what: String,
    },
    /// It is there, and isn't what is to be trusted.
    #[error("PostgreSQL at {place} can't be trusted ({what}){cure}")]
    Untrusted {
        /// Hosts and ports.
        place: String,
        /// What failed.
        what: String,
        /// What to do, if that isn't plain.
        cure: &'static str,
    },
    /// An older server than we know.
    #[error("PostgreSQL {found} is too old: 13 or newer is needed")]
    TooOld {
        /// Its version.
        found: String,
    },
    /// What it acknowledges would not survive.
    #[error(
        "`{setting}` is off: what is answered would not survive a power loss. Set {setting} = on in postgresql.conf"
    )]
    NotDurable {
        /// Which setting.
        setting: &'static str,
    },
    /// It keeps texts otherwise.
    #[error("the database's encoding is {found}: create one with ENCODING 'UTF8'")]
    Encoding {
        /// Its encoding.
        found: String,
    },
    /// A newer version of this program has written it.
    #[error(
        "the database was written by a newer version (schema {found}, this one knows {known}): run that version or a later one, \
         or put back a backup from before the upgrade"
    )]
    Newer {
        /// Its schema's version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// Nodes run that would not work on what a migration makes of the database.
    #[error(
        "the database can't be upgraded to schema {schema} under nodes that run and don't work on it: {nodes}. Stop them and leave them stopped; or \
         start this one with --cut-off-old-nodes, and they answer 503 until they are replaced"
    )]
    NodesRun {
        /// Their names, with commas.
        nodes: String,
        /// What the database is to become.
        schema: i64,
    },
    /// A migration failed.
    #[error("the database could not be migrated ({0}): give this program a database or a schema of its own")]
    Migration(String),
    /// Another server has this name.
    #[error("another server is at the database as `{node}`: give each a name of its own; or it is just being exported")]
    NameTaken {
        /// The name.
        node: String,
    },
    /// Nobody else can write for long.
    #[error(
        "the database is being exported, or another server's release migrates it: start this server again when that is over"
    )]
    Busy,
    /// Nobody is to be served from it.
    #[error("the database: {0}")]
    Shut(Shut),
    /// Something else.
    #[error("the database could not be opened: {0}")]
    Other(String),
}

impl PostgresError {
    /// The connection could not be made: there is nobody, or nobody who can be trusted.
    pub(super) fn unreachable(place: String, e: &Error) -> Self {
        let what = match e {
            Error::Lost(what) => what.clone(),
            e => e.to_string(),
        };
        // In tokio-postgres' words: its errors tell their kind in no other way.
        let cure = if what.contains("server does not support TLS") {
            ": set ssl = on in postgresql.conf, or say sslmode=disable over a network that you trust"
        } else if what.contains("channel binding check failed") {
            ": somebody ends its TLS on the way, with a certificate of his own. If that is a proxy of yours, name it as the host"
        } else if what.contains("channel binding") {
            ": sslmode=require without sslrootcert needs a password of the kind scram-sha-256 (pg_hba.conf). Or name sslrootcert, and \
             sslmode=verify-full"
        } else if what.contains("TLS handshake") {
            ""
        } else {
            return Self::Unreachable { place, what };
        };
        Self::Untrusted { place, what, cure }
    }

    pub(super) fn system(what: impl fmt::Display) -> Self {
        Self::Other(what.to_string())
    }
}

impl From<Error> for PostgresError {
    fn from(e: Error) -> Self {
        match e {
            Error::Outdated { found, known } => Self::Newer { found, known },
            e => Self::Other(e.to_string()),
        }
    }
}

/// A statement failed.
#[derive(Debug)]
pub enum Error {
    /// The server said so, or the client did.
    Sql(tokio_postgres::Error),
    /// The connection is gone, or there is none.
    Lost(String),
    /// A row can't be read.
    Unreadable(String),
    /// Others change what has to stay as it is for a moment.
    Unsettled(String),
    /// Everything in the database was exported, to live on elsewhere.
    Left,
    /// A newer program has made a schema of the database that this one doesn't work on.
    Outdated {
        /// Its schema's version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Not its details: they quote rows.
            Self::Sql(e) => match e.as_db_error() {
                Some(db) => write!(f, "{} ({})", db.message(), db.code().code()),
                None => match std::error::Error::source(e) {
                    Some(source) => write!(f, "{e}: {source}"),
                    None => fmt::Display::fmt(e, f),
                },
            },
            Self::Lost(what) => write!(f, "the connection is lost: {what}"),
            Self::Outdated { found, known } => write!(
                f,
                "a newer version has upgraded the database (schema {found}, this one knows {known}): replace this node's binary"
            ),
            Self::Left => f.write_str(
                "the database has moved: everything in it was exported while this node was not stopped. Stop it; `yaopai export undo` takes \
                 a move back",
            ),
            Self::Unreadable(what) | Self::Unsettled(what) => f.write_str(what),
        }
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(e: tokio_postgres::Error) -> Self {
        // The server says why before it closes a connection.
        let last_word = |e: &DbError| matches!(e.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
        let gone = e.as_db_error().is_some_and(last_word);
        if e.is_closed() || gone { Self::Lost(Self::Sql(e).to_string()) } else { Self::Sql(e) }
    }
}

impl Error {
    /// Is the connection gone?
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }

    /// May it pass by itself?
    fn passes(&self) -> bool {
        match self {
            // Of the last one other nodes know more.
            Self::Lost(_) | Self::Unsettled(_) | Self::Outdated { .. } | Self::Left => true,
            Self::Unreadable(_) => false,
            Self::Sql(e) => match e.code() {
                // Resources, an operator, the system; somebody else's lock; a standby that is about to be promoted. And those of
                // transactions that met, which ours never do.
                Some(code) => {
                    ["53", "57", "58", "40"].iter().any(|class| code.code().starts_with(class))
                        || *code == SqlState::LOCK_NOT_AVAILABLE
                        || *code == SqlState::READ_ONLY_SQL_TRANSACTION
                }
                // An I/O error in the middle of something.
                None => std::error::Error::source(e).is_some_and(|source| source.is::<std::io::Error>()),
            },
        }
    }
}

impl Fault for Error {
    fn store_error(self) -> StoreError {
        StoreError { retry: self.passes(), what: self.to_string() }
    }
}

impl Base for super::Db {
    type Error = Error;
}

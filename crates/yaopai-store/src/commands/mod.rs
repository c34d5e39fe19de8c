//! The commands: each one decision, made of rows that an engine reads in its transaction, and what is written of it. Every
//! engine that keeps rows runs these; it brings [`Rows`] and a transaction around them.

pub(crate) mod act;
pub(crate) mod audit;
pub(crate) mod bind;
pub(crate) mod codes;
pub(crate) mod import;
pub(crate) mod jar;
pub(crate) mod login;
pub(crate) mod moving;
pub(crate) mod sessions;
pub(crate) mod signing;
pub(crate) mod upkeep;

use audit::Log;
use yaopai_core::ids::SessionId;
use yaopai_core::ports::{Change, StoreError};
use yaopai_core::session::Ended;

use crate::rows::{Fault, Rows};

/// What a command works on: the open transaction, the changes it makes, and the audit log where there is one.
pub(crate) struct Work<'c, R> {
    pub db: &'c R,
    pub changes: Vec<Change>,
    pub log: Option<Log>,
}

impl<R: Rows> Work<'_, R> {
    /// Ends a session with its jar, and tells it. False, and nothing told, if it had ended, or there is none.
    pub fn end(&mut self, id: SessionId, ended: Ended) -> Result<bool, R::Error> {
        let ends = self.db.end_session(id, ended)?;
        if ends {
            self.db.delete_jar(id)?;
            self.changes.push(Change::Ended(id));
        }
        Ok(ends)
    }
}

/// Why a command has no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The engine failed, or the command can't go on after it has written something: the transaction is rolled back.
    Undone(StoreError),
    /// The command refuses, and has written nothing.
    Refused(StoreError),
}

/// What commands return.
pub(crate) type Done<T> = Result<T, Failure>;

impl<E: Fault> From<E> for Failure {
    fn from(e: E) -> Self {
        Self::Undone(e.store_error())
    }
}

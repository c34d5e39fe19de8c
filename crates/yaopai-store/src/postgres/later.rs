//! Statements that are sent and not waited for: a way to the server and back less for each.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

use super::db::{Db, Live};
use super::error::Error;

/// What one that is not waited for is given.
pub(super) type Owned = Vec<Box<dyn ToSql + Sync + Send>>;

/// The parameters of a statement that is not waited for.
macro_rules! owned {
    ($($param:expr),* $(,)?) => {
        vec![$(Box::new($param) as Box<dyn tokio_postgres::types::ToSql + Sync + Send>),*]
    };
}
pub(super) use owned;

/// One that was sent, and whose answer nobody has waited for yet. A task of its own: answers that nobody takes would hold up all that
/// come after them on the connection.
pub(super) type Sent = JoinHandle<Result<u64, tokio_postgres::Error>>;

impl Live {
    /// In the order of the server's answers, which is that of the statements: the first that failed, if one did.
    pub(super) async fn settle(&mut self) -> Result<(), Error> {
        let mut settled = Ok(());
        for sent in std::mem::take(&mut self.sent) {
            let answer = sent.await.map_err(|e| Error::Lost(e.to_string()));
            settled = settled.and(answer.and_then(|answer| answer.map(drop).map_err(Error::from)));
        }
        settled
    }

    /// What comes after a statement that failed is refused for that; which one it was, says more.
    pub(super) async fn cause<T>(&mut self, done: Result<T, tokio_postgres::Error>) -> Result<T, Error> {
        match done {
            Err(e) if e.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => {
                Err(self.settle().await.err().unwrap_or(Error::from(e)))
            }
            done => done.map_err(Error::from),
        }
    }
}

impl Db {
    /// Changes rows in this transaction, and doesn't wait for it: whatever comes after is run after it, and [`Self::settle`] says whether
    /// it went well.
    pub(super) fn later(&self, sql: &'static str, params: Owned) -> Result<(), Error> {
        if !self.in_transaction.get() {
            let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| &**param as _).collect();
            return self.change(sql, &params).map(drop);
        }
        let mut live = self.live.borrow_mut();
        let Some(held) = &mut *live else { return Err(Error::Lost("there is none".into())) };
        let done = self.wait(async {
            let statement = held.prepared(sql).await;
            let statement = held.cause(statement).await?;
            let client = Arc::clone(&held.client);
            let mut sent = Box::pin(async move {
                let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| &**param as _).collect();
                client.execute(&statement, &params).await
            });
            // It is on its way once it was polled, before all that comes later. If it is answered by then, it was refused before it was sent.
            match poll_fn(|context| Poll::Ready(sent.as_mut().poll(context))).await {
                Poll::Ready(answer) => answer.map(drop).map_err(Error::from),
                Poll::Pending => {
                    held.sent.push(self.runtime.spawn(sent));
                    Ok(())
                }
            }
        });
        if done.as_ref().is_err_and(Error::is_lost) {
            *live = None;
        }
        done
    }

    /// Waits for what was sent with [`Self::later`]. Before a COMMIT: that of a transaction in which a statement failed is answered as if
    /// all were well, and is a ROLLBACK.
    pub(super) fn settle(&self) -> Result<(), Error> {
        let mut live = self.live.borrow_mut();
        let Some(held) = &mut *live else { return Err(Error::Lost("there is none".into())) };
        let done = self.wait(held.settle());
        if done.as_ref().is_err_and(Error::is_lost) {
            *live = None;
        }
        done
    }
}

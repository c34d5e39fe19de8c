//! The one writer: it drains what is waiting, has it run in one transaction, committed once for all, and hands the batch to the
//! teller, which applies the changes in order and only then answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use tokio::sync::oneshot;
use yaopai_core::audit::Scribe;
use yaopai_core::ports::{Change, StoreError, StoreResult};

use super::lane::{Jobs, closed};
use super::teller::Teller;
use crate::commands::audit::Log;
use crate::commands::{Done, Failure, Work};
use crate::rows::Rows;
use crate::rules::refuse;

/// An engine's transactions.
pub(crate) trait Transactions<R>: Send {
    /// Runs the jobs in one, and commits it. After an error nothing of it is left.
    fn attempt(
        &mut self,
        batch: &mut [Box<dyn Job<R>>],
        log: &dyn Fn() -> Option<Log>,
    ) -> Result<Vec<Change>, StoreError>;

    /// Between two of them.
    fn between(&mut self) {}

    /// After the last.
    fn finish(&mut self) {}
}

/// A command and whom to answer. It may be run again after a roll-back.
pub(crate) trait Job<R>: Send {
    fn run(&mut self, work: &mut Work<'_, R>) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, failed: Option<&StoreError>);
}

/// Makes a job of a command.
pub(crate) fn job<R, T, F>(command: F) -> (Box<dyn Job<R>>, oneshot::Receiver<StoreResult<T>>)
where
    T: Send + 'static,
    F: FnMut(&mut Work<'_, R>) -> Done<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Command { command, done: None, reply }), answer)
}

struct Command<T, F> {
    command: F,
    done: Option<StoreResult<T>>,
    reply: oneshot::Sender<StoreResult<T>>,
}

impl<R, T: Send, F: FnMut(&mut Work<'_, R>) -> Done<T> + Send> Job<R> for Command<T, F> {
    fn run(&mut self, work: &mut Work<'_, R>) -> Result<(), StoreError> {
        self.done = Some(match (self.command)(work) {
            Ok(value) => Ok(value),
            Err(Failure::Refused(e)) => Err(e),
            Err(Failure::Undone(e)) => return Err(e),
        });
        Ok(())
    }

    fn answer(self: Box<Self>, failed: Option<&StoreError>) {
        let Self { done, reply, .. } = *self;
        let answer = match failed {
            Some(e) => Err(e.clone()),
            None => done.unwrap_or_else(|| Err(closed())),
        };
        // Whoever asked may have gone; the command stands all the same.
        let _ = reply.send(answer);
    }
}

/// What has been committed since the start, for metrics.
#[derive(Default)]
pub(super) struct Counters {
    pub commits: AtomicU64,
    pub calls: AtomicU64,
}

/// The writer thread's work.
pub(super) struct Writer<R, T> {
    pub transactions: T,
    pub scribe: Arc<OnceLock<Arc<Scribe>>>,
    pub teller: Teller<R>,
    /// Calls that share one commit, at most.
    pub batch: usize,
}

impl<R: Rows + 'static, T: Transactions<R>> Writer<R, T> {
    /// Works until there are no more jobs, or nobody to tell of them.
    pub fn run(&mut self, mut jobs: Jobs<Box<dyn Job<R>>>) {
        while let Some(batch) = jobs.some(self.batch) {
            if !self.settle(batch) {
                return;
            }
            self.transactions.between();
        }
    }

    /// Runs a batch and answers everyone in it. False if that is not possible any more.
    fn settle(&mut self, mut batch: Vec<Box<dyn Job<R>>>) -> bool {
        let scribe = &self.scribe;
        let log = || scribe.get().map(|scribe| Log::new(Arc::clone(scribe)));
        match self.transactions.attempt(&mut batch, &log) {
            Ok(changes) => self.teller.tell(batch, changes),
            // What may pass by itself (a full disk, another program's lock) hits all alike: trying each would only take longer.
            Err(e) if e.retry || batch.len() == 1 => {
                tracing::error!(error = %e, calls = batch.len(), "nothing was written");
                batch.into_iter().for_each(|job| job.answer(Some(&e)));
                true
            }
            // One of them is bad. It must not fail the others.
            Err(_) => batch.into_iter().all(|job| self.settle(vec![job])),
        }
    }
}

/// Runs each of a batch.
pub(crate) fn run_all<R>(batch: &mut [Box<dyn Job<R>>], work: &mut Work<'_, R>) -> Result<(), StoreError> {
    batch.iter_mut().try_for_each(|job| guarded(job.as_mut(), work))
}

/// A command that panics is a bug of ours; it must not take the writer with it.
fn guarded<R>(job: &mut dyn Job<R>, work: &mut Work<'_, R>) -> Result<(), StoreError> {
    catch_unwind(AssertUnwindSafe(|| job.run(work))).unwrap_or_else(|_| Err(refuse("a command panicked")))
}

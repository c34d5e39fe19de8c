//! Tells what was committed: the sink first, then who asked. On a thread of its own, in commit order, so that the writer is
//! at the next commit meanwhile.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use yaopai_core::ports::{Change, ChangeSink};

use super::lane::closed;
use super::writer::{Counters, Job};

/// Batches that may wait to be told. A sink that can't keep up slows the writer down; nothing piles up.
const WAITING_MAX: usize = 2;

/// A committed batch and what it changed.
struct Committed<R> {
    batch: Vec<Box<dyn Job<R>>>,
    changes: Vec<Change>,
}

/// The way to the thread. Dropping it waits until everything is told.
pub(super) struct Teller<R> {
    to: Option<SyncSender<Committed<R>>>,
    thread: Option<JoinHandle<()>>,
}

impl<R: 'static> Teller<R> {
    pub fn start(sink: Arc<dyn ChangeSink>, counters: Arc<Counters>) -> std::io::Result<Self> {
        let (to, committed) = sync_channel(WAITING_MAX);
        let work = move || tell_all(&committed, &*sink, &counters);
        let thread = std::thread::Builder::new().name("store-teller".into()).spawn(work)?;
        Ok(Self { to: Some(to), thread: Some(thread) })
    }

    /// Hands over a committed batch. False if there is nobody to tell any more: the sink panicked, and what it holds is not
    /// what the file says. Nothing more may be committed then: a kick that is in the file and not in the table lets its
    /// session pass.
    pub fn tell(&self, batch: Vec<Box<dyn Job<R>>>, changes: Vec<Change>) -> bool {
        let Some(to) = &self.to else { return false };
        let Err(lost) = to.send(Committed { batch, changes }) else { return true };
        tracing::error!("the live table failed; nothing is written any more until the server is started again");
        lost.0.batch.into_iter().for_each(|job| job.answer(Some(&closed())));
        false
    }
}

impl<R> Drop for Teller<R> {
    fn drop(&mut self) {
        self.to = None;
        if let Some(thread) = self.thread.take() {
            // A panic in it has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

fn tell_all<R>(committed: &Receiver<Committed<R>>, sink: &dyn ChangeSink, counters: &Counters) {
    while let Ok(Committed { batch, changes }) = committed.recv() {
        counters.commits.fetch_add(1, Ordering::Relaxed);
        counters.calls.fetch_add(batch.len() as u64, Ordering::Relaxed);
        changes.into_iter().for_each(|change| sink.apply(change));
        batch.into_iter().for_each(|job| job.answer(None));
    }
}

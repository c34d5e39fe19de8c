//! A bounded queue in front of threads of our own, so that no blocking call ever runs on the runtime's threads.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, watch};
use yaopai_core::ports::StoreError;

use crate::rules::refuse;

/// The way in.
pub(crate) struct Lane<J> {
    queue: Option<mpsc::Sender<Message<J>>>,
    threads: Vec<JoinHandle<()>>,
    /// Its senders are held by the threads: it closes when the last of them is gone.
    gone: watch::Receiver<()>,
}

enum Message<J> {
    Run(J),
    Stop,
}

/// The way out, shared by the lane's threads.
pub(crate) struct Jobs<J> {
    queue: Arc<Mutex<mpsc::Receiver<Message<J>>>>,
}

impl<J: Send + 'static> Lane<J> {
    /// Starts a thread for each of `bodies`. A body runs until its [`Jobs`] have come to an end.
    pub fn start<B>(name: &str, capacity: usize, bodies: Vec<B>) -> std::io::Result<Self>
    where
        B: FnOnce(Jobs<J>) + Send + 'static,
    {
        let (queue, jobs) = mpsc::channel(capacity.max(1));
        let (here, gone) = watch::channel(());
        let (jobs, here) = (Arc::new(Mutex::new(jobs)), Arc::new(here));
        let mut lane = Self { queue: Some(queue), threads: Vec::new(), gone };
        for body in bodies {
            let jobs = Jobs { queue: Arc::clone(&jobs) };
            let here = Arc::clone(&here);
            let thread = move || {
                body(jobs);
                // Only now: the body took its connection and its lock with it.
                drop(here);
            };
            lane.threads.push(std::thread::Builder::new().name(name.to_owned()).spawn(thread)?);
        }
        Ok(lane)
    }

    /// Queues a job, or refuses it at once: whoever waits in line without end is no better off, and holds memory.
    pub fn submit(&self, job: J) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or_else(closed)?;
        queue.try_send(Message::Run(job)).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => StoreError { retry: true, what: "too many calls are waiting".into() },
            mpsc::error::TrySendError::Closed(_) => closed(),
        })
    }

    /// Takes no more jobs, and waits until those that are queued are done and the threads are gone.
    pub async fn stop(&self) {
        if let Some(queue) = &self.queue {
            // It fails if they have stopped already.
            let _ = queue.send(Message::Stop).await;
        }
        let mut gone = self.gone.clone();
        while gone.changed().await.is_ok() {}
    }
}

/// What a call gets that comes after the end.
pub(crate) fn closed() -> StoreError {
    refuse("the store is closed")
}

impl<J> Drop for Lane<J> {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            // A panic in it has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

impl<J> Jobs<J> {
    /// Waits for the next job. `None`: there will be none any more.
    pub fn next(&mut self) -> Option<J> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match queue.blocking_recv()? {
                Message::Run(job) => return Some(job),
                // What is queued is still handed out.
                Message::Stop => queue.close(),
            }
        }
    }

    /// Waits for the next job, and takes those that wait behind it, up to `most`. `None`: there will be none any more.
    pub fn some(&mut self, most: usize) -> Option<Vec<J>> {
        let mut some = vec![self.next()?];
        while some.len() < most
            && let Some(next) = self.waiting()
        {
            some.push(next);
        }
        Some(some)
    }

    /// The next job, if one is waiting.
    pub fn waiting(&mut self) -> Option<J> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match queue.try_recv().ok()? {
                Message::Run(job) => return Some(job),
                Message::Stop => queue.close(),
            }
        }
    }
}

//! An answer's body on its way to the client. It holds a place at its upstream until it is over, and two may hold it up: an upstream
//! that sends nothing, which is seen when it is asked for more; and a client that takes nothing, which asks for nothing, and so has to
//! be seen from outside.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::HttpBody;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::body::{Broken, Ending};
use super::cut::{Hold, ended};
use super::pace::{Pace, Patience, Waiting, now};

/// How often a client is looked at that is waited for by nobody.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// An answer's body.
pub struct Download<B> {
    flow: Arc<Mutex<Flow<B>>>,
    ending: Ending,
    watcher: Option<AbortHandle>,
}

struct Flow<B> {
    /// The body with its place at the upstream, until it is given up.
    body: Result<(B, OwnedSemaphorePermit), Broken>,
    /// For the upstream: any byte will do.
    upstream: Waiting,
    client: Patience,
    /// When the client was handed something, the head to begin with, and has not asked for more.
    handed: Option<Instant>,
}

impl<B> Download<B>
where
    B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    /// Of this body, whose head is about to go to the client.
    pub fn new(body: B, pace: Pace, hold: Option<Arc<Hold>>, place: OwnedSemaphorePermit) -> Self {
        let ended = body.is_end_stream();
        let flow = Flow {
            body: Ok((body, place)),
            upstream: Waiting::new(Pace { min_rate: 0, ..pace }),
            client: Patience::new(pace),
            handed: Some(now()),
        };
        let (flow, ending) = (Arc::new(Mutex::new(flow)), Ending::new(hold.clone()));
        // From now on: over HTTP/2 a client without a window never asks for anything.
        let watcher = (!ended).then(|| tokio::spawn(watch(Arc::downgrade(&flow), hold)).abort_handle());
        Self { flow, ending, watcher }
    }
}

fn lock<B>(flow: &Mutex<Flow<B>>) -> MutexGuard<'_, Flow<B>> {
    flow.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<B> HttpBody for Download<B>
where
    B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        let mut flow = lock(&this.flow);
        if this.ending.has_come(cx) {
            flow.body = Err(Broken::Ended);
        }
        flow.poll(cx)
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.flow).body.as_ref().is_ok_and(|(body, _)| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.flow).body.as_ref().map_or_else(|_| SizeHint::default(), |(body, _)| body.size_hint())
    }
}

impl<B> Drop for Download<B> {
    fn drop(&mut self) {
        if let Some(watcher) = &self.watcher {
            watcher.abort();
        }
    }
}

impl<B> Flow<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if let Some(at) = self.handed.take() {
            self.client.waited(now() - at);
        }
        let (body, _) = match &mut self.body {
            Ok(body) => body,
            Err(why) => return Poll::Ready(Some(Err((*why).into()))),
        };
        match Pin::new(body).poll_frame(cx) {
            Poll::Pending if self.upstream.is_over(cx) => {
                self.body = Err(Broken::Slow);
                Poll::Ready(Some(Err(Broken::Slow.into())))
            }
            Poll::Pending => Poll::Pending,
            Poll::Ready(frame) => {
                let bytes = frame.as_ref().and_then(|f| f.as_ref().ok()?.data_ref()).map_or(0, Bytes::len);
                self.upstream.came(bytes);
                self.client.went(bytes);
                self.handed = Some(now());
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
        }
    }
}

impl<B> Flow<B> {
    /// When the client has to be looked at next; `None`: it was too slow, and is given up.
    fn look_at(&mut self) -> Option<Instant> {
        let left = self.client.left();
        let Some(at) = self.handed else { return Some(now() + left.max(LOOK_EVERY)) };
        if now() < at + left {
            return Some(at + left);
        }
        self.body = Err(Broken::Slow);
        None
    }
}

/// Gives the body up, and with it the place at the upstream, when the client is too slow or its session has ended.
async fn watch<B: Send + 'static>(flow: Weak<Mutex<Flow<B>>>, hold: Option<Arc<Hold>>) {
    let slow = async {
        loop {
            let Some(at) = flow.upgrade().and_then(|flow| lock(&flow).look_at()) else { return };
            tokio::time::sleep_until(at).await;
        }
    };
    tokio::select! {
        () = slow => {}
        () = ended(hold.as_ref()) => {
            if let Some(flow) = flow.upgrade() {
                lock(&flow).body = Err(Broken::Ended);
            }
        }
    }
}

#[cfg(test)]
#[path = "download_tests.rs"]
mod tests;

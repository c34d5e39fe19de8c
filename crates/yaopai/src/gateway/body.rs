//! Bodies on their way: streamed, never kept. They stop when they stand still, and when their session ends.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::HttpBody;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hyper::body::{Frame, SizeHint};
use sha2::{Digest as _, Sha256};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use yaopai_wire::digest::ContentDigest;

use super::cut::Hold;

/// Why a body did not go on to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Its sender broke it off.
    #[error("the sender broke the body off")]
    Client,
    /// It stood still for too long.
    #[error("the body stood still for too long")]
    Idle,
    /// Its session ended.
    #[error("the session ended")]
    Ended,
    /// It isn't what its digest names.
    #[error("the body is not the one that was signed")]
    OtherBody,
}

/// A request's body. Where a signature covers its digest, the last chunk is held back until all of it was compared: the upstream
/// never sees the end of another body.
pub struct Upload<B> {
    body: B,
    watch: Watch,
    digest: Option<(Sha256, ContentDigest)>,
    held: Option<Bytes>,
    done: bool,
    course: Arc<Course>,
}

/// What is known of an upload while somebody else has it.
#[derive(Default)]
pub struct Course {
    moved: AtomicU64,
    broken: OnceLock<Broken>,
}

impl Course {
    /// How often it has moved.
    pub fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    /// Why it broke, if it did.
    pub fn broken(&self) -> Option<Broken> {
        self.broken.get().copied()
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> Upload<B> {
    /// Of a body that must have this digest, where one was signed.
    pub fn new(body: B, digest: Option<ContentDigest>, idle: Duration, hold: Option<Arc<Hold>>) -> Self {
        let digest = digest.map(|digest| (Sha256::new(), digest));
        Self { body, watch: Watch::new(idle, hold), digest, held: None, done: false, course: Arc::default() }
    }

    /// To be looked at from outside.
    pub fn course(&self) -> Arc<Course> {
        self.course.clone()
    }

    fn fail(&mut self, why: Broken) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let _ = self.course.broken.set(why);
        self.held = None;
        Poll::Ready(Some(Err(why)))
    }

    /// The end has come: is it that of the right body?
    fn end(&mut self) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.done = true;
        if let Some((read, named)) = self.digest.take()
            && !named.matches(&read.finalize().into())
        {
            return self.fail(Broken::OtherBody);
        }
        Poll::Ready(self.held.take().map(|last| Ok(Frame::data(last))))
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Upload<B> {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        if let Some(why) = this.course.broken() {
            return Poll::Ready(Some(Err(why)));
        }
        if this.watch.has_ended(cx) {
            return this.fail(Broken::Ended);
        }
        while !this.done {
            let frame = match Pin::new(&mut this.body).poll_frame(cx) {
                Poll::Pending if this.watch.is_idle(cx) => return this.fail(Broken::Idle),
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return this.end(),
                Poll::Ready(Some(Err(_))) => return this.fail(Broken::Client),
                Poll::Ready(Some(Ok(frame))) => frame,
            };
            this.watch.moved();
            this.course.moved.fetch_add(1, Ordering::Relaxed);
            // Trailers end here: nothing of the check has seen them.
            let Ok(data) = frame.into_data() else { continue };
            let Some((read, _)) = &mut this.digest else { return Poll::Ready(Some(Ok(Frame::data(data)))) };
            read.update(&data);
            if data.is_empty() {
                continue;
            }
            if let Some(before) = this.held.replace(data) {
                return Poll::Ready(Some(Ok(Frame::data(before))));
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        match self.digest {
            // What is not compared yet has not ended.
            Some(_) => false,
            None => self.held.is_none() && (self.done || self.body.is_end_stream()),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.held.as_ref().map_or(0, |held| u64::try_from(held.len()).unwrap_or(u64::MAX));
        let rest = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(held));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint
    }
}

/// An upload as it is lent to a client, which drops it if it finds no connection: then the next one has it, untouched.
pub struct Lent<B>(Arc<Mutex<Upload<B>>>);

impl<B> Lent<B> {
    /// Of this upload.
    pub fn new(upload: Upload<B>) -> Self {
        Self(Arc::new(Mutex::new(upload)))
    }

    /// Once more.
    pub fn again(&self) -> Self {
        Self(self.0.clone())
    }

    fn with<R>(&self, act: impl FnOnce(&mut Upload<B>) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Lent<B> {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.with(|upload| Pin::new(upload).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.with(|upload| upload.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|upload| upload.size_hint())
    }
}

/// An answer's body. It holds a place at its upstream until it is over.
pub struct Download<B> {
    body: B,
    watch: Watch,
    _place: OwnedSemaphorePermit,
}

impl<B> Download<B> {
    /// Of this body.
    pub fn new(body: B, idle: Duration, hold: Option<Arc<Hold>>, place: OwnedSemaphorePermit) -> Self {
        Self { body, watch: Watch::new(idle, hold), _place: place }
    }
}

impl<B> HttpBody for Download<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        if this.watch.has_ended(cx) {
            return Poll::Ready(Some(Err(Broken::Ended.into())));
        }
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Pending if this.watch.is_idle(cx) => Poll::Ready(Some(Err(Broken::Idle.into()))),
            Poll::Pending => Poll::Pending,
            Poll::Ready(frame) => {
                this.watch.moved();
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Watches for what stops a body.
struct Watch {
    limit: Duration,
    still: Option<Pin<Box<Sleep>>>,
    ended: Option<BoxFuture<'static, ()>>,
}

impl Watch {
    fn new(limit: Duration, hold: Option<Arc<Hold>>) -> Self {
        let ended = hold.map(|hold| async move { hold.ended().await }.boxed());
        Self { limit, still: None, ended }
    }

    fn has_ended(&mut self, cx: &mut Context<'_>) -> bool {
        self.ended.as_mut().is_some_and(|ended| ended.as_mut().poll(cx).is_ready())
    }

    /// Asked while nothing comes; from the first time on the time runs.
    fn is_idle(&mut self, cx: &mut Context<'_>) -> bool {
        let limit = self.limit;
        self.still.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit))).as_mut().poll(cx).is_ready()
    }

    fn moved(&mut self) {
        self.still = None;
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;

//! A request's body on its way: streamed, never kept. It stops when it is too slow, and when its session ends.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::HttpBody;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use hyper::body::{Frame, SizeHint};
use sha2::{Digest as _, Sha256};
use yaopai_wire::digest::ContentDigest;

use super::cut::Hold;
use super::pace::{Pace, Waiting};
use super::upstream::Place;

/// Why a body did not go on to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Its sender broke it off.
    #[error("the sender broke the body off")]
    Client,
    /// It stood still for too long, or was too slow on the whole.
    #[error("the body was too slow")]
    Slow,
    /// Its session ended.
    #[error("the session ended")]
    Ended,
    /// It isn't what its digest names.
    #[error("the body is not the one that was signed")]
    OtherBody,
}

/// A request's body. Where a signature covers its digest, the last chunk is held back until all of it was compared: the upstream
/// never sees the end of another body. Most requests have none, and then this is nothing.
pub struct Upload<B>(Option<Box<Flow<B>>>);

struct Flow<B> {
    /// `None`: there is none.
    body: Option<B>,
    client: Waiting,
    ending: Ending,
    digest: Option<(Sha256, ContentDigest)>,
    held: Option<Bytes>,
    done: bool,
    course: Arc<Moves>,
}

#[derive(Default)]
struct Moves {
    moved: AtomicU64,
    broken: OnceLock<Broken>,
    /// An upstream may answer at once and go on reading.
    place: Mutex<Option<Place>>,
}

impl Moves {
    fn place(&self) -> MutexGuard<'_, Option<Place>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of an upload while somebody else has it.
pub struct Course(Option<Arc<Moves>>);

impl Course {
    /// How often it has moved.
    pub fn moved(&self) -> u64 {
        self.0.as_ref().map_or(0, |moves| moves.moved.load(Ordering::Relaxed))
    }

    /// Why it broke, if it did.
    pub fn broken(&self) -> Option<Broken> {
        self.0.as_ref()?.broken.get().copied()
    }

    /// Does it still hold its place?
    pub fn is_under_way(&self) -> bool {
        self.0.as_ref().is_some_and(|moves| moves.place().is_some())
    }

    /// Once there is an answer, nothing else bounds how long an upstream may leave the rest unread: it is at work for nobody, then, and
    /// the place is given back after so long.
    pub async fn watch(self, idle: Duration) {
        let Some(moves) = &self.0 else { return };
        let mut before = None;
        while moves.place().is_some() {
            let moved = Some(self.moved());
            if std::mem::replace(&mut before, moved) == moved {
                drop(moves.place().take());
                return;
            }
            tokio::time::sleep(idle).await;
        }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> Upload<B> {
    /// Of a body, if there is one, that must have this digest, where one was signed.
    pub fn new(body: Option<B>, digest: Option<ContentDigest>, pace: Pace, hold: Option<Arc<Hold>>) -> Self {
        if body.is_none() && digest.is_none() {
            return Self::none();
        }
        let digest = digest.map(|digest| (Sha256::new(), digest));
        let (client, ending) = (Waiting::new(pace), Ending::new(hold));
        Self(Some(Box::new(Flow { body, client, ending, digest, held: None, done: false, course: Arc::default() })))
    }

    /// Of no body.
    pub fn none() -> Self {
        Self(None)
    }

    /// Holds this place for as long as it is under way.
    pub fn holding(self, place: &Place) -> Self {
        if let Some(flow) = &self.0 {
            *flow.course.place() = Some(place.clone());
        }
        self
    }

    /// To be looked at from outside.
    pub fn course(&self) -> Course {
        Course(self.0.as_ref().map(|flow| flow.course.clone()))
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> Flow<B> {
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

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(why) = self.course.broken.get() {
            return Poll::Ready(Some(Err(*why)));
        }
        if self.ending.has_come(cx) {
            return self.fail(Broken::Ended);
        }
        while !self.done {
            let Some(body) = &mut self.body else { return self.end() };
            let frame = match Pin::new(body).poll_frame(cx) {
                Poll::Pending if self.client.is_over(cx) => return self.fail(Broken::Slow),
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return self.end(),
                Poll::Ready(Some(Err(_))) => return self.fail(Broken::Client),
                Poll::Ready(Some(Ok(frame))) => frame,
            };
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            self.client.came(bytes);
            // Empty pieces move nothing.
            self.course.moved.fetch_add(u64::from(bytes > 0), Ordering::Relaxed);
            // Trailers end here: nothing of the check has seen them.
            let Ok(data) = frame.into_data() else { continue };
            let Some((read, _)) = &mut self.digest else { return Poll::Ready(Some(Ok(Frame::data(data)))) };
            read.update(&data);
            if data.is_empty() {
                continue;
            }
            if let Some(before) = self.held.replace(data) {
                return Poll::Ready(Some(Ok(Frame::data(before))));
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        match self.digest {
            // What is not compared yet has not ended.
            Some(_) => false,
            None => self.held.is_none() && (self.done || self.body.as_ref().is_none_or(B::is_end_stream)),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.held.as_ref().map_or(0, |held| u64::try_from(held.len()).unwrap_or(u64::MAX));
        let rest = self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), B::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(held));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint
    }
}

impl<B> Drop for Flow<B> {
    fn drop(&mut self) {
        drop(self.course.place().take());
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Upload<B> {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        self.0.as_mut().map_or(Poll::Ready(None), |flow| flow.poll(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|flow| flow.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), |flow| flow.size_hint())
    }
}

/// How many pieces of nothing are taken for the way in which somebody ends a body.
const EMPTY_MAX: usize = 8;

/// Does it end before anything came? Reads as far as it takes to tell: what comes is lost.
pub async fn is_nothing<B: HttpBody<Data = Bytes> + Unpin>(body: &mut B) -> bool {
    for _ in 0..EMPTY_MAX {
        match std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return true,
            Some(Ok(frame)) if frame.data_ref().is_none_or(Bytes::is_empty) => {}
            Some(_) => return false,
        }
    }
    false
}

/// The end of a session, for who polls.
pub struct Ending {
    hold: Option<Arc<Hold>>,
    /// Made when it is first asked and has not come: most bodies are over before.
    comes: Option<BoxFuture<'static, ()>>,
}

impl Ending {
    /// Of what holds it; nobody's doesn't end.
    pub fn new(hold: Option<Arc<Hold>>) -> Self {
        Self { hold, comes: None }
    }

    /// Has it come?
    pub fn has_come(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(hold) = &self.hold else { return false };
        let comes = self.comes.get_or_insert_with(|| {
            let hold = hold.clone();
            async move { hold.ended().await }.boxed()
        });
        comes.as_mut().poll(cx).is_ready()
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;

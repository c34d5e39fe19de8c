//! An answer's body on its way to the client. It holds a place at its upstream until it is over, and two may hold it up: an upstream
//! that sends nothing, which is seen when it is asked for more; and a client that takes nothing, which asks for nothing, and so has to
//! be seen from outside.
//!
//! Most answers are short, and have come as a whole with their head: then nothing is held up any more, and nobody has to look.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::HttpBody;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::body::{Broken, Ending};
use super::cut::{Hold, ended};
use super::pace::{Pace, Patience, Waiting, now};
use super::upstream::Place;

/// How often a client is looked at that is waited for by nobody.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A body of at most so many bytes may be taken over as a whole.
const WHOLE_MAX: u64 = 16 * 1024;

/// An answer's body.
pub enum Download<B: HttpBody> {
    /// All of it is here, and its place at the upstream given back. It still isn't for who was kicked meanwhile.
    Whole(Option<Bytes>, Option<Arc<Hold>>),
    /// It is on its way.
    Flowing(Flowing<B>),
}

/// A body on its way.
pub struct Flowing<B: HttpBody> {
    flow: Arc<Mutex<Flow<B>>>,
    ending: Ending,
    watcher: AbortHandle,
}

struct Flow<B: HttpBody> {
    /// What came of it while it was looked at, to be handed out first.
    ahead: Option<Ahead<B>>,
    /// The body with its place at the upstream, until it is given up.
    body: Result<(B, Place), Broken>,
    /// For the upstream: any byte will do.
    upstream: Waiting,
    client: Patience,
    /// When the client was handed something, the head to begin with, and has not asked for more.
    handed: Option<Instant>,
}

/// What a body has said, which may be that it is over.
type Ahead<B> = Option<Result<Frame<Bytes>, <B as HttpBody>::Error>>;

impl<B> Download<B>
where
    B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<axum::BoxError> + Send,
{
    /// Of this body, whose head is about to go to the client. `soon`: will whoever is handed it ask for more as soon as the client has
    /// taken what was before? Over HTTP/2 it may lie there for as long as the client likes: then it is watched, however short it is.
    pub async fn begin(mut body: B, pace: Pace, hold: Option<Arc<Hold>>, place: Place, soon: bool) -> Self {
        if body.is_end_stream() {
            return Self::Whole(None, hold);
        }
        let short = body.size_hint().exact().is_some_and(|length| length <= WHOLE_MAX);
        let mut ahead = None;
        if soon && short {
            ahead = std::future::poll_fn(|cx| Poll::Ready(come(&mut body, cx))).await;
        }
        match ahead {
            Some(Some(Ok(frame))) if body.is_end_stream() && frame.is_data() => {
                Self::Whole(frame.into_data().ok(), hold)
            }
            ahead => Self::Flowing(Flowing::new((ahead, body), pace, hold, place)),
        }
    }
}

/// What has come of a body by now.
fn come<B: HttpBody<Data = Bytes> + Unpin>(body: &mut B, cx: &mut Context<'_>) -> Option<Ahead<B>> {
    match Pin::new(body).poll_frame(cx) {
        Poll::Ready(frame) => Some(frame),
        Poll::Pending => None,
    }
}

impl<B> Flowing<B>
where
    B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<axum::BoxError> + Send,
{
    fn new((ahead, body): (Option<Ahead<B>>, B), pace: Pace, hold: Option<Arc<Hold>>, place: Place) -> Self {
        let flow = Flow {
            ahead,
            body: Ok((body, place)),
            upstream: Waiting::new(Pace { min_rate: 0, ..pace }),
            client: Patience::new(pace),
            handed: Some(now()),
        };
        let (flow, ending) = (Arc::new(Mutex::new(flow)), Ending::new(hold.clone()));
        // From now on: over HTTP/2 a client without a window never asks for anything.
        let watcher = tokio::spawn(watch(Arc::downgrade(&flow), hold)).abort_handle();
        Self { flow, ending, watcher }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let mut flow = lock(&self.flow);
        if self.ending.has_come(cx) {
            flow.body = Err(Broken::Ended);
        }
        flow.poll(cx)
    }
}

fn lock<B: HttpBody>(flow: &Mutex<Flow<B>>) -> MutexGuard<'_, Flow<B>> {
    flow.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<B> HttpBody for Download<B>
where
    B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<axum::BoxError> + Send,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        match &mut *self {
            Self::Whole(Some(_), Some(hold)) if hold.is_over() => Poll::Ready(Some(Err(Broken::Ended.into()))),
            Self::Whole(bytes, _) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Flowing(flowing) => flowing.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes, _) => bytes.is_none(),
            Self::Flowing(flowing) => {
                let flow = lock(&flowing.flow);
                flow.ahead.is_none() && flow.body.as_ref().is_ok_and(|(body, _)| body.is_end_stream())
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes, _) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX)))
            }
            Self::Flowing(flowing) => lock(&flowing.flow).size_hint(),
        }
    }
}

impl<B: HttpBody> Drop for Flowing<B> {
    fn drop(&mut self) {
        self.watcher.abort();
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
        let frame = self.ahead.take().map_or_else(|| Pin::new(body).poll_frame(cx), Poll::Ready);
        match frame {
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

impl<B: HttpBody<Data = Bytes>> Flow<B> {
    /// Of what is still to be handed out.
    fn size_hint(&self) -> SizeHint {
        let Ok((body, _)) = &self.body else { return SizeHint::default() };
        let ahead = match &self.ahead {
            Some(Some(Ok(frame))) => frame.data_ref().map_or(0, Bytes::len),
            _ => 0,
        };
        let ahead = u64::try_from(ahead).unwrap_or(u64::MAX);
        let (rest, mut hint) = (body.size_hint(), SizeHint::new());
        hint.set_lower(rest.lower().saturating_add(ahead));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(ahead));
        }
        hint
    }
}

impl<B: HttpBody> Flow<B> {
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
async fn watch<B>(flow: Weak<Mutex<Flow<B>>>, hold: Option<Arc<Hold>>)
where
    B: HttpBody + Send + 'static,
    B::Error: Send,
{
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

use std::collections::VecDeque;
use std::convert::Infallible;

use futures_util::FutureExt as _;
use tokio::sync::Semaphore;
use tokio::time::{Sleep, sleep};
use yaopai_core::ids::SessionId;

use super::super::body::Upload;
use super::super::cut::Cuts;
use super::*;

const PACE: Pace = Pace { idle: Duration::from_secs(60), min_rate: 500 };

/// A body of which each piece comes so long after the one before was asked for.
struct Timed(VecDeque<(Duration, Bytes)>, Option<Pin<Box<Sleep>>>);

impl Timed {
    fn new(pieces: usize, every: Duration, size: usize) -> Self {
        Self((0..pieces).map(|_| (every, Bytes::from(vec![b'x'; size]))).collect(), None)
    }
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(after) = self.0.front().map(|(after, _)| *after) else { return Poll::Ready(None) };
        if !after.is_zero() {
            let timer = self.1.get_or_insert_with(|| Box::pin(sleep(after)));
            std::task::ready!(timer.as_mut().poll(cx));
            self.1 = None;
        }
        Poll::Ready(self.0.pop_front().map(|(_, data)| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|(_, data)| data.len() as u64).sum())
    }
}

struct Scene {
    places: Arc<Semaphore>,
    cuts: Arc<Cuts>,
    download: Download<Timed>,
}

const ID: SessionId = SessionId([7; 16]);

impl Scene {
    fn new(body: Timed) -> Self {
        Self::at(PACE, body)
    }

    fn at(pace: Pace, body: Timed) -> Self {
        let (places, cuts) = (Arc::new(Semaphore::new(1)), Cuts::new());
        let (place, hold) = (Arc::new(places.clone().try_acquire_owned().unwrap()), cuts.hold(ID, None));
        let download = Download::Flowing(Flowing::new((None, body), pace, Some(hold), place));
        Self { places, cuts, download }
    }

    /// As the gateway does it.
    async fn begin(body: Timed, soon: bool) -> Self {
        let (places, cuts) = (Arc::new(Semaphore::new(1)), Cuts::new());
        let (place, hold) = (Arc::new(places.clone().try_acquire_owned().unwrap()), cuts.hold(ID, None));
        let download = Download::begin(body, PACE, Some(hold), place, soon).await;
        Self { places, cuts, download }
    }

    /// What the client gets when it asks for more.
    async fn take(&mut self) -> Option<Result<usize, String>> {
        next(&mut self.download).await
    }

    fn has_its_place(&self) -> bool {
        self.places.available_permits() == 0
    }
}

async fn next<B: HttpBody<Data = Bytes> + Unpin>(body: &mut B) -> Option<Result<usize, String>>
where
    B::Error: ToString,
{
    let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
    Some(frame.map(|frame| frame.into_data().unwrap().len()).map_err(|e| e.to_string()))
}

fn slow() -> Option<Result<usize, String>> {
    Some(Err(Broken::Slow.to_string()))
}

const SECOND: Duration = Duration::from_secs(1);

/// Over HTTP/2 without a window nobody asks for more, nor hears of anything.
#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_gives_its_place_back() {
    let mut scene = Scene::new(Timed::new(9, Duration::ZERO, 500));
    assert_eq!(scene.take().await, Some(Ok(500)));
    sleep(60 * SECOND).await;
    assert!(scene.has_its_place(), "a tunnel");
    sleep(2 * SECOND).await;
    assert!(!scene.has_its_place());
    assert_eq!(scene.take().await, slow(), "and it sees that this is not the whole");
    assert!(!scene.download.is_end_stream());
}

#[tokio::test(start_paused = true)]
async fn nor_does_one_keep_it_that_never_asks_at_all() {
    let mut scene = Scene::new(Timed::new(9, Duration::ZERO, 500));
    sleep(59 * SECOND).await;
    assert!(scene.has_its_place());
    sleep(2 * SECOND).await;
    assert!(!scene.has_its_place());
    assert_eq!(scene.take().await, slow());
}

/// A byte now and then, so that it never quite stands still.
#[tokio::test(start_paused = true)]
async fn nor_does_it_keep_it_by_taking_very_little() {
    let mut scene = Scene::new(Timed::new(1000, Duration::ZERO, 10));
    for _ in 0..7 {
        assert_eq!(scene.take().await, Some(Ok(10)));
        sleep(10 * SECOND).await;
    }
    assert!(!scene.has_its_place());
    assert_eq!(scene.take().await, slow());
}

/// The worst network that works at all: 64 KB in two minutes, with tunnels in between.
#[tokio::test(start_paused = true)]
async fn a_slow_client_gets_the_whole() {
    let mut scene = Scene::new(Timed::new(50, Duration::ZERO, 65_536));
    for _ in 0..50 {
        assert_eq!(scene.take().await, Some(Ok(65_536)));
        sleep(130 * SECOND).await;
        assert!(scene.has_its_place());
    }
    assert_eq!(scene.take().await, None);
}

/// `min_rate = 0`: no rate is too low, so a piece may take as long as it takes.
#[tokio::test(start_paused = true)]
async fn without_a_rate_a_client_may_be_as_slow_as_it_likes() {
    let any = Pace { min_rate: 0, ..PACE };
    let mut scene = Scene::at(any, Timed::new(3, Duration::ZERO, 65_536));
    for _ in 0..3 {
        assert_eq!(scene.take().await, Some(Ok(65_536)));
        sleep(20 * 3600 * SECOND).await;
        assert!(scene.has_its_place());
    }
    assert_eq!(scene.take().await, None);
    // One that has nothing to take yet doesn't ask, either.
    let mut scene = Scene::at(any, Timed::new(3, Duration::ZERO, 500));
    sleep(62 * SECOND).await;
    assert!(!scene.has_its_place());
    assert_eq!(scene.take().await, slow());
}

/// Events stand still, and that is the upstream's time and not the client's.
#[tokio::test(start_paused = true)]
async fn events_may_come_as_slowly_as_they_like() {
    let mut scene = Scene::new(Timed::new(500, 59 * SECOND, 2));
    for _ in 0..500 {
        assert_eq!(scene.take().await, Some(Ok(2)));
    }
    assert!(scene.has_its_place());
    // Not for ever, though.
    let mut scene = Scene::new(Timed::new(2, 61 * SECOND, 2));
    assert_eq!(scene.take().await, slow());
    assert!(!scene.has_its_place());
}

/// Nobody asks, and the session's end is heard all the same.
#[tokio::test(start_paused = true)]
async fn the_end_of_its_session_reaches_what_nobody_asks_for() {
    let mut scene = Scene::new(Timed::new(9, Duration::ZERO, 500));
    assert_eq!(scene.take().await, Some(Ok(500)));
    scene.cuts.end(ID);
    sleep(Duration::from_millis(1)).await;
    assert!(!scene.has_its_place());
    assert_eq!(scene.take().await, Some(Err(Broken::Ended.to_string())));
}

#[tokio::test(start_paused = true)]
async fn what_is_over_leaves_nothing() {
    let mut scene = Scene::new(Timed::new(9, Duration::ZERO, 500));
    scene.take().await;
    let Scene { places, cuts, download } = scene;
    drop(download);
    sleep(Duration::from_millis(1)).await;
    assert!(cuts.is_empty() && places.available_permits() == 1);
}

#[tokio::test(start_paused = true)]
async fn what_has_come_as_a_whole_holds_no_place() {
    let mut scene = Scene::begin(Timed::new(1, Duration::ZERO, 500), true).await;
    assert!(!scene.has_its_place());
    assert_eq!(scene.download.size_hint().exact(), Some(500));
    assert!(!scene.download.is_end_stream());
    assert_eq!(scene.take().await, Some(Ok(500)));
    assert!(scene.download.is_end_stream());
    assert_eq!(scene.take().await, None);
    let nothing = Scene::begin(Timed::new(0, Duration::ZERO, 0), true).await;
    assert!(!nothing.has_its_place() && nothing.download.is_end_stream());
    drop((scene.download, nothing));
    assert!(scene.cuts.is_empty());
}

/// It lies here, and the client has not had it.
#[tokio::test(start_paused = true)]
async fn who_was_kicked_is_not_handed_what_has_come_either() {
    let mut scene = Scene::begin(Timed::new(1, Duration::ZERO, 500), true).await;
    scene.cuts.end(ID);
    assert_eq!(scene.take().await, Some(Err(Broken::Ended.to_string())));
}

/// What could lie here for long is watched, and so is what has not come or is long.
#[tokio::test(start_paused = true)]
async fn what_is_not_whole_or_not_asked_for_keeps_its_place_and_its_watcher() {
    for (body, soon) in [
        (Timed::new(1, Duration::ZERO, 500), false),
        (Timed::new(1, SECOND, 500), true),
        (Timed::new(2, Duration::ZERO, 500), true),
        (Timed::new(1, Duration::ZERO, 100_000), true),
    ] {
        let mut scene = Scene::begin(body, soon).await;
        assert!(scene.has_its_place());
        sleep(1000 * SECOND).await;
        assert!(!scene.has_its_place());
        assert_eq!(scene.take().await, slow());
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_while_it_was_looked_at_comes_first_and_once() {
    let mut scene = Scene::begin(
        Timed(VecDeque::from([(Duration::ZERO, Bytes::from_static(b"a")), (SECOND, Bytes::from_static(b"bc"))]), None),
        true,
    )
    .await;
    assert_eq!(scene.download.size_hint().exact(), Some(3));
    assert_eq!(scene.take().await, Some(Ok(1)));
    assert_eq!(scene.download.size_hint().exact(), Some(2));
    assert_eq!(scene.take().await, Some(Ok(2)));
    assert!(scene.download.is_end_stream());
    assert_eq!(scene.take().await, None);
}

/// One byte a minute used to hold a place for hours.
#[tokio::test(start_paused = true)]
async fn an_upload_that_drips_ends_soon() {
    let mut upload = Upload::new(Some(Timed::new(1000, 55 * SECOND, 1)), None, PACE, None);
    assert_eq!(next(&mut upload).await, Some(Ok(1)));
    assert_eq!(next(&mut upload).await, slow());
    assert_eq!(upload.course().broken(), Some(Broken::Slow));
    // Nor do empty pieces move anything.
    let mut upload = Upload::new(Some(Timed::new(1000, 11 * SECOND, 0)), None, PACE, None);
    for _ in 0..5 {
        assert_eq!(next(&mut upload).await, Some(Ok(0)));
    }
    assert_eq!(next(&mut upload).await, slow());
}

#[tokio::test(start_paused = true)]
async fn a_slow_upload_arrives_whole() {
    // 600 bytes a second, in pieces of half a minute.
    let mut upload = Upload::new(Some(Timed::new(1000, 30 * SECOND, 18_000)), None, PACE, None);
    for _ in 0..1000 {
        assert_eq!(next(&mut upload).await, Some(Ok(18_000)));
        // The upstream reads when it likes: that isn't the client's time.
        sleep(100 * SECOND).await;
    }
    assert!(next(&mut upload).now_or_never().unwrap().is_none());
}

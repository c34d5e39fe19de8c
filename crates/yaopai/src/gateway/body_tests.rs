use std::collections::VecDeque;
use std::convert::Infallible;

use http::HeaderMap;
use proptest::prelude::*;

use super::*;

/// A body of these chunks; an empty one is a pause.
struct Chunks(VecDeque<Option<Bytes>>, Option<HeaderMap>);

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.pop_front() {
            Some(Some(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(None) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Ready(self.1.take().map(|trailers| Ok(Frame::trailers(trailers)))),
        }
    }
}

/// What the upstream sees: the bytes, and whether they end.
async fn seen(chunks: &[&[u8]], digest: Option<ContentDigest>) -> (Vec<u8>, Result<(), Broken>) {
    let chunks = chunks.iter().map(|c| (!c.is_empty()).then(|| Bytes::copy_from_slice(c))).collect();
    let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("yaopai-user"), "u".parse().unwrap())]);
    let pace = Pace { idle: Duration::from_secs(60), min_rate: 500 };
    let mut upload = Upload::new(Some(Chunks(chunks, Some(trailers))), digest, pace, None);
    let mut bytes = Vec::new();
    loop {
        if upload.is_end_stream() {
            return (bytes, Ok(()));
        }
        match std::future::poll_fn(|cx| Pin::new(&mut upload).poll_frame(cx)).await {
            Some(Ok(frame)) => bytes.extend_from_slice(&frame.into_data().expect("no trailers go on")),
            Some(Err(e)) => {
                assert_eq!(upload.course().broken(), Some(e));
                return (bytes, Err(e));
            }
            None => return (bytes, Ok(())),
        }
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

#[test]
fn nothing_of_a_body_in_one_piece_goes_on_before_it_is_compared() {
    let (bytes, end) = block_on(seen(&[b"pay bob"], Some(ContentDigest::of(b"pay eve"))));
    assert_eq!((bytes, end), (vec![], Err(Broken::OtherBody)));
}

#[test]
fn a_chunked_body_of_nothing_is_compared() {
    let (bytes, end) = block_on(seen(&[], Some(ContentDigest::of(b"x"))));
    assert_eq!((bytes, end), (vec![], Err(Broken::OtherBody)));
}

proptest! {
    /// However it is cut up: the right body arrives whole, and of another one never the end.
    #[test]
    fn the_end_of_another_body_never_arrives(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..6),
        other: [u8; 2],
    ) {
        let whole = chunks.concat();
        let slices: Vec<&[u8]> = chunks.iter().map(|c| &**c).collect();
        let right = block_on(seen(&slices, Some(ContentDigest::of(&whole))));
        prop_assert_eq!(right, (whole.clone(), Ok(())));
        let without = block_on(seen(&slices, None));
        prop_assert_eq!(without, (whole.clone(), Ok(())));
        let wrong = ContentDigest::of(&[&whole[..], &other].concat());
        let (bytes, end) = block_on(seen(&slices, Some(wrong)));
        prop_assert_eq!(end, Err(Broken::OtherBody));
        prop_assert!(bytes.len() < whole.len() || whole.is_empty());
    }
}

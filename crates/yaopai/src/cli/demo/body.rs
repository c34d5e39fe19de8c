//! Request bodies, bounded in size and time.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;

const MAX: usize = 64 * 1024;
const TIME: Duration = Duration::from_secs(10);

/// A whole body; `None` if it is too large, too slow or broke off.
pub async fn read(body: Incoming) -> Option<Bytes> {
    let whole = tokio::time::timeout(TIME, Limited::new(body, MAX).collect()).await.ok()?;
    Some(whole.ok()?.to_bytes())
}

//! A body has one digest: what is read is written again as a field that reads as the same.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use yaopai_wire::digest::{CONTENT_DIGEST, ContentDigest};

fn read(value: &[u8]) -> Option<ContentDigest> {
    let value = HeaderValue::from_bytes(value).ok()?;
    let headers: HeaderMap = [(HeaderName::from_static(CONTENT_DIGEST), value)].into_iter().collect();
    ContentDigest::read(&headers).ok().flatten()
}

fuzz_target!(|bytes: &[u8]| {
    if let Some(digest) = read(bytes) {
        assert_eq!(read(digest.value().as_bytes()), Some(digest));
    }
});

//! A body is the one that its `Content-Digest` names, before anything reads it. A signature covers only the digest.

use axum::body::Body;
use axum::extract::Request;
use sha2::{Digest as _, Sha256};
use yaopai_core::Error;
use yaopai_wire::digest::{CONTENT_DIGEST, ContentDigest};
use yaopai_wire::problem::Code;

use super::answer::Refusal;
use super::body;

/// The request with its body read and compared, where it names a digest.
pub async fn checked(request: Request) -> Result<Request, Refusal> {
    // The platform's pushes are no client's calls, and have their own bounds.
    if !request.headers().contains_key(CONTENT_DIGEST) || request.uri().path().starts_with("/yaopai/v1/push/") {
        return Ok(request);
    }
    let refuse = |detail: String| Refusal(Error::new(Code::ProofInvalid, detail));
    let named = ContentDigest::read(request.headers()).map_err(|e| refuse(format!("{e}.")))?;
    let (parts, body) = request.into_parts();
    let bytes = body::whole(body).await?;
    if named.is_none_or(|named| !named.matches(&Sha256::digest(&bytes).into())) {
        return Err(refuse("The body is not the one that Content-Digest names: send what was signed.".into()));
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

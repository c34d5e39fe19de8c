//! Parts of the path.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use yaopai_core::Error;
use yaopai_wire::problem::Code;

use super::answer::Refusal;

/// The path's one variable segment, decoded. One that isn't UTF-8 names nothing that we have.
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(segment)) => Ok(Self(segment)),
            Err(_) => Err(Refusal(Error::new(Code::NotFound, "Nothing has this name."))),
        }
    }
}

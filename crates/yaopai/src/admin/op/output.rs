//! What a call answers.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{Content, Ref, ResponseBuilder};

use super::document::Schemas;

/// An answer: its status, its body, and what the document says of both.
pub trait Output: Send + 'static {
    /// Always the same.
    const STATUS: StatusCode;
    /// Must no cache keep it?
    const NO_STORE: bool = false;

    /// The status, and the body as JSON.
    fn encode(&self) -> (StatusCode, Vec<u8>);

    /// What the document says.
    fn describe(response: ResponseBuilder, schemas: &mut Schemas) -> ResponseBuilder;
}

/// 200 and what was asked for.
pub struct Shown<T>(pub T);

/// 201 and what was made.
pub struct Created<T>(pub T);

/// 200 and something that no cache may keep.
pub struct NoStore<T>(pub T);

/// 204.
pub struct NoContent;

macro_rules! json {
    ($kind:ident, $status:ident, $no_store:literal) => {
        impl<T: Serialize + ToSchema + Send + 'static> Output for $kind<T> {
            const STATUS: StatusCode = StatusCode::$status;
            const NO_STORE: bool = $no_store;

            fn encode(&self) -> (StatusCode, Vec<u8>) {
                (Self::STATUS, serde_json::to_vec(&self.0).unwrap_or_default())
            }

            fn describe(response: ResponseBuilder, schemas: &mut Schemas) -> ResponseBuilder {
                let name = schemas.learn::<T>();
                response.content("application/json", Content::new(Some(Ref::from_schema_name(name))))
            }
        }
    };
}

json!(Shown, OK, false);
json!(Created, CREATED, false);
json!(NoStore, OK, true);

impl Output for NoContent {
    const STATUS: StatusCode = StatusCode::NO_CONTENT;

    fn encode(&self) -> (StatusCode, Vec<u8>) {
        (Self::STATUS, Vec::new())
    }

    fn describe(response: ResponseBuilder, _: &mut Schemas) -> ResponseBuilder {
        response
    }
}

/// The answer on its way out.
pub(super) fn response(status: StatusCode, body: Vec<u8>, no_store: bool) -> Response {
    let json = !body.is_empty();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if json {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if no_store {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

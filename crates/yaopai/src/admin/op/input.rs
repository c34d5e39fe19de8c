//! What a call takes: a segment of its path, its query, its body.

use bytes::Bytes;
use http::Uri;
use serde::de::DeserializeOwned;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{Content, ObjectBuilder, Ref, Required, Type};
use utoipa::{IntoParams, ToSchema};
use yaopai_core::Error;
use yaopai_core::ids::{IdentityId, SessionId, USER_ID_MAX, UserId};
use yaopai_wire::problem::Code;

use super::document::Schemas;
use crate::api::body::{BODY_MAX, Fields};

/// A request that was let in, read as far as every call is.
pub struct Given<'r> {
    /// Its target.
    pub uri: &'r Uri,
    /// The one variable segment of its path, decoded.
    pub segment: Option<&'r str>,
    /// Its body; empty where the call takes none.
    pub body: &'r Bytes,
}

/// Something that a call takes.
pub trait Input: Sized + Send + 'static {
    /// Is it of the body?
    const BODY: bool = false;
    /// How many bytes that may have.
    const BODY_MAX: usize = BODY_MAX;

    /// Reads it.
    fn read(given: &Given<'_>) -> Result<Self, Error>;

    /// What the document says.
    fn describe(op: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder;
}

/// Nothing.
impl Input for () {
    fn read(_: &Given<'_>) -> Result<Self, Error> {
        Ok(())
    }

    fn describe(op: OperationBuilder, _: &mut Schemas) -> OperationBuilder {
        op
    }
}

/// Both.
impl<A: Input, B: Input> Input for (A, B) {
    const BODY: bool = A::BODY || B::BODY;
    // Only one of them is of the body.
    const BODY_MAX: usize = if A::BODY { A::BODY_MAX } else { B::BODY_MAX };

    fn read(given: &Given<'_>) -> Result<Self, Error> {
        Ok((A::read(given)?, B::read(given)?))
    }

    fn describe(op: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder {
        B::describe(A::describe(op, schemas), schemas)
    }
}

/// The `{user}` of a path.
pub struct UserPath(pub UserId);
/// The `{session_id}` of a path.
pub struct SessionPath(pub SessionId);
/// The `{identity_id}` of a path.
pub struct IdentityPath(pub IdentityId);
/// The `{app}` of a path.
pub struct AppPath(pub String);

impl Input for UserPath {
    fn read(given: &Given<'_>) -> Result<Self, Error> {
        user_id(given.segment.unwrap_or_default()).map(Self)
    }

    fn describe(op: OperationBuilder, _: &mut Schemas) -> OperationBuilder {
        op.parameter(in_path("user", "The user's id, percent-encoded: 1 to 128 bytes."))
    }
}

impl Input for SessionPath {
    fn read(given: &Given<'_>) -> Result<Self, Error> {
        let id = given.segment.and_then(SessionId::parse);
        id.map(Self).ok_or_else(|| Error::new(Code::NotFound, "The realm has no session of this id."))
    }

    fn describe(op: OperationBuilder, _: &mut Schemas) -> OperationBuilder {
        op.parameter(in_path("session_id", "The session's id."))
    }
}

impl Input for IdentityPath {
    fn read(given: &Given<'_>) -> Result<Self, Error> {
        let id = given.segment.and_then(IdentityId::parse);
        id.map(Self).ok_or_else(|| Error::new(Code::NotFound, "The realm has no identity of this id."))
    }

    fn describe(op: OperationBuilder, _: &mut Schemas) -> OperationBuilder {
        op.parameter(in_path("identity_id", "Our id of the identity."))
    }
}

impl Input for AppPath {
    fn read(given: &Given<'_>) -> Result<Self, Error> {
        Ok(Self(given.segment.unwrap_or_default().to_owned()))
    }

    fn describe(op: OperationBuilder, _: &mut Schemas) -> OperationBuilder {
        op.parameter(in_path("app", "The app's name in the configuration."))
    }
}

/// A user's id, as it stands in a path or a query.
pub fn user_id(text: &str) -> Result<UserId, Error> {
    if !(1..=USER_ID_MAX).contains(&text.len()) {
        return Err(Error::new(Code::NotFound, "A user id has 1 to 128 bytes."));
    }
    Ok(UserId::from(text))
}

fn in_path(name: &str, what: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(what))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build()
}

/// The query, each key at most once and none that isn't known: a misspelt one must not pass as none.
pub struct Asked<Q>(pub Q);

impl<Q: DeserializeOwned + IntoParams + Send + 'static> Input for Asked<Q> {
    fn read(given: &Given<'_>) -> Result<Self, Error> {
        let read = axum::extract::Query::<Q>::try_from_uri(given.uri);
        read.map(|query| Self(query.0)).map_err(|_| {
            let names: Vec<String> = Q::into_params(|| Some(ParameterIn::Query)).into_iter().map(|p| p.name).collect();
            Error::new(Code::FieldInvalid, format!("The query takes {}, each at most once.", names.join(", ")))
        })
    }

    fn describe(op: OperationBuilder, _: &mut Schemas) -> OperationBuilder {
        Q::into_params(|| Some(ParameterIn::Query)).into_iter().fold(op, |op, parameter| op.parameter(parameter))
    }
}

/// A JSON object with these fields.
pub trait Fielded: Sized + ToSchema + Send + 'static {
    /// How many bytes it may have.
    const BODY_MAX: usize = BODY_MAX;

    /// Takes them out of a body.
    ///
    /// # Errors
    /// `field_invalid`.
    fn of(fields: Fields) -> Result<Self, Error>;
}

/// The body.
pub struct Body<B>(pub B);

impl<B: Fielded> Input for Body<B> {
    const BODY: bool = true;
    const BODY_MAX: usize = B::BODY_MAX;

    fn read(given: &Given<'_>) -> Result<Self, Error> {
        B::of(Fields::parse(given.body)?).map(Self)
    }

    fn describe(op: OperationBuilder, schemas: &mut Schemas) -> OperationBuilder {
        let name = schemas.learn::<B>();
        let body = RequestBodyBuilder::new()
            .required(Some(Required::True))
            .content("application/json", Content::new(Some(Ref::from_schema_name(name))));
        op.request_body(Some(body.build()))
    }
}

/// In `/admin` an unknown field is refused: a misspelt one must not pass as none.
pub fn strictly(fields: &Fields, known: &[&str]) -> Result<(), Error> {
    if fields.names().all(|n| known.contains(&n)) {
        return Ok(());
    }
    Err(Error::new(Code::FieldInvalid, format!("Unknown field; this call takes {}.", known.join(", "))))
}

//! The OpenAPI 3.1 document, put together from what the calls' types say.

use std::collections::BTreeMap;

use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required,
    ResponseBuilder, Schema, Type,
};
use utoipa::{PartialSchema, ToSchema};
use yaopai_wire::problem::{CONTENT_TYPE, Code};

use super::{Input, Op, Output};
use crate::admin::objects::ProblemObject;
use crate::config::Scope;

/// Codes that every call may answer with.
const ALWAYS: [Code; 5] = [Code::ApiKeyInvalid, Code::ScopeMissing, Code::Unavailable, Code::Internal, Code::Malformed];
/// And every call that changes something.
const ON_CHANGES: [Code; 3] = [Code::IdempotencyKeyReused, Code::IdempotencyKeyInUse, Code::RateLimited];
/// And every one that takes a body.
const WITH_BODY: [Code; 3] = [Code::FieldInvalid, Code::TooLarge, Code::ContentTypeUnsupported];

/// The types that the document names.
pub struct Schemas(BTreeMap<String, RefOr<Schema>>);

impl Schemas {
    /// Adds a type and all that it is made of. Answers its name.
    pub fn learn<T: ToSchema>(&mut self) -> String {
        let mut all = vec![(T::name().into_owned(), <T as PartialSchema>::schema())];
        T::schemas(&mut all);
        self.0.extend(all);
        T::name().into_owned()
    }
}

pub(super) struct Document {
    paths: Paths,
    schemas: Schemas,
}

impl Document {
    pub fn new() -> Self {
        Self { paths: Paths::new(), schemas: Schemas(BTreeMap::new()) }
    }

    pub fn add<I: Input, O: Output>(mut self, op: &Op) -> Self {
        // One of them is enough: so they are requirements apart.
        let mut scopes: Vec<&str> = op.scopes.iter().map(|scope| scope.as_str()).collect();
        if op.scopes.iter().any(|scope| scope.is_of_admin()) {
            scopes.push(Scope::Admin.as_str());
        }
        let named: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
        let operation = OperationBuilder::new()
            .operation_id(Some(op.id))
            .summary(Some(op.does))
            .description(Some(format!("For keys with the scope {}.", named.join(" or "))))
            .tag(op.path.split('/').nth(1).unwrap_or_default());
        let operation =
            scopes.iter().fold(operation, |op, scope| op.security(SecurityRequirement::new("api_key", [*scope])));
        let mut operation = I::describe(operation, &mut self.schemas);
        if op.verb.changes() {
            operation = operation.parameter(idempotency_key());
        }
        let answer = ResponseBuilder::new().description(O::STATUS.canonical_reason().unwrap_or("Done"));
        let answer = O::describe(answer, &mut self.schemas);
        operation = operation.response(O::STATUS.as_str(), answer.build());
        for (status, codes) in refusals::<I>(op) {
            let problem = self.schemas.learn::<ProblemObject>();
            let codes: Vec<String> = codes.iter().map(|code| format!("`{}`", code.as_str())).collect();
            let refusal = ResponseBuilder::new()
                .description(codes.join(", "))
                .content(CONTENT_TYPE, Content::new(Some(Ref::from_schema_name(problem))));
            operation = operation.response(status.to_string(), refusal.build());
        }
        self.paths.add_path_operation(format!("/admin/v1{}", op.path), vec![op.verb.of_openapi()], operation.build());
        self
    }

    pub fn done(self) -> OpenApi {
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("yk_…")
            .description(Some("An API key of one realm. It sees nothing of others."));
        let components = ComponentsBuilder::new()
            .schemas_from_iter(self.schemas.0)
            .security_scheme("api_key", SecurityScheme::Http(key.build()));
        let info = InfoBuilder::new()
            .title("Yaopai admin API")
            .version("1")
            .description(Some("For back ends, on the admin listener. docs/api.md says how to use it; docs/errors.md what to do about each code."));
        OpenApiBuilder::new().info(info.build()).paths(self.paths).components(Some(components.build())).build()
    }
}

fn refusals<I: Input>(op: &Op) -> BTreeMap<u16, Vec<Code>> {
    let mut codes: Vec<Code> = [op.codes, &ALWAYS].concat();
    if op.verb.changes() {
        codes.extend(ON_CHANGES);
    }
    if I::BODY {
        codes.extend(WITH_BODY);
    }
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        let same = by_status.entry(code.status().as_u16()).or_default();
        if !same.contains(&code) {
            same.push(code);
        }
    }
    by_status
}

fn idempotency_key() -> utoipa::openapi::path::Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The same request with the same key gets the same answer for 24 hours, and is done once."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).max_length(Some(257)).build()))
        .build()
}

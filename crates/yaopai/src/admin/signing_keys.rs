//! `/admin/v1/signing-keys`: the keys that sign JWTs. They are the whole server's and not a realm's, so they have a scope of their
//! own.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use yaopai_core::Error;
use yaopai_core::audit::{Event, Kind};

use super::Admin;
use super::op::{Answered, Body, Call, Calls, Fielded, Op, Shown, Verb, strictly};
use crate::api::body::Fields;
use crate::config::Scope;
use crate::rfc3339::rfc3339;

pub(super) fn calls(calls: Calls) -> Calls {
    let op = |verb, path, id, does| Op { verb, path, id, does, scopes: &[Scope::SigningKeys], codes: &[] };
    calls
        .on(op(Verb::Get, "/signing-keys", "list_signing_keys", "The keys that sign JWTs, and what each does."), list)
        .on(
            op(
                Verb::Post,
                "/signing-keys/rotate",
                "rotate_signing_keys",
                "The next key is published now and signs later, unless one is on its way.",
            ),
            rotate,
        )
}

/// The keys that sign JWTs.
#[derive(Serialize, ToSchema)]
struct SigningKeys {
    /// In the order in which they sign.
    keys: Vec<SigningKeyObject>,
}

/// A key that signs JWTs.
#[derive(Serialize, ToSchema)]
#[schema(as = SigningKey)]
struct SigningKeyObject {
    /// Its name in a JWT's header and in the published set.
    kid: String,
    /// `ES256` or `EdDSA`.
    alg: &'static str,
    /// `next`: published, and will sign. `signs`. `retires`: has signed, and is published for as long as that lives.
    role: &'static str,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// From when on it signs.
    #[schema(format = DateTime)]
    signs_from: String,
}

/// How to rotate.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
struct Rotate {
    /// The next key signs now and the others are withdrawn: what they have signed stops being good as soon as back ends look at the
    /// published set again.
    #[schema(required = false)]
    at_once: bool,
}

impl Fielded for Rotate {
    fn of(fields: Fields) -> Result<Self, Error> {
        strictly(&fields, &["at_once"])?;
        match fields.value("at_once") {
            None => Ok(Self { at_once: false }),
            Some(Value::Bool(at_once)) => Ok(Self { at_once: *at_once }),
            Some(_) => Err(Error::field("at_once", "true or false.")),
        }
    }
}

async fn list(call: Call, (): ()) -> Answered<Shown<SigningKeys>> {
    Ok(Shown(object(&call.admin)))
}

async fn rotate(call: Call, Body(asked): Body<Rotate>) -> Answered<Shown<SigningKeys>> {
    call.admin.issuer().rotate(asked.at_once).await.map_err(Error::from)?;
    call.service().tell(Event::new(Kind::SigningKey, if asked.at_once { "at_once" } else { "next" }));
    Ok(Shown(object(&call.admin)))
}

fn object(admin: &Admin) -> SigningKeys {
    let keys = admin.issuer().keys().roles().into_iter().map(|(key, role)| SigningKeyObject {
        kid: key.kid,
        alg: key.alg.as_str(),
        role: role.as_str(),
        made_at: rfc3339(key.made_at),
        signs_from: rfc3339(key.signs_from),
    });
    SigningKeys { keys: keys.collect() }
}

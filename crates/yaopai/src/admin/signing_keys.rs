//! `/admin/v1/signing-keys`: the keys that sign JWTs. They are the whole server's and not a realm's, so they have a scope of their
//! own.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use yaopai_core::Error;
use yaopai_core::ports::{Acted, Action, SigningKey};
use yaopai_core::signing;
use yaopai_core::time::Timestamp;
use yaopai_wire::problem::Code;

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

/// How often the change is tried where others change the keys at the same time.
const TRIES: usize = 8;

async fn list(call: Call, (): ()) -> Answered<Shown<SigningKeys>> {
    let keys = call.admin.issuer().keys().kept();
    Ok(Shown(object(&keys, call.service().world().clock.now())))
}

async fn rotate(call: Call, Body(asked): Body<Rotate>) -> Answered<Shown<SigningKeys>> {
    let (issuer, now) = (call.admin.issuer(), call.service().world().clock.now());
    let shows = move |acted: &Acted| match acted {
        Acted::Keys(Some(keys)) => Some(Shown(object(keys, now))),
        _ => None,
    };
    for _ in 0..TRIES {
        let next = issuer.next_keys(asked.at_once).await.map_err(Error::from)?;
        let kids: Vec<_> = next.keys.iter().map(|next| next.key.kid.clone()).collect();
        let acted = call.service().admin_act(&call.realm, Action::AddKeys(next), call.keep(shows)).await?;
        issuer.keys_changed(asked.at_once).await.map_err(Error::from)?;
        // Another's keys came in between, and theirs may not be what was asked for: who wants a stolen key withdrawn must not be told
        // that it was.
        if acted != Acted::Keys(None) {
            if acted != Acted::Done && !kids.is_empty() {
                tracing::info!(?kids, at_once = asked.at_once, "signing keys were made on request");
            }
            return call.answer(acted, shows);
        }
    }
    let detail = "Others change the keys at the same time, and nothing was done; send this again.";
    Err(Error::new(Code::Unavailable, detail).retry_after(1).into())
}

fn object(keys: &[SigningKey], now: Timestamp) -> SigningKeys {
    let shown = keys.iter().map(|key| SigningKeyObject {
        kid: key.kid.clone(),
        alg: key.alg.as_str(),
        role: signing::role(keys, key, now).as_str(),
        made_at: rfc3339(key.made_at),
        signs_from: rfc3339(key.signs_from),
    });
    SigningKeys { keys: shown.collect() }
}

//! Who calls: the token that is shown, and the request as its client signed it.

use axum::extract::{FromRequestParts, OriginalUri};
use http::request::Parts;
use http::{Uri, header};
use yaopai_core::Error;
use yaopai_core::proof::Unproved;
use yaopai_core::service::{Credentials, refused};
use yaopai_wire::carrier::{Carrier, Shown};
use yaopai_wire::original::Original;
use yaopai_wire::principal::slides;
use yaopai_wire::problem::Code;
use yaopai_wire::signature::{Kept, Needs, SIGNATURE, SIGNATURE_INPUT};

use super::Api;
use super::answer::Refusal;
use super::origin::Origin;

/// What a call shows of its caller. Whether that is enough is the service's to say.
pub struct Caller {
    /// The token and the signed request.
    pub credentials: Credentials,
    /// Does the call slide the idle time-out?
    pub slide: bool,
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        let (token, carrier) = match api.carriers.read(&parts.headers) {
            Shown::Token(token, carrier) => (token, carrier),
            Shown::Nothing => return Err(Refusal(refused(Code::SessionMissing))),
            Shown::Junk => return Err(Refusal(refused(Code::SessionUnknown))),
            Shown::Conflict => {
                return Err(Refusal(Error::new(Code::CarrierConflict, "Send the token in exactly one place.")));
            }
        };
        // Nothing here lets a body stay unsigned: none is large.
        let needs = Needs { authorization: carrier == Carrier::Authorization, unsigned_body: false };
        let signed = signed(parts, api, needs)?;
        let Ok(Origin(from)) = Origin::from_request_parts(parts, api).await;
        let credentials = Credentials { token, signed, from: Some(from) };
        Ok(Self { credentials, slide: slides(&parts.headers) })
    }
}

/// The request that the client signed, if it did: its own `Host`, and its path before a proxy took anything off it.
fn signed(parts: &Parts, api: &Api, needs: Needs) -> Result<Option<Kept>, Refusal> {
    if !parts.headers.contains_key(SIGNATURE_INPUT) && !parts.headers.contains_key(SIGNATURE) {
        return Ok(None);
    }
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    let original = original(parts, uri).ok_or_else(|| {
        let detail =
            "The request that was signed can't be told: send one Host, and the path alone in the request line.";
        Refusal(Error::new(Unproved::OtherKey.code(), detail))
    })?;
    Ok(Kept::of(&original.stripped_of(&api.stripped_prefix), &parts.headers, needs))
}

fn original<'a>(parts: &'a Parts, uri: &'a Uri) -> Option<Original<'a>> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (host, None, None) = (hosts.next()?, hosts.next(), uri.authority()) else { return None };
    let target = uri.path_and_query()?.as_str();
    // The scheme is not signed. Which one it was matters for a port that a client needn't write: it must not.
    Original::new(parts.method.as_str(), "https", host.to_str().ok()?, target).ok()
}

//! Refusals as RFC 9457 `application/problem+json` with a stable code. The same code always has the same HTTP status.

use http::StatusCode;
use serde::Serialize;

/// The media type of a problem body.
pub const CONTENT_TYPE: &str = "application/problem+json";

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $text:literal $status:literal $title:literal;)*) => {
        /// The stable codes. `docs/errors.md` lists cause and cure of each in both languages.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code, for docs, metrics and tests.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// As it stands in `code` and in `Yaopai-Code`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }

            /// The HTTP status; one per code, always.
            pub const fn status(self) -> StatusCode {
                let status = match self { $(Code::$variant => $status,)* };
                match StatusCode::from_u16(status) {
                    Ok(status) => status,
                    Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
                }
            }

            /// The short text of RFC 9457's `title`.
            pub const fn title(self) -> &'static str {
                match self { $(Code::$variant => $title,)* }
            }
        }
    };
}

codes! {
    /// No carrier was shown where one is needed.
    SessionMissing "session_missing" 401 "No session was shown";
    /// No token of ours, or one whose secret we never issued.
    SessionUnknown "session_unknown" 401 "The session is not known";
    /// Idle or absolute time-out.
    SessionExpired "session_expired" 401 "The session has expired";
    /// A newer secret of the same session was confirmed more than 30 s ago.
    SessionSuperseded "session_superseded" 401 "A newer token of this session is in use";
    /// Ended from another device or by the back end.
    SessionKicked "session_kicked" 401 "The session was ended from elsewhere";
    /// A later login took its place.
    SessionReplaced "session_replaced" 401 "A later login took this session's place";
    /// The platform withdrew the authorization, or the binding was removed.
    SessionRevoked "session_revoked" 401 "The session was revoked";
    /// A retired secret was refreshed: somebody copied the token.
    SessionReused "session_reused" 401 "The session was ended because an old token was used again";
    /// Ended by its own client.
    SessionEnded "session_ended" 401 "The session has ended";
    /// The step-up is too old, or the key is unknown: call wx.login silently.
    LoginRequired "login_required" 401 "A fresh login is required";
    /// The request must be signed.
    ProofRequired "proof_required" 401 "The request must be signed";
    /// The signature does not verify.
    ProofInvalid "proof_invalid" 401 "The signature does not verify";
    /// The signature's time is outside the window.
    ProofStale "proof_stale" 401 "The signature is too old or too new";
    /// The signature's nonce was seen before.
    ProofReplayed "proof_replayed" 401 "The signature was used before";
    /// The signature must cover the body's digest.
    BodyDigestRequired "body_digest_required" 401 "The signature must cover the body";
    /// The session has no user.
    NotBound "not_bound" 403 "The session is not bound to a user";
    /// The business system disabled the user.
    UserDisabled "user_disabled" 403 "The user is disabled";
    /// The platform doesn't know the login code.
    CodeInvalid "code_invalid" 400 "The platform does not know this code";
    /// The login code was used before.
    CodeUsed "code_used" 400 "This code was used before";
    /// The platform's session_key changed since the last login.
    SessionKeyStale "session_key_stale" 409 "The platform's session_key has changed";
    /// The code is of another account than the session.
    IdentityMismatch "identity_mismatch" 409 "The code is of another account";
    /// The identity or the user is bound otherwise.
    BindingConflict "binding_conflict" 409 "The binding conflicts with another one";
    /// Encrypted data can't be opened, for whatever reason.
    DecryptionFailed "decryption_failed" 422 "The data can't be opened";
    /// The back end said no.
    BindingRejected "binding_rejected" 422 "The back end rejected the binding";
    /// The platform blocks this user.
    PlatformBlocked "platform_blocked" 403 "The platform blocks this login";
    /// The platform's quota is used up, or it is overloaded.
    PlatformBusy "platform_busy" 503 "The platform is busy";
    /// The platform can't be reached or doesn't accept our configuration.
    PlatformUnavailable "platform_unavailable" 503 "The platform is not available";
    /// The back end's webhook failed.
    BackendUnavailable "backend_unavailable" 503 "The back end is not available";
    /// The back end was asked through the gateway, and failed before its answer began: it may have acted on the request.
    UpstreamFailed "upstream_failed" 502 "The back end failed";
    /// The same, and it took too long.
    UpstreamTimeout "upstream_timeout" 504 "The back end took too long";
    /// A limit was reached.
    RateLimited "rate_limited" 429 "Too many requests";
    /// Not understood: syntax.
    Malformed "malformed" 400 "The request is malformed";
    /// Larger than the limit.
    TooLarge "too_large" 413 "The request is too large";
    /// A field is missing, of the wrong type or out of range.
    FieldInvalid "field_invalid" 400 "A field is missing or wrong";
    /// The body is not JSON.
    ContentTypeUnsupported "content_type_unsupported" 415 "The content type is not supported";
    /// A token stood in the URL.
    TokenInQuery "token_in_query" 400 "A token does not belong into a URL";
    /// More than one carrier.
    CarrierConflict "carrier_conflict" 400 "More than one token was shown";
    /// No such app here.
    AppUnknown "app_unknown" 400 "The app is not known";
    /// The user already has as many sessions as the app allows, and the newest yields.
    SessionLimit "session_limit" 403 "The user has too many sessions";
    /// The app is being moved from a session of the back end's own, and this person is on that side still or again.
    NotMoved "not_moved" 403 "This person has not moved to Yaopai";
    /// A client's header has a principal header's name.
    HeaderForged "header_forged" 400 "The request carries a reserved header";
    /// The path could be read in two ways.
    PathUnclean "path_unclean" 400 "The path is ambiguous";
    /// The session's app may not use this route.
    AppNotAllowed "app_not_allowed" 403 "The route is for other apps";
    /// No such resource.
    NotFound "not_found" 404 "There is nothing here";
    /// The resource has other methods.
    MethodNotAllowed "method_not_allowed" 405 "The method is not allowed here";
    /// An API key is missing, wrong or of another realm.
    ApiKeyInvalid "api_key_invalid" 401 "The API key is missing or wrong";
    /// The API key may not do this.
    ScopeMissing "scope_missing" 403 "The API key is not for this";
    /// An idempotency key was sent before, with another request.
    IdempotencyKeyReused "idempotency_key_reused" 422 "The idempotency key was used for another request";
    /// A request with this idempotency key is under way.
    IdempotencyKeyInUse "idempotency_key_in_use" 409 "A request with this idempotency key is under way";
    /// Not a push of the platform's for this app.
    PushRefused "push_refused" 403 "This is no push for this app";
    /// No bind code that this session may redeem.
    BindCodeInvalid "bind_code_invalid" 400 "The bind code is not valid";
    /// We are overloaded or can't reach our store.
    Unavailable "unavailable" 503 "Try again later";
    /// A fault of ours.
    Internal "internal" 500 "Something went wrong on our side";
}

/// The body of a refusal. `detail` says what to do and holds nothing internal and nothing that the client sent.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// A URI reference naming the kind (RFC 9457, section 3.1.1): where `docs/errors.md` is published.
    #[serde(rename = "type")]
    pub kind: String,
    /// The short text.
    pub title: &'static str,
    /// The HTTP status again.
    pub status: u16,
    /// The stable code.
    pub code: &'static str,
    /// What to do.
    pub detail: String,
    /// Which field, where one is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The back end's own words (`binding_rejected` only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Problem {
    /// A problem with its sentence.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:yaopai:error:{}", code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            code: code.as_str(),
            detail: detail.into(),
            field: None,
            message: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_distinct_and_refuse() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{} twice", code.as_str());
            assert!(code.status().is_client_error() || code.status().is_server_error());
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        }
    }
}

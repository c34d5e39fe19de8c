//! Who a signed call about a user's session_key is about, and whether the signature is that key's.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::{call::Call, refusal::Refusal};
use crate::state::{State, Subject};

/// Lower-case hex of HMAC-SHA256. The key is the base64 *text* of the session_key, not the 16 bytes it stands for (the
/// vendor's tutorial has a vector that only the text fulfils); a GET signs the empty message.
pub(crate) fn sign(session_key: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(session_key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(message.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// Checks access_token, openid, sig_method (87008) and signature (87009), in this order (INF). Hex digits of either case
/// pass unless the app says otherwise, because a widespread SDK sends upper case.
pub(crate) fn signed_subject(state: &State, call: &Call) -> Result<Subject, Refusal> {
    let app = call.app_of_token(state)?;
    let openid = call.param("openid").ok_or(Refusal::by_code(40003))?;
    let subject = state.people.by_openid(&app.appid, openid).ok_or(Refusal::by_code(40003))?;
    if call.param("sig_method") != Some("hmac_sha256") {
        return Err(Refusal::by_code(87008));
    }
    let wrong = || Refusal::by_code(87009);
    let shown = call.param("signature").ok_or_else(wrong)?;
    let shown = if app.guesses.lower_case_signatures { shown.to_owned() } else { shown.to_ascii_lowercase() };
    let session_key = state.session_keys.live(&subject, call.now).ok_or_else(wrong)?;
    let right: bool = sign(session_key, "").as_bytes().ct_eq(shown.as_bytes()).into();
    if right { Ok(subject) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::sign;

    #[test]
    fn the_vendors_vector_holds_with_the_text_of_the_key() {
        let key = "o0q0otL8aEzpcZL/FT9WsQ==";
        let vector = "654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b";
        assert_eq!(sign(key, r#"{"foo":"bar"}"#), vector);
    }

    #[test]
    fn the_empty_message_is_signed_alike() {
        let vectors = [
            ("o0q0otL8aEzpcZL/FT9WsQ==", "46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128"),
            ("tiihtNczf5v6AKRyjwEUhQ==", "7154f9f8b4b76b92f541cbf0e37d48840fa06e5e42da92a6f80168a1516a4735"),
        ];
        for (key, vector) in vectors {
            assert_eq!(sign(key, ""), vector);
        }
    }
}

//! How calls about a user's session_key are signed with it.
//!
//! <https://developers.weixin.qq.com/minigame/en/dev/tutorial/open-ability/http-signature.html>

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC-SHA256 in lower-case hex. The key is the session_key's base64 *text*, not the bytes that it encodes.
pub(super) fn signature(session_key: &str, message: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(session_key.as_bytes()).expect("HMAC takes keys of any length");
    hex::encode(mac.chain_update(message).finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn signatures() {
        // The official tutorial of http-signature; the other two were computed by the rule that it proves.
        for (key, message, expected) in [
            (
                "o0q0otL8aEzpcZL/FT9WsQ==",
                r#"{"foo":"bar"}"#,
                "654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b",
            ),
            ("o0q0otL8aEzpcZL/FT9WsQ==", "", "46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128"),
            ("tiihtNczf5v6AKRyjwEUhQ==", "", "7154f9f8b4b76b92f541cbf0e37d48840fa06e5e42da92a6f80168a1516a4735"),
        ] {
            assert_eq!(signature(key, message.as_bytes()), expected);
        }
    }
}

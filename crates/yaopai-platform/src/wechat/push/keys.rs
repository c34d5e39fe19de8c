//! What the operator told WeChat about our end: Token and EncodingAESKey.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use yaopai_core::app::AppSecret;
use zeroize::Zeroizing;

/// 43 characters hold 258 bits. The key's are random, and so are the two that are left over, which a decoder refuses unless
/// it is told not to.
const LOOSE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// What a push is checked and opened with.
pub struct Keys {
    pub(super) appid: String,
    pub(super) token: AppSecret,
    pub(super) aes: Option<Zeroizing<[u8; 32]>>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("appid", &self.appid).finish_non_exhaustive()
    }
}

/// Not what WeChat's console takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// The Token.
    #[error("the Token must be 3 to 32 letters and digits")]
    Token,
    /// The EncodingAESKey.
    #[error("the EncodingAESKey must be 43 letters and digits")]
    EncodingAesKey,
}

impl Keys {
    /// Takes the Token, and the EncodingAESKey if the pushes are encrypted. With a key, a push that isn't is refused.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn new(appid: &str, token: AppSecret, encoding_aes_key: Option<&AppSecret>) -> Result<Self, KeysError> {
        let plain = |s: &str| s.bytes().all(|b| b.is_ascii_alphanumeric());
        if !(3..=32).contains(&token.expose().len()) || !plain(token.expose()) {
            return Err(KeysError::Token);
        }
        let aes = encoding_aes_key.map(|key| decode(key.expose()).ok_or(KeysError::EncodingAesKey)).transpose()?;
        Ok(Self { appid: appid.to_owned(), token, aes })
    }
}

fn decode(key: &str) -> Option<Zeroizing<[u8; 32]>> {
    if key.len() != 43 {
        return None;
    }
    let bytes = Zeroizing::new(LOOSE.decode(key).ok()?);
    let mut array = Zeroizing::new([0; 32]);
    array.copy_from_slice(bytes.get(..32)?);
    Some(array)
}

//! An encrypted message: AES-256-CBC, the IV is the key's first half, PKCS#7 pads to 32 bytes. Inside, 16 random bytes, the
//! message's length in 4 bytes (big-endian), the message, and the appid that it is for.
//!
//! <https://developers.weixin.qq.com/doc/oplatform/developers/dev/push/encryption.md>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::PushError;
use crate::wechat::aes_cbc;

/// What the padding fills up to: the key's length, not the cipher's block.
const BLOCK: u8 = 32;

/// Before the length.
const RANDOM: usize = 16;

/// Opens a message whose signature was checked: only who knows the token learns what an error tells.
pub(super) fn open(key: &[u8; 32], appid: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, PushError> {
    let mut data = Zeroizing::new(STANDARD.decode(sealed).map_err(|_| PushError::CannotDecrypt)?);
    aes_cbc::decrypt::<aes::Aes256>(key, &key[..16], &mut data).map_err(|()| PushError::CannotDecrypt)?;
    let (len, padded) = aes_cbc::unpadded(&data, BLOCK);
    let plain = Some(&data[..len]).filter(|_| padded.into());
    let (message, owner) = plain.and_then(split).ok_or(PushError::CannotDecrypt)?;
    if owner != appid.as_bytes() {
        return Err(PushError::NotOurs);
    }
    Ok(Zeroizing::new(message.to_vec()))
}

/// The message, and whom it is for.
fn split(plain: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = plain.get(RANDOM..)?.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

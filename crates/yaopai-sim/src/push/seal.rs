//! The cryptography of message push ("消息加解密").

use aes::{
    Aes256,
    cipher::{BlockModeEncrypt, KeyIvInit, block_padding::NoPadding},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

/// Padding goes to 32 bytes, though AES has blocks of 16: a stock PKCS#7 decoder refuses a padding of 17 to 32.
const BLOCK: usize = 32;

/// Lower-case hex of SHA-1 over the parts, sorted and joined: `signature` of token, timestamp, nonce; `msg_signature` of these
/// and the encrypted message.
pub(super) fn signature(parts: &[&str]) -> String {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    hex::encode(Sha1::digest(sorted.concat()))
}

/// Base64 of AES-256-CBC over 16 random bytes, the length of the message (4 bytes, big-endian), the message, and the appid. The
/// iv is the first half of the key.
pub(super) fn encrypt(key: &[u8; 32], random: [u8; 16], message: &str, appid: &str) -> String {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut plain = [&random, &length.to_be_bytes()[..], message.as_bytes(), appid.as_bytes()].concat();
    let padding = BLOCK - plain.len() % BLOCK;
    plain.extend(std::iter::repeat_n(padding as u8, padding));
    let mut iv = [0; 16];
    iv.copy_from_slice(&key[..16]);
    let cipher = cbc::Encryptor::<Aes256>::new(key.into(), &iv.into());
    STANDARD.encode(cipher.encrypt_padded_vec::<NoPadding>(&plain))
}

#[cfg(test)]
mod tests {
    use super::signature;

    /// The vendor's own example.
    #[test]
    fn the_vendors_vector_holds() {
        let parts = ["AAAAA", "1714036504", "1514711492"];
        assert_eq!(signature(&parts), "f464b24fc39322e44b38aa78f5edd27bd1441696");
    }
}

//! The text of a bind code: `yb_` and 128 random bits in base64url. It goes into a QR code, through a person's hands, and is
//! kept nowhere: a store knows its hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::ports::{BindCodeHash, Entropy};

const PREFIX: &str = "yb_";

/// A new code, and its hash.
pub fn mint(entropy: &dyn Entropy) -> (Zeroizing<String>, BindCodeHash) {
    let mut bits = Zeroizing::new([0u8; 16]);
    entropy.fill(&mut bits[..]);
    let text = Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&bits[..])));
    (text, hash(&bits))
}

/// The hash of a code that was shown; `None` if it can't be one of ours.
pub fn hash_of(text: &str) -> Option<BindCodeHash> {
    let bits = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?);
    let bits: &[u8; 16] = bits.as_slice().try_into().ok()?;
    Some(hash(bits))
}

/// 128 random bits need no salt and no stretching.
fn hash(bits: &[u8; 16]) -> BindCodeHash {
    Sha256::new().chain_update(b"bind code\0").chain_update(bits).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(7);
        }
    }

    #[test]
    fn one_spelling_only() {
        let (text, hash) = mint(&Sevens);
        assert_eq!((text.len(), hash_of(&text)), (25, Some(hash)));
        let longer = format!("{}A", *text);
        // The last character carries two bits more than there are: any other spelling of them is none of ours.
        let respelt = format!("{}x", &text[..24]);
        for junk in ["", "yb_", &text[3..], &text[..24], &longer, &respelt, &text.to_uppercase()] {
            assert_eq!(hash_of(junk), None, "{junk}");
        }
    }
}

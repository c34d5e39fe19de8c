//! The file that a database is moved by: only who has the master key can have made it.

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::seal::{MasterKey, hmac};

/// What such a file is sealed with. Another key than any that opens or signs something else.
pub struct FileKey(Zeroizing<[u8; 32]>);

impl FileKey {
    /// That of this master key.
    pub fn of(master: &MasterKey) -> Self {
        Self(master.derive("yaopai house file"))
    }

    /// Which one it is, in hexadecimal digits: two master keys have different ones. Says nothing of the key.
    pub fn name(&self) -> String {
        hex::encode(&hmac(&self.0[..], &[b"name"])[..8])
    }

    /// What a file with this digest over all of it is sealed by, in hexadecimal digits.
    pub fn seal(&self, digest: &[u8]) -> String {
        hex::encode(hmac(&self.0[..], &[b"file", digest]))
    }

    /// Is it? Takes as long wherever the two differ.
    pub fn has_sealed(&self, digest: &[u8], seal: &str) -> bool {
        self.seal(digest).as_bytes().ct_eq(seal.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_of_one_key_and_one_digest() {
        let key = |byte: &str| FileKey::of(&MasterKey::parse(&byte.repeat(32)).unwrap());
        let (mine, other) = (key("5a"), key("5b"));
        let seal = mine.seal(b"digest");
        assert!(mine.has_sealed(b"digest", &seal));
        assert!(!mine.has_sealed(b"digesT", &seal) && !other.has_sealed(b"digest", &seal));
        for wrong in ["", &seal[1..], &format!("{seal}0"), &seal.to_uppercase()] {
            assert!(!mine.has_sealed(b"digest", wrong), "{wrong}");
        }
        assert_ne!(mine.name(), other.name());
        assert!(!seal.starts_with(&mine.name()));
    }
}

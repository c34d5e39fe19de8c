//! `Content-Digest` (RFC 9530, section 2): what the body of a request must be. A signature covers this field, and whoever
//! reads the body checks it against this.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sfv::visitor::{DictionaryVisitor, EntryVisitor, Ignored, InnerListVisitor, ItemVisitor, parameter_visitor_with};
use sfv::{BareItemFromInput, KeyRef, Parser};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::fields::Fields;

/// The field's name.
pub const CONTENT_DIGEST: &str = "content-digest";
/// The one algorithm that counts (RFC 9530, section 7.2). Members of other algorithms are ignored, as it asks for.
const SHA_256: &str = "sha-256";

/// The SHA-256 of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentDigest(pub [u8; 32]);

/// Why a `Content-Digest` is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotADigest {
    /// Two fields, or two digests of the same algorithm: two readers might take one each.
    #[error("Content-Digest is there more than once")]
    Doubled,
    /// It isn't a dictionary of byte sequences, or there is no `sha-256` of 32 bytes in it.
    #[error("Content-Digest has no sha-256 of 32 bytes")]
    Malformed,
}

impl ContentDigest {
    /// Of a body.
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }

    /// What a request says of its body. `None`: nothing.
    ///
    /// # Errors
    /// [`NotADigest`]
    pub fn read(fields: &impl Fields) -> Result<Option<Self>, NotADigest> {
        let mut values = fields.named(CONTENT_DIGEST.as_bytes());
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(NotADigest::Doubled);
        }
        let mut found = Found::default();
        Parser::new(value).parse_dictionary_with_visitor(&mut found).map_err(|_| NotADigest::Malformed)?;
        match (found.count, found.digest) {
            (1, Some(digest)) => Ok(Some(Self(digest))),
            (0 | 1, _) => Err(NotADigest::Malformed),
            _ => Err(NotADigest::Doubled),
        }
    }

    /// The field's value.
    pub fn value(&self) -> String {
        format!("{SHA_256}=:{}:", STANDARD.encode(self.0))
    }

    /// Is it the digest of what was read? `read` is the SHA-256 of all of the body.
    pub fn matches(&self, read: &[u8; 32]) -> bool {
        self.0.ct_eq(read).into()
    }
}

#[derive(Default)]
struct Found {
    count: usize,
    digest: Option<[u8; 32]>,
}

impl<'de> DictionaryVisitor<'de> for &mut Found {
    type Out = ();
    type Error = std::convert::Infallible;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Self::Error> {
        // Each time, not only the last: for the structured field the last one counts, for another reader perhaps the first.
        Ok((key.as_str() == SHA_256).then(|| {
            self.count += 1;
            self.digest = None;
            Digest(&mut self.digest)
        }))
    }

    fn finish(self) -> Result<(), Self::Error> {
        Ok(())
    }
}

struct Digest<'f>(&'f mut Option<[u8; 32]>);

impl<'de> EntryVisitor<'de> for Digest<'_> {
    type Error = std::convert::Infallible;

    fn item(self) -> Result<impl ItemVisitor<'de>, Self::Error> {
        let into = self.0;
        Ok(move |item: BareItemFromInput<'de>| -> Result<_, std::convert::Infallible> {
            if let BareItemFromInput::ByteSequence(bytes) = item {
                *into = bytes.try_into().ok();
            }
            Ok(parameter_visitor_with(Ignored, |()| Ok::<(), std::convert::Infallible>(())))
        })
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Self::Error> {
        Ok(Ignored)
    }
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;

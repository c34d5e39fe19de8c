//! The name of a TLS connection that SCRAM binds itself to, `tls-server-end-point` (RFC 5929, section 4.1): a digest of the server's
//! certificate. Whoever stands between us and the server has another certificate, so a password's proof is worth nothing to him.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// The digest, by the hash that the certificate was signed with, or SHA-256 in the place of weaker ones. `None` where RFC 5929 names
/// none (Ed25519) or the hash stands elsewhere (RSASSA-PSS).
pub(super) fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OID, … }, … } (RFC 5280, section 4.1)
    let (inside, _) = element(certificate, 0x30)?;
    let (_, after) = element(inside, 0x30)?;
    let (algorithm, _) = element(after, 0x30)?;
    let (oid, _) = element(algorithm, 0x06)?;
    let rsa = |kind| oid == [RSA, &[kind]].concat();
    let ecdsa = |kind: &[u8]| oid == [ECDSA, kind].concat();
    if rsa(4) || rsa(5) || rsa(11) || ecdsa(&[1]) || ecdsa(&[3, 2]) {
        Some(Sha256::digest(certificate).to_vec())
    } else if rsa(12) || ecdsa(&[3, 3]) {
        Some(Sha384::digest(certificate).to_vec())
    } else if rsa(13) || ecdsa(&[3, 4]) {
        Some(Sha512::digest(certificate).to_vec())
    } else {
        None
    }
}

/// 1.2.840.113549.1.1 (RFC 8017): 4 is MD5 with RSA, 5 SHA-1, 11 SHA-256, 12 SHA-384, 13 SHA-512.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];

/// 1.2.840.10045.4 (RFC 5758): 1 is ECDSA with SHA-1, 3.2 with SHA-256, 3.3 with SHA-384, 3.4 with SHA-512.
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];

/// What a DER element of this tag holds, and what comes after it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |len, digit| len << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82, len[0], len[1]], content].concat()
    }

    fn certificate(oid: &[u8]) -> Vec<u8> {
        let algorithm = der(0x30, &[der(6, oid), vec![5, 0]].concat());
        der(0x30, &[der(0x30, &[7; 300]), algorithm, der(3, &[0; 64])].concat())
    }

    #[test]
    fn by_the_hash_of_the_signature() {
        let len = |prefix: &[u8], kind: &[u8]| end_point(&certificate(&[prefix, kind].concat())).map(|hash| hash.len());
        for (kind, expected) in
            [(4, Some(32)), (5, Some(32)), (11, Some(32)), (12, Some(48)), (13, Some(64)), (10, None)]
        {
            assert_eq!(len(RSA, &[kind]), expected, "{kind}");
        }
        let ecdsa: [(&[u8], _); 5] =
            [(&[1], Some(32)), (&[3, 2], Some(32)), (&[3, 3], Some(48)), (&[3, 4], Some(64)), (&[3, 1], None)];
        for (kind, expected) in ecdsa {
            assert_eq!(len(ECDSA, kind), expected, "{kind:?}");
        }
        assert_eq!(end_point(&certificate(&[0x2b, 0x65, 0x70])), None, "Ed25519");
    }

    #[test]
    fn anything_else_is_none() {
        let whole = certificate(&[RSA, &[11]].concat());
        for end in 0..whole.len() {
            assert_eq!(end_point(&whole[..end]), None, "{end}");
        }
        for junk in [&[0x30, 0x85, 1, 1, 1, 1, 1][..], &[0x30, 0x84, 255, 255, 255, 255], &[0x30, 0x80], &[0x31, 0]] {
            assert_eq!(end_point(junk), None);
        }
    }
}

//! A proof has one meaning: what is read is written again in one way, which reads as the same; and nobody's signature verifies.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use yaopai_wire::original::Original;
use yaopai_wire::signature::{Key, Needs, NotAProof, Proof, SIGNATURE, SIGNATURE_INPUT};

fn fields(input: &[u8], signature: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static(SIGNATURE_INPUT), HeaderValue::from_bytes(input).ok()?);
    headers.insert(HeaderName::from_static(SIGNATURE), HeaderValue::from_bytes(signature).ok()?);
    headers.insert("authorization", HeaderValue::from_static("Bearer yp1_token"));
    headers.insert("content-digest", HeaderValue::from_static("sha-256=:AA==:"));
    Some(headers)
}

// `Signature-Input`, a line feed, `Signature`.
fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    let (input, signature) = (&bytes[..at], bytes.get(at + 1..).unwrap_or_default());
    let Some(headers) = fields(input, signature) else { return };
    let Ok(Some(proof)) = Proof::read(&headers) else { return };
    let label = input.split(|b| *b == b'=').next().unwrap_or_default().trim_ascii();
    let again = [label, b"=", proof.signature_params().as_bytes()].concat();
    let again = fields(&again, signature).expect("what was read is a header");
    let again = Proof::read(&again).expect("it reads again").expect("it is there");
    assert_eq!(again.signature_params(), proof.signature_params());
    assert_eq!((again.created, again.nonce, again.key_id), (proof.created, proof.nonce, proof.key_id));
    let original = Original::new("POST", "https", "h", "/a?b").expect("a request");
    for authorization in [true, false] {
        let needs = Needs { authorization, unsigned_body: false };
        let verified = proof.verify(Key::HmacSha256(&[7; 32]), &original, &headers, needs);
        assert!(matches!(
            verified,
            Err(NotAProof::DoesNotVerify
                | NotAProof::OtherAlgorithm
                | NotAProof::NotCovered(_)
                | NotAProof::WrongComponent)
        ));
    }
});

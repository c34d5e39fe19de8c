mod attacks;
mod canonical;
mod rfc;
mod usual;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::digest::{CONTENT_DIGEST, ContentDigest};
use crate::original::Original;

const KEY: [u8; 32] = [7; 32];
const NONCE: &str = "bm9uY2UgbnVtYmVyIG9uZQ";
const SESSION: &str = "01939f2e-5c00-7abc-8def-0123456789ab";
const NEEDS: Needs = Needs { authorization: true, unsigned_body: false };

fn params() -> Params<'static> {
    Params { created: 1_764_230_400, nonce: NONCE, key_id: SESSION }
}

fn fields(pairs: &[(&str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&str, &str)| {
        (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    pairs.iter().map(field).collect()
}

/// An order with a body, and what its phone sends along.
#[derive(Debug)]
struct Request {
    method: &'static str,
    uri: String,
    host: String,
    fields: Vec<(&'static str, String)>,
}

impl Request {
    fn order() -> Self {
        let digest = ContentDigest::of(b"{\"tea\":1}").value();
        Self {
            method: "POST",
            uri: "/orders?from=shop".into(),
            host: "api.example.com".into(),
            fields: vec![("authorization", "Bearer yp1_token".into()), (CONTENT_DIGEST, digest)],
        }
    }

    fn headers(&self) -> HeaderMap {
        fields(&self.fields.iter().map(|(n, v)| (*n, v.as_str())).collect::<Vec<_>>())
    }

    fn original(&self) -> Original<'_> {
        Original::new(self.method, "https", &self.host, &self.uri).unwrap()
    }

    fn signed(mut self) -> Self {
        let signed = sign(Key::HmacSha256(&KEY), &self.original(), &self.headers(), NEEDS, params()).unwrap();
        self.fields.push((SIGNATURE_INPUT, signed.input));
        self.fields.push((SIGNATURE, signed.signature));
        self
    }

    /// The same with this field changed.
    fn with(mut self, name: &str, change: impl FnOnce(&str) -> String) -> Self {
        let field = self.fields.iter_mut().find(|(n, _)| *n == name).unwrap();
        field.1 = change(&field.1);
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(n, _)| *n != name);
        self
    }

    fn verify(&self) -> Result<(), NotAProof> {
        self.verify_by(Key::HmacSha256(&KEY), NEEDS)
    }

    fn verify_by(&self, key: Key<'_>, needs: Needs) -> Result<(), NotAProof> {
        let headers = self.headers();
        Proof::read(&headers)?.expect("a proof").verify(key, &self.original(), &headers, needs)
    }
}

#[test]
fn a_signed_request_verifies() {
    let request = Request::order().signed();
    assert_eq!(request.verify(), Ok(()));
    let headers = request.headers();
    let proof = Proof::read(&headers).unwrap().unwrap();
    assert_eq!((proof.created, proof.nonce, proof.key_id), (1_764_230_400, NONCE, SESSION));
    assert!(proof.signs_body());
    assert_eq!(
        request.fields[2].1,
        format!(
            "yaopai=(\"@method\" \"@authority\" \"@path\" \"@query\" \"authorization\" \"content-digest\")\
             ;created=1764230400;nonce=\"{NONCE}\";keyid=\"{SESSION}\";alg=\"hmac-sha256\";tag=\"yaopai\""
        )
    );
}

#[test]
fn a_request_without_a_proof_has_none() {
    assert!(matches!(Proof::read(&Request::order().headers()), Ok(None)));
}

/// Half a proof too: that it is one half is for the reader to find.
#[test]
fn what_shows_a_proof_is_kept_with_all_that_it_covers() {
    let request = Request::order().signed();
    let kept = Kept::of(&request.original(), &request.headers(), NEEDS).unwrap();
    let proof = Proof::read(&kept).unwrap().unwrap();
    assert_eq!(proof.verify(Key::HmacSha256(&KEY), &kept.original(), &kept, kept.needs()), Ok(()));
    assert_eq!(format!("{kept:?}"), "Kept(…)");
    for without in [SIGNATURE, SIGNATURE_INPUT, "authorization"] {
        let request = Request::order().signed().without(without);
        assert!(Kept::of(&request.original(), &request.headers(), NEEDS).is_some(), "{without}");
    }
    let unsigned = Request::order();
    assert!(Kept::of(&unsigned.original(), &unsigned.headers(), NEEDS).is_none());
}

#[test]
fn reads_need_no_digest() {
    let mut request = Request::order().without(CONTENT_DIGEST);
    request.method = "GET";
    request = request.signed();
    assert!(!request.fields[1].1.contains("content-digest"));
    assert_eq!(request.verify(), Ok(()));
    assert!(!Proof::read(&request.headers()).unwrap().unwrap().signs_body());
}

#[test]
fn an_input_has_so_many_bytes_and_no_more() {
    let signed = Request::order().signed();
    let padded = |length: usize| {
        let pad = |input: &str| input.replacen('(', &format!("({}", " ".repeat(length - input.len())), 1);
        Request { fields: signed.fields.clone(), ..Request::order() }.with(SIGNATURE_INPUT, pad)
    };
    assert_eq!(padded(INPUT_MAX).verify(), Ok(()));
    assert_eq!(padded(INPUT_MAX + 1).verify(), Err(NotAProof::TooLong(SIGNATURE_INPUT)));
}

/// White space and the order of the parameters are the client's choice; the base has one form of the first and keeps the second.
#[test]
fn any_order_and_white_space() {
    let request = Request::order();
    let input = format!(
        "sig1=(  \"content-digest\"  \"@query\" \"authorization\" \"@path\" \"@method\" \"@authority\" ); tag=\"yaopai\";  \
         keyid=\"{SESSION}\"; alg=\"hmac-sha256\"; nonce=\"{NONCE}\"; created=1764230400"
    );
    let base = format!(
        "\"content-digest\": {}\n\"@query\": ?from=shop\n\"authorization\": Bearer yp1_token\n\"@path\": /orders\n\
         \"@method\": POST\n\"@authority\": api.example.com\n\"@signature-params\": (\"content-digest\" \"@query\" \
         \"authorization\" \"@path\" \"@method\" \"@authority\");tag=\"yaopai\";keyid=\"{SESSION}\";alg=\"hmac-sha256\";\
         nonce=\"{NONCE}\";created=1764230400",
        request.fields[1].1
    );
    let mut request = request;
    request.fields.push((SIGNATURE_INPUT, input));
    request.fields.push((SIGNATURE, format!("sig1=:{}:", rfc::mac(&KEY, &base))));
    assert_eq!(request.verify(), Ok(()));
}

//! No two different requests have the same signature base.

use proptest::prelude::*;

use super::*;

fn refused(host: &str, uri: &str) -> Option<NotAProof> {
    let request = Request { host: host.into(), uri: uri.into(), ..Request::order() };
    sign(Key::HmacSha256(&KEY), &request.original(), &request.headers(), NEEDS, params()).err()
}

#[test]
fn what_can_be_written_in_two_ways_is_refused() {
    for host in ["Api.example.com", "api.example.com:443", "api.example.com:"] {
        assert_eq!(refused(host, "/"), Some(NotAProof::NotCanonical("host")), "{host}");
    }
    assert_eq!(refused("h", "/?"), Some(NotAProof::NotCanonical("query")));
    assert_eq!(refused("h", "/茶"), Some(NotAProof::NotCanonical("path")));
    assert_eq!(refused("h", "/?茶"), Some(NotAProof::NotCanonical("query")));
    for (host, uri) in [("h.", "/"), ("h:8443", "/"), ("[::1]:80", "/a//b/../c;d?x=1?&&"), ("h", "/%E8%8C%B6")] {
        assert_eq!(refused(host, uri), None, "{host}{uri}");
    }
    let http = Request::order();
    let original = |host| Original::new("GET", "http", host, "/").unwrap();
    let sign = |host| sign(Key::HmacSha256(&KEY), &original(host), &http.headers(), NEEDS, params()).err();
    assert_eq!((sign("h:80"), sign("h:443")), (Some(NotAProof::NotCanonical("host")), None));
}

#[test]
fn a_value_of_a_field_is_one_line_of_ascii() {
    for value in ["Bearer t\u{e9}", "Bearer\tt"] {
        let request = Request::order().with("authorization", |_| value.into());
        let signed = sign(Key::HmacSha256(&KEY), &request.original(), &request.headers(), NEEDS, params());
        assert_eq!(signed, Err(NotAProof::NotCanonical("authorization")), "{value}");
    }
}

prop_compose! {
    fn request()(
        method in prop::sample::select(vec!["GET", "POST", "PUT", "get", "HEAD"]),
        host in "[a-cA-C.:0-9]{1,5}",
        path in "/[a-b/.%2fF;?&=]{0,6}",
        token in "[ab\\t \"]{0,4}",
        body in any::<[u8; 1]>(),
        has_digest in any::<bool>(),
    ) -> Request {
        let mut fields = vec![("authorization", format!("Bearer {token}"))];
        if has_digest {
            fields.push((CONTENT_DIGEST, ContentDigest::of(&body).value()));
        }
        Request { method, uri: path, host, fields }
    }
}

/// What is covered of a request, as it came. The value of a field ends before the white space after it, for every reader of HTTP.
fn covered(r: &Request) -> (String, String, String, Vec<String>) {
    let trimmed = r.fields.iter().map(|(_, v)| v.trim().to_owned()).collect();
    (r.method.to_owned(), r.host.clone(), r.uri.clone(), trimmed)
}

fn base(r: &Request) -> Option<String> {
    let headers = r.headers();
    let signed = sign(Key::HmacSha256(&KEY), &r.original(), &headers, NEEDS, params()).ok()?;
    Some(signed.signature)
}

proptest! {
    /// A signature is one to one with its base: the key is the same.
    #[test]
    fn different_requests_have_different_bases(a in request(), b in request()) {
        if let (Some(one), Some(other)) = (base(&a), base(&b)) {
            prop_assert_eq!(one == other, covered(&a) == covered(&b), "{:?} {:?}", covered(&a), covered(&b));
        }
    }

    #[test]
    fn what_is_signed_verifies(r in request()) {
        if base(&r).is_some() {
            prop_assert_eq!(r.signed().verify(), Ok(()));
        }
    }

    #[test]
    fn anything_is_read_without_a_panic(input in "[ -~]{0,200}", signature in "[ -~]{0,80}") {
        let headers = fields(&[(SIGNATURE_INPUT, &input), (SIGNATURE, &signature)]);
        let _ = Proof::read(&headers);
    }

    /// One byte of the fields changed, anywhere: it is refused, or means the same.
    #[test]
    fn one_byte_changed(at in any::<prop::sample::Index>(), byte in b' '..=b'~', which in any::<bool>()) {
        let name = if which { SIGNATURE_INPUT } else { SIGNATURE };
        let request = Request::order().signed();
        let change = |v: &str| {
            let mut bytes = v.as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            String::from_utf8(bytes).unwrap()
        };
        let before = request.fields.clone();
        let changed = request.with(name, change);
        let means_the_same = before == changed.fields || {
            let headers = changed.headers();
            // White space for white space, and the last bits of base64 that stand for nothing.
            Proof::read(&headers).ok().flatten().is_some_and(|p| {
                let of_before = fields(&before.iter().map(|(n, v)| (*n, v.as_str())).collect::<Vec<_>>());
                let was = Proof::read(&of_before).unwrap().unwrap();
                p.signature == was.signature && p.signature_params() == was.signature_params()
            })
        };
        prop_assert_eq!(changed.verify().is_ok(), means_the_same);
    }
}

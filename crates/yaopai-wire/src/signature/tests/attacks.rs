//! Signatures moved elsewhere, taken apart and put together again.

use super::*;

/// A signature of one request, at another.
#[test]
fn at_another_request() {
    let other_body = ContentDigest::of(b"{\"tea\":9}").value();
    for (method, host, uri) in [
        ("PUT", "api.example.com", "/orders?from=shop"),
        ("post", "api.example.com", "/orders?from=shop"),
        ("POST", "api.example.org", "/orders?from=shop"),
        ("POST", "api.example.com", "/order?from=shop"),
        ("POST", "api.example.com", "/orders/?from=shop"),
        ("POST", "api.example.com", "/%6frders?from=shop"),
        ("POST", "api.example.com", "/orders?from=shop&x"),
        ("POST", "api.example.com", "/orders"),
    ] {
        let request = Request { method, host: host.into(), uri: uri.into(), ..Request::order().signed() };
        assert_eq!(request.verify(), Err(NotAProof::DoesNotVerify), "{method} {host} {uri}");
    }
    for (what, name, value) in
        [("body", CONTENT_DIGEST, other_body), ("token", "authorization", "Bearer yp1_other".to_owned())]
    {
        let request = Request::order().signed().with(name, |_| value);
        assert_eq!(request.verify(), Err(NotAProof::DoesNotVerify), "{what}");
    }
}

#[test]
fn with_other_parameters() {
    for (from, to) in [
        ("created=1764230400", "created=1764230401"),
        (NONCE, "bm9uY2UgbnVtYmVyIHR3bw"),
        (SESSION, "01939f2e-5c00-7abc-8def-0123456789ac"),
    ] {
        let request = Request::order().signed().with(SIGNATURE_INPUT, |i| i.replace(from, to));
        assert_eq!(request.verify(), Err(NotAProof::DoesNotVerify), "{to}");
    }
    let swapped =
        Request::order().signed().with(SIGNATURE_INPUT, |i| i.replace("\"@path\" \"@query\"", "\"@query\" \"@path\""));
    assert_eq!(swapped.verify(), Err(NotAProof::DoesNotVerify));
}

#[test]
fn with_another_key() {
    assert_eq!(Request::order().signed().verify_by(Key::HmacSha256(&[8; 32]), NEEDS), Err(NotAProof::DoesNotVerify));
}

#[test]
fn with_another_algorithm() {
    for alg in ["none", "ed25519", "hmac-sha512", "HMAC-SHA256", ""] {
        let request = Request::order().signed().with(SIGNATURE_INPUT, |i| i.replace("hmac-sha256", alg));
        let wanted = if alg.is_empty() { NotAProof::WrongParameter } else { NotAProof::OtherAlgorithm };
        assert_eq!(request.verify(), Err(wanted), "{alg}");
    }
}

/// Every component and parameter dropped, doubled, renamed.
#[test]
fn components_dropped_and_doubled() {
    for component in Component::ALL {
        let (name, quoted) = (component.name(), format!("\"{}\"", component.name()));
        let dropped = |i: &str| i.replace(&format!("{quoted} "), "").replace(&format!(" {quoted}"), "");
        let request = Request::order().signed().with(SIGNATURE_INPUT, dropped);
        assert_eq!(request.verify(), Err(NotAProof::NotCovered(name)), "{name}");
        for again in
            [format!("{quoted} {quoted}"), format!("{quoted};sf"), format!("{quoted};req"), quoted.to_uppercase()]
        {
            let request = Request::order().signed().with(SIGNATURE_INPUT, |i| i.replace(&quoted, &again));
            assert_eq!(request.verify(), Err(NotAProof::WrongComponent), "{again}");
        }
    }
    for other in ["@target-uri", "@scheme", "@request-target", "@status", "@signature-params", "cookie", ""] {
        let request = Request::order().signed().with(SIGNATURE_INPUT, |i| i.replace("(", &format!("(\"{other}\" ")));
        assert_eq!(request.verify(), Err(NotAProof::WrongComponent), "{other}");
    }
}

#[test]
fn parameters_dropped_doubled_and_odd() {
    let with = |from: &str, to: &str| Request::order().signed().with(SIGNATURE_INPUT, |i| i.replace(from, to)).verify();
    let nonce = format!(";nonce=\"{NONCE}\"");
    for (param, text) in [
        ("created", ";created=1764230400"),
        ("nonce", nonce.as_str()),
        ("keyid", &format!(";keyid=\"{SESSION}\"")),
        ("alg", ";alg=\"hmac-sha256\""),
        ("tag", ";tag=\"yaopai\""),
    ] {
        assert_eq!(with(text, ""), Err(NotAProof::NoParameter(param)));
        assert_eq!(with(text, &format!("{text}{text}")), Err(NotAProof::WrongParameter), "{param} twice");
    }
    for (from, to) in [
        (";tag=\"yaopai\"", ";tag=\"other\""),
        (";tag=\"yaopai\"", ";tag=yaopai"),
        (";created", ";expires=1764230460;created"),
        (";created=1764230400", ";created=-1"),
        (";created=1764230400", ";created=1764230400.5"),
        (";created=1764230400", ";created=\"1764230400\""),
        (";created=1764230400", ";created=@1764230400"),
        (NONCE, "short"),
        (NONCE, "a nonce with spaces in it"),
        (NONCE, "bm9uY2UgbnVtYmVyIG9uZ\\\""),
        (SESSION, ""),
    ] {
        assert_eq!(with(from, to), Err(NotAProof::WrongParameter), "{to}");
    }
    assert_eq!(with(NONCE, &"a".repeat(65)), Err(NotAProof::WrongParameter));
}

#[test]
fn two_signatures() {
    let double = |name: &'static str| {
        let mut request = Request::order().signed();
        let (_, value) = request.fields.iter().find(|(n, _)| *n == name).unwrap().clone();
        request.fields.push((name, value));
        request.verify()
    };
    let member =
        |name: &str| Request::order().signed().with(name, |v| format!("{v}, {}", v.replacen("yaopai=", "b=", 1)));
    let same = |name: &str| Request::order().signed().with(name, |v| format!("{v}, {v}"));
    for name in [SIGNATURE_INPUT, SIGNATURE] {
        assert_eq!(double(name), Err(NotAProof::Doubled(name)));
        assert_eq!(member(name).verify(), Err(NotAProof::Doubled(name)));
        assert_eq!(same(name).verify(), Err(NotAProof::Doubled(name)));
        let other = if name == SIGNATURE { SIGNATURE_INPUT } else { SIGNATURE };
        assert_eq!(Request::order().signed().without(name).verify(), Err(NotAProof::Missing(name)), "{other}");
    }
    let label = Request::order().signed().with(SIGNATURE, |v| v.replacen("yaopai=", "b=", 1));
    assert_eq!(label.verify(), Err(NotAProof::OtherLabel));
}

#[test]
fn fields_that_are_none() {
    for input in ["", "yaopai", "yaopai=1", "yaopai=()", "=(", "yaopai=(@method)", "yaopai=(\"@method\"", "\u{7f}"] {
        let headers = fields(&[(SIGNATURE_INPUT, "x"), (SIGNATURE, "yaopai=:AA==:")]);
        assert!(Proof::read(&headers).is_err());
        if let Ok(value) = HeaderValue::from_str(input) {
            let mut headers = Request::order().signed().headers();
            headers.insert(SIGNATURE_INPUT, value);
            assert!(Proof::read(&headers).is_err(), "{input}");
        }
    }
    for signature in ["", "yaopai", "yaopai=1", "yaopai=:AA==:", "yaopai=(:AA==:)", "yaopai=\"x\""] {
        let request = Request::order().signed().with(SIGNATURE, |_| signature.into());
        assert!(request.verify().is_err(), "{signature}");
    }
    let params = Request::order().signed().with(SIGNATURE, |v| format!("{v};x"));
    assert_eq!(params.verify(), Err(NotAProof::Malformed(SIGNATURE)));
    let long = Request::order().signed().with(SIGNATURE_INPUT, |v| format!("{v}{}", " ".repeat(INPUT_MAX)));
    assert_eq!(long.verify(), Err(NotAProof::TooLong(SIGNATURE_INPUT)));
}

/// What is not to be covered may not be, and what is there has to be.
#[test]
fn what_the_route_asks() {
    let signed = Request::order().signed();
    let other_carrier = Needs { authorization: false, ..NEEDS };
    assert_eq!(signed.verify_by(Key::HmacSha256(&KEY), other_carrier), Err(NotAProof::WrongComponent));
    // A file upload: without a digest, or with one that is covered.
    let upload = Needs { unsigned_body: true, ..NEEDS };
    assert_eq!(signed.verify_by(Key::HmacSha256(&KEY), upload), Ok(()));
    let mut bare = Request::order().without(CONTENT_DIGEST);
    let proof = sign(Key::HmacSha256(&KEY), &bare.original(), &bare.headers(), upload, params()).unwrap();
    bare.fields.extend([(SIGNATURE_INPUT, proof.input), (SIGNATURE, proof.signature)]);
    assert_eq!(bare.verify_by(Key::HmacSha256(&KEY), upload), Ok(()));
    assert_eq!(bare.verify(), Err(NotAProof::NotCovered("content-digest")));
    bare.fields.push((CONTENT_DIGEST, ContentDigest::of(b"put in").value()));
    assert_eq!(bare.verify_by(Key::HmacSha256(&KEY), upload), Err(NotAProof::NotCovered("content-digest")));
    // A digest is covered and is not there; there are two of what is covered.
    assert_eq!(Request::order().signed().without(CONTENT_DIGEST).verify(), Err(NotAProof::Missing("content-digest")));
    for name in ["authorization", CONTENT_DIGEST] {
        let mut request = Request::order().signed();
        request.fields.push((name, "other".into()));
        assert_eq!(request.verify(), Err(NotAProof::Doubled(name)));
    }
}

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

fn fields(values: &[&str]) -> HeaderMap {
    let name = HeaderName::from_static(CONTENT_DIGEST);
    values.iter().map(|v| (name.clone(), HeaderValue::from_str(v).unwrap())).collect()
}

fn read(values: &[&str]) -> Result<Option<ContentDigest>, NotADigest> {
    ContentDigest::read(&fields(values))
}

/// RFC 9530, appendix B.1 (a body of a JSON object and a line feed).
#[test]
fn the_rfc_s_example() {
    let value = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    let digest = ContentDigest::of(b"{\"hello\": \"world\"}\n");
    assert_eq!(digest.value(), value);
    assert_eq!(read(&[value]), Ok(Some(digest)));
}

/// RFC 9421, appendix B.2 has a sha-512: no digest for us, and no error of the syntax's.
#[test]
fn other_algorithms_do_not_count() {
    let other = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
    assert_eq!(read(&[other]), Err(NotADigest::Malformed));
    let ours = ContentDigest::of(b"x");
    assert_eq!(read(&[&format!("{other}, {}", ours.value())]), Ok(Some(ours)));
}

#[test]
fn none_and_empty() {
    assert_eq!(read(&[]), Ok(None));
    assert_eq!(read(&[""]), Err(NotADigest::Malformed));
    let empty = ContentDigest::of(b"").value();
    assert_eq!(empty, "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
}

#[test]
fn two_are_refused() {
    let (a, b) = (ContentDigest::of(b"a").value(), ContentDigest::of(b"b").value());
    assert_eq!(read(&[&a, &b]), Err(NotADigest::Doubled));
    assert_eq!(read(&[&a, &a]), Err(NotADigest::Doubled));
    assert_eq!(read(&[&format!("{a}, {b}")]), Err(NotADigest::Doubled));
    assert_eq!(read(&[&format!("sha-256=1, {b}")]), Err(NotADigest::Doubled));
}

#[test]
fn what_is_none() {
    for wrong in ["sha-256", "sha-256=1", "sha-256=:AAAA:", "sha-256=(:AAAA:)", "sha-256=\"x\"", "SHA-256=:AAAA:", "="]
    {
        assert_eq!(read(&[wrong]), Err(NotADigest::Malformed), "{wrong}");
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back(body in any::<Vec<u8>>()) {
        let digest = ContentDigest::of(&body);
        prop_assert_eq!(read(&[&digest.value()]), Ok(Some(digest)));
        prop_assert!(digest.matches(&Sha256::digest(&body).into()));
        prop_assert!(!digest.matches(&Sha256::digest([&body[..], b"x"].concat()).into()));
    }

    #[test]
    fn anything_is_read_without_a_panic(value in "[ -~]{0,80}") {
        let _ = read(&[&value]);
    }
}

//! A token has one spelling: what parses is written again as the same text, and with a byte changed it is none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yaopai_wire::token::{LENGTH, Secret, Token};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(token) = Token::parse(bytes) {
        assert_eq!(token.reveal().as_bytes(), bytes);
    }
    // A checksum is nothing that a fuzzer guesses: the same bytes as an id, a secret and a change.
    let Some((id, rest)) = bytes.split_first_chunk::<16>() else { return };
    let Some((secret, rest)) = rest.split_first_chunk::<32>() else { return };
    let text = Token { id: *id, secret: Secret::new(*secret) }.reveal();
    let again = Token::parse(text.as_bytes()).expect("our own token");
    assert_eq!((again.id, again.secret.expose()), (*id, secret));
    if let [at, to, ..] = rest {
        let (mut other, at) = (text.clone().into_bytes(), usize::from(*at) % LENGTH);
        other[at] = *to;
        assert_eq!(Token::parse(&other).is_ok(), other == text.as_bytes());
    }
});

//! A back end's Set-Cookie line: whatever it says, what is made of it is one field of a request, bounded, of that host's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yaopai_core::jar::{From, LIFE_MAX, Origin, To, header, read};
use yaopai_core::time::Timestamp;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fuzz_target!(|bytes: &[u8]| {
    let at = |host, path| Origin::new(host, path).expect("a host");
    let here = at("api.shop.example", "/a/b");
    for from in [From::Answer(&here, "shop"), From::Webhook] {
        let Some(set) = read(bytes, from, NOW) else { continue };
        assert!(set.expires_at.is_none_or(|at| at <= NOW + LIFE_MAX));
        if let Some(field) = header([&set.cookie], To::BackEnd(&here), |_| {}) {
            assert!(field.len() <= bytes.len() && !field.contains(';'));
            assert!(!field.chars().any(|c| c.is_control() && c != '\t'));
        }
        if matches!(from, From::Answer(..)) {
            let strangers = ["bank.example", "example", "10.0.0.7", "opshop.example", "x.shop.example.org"];
            assert!(strangers.iter().all(|host| !set.cookie.goes_to(To::BackEnd(&at(host, "/a/b")))));
        }
    }
});

//! One carrier a request: what all fields show together follows from what each shows alone, in whatever order they come.
#![no_main]

use http::HeaderName;
use libfuzzer_sys::fuzz_target;
use yaopai_fuzz::{Lines, choice};
use yaopai_wire::carrier::{Carriers, Shown, holds_token};
use yaopai_wire::principal::{any_of_ours, forged};

fuzz_target!(|bytes: &[u8]| {
    let (which, rest) = choice(bytes);
    let carriers = Carriers {
        authorization: which & 1 != 0,
        cookie: (which & 2 != 0).then(|| "yaopai".into()),
        header: (which & 4 != 0).then(|| HeaderName::from_static("x-session")),
    };
    let fields = Lines::cut(rest);
    let shown = carriers.read(&fields);
    let alone: Vec<_> = fields.0.iter().map(|field| carriers.read(&Lines(vec![*field]))).collect();
    let showing: Vec<_> = alone.iter().filter(|shown| !matches!(shown, Shown::Nothing)).collect();
    let is_authorization = |(name, _): &&(&[u8], &[u8])| name.eq_ignore_ascii_case(b"authorization");
    let authorizations = fields.0.iter().filter(is_authorization).count();
    let bearer = carriers.authorization
        && fields
            .0
            .iter()
            .zip(&alone)
            .any(|(field, shown)| is_authorization(&field) && !matches!(shown, Shown::Nothing));
    match showing[..] {
        [] => assert!(matches!(shown, Shown::Nothing)),
        [one] if !(bearer && authorizations > 1) => assert_eq!(told(&shown), told(one)),
        _ => assert!(matches!(shown, Shown::Conflict)),
    }
    let backwards = Lines(fields.0.iter().rev().copied().collect());
    assert_eq!(told(&carriers.read(&backwards)), told(&shown));
    if let Shown::Token(token, _) = &shown {
        let text = token.reveal();
        let holds = |value: &[u8]| value.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(fields.0.iter().any(|(_, value)| holds(value)));
        assert!(holds_token(&format!("a=1&t={text}")));
    }
    assert!(!forged(&fields) || any_of_ours(&fields));
});

fn told(shown: &Shown) -> String {
    match shown {
        Shown::Nothing => "nothing".into(),
        Shown::Junk => "junk".into(),
        Shown::Conflict => "conflict".into(),
        Shown::Token(token, _) => token.reveal(),
    }
}

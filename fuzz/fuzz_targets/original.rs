//! The original request is taken verbatim or refused: its parts put together are what the proxy sent, and a path that is
//! called clean reads the same after percent-decoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yaopai_fuzz::Lines;
use yaopai_wire::fields::Fields as _;
use yaopai_wire::original::{ENVOY_PREFIX, NGINX_PREFIX, NginxTarget, Original, is_unclean};

const NAMES: [&str; 4] = ["x-forwarded-method", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-uri"];

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        from_nginx(&format!("{NGINX_PREFIX}{text}"));
        from_envoy(&format!("{ENVOY_PREFIX}{text}"));
        assert_eq!(is_unclean(&format!("/{text}")), is_doubtful(&format!("/{text}")), "{text:?}");
    }
    from_fields(&Lines::cut(bytes));
});

fn from_nginx(target: &str) {
    let Ok(NginxTarget { ask, original }) = NginxTarget::parse(target) else { return };
    let Original { method, scheme, host, .. } = original;
    let ask = if ask.is_empty() { "-" } else { ask };
    let again = format!("{NGINX_PREFIX}{ask}/{method}/{scheme}/{host}{}", uri(&original));
    // A question left empty asks what `-` asks.
    assert!(again == target || again.replacen("/-/", "//", 1) == target, "{again:?} {target:?}");
    holds(&original);
}

fn from_envoy(target: &str) {
    let fields = Lines::cut(b"host: h\nx-forwarded-proto: https\n");
    let Ok((ask, original)) = Original::from_envoy(target, "GET", &fields) else { return };
    let ask = if ask.is_empty() { "-" } else { ask };
    let again = format!("{ENVOY_PREFIX}{ask}{}", uri(&original));
    assert!(again == target || again.replacen("/-/", "//", 1) == target, "{again:?} {target:?}");
    assert!(!ask.contains(['/', '?']));
    holds(&original);
}

fn from_fields(lines: &Lines<'_>) {
    let all = NAMES.map(|name| lines.named(name.as_bytes()).collect::<Vec<_>>());
    match Original::from_forwarded(lines) {
        Ok(original) => {
            let uri = uri(&original);
            for (values, part) in all.iter().zip([original.method, original.scheme, original.host, &uri]) {
                assert_eq!(values[..], [part.as_bytes()]);
            }
            holds(&original);
        }
        // Nothing but the parts themselves is a reason to refuse.
        Err(_) => {
            let once = all.iter().all(|values| values.len() == 1);
            let [method, scheme, host, uri] =
                all.map(|values| values.first().and_then(|v| std::str::from_utf8(v).ok()));
            if let (true, Some(method), Some(scheme), Some(host), Some(uri)) = (once, method, scheme, host, uri) {
                assert!(!uri.is_ascii() || Original::new(method, scheme, host, uri).is_err());
            }
        }
    }
}

fn uri(original: &Original<'_>) -> String {
    original.path.to_owned() + &original.query.map(|q| format!("?{q}")).unwrap_or_default()
}

fn holds(o: &Original<'_>) {
    assert!(o.path.starts_with('/') && !o.path.contains('?'));
    assert!(matches!(o.scheme, "http" | "https"));
    assert!(!o.method.is_empty() && !o.host.is_empty() && !o.host.contains(['/', '@', '?', ',']));
    assert!(!uri(o).contains(|c: char| c.is_ascii_control() || c == ' ' || c == '#'));
}

/// The same rule as `is_unclean`'s, told the other way round: decode, then look.
fn is_doubtful(path: &str) -> bool {
    let mut decoded = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            decoded.push((*byte, false));
            continue;
        }
        let hex = after.split_first_chunk::<2>().filter(|(digits, _)| digits.iter().all(u8::is_ascii_hexdigit));
        let Some((digits, after)) = hex else { return true };
        let digits = std::str::from_utf8(digits).expect("ASCII");
        decoded.push((u8::from_str_radix(digits, 16).expect("hex"), true));
        rest = after;
    }
    let says_more = |&(byte, encoded): &(u8, bool)| match byte {
        b';' | b'\\' | 0 => true,
        b'/' | b'.' => encoded,
        _ => false,
    };
    let plain: Vec<u8> = decoded.iter().map(|(byte, _)| *byte).collect();
    let segments: Vec<&[u8]> = plain[1..].split(|b| *b == b'/').collect();
    let dots = segments.iter().any(|s| matches!(*s, b"." | b".."));
    let gaps = segments[..segments.len() - 1].iter().any(|s| s.is_empty());
    decoded.iter().any(says_more) || dots || gaps
}

use super::*;

const NOW: Timestamp = Timestamp(1_764_230_400_000);
const KEY: [u8; 32] = [9; 32];

fn place() -> Place {
    Place::new("shop.example".into(), "/h5/orders".into()).unwrap()
}

fn made(purpose: Purpose, view: bool) -> Zeroizing<[u8; TOLD_BYTES]> {
    let (user, place) = (UserId::from("42"), place());
    let meaning =
        Meaning { session: SessionId([1; 16]), user: Some(&user), purpose, place: &place, view, made_at: NOW };
    match make(&KEY, &meaning, &[7; RANDOM]) {
        Ticket::Told(bytes) => bytes,
        Ticket::Kept(_) => unreachable!(),
    }
}

fn at(uri: &'static str) -> Original<'static> {
    Original::new("GET", "https", "shop.example", uri).unwrap()
}

fn code(ticket: &[u8; TOLD_BYTES], original: &Original<'_>, now: Timestamp) -> Option<Code> {
    read(&KEY, ticket, original, now).err().map(|e| e.code)
}

#[test]
fn it_says_what_it_is_good_for() {
    for purpose in [Purpose::Socket, Purpose::Image, Purpose::WebView] {
        let taken = read(&KEY, &made(purpose, false), &at("/h5/orders?a=b"), NOW).unwrap();
        assert_eq!((taken.session, taken.purpose, taken.view), (SessionId([1; 16]), purpose, false));
        assert_eq!(taken.acts_as, ActsAs::Digest(Some(user_digest(&KEY, &UserId::from("42")))));
        assert_eq!(taken.used.unwrap().created, NOW.0 / 1000);
    }
    let view = read(&KEY, &made(Purpose::WebView, true), &at("/h5/app.js"), NOW).unwrap();
    assert!(view.view && view.used.is_none(), "as often as it likes");
}

/// None of its bits can be another one, nor its key.
#[test]
fn who_has_not_the_key_can_change_nothing() {
    for view in [false, true] {
        let good = made(Purpose::WebView, view);
        assert_eq!(code(&good, &at("/h5/orders"), NOW), None);
        for bit in 0..TOLD_BYTES * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(code(&bad, &at("/h5/orders"), NOW), Some(Code::ProofStale), "bit {bit}");
        }
        assert!(read(&[8; 32], &good, &at("/h5/orders"), NOW).is_err());
    }
}

#[test]
fn it_is_good_in_its_place_and_time() {
    let ticket = made(Purpose::Image, false);
    for elsewhere in ["/h5/orders/", "/h5/order", "/h5/ordersx", "/h5/", "/orders"] {
        assert_eq!(code(&ticket, &at(elsewhere), NOW), Some(Code::ProofInvalid), "{elsewhere}");
    }
    for (method, host) in [("POST", "shop.example"), ("GET", "evil.example"), ("GET", "shop.example:8443")] {
        let other = Original::new(method, "https", host, "/h5/orders").unwrap();
        assert_eq!(code(&ticket, &other, NOW), Some(Code::ProofInvalid), "{method} {host}");
    }
    assert_eq!(code(&ticket, &at("/orders").stripped_of("/h5"), NOW), None);
    assert_eq!(code(&ticket, &at("/orders").stripped_of("/h6"), NOW), Some(Code::ProofInvalid));
    let late = |ms| code(&ticket, &at("/h5/orders"), Timestamp(NOW.0 + ms));
    assert_eq!((late(30_000), late(30_001)), (None, Some(Code::ProofStale)));
    assert_eq!((late(-5_000), late(-5_001)), (None, Some(Code::ProofStale)), "a clock that is ahead");
}

#[test]
fn a_view_is_good_in_its_folder() {
    let view = made(Purpose::WebView, true);
    for within in ["/h5/orders", "/h5/", "/h5/app.js", "/h5/a/b"] {
        assert_eq!(code(&view, &at(within), NOW), None, "{within}");
    }
    let unclean =
        ["/h5/../orders", "/h5/%2e%2e/orders", "/h5/..%2forders", "/h5/a;/b", "/h5//orders", "/h5/%5c..%5corders"];
    for without in ["/h5", "/h5x", "/", "/h6/orders"].into_iter().chain(unclean) {
        assert_eq!(code(&view, &at(without), NOW), Some(Code::ProofInvalid), "{without}");
    }
    let late = |ms| code(&view, &at("/h5/"), Timestamp(NOW.0 + ms));
    assert_eq!((late(1_800_000), late(1_800_001)), (None, Some(Code::ProofStale)));
}

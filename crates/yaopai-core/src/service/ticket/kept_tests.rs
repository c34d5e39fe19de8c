use yaopai_wire::ticket::Ticket;

use super::super::{TICKET_LIFE, VIEW_LIFE};
use super::*;

const NOW: Timestamp = Timestamp(1_764_230_400_000);
const SESSION: SessionId = SessionId([1; 16]);

fn ticket(n: u8) -> Ticket {
    Ticket::new(|bytes| bytes.fill(n))
}

fn place() -> Place {
    Place::new("shop.example".into(), "/h5/orders".into()).unwrap()
}

fn at(uri: &'static str) -> Original<'static> {
    Original::new("GET", "https", "shop.example", uri).unwrap()
}

fn issued(state: State, until: Timestamp) -> Issued {
    Issued { session: SESSION, user: None, purpose: Purpose::WebView, place: place(), until, state }
}

fn code<T>(result: Result<T>) -> Option<Code> {
    result.err().map(|e| e.code)
}

#[test]
fn a_ticket_is_good_once_and_in_its_place() {
    let tickets = Issuer::default();
    tickets.keep(ticket(1).hash(), issued(State::Fresh, NOW + TICKET_LIFE), NOW).unwrap();
    let take = |original: &Original<'_>, now| code(tickets.take(ticket(1).hash(), original, now));
    assert_eq!(code(tickets.take(ticket(2).hash(), &at("/h5/orders"), NOW)), Some(Code::ProofStale));
    for elsewhere in ["/h5/orders/", "/h5/order", "/h5/ordersx", "/h5/", "/orders"] {
        assert_eq!(take(&at(elsewhere), NOW), Some(Code::ProofInvalid), "{elsewhere}");
    }
    let other = Original::new("GET", "https", "evil.example", "/h5/orders").unwrap();
    assert_eq!(take(&other, NOW), Some(Code::ProofInvalid));
    let post = Original::new("POST", "https", "shop.example", "/h5/orders").unwrap();
    assert_eq!(take(&post, NOW), Some(Code::ProofInvalid));
    let late = Timestamp((NOW + TICKET_LIFE).0 + 1);
    assert_eq!(take(&at("/h5/orders"), late), Some(Code::ProofStale));
    // None of that has used it up.
    assert_eq!(take(&at("/h5/orders?yaopai_ticket=x"), NOW + TICKET_LIFE), None);
    assert_eq!(take(&at("/h5/orders"), NOW), Some(Code::ProofReplayed));
}

#[test]
fn what_a_proxy_took_off_counts() {
    let tickets = Issuer::default();
    tickets.keep(ticket(1).hash(), issued(State::Fresh, NOW + TICKET_LIFE), NOW).unwrap();
    let stripped = |path: &'static str, prefix| at(path).stripped_of(prefix);
    assert_eq!(code(tickets.take(ticket(1).hash(), &stripped("/orders", "/h6"), NOW)), Some(Code::ProofInvalid));
    assert_eq!(code(tickets.take(ticket(1).hash(), &stripped("/orders", "/h5"), NOW)), None);
}

#[test]
fn of_a_thousand_at_once_one_is_let_in() {
    let tickets = Issuer::default();
    tickets.keep(ticket(1).hash(), issued(State::Fresh, NOW + TICKET_LIFE), NOW).unwrap();
    let let_in = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                for _ in 0..125 {
                    if tickets.take(ticket(1).hash(), &at("/h5/orders"), NOW).is_ok() {
                        let_in.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert_eq!(let_in.into_inner(), 1);
}

#[test]
fn a_view_is_good_in_its_folder() {
    let tickets = Issuer::default();
    tickets.keep(ticket(1).hash(), issued(State::View, NOW + VIEW_LIFE), NOW).unwrap();
    let take = |uri| code(tickets.take(ticket(1).hash(), &at(uri), NOW));
    for within in ["/h5/orders", "/h5/", "/h5/app.js", "/h5/a/b"] {
        assert_eq!((take(within), take(within)), (None, None), "{within}");
    }
    // A route with `unclean_path=1` may read these as lying elsewhere.
    let unclean =
        ["/h5/../orders", "/h5/%2e%2e/orders", "/h5/..%2forders", "/h5/a;/b", "/h5//orders", "/h5/%5c..%5corders"];
    for without in ["/h5", "/h5x", "/", "/h6/orders"].into_iter().chain(unclean) {
        assert_eq!(take(without), Some(Code::ProofInvalid), "{without}");
    }
}

#[test]
fn they_are_bounded_and_the_old_ones_go() {
    let tickets = Issuer::default();
    let keep = |n: u8, now| tickets.keep(ticket(n).hash(), issued(State::Fresh, now + TICKET_LIFE), now);
    for n in 0..200 {
        keep(n, NOW).unwrap();
    }
    assert_eq!(code(keep(200, NOW)), Some(Code::RateLimited));
    let later = Timestamp((NOW + TICKET_LIFE).0 + 1);
    tickets.purge(later);
    let known = tickets.lock();
    assert_eq!((known.tickets.len(), known.of.len()), (0, 0));
    drop(known);
    keep(200, later).unwrap();
}

#[test]
fn places() {
    let wrong = |authority: &str, path: &str| Place::new(authority.into(), path.into()).err().and_then(|e| e.field);
    for authority in ["", "Shop.example", "shop example", "u@h", "a/b", "a?b"] {
        assert_eq!(wrong(authority, "/a"), Some("authority"), "{authority}");
    }
    for path in ["", "a", "/a?b", "/a#b", "/a/../b", "//a", "/张", "/a b", "/a;b"] {
        assert_eq!(wrong("shop.example", path), Some("path"), "{path}");
    }
    assert_eq!(wrong("shop.example:8443", "/%E5%BC%A0"), None);
}

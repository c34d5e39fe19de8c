//! The address that a call comes from: the peer's, or what a trusted proxy says of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use ipnet::IpNet;

use super::Api;
use crate::listen::Peer;
use crate::listen::proxies::has;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The client's address, as far as it can be known.
pub struct Origin(pub IpAddr);

impl FromRequestParts<Api> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get().copied().unwrap_or(Peer::Local);
        Ok(Self(origin(peer, &parts.headers, &api.proxies)))
    }
}

/// Walks `X-Forwarded-For` from the right, where our own proxies have written, to the first address that is none of theirs.
/// What stands left of it is the client's word. A proxy that says nothing is itself the origin: then all of its clients are
/// counted as one, which is noticed, where no count at all would not be.
pub(crate) fn origin(peer: Peer, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let mut nearest = match peer {
        Peer::Ip(ip) => ip.to_canonical(),
        Peer::Local => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    if !peer.is_among(proxies) {
        return nearest;
    }
    let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
    for hop in lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|b| *b == b',')) {
        let Some(ip) = address(hop) else { return nearest };
        nearest = ip;
        if !has(proxies, ip) {
            return ip;
        }
    }
    nearest
}

/// An address, with or without a port; some proxies write one.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()))?;
    Some(IpAddr::to_canonical(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let peer = peer.parse().map_or(Peer::Local, Peer::Ip);
        let proxies = ["127.0.0.1/32", "10.0.0.0/8", "2001:db8:1::/48"].map(|net| net.parse().unwrap());
        origin(peer, &headers, &proxies).to_string()
    }

    #[test]
    fn only_our_proxies_are_believed() {
        assert_eq!(from("203.0.113.9", &["192.0.2.1"]), "203.0.113.9", "a stranger names no other");
        assert_eq!(from("127.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(from("::ffff:127.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(from("a socket", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(from("127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn what_the_client_put_in_front_is_not_read() {
        assert_eq!(from("127.0.0.1", &["198.51.100.1, 192.0.2.1"]), "192.0.2.1");
        assert_eq!(from("127.0.0.1", &["198.51.100.1", "192.0.2.1"]), "192.0.2.1");
        assert_eq!(from("127.0.0.1", &["198.51.100.1, 192.0.2.1, 10.1.2.3", "10.9.9.9"]), "192.0.2.1");
        assert_eq!(from("127.0.0.1", &["10.1.2.3, 10.9.9.9"]), "10.1.2.3", "a client of ours");
        // What can't be read is not guessed over.
        assert_eq!(from("127.0.0.1", &["192.0.2.1, unknown, 10.9.9.9"]), "10.9.9.9");
        assert_eq!(from("127.0.0.1", &["192.0.2.1, "]), "127.0.0.1");
    }

    #[test]
    fn spellings() {
        assert_eq!(from("127.0.0.1", &["192.0.2.1:4711"]), "192.0.2.1");
        assert_eq!(from("127.0.0.1", &["[2001:db8:2::1]:4711"]), "2001:db8:2::1");
        assert_eq!(from("127.0.0.1", &["[2001:db8:2::1]"]), "2001:db8:2::1");
        assert_eq!(from("127.0.0.1", &["2001:db8:2::1, 2001:db8:1::9"]), "2001:db8:2::1");
        assert_eq!(from("127.0.0.1", &["::ffff:192.0.2.1"]), "192.0.2.1");
    }
}

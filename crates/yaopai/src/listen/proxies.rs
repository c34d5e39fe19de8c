//! Who is a proxy of ours: an address in a network that the operator has written. Asked in one place, so that the check, the gateway
//! and the limits can't differ.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// A network as it stands in the configuration, or one address; `None`: it is neither. IPv4 written in IPv6
/// (`::ffff:10.0.0.0/104`; RFC 4291, section 2.5.5.2) is IPv4.
pub fn network(text: &str) -> Option<IpNet> {
    let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    let IpNet::V6(v6) = net else { return Some(net) };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    Some(v4.and_then(|(addr, len)| Ipv4Net::new(addr, len).ok()).map_or(net, IpNet::V4))
}

/// Is this address in one of them? A socket of both families names an IPv4 peer in IPv6: that is the IPv4 address, and in no network
/// of IPv6, however wide.
pub fn has(proxies: &[IpNet], ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    proxies.iter().any(|net| net.contains(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(ip: &str, nets: &[&str]) -> bool {
        let nets: Vec<_> = nets.iter().map(|text| network(text).unwrap()).collect();
        has(&nets, ip.parse().unwrap())
    }

    #[test]
    fn an_ipv4_address_is_itself_however_it_is_written() {
        for ip in ["10.1.2.3", "::ffff:10.1.2.3", "::ffff:a01:203"] {
            for net in
                ["10.0.0.0/8", "10.1.2.3", "::ffff:10.0.0.0/104", "::ffff:10.1.2.3", "::ffff:0:0/96", "0.0.0.0/0"]
            {
                assert!(is_in(ip, &[net]), "{ip} in {net}");
            }
            for net in ["11.0.0.0/8", "::ffff:11.0.0.0/104", "10.1.2.4", "::/0", "::/64", "::a01:203", "2001:db8::/32"]
            {
                assert!(!is_in(ip, &[net]), "{ip} in {net}");
            }
        }
        assert!(!is_in("10.1.2.3", &[]));
    }

    #[test]
    fn an_ipv6_address_is_in_no_network_of_ipv4() {
        // The last but one is NAT64's, the last the deprecated IPv4-compatible form: neither names an IPv4 peer.
        for ip in ["2001:db8::1", "::1", "64:ff9b::a01:203", "::10.1.2.3"] {
            for net in ["0.0.0.0/0", "10.0.0.0/8", "::ffff:0:0/96", "127.0.0.1"] {
                assert!(!is_in(ip, &[net]), "{ip} in {net}");
            }
            assert!(is_in(ip, &["::/0"]));
        }
        assert!(is_in("2001:db8:1::9", &["10.0.0.0/8", "2001:db8:1::/48"]));
        assert!(!is_in("2001:db8:2::9", &["10.0.0.0/8", "2001:db8:1::/48"]));
    }

    #[test]
    fn what_is_no_network_is_none() {
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.1:80", "::ffff:10.0.0.0/129", "10.0.0"] {
            assert_eq!(network(text), None, "{text}");
        }
    }
}

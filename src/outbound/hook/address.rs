//! Which addresses a hook may have: the cloud's own services and every other network that is not meant are out of
//! reach, whatever a name resolves to (P14).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far away an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Anywhere in the internet.
    Public,
    /// This machine, or a network of its owner: only where that is said.
    Inner,
    /// Link-local, where clouds keep the machine's credentials, and what is no host at all.
    Never,
}

/// How far away `address` is, whatever way it is written.
pub(super) fn reach(address: IpAddr) -> Reach {
    match address.to_canonical() {
        IpAddr::V4(address) => reach_v4(address),
        IpAddr::V6(address) => reach_v6(address),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [0 | 224..=255, ..] | [169, 254, ..] => Reach::Never,
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Reach::Inner,
        // Special purposes (RFC 6890): protocol assignments, benchmarks, documentation.
        [192, 0, 0 | 2, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => Reach::Inner,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::Inner,
        // NAT64 (RFC 6052): an IPv4 address in other clothes.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [[a, b], [c, d]] = [high, low].map(u16::to_be_bytes);
            reach_v4(Ipv4Addr::new(a, b, c, d))
        }
        // AWS keeps credentials at this one too.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] => Reach::Never,
        [0xfc00..=0xfdff, ..] => Reach::Inner,
        // Global unicast, without the tunnels that end at an IPv4 address (Teredo, 6to4).
        [0x2001, 0, ..] | [0x2002, ..] => Reach::Never,
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // P14: no spelling of an address reaches what it should not.
    #[test]
    fn the_clouds_own_services_are_out_of_reach_and_inner_networks_are_told_from_the_internet() {
        for (address, wanted) in [
            ("169.254.169.254", Reach::Never),
            ("169.254.0.1", Reach::Never),
            ("::ffff:169.254.169.254", Reach::Never),
            ("64:ff9b::a9fe:a9fe", Reach::Never),
            ("64:ff9b::7f00:1", Reach::Inner),
            ("64:ff9b:1::a9fe:a9fe", Reach::Never),
            ("2002:a9fe:a9fe::1", Reach::Never),
            ("2001:0:a9fe:a9fe::", Reach::Never),
            ("::169.254.169.254", Reach::Never),
            ("fd00:ec2::254", Reach::Never),
            ("fe80::1", Reach::Never),
            ("febf::1", Reach::Never),
            ("ff02::1", Reach::Never),
            ("::", Reach::Never),
            ("0.0.0.0", Reach::Never),
            ("224.0.0.1", Reach::Never),
            ("255.255.255.255", Reach::Never),
            ("127.0.0.1", Reach::Inner),
            ("127.255.0.1", Reach::Inner),
            ("::1", Reach::Inner),
            ("::ffff:10.0.0.1", Reach::Inner),
            ("10.1.2.3", Reach::Inner),
            ("172.16.0.1", Reach::Inner),
            ("172.31.255.255", Reach::Inner),
            ("192.168.1.1", Reach::Inner),
            ("100.100.100.200", Reach::Inner),
            ("192.0.0.192", Reach::Inner),
            ("fd12:3456::1", Reach::Inner),
            ("172.32.0.1", Reach::Public),
            ("8.8.8.8", Reach::Public),
            ("64:ff9b::808:808", Reach::Public),
            ("2606:4700::1111", Reach::Public),
        ] {
            assert_eq!(reach(address.parse().unwrap()), wanted, "{address}");
        }
    }
}

//! Whom a hook's call may reach: the hosts of the URLs that the settings name, each address of theirs held to the list
//! of networks at the moment it is connected to and not before.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::{Reach, reach};

const LOCALHOST: &str = "localhost";

/// Why `url` may not be called, whatever the settings say. An address that stands in it needs no network.
pub(super) fn check(url: &Url) -> Result<(), &'static str> {
    let never = literal(url).is_some_and(|address| reach(address) == Reach::Never);
    if never { Err("the address is never called") } else { Ok(()) }
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
    }
}

/// Resolves names, and drops every address that may not be called. Addresses in URLs do not come this way: they stand
/// in the settings themselves.
pub(super) struct Networks(pub(super) Arc<[IpNet]>);

impl Resolve for Networks {
    fn resolve(&self, name: Name) -> Resolving {
        let networks = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<_> = found.filter(|address| may_call(name.as_str(), address.ip(), &networks)).collect();
            if allowed.is_empty() {
                return Err("the host has no address that hooks.allowed_networks lets through".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn may_call(name: &str, address: IpAddr, networks: &[IpNet]) -> bool {
    let address = address.to_canonical();
    match reach(address) {
        // Whoever lists localhost means this machine, and nothing that a resolver makes of it.
        _ if name == LOCALHOST => address.is_loopback(),
        Reach::Public => true,
        Reach::Inner => networks.iter().any(|network| network.contains(&address)),
        Reach::Never => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // P14
    #[test]
    fn the_machines_own_credentials_are_not_called_even_when_they_are_named() {
        for url in [
            "https://169.254.169.254/",
            "https://2852039166/",
            "https://[fe80::1]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://0.0.0.0/",
        ] {
            assert_eq!(check(&Url::parse(url).unwrap()), Err("the address is never called"), "{url}");
        }
        for url in ["https://hooks.example.com/", "https://10.0.0.5/", "http://127.1:9000/", "http://[::1]/"] {
            assert_eq!(check(&Url::parse(url).unwrap()), Ok(()), "{url}");
        }
    }

    // P14: an allowed name that resolves to somewhere else.
    #[test]
    fn an_address_inside_is_called_only_in_a_network_that_is_listed() {
        let networks = ["10.0.0.0/8", "169.254.0.0/16", "0.0.0.0/0"].map(|network| network.parse().unwrap());
        let call = |name: &str, address: &str, networks: &[IpNet]| may_call(name, address.parse().unwrap(), networks);
        assert!(call("hooks.example.com", "8.8.8.8", &[]));
        assert!(!call("hooks.example.com", "10.0.0.5", &[]));
        assert!(!call("hooks.example.com", "127.0.0.1", &networks[..1]));
        assert!(call("hooks.example.com", "10.0.0.5", &networks));
        assert!(call("hooks.example.com", "::ffff:10.0.0.5", &networks[..1]));
        assert!(!call("hooks.example.com", "169.254.169.254", &networks));
        assert!(call("localhost", "127.0.0.1", &[]) && call("localhost", "::1", &[]));
        assert!(!call("localhost", "8.8.8.8", &networks) && !call("localhost", "10.0.0.5", &networks));
    }
}

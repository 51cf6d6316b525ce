//! Whom a hook's call may reach: the URL is held to the list of hosts, and each address to the list of networks, at
//! the moment it is connected to and not before.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::{Reach, reach};
use crate::config::{self, AllowedHost};

const LOCALHOST: &str = "localhost";

/// The two lists.
#[derive(Debug)]
pub(super) struct Guard {
    hosts: Vec<AllowedHost>,
    networks: Arc<[IpNet]>,
}

impl Guard {
    pub(super) fn new(settings: &config::Hooks) -> Self {
        Self { hosts: settings.allowed().collect(), networks: settings.allowed_networks.to_vec().into() }
    }

    /// The way from names to addresses that keeps to the list.
    pub(super) fn resolver(&self) -> Networks {
        Networks(self.networks.clone())
    }

    /// Why `url` may not be called.
    pub(super) fn check(&self, url: &Url) -> Result<(), &'static str> {
        let host = url.host().ok_or("the URL names no host")?.to_owned();
        let port = url.port_or_known_default();
        let listed = |allowed: &&AllowedHost| {
            allowed.host == host && allowed.port.or_else(|| default_port(url)) == port && port.is_some()
        };
        self.hosts.iter().find(listed).ok_or("the host is not in hooks.allowed_hosts")?;
        let address = literal(&host);
        if address.is_some_and(|address| reach(address) == Reach::Never) {
            return Err("the address is never called");
        }
        let local = address.map_or(host == Host::Domain(LOCALHOST.to_owned()), |address| address.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if local => {}
            _ => return Err("only https is called, and http on this machine"),
        }
        let bare = url.username().is_empty() && url.password().is_none();
        if bare { Ok(()) } else { Err("the URL holds a user name or a password") }
    }
}

fn default_port(url: &Url) -> Option<u16> {
    match url.scheme() {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

fn literal(host: &Host) -> Option<IpAddr> {
    match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(*address)),
        Host::Ipv6(address) => Some(IpAddr::V6(*address)),
    }
}

/// Resolves names, and drops every address that may not be called. Addresses in URLs do not come this way: they stand
/// in the list of hosts themselves.
pub(super) struct Networks(Arc<[IpNet]>);

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
    use crate::config::List;

    fn guard(hosts: &[&str]) -> Guard {
        let allowed_hosts = List(hosts.iter().map(|host| (*host).to_owned()).collect());
        Guard::new(&config::Hooks { allowed_hosts, ..config::Hooks::default() })
    }

    fn check(guard: &Guard, url: &str) -> Result<(), &'static str> {
        guard.check(&Url::parse(url).unwrap())
    }

    // P14: nothing is called that is not listed, by host and by port.
    #[test]
    fn a_url_is_called_only_when_its_host_and_port_are_listed() {
        let guard = guard(&["hooks.example.com", "other.example.com:8443", "127.0.0.1:9000", "10.0.0.5", "[::1]:9000"]);
        for url in [
            "https://hooks.example.com/pre?x=1",
            "https://HOOKS.example.com:443/",
            "https://other.example.com:8443/",
            "http://127.0.0.1:9000/",
            "http://127.1:9000/",
            "http://0x7f000001:9000/",
            "http://[::1]:9000/",
            "https://10.0.0.5/",
        ] {
            assert_eq!(check(&guard, url), Ok(()), "{url}");
        }
        for url in [
            "https://example.com/",
            "https://hooks.example.com:8443/",
            "https://hooks.example.com.evil.test/",
            "https://hooks.example.com./",
            "https://other.example.com/",
            "http://127.0.0.1/",
            "http://localhost:9000/",
            "ftp://hooks.example.com/",
            "file:///etc/passwd",
        ] {
            assert!(check(&guard, url).is_err(), "{url}");
        }
        let plain = "only https is called, and http on this machine";
        assert_eq!(check(&guard, "http://10.0.0.5/"), Err(plain));
        assert_eq!(check(&guard, "http://hooks.example.com/"), Err(plain));
        let named = "the URL holds a user name or a password";
        assert_eq!(check(&guard, "https://u:p@hooks.example.com/"), Err(named));
    }

    #[test]
    fn the_machines_own_credentials_are_not_called_even_when_listed() {
        let guard = guard(&["169.254.169.254", "[fe80::1]", "[::ffff:a9fe:a9fe]", "0.0.0.0"]);
        for url in
            ["https://169.254.169.254/", "https://2852039166/", "https://[fe80::1]/", "https://[::ffff:a9fe:a9fe]/"]
        {
            assert_eq!(check(&guard, url), Err("the address is never called"), "{url}");
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

//! Settings of trigger webhooks.

use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;
use url::{Host, Url};

use super::value::{List, Period, Setting, Shown};

settings! {
    /// Trigger webhooks.
    Hooks("hooks.") {
        /// Hosts that may be called, HOST or HOST:PORT each (without a port: the scheme's own). Empty: none.
        allowed_hosts: List<String> = List(Vec::new());
        /// Networks inside which an allowed host may be found, such as 10.0.0.0/8; without them only public addresses.
        allowed_networks: List<IpNet> = List(Vec::new());
        /// PEM certificates to trust for TLS with hooks besides the public ones.
        ca_file: Option<PathBuf> = None;
        /// Longest time for one try of three.
        timeout: Period = Period::seconds(5);
    }
}

/// A host that may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    /// As URLs spell it.
    pub host: Host,
    /// None: the scheme's own.
    pub port: Option<u16>,
}

impl Hooks {
    pub(super) fn check(&self, faults: &mut Vec<String>) {
        for entry in self.allowed_hosts.iter().filter(|entry| allowed(entry).is_none()) {
            faults.push(format!("hooks.allowed_hosts: {entry} must be HOST or HOST:PORT"));
        }
        if self.timeout.is_zero() {
            faults.push("hooks.timeout: must be more than 0".to_owned());
        }
    }

    /// The hosts that may be called.
    pub fn allowed(&self) -> impl Iterator<Item = AllowedHost> {
        self.allowed_hosts.iter().filter_map(|entry| allowed(entry))
    }
}

/// Reads HOST or HOST:PORT as a URL would, so that 127.1 is 127.0.0.1 on both sides.
fn allowed(entry: &str) -> Option<AllowedHost> {
    let url = Url::parse(&format!("https://{entry}")).ok()?;
    let alone = url.path() == "/" && !entry.contains(['/', '\\', '?', '#', '@', '*']);
    let port = entry.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.contains(']'));
    let port = port.map(|port| port.parse().ok().filter(|port| *port > 0));
    let host = url.host()?.to_owned();
    match port {
        _ if !alone => None,
        Some(None) => None,
        Some(Some(port)) => Some(AllowedHost { host, port: Some(port) }),
        None => Some(AllowedHost { host, port: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowed_host_is_a_host_with_or_without_a_port() {
        let read = |entry: &str| allowed(entry).map(|allowed| (allowed.host.to_string(), allowed.port));
        let of = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(read("Hooks.Example.com"), of("hooks.example.com", None));
        assert_eq!(read("hooks.example.com:443"), of("hooks.example.com", Some(443)));
        assert_eq!(read("127.1:80"), of("127.0.0.1", Some(80)));
        assert_eq!(read("[::1]:9000"), of("[::1]", Some(9000)));
        assert_eq!(read("[::1]"), of("[::1]", None));
        for entry in
            ["", "https://a", "a/b", "a?b", "u@a", "a:", "a:0", "a:65536", "*", ":80", "::1", "a b", "*.example.com"]
        {
            assert_eq!(read(entry), None, "{entry}");
        }
    }
}

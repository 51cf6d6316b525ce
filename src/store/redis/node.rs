//! The nodes of a Cluster: where they are, and how each is met.

use redis::{Client, ConnectionAddr, ConnectionInfo, RedisResult, TlsCertificates};

use super::address::Server;

/// Host and port.
pub type Address = (String, u16);

/// `HOST:PORT` as a node writes it. No host means the host of the node that wrote it.
pub fn address(written: &str, writer: &Address) -> Option<Address> {
    let (host, port) = written.rsplit_once(':')?;
    let host = if host.is_empty() { writer.0.as_str() } else { host };
    Some((host.to_owned(), port.parse().ok()?))
}

/// The nodes that the settings name. Every other is met as the same user and with the same trust.
pub struct Nodes {
    named: Vec<Address>,
    like: ConnectionInfo,
    certificates: Option<TlsCertificates>,
}

impl Nodes {
    /// From those in `tokens.url`. Nothing when there is none.
    pub fn new(named: &[ConnectionInfo], certificates: Option<TlsCertificates>) -> Option<Self> {
        let like = named.first()?.clone();
        let address = |node: &ConnectionInfo| {
            let (ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }) = node.addr() else {
                return None;
            };
            Some((host.clone(), *port))
        };
        Some(Self { named: named.iter().filter_map(address).collect(), like, certificates })
    }

    /// Where those are that the settings name.
    pub fn named(&self) -> &[Address] {
        &self.named
    }

    /// The node at `address`.
    pub fn server(&self, address: &Address) -> RedisResult<Server> {
        let (host, port) = address.clone();
        let at = |address| self.like.clone().set_addr(address);
        let client = match (self.like.addr(), &self.certificates) {
            (ConnectionAddr::TcpTls { .. }, None) => Client::open(at(encrypted(host, port))),
            (ConnectionAddr::TcpTls { .. }, Some(trusted)) => {
                Client::build_with_tls(at(encrypted(host, port)), trusted.clone())
            }
            _ => Client::open(at(ConnectionAddr::Tcp(host, port))),
        };
        client.map(|client| Server::Single(Box::new(client)))
    }
}

fn encrypted(host: String, port: u16) -> ConnectionAddr {
    ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_without_a_host_is_where_the_writer_is() {
        let writer = ("10.0.0.1".to_owned(), 7000);
        assert_eq!(address("10.0.0.2:7001", &writer), Some(("10.0.0.2".to_owned(), 7001)));
        assert_eq!(address("fd00::2:7001", &writer), Some(("fd00::2".to_owned(), 7001)));
        assert_eq!(address(":7001", &writer), Some(("10.0.0.1".to_owned(), 7001)));
        assert_eq!(address("10.0.0.2", &writer), None);
        assert_eq!(address("10.0.0.2:70000", &writer), None);
    }
}

//! `tokens.url`, read: which servers, how they are found, as whom, and whom to trust.

use std::fs;
use std::path::Path;

use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, TlsCertificates, TlsMode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use url::Url;

use super::node::Nodes;
use crate::config::Tokens;

/// What there is to connect to.
pub enum Target {
    /// One server has everything.
    Server(Server),
    /// Many share it.
    Cluster(Box<Nodes>),
}

/// How one server is found.
pub enum Server {
    /// At an address.
    Single(Box<Client>),
    /// By asking Sentinels for the master.
    Sentinel(Box<SentinelClient>),
}

/// Reads the settings; fails on what can never work, without connecting.
pub fn target(settings: &Tokens) -> Result<Target, String> {
    let certificates = settings.ca_file.as_deref().map(trusted).transpose()?;
    let url = settings.url.expose();
    let (scheme, rest) = url.split_once("://").ok_or("tokens.url: not a URL")?;
    match scheme {
        "redis" | "rediss" => single(&parse(url)?, certificates),
        "redis-sentinel" => Seeds::read(rest, 26_379)?.sentinel(certificates),
        "redis-cluster" => Seeds::read(rest, 6_379)?.cluster(certificates),
        _ => Err("tokens.url: must be redis://, rediss://, redis-sentinel:// or redis-cluster://".to_owned()),
    }
}

fn trusted(file: &Path) -> Result<TlsCertificates, String> {
    let named = |fault: String| format!("tokens.ca_file: {}: {fault}", file.display());
    let pem = fs::read(file).map_err(|fault| named(fault.to_string()))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    if certificates.map_err(|fault| named(fault.to_string()))?.is_empty() {
        return Err(named("holds no PEM certificate".to_owned()));
    }
    Ok(TlsCertificates { client_tls: None, root_cert: Some(pem) })
}

fn single(url: &Url, certificates: Option<TlsCertificates>) -> Result<Target, String> {
    let server = server(url)?;
    match certificates {
        Some(certificates) if url.scheme() == "rediss" => Client::build_with_tls(server, certificates),
        Some(_) | None => Client::open(server),
    }
    .map(|client| Target::Server(Server::Single(Box::new(client))))
    .map_err(refused)
}

fn parse(url: &str) -> Result<Url, String> {
    // The parser's message would do no harm, but it cannot say more than this either.
    let url = Url::parse(url).map_err(|_| "tokens.url: not a URL; write special characters of a password as %XX")?;
    match url.fragment() {
        Some(_) => Err("tokens.url: nothing may follow a #; certificates are always checked".to_owned()),
        None => Ok(url),
    }
}

fn server(url: &Url) -> Result<ConnectionInfo, String> {
    url.clone().into_connection_info().map_err(refused)
}

/// The crate's own words name the part that is wrong, never its value.
fn refused(fault: redis::RedisError) -> String {
    format!("tokens.url: {fault}")
}

/// `[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]…[/PATH][?QUERY]`, for which there is no standard parser.
struct Seeds {
    servers: Vec<ConnectionInfo>,
    path: String,
    tls: bool,
    sentinel_username: Option<String>,
    sentinel_password: Option<String>,
}

impl Seeds {
    fn read(rest: &str, port: u16) -> Result<Self, String> {
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before.split_once('/').unwrap_or((before, ""));
        let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
        let mut seeds = Self {
            servers: Vec::new(),
            path: path.to_owned(),
            tls: false,
            sentinel_username: None,
            sentinel_password: None,
        };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match (name.as_ref(), value.as_ref()) {
                ("tls", "true" | "false") => seeds.tls = value == "true",
                ("sentinel_username", _) => seeds.sentinel_username = Some(value.into_owned()),
                ("sentinel_password", _) => seeds.sentinel_password = Some(value.into_owned()),
                (_, _) => {
                    return Err("tokens.url: after ? only tls=true, sentinel_username and sentinel_password".into());
                }
            }
        }
        let scheme = if seeds.tls { "rediss" } else { "redis" };
        let user = if user.is_empty() { String::new() } else { format!("{user}@") };
        for host in hosts.split(',') {
            let mut url = parse(&format!("{scheme}://{user}{}", host.trim()))?;
            if url.port().is_none() {
                url.set_port(Some(port)).map_err(|()| "tokens.url: a host is missing".to_owned())?;
            }
            seeds.servers.push(server(&url)?);
        }
        Ok(seeds)
    }

    /// User and password are those of the Redis servers; Sentinels have their own in the query.
    fn sentinel(self, certificates: Option<TlsCertificates>) -> Result<Target, String> {
        let (service, database) = self.path.split_once('/').unwrap_or((&self.path, ""));
        if service.is_empty() {
            return Err("tokens.url: redis-sentinel://HOST,HOST/SERVICE lacks the name of the service".to_owned());
        }
        let addresses: Vec<ConnectionAddr> = self.servers.iter().map(|server| server.addr().clone()).collect();
        let mut builder =
            SentinelClientBuilder::new(addresses, service, SentinelServerType::Master).map_err(refused)?;
        if !database.is_empty() {
            let number = database.parse().map_err(|_| "tokens.url: the database after the service must be a number")?;
            builder = builder.set_client_to_redis_db(number);
        }
        if let Some(redis) = self.servers.first().map(ConnectionInfo::redis_settings) {
            builder = redis.username().into_iter().fold(builder, SentinelClientBuilder::set_client_to_redis_username);
            builder = redis.password().into_iter().fold(builder, SentinelClientBuilder::set_client_to_redis_password);
        }
        builder = self.sentinel_username.iter().fold(builder, SentinelClientBuilder::set_client_to_sentinel_username);
        builder = self.sentinel_password.iter().fold(builder, SentinelClientBuilder::set_client_to_sentinel_password);
        if self.tls {
            builder =
                builder.set_client_to_redis_tls_mode(TlsMode::Secure).set_client_to_sentinel_tls_mode(TlsMode::Secure);
        }
        if let Some(certificates) = certificates.filter(|_| self.tls) {
            builder = builder
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates);
        }
        builder.build().map(|client| Target::Server(Server::Sentinel(Box::new(client)))).map_err(refused)
    }

    fn cluster(self, certificates: Option<TlsCertificates>) -> Result<Target, String> {
        if !self.path.is_empty() {
            return Err("tokens.url: a Cluster has no databases; end redis-cluster://HOST,HOST there".to_owned());
        }
        let nodes = Nodes::new(&self.servers, certificates).ok_or("tokens.url: a host is missing")?;
        Ok(Target::Cluster(Box::new(nodes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn read(url: &str) -> Result<Target, String> {
        target(&Tokens { url: Secret::new(url), ..Tokens::default() })
    }

    #[test]
    fn every_kind_of_address_is_read() {
        for url in ["redis://127.0.0.1", "redis://:secret@localhost:7000/3", "rediss://user:p%40ss@redis.example"] {
            assert!(matches!(read(url), Ok(Target::Server(Server::Single(_)))), "{url}");
        }
        for url in ["redis-sentinel://a:1,b,[::1]:3/main", "redis-sentinel://u:p@a/main/2?tls=true&sentinel_password=x"]
        {
            assert!(matches!(read(url), Ok(Target::Server(Server::Sentinel(_)))), "{url}");
        }
        for url in ["redis-cluster://a:1,b:2", "redis-cluster://u:p@a,b?tls=true"] {
            assert!(matches!(read(url), Ok(Target::Cluster(_))), "{url}");
        }
    }

    #[test]
    fn what_can_never_work_is_refused_without_naming_the_password() {
        let refusals = [
            ("redis://u:hunter2@", "tokens.url"),
            ("redis://u:hunter2@host/db", "Invalid database number"),
            ("rediss://u:hunter2@host#insecure", "certificates are always checked"),
            ("redis-sentinel://u:hunter2@a,b", "lacks the name of the service"),
            ("redis-sentinel://u:hunter2@a/main/x", "must be a number"),
            ("redis-sentinel://u:hunter2@a/main?password=hunter2", "after ? only"),
            ("redis-cluster://u:hunter2@a/1", "no databases"),
            ("redis-cluster://u:hunter2@a,,b", "tokens.url"),
            ("memcached://u:hunter2@a", "must be redis://"),
            ("hunter2", "not a URL"),
        ];
        for (url, words) in refusals {
            let fault = read(url).err().unwrap();
            assert!(fault.contains(words) && !fault.contains("hunter2"), "{url}: {fault}");
        }
    }

    #[test]
    fn a_ca_file_must_hold_certificates() {
        let settings =
            Tokens { url: Secret::new("rediss://localhost"), ca_file: Some("Cargo.toml".into()), ..Tokens::default() };
        assert!(target(&settings).err().unwrap().contains("holds no PEM certificate"));
        let settings = Tokens { ca_file: Some("no-such-file".into()), ..settings };
        assert!(target(&settings).err().unwrap().contains("tokens.ca_file: no-such-file"));
    }
}

//! Settings of the foreign directory that people sign in from: Active Directory, or another that speaks LDAP.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::value::{List, Period, Secret, Setting, Shown};

settings! {
    /// Active Directory or another LDAP directory that people sign in from.
    Ldap("ldap.") {
        /// ldaps://HOST:PORT, or ldap://HOST:PORT which is turned into TLS (StartTLS) at once. Empty: not configured.
        url: Option<Url> = None;
        /// PEM certificates to trust, instead of the public ones.
        ca_file: Option<PathBuf> = None;
        /// NetBIOS name of the domain: DOMAIN in the user name DOMAIN\name. Empty: names have no domain.
        domain: Option<String> = None;
        /// DNS name of the domain: name@SUFFIX means DOMAIN\name.
        upn_suffix: Option<String> = None;
        /// Where people are searched.
        base_dn: String = String::new();
        /// Filter that finds one person; {name} is the escaped name without the domain.
        user_filter: String = "(&(objectClass=user)(sAMAccountName={name}))".to_owned();
        /// Account that searches before the bind of the person. Empty: the person is bound directly, then searched.
        bind_dn: Option<String> = None;
        /// Password of ldap.bind_dn.
        bind_password: Option<Secret> = None;
        /// File that holds ldap.bind_password.
        bind_password_file: Option<PathBuf> = None;
        /// DN of a person for the direct bind; {name} is the escaped name. Empty: DOMAIN\name is bound.
        user_dn: Option<String> = None;
        /// Groups to map, DIRECTORY GROUP=POOL GROUP each (by cn, or by whole DN); a person is in these exactly as there.
        groups: List<String> = List(Vec::new());
        /// Where groups named by cn are searched. Empty: ldap.base_dn.
        group_base_dn: Option<String> = None;
        /// Connections at most.
        connections: u32 = 8;
        /// Longest wait for a connection.
        connect_timeout: Period = Period::seconds(2);
        /// Longest wait for all answers to one sign-in; after that it is a 503.
        timeout: Period = Period::seconds(3);
    }
}

impl Ldap {
    /// Adds a line for everything that must not start.
    pub(super) fn check(&self, faults: &mut Vec<String>) {
        let Some(url) = &self.url else { return };
        let mut must = |holds: bool, fault: &str| {
            if !holds {
                faults.push(fault.to_owned());
            }
        };
        must(
            is_server(url),
            "ldap.url: must be ldaps://HOST:PORT or ldap://HOST:PORT, the host by name or IPv4 address",
        );
        must(!self.base_dn.is_empty(), "ldap.base_dn: needed with ldap.url, for example DC=corp,DC=example,DC=com");
        must(self.user_filter.contains("{name}"), "ldap.user_filter: must contain {name}");
        must(
            self.bind_dn.is_some() == self.bind_password.is_some(),
            "ldap.bind_dn and ldap.bind_password: set both or neither",
        );
        must(
            self.bind_password.as_ref().is_none_or(|password| !password.expose().is_empty()),
            "ldap.bind_password: must not be empty",
        );
        must(
            self.bind_dn.is_some() || self.domain.is_some() || self.user_dn.is_some(),
            "ldap.domain: needed for the direct bind; else set ldap.bind_dn or ldap.user_dn",
        );
        must(self.user_dn.as_ref().is_none_or(|dn| dn.contains("{name}")), "ldap.user_dn: must contain {name}");
        must(
            self.domain.as_ref().is_none_or(|domain| !domain.is_empty() && !domain.contains(['\\', '@'])),
            "ldap.domain: must be the NetBIOS name, such as CORP",
        );
        must(
            self.groups.iter().all(|mapping| mapped(mapping).is_some()),
            "ldap.groups: must be DIRECTORY GROUP=POOL GROUP each",
        );
        must(self.connections > 0, "ldap.connections: must be at least 1");
    }

    /// The group in the directory and the group of the pool of each mapping.
    pub fn mapped_groups(&self) -> impl Iterator<Item = (&str, &str)> {
        self.groups.iter().filter_map(|mapping| mapped(mapping))
    }
}

/// A URL that names a server and nothing else. An IPv6 address could not be held against a certificate.
fn is_server(url: &Url) -> bool {
    let host = url.host_str().is_some_and(|host| !host.is_empty() && !host.starts_with('['));
    let more = url.password().is_some() || !url.username().is_empty() || url.query().is_some();
    matches!(url.scheme(), "ldap" | "ldaps") && host && !more && matches!(url.path(), "" | "/")
}

/// A DN holds equals signs itself, so the last one divides.
fn mapped(mapping: &str) -> Option<(&str, &str)> {
    let (there, here) = mapping.rsplit_once('=')?;
    let (there, here) = (there.trim(), here.trim());
    (!there.is_empty() && !here.is_empty()).then_some((there, here))
}

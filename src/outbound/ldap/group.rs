//! Which groups of the pool a person is in because of groups in the directory.

use std::collections::BTreeSet;

use ldap3::{Scope, ldap_escape};

use super::connection::Connection;
use crate::config;
use crate::error::Cause;

/// LDAP_MATCHING_RULE_IN_CHAIN of Active Directory: members of members too. Elsewhere it matches nothing.
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// The mapping of groups.
pub(super) struct Groups {
    base: String,
    by_cn: Vec<Mapping>,
    by_dn: Vec<Mapping>,
}

struct Mapping {
    there: String,
    here: String,
}

impl Groups {
    /// Takes the settings.
    pub(super) fn new(settings: &config::Ldap) -> Self {
        let mappings = settings.mapped_groups();
        let mappings = mappings.map(|(there, here)| Mapping { there: there.to_owned(), here: here.to_owned() });
        let (by_dn, by_cn) = mappings.partition(|mapping| mapping.there.contains('='));
        Self { base: settings.group_base_dn.clone().unwrap_or_else(|| settings.base_dn.clone()), by_cn, by_dn }
    }

    /// The pool's groups that are mapped to.
    pub(super) fn of_pool(&self) -> impl Iterator<Item = &str> {
        self.by_cn.iter().chain(&self.by_dn).map(|mapping| mapping.here.as_str())
    }

    /// The pool's groups that the person with this DN is in.
    pub(super) async fn of(&self, connection: &mut Connection, dn: &str) -> Result<Vec<String>, Cause> {
        let member = member_filter(dn);
        let mut found = BTreeSet::new();
        if !self.by_cn.is_empty() {
            let filter = format!("(&{}{member})", any_cn(&self.by_cn));
            let names = connection.names(&self.base, Scope::Subtree, &filter).await?;
            let names: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
            let is_in = |mapping: &&Mapping| names.contains(&mapping.there.to_lowercase());
            found.extend(self.by_cn.iter().filter(is_in).map(|mapping| mapping.here.clone()));
        }
        for mapping in &self.by_dn {
            if !connection.names(&mapping.there, Scope::Base, &member).await?.is_empty() {
                found.insert(mapping.here.clone());
            }
        }
        Ok(found.into_iter().collect())
    }
}

fn any_cn(mappings: &[Mapping]) -> String {
    let each: String = mappings.iter().map(|mapping| format!("(cn={})", ldap_escape(&mapping.there))).collect();
    format!("(|{each})")
}

fn member_filter(dn: &str) -> String {
    let dn = ldap_escape(dn);
    format!("(|(member={dn})(member:{IN_CHAIN}:={dn})(uniqueMember={dn}))")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_hold_whatever_a_name_contains() {
        let dn = r"CN=O\, Neil (Ann) *,DC=corp";
        let escaped = r"CN=O\5c, Neil \28Ann\29 \2a,DC=corp";
        assert_eq!(
            member_filter(dn),
            format!("(|(member={escaped})(member:{IN_CHAIN}:={escaped})(uniqueMember={escaped}))")
        );
        assert!(ldap3::parse_filter(member_filter(dn)).is_ok());
        let sales = [Mapping { there: "Sales (North)".to_owned(), here: "sales".to_owned() }];
        assert_eq!(any_cn(&sales), r"(|(cn=Sales \28North\29))");
    }
}

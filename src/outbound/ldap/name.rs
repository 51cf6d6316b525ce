//! What people type for their name, and what it is here and there.

use crate::config;

/// An account of the directory by its two names.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The user's name in the pool: `DOMAIN\name`, or the bare name of a directory without domains.
    pub username: String,
    /// The name in the directory.
    pub name: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account([redacted])")
    }
}

/// How names of this directory look.
pub(super) struct Names {
    domain: Option<String>,
    suffix: Option<String>,
}

impl Names {
    /// Takes the settings.
    pub(super) fn new(settings: &config::Ldap) -> Self {
        Self { domain: settings.domain.clone(), suffix: settings.upn_suffix.clone() }
    }

    /// `DOMAIN\name`, `name@SUFFIX` and `name` mean the same account, whatever their case; another domain means none.
    pub(super) fn account(&self, typed: &str) -> Option<Account> {
        let name = match (typed.split_once('\\'), typed.rsplit_once('@')) {
            (Some((domain, name)), _) if same(self.domain.as_deref(), domain) => name,
            (Some(_), _) => return None,
            (None, Some((name, suffix))) if same(self.suffix.as_deref(), suffix) => name,
            // Where names have no domain, one may well be an address.
            (None, Some(_)) if self.domain.is_some() => return None,
            (None, _) => typed,
        };
        if name.is_empty() || name.contains('\\') {
            return None;
        }
        let username = match &self.domain {
            Some(domain) => format!("{domain}\\{name}"),
            None => name.to_owned(),
        };
        Some(Account { username, name: name.to_owned() })
    }
}

fn same(setting: Option<&str>, typed: &str) -> bool {
    setting.is_some_and(|setting| setting.to_lowercase() == typed.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn username(settings: (Option<&str>, Option<&str>), typed: &str) -> Option<String> {
        let names = Names { domain: settings.0.map(str::to_owned), suffix: settings.1.map(str::to_owned) };
        names.account(typed).map(|account| account.username)
    }

    #[test]
    fn every_way_to_write_a_name_means_one_account() {
        let corp = (Some("CORP"), Some("corp.example.test"));
        for typed in [r"CORP\alice", r"corp\alice", "alice", "alice@corp.example.test", "alice@CORP.example.test"] {
            assert_eq!(username(corp, typed).as_deref(), Some(r"CORP\alice"), "{typed}");
        }
        for nobody in [r"OTHER\alice", r"CORP\", r"CORP\a\b", r"\alice", "alice@other.test", "@corp.example.test", ""] {
            assert_eq!(username(corp, nobody), None, "{nobody}");
        }
    }

    #[test]
    fn without_a_domain_a_name_is_what_it_is() {
        for typed in ["alice", "alice@example.test"] {
            assert_eq!(username((None, None), typed).as_deref(), Some(typed));
        }
        assert_eq!(username((None, None), r"CORP\alice"), None);
    }
}

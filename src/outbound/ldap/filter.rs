//! Names inside filters and DNs, where half of the punctuation means something (P11).

use ldap3::{dn_escape, ldap_escape};

use crate::config;

const NAME: &str = "{name}";
/// What no account name of Active Directory contains: with these, what is bound could be another kind of name.
const NEVER_IN_ACCOUNT_NAMES: &str = "\"/\\[]:;|=,+*?<>@";

/// The filter that finds one person.
pub(super) struct Filter(String);

impl Filter {
    /// Takes the setting; the text of a fault is for the operator.
    pub(super) fn new(template: &str) -> Result<Self, String> {
        let filter = Self(template.to_owned());
        match ldap3::parse_filter(filter.of("name")) {
            Ok(_) => Ok(filter),
            Err(()) => Err("ldap.user_filter: is not a filter in the form of RFC 4515".to_owned()),
        }
    }

    /// The filter for this name, escaped by RFC 4515 §3.
    pub(super) fn of(&self, name: &str) -> String {
        self.0.replace(NAME, &ldap_escape(name))
    }
}

/// What a person is bound as before he has been searched.
pub(super) enum UserDn {
    /// A DN with the name in it.
    Template(String),
    /// DOMAIN\name, which Active Directory takes in place of a DN.
    Domain(String),
}

impl UserDn {
    /// Takes the settings.
    pub(super) fn new(settings: &config::Ldap) -> Self {
        match &settings.user_dn {
            Some(template) => Self::Template(template.clone()),
            None => Self::Domain(settings.domain.clone().unwrap_or_default()),
        }
    }

    /// Whether this can be somebody's name.
    pub(super) fn allows(&self, name: &str) -> bool {
        match self {
            Self::Template(_) => true,
            Self::Domain(_) => !name.contains(|character| NEVER_IN_ACCOUNT_NAMES.contains(character)),
        }
    }

    /// What to bind for this name; in a DN it is escaped by RFC 4514 §2.4.
    pub(super) fn of(&self, name: &str) -> String {
        match self {
            Self::Template(template) => template.replace(NAME, &dn_escape(name)),
            Self::Domain(domain) => format!("{domain}\\{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_changes_the_filter_or_the_dn_around_it() {
        // P11
        let filter = Filter::new("(&(objectClass=user)(sAMAccountName={name}))").unwrap();
        for (name, escaped) in [
            ("alice", "alice"),
            ("*", r"\2a"),
            (")(cn=*", r"\29\28cn=\2a"),
            (r"a\2a", r"a\5c2a"),
            ("a\0", r"a\00"),
            ("アリス", "アリス"),
            ("{name}", "{name}"),
        ] {
            assert_eq!(filter.of(name), format!("(&(objectClass=user)(sAMAccountName={escaped}))"), "{name}");
        }
        assert!(Filter::new("(uid={name}").is_err());
        let dn = UserDn::Template("uid={name},ou=people".to_owned());
        for (name, escaped) in [
            ("alice", "alice"),
            ("alice,ou=admins", r"alice\2cou\3dadmins"),
            ("a+b=c", r"a\2bb\3dc"),
            (" a#\\ ", r"\20a#\5c\20"),
            ("#a", r"\23a"),
            ("\"<a>;", r"\22\3ca\3e\3b"),
        ] {
            assert_eq!(dn.of(name), format!("uid={escaped},ou=people"), "{name}");
        }
    }

    #[test]
    fn a_domain_name_is_bound_only_with_a_name_that_an_account_can_have() {
        let domain = UserDn::Domain("CORP".to_owned());
        assert_eq!(domain.of("alice"), r"CORP\alice");
        assert!(domain.allows("alice.o'neil-1_$") && domain.allows("алиса") && domain.allows("a b"));
        for refused in ["alice@other.test", "a/b", r"a\b", "a=b", "a*", "a,b"] {
            assert!(!domain.allows(refused), "{refused}");
        }
    }
}

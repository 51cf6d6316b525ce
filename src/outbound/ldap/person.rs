//! A person as the directory describes him.

use ldap3::SearchEntry;
use uuid::Uuid;

use crate::error::Cause;

const LONGEST_VALUE: usize = 256;

/// A person of the directory.
#[derive(Clone)]
pub struct Person {
    /// Where he is now; changes when he is renamed or moved.
    pub(super) dn: String,
    /// Who he is, for ever: objectGUID or entryUUID, in hex.
    pub id: String,
    /// First name.
    pub given_name: Option<String>,
    /// Last name.
    pub family_name: Option<String>,
    /// Whole name.
    pub name: Option<String>,
    /// Address.
    pub email: Option<String>,
    /// The pool's groups that follow a group he is in.
    pub groups: Vec<String>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person([redacted])")
    }
}

impl Person {
    /// What is read of a person.
    pub(super) const ATTRIBUTES: [&str; 6] = ["objectGUID", "entryUUID", "givenName", "sn", "displayName", "mail"];

    /// Reads an entry; one without an id that lasts is of no use.
    pub(super) fn read(entry: SearchEntry) -> Result<Self, Cause> {
        let id = id(&entry).ok_or("the directory gives neither objectGUID nor entryUUID of a person")?;
        Ok(Self {
            id,
            given_name: text(&entry, "givenName"),
            family_name: text(&entry, "sn"),
            name: text(&entry, "displayName"),
            email: text(&entry, "mail"),
            groups: Vec::new(),
            dn: entry.dn,
        })
    }
}

fn id(entry: &SearchEntry) -> Option<String> {
    let guid = bytes(entry, "objectGUID").filter(|guid| guid.len() == 16).map(hex::encode);
    guid.or_else(|| Some(Uuid::parse_str(&text(entry, "entryUUID")?).ok()?.simple().to_string()))
}

/// Bytes that happen to be UTF-8 are found among the texts.
fn bytes<'a>(entry: &'a SearchEntry, name: &str) -> Option<&'a [u8]> {
    let binary = entry.bin_attrs.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
    let binary = binary.and_then(|(_, values)| values.first()).map(Vec::as_slice);
    binary.or_else(|| first(entry, name).map(str::as_bytes))
}

fn first<'a>(entry: &'a SearchEntry, name: &str) -> Option<&'a str> {
    let (_, values) = entry.attrs.iter().find(|(found, _)| found.eq_ignore_ascii_case(name))?;
    values.first().map(String::as_str)
}

/// The first value, if it is a line of text.
fn text(entry: &SearchEntry, name: &str) -> Option<String> {
    let value = first(entry, name)?.trim();
    let fine = !value.is_empty() && value.chars().count() <= LONGEST_VALUE && !value.contains(char::is_control);
    fine.then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn entry(texts: &[(&str, &str)], binary: &[(&str, &[u8])]) -> SearchEntry {
        SearchEntry {
            dn: "CN=Alice,DC=corp".to_owned(),
            attrs: texts.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect(),
            bin_attrs: HashMap::from_iter(
                binary.iter().map(|(name, value)| ((*name).to_owned(), vec![value.to_vec()])),
            ),
        }
    }

    #[test]
    fn the_id_is_the_same_whether_its_bytes_look_like_text_or_not() {
        let id = |entry| Person::read(entry).ok().map(|person| person.id);
        let guid = [0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let found = id(entry(&[], &[("objectGUID", &guid)]));
        assert_eq!(found.as_deref(), Some("ff0102030405060708090a0b0c0d0e0f"));
        let found = id(entry(&[("objectguid", "0123456789abcdef")], &[]));
        assert_eq!(found.as_deref(), Some("30313233343536373839616263646566"));
        let found = id(entry(&[("entryUUID", "597AE2F6-16A6-1027-98F4-D28B5365DC14")], &[]));
        assert_eq!(found.as_deref(), Some("597ae2f616a6102798f4d28b5365dc14"));
        assert_eq!(id(entry(&[("objectGUID", "short"), ("entryUUID", "none")], &[])), None);
    }
}

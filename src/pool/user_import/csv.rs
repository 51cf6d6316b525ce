//! Cognito's import format: a line of names, then a line a user; no quotes, a comma in a value is written `\,` and a
//! backslash `\\`, and values lose the blanks around them (contract cognito (h), Import).

use std::collections::BTreeSet;

use super::super::schema::Schema;
use super::super::schema::is_standard;

/// Characters of a line.
pub const LONGEST_ROW: usize = 16_000;
/// Where a job that names an algorithm finds the hashes.
pub const PASSWORD_HASH: &str = "cognito:password_hash";
pub(super) const USERNAME: &str = "cognito:username";
pub(super) const MFA_ENABLED: &str = "cognito:mfa_enabled";

/// The names of a pool's columns, in Cognito's order: the username, the standard attributes, whether he has a second
/// factor, the pool's own.
pub fn header(schema: &Schema) -> Vec<String> {
    let names = schema.attributes().into_iter().map(|attribute| attribute.name).filter(|name| name != "sub");
    let (standard, own): (Vec<_>, Vec<_>) = names.partition(|name| is_standard(name));
    let username = std::iter::once(USERNAME.to_owned());
    username.chain(standard).chain([MFA_ENABLED.to_owned()]).chain(own).collect()
}

/// What stands between the commas of a line.
pub(super) fn split(line: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let escaped = letters.next_if(|next| letter == '\\' && matches!(next, ',' | '\\'));
        match values.last_mut() {
            _ if letter == ',' => values.push(String::new()),
            Some(value) => value.push(escaped.unwrap_or(letter)),
            None => {}
        }
    }
    values.iter().map(|value| value.trim().to_owned()).collect()
}

/// A line of these values. The format knows no line break in a value: it becomes a blank.
pub fn join<'v>(values: impl IntoIterator<Item = &'v str>) -> String {
    let plain = |value: &str| value.replace('\\', "\\\\").replace(',', "\\,").replace(['\r', '\n'], " ");
    values.into_iter().map(plain).collect::<Vec<_>>().join(",")
}

/// The columns of a file, in its order.
pub(super) struct Columns(Vec<String>);

impl Columns {
    /// Reads the first line: every column of the pool must be there, and the hashes where the job has an algorithm.
    pub fn read(line: &str, wanted: &[String], hashes: bool) -> Result<Self, &'static str> {
        if line.starts_with('\u{feff}') {
            return Err("The file begins with a byte order mark. It must be UTF-8 without one.");
        }
        let names: Vec<String> = split(line).into_iter().map(plain_name).collect();
        let found: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let mut all: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
        if hashes {
            all.insert(PASSWORD_HASH);
        }
        if found.len() < names.len() || found != all {
            return Err("The header of the file is not the one of the user pool (GetCSVHeader).");
        }
        Ok(Self(names))
    }

    /// Names and values of a line. Errors: it has more or fewer values.
    pub fn row(&self, line: &str) -> Result<Vec<(String, String)>, String> {
        let values = split(line);
        if values.len() != self.0.len() {
            return Err(format!("The row has {} values, but the header has {}.", values.len(), self.0.len()));
        }
        Ok(self.0.iter().cloned().zip(values).collect())
    }
}

/// `cognate users import` calls it by the short name.
fn plain_name(name: String) -> String {
    if name == "password_hash" { PASSWORD_HASH.to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_commas_that_no_backslash_precedes() {
        assert_eq!(split("ann, Ann B. ,,x"), ["ann", "Ann B.", "", "x"]);
        assert_eq!(split(r"ann,Street 1\, Town,a\\,b\n"), ["ann", "Street 1, Town", r"a\", r"b\n"]);
        assert_eq!(split(r#""ann","b\"#), [r#""ann""#, r#""b\"#]);
        assert_eq!(split(""), [""]);
        assert_eq!(split(","), ["", ""]);
    }

    #[test]
    fn what_was_joined_is_split_as_it_was() {
        let values = ["ann", r"C:\dir, or \,", "", "你好"];
        assert_eq!(split(&join(values)), values);
        assert_eq!(join(["1 Street\nTown"]), "1 Street Town");
    }

    #[test]
    fn the_columns_are_cognitos_and_the_pools_own() {
        let wanted = "cognito:username,name,given_name,family_name,middle_name,nickname,preferred_username,profile,\
                      picture,website,email,email_verified,gender,birthdate,zoneinfo,locale,phone_number,\
                      phone_number_verified,address,updated_at,cognito:mfa_enabled";
        assert_eq!(header(&Schema::default()).join(","), wanted);
    }

    #[test]
    fn columns_come_in_any_order_and_all_of_them() {
        let wanted = ["cognito:username", "email", "name"].map(str::to_owned);
        let read = |line: &str, hashes: bool| Columns::read(line, &wanted, hashes);
        assert!(read("name, cognito:username ,email", false).is_ok());
        let row = read("name,cognito:username,email", false).unwrap().row("Ann,ann,").unwrap();
        assert_eq!(row[0], ("name".to_owned(), "Ann".to_owned()));
        for line in ["cognito:username,email", "cognito:username,email,name,name", "cognito:username,email,name,x", ""]
        {
            assert!(read(line, false).is_err(), "{line}");
        }
        let mark = "\u{feff}name,cognito:username,email";
        assert!(read(mark, false).err().unwrap().contains("byte order mark"));
        assert!(read("name,cognito:username,email", true).is_err());
        assert!(read("name,cognito:username,email,cognito:password_hash", false).is_err());
        for name in ["cognito:password_hash", "password_hash"] {
            assert!(read(&format!("name,cognito:username,email,{name}"), true).is_ok());
        }
        let short = read("name,cognito:username,email", false).unwrap().row("Ann,ann");
        assert_eq!(short.unwrap_err(), "The row has 2 values, but the header has 3.");
    }
}

//! What a list of users is filtered by: Cognito's grammar of one comparison (contract cognito (h), ListUsers Filter).

use super::name::folded;
use super::{Page, PageOf, Pool};
use crate::error::Error;
use crate::store::directory::{Search, SearchField, User, UserStatus};

const LONGEST: usize = 256;
const STATUSES: [UserStatus; 5] = [
    UserStatus::Unconfirmed,
    UserStatus::Confirmed,
    UserStatus::ResetRequired,
    UserStatus::ForceChangePassword,
    UserStatus::ExternalProvider,
];

/// One comparison: `email ^= "ann"`.
#[derive(Debug, PartialEq, Eq)]
struct Comparison<'a> {
    attribute: &'a str,
    prefix: bool,
    value: String,
}

/// Whom a filter lets through.
#[derive(Debug, PartialEq, Eq)]
enum Filter {
    Everybody,
    Nobody,
    Found(Search),
}

impl Pool {
    /// One page of the users that a filter lets through, in the order of their making; an empty filter lets everybody.
    ///
    /// Errors: `InvalidParameter` (the filter, or a token that is not of this list), `Unavailable`.
    pub async fn user_page(&self, filter: &str, page: PageOf<'_>) -> Result<Page<User>, Error> {
        let chosen = read(filter, self.settings.case_sensitive)?;
        let query = ["users", filter];
        let after = self.position(&query, page.token)?.unwrap_or(0);
        let (directory, count) = (&self.ports.directory, page.size_and_one());
        let found = match &chosen {
            Filter::Everybody => directory.users(self.id(), after, count).await?,
            Filter::Nobody => Vec::new(),
            Filter::Found(search) => directory.search_users(self.id(), search, after, count).await?,
        };
        self.cut(found, page.size(), &query, |user| user.id)
    }
}

fn read(text: &str, case_sensitive: bool) -> Result<Filter, Error> {
    if text.trim().is_empty() {
        return Ok(Filter::Everybody);
    }
    let Comparison { attribute, prefix, value } =
        parse(text).ok_or_else(|| Error::invalid("Error", "while parsing filter."))?;
    if value.contains('\0') {
        return Ok(Filter::Nobody);
    }
    let found = |field, value| Ok(Filter::Found(Search { field, value, prefix }));
    match attribute {
        "username" if case_sensitive => found(SearchField::Username, value),
        "username" => found(SearchField::Username, folded(&value)),
        "email" => found(SearchField::Email, value.to_ascii_lowercase()),
        "phone_number" => found(SearchField::PhoneNumber, value),
        "sub" => found(SearchField::Sub, value),
        "name" => found(SearchField::Name, value),
        "given_name" => found(SearchField::GivenName, value),
        "family_name" => found(SearchField::FamilyName, value),
        "preferred_username" => found(SearchField::PreferredUsername, value),
        "status" => Ok(one_of([("Enabled", "1"), ("Disabled", "0")], &value, prefix, SearchField::Enabled)),
        "cognito:user_status" => {
            let statuses = STATUSES.map(|status| (status.as_str(), status.as_str()));
            Ok(one_of(statuses, &value.to_ascii_uppercase(), prefix, SearchField::Status))
        }
        _ => Err(Error::invalid("Invalid", format!("search attribute: {attribute}"))),
    }
}

/// A value out of few, as it is kept. No two begin alike, so a beginning means one, or all of them.
fn one_of<const N: usize>(known: [(&str, &str); N], value: &str, prefix: bool, field: SearchField) -> Filter {
    if prefix && value.is_empty() {
        return Filter::Everybody;
    }
    let meant = known.iter().find(|(name, _)| if prefix { name.starts_with(value) } else { *name == value });
    meant.map_or(Filter::Nobody, |(_, kept)| Filter::Found(Search { field, value: (*kept).to_owned(), prefix: false }))
}

fn parse(text: &str) -> Option<Comparison<'_>> {
    if text.chars().count() > LONGEST {
        return None;
    }
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_lowercase() || matches!(c, '_' | ':')))?;
    let (attribute, rest) = text.split_at_checked(end).filter(|(attribute, _)| !attribute.is_empty())?;
    let rest = rest.trim_start();
    let begins = rest.strip_prefix("^=");
    let value = begins.or_else(|| rest.strip_prefix('='))?.trim_start();
    let value = unquoted(value.strip_prefix('"')?)?;
    Some(Comparison { attribute, prefix: begins.is_some(), value })
}

/// What stands before the closing quote, which must be the end; a backslash takes the next character as it is.
fn unquoted(text: &str) -> Option<String> {
    let (mut value, mut letters) = (String::new(), text.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return letters.next().is_none().then_some(value),
            '\\' => value.push(letters.next()?),
            _ => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(field: SearchField, value: &str, prefix: bool) -> Filter {
        Filter::Found(Search { field, value: value.to_owned(), prefix })
    }

    #[test]
    fn a_filter_is_one_comparison_with_a_quoted_value() {
        for (text, filter) in [
            ("", Filter::Everybody),
            ("  ", Filter::Everybody),
            (r#"username = "Ann""#, search(SearchField::Username, "ann", false)),
            (r#" username^="AN" "#, search(SearchField::Username, "an", true)),
            (r#"email="Ann@Example.test""#, search(SearchField::Email, "ann@example.test", false)),
            (r#"phone_number ^= "+4930""#, search(SearchField::PhoneNumber, "+4930", true)),
            (r#"name = "A \"B\" \\ C""#, search(SearchField::Name, r#"A "B" \ C"#, false)),
            (r#"given_name = """#, search(SearchField::GivenName, "", false)),
            (r#"status = "Enabled""#, search(SearchField::Enabled, "1", false)),
            (r#"status ^= "Dis""#, search(SearchField::Enabled, "0", false)),
            (r#"status = "enabled""#, Filter::Nobody),
            (r#"status ^= """#, Filter::Everybody),
            (
                r#"cognito:user_status = "force_change_password""#,
                search(SearchField::Status, "FORCE_CHANGE_PASSWORD", false),
            ),
            (r#"cognito:user_status ^= "con""#, search(SearchField::Status, "CONFIRMED", false)),
            (r#"cognito:user_status = "con""#, Filter::Nobody),
            ("sub = \"a\0\"", Filter::Nobody),
        ] {
            assert_eq!(read(text, false).unwrap(), filter, "{text}");
        }
        assert_eq!(read(r#"username = "Ann""#, true).unwrap(), search(SearchField::Username, "Ann", false));
    }

    #[test]
    fn what_is_no_comparison_or_of_no_searchable_attribute_is_refused() {
        for (text, reason) in [
            ("email", "Error while parsing filter."),
            ("email = ann", "Error while parsing filter."),
            (r#"email = "ann"#, "Error while parsing filter."),
            (r#"email = "ann" and sub = "x""#, "Error while parsing filter."),
            (r#"email = "ann\"#, "Error while parsing filter."),
            (r#"email != "ann""#, "Error while parsing filter."),
            (r#"= "ann""#, "Error while parsing filter."),
            (r#"custom:Foo = "ann""#, "Error while parsing filter."),
            (r#"custom:foo = "ann""#, "Invalid search attribute: custom:foo"),
            (r#"address = "ann""#, "Invalid search attribute: address"),
        ] {
            assert_eq!(read(text, false).unwrap_err().to_string(), reason, "{text}");
        }
        assert!(read(&format!(r#"name = "{}""#, "x".repeat(250)), false).is_err());
    }
}

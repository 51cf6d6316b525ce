//! Users searched by one of their names, addresses or standings, each over an index of its own (migration 0005).
//! What is searched for is shorter than the 512 characters that the index has of an attribute.

use sqlx::AnyConnection;

use super::fault::Fault;
use super::lookups::{gather, select};
use super::spelling::Spelling;
use crate::store::directory::{Search, SearchField, User};

/// Sorts after whatever begins with a text, when put behind it: the last code point there is.
const LAST: char = char::MAX;

/// Users of a pool (`$1`) with an id above `$3`, at most `$4`.
macro_rules! found_by {
    ($where:expr) => {
        select!(
            "",
            concat!("(SELECT * FROM users WHERE pool = $1 AND ", $where, " AND id > $3 ORDER BY id LIMIT $4)"),
            "ORDER BY u.id"
        )
    };
}

/// Those whose text is `$2`, and those whose text is between `$2` and `$5`.
macro_rules! found_by_text {
    ($text:expr) => {
        [
            found_by!(concat!($text, " COLLATE {bytes} = $2")),
            found_by!(concat!($text, " COLLATE {bytes} >= $2 AND ", $text, " COLLATE {bytes} <= $5")),
        ]
    };
}

/// What is searched by, as statements: for what it is, and for what it begins with.
const fn statements(field: SearchField) -> [&'static str; 2] {
    match field {
        SearchField::Username => found_by_text!("username_key"),
        SearchField::Email => found_by_text!("email_key"),
        SearchField::PhoneNumber => found_by_text!("phone"),
        SearchField::Sub => {
            [found_by!("sub = $2"), found_by!("sub COLLATE {bytes} >= $2 AND sub COLLATE {bytes} <= $5")]
        }
        SearchField::Status => found_by_text!("status"),
        SearchField::Enabled => found_by_text!("CAST(enabled AS TEXT)"),
        SearchField::Name => found_by_text!("SUBSTR({attributes} ->> 'name', 1, 512)"),
        SearchField::GivenName => found_by_text!("SUBSTR({attributes} ->> 'given_name', 1, 512)"),
        SearchField::FamilyName => found_by_text!("SUBSTR({attributes} ->> 'family_name', 1, 512)"),
        SearchField::PreferredUsername => found_by_text!("SUBSTR({attributes} ->> 'preferred_username', 1, 512)"),
    }
}

/// One page of whom a search finds.
pub(super) async fn page(
    connection: &mut AnyConnection,
    pool: &str,
    search: &Search,
    after: i64,
    limit: u32,
) -> Result<Vec<User>, Fault> {
    let [is, begins] = statements(search.field);
    let statement = Spelling::of(connection).spell(if search.prefix { begins } else { is });
    let mut query = sqlx::query(statement).bind(pool).bind(&search.value).bind(after).bind(i64::from(limit));
    if search.prefix {
        query = query.bind(format!("{}{LAST}", search.value));
    }
    gather(&query.fetch_all(connection).await?)
}

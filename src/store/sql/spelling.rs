//! The two words of the SQL that the databases spell differently: `{bytes}`, the collation that compares bytes, and
//! `{attributes}`, a user's attributes as JSON.

use sqlx::{AnyConnection, AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// How one database spells them.
#[derive(Clone, Copy)]
pub(super) struct Spelling {
    bytes: &'static str,
    attributes: &'static str,
}

const SQLITE: Spelling = Spelling { bytes: "BINARY", attributes: "attributes" };
const POSTGRES: Spelling = Spelling { bytes: "\"C\"", attributes: "CAST(attributes AS jsonb)" };

impl Spelling {
    /// The spelling of the database that is connected.
    pub(super) fn of(connection: &AnyConnection) -> Self {
        if connection.backend_name() == "SQLite" { SQLITE } else { POSTGRES }
    }

    /// A text of the program's own as this database reads it.
    pub(super) fn spell(self, text: &str) -> SqlStr {
        let text = text.replace("{bytes}", self.bytes).replace("{attributes}", self.attributes);
        AssertSqlSafe(text).into_sql_str()
    }
}

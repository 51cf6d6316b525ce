//! Groups of users in the Directory: the records that cross the port.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A group of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The pool's id.
    pub pool: String,
    /// Its name, unique in the pool.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Lower wins; `i64::MAX` when none was given.
    pub precedence: i64,
    /// The role that its members prefer, as a name (Cognito's RoleArn).
    pub role_arn: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a group is changed to; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct GroupChange {
    /// What it is for.
    pub description: Option<String>,
    /// Lower wins.
    pub precedence: Option<i64>,
    /// The role that its members prefer.
    pub role_arn: Option<String>,
}

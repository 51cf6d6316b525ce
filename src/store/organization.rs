//! Organizations in the Directory: the records that cross the port.

use serde::Serialize;

use super::directory::User;
use crate::clock::Timestamp;

/// What a member may do in an organization, with the numbers that the pm415 API knows roles by (contract seeds §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Role {
    /// Invites others.
    Admin = 1,
    /// Belongs to it.
    Member = 2,
    /// Accepted an invitation; nobody has let him in yet.
    Pending = 3,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Member, Self::Pending];

    /// Its number.
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The role with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.number() == number)
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::Member => "Member",
            Self::Pending => "Pending",
        }
    }
}

/// A group of users that rules itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Given by the store at creation, unique in the Directory.
    pub id: i64,
    /// The pool's id.
    pub pool: String,
    /// The name as it is shown (NFC).
    pub name: String,
    /// The name as it is compared; unique in the pool.
    pub name_key: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An organization that a user belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The organization.
    pub organization: Organization,
    /// What he may do there.
    pub role: Role,
}

/// A user who belongs to an organization.
#[derive(Debug, Clone)]
pub struct Member {
    /// The user.
    pub user: User,
    /// What he may do there.
    pub role: Role,
}

/// What a new user joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joining {
    /// A new organization, as its administrator.
    New {
        /// The name as it is shown.
        name: String,
        /// The name as it is compared.
        name_key: String,
    },
    /// One that is there.
    Existing {
        /// Its id.
        organization: i64,
        /// What he may do there.
        role: Role,
    },
}

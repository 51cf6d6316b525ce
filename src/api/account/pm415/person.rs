//! A user as pm415 shows one.

use serde::Serialize;

use crate::error::Error;
use crate::pool::{Membership, Pool, Role, User};

/// A user and where he belongs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct Person<'a> {
    id: i64,
    email: Option<&'a str>,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    organizations: Vec<Belonging<'a>>,
}

/// An organization of his.
#[derive(Serialize)]
pub(in crate::api) struct Belonging<'a> {
    id: i64,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<[Rank; 1]>,
}

#[derive(Serialize)]
struct Rank {
    id: i64,
    role: &'static str,
}

impl<'a> Belonging<'a> {
    /// The organization without what he is there.
    pub(in crate::api) fn plain(membership: &'a Membership) -> Self {
        Self { id: membership.organization.id, name: &membership.organization.name, roles: None }
    }

    fn with_role(membership: &'a Membership) -> Self {
        let rank = |role: Role| Rank { id: role.number(), role: role.as_str() };
        Self { roles: Some([rank(membership.role)]), ..Self::plain(membership) }
    }
}

impl<'a> Person<'a> {
    /// As a sign-in shows him.
    pub(super) fn signed_in(pool: &Pool, user: &'a User, memberships: &'a [Membership]) -> Self {
        Self::new(pool, user, memberships.iter().map(Belonging::plain).collect())
    }

    /// As he sees himself, with his roles.
    pub(in crate::api) fn with_roles(pool: &Pool, user: &'a User, memberships: &'a [Membership]) -> Self {
        Self::new(pool, user, memberships.iter().map(Belonging::with_role).collect())
    }

    fn new(pool: &Pool, user: &'a User, organizations: Vec<Belonging<'a>>) -> Self {
        let attribute = |name| user.attributes.get(name).map(String::as_str);
        Self {
            id: pool.public_id(user),
            email: user.email.as_deref(),
            first_name: attribute("given_name"),
            last_name: attribute("family_name"),
            organizations,
        }
    }
}

/// A body of an answer.
pub(in crate::api) fn json(body: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(body).map_err(Error::internal)
}

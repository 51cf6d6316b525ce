//! Groups: named sets of users that tokens carry as `cognito:groups`.

use super::Pool;
use super::name::Username;
use crate::error::{Error, Kind};
use crate::store::directory::Group;

const LONGEST_DESCRIPTION: usize = 2048;

/// A group to be made.
pub struct NewGroup {
    /// Its name, 1 to 128 characters.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Lower wins; none stands behind all others.
    pub precedence: Option<i64>,
}

impl Pool {
    /// Makes a group. Errors: `InvalidParameter`, `Exists(Group)`, `Unavailable`.
    pub async fn create_group(&self, draft: NewGroup) -> Result<Group, Error> {
        // What makes a username readable makes a group's name so.
        let name = Username::parse(&draft.name).map_err(|_| Error::invalid("group", "is not a valid name"))?.shown;
        if draft.precedence.is_some_and(i64::is_negative) {
            return Err(Error::invalid("precedence", "must not be negative"));
        }
        if draft.description.as_ref().is_some_and(|text| text.len() > LONGEST_DESCRIPTION || text.contains('\0')) {
            return Err(Error::invalid("description", "must be at most 2048 bytes without NUL"));
        }
        let group = Group {
            pool: self.id().to_owned(),
            name,
            description: draft.description,
            precedence: draft.precedence.unwrap_or(i64::MAX),
            created_at: self.now(),
        };
        self.ports.directory.create_group(&group).await?;
        Ok(group)
    }

    pub(super) async fn create_group_if_absent(&self, name: &str) -> Result<(), Error> {
        let draft = NewGroup { name: name.to_owned(), description: None, precedence: None };
        match self.create_group(draft).await {
            Ok(_) | Err(Error::Exists(Kind::Group)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// All groups by precedence, then name.
    pub async fn groups(&self) -> Result<Vec<Group>, Error> {
        self.ports.directory.groups(self.id()).await
    }

    /// Deletes a group and its memberships.
    pub async fn delete_group(&self, name: &str) -> Result<(), Error> {
        if self.ports.directory.delete_group(self.id(), name).await? {
            Ok(())
        } else {
            Err(Error::NotFound(Kind::Group))
        }
    }

    /// Adds a user; adding twice succeeds.
    pub async fn add_to_group(&self, group: &str, user: &str) -> Result<(), Error> {
        let sub = self.find_user(user).await?.sub;
        self.ports.directory.add_to_group(self.id(), group, sub).await
    }

    /// Removes a user; removing an absent one succeeds.
    pub async fn remove_from_group(&self, group: &str, user: &str) -> Result<(), Error> {
        let sub = self.find_user(user).await?.sub;
        self.ports.directory.remove_from_group(self.id(), group, sub).await
    }
}

//! Organizations: groups of users that rule themselves. People make and join them by signing up; an operator looks
//! after them.

use super::Pool;
use super::name::OrganizationName;
use crate::error::{Error, Kind};
use crate::store::directory::User;
use crate::store::organization::{Member, Membership, Organization, Role};

impl Pool {
    /// What the user belongs to, in the order of making.
    pub async fn memberships(&self, user: &User) -> Result<Vec<Membership>, Error> {
        self.ports.directory.memberships(self.id(), user.sub).await
    }

    /// The organization with this id. Errors: `NotFound(Organization)`, `Unavailable`.
    pub async fn organization(&self, id: i64) -> Result<Organization, Error> {
        let found = self.ports.directory.organization(self.id(), id).await?;
        found.ok_or(Error::NotFound(Kind::Organization))
    }

    /// The organization with this name. Errors: `NotFound(Organization)`, `Unavailable`.
    pub async fn organization_by_name(&self, name: &str) -> Result<Organization, Error> {
        let missing = || Error::NotFound(Kind::Organization);
        let name = OrganizationName::parse(name).map_err(|_| missing())?;
        self.ports.directory.organization_by_name(self.id(), &name.key).await?.ok_or_else(missing)
    }

    /// Organizations in the order of their making, at most `limit` after the one with the id `after`.
    pub async fn organizations(&self, after: i64, limit: u32) -> Result<Vec<Organization>, Error> {
        self.ports.directory.organizations(self.id(), after, limit).await
    }

    /// The members of an organization. Errors: `NotFound(Organization)`, `Unavailable`.
    pub async fn members(&self, organization: i64) -> Result<Vec<Member>, Error> {
        self.organization(organization).await?;
        self.ports.directory.members(self.id(), organization).await
    }

    /// Changes what a member may do. Errors: `UserNotFound` when he is none, `Unavailable`.
    pub async fn change_role(&self, organization: i64, user: &str, role: Role) -> Result<(), Error> {
        let sub = self.find_user(user).await?.sub;
        let changed = self.ports.directory.change_role(self.id(), organization, sub, role).await?;
        if changed { Ok(()) } else { Err(Error::UserNotFound) }
    }

    /// Takes a member out. Errors: `UserNotFound` when he is none, `Unavailable`.
    pub async fn leave_organization(&self, organization: i64, user: &str) -> Result<(), Error> {
        let sub = self.find_user(user).await?.sub;
        let left = self.ports.directory.leave_organization(self.id(), organization, sub).await?;
        if left { Ok(()) } else { Err(Error::UserNotFound) }
    }

    /// Deletes an organization; its members stay as users. Errors: `NotFound(Organization)`, `Unavailable`.
    pub async fn delete_organization(&self, id: i64) -> Result<(), Error> {
        let deleted = self.ports.directory.delete_organization(self.id(), id).await?;
        if deleted { Ok(()) } else { Err(Error::NotFound(Kind::Organization)) }
    }
}

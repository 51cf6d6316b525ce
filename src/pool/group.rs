//! Groups: named sets of users that tokens carry as `cognito:groups`.

use super::Pool;
use super::name::Username;
use super::page::{Page, PageOf};
use crate::error::{Error, Kind};
use crate::store::directory::{Group, GroupChange, User};

const LONGEST_DESCRIPTION: usize = 2048;

/// A group to be made.
#[derive(Default)]
pub struct NewGroup {
    /// Its name, 1 to 128 characters.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Lower wins; none stands behind all others.
    pub precedence: Option<i64>,
    /// The role that its members prefer, as a name (Cognito's RoleArn).
    pub role_arn: Option<String>,
}

impl Pool {
    /// Makes a group. Errors: `InvalidParameter`, `Exists(Group)`, `Unavailable`.
    pub async fn create_group(&self, draft: NewGroup) -> Result<Group, Error> {
        // What makes a username readable makes a group's name so.
        let name = Username::parse(&draft.name).map_err(|_| Error::invalid("group", "is not a valid name"))?.shown;
        let NewGroup { description, precedence, role_arn, .. } = draft;
        let change = GroupChange { description, precedence, role_arn };
        check(&change)?;
        let now = self.now();
        let group = Group {
            pool: self.id().to_owned(),
            name,
            description: change.description,
            precedence: change.precedence.unwrap_or(i64::MAX),
            role_arn: change.role_arn,
            created_at: now,
            updated_at: now,
        };
        self.ports.directory.create_group(&group).await?;
        Ok(group)
    }

    pub(super) async fn create_group_if_absent(&self, name: &str) -> Result<(), Error> {
        let draft = NewGroup { name: name.to_owned(), ..NewGroup::default() };
        match self.create_group(draft).await {
            Ok(_) | Err(Error::Exists(Kind::Group)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// All groups by precedence, then name.
    pub async fn groups(&self) -> Result<Vec<Group>, Error> {
        self.ports.directory.groups(self.id()).await
    }

    /// The group of this name. Errors: `NotFound(Group)`, `Unavailable`.
    pub async fn group(&self, name: &str) -> Result<Group, Error> {
        self.ports.directory.group(self.id(), name).await?.ok_or(Error::NotFound(Kind::Group))
    }

    /// Changes what is given of a group. Errors: `InvalidParameter`, `NotFound(Group)`, `Unavailable`.
    pub async fn update_group(&self, name: &str, change: &GroupChange) -> Result<Group, Error> {
        check(change)?;
        let changed = self.ports.directory.update_group(self.id(), name, change, self.now()).await?;
        changed.ok_or(Error::NotFound(Kind::Group))
    }

    /// One page of all groups, or of those of one user, by precedence, then name. Errors: `InvalidParameter` for a
    /// token that is not of this list, `Unavailable`.
    pub async fn group_page(&self, of: Option<&User>, page: PageOf<'_>) -> Result<Page<Group>, Error> {
        let list = of.map_or_else(String::new, |user| user.sub.to_string());
        let query = ["groups", list.as_str()];
        let after: Option<(i64, String)> = self.position(&query, page.token)?;
        let place = |group: &Group| (group.precedence, group.name.clone());
        let mut groups = self.groups().await?;
        groups.retain(|group| of.is_none_or(|user| user.groups.contains(&group.name)));
        groups.retain(|group| after.as_ref().is_none_or(|after| place(group) > *after));
        self.cut(groups, page.size(), &query, place)
    }

    /// One page of a group's members, in the order of their making. Errors: `NotFound(Group)`, `InvalidParameter` for
    /// a token that is not of this list, `Unavailable`.
    pub async fn member_page(&self, group: &str, page: PageOf<'_>) -> Result<Page<User>, Error> {
        self.group(group).await?;
        let query = ["members", group];
        let after = self.position(&query, page.token)?.unwrap_or(0);
        let found = self.ports.directory.users_in_group(self.id(), group, after, page.size_and_one()).await?;
        self.cut(found, page.size(), &query, |user| user.id)
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

fn check(change: &GroupChange) -> Result<(), Error> {
    if change.precedence.is_some_and(i64::is_negative) {
        return Err(Error::invalid("precedence", "must not be negative"));
    }
    for (name, text) in [("description", &change.description), ("role", &change.role_arn)] {
        if text.as_ref().is_some_and(|text| text.len() > LONGEST_DESCRIPTION || text.contains('\0')) {
            return Err(Error::invalid(name, "must be at most 2048 bytes without NUL"));
        }
    }
    Ok(())
}

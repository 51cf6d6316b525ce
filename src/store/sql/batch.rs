//! Many users in one transaction: an import would otherwise wait for the disk, and for every answer of the server, once
//! for each of them.

use sqlx::AnyConnection;

use super::fault::Fault;
use super::{last_of_next_ids, users};
use crate::error::Error;
use crate::store::directory::User;

/// Users that one statement makes.
const PORTION: usize = 50;

/// Makes each user for itself; see [`crate::store::directory::Directory::create_users`].
pub(super) async fn create(connection: &mut AnyConnection, drafts: &[User]) -> Result<Vec<Result<User, Error>>, Fault> {
    let mut outcomes = Vec::with_capacity(drafts.len());
    for portion in drafts.chunks(PORTION) {
        match attempt(connection, portion).await? {
            Ok(made) => outcomes.extend(made.into_iter().map(Ok)),
            // One of them spoils it for all.
            Err(_) => outcomes.extend(one_by_one(connection, portion).await?),
        }
    }
    Ok(outcomes)
}

async fn one_by_one(connection: &mut AnyConnection, drafts: &[User]) -> Result<Vec<Result<User, Error>>, Fault> {
    let mut outcomes = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let made = attempt(connection, std::slice::from_ref(draft)).await?;
        outcomes.push(made.and_then(|mut made| made.pop().ok_or_else(|| Error::internal("a new user is missing"))));
    }
    Ok(outcomes)
}

/// Makes all of them, or says why not and leaves nothing behind.
async fn attempt(connection: &mut AnyConnection, drafts: &[User]) -> Result<Result<Vec<User>, Error>, Fault> {
    sqlx::query("SAVEPOINT some_users").execute(&mut *connection).await?;
    let outcome = match together(connection, drafts).await {
        Err(Fault::Refused(error)) => {
            sqlx::query("ROLLBACK TO SAVEPOINT some_users").execute(&mut *connection).await?;
            Err(error)
        }
        Err(fault) => return Err(fault),
        Ok(made) => Ok(made),
    };
    sqlx::query("RELEASE SAVEPOINT some_users").execute(&mut *connection).await?;
    Ok(outcome)
}

async fn together(connection: &mut AnyConnection, drafts: &[User]) -> Result<Vec<User>, Fault> {
    let count = i64::try_from(drafts.len()).map_err(Error::internal)?;
    let last = last_of_next_ids(connection, users::COUNTER, count).await?;
    let numbered: Vec<(i64, &User)> = (last - count + 1..).zip(drafts).collect();
    users::create_as(connection, &numbered).await
}

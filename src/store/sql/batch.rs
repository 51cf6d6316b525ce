//! Many users in one transaction: an import would otherwise wait for the disk once for each of them.

use sqlx::AnyConnection;

use super::fault::Fault;
use super::users;
use crate::error::Error;
use crate::store::directory::User;

/// Makes each user for itself; see [`crate::store::directory::Directory::create_users`].
pub(super) async fn create(connection: &mut AnyConnection, drafts: &[User]) -> Result<Vec<Result<User, Error>>, Fault> {
    let mut outcomes = Vec::with_capacity(drafts.len());
    for draft in drafts {
        sqlx::query("SAVEPOINT one_user").execute(&mut *connection).await?;
        let outcome = match users::create(connection, draft).await {
            Err(Fault::Refused(error)) => {
                sqlx::query("ROLLBACK TO SAVEPOINT one_user").execute(&mut *connection).await?;
                Err(error)
            }
            Err(fault) => return Err(fault),
            Ok(user) => Ok(user),
        };
        sqlx::query("RELEASE SAVEPOINT one_user").execute(&mut *connection).await?;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

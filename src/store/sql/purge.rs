//! Forgetting what has expired, in SQL, a portion at a time. One statement for all of it would hold up every other write
//! of the embedded store, and on PostgreSQL run into the limit of a statement, which takes it all back: once more has
//! expired than fits, nothing would ever be forgotten again.

use sqlx::AnyConnection;

use super::fault::Fault;
use super::{Plan, Sql};
use crate::clock::Timestamp;
use crate::error::Error;

/// Rows that one statement deletes at most.
const PORTION: u64 = 500;

/// Deletes a portion of `$table` whose `$time` has passed. It is asked again of each row: what was renewed since the
/// portion was chosen stays.
macro_rules! delete {
    ($table:literal, $key:literal, $time:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE ",
            $time,
            " <= $1 AND (",
            $key,
            ") IN \
             (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $time,
            " <= $1 ORDER BY ",
            $time,
            " LIMIT $2)"
        )
    };
}

/// Of the Directory.
const LASTING: [&str; 3] = [
    delete!("ended_sessions", "id", "expires_at"),
    delete!("rotations", "session", "expires_at"),
    delete!("outbox", "id", "expires_at"),
];

/// Of the TokenStore.
const EXPIRING: [&str; 3] = [
    delete!("sessions", "pool, user_sub, id", "expires_at"),
    delete!("challenges", "pool, purpose, subject", "expires_at"),
    delete!("attempts", "subject", "forget_at"),
];

impl Sql {
    /// Forgets sessions, ended or rotating, and mails whose time has passed; answers how many.
    pub(super) async fn purge_lasting(&self, now: Timestamp) -> Result<u64, Error> {
        self.purge_all(&LASTING, now).await
    }

    /// Forgets sessions, challenges and attempts whose time has passed; answers how many.
    pub(super) async fn purge_expiring(&self, now: Timestamp) -> Result<u64, Error> {
        self.purge_all(&EXPIRING, now).await
    }

    async fn purge_all(&self, statements: &[&'static str], now: Timestamp) -> Result<u64, Error> {
        let mut gone = 0;
        for statement in statements {
            let mut portion = PORTION;
            while portion == PORTION {
                let args = (*statement, now);
                portion =
                    self.write(Plan::STEP.urgent(), args, |c, (text, now)| Box::pin(delete(c, text, *now))).await?;
                gone += portion;
            }
        }
        Ok(gone)
    }
}

async fn delete(connection: &mut AnyConnection, statement: &'static str, now: Timestamp) -> Result<u64, Fault> {
    let query = sqlx::query(statement).bind(now.0).bind(PORTION.cast_signed());
    Ok(query.execute(connection).await?.rows_affected())
}

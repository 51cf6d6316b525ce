//! Both ports on SQLite and PostgreSQL with one SQL text. On PostgreSQL everything goes to a pool; on SQLite reads go
//! to the readers, and writes to the one writer that groups commits. Nothing outside this folder knows which it is.

mod attempts;
pub mod backup;
mod batch;
mod challenges;
mod devices;
mod directory;
mod documents;
mod fault;
mod file;
mod floors;
mod former;
mod groups;
mod logins;
mod lookups;
mod members;
mod organizations;
mod outbox;
mod pools;
mod purge;
mod readers;
mod register;
mod reserve;
mod row;
mod schema;
mod search;
mod server;
mod sessions;
mod spelling;
mod tokens;
mod users;
mod verdict;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use sqlx::{AnyConnection, AnyPool, Connection as _};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::clock::Timestamp;
use crate::config::DirectoryStore;
use crate::error::Error;
use fault::Fault;
use readers::Readers;
use writer::Writer;

/// A verb's statements: a plain function over a connection and its arguments, so that it can be queued and repeated.
type Verb<A, T> = for<'c> fn(&'c mut AnyConnection, &'c A) -> BoxFuture<'c, Result<T, Fault>>;

/// How often a transaction that collided with another one runs (R14).
const TRIES: u32 = 3;

/// What a write needs from the store.
#[derive(Clone, Copy)]
struct Plan {
    /// All statements or none; otherwise each stands for itself.
    whole: bool,
    /// May use the room kept for the time when the disk is full.
    urgent: bool,
}

impl Plan {
    /// One statement, or several of which each may stand alone.
    const STEP: Self = Self { whole: false, urgent: false };
    /// Several statements that belong together.
    const WHOLE: Self = Self { whole: true, urgent: false };

    /// The same for a verb that takes away: it must work also when the disk is full (R15).
    const fn urgent(self) -> Self {
        Self { urgent: true, ..self }
    }
}

/// Both stores on one SQL database. Cheap to clone.
#[derive(Clone)]
pub struct Sql(Arc<Inner>);

struct Inner {
    connections: Connections,
    /// What the store still lacks before it can be used; `None` once its schema is up to date.
    lacking: watch::Receiver<Option<String>>,
    timeout: Duration,
}

enum Connections {
    /// SQLite: any number reads, one writes.
    File { readers: Readers, writer: Writer },
    /// PostgreSQL.
    Server(AnyPool),
}

/// Opens `sqlite:PATH` or `postgres://…` and brings its schema up to date. Refuses, in one line, what can never
/// work: a bad address, a damaged file, a newer schema. A server that does not answer yet is waited for in the
/// background; until then every verb is `Unavailable`.
pub async fn open(url: &str, config: &DirectoryStore) -> Result<Sql, String> {
    sqlx::any::install_default_drivers();
    let inner = match file_of(url) {
        Some(path) => file::open(&path, config).await?,
        None if url.starts_with("postgres://") || url.starts_with("postgresql://") => server::open(url, config).await?,
        None => return Err("directory.url: write sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE".to_owned()),
    };
    Ok(Sql(Arc::new(inner)))
}

/// The file of `sqlite:PATH`.
pub fn file_of(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    Some(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
}

impl Sql {
    async fn read<A, T>(&self, args: A, verb: Verb<A, T>) -> Result<T, Error> {
        let deadline = self.ready()?;
        Ok(match &self.0.connections {
            Connections::File { readers, .. } => readers.run(&args, verb, deadline).await?,
            Connections::Server(pool) => pooled(pool, Plan::STEP, &args, verb, deadline).await?,
        })
    }

    async fn write<A, T>(&self, plan: Plan, args: A, verb: Verb<A, T>) -> Result<T, Error>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let deadline = self.ready()?;
        Ok(match &self.0.connections {
            Connections::File { writer, .. } => writer.carry_out(plan, args, verb, deadline).await?,
            Connections::Server(pool) => repeated(pool, plan, &args, verb, deadline).await?,
        })
    }

    /// The verb's deadline, if the store has come up.
    fn ready(&self) -> Result<Instant, Error> {
        match self.0.lacking.borrow().as_ref() {
            Some(lack) => Err(Error::unavailable(lack.clone())),
            None => Ok(Instant::now() + self.0.timeout),
        }
    }
}

async fn repeated<A, T>(pool: &AnyPool, plan: Plan, args: &A, verb: Verb<A, T>, deadline: Instant) -> Result<T, Fault> {
    let mut tries = 1;
    loop {
        match pooled(pool, plan, args, verb, deadline).await {
            Err(fault) if fault.is_collision() && tries < TRIES => tries += 1,
            outcome => return outcome,
        }
    }
}

async fn pooled<A, T>(pool: &AnyPool, plan: Plan, args: &A, verb: Verb<A, T>, deadline: Instant) -> Result<T, Fault> {
    let mut connection = timeout_at(deadline, pool.acquire()).await.map_err(|_| late())??;
    match timeout_at(deadline, run(plan, &mut connection, args, verb)).await {
        Ok(Err(fault)) if fault.is_read_only() => {
            drop(connection.detach());
            Err(fault)
        }
        Ok(outcome) => outcome,
        Err(_) => {
            // Its answer is still on the way: nobody may take it for the next one's.
            drop(connection.detach());
            Err(late())
        }
    }
}

async fn run<A, T>(plan: Plan, connection: &mut AnyConnection, args: &A, verb: Verb<A, T>) -> Result<T, Fault> {
    if !plan.whole {
        return verb(connection, args).await;
    }
    let mut transaction = connection.begin().await?;
    let outcome = verb(&mut transaction, args).await?;
    transaction.commit().await?;
    Ok(outcome)
}

fn late() -> Fault {
    Fault::Refused(Error::unavailable("the database did not answer in time"))
}

/// The next number of a counter. Its row stays locked to the end of the transaction.
async fn next_id(connection: &mut AnyConnection, counter: &'static str) -> Result<i64, Fault> {
    last_of_next_ids(connection, counter, 1).await
}

/// The last of the next `count` numbers of a counter.
async fn last_of_next_ids(connection: &mut AnyConnection, counter: &'static str, count: i64) -> Result<i64, Fault> {
    let rows = sqlx::query("UPDATE counters SET value = value + $1 WHERE name = $2 RETURNING value")
        .bind(count)
        .bind(counter)
        .fetch_all(connection)
        .await?;
    rows.first().map_or_else(|| Err(Fault::unreadable("counter")), |row| row::integer(row, "value"))
}

async fn touch(connection: &mut AnyConnection, _: &()) -> Result<(), Fault> {
    sqlx::query("UPDATE counters SET value = value + 1 WHERE name = 'ping'").execute(connection).await?;
    Ok(())
}

/// The time of a PostgreSQL, and a write that shows that it can be written.
async fn touch_and_tell(connection: &mut AnyConnection, _: &()) -> Result<Timestamp, Fault> {
    const TOUCH: &str = "UPDATE counters SET value = value + 1 WHERE name = 'ping' \
                         RETURNING CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now";
    let rows = sqlx::query(TOUCH).fetch_all(connection).await?;
    rows.first().map_or_else(|| Err(Fault::unreadable("ping")), |row| row::integer(row, "now").map(Timestamp))
}

impl Sql {
    /// Whether the store can be read and written, and its time where that is not the time of this machine.
    async fn answers(&self) -> Result<Option<Timestamp>, Error> {
        match &self.0.connections {
            Connections::File { .. } => {
                self.write(Plan::STEP, (), |connection, args| Box::pin(touch(connection, args))).await.map(|()| None)
            }
            Connections::Server(_) => self
                .write(Plan::STEP, (), |connection, args| Box::pin(touch_and_tell(connection, args)))
                .await
                .map(Some),
        }
    }
}

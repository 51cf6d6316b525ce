//! PostgreSQL: a lazy pool, and a schema that is brought up to date as soon as the server answers.

use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool};
use tokio::sync::watch;

use super::{Connections, Inner, schema};
use crate::config::DirectoryStore;

/// How often an absent server is tried.
const PAUSE: Duration = Duration::from_millis(500);
/// A connection unused for longer is tested before it is used: the server may have gone meanwhile.
const TRUSTED: Duration = Duration::from_secs(1);

/// Opens the pool; see [`super::open`].
pub(super) async fn open(url: &str, config: &DirectoryStore) -> Result<Inner, String> {
    let timeout = *config.timeout;
    let pool = options(config)
        .connect_lazy(url)
        .map_err(|_| "directory.url: write postgres://USER:PASSWORD@HOST/DATABASE".to_owned())?;
    let (tell, lacking) = watch::channel(migrate(&pool).await?);
    if lacking.borrow().is_some() {
        tokio::spawn(wait_for(pool.clone(), tell));
    }
    Ok(Inner { connections: Connections::Server(pool), lacking, timeout })
}

fn options(config: &DirectoryStore) -> AnyPoolOptions {
    let limit = config.timeout.as_millis().to_string();
    AnyPoolOptions::new()
        .max_connections(config.connections)
        .acquire_timeout(*config.timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED {
                    sqlx::Connection::ping(connection).await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| Box::pin(limit_statements(connection, limit.clone())))
}

/// A statement whose caller has given up must not go on holding locks.
async fn limit_statements(connection: &mut AnyConnection, limit: String) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT set_config('statement_timeout', $1, false)").bind(limit).fetch_all(connection).await?;
    Ok(())
}

/// Tries once: `Ok(None)` when the schema is up to date, `Ok(Some(what))` when the server is not there, and an
/// error when waiting cannot help.
async fn migrate(pool: &AnyPool) -> Result<Option<String>, String> {
    let outcome = match pool.acquire().await {
        Ok(connection) => schema::migrate_server(connection.detach()).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => Ok(None),
        Err(error) => match schema::hopeless(&error) {
            Some(line) => Err(format!("directory.url: {line}")),
            None => Ok(Some(format!("PostgreSQL is not ready: {error}"))),
        },
    }
}

/// Goes on trying until the schema is up to date or nobody uses the store any more.
async fn wait_for(pool: AnyPool, tell: watch::Sender<Option<String>>) {
    while !tell.is_closed() {
        tokio::time::sleep(PAUSE).await;
        let lacking = migrate(&pool).await.unwrap_or_else(Some);
        let done = lacking.is_none();
        tell.send_replace(lacking);
        if done {
            break;
        }
    }
}

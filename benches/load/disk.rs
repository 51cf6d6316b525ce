//! What the disk can do at most: SQLite with the service's settings, 64 updates of a row by its key in one durable
//! commit, and nothing else.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::{AnyConnection, Connection as _, Executor as _};

const MEASURE_FOR: Duration = Duration::from_secs(2);
const ROWS: i64 = 10_000;
const BATCH: i64 = 64;

/// Prints rows a second.
pub async fn print(folder: &Path) {
    let file = folder.join("limit.db");
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(&format!("sqlite://{}?mode=rwc", file.display())).await.unwrap();
    sqlx::raw_sql(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
         CREATE TABLE sessions (id TEXT NOT NULL PRIMARY KEY, generation BIGINT NOT NULL, rest TEXT NOT NULL);",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    fill(&mut connection).await;
    let (began, mut rows) = (Instant::now(), 0);
    while began.elapsed() < MEASURE_FOR {
        commit(&mut connection, rows).await;
        rows += BATCH;
    }
    let rate = f64::from(i32::try_from(rows).unwrap()) / began.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "group commit": rate }));
}

async fn fill(connection: &mut AnyConnection) {
    connection.execute("BEGIN").await.unwrap();
    for number in 0..ROWS {
        let insert = sqlx::query("INSERT INTO sessions VALUES ($1, 0, $2)").bind(id(number)).bind("x".repeat(150));
        insert.execute(&mut *connection).await.unwrap();
    }
    connection.execute("COMMIT").await.unwrap();
}

async fn commit(connection: &mut AnyConnection, from: i64) {
    connection.execute("BEGIN IMMEDIATE").await.unwrap();
    for number in from..from + BATCH {
        let update = sqlx::query("UPDATE sessions SET generation = generation + 1 WHERE id = $1");
        update.bind(id(number * 7919 % ROWS)).execute(&mut *connection).await.unwrap();
    }
    connection.execute("COMMIT").await.unwrap();
}

fn id(number: i64) -> String {
    format!("2f1c7a52-0f3e-4f3c-9a77-{number:012}")
}

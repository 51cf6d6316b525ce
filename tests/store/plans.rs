//! Every statement finds its rows by an index: none looks at all of a table that grows with users, sessions or mails.

use std::collections::BTreeSet;

use cognate::store::directory::{Directory, User};
use cognate::store::sql;
use sqlx::{AssertSqlSafe, Row as _};

use super::sql::patient;
use crate::faults::verbs;
use crate::servers::postgres::Postgres;

/// Every statement that the verbs send, as PostgreSQL logs them; and the tables that it had to read whole although it
/// was told not to where there is any other way.
async fn statements_and_tables_read_whole() -> (BTreeSet<String>, Vec<String>) {
    let server = Postgres::start();
    let url = server.database().await;
    drop(sql::open(&url, &patient()).await.unwrap());
    let pool = sqlx::PgPool::connect(&url).await.unwrap();
    alone(&pool).await;
    let name = url.rsplit('/').next().unwrap();
    let text = format!(
        "ALTER DATABASE {name} SET log_statement = 'all'; ALTER DATABASE {name} SET enable_seqscan = off; \
         SELECT pg_stat_reset()"
    );
    sqlx::raw_sql(AssertSqlSafe(text)).execute(&pool).await.unwrap();
    let before = server.log().len();
    let store = sql::open(&url, &patient()).await.unwrap();
    let hashes = vec!["2".to_owned(), "1".to_owned()];
    let draft = User { password: Some("3".to_owned()), former_passwords: hashes, ..verbs::user("ada") };
    let ada = store.create_user(&draft).await.unwrap();
    let version = store.replace_password(&ada, 3).await.unwrap();
    for most in [1, 0] {
        assert_eq!(store.trim_former_passwords(&ada.pool, most, 9).await.unwrap(), 1);
    }
    let ada = User { version, ..ada };
    store.update_user(&ada).await.unwrap();
    for _ in 0..2 {
        // The second makes the first give way.
        assert!(store.confirm_device(&verbs::device(ada.sub), 1, verbs::LATER).await.unwrap());
    }
    verbs::assert_all_answered(&verbs::all(&store).await);
    assert!(store.delete_user(&ada.pool, ada.sub).await.unwrap());
    let whole = read_whole(&pool).await;
    let log = server.log().split_off(before);
    let said = log.lines().filter_map(|line| line.split_once("LOG:  execute ")?.1.split_once(": "));
    let words = ["SELECT ", "INSERT ", "UPDATE ", "DELETE "];
    let said = said.map(|(_, statement)| statement.to_owned());
    (said.filter(|text| words.iter().any(|word| text.starts_with(word))).collect(), whole)
}

/// Waits until the connections that migrated have told what they did, which they do at the latest when they go.
async fn alone(pool: &sqlx::PgPool) {
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while sqlx::query(others).fetch_one(pool).await.unwrap().get::<i64, _>(0) > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn read_whole(pool: &sqlx::PgPool) -> Vec<String> {
    // Each connection tells what it did at most a second later.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let text = "SELECT relname::text FROM pg_stat_user_tables WHERE seq_scan > 0 ORDER BY 1";
    sqlx::query(text).fetch_all(pool).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// The steps of SQLite's plan for a statement, in whose spelling PostgreSQL's two words are others.
async fn plan(file: &sqlx::SqlitePool, statement: &str) -> Vec<String> {
    let statement =
        statement.replace("COLLATE \"C\"", "COLLATE BINARY").replace("CAST(attributes AS jsonb)", "attributes");
    let text = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let rows = sqlx::query(text).fetch_all(file).await.unwrap_or_else(|fault| panic!("{statement}: {fault}"));
    rows.iter().map(|row| row.get("detail")).collect()
}

/// A step that goes through a table or an index from its beginning to its end, other than the rows of a part of the
/// statement itself.
fn is_scan(step: &str, plan: &[String]) -> bool {
    let of_a_part = |name: &str| {
        name.starts_with('(')
            || plan
                .iter()
                .any(|step| ["CO-ROUTINE ", "MATERIALIZE "].iter().any(|word| step.strip_prefix(word) == Some(name)))
    };
    step.strip_prefix("SCAN ").is_some_and(|rest| rest != "CONSTANT ROW" && !of_a_part(rest))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_reads_a_whole_table() {
    let (statements, whole) = statements_and_tables_read_whole().await;
    assert!(statements.len() > 40, "only {} statements were seen", statements.len());
    assert_eq!(whole, Vec::<String>::new(), "PostgreSQL has no index to read these by");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cognate.db").display().to_string();
    drop(sql::open(&format!("sqlite:{path}"), &patient()).await.unwrap());
    let file = sqlx::SqlitePool::connect(&format!("sqlite://{path}")).await.unwrap();
    // What sqlx sends by itself, to migrate, and what asks for the time, names things of PostgreSQL.
    let ours = |text: &&String| {
        !["pg_", "current_database", "_sqlx_migrations", "set_config", "SAVEPOINT", "clock_timestamp"]
            .iter()
            .any(|word| text.contains(word))
    };
    for statement in statements.iter().filter(ours) {
        let steps = plan(&file, statement).await;
        let scans: Vec<_> = steps.iter().filter(|step| is_scan(step, &steps)).collect();
        assert!(scans.is_empty(), "SQLite: {scans:?} in {statement}");
        // Sorting one page that a part of the statement picked by an index costs nothing.
        let picked = steps.iter().any(|step| step.starts_with("CO-ROUTINE "));
        let sorts = !picked && steps.iter().any(|step| step == "USE TEMP B-TREE FOR ORDER BY");
        assert!(!sorts || !statement.contains("LIMIT $"), "SQLite sorts all to answer a page: {statement}");
    }
}

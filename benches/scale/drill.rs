//! How long it takes to make a copy of a deployment and to put it in place, until the first answer could come.

use std::process::Command;
use std::time::Instant;

use crate::case::Case;
use crate::{service, times};

/// Copies and restores every case, and ends it.
pub fn on_sqlite(cases: Vec<Case>) {
    times::head("SQLite: seconds", cases.iter().map(|case| case.size));
    let rows: Vec<[f64; 3]> = cases.into_iter().map(embedded).collect();
    for (place, name) in
        ["cognate backup", "cognate restore", "a command that opens and checks the file"].iter().enumerate()
    {
        times::row(name, &rows.iter().filter_map(|row| row.get(place).copied()).collect::<Vec<_>>());
    }
}

/// The same with the tools of PostgreSQL.
pub async fn on_postgres(cases: &[Case]) {
    times::head("PostgreSQL: seconds", cases.iter().map(|case| case.size));
    let (mut copied, mut restored) = (Vec::new(), Vec::new());
    for case in cases {
        let (copy, restore) = served(case).await;
        copied.push(copy);
        restored.push(restore);
    }
    times::row("pg_dump", &copied);
    times::row("pg_restore", &restored);
}

fn embedded(case: Case) -> [f64; 3] {
    let copy = case.config.data.join("copy");
    let [mut backup, mut restore, mut list] = [(); 3].map(|()| service::program(&case));
    // Nobody may hold the database that is replaced.
    drop(case);
    let copied = seconds(backup.arg("backup").arg(&copy));
    let restored = seconds(restore.arg("restore").arg(&copy).arg("--force"));
    [copied, restored, seconds(list.args(["users", "list", "--limit", "1"]))]
}

fn seconds(command: &mut Command) -> f64 {
    let began = Instant::now();
    assert!(command.status().unwrap().success(), "{command:?}");
    began.elapsed().as_secs_f64()
}

async fn served(case: &Case) -> (f64, f64) {
    let url = case.config.directory.url.as_ref().unwrap().expose();
    let copy = case.config.data.join("copy");
    let copied = seconds(Command::new("pg_dump").args(["--format=custom", "--file"]).arg(&copy).arg(url));
    let server = sqlx::PgPool::connect(url).await.unwrap();
    sqlx::raw_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public").execute(&server).await.unwrap();
    server.close().await;
    let restored = seconds(Command::new("pg_restore").arg("--dbname").arg(url).arg(&copy));
    (copied, restored)
}

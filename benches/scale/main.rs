//! What an operation costs as users and sessions grow: `cargo bench --bench scale -- [sqlite] [postgres] [sessions]
//! [LARGEST]`, all three up to a million when nothing is said.
//!
//! Fills SQLite and PostgreSQL with 1,000 users and ten times as many again and again, through the verbs of the import,
//! and Redis with sessions, through its port. Then measures all sizes in turns, so that what slows the machine down slows
//! all of them down: only the ratios are worth comparing. A million users take a quarter of an hour or more on each
//! database, and 4 GiB of disk.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot go on has failed")]

mod case;
mod drill;
#[expect(dead_code, clippy::indexing_slicing, reason = "the tests use the rest")]
#[path = "../../tests/servers/postgres.rs"]
mod postgres;
#[expect(dead_code, clippy::indexing_slicing, reason = "the tests use the rest")]
#[path = "../../tests/servers/redis.rs"]
mod redis;
#[expect(dead_code, reason = "the load bench uses the rest")]
#[path = "../load/seed.rs"]
mod seed;
mod service;
mod sessions;
mod times;
mod verbs;

use std::path::Path;

use case::Case;

const SMALLEST: usize = 1_000;
const LARGEST: usize = 1_000_000;

#[tokio::main]
async fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let largest = words.iter().find_map(|word| word.parse().ok()).unwrap_or(LARGEST);
    let sizes: Vec<usize> =
        std::iter::successors(Some(SMALLEST), |size| Some(size * 10)).take_while(|size| *size <= largest).collect();
    let all = words.iter().all(|word| word.parse::<usize>().is_ok());
    let wanted = |what: &str| all || words.iter().any(|word| word == what);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    if wanted("sqlite") {
        on_sqlite(&sizes, folder.path()).await;
    }
    if wanted("postgres") {
        on_postgres(&sizes, folder.path()).await;
    }
    if wanted("sessions") {
        sessions::print(&sizes).await;
    }
}

async fn on_sqlite(sizes: &[usize], folder: &Path) {
    let mut cases = Vec::new();
    for size in sizes {
        cases.push(Case::on_sqlite(*size, folder).await);
    }
    measure("SQLite", &cases).await;
    drill::on_sqlite(cases);
}

async fn on_postgres(sizes: &[usize], folder: &Path) {
    let server = postgres::Postgres::start();
    let mut cases = Vec::new();
    for size in sizes {
        cases.push(Case::on_postgres(*size, folder, &server).await);
    }
    measure("PostgreSQL and Redis", &cases).await;
    drill::on_postgres(&cases).await;
}

async fn measure(stores: &str, cases: &[Case]) {
    println!("\nmeasuring");
    case::print_sizes(stores, cases);
    // First, because the verbs end sessions.
    service::print(stores, cases).await;
    verbs::print(stores, cases).await;
}

//! A deployment with so many users and a session of each.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use cognate::config::{Config, Period, Secret};
use cognate::pool::{Client, Pool, Pools, Ports, Surface, User};
use cognate::server::Assembled;
use futures_util::{StreamExt as _, stream};
use sqlx::Row as _;
use uuid::Uuid;

use crate::{postgres, redis, seed, sessions, times};

/// Users, spread over all of them, who really sign in and are asked for.
pub const SAMPLE: usize = 1_000;
const AT_ONCE: usize = 256;

/// One of those.
pub struct Known {
    pub user: User,
    pub session: Uuid,
    pub refresh_token: String,
}

/// Bytes of the stores before, with the users, and with the sessions, too.
struct Bytes {
    empty: u64,
    users: u64,
    sessions: u64,
}

pub struct Case {
    pub size: usize,
    pub config: Config,
    pub ports: Arc<Ports>,
    pub pool: Arc<Pool>,
    pub client: Client,
    pub sample: Vec<Known>,
    pub last_id: i64,
    pub redis: Option<redis::Server>,
    bytes: Bytes,
}

impl Case {
    /// Everything in one file.
    pub async fn on_sqlite(size: usize, folder: &Path) -> Self {
        Self::fill(size, config(&folder.join(format!("sqlite-{size}"))), None).await
    }

    /// Users in a database of their own, sessions in a Redis of their own.
    pub async fn on_postgres(size: usize, folder: &Path, server: &postgres::Postgres) -> Self {
        let redis = redis::Server::start(&[]);
        let mut config = config(&folder.join(format!("postgres-{size}")));
        config.directory.url = Some(Secret::new(server.database().await));
        config.tokens.url = Secret::new(redis.url());
        Self::fill(size, config, Some(redis)).await
    }

    async fn fill(size: usize, config: Config, redis: Option<redis::Server>) -> Self {
        let Assembled { ports, pools } = seed::open(&config, "EdDSA").await;
        let (pool, client) = (pools.first().unwrap(), pools.surface(Surface::V1).unwrap().1);
        let empty = bytes(&config).await;
        let began = Instant::now();
        let hash = ports.hasher.hash(seed::PASSWORD).await.unwrap();
        let made = seed::import(&pool, 0..size, &hash).await;
        println!("{size} users made in {:.0} s", began.elapsed().as_secs_f64());
        let users = bytes(&config).await;
        let began = Instant::now();
        open_sessions(&ports, &client, &made).await;
        println!("{size} sessions opened in {:.0} s", began.elapsed().as_secs_f64());
        let sample = sign_in(&pools, &pool, &client, &made).await;
        let last_id = made.last().unwrap().id;
        let sessions = bytes(&config).await;
        analyse(&config).await;
        let bytes = Bytes { empty, users, sessions };
        Self { size, config, ports, pool, client, sample, last_id, redis, bytes }
    }
}

/// Passwords that cost nothing to check, and stores that may take their time while they are filled.
fn config(data: &Path) -> Config {
    let mut config = Config { data: data.to_owned(), ..Config::default() };
    (config.password.memory_kib, config.password.iterations) = (8, 1);
    config.directory.timeout = Period::seconds(60);
    config.tokens.timeout = Period::seconds(60);
    config
}

/// A session of every user, as a sign-in would leave it.
async fn open_sessions(ports: &Ports, client: &Client, users: &[User]) {
    let opened = stream::iter(users).map(|user| async move {
        let id = ports.random.uuid().unwrap();
        let session = sessions::fresh(&user.pool, user.sub, id, &client.id, ports.clock.now());
        ports.tokens.open_session(&session).await.unwrap();
    });
    opened.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

async fn sign_in(pools: &Pools, pool: &Pool, client: &Client, users: &[User]) -> Vec<Known> {
    let mut known = Vec::with_capacity(SAMPLE);
    for number in (0..users.len()).step_by(users.len().div_ceil(SAMPLE)) {
        let line = seed::sign_in(pool, client, number).await;
        let refresh_token = line.split_once(' ').unwrap().1.to_owned();
        let user = pool.find_user(&seed::name(number)).await.unwrap();
        let session = pool.sessions_of(&user).await.unwrap().first().unwrap().id;
        known.push(Known { user, session, refresh_token });
    }
    pools.reload().await.unwrap();
    known
}

/// What autovacuum does within a minute anyhow; here, so that it does not happen in the middle of a measurement.
async fn analyse(config: &Config) {
    if let Some(url) = &config.directory.url {
        let server = sqlx::PgPool::connect(url.expose()).await.unwrap();
        sqlx::query("VACUUM (ANALYZE)").execute(&server).await.unwrap();
    }
}

async fn bytes(config: &Config) -> u64 {
    let Some(url) = &config.directory.url else {
        let file = config.data.join("cognate.db");
        // Its log holds pages that are not in it yet.
        let connection = sqlx::SqlitePool::connect(&format!("sqlite://{}", file.display())).await.unwrap();
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&connection).await.unwrap();
        connection.close().await;
        return std::fs::metadata(file).unwrap().len();
    };
    let server = sqlx::PgPool::connect(url.expose()).await.unwrap();
    let row = sqlx::query("SELECT pg_database_size(current_database())").fetch_one(&server).await.unwrap();
    row.get::<i64, _>(0).try_into().unwrap()
}

/// Bytes of a user and of a session on disk.
pub fn print_sizes(stores: &str, cases: &[Case]) {
    times::head(&format!("{stores}: bytes each"), cases.iter().map(|case| case.size));
    let each = |case: &Case, bytes: u64| {
        f64::from(u32::try_from(bytes).unwrap()) / f64::from(u32::try_from(case.size).unwrap())
    };
    let users: Vec<f64> = cases.iter().map(|case| each(case, case.bytes.users - case.bytes.empty)).collect();
    times::row("user", &users);
    if cases.iter().all(|case| case.redis.is_none()) {
        let sessions: Vec<f64> = cases.iter().map(|case| each(case, case.bytes.sessions - case.bytes.users)).collect();
        times::row("session", &sessions);
    }
}

//! What the verbs of a pool cost in this process on each store, one caller and 64 at once: `cargo bench --bench
//! stores`. EdDSA signs, so that the stores show. Starts Redis and PostgreSQL like the tests do.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot go on has failed")]

#[expect(dead_code, clippy::indexing_slicing, reason = "the tests use the rest")]
#[path = "../tests/servers/postgres.rs"]
mod postgres;
#[expect(dead_code, clippy::indexing_slicing, reason = "the tests use the rest")]
#[path = "../tests/servers/redis.rs"]
mod redis;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cognate::config::{Config, Secret};
use cognate::keys::Algorithm;
use cognate::pool::{Caller, Client, NewUser, Pool, Ports, Step, Surface, Terms, Tokens};
use cognate::server::{Assembled, assemble};
use cognate::store::tokens::{Floor, RefreshRule};
use futures_util::future::join_all;

const PASSWORD: &str = "correct horse battery";
const CALLERS: usize = 64;
const MEASURE_FOR: Duration = Duration::from_secs(2);

#[derive(Clone, Copy)]
enum Verb {
    Owner,
    TokensRefresh,
    PoolRefresh,
    Authenticate,
}

const VERBS: [(&str, Verb); 4] = [
    ("Directory::session_owner", Verb::Owner),
    ("TokenStore::refresh", Verb::TokensRefresh),
    ("Pool::refresh", Verb::PoolRefresh),
    ("Pool::authenticate", Verb::Authenticate),
];

/// A pool on some stores, with a session for each caller.
struct Case {
    ports: Arc<Ports>,
    pool: Arc<Pool>,
    client: Client,
    sessions: Vec<(Tokens, Caller)>,
}

impl Case {
    async fn new(config: Config) -> Self {
        let Assembled { ports, pools } = assemble(&config).await.unwrap();
        pools.reload().await.unwrap();
        let id = pools.first().unwrap().id().to_owned();
        pools.update_pool(&id, |settings| settings.algorithm = Algorithm::EdDSA).await.unwrap();
        pools.reload().await.unwrap();
        pools.rotate_keys(&pools.first().unwrap(), true).await.unwrap();
        pools.reload().await.unwrap();
        let pool = pools.first().unwrap();
        let client = pools.surface(Surface::V1).unwrap().1;
        let mut case = Self { ports, pool, client, sessions: Vec::new() };
        for number in 0..CALLERS {
            case.sign_in(&format!("user-{number}")).await;
        }
        case
    }

    async fn sign_in(&mut self, name: &str) {
        self.pool.create_user(NewUser::new(name, PASSWORD)).await.unwrap();
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let Step::Tokens(tokens) = self.pool.initiate_auth(&self.client, name, PASSWORD, here).await.unwrap() else {
            return;
        };
        let caller = self.pool.authenticate(&tokens.access_token).await.unwrap();
        self.sessions.push((tokens, caller));
    }

    async fn call(&self, verb: Verb, caller: usize) {
        let (tokens, Caller { session, .. }) = self.sessions.get(caller).unwrap();
        let now = self.ports.clock.now();
        match verb {
            Verb::Owner => {
                let owner = self.ports.directory.session_owner(self.pool.id(), session.user, session.id).await;
                assert!(!owner.unwrap().unwrap().session_ended);
            }
            Verb::TokensRefresh => {
                let rule = RefreshRule { rotate: false, grace: Duration::ZERO, limit: 0, floor: Floor::NONE };
                self.ports.tokens.refresh(&session.key(), 0, rule, now).await.unwrap();
            }
            Verb::PoolRefresh => {
                let token = tokens.refresh_token.as_deref().unwrap();
                self.pool.refresh(Terms::from(&self.client), None, token, 0).await.unwrap();
            }
            Verb::Authenticate => drop(self.pool.authenticate(&tokens.access_token).await.unwrap()),
        }
    }

    /// Microseconds a call, `callers` at once.
    async fn time(&self, verb: Verb, callers: usize) -> f64 {
        let began = Instant::now();
        let caller = async |caller| {
            let mut calls = 0_u32;
            while began.elapsed() < MEASURE_FOR {
                self.call(verb, caller).await;
                calls += 1;
            }
            calls
        };
        let calls: u32 = join_all((0..callers).map(caller)).await.into_iter().sum();
        began.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
    }

    async fn print(&self, stores: &str) {
        for (name, verb) in VERBS {
            let (one, many) = (self.time(verb, 1).await, self.time(verb, CALLERS).await);
            println!("{stores:<18}{name:<26}{one:>9.1} µs alone {many:>9.1} µs among {CALLERS}");
        }
    }
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let config = |name: &str| {
        let mut config = Config { data: folder.path().join(name), ..Config::default() };
        (config.password.memory_kib, config.password.iterations) = (8, 1);
        config
    };
    let redis = redis::Server::start(&[]);
    let postgres = postgres::Postgres::start();
    Case::new(config("sqlite")).await.print("SQLite").await;
    let mut on_redis = config("redis");
    on_redis.tokens.url = Secret::new(redis.url());
    Case::new(on_redis).await.print("SQLite + Redis").await;
    let mut on_postgres = config("postgres");
    on_postgres.directory.url = Some(Secret::new(postgres.database().await));
    Case::new(on_postgres).await.print("PostgreSQL").await;
}

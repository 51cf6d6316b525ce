//! Sessions in Redis as they grow: what each takes, and how long the verbs of the port take, alone and among many.

use std::sync::Arc;
use std::time::Duration;

use cognate::clock::Timestamp;
use cognate::store::tokens::{Floor, RefreshRule, Session, TokenStore};
use futures_util::{StreamExt as _, stream};
use uuid::Uuid;

use crate::redis;
use crate::times::{self, Times};

const AT_ONCE: usize = 256;
const CALLERS: usize = 64;
const CALLS: usize = 2_000;
const ROUNDS: usize = 3;
const LIFE: Duration = Duration::from_secs(90 * 86_400);
const NOW: Timestamp = Timestamp(1_800_000_000_000);
const RULE: RefreshRule = RefreshRule { rotate: false, grace: Duration::from_secs(10), limit: 0, floor: Floor::NONE };
/// Sessions that one user may have.
const DEVICES: [usize; 4] = [1, 5, 20, 1_000];

#[derive(Clone, Copy)]
enum Verb {
    Refresh,
    SessionsOf,
    Open,
    EndSessionsOf,
}

const LASTING: [(&str, Verb); 3] =
    [("refresh", Verb::Refresh), ("sessions of a user", Verb::SessionsOf), ("open", Verb::Open)];
/// After which the others would find nothing.
const ENDING: (&str, Verb) = ("end all of a user", Verb::EndSessionsOf);

/// A Redis with so many sessions, `devices` of each user.
struct Case {
    size: usize,
    devices: usize,
    store: Arc<dyn TokenStore>,
    _server: redis::Server,
    empty: u64,
    full: u64,
}

/// Figures of all sizes, then of users with many sessions.
pub async fn print(sizes: &[usize]) {
    let mut cases = Vec::new();
    for size in sizes {
        cases.push(Case::fill(*size, 1).await);
    }
    times::head("Redis: sessions, one a user", sizes.iter().copied());
    print_bytes(&cases);
    for (name, verb) in LASTING {
        for callers in [1, CALLERS] {
            print_verb(&format!("{name}, {callers} at once"), verb, &cases, callers).await;
        }
    }
    print_verb(ENDING.0, ENDING.1, &cases, 1).await;
    let mut cases = Vec::new();
    for devices in DEVICES {
        cases.push(Case::fill(sizes.last().unwrap() / 10, devices).await);
    }
    times::head("Redis: sessions of one user", DEVICES.into_iter());
    print_bytes(&cases);
    for (name, verb) in LASTING.into_iter().chain([ENDING]) {
        print_verb(name, verb, &cases, 1).await;
    }
}

fn print_bytes(cases: &[Case]) {
    let bytes = |case: &Case| number(case.full - case.empty) / number(case.size as u64);
    times::row("bytes a session", &cases.iter().map(bytes).collect::<Vec<_>>());
}

async fn print_verb(name: &str, verb: Verb, cases: &[Case], callers: usize) {
    let mut all = vec![Times::default(); cases.len()];
    // As many as there are users in the case with the fewest.
    let calls = if matches!(verb, Verb::EndSessionsOf) { CALLS / 100 } else { CALLS };
    for round in 0..ROUNDS {
        for (case, times) in cases.iter().zip(&mut all) {
            times.add(case.run(verb, round * calls..(round + 1) * calls, callers).await);
        }
    }
    times::rows(name, &all);
}

fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

impl Case {
    async fn fill(size: usize, devices: usize) -> Self {
        let server = redis::Server::start(&[]);
        let store = redis::patient(redis::settings(&server.url()));
        store.ping().await.unwrap();
        let empty = used_memory(&server);
        let opened = stream::iter(0..size).map(async |number| store.open_session(&session(number, devices)).await);
        opened.buffer_unordered(AT_ONCE).for_each(|done| async { done.unwrap() }).await;
        let full = used_memory(&server);
        Self { size, devices, store, _server: server, empty, full }
    }

    async fn run(&self, verb: Verb, calls: std::ops::Range<usize>, callers: usize) -> Times {
        let timed = stream::iter(calls).map(async |call| {
            let mut times = Times::default();
            times.time(self.call(verb, call)).await;
            times
        });
        timed.buffer_unordered(callers).collect::<Vec<_>>().await.into_iter().fold(Times::default(), |mut all, one| {
            all.add(one);
            all
        })
    }

    async fn call(&self, verb: Verb, call: usize) {
        // Not in the order in which they were opened.
        let known = session(call * 7919 % self.size, self.devices);
        match verb {
            Verb::Refresh => drop(self.store.refresh(&known.key(), 0, RULE, NOW).await.unwrap()),
            Verb::SessionsOf => {
                assert!(!self.store.sessions_of(&known.pool, known.user, NOW).await.unwrap().is_empty());
            }
            Verb::Open => self.store.open_session(&session(self.size + call, self.devices)).await.unwrap(),
            Verb::EndSessionsOf => {
                // Another user each time: who was signed out has none left.
                let user = session(call * self.devices, self.devices).user;
                assert!(self.store.end_sessions_of(&known.pool, user, None).await.unwrap() > 0);
            }
        }
    }
}

/// The session of this number; its user is the one whose turn it is.
fn session(number: usize, devices: usize) -> Session {
    let scattered = |number: usize| (number as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_0C2D_5B81_A34B);
    let (user, id) = (Uuid::from_u128(!scattered(number / devices)), Uuid::from_u128(scattered(number)));
    fresh("us-east-1_Ab3dE6gH9", user, id, "1h57kf5cpq17m0eml12EXAMPLE", NOW)
}

/// A session as a sign-in leaves it.
pub fn fresh(pool: &str, user: Uuid, id: Uuid, client: &str, now: Timestamp) -> Session {
    Session {
        pool: pool.to_owned(),
        user,
        id,
        client: client.to_owned(),
        device: None,
        auth_time: now,
        expires_at: now.plus(LIFE),
        epoch: 0,
        generation: 0,
        rotated_at: now,
        recovered_at: 0,
        refreshes: 0,
    }
}

fn used_memory(server: &redis::Server) -> u64 {
    let text = server.ask::<String>(&["INFO", "memory"]);
    let line = text.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    line.parse().unwrap()
}

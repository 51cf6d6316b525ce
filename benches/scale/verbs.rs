//! Verbs of the ports and of the pool, one caller, in this process.

use cognate::pool::{ImportedUser, Terms};

use crate::case::{Case, Known};
use crate::times::{self, Times};

const ROUNDS: usize = 3;
const PAGE: u32 = 60;

#[derive(Clone, Copy)]
enum Verb {
    ByLogin,
    Owner,
    Refresh,
    FirstPage,
    LastPage,
    Create,
    Delete,
    End,
    Ping,
    Purge,
}

/// Each with the calls of a round. Ending sessions comes after what needs them.
const VERBS: [(&str, Verb, usize); 10] = [
    ("user by login", Verb::ByLogin, 1_000),
    ("owner of a session", Verb::Owner, 1_000),
    ("refresh (EdDSA)", Verb::Refresh, 1_000),
    ("first page of 60 users", Verb::FirstPage, 100),
    ("last page of 60 users", Verb::LastPage, 100),
    ("create a user", Verb::Create, 100),
    ("delete a user", Verb::Delete, 100),
    ("end a session", Verb::End, 100),
    ("readiness", Verb::Ping, 100),
    ("purge with nothing to do", Verb::Purge, 20),
];

/// Every verb at every size, in turns.
pub async fn print(stores: &str, cases: &[Case]) {
    times::head(&format!("{stores}: one caller"), cases.iter().map(|case| case.size));
    for (name, verb, calls) in VERBS {
        let mut all = vec![Times::default(); cases.len()];
        for round in 0..ROUNDS {
            for (case, times) in cases.iter().zip(&mut all) {
                times.add(run(case, verb, round * calls..(round + 1) * calls).await);
            }
        }
        times::rows(name, &all);
    }
}

async fn run(case: &Case, verb: Verb, calls: std::ops::Range<usize>) -> Times {
    let mut times = Times::default();
    for call in calls {
        // Not in the order in which they lie on the disk.
        let known = case.sample.get(call * 389 % case.sample.len()).unwrap();
        times.time(case.call(verb, call, known)).await;
    }
    times
}

impl Case {
    async fn call(&self, verb: Verb, call: usize, known: &Known) {
        let (directory, pool, now) = (&self.ports.directory, self.pool.id(), self.ports.clock.now());
        match verb {
            Verb::ByLogin => {
                let key = known.user.email_key.as_deref().unwrap();
                assert!(directory.user_by_login(pool, key, key).await.unwrap().is_some());
            }
            Verb::Owner => {
                let owner = directory.session_owner(pool, known.user.sub, known.session).await.unwrap();
                assert!(!owner.unwrap().session_ended);
            }
            Verb::Refresh => {
                self.pool.refresh(Terms::from(&self.client), None, &known.refresh_token, 0).await.unwrap();
            }
            Verb::FirstPage => assert_eq!(self.pool.users(0, PAGE).await.unwrap().len(), PAGE as usize),
            Verb::LastPage => assert!(!self.pool.users(self.last_id - i64::from(PAGE), PAGE).await.unwrap().is_empty()),
            Verb::Create => {
                let username = format!("new-{call}");
                let email = Some(format!("{username}@example.test"));
                let draft = ImportedUser { username, email, email_verified: true, ..ImportedUser::default() };
                self.pool.import_user(draft).await.unwrap();
            }
            Verb::Delete => self.pool.delete_user(&format!("new-{call}")).await.unwrap(),
            Verb::End => self.pool.revoke(Terms::from(&self.client), &known.refresh_token).await.unwrap(),
            Verb::Ping => drop(directory.ping().await.unwrap()),
            Verb::Purge => drop(directory.purge(now).await.unwrap() + self.ports.tokens.purge(now).await.unwrap()),
        }
    }
}

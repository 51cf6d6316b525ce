//! Fills the stores that the settings name, through the pool's own verbs: users `user-0` … with one password, and
//! sessions of theirs. Writes `NAME REFRESH_TOKEN` for each session, one a line, or only the names without sessions.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::path::Path;

use cognate::config::Config;
use cognate::keys::Algorithm;
use cognate::pool::client::Rotation;
use cognate::pool::{Client, ImportedUser, Pool, Pools, Step, Surface, User};
use cognate::server::{Assembled, assemble};
use futures_util::{StreamExt as _, stream};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";
const AT_ONCE: usize = 64;
const BATCH: usize = 500;
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// `kind` is one of the pool's algorithms, with `+rotation` behind it where refresh tokens shall rotate, or `+srp` where
/// the sign-ins shall leave verifiers.
pub async fn seed(kind: &str, (users, sessions): (usize, usize), file: &Path) {
    let config = cognate::config::load(None, std::env::vars().collect(), &[]).unwrap();
    let Assembled { pools, ports } = open(&config, kind).await;
    let pool = pools.first().unwrap();
    let hash = ports.hasher.hash(PASSWORD).await.unwrap();
    import(&pool, 0..users, &hash).await;
    let client = pools.surface(Surface::V1).unwrap().1;
    let signed_in = stream::iter(0..sessions).map(|number| sign_in(&pool, &client, number % users));
    let mut lines: Vec<String> = signed_in.buffered(AT_ONCE).collect().await;
    lines.extend((0..users).filter(|_| sessions == 0).map(name));
    std::fs::write(file, lines.join("\n") + "\n").unwrap();
}

/// The stores that the settings name, with a pool of this kind and its first administrator.
pub async fn open(config: &Config, kind: &str) -> Assembled {
    let assembled = assemble(config).await.unwrap();
    let pools = &assembled.pools;
    pools.reload().await.unwrap();
    shape(pools, kind).await;
    pools.first_admin().await.unwrap();
    assembled
}

/// Gives the first pool its algorithm and SRP, and its client the rotation.
async fn shape(pools: &Pools, kind: &str) {
    let (algorithm, more) = kind.split_once('+').unwrap_or((kind, ""));
    let algorithm: Algorithm = algorithm.parse().unwrap();
    let pool = pools.first().unwrap();
    let rotation = (more == "rotation").then_some(Rotation { grace_seconds: 10 });
    let client = pools.surface(Surface::V1).unwrap().1.id;
    pools.update_client(&pool, &client, |client| client.rotation = rotation).await.unwrap();
    let srp = more == "srp";
    pools.update_pool(pool.id(), |settings| (settings.algorithm, settings.srp) = (algorithm, srp)).await.unwrap();
    pools.reload().await.unwrap();
    if algorithm != Algorithm::default() {
        // At once, not after keys.publish_ahead.
        pools.rotate_keys(&pools.first().unwrap(), true).await.unwrap();
        pools.reload().await.unwrap();
    }
}

/// Whom a number stands for.
pub fn name(number: usize) -> String {
    format!("user-{number}")
}

/// Makes users with this hash of a password as an import does, only more at once.
pub async fn import(pool: &Pool, numbers: Range<usize>, hash: &str) -> Vec<User> {
    let mut made = Vec::with_capacity(numbers.len());
    for first in numbers.clone().step_by(BATCH) {
        let drafts = (first..numbers.end.min(first + BATCH)).map(|number| draft(number, hash)).collect();
        made.extend(pool.import_users(drafts).await.unwrap().into_iter().map(Result::unwrap));
    }
    made
}

fn draft(number: usize, hash: &str) -> ImportedUser {
    let username = name(number);
    let email = Some(format!("{username}@example.test"));
    let password_hash = Some(hash.to_owned());
    ImportedUser { email, email_verified: true, password_hash, username, ..ImportedUser::default() }
}

/// The name of a user and the refresh token of a new session of his.
pub async fn sign_in(pool: &Pool, client: &Client, number: usize) -> String {
    let name = name(number);
    let Step::Tokens(tokens) = pool.initiate_auth(client, &name, PASSWORD, HERE).await.unwrap() else {
        return name;
    };
    format!("{name} {}", tokens.refresh_token.unwrap())
}

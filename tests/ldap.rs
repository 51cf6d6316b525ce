//! Signing in from Active Directory and its like: real directories on loopback, and everything that can lie between.

mod group;
mod identity;
mod name;
mod outage;
mod samba;
mod wire;

use std::net::{IpAddr, Ipv4Addr};

use cognate::config::{Config, Ldap, Period};
use cognate::error::{Error, chain};
use cognate::pool::{NewExternalUser, Step, Terms, Tokens};
use cognate::store::directory::User;

use crate::app::{Deployment, TestApp};

pub const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A service that asks this directory, with deadlines that a busy machine keeps.
pub async fn app(ldap: Ldap) -> TestApp {
    app_on(Deployment::Embedded, ldap).await
}

pub async fn app_on(deployment: Deployment, ldap: Ldap) -> TestApp {
    TestApp::start_on(deployment, |config| settings(config, ldap)).await
}

fn settings(config: &mut Config, ldap: Ldap) {
    config.ldap = Ldap { connect_timeout: Period::seconds(20), timeout: Period::seconds(20), ..ldap };
    // Guesses are what these tests make; what they cost is tested where that is the point.
    config.limits.account_failures = 1_000;
}

pub async fn register(app: &TestApp, name: &str) -> Result<User, Error> {
    let draft = NewExternalUser { name: name.to_owned(), email: None, groups: Vec::new() };
    app.pool().register_external_user(draft).await
}

pub async fn sign_in(app: &TestApp, name: &str, password: &str) -> Result<User, Error> {
    app.pool().prove_external(&app.client(), name, password, SOURCE).await.map(|proven| proven.user().clone())
}

/// Signs in to the end.
pub async fn tokens(app: &TestApp, name: &str, password: &str) -> Tokens {
    let (pool, client) = (app.pool(), app.client());
    let proven = pool.prove_external(&client, name, password, SOURCE).await.unwrap();
    match pool.next_step(Terms::from(&client), &proven).await.unwrap() {
        Step::Tokens(tokens) => tokens,
        Step::Challenge(_) | Step::Custom(_) => panic!("a user of the directory owes nothing here"),
    }
}

/// What a sign-in came to, in a word.
pub fn outcome(result: &Result<User, Error>) -> &'static str {
    result.as_ref().map_or_else(Error::label, |_| "signed in")
}

/// The cause of a sign-in or registration that could not be judged.
pub fn cause(result: Result<User, Error>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.label(), "unavailable", "{}", chain(&error));
    chain(&error)
}

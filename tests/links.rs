//! Mailed links: resetting a password, and proving or changing an address. Each works for one purpose, one client, one
//! user and a while.

mod email;
mod outage;
mod reset;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cognate::pool::{Client, LinkTo, Pool};
use cognate::store::directory::User;

use crate::app::TestApp;

const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const DAY: Duration = Duration::from_secs(24 * 3600);
const NEW: &str = "another long password";

fn link(client: &Client) -> LinkTo<'_> {
    LinkTo { client, page: Some("https://acme.test/take/?token="), life: DAY }
}

/// The pool at the replica that made no link.
fn other(app: &TestApp) -> std::sync::Arc<Pool> {
    app.replicas().last().unwrap().pool()
}

async fn user(app: &TestApp, name: &str) -> User {
    app.pool().find_user(name).await.unwrap()
}

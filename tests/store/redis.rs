//! The suite on Redis: one server, TLS with an ACL user, Sentinel and Cluster, plain and with TLS. Each server is started once.

use std::sync::OnceLock;

use super::tokens::{Store, tokens_suite};
use crate::servers::redis::{Cluster, Guarded, GuardedCluster, Server, Watched, patient, settings};

tokens_suite!(standalone, crate::store::redis::on_one_server());
tokens_suite!(tls_and_acl, crate::store::redis::on_a_guarded_server());
tokens_suite!(sentinel, crate::store::redis::behind_sentinels());
tokens_suite!(cluster, crate::store::redis::on_a_cluster());
tokens_suite!(cluster_with_tls, crate::store::redis::on_a_guarded_cluster());

fn on_one_server() -> (Store, ()) {
    static SERVER: OnceLock<Server> = OnceLock::new();
    (patient(settings(&SERVER.get_or_init(|| Server::start(&[])).url())), ())
}

fn on_a_guarded_server() -> (Store, ()) {
    static SERVER: OnceLock<Guarded> = OnceLock::new();
    (patient(SERVER.get_or_init(Guarded::start).settings()), ())
}

fn behind_sentinels() -> (Store, ()) {
    static SERVERS: OnceLock<Watched> = OnceLock::new();
    (patient(settings(&SERVERS.get_or_init(|| Watched::start(30_000)).url())), ())
}

fn on_a_cluster() -> (Store, ()) {
    static SERVERS: OnceLock<Cluster> = OnceLock::new();
    (patient(settings(&SERVERS.get_or_init(|| Cluster::start(&[])).url())), ())
}

fn on_a_guarded_cluster() -> (Store, ()) {
    static SERVERS: OnceLock<GuardedCluster> = OnceLock::new();
    (patient(SERVERS.get_or_init(GuardedCluster::start).settings()), ())
}

//! The settings of the TokenStore.

use std::path::PathBuf;

use serde::Deserialize;

use super::value::Shown;
use super::{Period, Secret, Setting};

/// When a write to Redis counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// When the master has it.
    Local,
    /// When one of its replicas has it, too.
    Replicated,
}

settings! {
    /// The TokenStore: what expires.
    Tokens("tokens.") {
        /// sql (beside the directory), redis://, rediss://, redis-sentinel://HOST,HOST/SERVICE or redis-cluster://HOST,HOST.
        url: Secret = Secret::new("sql");
        /// File that holds tokens.url.
        url_file: Option<PathBuf> = None;
        /// PEM certificates to trust for TLS to Redis, instead of the public ones.
        ca_file: Option<PathBuf> = None;
        /// Longest wait for a connection.
        connect_timeout: Period = Period::milliseconds(250);
        /// Longest wait for an answer; after that the call is a 503.
        timeout: Period = Period::milliseconds(500);
        /// local (what Redis has written counts) or replicated (once a replica of it has it, too; until then a 503).
        durability: Durability = Durability::Local;
    }
}

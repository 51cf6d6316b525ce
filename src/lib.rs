//! Cognate: a Cognito-style user pool in one binary.

pub mod api;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod error;
pub mod keys;
pub mod outbound;
pub mod pool;
pub mod server;
pub mod store;
pub mod telemetry;

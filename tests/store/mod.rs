//! Conformance of the stores: one suite for each port, run on every implementation.

mod directory;
mod migrations;
mod plans;
mod redis;
pub mod sql;
pub mod tokens;

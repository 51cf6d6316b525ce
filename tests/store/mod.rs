//! Conformance of the stores: one suite for each port, run on every implementation.

mod directory;
pub mod sql;
mod tokens;

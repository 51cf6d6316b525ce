//! Conformance of the stores: one suite for each port, run on every implementation.

mod redis;
pub mod tokens;

//! The stores: two ports, and the one place that names a backend.

pub mod directory;
pub mod sql;
pub mod tokens;

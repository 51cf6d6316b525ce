//! Real stores killed, stopped, filled, failed over, restored: errors are `Unavailable`, never a wrong verdict.

mod backup;
mod disk;
mod postgres;
mod redis;
mod sqlite;
pub mod verbs;

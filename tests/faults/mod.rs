//! The stores broken on purpose.

mod backup;
mod disk;
mod postgres;
mod sqlite;
mod verbs;

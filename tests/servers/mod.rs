//! Real servers, started by the tests on loopback.

pub mod redis;
pub mod smtp;

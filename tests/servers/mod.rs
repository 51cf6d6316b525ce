//! Real servers, started by the tests on loopback.

pub mod smtp;

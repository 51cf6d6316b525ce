//! Real servers on loopback, each with its own port and folder, gone when the test process is.

pub mod directory;
pub mod gateway;
pub mod postgres;
pub mod redis;
pub mod samba;
pub mod slapd;
pub mod smtp;

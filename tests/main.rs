//! The tests, one binary: stories by topic, conformance of the stores, faults, and the documents against the code.
// Clippy takes helpers for tests (and lets them unwrap) only inside modules marked so.

#[cfg(test)]
mod account;
#[cfg(test)]
mod amadis;
#[cfg(test)]
mod api_key;
#[cfg(test)]
mod app;
#[cfg(test)]
mod astera;
#[cfg(test)]
mod challenge;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod client;
#[cfg(test)]
mod clocks;
#[cfg(test)]
mod cognito;
#[cfg(test)]
mod cognito_sign_in;
#[cfg(test)]
mod cognito_users;
#[cfg(test)]
mod credential;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod hash;
#[cfg(test)]
mod hook;
#[cfg(test)]
mod import;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod ldap;
#[cfg(test)]
mod links;
#[cfg(test)]
mod login;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod master_key;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod ops;
#[cfg(test)]
mod organizations;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod password;
#[cfg(test)]
mod permission;
#[cfg(test)]
mod pm415;
#[cfg(test)]
mod public_id;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod reset;
#[cfg(test)]
mod revoke;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod sign_up;
#[cfg(test)]
mod store;
#[cfg(test)]
mod surface;
#[cfg(test)]
mod throttle;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod triggers;
#[cfg(test)]
mod user_import;
#[cfg(test)]
mod users;
#[cfg(test)]
mod wire;

//! SRP-6a as Cognito speaks it: the server keeps a verifier instead of the password, and both sides prove that they
//! hold the same secret without sending it. Nothing here asks a store: [`SecretBlock`] carries the state between the
//! two calls, sealed, so that any replica can answer.

mod block;
mod challenge;
mod group;
mod timestamp;
mod verifier;

pub use block::{Place, SecretBlock};
pub use challenge::{Claim, ServerChallenge, SrpA};
pub use verifier::Verifier;

/// Who proves something: the two names that go into every hash. A verifier is bound to them, so neither may change.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    pool: &'a str,
    name: &'a str,
}

impl<'a> Identity<'a> {
    /// A user: the pool's name is its id after the first `_`; `name` is the `USER_ID_FOR_SRP`.
    pub fn user(pool_id: &'a str, name: &'a str) -> Self {
        Self { pool: pool_id.split_once('_').map_or(pool_id, |(_, name)| name), name }
    }

    /// A remembered device.
    pub fn device(group_key: &'a str, device_key: &'a str) -> Self {
        Self { pool: group_key, name: device_key }
    }
}

#[cfg(test)]
mod vectors;

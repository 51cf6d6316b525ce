//! Tokens and the keys that sign them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod confusion;
mod header;
mod jws;
mod keys;
mod life;
mod workshop;

//! Tokens and the keys that sign them.

mod confusion;
mod header;
mod jws;
mod keys;
mod life;
mod workshop;

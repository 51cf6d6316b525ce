//! Cognate: a self-hosted token issuer, a Cognito-style user pool in one binary. This page is its architecture.
//!
//! # Five words
//!
//! - **dialect** ([`api`]): a language the outside speaks: paths, wire shapes, and how it says no. Knows HTTP,
//!   nothing of storage.
//! - **pool** ([`pool`]): what a user pool does, in verbs. Knows neither HTTP nor SQL nor Redis.
//! - **store** ([`store`]): `Directory` keeps what must last (users, devices, groups, clients, pools, keys),
//!   `TokenStore` keeps what expires (sessions, challenges, codes, attempts).
//! - **error** ([`error`]): a refusal, named once in domain words, said by each dialect in its own.
//! - **config** ([`config`]): every setting there is.
//!
//! # One picture
//!
//! ```text
//! main → cli → server → api → pool → store | outbound | keys → error, config, clock, crypto
//! ```
//!
//! Calls run one way; `tests/layers.rs` keeps the direction.
//!
//! # Invariants
//!
//! 1. *One choke point per decision.* May this user have sessions: `pool::user::check_standing`. What is still owed
//!    before tokens: `Pool::next_step` (`Pool::step_by_triggers` where the pool's own challenges were the proof). Is
//!    this access token good: [`pool::Pool::authenticate`]. Is this refresh token good: [`pool::Pool::refresh`]. May
//!    this attempt go on: `Pool::attempt`. May this caller do this to others: [`pool::Pool::permit`]. Is this mailed
//!    link good: `Pool::read_link`. Which app client does an API speak for: [`pool::Pools::surface`]. May this access
//!    key sign that: [`pool::AccessKey::may`]. What may an app client have for itself: [`pool::Pool::client_token`].
//!    What does the operator's function say: `Pool::trigger`. May this password follow those before it:
//!    `Pool::next_password`.
//! 2. *Atomic by design.* Every verb of a port is one step; no caller reads and then writes where a race could matter.
//!    The order of refreshes comes from the session's generation, never from the time.
//! 3. *Nothing revoked works again.* A session lives only while three things agree: the token store has it, the
//!    Directory has no record of its end, and its epoch is the user's (or the user's change spared it). The Directory's
//!    part is durable, so a failover or an old snapshot of the token store revives nothing; what is lost is refused.
//!    What was rotated out stays out by the same means: that a refresh token was presented is in the Directory before
//!    the token store moves ([`store::tokens::Floor`]), which then judges by the newer of what the two know.
//! 4. *An outage is no refusal.* A store that does not answer is `Unavailable`, which only ever becomes 503.
//! 5. *The store knows no secret.* Refresh tokens, handles and codes are MACs under keys derived from one root secret;
//!    the root secret, signing keys and mails are sealed under the master key, which is not in the store. Changing the
//!    master key re-wraps the root secret and logs nobody out.
//! 6. *Time, randomness, keys and URLs are handed in.* No request decides an issuer, a link, a hook or a clock.
//!
//! # How things are added
//!
//! A dialect: a file in `api`, a line in [`api::dialects`]. A Cognito operation: a function with its input and output,
//! a row in the `operations!` of its file. A refusal: a variant in [`error::Error`]; the compiler then
//! asks every dialect for its words. A challenge: asked and answered in the file of its noun in `pool`, owed in
//! `Pool::next_step`. A trigger: a variant of [`pool::Trigger`], asked in the file of its occasion. A store: a folder
//! in `store`, an arm in [`store::open`], a line in the conformance suite. A setting: a documented field in [`config`].

pub mod api;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod error;
pub mod keys;
pub mod outbound;
pub mod pool;
pub mod server;
pub mod store;
pub mod telemetry;

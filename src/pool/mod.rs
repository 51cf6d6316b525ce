//! What a user pool does, in verbs; knows neither HTTP nor SQL nor Redis.

pub mod hash;
pub mod name;
pub mod outbox;
pub mod password;

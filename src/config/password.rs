//! Settings of the hashing of passwords.

use serde::Deserialize;

use super::value::{Period, Setting, Shown};

settings! {
    /// Hashing of passwords (Argon2id).
    Password("password.") {
        /// Memory of one hash in KiB.
        memory_kib: u32 = 19_456;
        /// Passes over that memory.
        iterations: u32 = 2;
        /// Lanes.
        parallelism: u32 = 1;
        /// Hashes at once; 0 means one per core.
        threads: usize = 0;
        /// Longest wait for a turn; after that the sign-in is a 503 with Retry-After.
        queue_wait: Period = Period::seconds(1);
    }
}

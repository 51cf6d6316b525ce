//! The memory that Argon2 works in, kept from one hash to the next: giving 19 MiB back and taking them anew costs
//! page faults, and the allocator would hold on to them once for every thread that ever hashed.

use std::sync::{Mutex, PoisonError};

use argon2::{Argon2, Block};

use crate::error::Error;

/// What one hash works in.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl Memory {
    /// Writes the raw hash to `digest`; `Unavailable` when there is no memory.
    pub fn hash(&mut self, argon2: &Argon2<'_>, password: &[u8], salt: &[u8], digest: &mut [u8]) -> Result<(), Error> {
        let fault = |fault: &dyn std::fmt::Display| Error::unavailable(format!("Argon2: {fault}"));
        let wanted = argon2.params().block_count();
        let missing = wanted.saturating_sub(self.0.len());
        self.0.try_reserve_exact(missing).map_err(|none| fault(&none))?;
        self.0.resize(self.0.len() + missing, Block::default());
        argon2.hash_password_into_with_memory(password, salt, digest, self.0.as_mut_slice()).map_err(|no| fault(&no))
    }
}

/// Memories that no hash works in at the moment: at most as many as hashes ran at once.
pub(super) struct Memories {
    idle: Mutex<Vec<Memory>>,
    /// Blocks of a hash with the configured parameters; what an imported hash took beyond is given back.
    usual: usize,
}

impl Memories {
    pub fn of(usual: usize) -> Self {
        Self { idle: Mutex::default(), usual }
    }

    /// Runs one hash.
    pub fn lend<T>(&self, work: impl FnOnce(&mut Memory) -> T) -> T {
        let mut memory = self.idle().pop().unwrap_or_default();
        let done = work(&mut memory);
        if memory.0.len() <= self.usual {
            self.idle().push(memory);
        }
        done
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Memory>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

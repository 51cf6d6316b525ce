//! Hashing of passwords on a bounded pool of its own, so that a burst of sign-ins queues and is then told to come
//! back, while refresh, JWKS and health never wait behind it.

mod memory;
mod queue;
mod stored;

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use crate::config;
use crate::crypto::Random;
use crate::error::Error;
use memory::{Memories, Memory};
use queue::Queue;
use stored::Stored;

/// What a password proved to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordCheck {
    /// The user's.
    Right,
    /// The user's, but its hash is of another algorithm or of other parameters: hash it anew.
    RightButOutdated,
    /// Not the user's, or there is no such user.
    Wrong,
}

/// Makes and checks password hashes: Argon2id with the configured parameters, and every imported kind on checking.
pub struct Hasher {
    argon2: Argon2<'static>,
    ghost: Arc<Stored>,
    queue: Queue,
    memories: Arc<Memories>,
    random: Random,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher").field("params", self.argon2.params()).finish_non_exhaustive()
    }
}

impl Hasher {
    /// Takes the parameters and how many hashes may run at once.
    pub fn new(settings: &config::Password) -> Result<Self, Error> {
        let params = Params::new(settings.memory_kib, settings.iterations, settings.parallelism, None)
            .map_err(|fault| Error::internal(format!("password: {fault}")))?;
        let random = Random::default();
        Ok(Self {
            memories: Arc::new(Memories::of(params.block_count())),
            ghost: Arc::new(Stored::ghost(&params, &random)?),
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            queue: Queue::new(at_once(settings), *settings.queue_wait),
            random,
        })
    }

    /// The Argon2id hash of a password in PHC format, with a new salt. `Unavailable` when no turn came in time.
    pub async fn hash(&self, password: &str) -> Result<String, Error> {
        let argon2 = self.argon2.clone();
        let salt = self.random.bytes::<16>()?;
        self.in_turn(password, move |password, memory| stored::make(&argon2, password, &salt, memory)).await
    }

    /// Compares a password with a stored hash, whole and byte for byte. Without a stored hash the same work is done
    /// on a hash that nothing matches, so that an unknown user costs what a wrong password does.
    /// `Unavailable` when no turn came in time, `Internal` when the stored hash is not one [`accepts`] lets in.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<PasswordCheck, Error> {
        let stored = match stored {
            Some(text) => {
                Arc::new(Stored::parse(text).map_err(|fault| Error::internal(format!("stored hash: {fault}")))?)
            }
            None => Arc::clone(&self.ghost),
        };
        let current = stored.is_current(self.argon2.params());
        let right = self.in_turn(password, move |password, memory| stored.matches(password, memory)).await?;
        Ok(match (right, current) {
            (true, true) => PasswordCheck::Right,
            (true, false) => PasswordCheck::RightButOutdated,
            (false, _) => PasswordCheck::Wrong,
        })
    }

    /// Whether a password is any of these, all compared in one turn. Errors as of [`Hasher::verify`].
    pub async fn is_any(&self, password: &str, stored: &[String]) -> Result<bool, Error> {
        let stored = stored.iter().map(|text| Stored::parse(text)).collect::<Result<Vec<_>, _>>();
        let stored = stored.map_err(|fault| Error::internal(format!("stored hash: {fault}")))?;
        if stored.is_empty() {
            return Ok(false);
        }
        let compare = move |password: &[u8], memory: &mut Memory| {
            for one in &stored {
                if one.matches(password, memory)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        self.in_turn(password, compare).await
    }

    /// How many callers wait for a turn.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// `Unavailable` when the queue is so long that no turn would come in time: to be asked before anything is done
    /// for somebody who has a password to check, since looking him up and counting him costs the hashes their core.
    pub fn room(&self) -> Result<(), Error> {
        self.queue.room()
    }

    /// Runs other work that costs a core some milliseconds, in turn with the hashes. `Unavailable` as above.
    pub async fn compute<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let turn = self.queue.turn().await?;
        let job = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(job).await.map_err(Error::internal)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        password: &str,
        work: impl FnOnce(&[u8], &mut Memory) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = self.queue.turn().await?;
        let password = Zeroizing::new(password.to_owned());
        let memories = Arc::clone(&self.memories);
        let job = move || {
            // Held by the thread, not by the caller: a caller who goes away does not free a core that is still busy.
            let _turn = turn;
            memories.lend(|memory| work(password.as_bytes(), memory))
        };
        tokio::task::spawn_blocking(job).await.map_err(Error::internal)?
    }
}

/// How many passwords are hashed at once.
pub fn at_once(settings: &config::Password) -> usize {
    match settings.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

/// Whether an imported hash can be checked here and at a bearable price; the text says what is wrong with it.
pub fn accepts(stored: &str) -> Result<(), String> {
    Stored::parse(stored).map(|_| ())
}

//! Text messages: handed to the operator's gateway as signed JSON, once for each try of the outbox.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use url::Url;

use super::hook::{HookError, Hooks};
use super::mail::Undelivered;
use crate::clock::Clock;
use crate::config::Config;
use crate::crypto;

/// Hands text messages to the gateway.
pub struct Texter {
    url: Url,
    hooks: Hooks,
    clock: Arc<dyn Clock>,
    patience: Duration,
}

impl std::fmt::Debug for Texter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Texter")
    }
}

/// What the gateway gets. `id` is the same each time that one message is tried, so that it can be sent once.
#[derive(Serialize)]
struct Message<'a> {
    id: String,
    to: &'a str,
    text: &'a str,
}

impl Texter {
    /// By these settings; none where there is no gateway. The fault is in words for an operator.
    pub fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Option<Self>, String> {
        let Some(url) = config.sms.url.clone() else { return Ok(None) };
        Hooks::check(&url).map_err(|why| format!("sms.url: {why}"))?;
        Ok(Some(Self { url, hooks: Hooks::new(&config.hooks)?, clock, patience: *config.hooks.timeout }))
    }

    /// The longest time [`Texter::send`] takes.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Hands a message over.
    pub async fn send(&self, to: &str, text: &str) -> Result<(), Undelivered> {
        let digest = crypto::sha256(format!("{to}\n{text}"));
        let id = crypto::encode(digest.into_iter().take(16).collect::<Vec<u8>>());
        let sent = self.hooks.post(&self.url, &Message { id, to, text }, self.clock.now()).await;
        match sent {
            Ok(status) if (200..300).contains(&status) => Ok(()),
            Ok(status @ (408 | 425 | 429 | 500..)) => Err(Undelivered::Later(says(status).into())),
            Ok(status) => Err(Undelivered::Never(says(status).into())),
            Err(HookError::Malformed(why)) => Err(Undelivered::Never(why.into())),
            Err(fault @ (HookError::Unreachable(_) | HookError::Failed { .. })) => {
                Err(Undelivered::Later(fault.into()))
            }
        }
    }
}

fn says(status: u16) -> String {
    format!("the gateway of text messages answered {status}")
}

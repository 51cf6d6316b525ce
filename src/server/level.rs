//! The log level of the running service: settings are read again when their file changes, and on SIGHUP.

use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};

use crate::config::{Log, Source};
use crate::telemetry::Level;

/// How often the file is looked at; polling follows the symlink swaps of mounted config maps.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Follows for as long as the process runs. Settings that are wrong change nothing.
pub(super) async fn follow(source: Source, mut log: Log, level: Level) {
    let Ok(mut told) = signal(SignalKind::hangup()) else { return };
    let mut seen = source.file.as_deref().and_then(changed_at);
    loop {
        tokio::select! {
            _ = told.recv() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {
                if source.file.as_deref().and_then(changed_at) == seen {
                    continue;
                }
            }
        }
        seen = source.file.as_deref().and_then(changed_at);
        match source.read().and_then(|settings| level.follow(&settings.log).map(|()| settings.log)) {
            Ok(now) if now.level == log.level => {}
            Ok(now) => {
                tracing::info!(level = now.level, "the log level was changed");
                log = now;
            }
            Err(fault) => tracing::warn!(fault, "the changed settings can not be used; the log level stays"),
        }
    }
}

fn changed_at(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|file| file.modified()).ok()
}

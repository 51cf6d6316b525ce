//! Room kept on the disk of the embedded store, so that ending a session or disabling a user still commits when the
//! disk is full (R15). While the reserve is spent, all other writes are refused without touching the disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::time::Instant;

use super::file;

/// Room for some fifty urgent commits.
const SIZE: usize = 1 << 20;
/// How often it is tried to take the room again.
const PAUSE: Duration = Duration::from_secs(1);

/// The file that holds the room.
pub(super) struct Reserve {
    path: PathBuf,
    held: bool,
    tried: Instant,
}

impl Reserve {
    /// The reserve of a database; taken if there is room.
    pub(super) async fn of(database: &Path) -> Self {
        let path = file::beside(database, ".ballast");
        let held = tokio::fs::metadata(&path).await.is_ok_and(|meta| meta.len() >= SIZE as u64);
        let mut reserve = Self { path, held, tried: Instant::now() };
        if !held {
            reserve.take().await;
        }
        reserve
    }

    /// Whether there is room for ordinary writes.
    pub(super) async fn admits_all(&mut self) -> bool {
        if !self.held && self.tried.elapsed() >= PAUSE {
            self.take().await;
        }
        self.held
    }

    /// Gives the room to what must be written now; false when that was done before.
    pub(super) async fn spend(&mut self) -> bool {
        let spent = std::mem::replace(&mut self.held, false);
        self.tried = Instant::now();
        let _ = tokio::fs::remove_file(&self.path).await;
        self.report();
        spent
    }

    async fn take(&mut self) {
        self.tried = Instant::now();
        self.held = self.fill().await.is_ok();
        if !self.held {
            let _ = tokio::fs::remove_file(&self.path).await;
        }
        self.report();
    }

    async fn fill(&self) -> std::io::Result<()> {
        let _ = tokio::fs::remove_file(&self.path).await;
        let mut ballast = tokio::fs::File::from_std(file::create(&self.path)?);
        ballast.write_all(&vec![0xB5; SIZE]).await?;
        ballast.sync_all().await
    }

    /// For the operator's alarm: 1 while only urgent writes are accepted.
    fn report(&self) {
        metrics::gauge!("cognate_store_disk_full").set(if self.held { 0.0 } else { 1.0 });
    }
}

//! The stores: two ports, and the one place that names a backend.

pub mod device;
pub mod directory;
mod group;
mod measured;
pub mod organization;
pub mod redis;
mod refresh;
mod search;
pub mod sql;
pub mod tokens;

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Config;
use directory::Directory;
use measured::Measured;
use tokens::TokenStore;

/// Both ports, opened.
pub struct Stores {
    /// What must last.
    pub directory: Arc<dyn Directory>,
    /// What expires.
    pub tokens: Arc<dyn TokenStore>,
}

/// Opens the stores that the settings name. A server that is down is no error: the first verb that needs it says
/// `Unavailable`. What can never work (a bad URL, a corrupted file, a newer schema) is one clear line.
pub async fn open(config: &Config) -> Result<Stores, String> {
    let sql = Arc::new(sql::open(&config.directory_url(), &config.directory).await?);
    let directory: Arc<dyn Directory> = sql.clone();
    let tokens = open_tokens(config)?.unwrap_or(sql);
    Ok(Stores { directory: Arc::new(Measured(directory)), tokens: Arc::new(Measured(tokens)) })
}

/// The Directory alone.
pub async fn open_directory(config: &Config) -> Result<Arc<dyn Directory>, String> {
    Ok(Arc::new(sql::open(&config.directory_url(), &config.directory).await?))
}

/// The TokenStore alone; none when it lies beside the Directory.
pub fn open_tokens(config: &Config) -> Result<Option<Arc<dyn TokenStore>>, String> {
    match config.tokens.url.expose() {
        "sql" => Ok(None),
        _ => Ok(Some(Arc::new(redis::open(&config.tokens)?))),
    }
}

/// The file of the embedded store; none when the Directory is on a server.
pub fn embedded_file(config: &Config) -> Option<PathBuf> {
    sql::file_of(&config.directory_url())
}

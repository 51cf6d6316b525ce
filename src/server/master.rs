//! Where the master keys come from: settings, or, for a development store, a file beside it. A key that is missing
//! while sealed data exists is refused; making a new one would log everybody out.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::crypto::Random;
use crate::error::chain;
use crate::keys::{Keyholder, MasterKeys};
use crate::pool::Ports;
use crate::store::directory::Directory;

/// Name of the file in the data folder.
const FILE: &str = "master.key";
/// How often the file is looked at; polling follows the symlink swaps of mounted secrets.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The master keys of this deployment; made when there are none and nothing is sealed yet.
pub(super) async fn load(config: &Config, directory: &dyn Directory, random: &Random) -> Result<Keyholder, String> {
    let keys = match find(config)? {
        Some(keys) => keys,
        None => make(&config.data.join(FILE), directory, random).await?,
    };
    Ok(Keyholder::new(keys, file(config)))
}

/// Follows the file for as long as the process runs: at SIGHUP, and by looking.
pub(super) async fn follow(ports: Arc<Ports>) {
    let Ok(mut told) = signal(SignalKind::hangup()) else { return };
    let mut said = None;
    loop {
        tokio::select! {
            _ = told.recv() => said = None,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let fault = ports.follow_master_keys().await.err();
        if let Some(fault) = fault.as_ref().filter(|fault| said.as_ref() != Some(*fault)) {
            tracing::error!(fault, "the changed master keys can not be used; the old ones stay");
        }
        said = fault;
    }
}

/// The master keys that are there.
pub(super) fn find(config: &Config) -> Result<Option<MasterKeys>, String> {
    if let Some(keys) = &config.master_key {
        return MasterKeys::parse(keys.expose()).map(Some).map_err(|fault| format!("master_key: {fault}"));
    }
    let path = config.data.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => MasterKeys::parse(&text).map(Some).map_err(|fault| format!("{}: {fault}", path.display())),
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(format!("cannot read {}: {fault}", path.display())),
    }
}

/// Where the master keys are, for people.
pub fn place(config: &Config) -> String {
    file(config).map_or_else(|| "the setting master_key".to_owned(), |path| path.display().to_string())
}

/// The file that holds the master keys, unless they are a setting of their own.
fn file(config: &Config) -> Option<PathBuf> {
    match (&config.master_key_file, &config.master_key) {
        (Some(path), _) => Some(path.clone()),
        (None, Some(_)) => None,
        (None, None) => Some(config.data.join(FILE)),
    }
}

async fn make(path: &Path, directory: &dyn Directory, random: &Random) -> Result<MasterKeys, String> {
    let sealed = directory.document("root", "root").await.map_err(|error| {
        format!("cannot tell whether a master key exists already ({}); set COGNATE__MASTER_KEY_FILE", chain(&error))
    })?;
    if sealed.is_some() {
        return Err(format!(
            "the data is sealed under a master key that is not here: put it back at {} or set COGNATE__MASTER_KEY_FILE",
            path.display()
        ));
    }
    let text = MasterKeys::generate(random).map_err(|error| chain(&error))?;
    write_new(path, &text).map_err(|fault| format!("cannot write {}: {fault}", path.display()))?;
    let kept = std::fs::read_to_string(path).map_err(|fault| format!("cannot read {}: {fault}", path.display()))?;
    MasterKeys::parse(&kept)
}

/// Another process may be faster; then its key is the one.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        }
        Err(fault) if fault.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(fault) => Err(fault),
    }
}

//! The master keys while the process runs: others are taken from their file once they open everything there is.

use super::{Ports, inspect};
use crate::error::{Error, chain};

impl Ports {
    /// Reads the file of the master keys again, and takes what it holds if that opens everything in the Directory.
    /// The fault is for the operator; the keys in force then stay.
    pub async fn follow_master_keys(&self) -> Result<(), String> {
        let Some(others) = self.master.others()? else { return Ok(()) };
        inspect(&*self.directory, &others).await.map_err(|error| refusal(&error))?;
        let first = others.id().to_owned();
        self.master.replace(others);
        tracing::info!(first, "the master keys were read again");
        Ok(())
    }
}

fn refusal(error: &Error) -> String {
    if matches!(error, Error::Unavailable { .. }) {
        return format!("they can not be tried: {}", chain(error));
    }
    format!("they do not open all that is sealed: {}; put the older key back, behind the new one", chain(error))
}

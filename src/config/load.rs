//! Reading the settings: defaults < TOML file < environment, then the `…_file` secrets.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use config::{Environment, File, FileFormat};

use super::{Config, Secret};

/// Where the settings come from, so that they can be read again.
pub struct Source {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// The process's variables, of which those starting with `COGNATE__` count.
    pub environment: HashMap<String, String>,
    /// Settings from the command line (`("http.listen", "…")`).
    pub overrides: Vec<(&'static str, String)>,
}

impl Source {
    /// Reads them as they are now.
    pub fn read(&self) -> Result<Config, String> {
        load(self.file.as_deref(), self.environment.clone(), &self.overrides)
    }
}

/// Reads and checks everything; all faults come in one message, a line each.
///
/// `file` is a TOML file; `environment` holds the process's variables, of which those starting with
/// `COGNATE__` count; `overrides` are settings from the command line (`("http.listen", "…")`).
pub fn load(
    file: Option<&Path>,
    environment: HashMap<String, String>,
    overrides: &[(&str, String)],
) -> Result<Config, String> {
    let mut builder = config::Config::builder();
    if let Some(path) = file {
        builder = builder.add_source(File::from(path).format(FileFormat::Toml));
    }
    let variables = environment.into_iter().filter(|(name, _)| name.starts_with("COGNATE__")).collect();
    builder = builder.add_source(Environment::with_prefix("COGNATE").separator("__").source(Some(variables)));
    for (name, value) in overrides {
        builder = builder.set_override(*name, value.as_str()).map_err(|fault| fault.to_string())?;
    }
    let raw = builder.build().map_err(|fault| fault.to_string())?;
    let mut settings: Config =
        serde_path_to_error::deserialize(raw).map_err(|fault| format!("{}: {}", fault.path(), fault.inner()))?;
    let mut faults = Vec::new();
    read_secrets(&mut settings, &mut faults);
    settings.check(&mut faults);
    if faults.is_empty() { Ok(settings) } else { Err(faults.join("\n")) }
}

fn read_secrets(settings: &mut Config, faults: &mut Vec<String>) {
    let Config { master_key, master_key_file, directory, tokens, mail, ldap, hooks, .. } = settings;
    read_into(master_key_file.as_deref(), "master_key_file", faults, |secret| *master_key = Some(secret));
    read_into(directory.url_file.as_deref(), "directory.url_file", faults, |secret| directory.url = Some(secret));
    read_into(tokens.url_file.as_deref(), "tokens.url_file", faults, |secret| tokens.url = secret);
    read_into(mail.url_file.as_deref(), "mail.url_file", faults, |secret| mail.url = secret);
    read_into(ldap.bind_password_file.as_deref(), "ldap.bind_password_file", faults, |secret| {
        ldap.bind_password = Some(secret);
    });
    read_into(hooks.signing_key_file.as_deref(), "hooks.signing_key_file", faults, |secret| {
        hooks.signing_key = Some(secret);
    });
}

fn read_into(path: Option<&Path>, name: &str, faults: &mut Vec<String>, keep: impl FnOnce(Secret)) {
    let Some(path) = path else { return };
    match std::fs::read_to_string(path) {
        Ok(text) => keep(Secret::new(text.trim())),
        Err(fault) => faults.push(format!("{name}: cannot read {}: {fault}", path.display())),
    }
}

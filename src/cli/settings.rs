//! `cognate config` and `cognate check`: what the settings are, and whether a service could start with them.

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use super::open::quiet_logging;
use super::output::{Output, count};
use crate::config::{Config, Setting};
use crate::server;

/// How to print the settings.
#[derive(Args)]
pub(super) struct Show {
    /// As a JSON array of {name, variable, value, default, about}
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    variable: String,
    value: &'a str,
    default: &'a str,
    about: &'a str,
}

impl Show {
    pub(super) fn run(&self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        let settings = config.settings();
        if self.json {
            return output.json(&settings.iter().map(row).collect::<Vec<_>>());
        }
        output
            .line("# Secrets are shown as ***. Each setting: its value, what it does, its name in the environment.")?;
        settings.iter().try_for_each(|setting| print(setting, output))
    }
}

fn row(setting: &Setting) -> Row<'_> {
    let Setting { name, value, default, about } = setting;
    Row { name, variable: setting.variable(), value, default, about }
}

fn print(setting: &Setting, output: &mut Output) -> Result<(), Failure> {
    let default = if setting.default.is_empty() { "no default" } else { &format!("default {}", setting.default) };
    output.line("")?;
    output.line(format_args!("{} = {}", setting.name, setting.value))?;
    output.line(format_args!("    {}", setting.about))?;
    output.line(format_args!("    {}, {default}", setting.variable()))
}

/// Tries everything and prints how it is; the settings themselves were read and checked before.
pub(super) async fn check(config: &Config, output: &mut Output) -> Result<(), Failure> {
    quiet_logging(config)?;
    output.line("fine   settings     every value is in order")?;
    let mut faults = 0;
    for finding in server::check(config).await {
        let (word, text) = match finding.outcome {
            Ok(text) => ("fine", text),
            Err(text) => {
                faults += 1;
                ("WRONG", text)
            }
        };
        output.line(format_args!("{word:5}  {:11}  {text}", finding.part))?;
    }
    if faults == 0 {
        Ok(())
    } else {
        Err(format!("{}; a service would not start or not work", count(faults, "fault")).into())
    }
}

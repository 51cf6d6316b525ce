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

/// What `check` says when the settings can not even be read.
pub(super) fn say_faults(faults: &str, output: &mut Output) -> Result<(), Failure> {
    faults.lines().try_for_each(|fault| say(false, "settings", fault, output))?;
    Err(verdict(faults.lines().count()))
}

fn say(fine: bool, part: &str, text: &str, output: &mut Output) -> Result<(), Failure> {
    output.line(format_args!("{}  {part:11}  {text}", if fine { "fine " } else { "WRONG" }))
}

fn verdict(faults: usize) -> Failure {
    format!("{}: a service would not start, or not work", count(faults, "fault")).into()
}

/// Tries everything and prints how it is; the settings themselves were read and checked before.
pub(super) async fn check(config: &Config, output: &mut Output) -> Result<(), Failure> {
    let _last_lines = quiet_logging(config)?;
    say(true, "settings", "every value is in order", output)?;
    let mut faults = 0;
    for finding in server::check(config).await {
        faults += usize::from(finding.outcome.is_err());
        let fine = finding.outcome.is_ok();
        let (Ok(text) | Err(text)) = finding.outcome;
        say(fine, finding.part, &text, output)?;
    }
    if faults == 0 { Ok(()) } else { Err(verdict(faults)) }
}

//! The command line: what an operator types, and what each command prints. One file a noun; every command works on
//! the stores that the settings name, beside a running service.

mod access_keys;
mod ask;
mod backup;
mod clients;
mod export;
mod failure;
mod groups;
mod import;
mod keys;
mod open;
mod organizations;
mod output;
mod pools;
mod sealed_file;
mod settings;
mod users;

use std::collections::HashMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::api::ops::OPENAPI;
use crate::config::{Config, Source};
use crate::server;
use failure::Failure;
use open::Opened;
use output::Output;

const EXAMPLES: &str = "\
Examples:
  cognate serve                                        run on http://127.0.0.1:8080 with data in ./cognate-data
  cognate users create alice --email alice@example.com make a user; asks for the password
  cognate check && cognate serve                       try the settings before starting
  cognate users list --json | jq -r '.[].username'     every list can be had as JSON

Settings come from defaults, then the TOML file of --config, then the environment; `cognate config` prints them all.";

/// A self-hosted token issuer: a Cognito-style user pool in one binary.
#[derive(Parser)]
#[command(name = "cognate", version, after_help = EXAMPLES)]
struct Cli {
    /// Folder of the embedded store [default: ./cognate-data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Settings")]
    data: Option<PathBuf>,
    /// TOML file with settings; the environment (COGNATE__SECTION__KEY) overrides it
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the service
    Serve {
        /// Address and port to listen on [default: 127.0.0.1:8080]
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
    },
    /// Try all settings, the stores, the master key, templates and certificate, without starting
    Check,
    /// Print the settings in force, what each does and how it is called in the environment
    Config(settings::Show),
    /// Print the description of the API (OpenAPI 3.1, YAML)
    Openapi,
    /// Make, find, change, import and delete users
    Users(users::Users),
    /// Make and delete groups, add and remove users
    Groups(groups::Groups),
    /// Show organizations, let their members in and out
    Organizations(organizations::Organizations),
    /// Make, change and delete app clients: how long their tokens live, whether refresh tokens rotate
    Clients(clients::Clients),
    /// Make, show and disable the access keys that AWS SDKs sign administrative calls with
    AccessKeys(access_keys::AccessKeys),
    /// Show and change user pools: signature algorithm, password rules and lives
    Pools(pools::PoolsCommand),
    /// Show and rotate the keys that sign tokens
    Keys(keys::Keys),
    /// Write a user pool with all that its users sign in with into a file under a passphrase, or as Cognito's CSV
    Export(export::Export),
    /// Take over a user pool from a file that `cognate export` wrote
    Import(import::Import),
    /// Copy the embedded store into a file, beside a running service
    Backup(backup::Backup),
    /// Put a backup in the place of the embedded store, while no service runs
    Restore(backup::Restore),
}

/// Runs the command line; the error is a line for standard error.
pub fn run(arguments: impl Iterator<Item = OsString>, environment: HashMap<String, String>) -> Result<(), String> {
    let cli = Cli::parse_from(arguments);
    let mut output = Output::new();
    let outcome = carry_out(cli, environment, &mut output);
    match output.flush().and(outcome) {
        Ok(()) | Err(Failure::ReaderGone) => Ok(()),
        Err(Failure::Said(line)) => Err(line),
    }
}

fn carry_out(cli: Cli, environment: HashMap<String, String>, output: &mut Output) -> Result<(), Failure> {
    if matches!(cli.command, Command::Openapi) {
        return output.text(OPENAPI);
    }
    let source = Source { file: cli.config.clone(), environment, overrides: overrides(&cli) };
    let settings = match source.read() {
        Ok(settings) => settings,
        Err(faults) if matches!(cli.command, Command::Check) => return settings::say_faults(&faults, output),
        Err(faults) => return Err(faults.into()),
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|fault| fault.to_string())?;
    runtime.block_on(dispatch(cli.command, settings, source, output))
}

fn overrides(cli: &Cli) -> Vec<(&'static str, String)> {
    let data = cli.data.as_ref().map(|data| ("data", data.display().to_string()));
    let listen = if let Command::Serve { listen: Some(listen) } = &cli.command {
        Some(("http.listen", listen.to_string()))
    } else {
        None
    };
    data.into_iter().chain(listen).collect()
}

async fn dispatch(command: Command, settings: Config, source: Source, output: &mut Output) -> Result<(), Failure> {
    match command {
        Command::Serve { .. } => Ok(server::serve(settings, source).await?),
        Command::Check => settings::check(&settings, output).await,
        Command::Config(show) => show.run(&settings, output),
        Command::Openapi => Ok(()),
        Command::Users(users) => users.run(&Opened::new(settings).await?, output).await,
        Command::Groups(groups) => groups.run(&Opened::new(settings).await?, output).await,
        Command::Organizations(organizations) => organizations.run(&Opened::new(settings).await?, output).await,
        Command::Clients(clients) => clients.run(&Opened::new(settings).await?, output).await,
        Command::AccessKeys(keys) => keys.run(&Opened::new(settings).await?, output).await,
        Command::Pools(pools) => pools.run(&Opened::new(settings).await?, output).await,
        Command::Keys(keys) => keys.run(&Opened::new(settings).await?, output).await,
        Command::Export(export) => export.run(&Opened::new(settings).await?, output).await,
        Command::Import(import) => import.run(&Opened::new(settings).await?, output).await,
        Command::Backup(backup) => backup.run(&settings, output).await,
        Command::Restore(restore) => restore.run(&settings, output).await,
    }
}

//! The command line: what an operator types, and what each command prints.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::{self, Config};
use crate::server;

/// A self-hosted token issuer: a Cognito-style user pool in one binary.
#[derive(Parser)]
#[command(name = "cognate", version)]
struct Cli {
    /// Folder of the embedded store [default: ./cognate-data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// TOML file with settings; the environment (COGNATE__SECTION__KEY) overrides it
    #[arg(long, global = true, value_name = "FILE")]
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
}

/// Runs the command line; the error is a line for standard error.
pub fn run(arguments: impl Iterator<Item = String>, environment: HashMap<String, String>) -> Result<(), String> {
    let cli = Cli::parse_from(arguments);
    let mut overrides = Vec::new();
    if let Some(data) = &cli.data {
        overrides.push(("data", data.display().to_string()));
    }
    let Command::Serve { listen } = &cli.command;
    if let Some(listen) = listen {
        overrides.push(("http.listen", listen.to_string()));
    }
    let settings: Config = config::load(cli.config.as_deref(), environment, &overrides)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|fault| fault.to_string())?;
    runtime.block_on(server::serve(settings))
}

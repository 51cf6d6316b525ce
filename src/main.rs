//! The `cognate` binary: calls the command line and sets the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    match cognate::cli::run(std::env::args(), std::env::vars().collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("cognate: {fault}");
            ExitCode::FAILURE
        }
    }
}

//! The `cognate` binary: calls the command line and sets the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Not `vars()`, which panics when anything in the environment is not UTF-8.
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    match cognate::cli::run(std::env::args_os(), environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("cognate: {fault}");
            ExitCode::FAILURE
        }
    }
}

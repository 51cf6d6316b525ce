//! What `benches/run` needs beside the service: users and sessions to ask for, the limits of this very core, and the
//! smallest server there is. Not part of the service.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

mod disk;
mod hello;
mod limits;
mod seed;

use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match arguments.as_slice() {
        ["seed", algorithm, users, sessions, file] => {
            let numbers = (users.parse().unwrap(), sessions.parse().unwrap());
            runtime.block_on(seed::seed(algorithm, numbers, Path::new(file)));
        }
        ["limits"] => limits::print(),
        ["disk", folder] => runtime.block_on(disk::print(Path::new(folder))),
        ["hello", port] => runtime.block_on(hello::serve(port.parse().unwrap())),
        _ => println!("this belongs to benches/run"),
    }
}

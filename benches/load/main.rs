//! What `benches/run` needs beside the service: users and sessions to ask for, sign-ins by SRP, the limits of this very
//! core, and the smallest server there is. Not part of the service.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that cannot go on has failed"
)]

mod disk;
mod hello;
mod limits;
mod seed;
mod srp;
#[path = "../../tests/cognito_sign_in/srp_client.rs"]
#[expect(dead_code, reason = "the tests ask for more of it")]
mod srp_client;

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
        ["srp", url, client, file, callers, seconds] => {
            let numbers = (callers.parse().unwrap(), seconds.parse().unwrap());
            runtime.block_on(srp::sign_in(url, client, Path::new(file), numbers));
        }
        ["limits"] => limits::print(),
        ["disk", folder] => runtime.block_on(disk::print(Path::new(folder))),
        ["hello", port] => runtime.block_on(hello::serve(port.parse().unwrap())),
        _ => println!("this belongs to benches/run"),
    }
}

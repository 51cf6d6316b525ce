//! The `cognate` binary.

fn main() {}

//! The tests, one binary: stories by topic, conformance of the stores, faults, and the documents against the code.

// Clippy takes helpers for tests (and lets them unwrap) only inside such a module.
#[cfg(test)]
mod faults;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod store;

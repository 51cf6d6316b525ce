//! The tests, one binary: stories by topic, conformance of the stores, faults, and the documents against the code.
mod docs;

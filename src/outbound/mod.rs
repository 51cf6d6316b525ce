//! What goes out of the process by its own will.

pub mod mail;

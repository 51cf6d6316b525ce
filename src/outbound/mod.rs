//! What goes out of the process by its own will.

pub mod hook;
pub mod ldap;
pub mod mail;
pub mod sms;

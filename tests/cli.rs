//! The operator's story: the built binary, its commands beside a running service on the same stores.

mod access_keys;
mod directory;
mod moving;
mod organizations;
mod people;
mod place;
mod running;
mod settings;
mod stored;

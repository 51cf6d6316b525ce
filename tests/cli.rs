//! The operator's story: the built binary, its commands beside a running service on the same stores.

mod directory;
mod organizations;
mod people;
mod place;
mod running;
mod settings;
mod stored;

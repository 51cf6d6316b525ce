//! Letting a person of a foreign directory in.

use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::error::Error;
use crate::pool::{NewExternalUser, Pool};

/// A person of a foreign directory.
#[derive(Args)]
pub(super) struct Register {
    /// The name there: DOMAIN\name
    name: String,
    /// The address, taken as verified [default: the one of the directory, at the first sign-in]
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// A group to join, which must exist and follow none of the directory; may be given several times
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
}

impl Register {
    pub(super) async fn run(self, pool: &Pool, output: &mut Output) -> Result<(), Failure> {
        let Self { name, email, groups } = self;
        let user = match pool.register_external_user(NewExternalUser { name, email, groups }).await {
            Ok(user) => user,
            Err(Error::UserNotFound) => return Err("The directory has nobody of this name.".into()),
            Err(Error::NotConfigured(_)) => return Err("No directory is configured: set ldap.url.".into()),
            Err(error) => return Err(error.into()),
        };
        output.line(format_args!("{} may sign in. Sub: {}", user.username, user.sub))
    }
}

//! The table of operations: who may call each, and the function that answers.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::fault::Fault;
use super::{
    admin_users, auth, auth_factors, challenges, client_secrets, clients, devices, groups, list_users, mfa, mfa_config,
    own, pools, resource_servers, sessions, sign_out, sign_up, tokens, user_imports,
};
use crate::api::Api;
use crate::clock::Timestamp;
use crate::error::{Error, Kind};
use crate::pool::{Caller, Client, Pool};

/// The operations that are built, file by file.
const TABLE: [&[Operation]; 19] = [
    admin_users::ROWS,
    auth::ROWS,
    auth_factors::ROWS,
    challenges::ROWS,
    client_secrets::ROWS,
    clients::ROWS,
    devices::ROWS,
    groups::ROWS,
    list_users::ROWS,
    mfa::ROWS,
    mfa_config::ROWS,
    own::ROWS,
    pools::ROWS,
    resource_servers::ROWS,
    sessions::ROWS,
    sign_out::ROWS,
    sign_up::ROWS,
    tokens::ROWS,
    user_imports::ROWS,
];

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anybody; what the body names (a client, a session, a code) is all there is to check.
    Nobody,
    /// Whoever holds the access token in the body.
    AccessToken,
    /// Whoever signs with an access key that may do it to the pool.
    Signed,
}

/// One operation.
pub struct Operation {
    /// Its name, as it stands in X-Amz-Target.
    pub name: &'static str,
    /// Who may call it.
    pub who: Who,
    pub(super) run: Run,
}

/// Takes the input, which keeps the model's constraints, and gives the JSON of the output.
pub(super) type Run = for<'a> fn(&'a Call, Value) -> LocalBoxFuture<'a, Result<String, Fault>>;

/// Declares the rows of one file: who calls, the operation, and the function that answers it.
macro_rules! operations {
    ($($who:ident $name:ident => $run:path;)+) => {
        pub(in crate::api::cognito) const ROWS: &[$crate::api::cognito::Operation] = &[$(
            $crate::api::cognito::Operation {
                name: stringify!($name),
                who: $crate::api::cognito::Who::$who,
                run: |call, input| {
                    Box::pin(async move {
                        let input = $crate::api::cognito::operation::parse(input)?;
                        $crate::api::cognito::operation::write(&$run(call, input).await?)
                    })
                },
            },
        )+];
    };
}
pub(super) use operations;

/// Every operation that is built.
pub fn built() -> impl Iterator<Item = &'static Operation> {
    TABLE.into_iter().flatten()
}

pub(super) fn find(name: &str) -> Option<&'static Operation> {
    built().find(|operation| operation.name == name)
}

/// What is checked against the model fits the struct, unless a number is larger than the operation has room for.
pub(super) fn parse<T: DeserializeOwned>(input: Value) -> Result<T, Fault> {
    serde_json::from_value(input).map_err(|_| Fault::unreadable("A value is not of the type that the operation takes."))
}

pub(super) fn write(output: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(output).map_err(|fault| Error::internal(fault).into())
}

/// The output of operations that have none: clients want an object all the same (§0.5).
#[derive(Serialize)]
pub(super) struct Empty {}

/// What a function of the table is given besides its input.
pub(super) struct Call {
    /// The pools and the ports.
    pub(super) api: Arc<Api>,
    /// Where the caller is, if that says who he is.
    pub(super) source: IpAddr,
}

impl Call {
    pub(super) fn now(&self) -> Timestamp {
        self.api.ports.clock.now()
    }

    /// A pool by its id.
    pub(super) fn pool(&self, id: &str) -> Result<Arc<Pool>, Fault> {
        self.api.pools.find(id).map_err(|error| missing(error, Kind::Pool, id))
    }

    /// A client by its id, and its pool.
    pub(super) fn client(&self, id: &str) -> Result<(Arc<Pool>, Client), Fault> {
        let found = self.api.pools.of_client(id).and_then(|pool| {
            let client = pool.client(id)?.clone();
            Ok((pool, client))
        });
        found.map_err(|error| missing(error, Kind::Client, id))
    }

    /// Whose access token this is, and his pool.
    pub(super) async fn caller(&self, access_token: &str) -> Result<(Arc<Pool>, Caller), Fault> {
        let pool = self.api.pools.of_access_token(access_token)?;
        let caller = pool.authenticate(access_token).await?;
        Ok((pool, caller))
    }
}

pub(super) fn missing(error: Error, kind: Kind, id: &str) -> Fault {
    let thing = if kind == Kind::Pool { "User pool" } else { "User pool client" };
    let words =
        matches!(error, Error::NotFound(found) if found == kind).then(|| format!("{thing} {id} does not exist."));
    let fault = Fault::from(error);
    match words {
        Some(words) => fault.saying(words),
        None => fault,
    }
}

/// Cognito's form of an instant: epoch seconds with a fraction.
pub(super) fn epoch(at: Timestamp) -> f64 {
    // Milliseconds of any year to come are far below 2^53.
    at.0 as f64 / 1000.0
}

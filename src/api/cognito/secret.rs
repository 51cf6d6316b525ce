//! What a client with a secret has to bring: SECRET_HASH where somebody is named, else the secret itself.

use super::fault::Fault;
use super::operation::missing;
use crate::error::Kind;
use crate::pool::{Client, Pool, ProvenClient};

const NOT_AUTHORIZED: &str = "NotAuthorizedException";

/// Refuses a call about the user called `name` that does not speak for the client.
pub(super) async fn check_hash(pool: &Pool, client: &Client, hash: Option<&str>, name: &str) -> Result<(), Fault> {
    let proven = pool.proves_client_of(client, hash, name).await;
    let proven = proven.map_err(|error| missing(error, Kind::Client, &client.id))?;
    if proven { Ok(()) } else { Err(refuse_hash(client, hash)) }
}

/// The same about the owner of a refresh token.
pub(super) async fn check_hash_of_token(
    pool: &Pool,
    client: &Client,
    hash: Option<&str>,
    token: &str,
) -> Result<(), Fault> {
    let proven = pool.proves_client_of_token(client, hash, token).await.map_err(Fault::of_refresh)?;
    if proven { Ok(()) } else { Err(refuse_hash(client, hash)) }
}

fn refuse_hash(client: &Client, hash: Option<&str>) -> Fault {
    let id = &client.id;
    Fault::new(
        NOT_AUTHORIZED,
        match hash {
            None => format!("Client {id} is configured with secret but SECRET_HASH was not received"),
            Some(_) => format!("Unable to verify secret hash for client {id}"),
        },
    )
}

/// Refuses a call that does not bring the client's secret.
pub(super) async fn check_secret(pool: &Pool, client: &Client, secret: Option<&str>) -> Result<ProvenClient, Fault> {
    let proven = pool.prove_client(client, secret).await.map_err(|error| missing(error, Kind::Client, &client.id))?;
    if let Some(proven) = proven {
        return Ok(proven);
    }
    let id = &client.id;
    Err(Fault::new(
        NOT_AUTHORIZED,
        match secret {
            None => format!("Client {id} is configured with secret but ClientSecret was not received"),
            Some(_) => format!("Unable to verify secret for client {id}"),
        },
    ))
}

//! UserPoolClientType: an app client as Cognito describes it (contract cognito (h)).

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use super::client_rules::{CLIENT_CREDENTIALS, Unit};
use super::operation::epoch;
use crate::pool::Client;
use crate::pool::client::AuthFlow;

/// Cognito's life of access and id tokens.
const USUAL_LIFE: u64 = 3600;

/// A client as it is described.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UserPoolClient {
    user_pool_id: String,
    client_name: String,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    last_modified_date: f64,
    creation_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    explicit_auth_flows: Option<BTreeSet<AuthFlow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_attributes: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    write_attributes: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevent_user_existence_errors: Option<&'static str>,
    #[serde(rename = "AllowedOAuthFlows", skip_serializing_if = "Option::is_none")]
    allowed_oauth_flows: Option<[&'static str; 1]>,
    #[serde(rename = "AllowedOAuthScopes", skip_serializing_if = "BTreeSet::is_empty")]
    allowed_oauth_scopes: BTreeSet<String>,
    #[serde(rename = "AllowedOAuthFlowsUserPoolClient")]
    allowed_oauth_flows_user_pool_client: bool,
    enable_token_revocation: bool,
    enable_propagate_additional_user_context_data: bool,
    auth_session_validity: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token_rotation: Option<RefreshTokenRotation>,
    #[serde(flatten)]
    described: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RefreshTokenRotation {
    feature: &'static str,
    retry_grace_period_seconds: u64,
}

impl UserPoolClient {
    /// Describes a client, whose secret is `secret`.
    pub(super) fn of(client: &Client, secret: Option<String>) -> Self {
        let rotation = |rotation: &crate::pool::Rotation| RefreshTokenRotation {
            feature: "ENABLED",
            retry_grace_period_seconds: rotation.grace_seconds,
        };
        Self {
            user_pool_id: client.pool.clone(),
            client_name: client.name.clone(),
            client_id: client.id.clone(),
            client_secret: secret,
            last_modified_date: epoch(client.updated_at.unwrap_or(client.created_at)),
            creation_date: epoch(client.created_at),
            explicit_auth_flows: client.auth_flows.clone(),
            read_attributes: client.read_attributes.clone(),
            write_attributes: client.write_attributes.clone(),
            prevent_user_existence_errors: client
                .hide_user_existence
                .map(|hide| if hide { "ENABLED" } else { "LEGACY" }),
            allowed_oauth_flows: client.oauth.client_credentials.then_some([CLIENT_CREDENTIALS]),
            allowed_oauth_scopes: client.oauth.scopes.clone(),
            allowed_oauth_flows_user_pool_client: client.oauth.enabled,
            enable_token_revocation: client.revocation,
            enable_propagate_additional_user_context_data: false,
            auth_session_validity: client.auth_session_seconds.div_ceil(60),
            refresh_token_rotation: client.rotation.as_ref().map(rotation),
            described: lives(client),
        }
    }
}

/// The lives as they were given, or, of a client that was made otherwise, in seconds where they are not the usual.
fn lives(client: &Client) -> Map<String, Value> {
    let mut described = client.described.clone();
    if described.contains_key("TokenValidityUnits") {
        described.entry("RefreshTokenValidity").or_insert_with(|| Value::from(30));
        return described;
    }
    let mut units = Map::new();
    for (token, life) in [("AccessToken", client.access_token_seconds), ("IdToken", client.id_token_seconds)] {
        if life != USUAL_LIFE {
            described.insert(format!("{token}Validity"), Value::from(life));
            units.insert(token.to_owned(), Value::from("seconds"));
        }
    }
    let (number, unit) = whole(client.refresh_token_seconds);
    described.insert("RefreshTokenValidity".to_owned(), Value::from(number));
    if unit != Unit::Days {
        units.insert("RefreshToken".to_owned(), Value::from("seconds"));
    }
    described.insert("TokenValidityUnits".to_owned(), Value::Object(units));
    described
}

fn whole(seconds: u64) -> (u64, Unit) {
    let day = Unit::Days.seconds();
    if seconds.is_multiple_of(day) { (seconds / day, Unit::Days) } else { (seconds, Unit::Seconds) }
}

//! Tokens of app clients themselves, for calls from machine to machine: which clients may have them, and with which
//! scopes. [`Pool::client_token`] decides it, whatever way the client asks.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::resource_server::{custom_scopes, is_custom};
use super::{Metadata, Pool, ProvenClient, Terms};
use crate::error::{Error, Rule};

/// What a client may ask for by OAuth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OAuthRules {
    /// Cognito's AllowedOAuthFlowsUserPoolClient: without it no flow is allowed.
    pub enabled: bool,
    /// The flow `client_credentials`, which is the only one that is built.
    pub client_credentials: bool,
    /// Cognito's AllowedOAuthScopes.
    pub scopes: BTreeSet<String>,
}

impl OAuthRules {
    /// Whether flow, scopes and secret go together.
    pub(super) fn check(&self, has_secret: bool) -> Result<(), Error> {
        let fault = match self {
            Self { enabled: true, client_credentials, scopes } if !client_credentials || scopes.is_empty() => {
                "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows."
            }
            Self { enabled: false, client_credentials: true, .. } => {
                "AllowedOAuthFlows can not be used without AllowedOAuthFlowsUserPoolClient."
            }
            Self { client_credentials: true, .. } if !has_secret => {
                "client_credentials flow can not be selected if client does not have a client secret."
            }
            Self { client_credentials: true, scopes, .. } if !scopes.iter().all(|scope| is_custom(scope)) => {
                "client_credentials flow can not be selected with scopes that are not of a resource server."
            }
            Self { .. } => return Ok(()),
        };
        Err(Rule::OAuthFlows(fault).into())
    }
}

/// Claims of a client's own access token (contract cognito (e)).
#[derive(Serialize, Deserialize)]
struct ClientClaims {
    sub: String,
    token_use: String,
    scope: String,
    auth_time: i64,
    iss: String,
    exp: i64,
    iat: i64,
    version: u8,
    jti: Uuid,
    client_id: String,
}

/// What a client gets for itself: there is no user, so neither a session nor an id token.
pub struct ClientToken {
    /// The access token.
    pub access_token: String,
    /// Its life in seconds.
    pub expires_in: u64,
    /// What it is good for, separated by spaces.
    pub scope: String,
}

impl Pool {
    /// An access token for a client itself, with the scopes that it asks for, or all of its own where it names none. A
    /// scope that no resource server has any more is granted no more.
    ///
    /// Errors: `Rule` (the client may not, or not these scopes), `Hook`, `Unavailable`.
    pub async fn client_token(
        &self,
        client: &ProvenClient,
        asked: &[&str],
        metadata: Option<&Metadata>,
    ) -> Result<ClientToken, Error> {
        let client = client.get();
        if !(client.oauth.enabled && client.oauth.client_credentials) || client.secrets.is_empty() {
            return Err(Rule::FlowNotEnabled.into());
        }
        let scope = self.granted_scope(&client.oauth.scopes, asked).await?;
        let changes = self.client_token_changes(Terms::from(client).telling(metadata), &scope).await?;
        let (now, keys) = (self.now(), self.newest_keys().await?);
        let signer = keys.signer(now).ok_or_else(|| Error::unavailable("the pool has no signing key yet"))?;
        let iat = now.seconds();
        let claims = ClientClaims {
            sub: client.id.clone(),
            token_use: "access".to_owned(),
            scope,
            auth_time: iat,
            iss: self.issuer(),
            exp: iat.saturating_add_unsigned(client.access_token_seconds),
            iat,
            version: 2,
            jti: self.ports.random.uuid()?,
            client_id: client.id.clone(),
        };
        let (access_token, scope) = match &changes {
            None => (signer.sign(&claims).await?, claims.scope),
            Some(changes) => {
                let claims = changes.of_access(&claims)?;
                let scope = claims.get("scope").and_then(Value::as_str).unwrap_or_default().to_owned();
                (signer.sign(&claims).await?, scope)
            }
        };
        metrics::counter!("cognate_tokens_issued_total", "kind" => "access").increment(1);
        Ok(ClientToken { access_token, expires_in: client.access_token_seconds, scope })
    }

    async fn granted_scope(&self, allowed: &BTreeSet<String>, asked: &[&str]) -> Result<String, Error> {
        let there = custom_scopes(&*self.ports.directory, self.id()).await?;
        let has = |scope: &str| allowed.contains(scope) && there.contains(scope);
        if let Some(refused) = asked.iter().find(|scope| !has(scope)) {
            return Err(Rule::ScopeNotGranted(format!("Invalid scope requested: {refused}")).into());
        }
        let granted: BTreeSet<&str> = if asked.is_empty() {
            allowed.iter().map(String::as_str).filter(|scope| has(scope)).collect()
        } else {
            asked.iter().copied().collect()
        };
        if granted.is_empty() {
            return Err(Rule::ScopeNotGranted("The client has no scope.".to_owned()).into());
        }
        Ok(granted.into_iter().collect::<Vec<_>>().join(" "))
    }

    /// What is said of a genuine token that is no user's: a client's own opens nothing of a user's.
    pub(super) fn refuse_client_token(&self, payload: &[u8]) -> Error {
        let Ok(claims) = serde_json::from_slice::<ClientClaims>(payload) else { return Error::TokenInvalid };
        if claims.iss != self.issuer() || claims.token_use != "access" {
            Error::TokenInvalid
        } else if claims.exp <= self.now().seconds() {
            Error::TokenExpired
        } else {
            Error::AccessDenied
        }
    }
}

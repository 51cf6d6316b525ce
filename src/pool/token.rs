//! Which claims go into which token (contract cognito (e)), and the one function that verifies an access token.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::token_trigger::TokenChanges;
use super::{Client, Pool, Pools};
use crate::clock::Timestamp;
use crate::crypto;
use crate::error::Error;
use crate::store::directory::User;
use crate::store::tokens::Session;

/// The scope of tokens from the API sign-in.
pub const SIGN_IN_SCOPE: &str = "aws.cognito.signin.user.admin";
/// How far a replica's clock may be ahead of another's before its tokens look made in the future.
const CLOCK_SKEW_SECONDS: i64 = 120;

/// Claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The user.
    pub sub: Uuid,
    /// Names of his groups.
    #[serde(rename = "cognito:groups", default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// The pool's issuer.
    pub iss: String,
    /// The app client.
    pub client_id: String,
    /// The session, where tokens of the client can be revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_jti: Option<Uuid>,
    /// The sign-in or refresh that made it; the session, where nothing else names it.
    pub event_id: Uuid,
    /// `access`.
    pub token_use: String,
    /// Space-separated scopes.
    pub scope: String,
    /// When the user signed in.
    pub auth_time: i64,
    /// When it ends.
    pub exp: i64,
    /// When it was made.
    pub iat: i64,
    /// Before this it is not valid; our own tokens have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Its own id, where tokens of the client can be revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<Uuid>,
    /// The user's name.
    pub username: String,
    /// The key of the device that the session is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_key: Option<String>,
}

impl AccessClaims {
    /// The session that the token belongs to.
    pub fn session(&self) -> Uuid {
        self.origin_jti.unwrap_or(self.event_id)
    }
}

/// Claims of an id token; attributes of the user stand beside the named ones.
#[derive(Serialize)]
struct IdClaims<'a> {
    sub: Uuid,
    aud: &'a str,
    #[serde(rename = "cognito:groups", skip_serializing_if = "<[String]>::is_empty")]
    groups: &'a [String],
    iss: &'a str,
    #[serde(rename = "cognito:username")]
    username: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin_jti: Option<Uuid>,
    event_id: Uuid,
    token_use: &'static str,
    auth_time: i64,
    exp: i64,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<Uuid>,
    #[serde(flatten)]
    attributes: BTreeMap<&'a str, Value>,
}

/// An access and an id token.
pub(super) struct IssuedTokens {
    pub(super) access_token: String,
    pub(super) id_token: String,
}

impl Pools {
    /// The id of the pool that a token says it is of.
    pub fn named_by(token: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct Issued {
            iss: String,
        }
        let payload = token.split('.').nth(1).and_then(crypto::decode)?;
        let Issued { iss } = serde_json::from_slice(&payload).ok()?;
        iss.rsplit('/').next().map(str::to_owned)
    }

    /// The pool that an access token says it is of; whether that is true is [`Pool::authenticate`]'s to say.
    pub fn of_access_token(&self, token: &str) -> Result<Arc<Pool>, Error> {
        let id = Self::named_by(token).ok_or(Error::TokenInvalid)?;
        self.find(&id).map_err(|error| if matches!(error, Error::NotFound(_)) { Error::TokenInvalid } else { error })
    }
}

impl Pool {
    /// Whether a text looks like a token that says what it is for.
    pub fn is_jwt(token: &str) -> bool {
        let payload = token.split('.').nth(1).and_then(crypto::decode);
        let claims: Option<Value> = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
        claims.is_some_and(|claims| claims.get("token_use").is_some())
    }

    /// Signs an access and an id token for a session.
    pub(super) async fn issue(
        &self,
        client: &Client,
        user: &User,
        session: &Session,
        changes: Option<&TokenChanges>,
    ) -> Result<IssuedTokens, Error> {
        let now = self.now();
        let keys = self.keys.load_full();
        let signer = keys.signer(now).ok_or_else(|| Error::unavailable("the pool has no signing key yet"))?;
        let issuer = self.issuer();
        // Clients call RevokeToken when they see origin_jti, so that where it can not be done there is none.
        let event_id = if client.revocation { self.ports.random.uuid()? } else { session.id };
        let access = self.access_claims(client, user, session, event_id, &issuer)?;
        let id = self.id_claims(client, user, session, event_id, &issuer)?;
        let tokens = match changes {
            None => IssuedTokens { access_token: signer.sign(&access).await?, id_token: signer.sign(&id).await? },
            Some(changes) => IssuedTokens {
                access_token: signer.sign(&changes.of_access(&access)?).await?,
                id_token: signer.sign(&changes.of_id(&id)?).await?,
            },
        };
        metrics::counter!("cognate_tokens_issued_total", "kind" => "access").increment(1);
        metrics::counter!("cognate_tokens_issued_total", "kind" => "id").increment(1);
        Ok(tokens)
    }

    fn access_claims(
        &self,
        client: &Client,
        user: &User,
        session: &Session,
        event_id: Uuid,
        issuer: &str,
    ) -> Result<AccessClaims, Error> {
        let iat = self.now().seconds();
        Ok(AccessClaims {
            sub: user.sub,
            groups: user.groups.clone(),
            iss: issuer.to_owned(),
            client_id: client.id.clone(),
            origin_jti: client.revocation.then_some(session.id),
            event_id,
            token_use: "access".to_owned(),
            scope: SIGN_IN_SCOPE.to_owned(),
            auth_time: session.auth_time.seconds(),
            exp: iat.saturating_add_unsigned(client.access_token_seconds),
            iat,
            nbf: None,
            jti: client.revocation.then(|| self.ports.random.uuid()).transpose()?,
            username: user.username.clone(),
            device_key: session.device.map(|device| self.device_key(device)),
        })
    }

    fn id_claims<'a>(
        &self,
        client: &'a Client,
        user: &'a User,
        session: &Session,
        event_id: Uuid,
        issuer: &'a str,
    ) -> Result<IdClaims<'a>, Error> {
        let iat = self.now().seconds();
        Ok(IdClaims {
            sub: user.sub,
            aud: &client.id,
            groups: &user.groups,
            iss: issuer,
            username: &user.username,
            origin_jti: client.revocation.then_some(session.id),
            event_id,
            token_use: "id",
            auth_time: session.auth_time.seconds(),
            exp: iat.saturating_add_unsigned(client.id_token_seconds),
            iat,
            jti: client.revocation.then(|| self.ports.random.uuid()).transpose()?,
            attributes: readable(client, attribute_claims(user)),
        })
    }

    /// The claims of a genuine access token of this pool whose time has come and not passed. Whether its session
    /// still lives is [`Pool::authenticate`]'s to say.
    pub(super) async fn verify_access(&self, token: &str) -> Result<AccessClaims, Error> {
        let payload = self.keys_for(token).await?.verify(token)?;
        let claims: AccessClaims = serde_json::from_slice(&payload).map_err(|_| self.refuse_client_token(&payload))?;
        let genuine = claims.iss == self.issuer() && claims.token_use == "access";
        if !genuine || !self.clients.contains_key(&claims.client_id) {
            return Err(Error::TokenInvalid);
        }
        check_times(&claims, self.now())?;
        if claims.scope.split(' ').any(|scope| scope == SIGN_IN_SCOPE) { Ok(claims) } else { Err(Error::AccessDenied) }
    }
}

/// What of them the client may read.
fn readable<'a>(client: &Client, mut claims: BTreeMap<&'a str, Value>) -> BTreeMap<&'a str, Value> {
    if let Some(names) = &client.read_attributes {
        claims.retain(|name, _| names.contains(*name));
    }
    claims
}

/// No leeway on the end: our own clock set it.
fn check_times(claims: &AccessClaims, now: Timestamp) -> Result<(), Error> {
    let now = now.seconds();
    let latest_start = now.saturating_add(CLOCK_SKEW_SECONDS);
    if claims.iat > latest_start || claims.nbf.is_some_and(|nbf| nbf > latest_start) {
        // It is signed by us, so a clock is wrong: ours to mend, and no reason to sign anybody out.
        return Err(Error::unavailable("a token of ours was made in the future: the clocks of the replicas differ"));
    }
    if claims.exp <= now { Err(Error::TokenExpired) } else { Ok(()) }
}

/// Every attribute of the user as an id token says it: flags as JSON booleans, `updated_at` as a number, `address`
/// as an object, custom attributes as strings; what has no value is left out.
fn attribute_claims(user: &User) -> BTreeMap<&str, Value> {
    let mut claims = BTreeMap::new();
    if let Some(email) = &user.email {
        claims.insert("email", Value::from(email.as_str()));
        claims.insert("email_verified", Value::from(user.email_verified));
    }
    if let Some(phone) = &user.phone {
        claims.insert("phone_number", Value::from(phone.as_str()));
        claims.insert("phone_number_verified", Value::from(user.phone_verified));
    }
    for (name, value) in &user.attributes {
        let value = match name.as_str() {
            "address" => serde_json::json!({ "formatted": value }),
            "updated_at" => value.parse::<i64>().map_or_else(|_| Value::from(value.as_str()), Value::from),
            _ => Value::from(value.as_str()),
        };
        claims.entry(name.as_str()).or_insert(value);
    }
    claims
}

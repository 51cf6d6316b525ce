//! The members that CreateUserPoolClient and UpdateUserPoolClient share: read, judged, and turned into a client. What
//! is not built is refused by name; what decides nothing here is kept and answered.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::fault::Fault;
use super::operation;
use crate::pool::client::AuthFlow;
use crate::pool::schema::Schema;
use crate::pool::{Client, OAuthRules, PoolSettings, Rotation};

/// Members that are kept as they are given.
const DESCRIBED: [&str; 9] = [
    "AccessTokenValidity",
    "IdTokenValidity",
    "RefreshTokenValidity",
    "TokenValidityUnits",
    "SupportedIdentityProviders",
    "CallbackURLs",
    "LogoutURLs",
    "DefaultRedirectURI",
    "AnalyticsConfiguration",
];

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// The OAuth flow that needs no browser.
pub(super) const CLIENT_CREDENTIALS: &str = "client_credentials";
/// Seconds within which a replaced refresh token still works, where the call does not say.
const USUAL_GRACE: u64 = 0;

/// What the call says about the client, besides its name and secret.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ClientRules {
    refresh_token_validity: Option<u64>,
    access_token_validity: Option<u64>,
    id_token_validity: Option<u64>,
    #[serde(default)]
    token_validity_units: Units,
    read_attributes: Option<BTreeSet<String>>,
    write_attributes: Option<BTreeSet<String>>,
    explicit_auth_flows: Option<Vec<String>>,
    prevent_user_existence_errors: Option<String>,
    enable_token_revocation: Option<bool>,
    auth_session_validity: Option<u64>,
    refresh_token_rotation: Option<RefreshTokenRotation>,
    #[serde(default, rename = "AllowedOAuthFlowsUserPoolClient")]
    allowed_oauth_flows_user_pool_client: bool,
    #[serde(default, rename = "AllowedOAuthFlows")]
    allowed_oauth_flows: Vec<String>,
    #[serde(default, rename = "AllowedOAuthScopes")]
    allowed_oauth_scopes: BTreeSet<String>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The units of the three lives.
#[derive(Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Units {
    pub(super) access_token: Option<Unit>,
    pub(super) id_token: Option<Unit>,
    pub(super) refresh_token: Option<Unit>,
}

/// What a life is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unit {
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl Unit {
    /// How many seconds it has.
    pub(super) const fn seconds(self) -> u64 {
        match self {
            Self::Seconds => 1,
            Self::Minutes => MINUTE,
            Self::Hours => HOUR,
            Self::Days => DAY,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RefreshTokenRotation {
    feature: String,
    retry_grace_period_seconds: Option<u64>,
}

impl ClientRules {
    /// Takes what the call says. Errors: a member asks for something that is not built, or says nonsense.
    pub(super) fn read(members: Map<String, Value>) -> Result<Self, Fault> {
        let rules: Self = operation::parse(Value::Object(members))?;
        if let Some(flow) = rules.allowed_oauth_flows.iter().find(|flow| *flow != CLIENT_CREDENTIALS) {
            let message = format!("The OAuth flow {flow} is not available on this server.");
            return Err(Fault::new("InvalidOAuthFlowException", message));
        }
        let providers = rules.rest.get("SupportedIdentityProviders").and_then(Value::as_array);
        if providers.into_iter().flatten().any(|provider| provider != "COGNITO") {
            return Err(Fault::invalid("Identity providers other than COGNITO are not available on this server."));
        }
        if rules.rest.get("EnablePropagateAdditionalUserContextData") == Some(&Value::Bool(true)) {
            return Err(Fault::invalid("EnablePropagateAdditionalUserContextData is not available on this server."));
        }
        check_urls(&rules.rest)?;
        Ok(rules)
    }

    /// Writes it into a client of a pool with these settings, and Cognito's defaults where it says nothing.
    pub(super) fn apply(&self, client: &mut Client, pool: &PoolSettings) -> Result<(), Fault> {
        client.auth_flows = self.flows()?;
        client.rotation = self.rotation(client)?;
        self.set_lives(client)?;
        client.auth_session_seconds = self.auth_session_validity.unwrap_or(3) * MINUTE;
        client.hide_user_existence = Some(self.prevent_user_existence_errors.as_deref() == Some("ENABLED"));
        client.revocation = self.enable_token_revocation.unwrap_or(true);
        client.read_attributes = known(&pool.schema, self.read_attributes.as_ref(), "read")?;
        client.write_attributes = known(&pool.schema, self.write_attributes.as_ref(), "write")?;
        check_required(pool, client)?;
        client.oauth = OAuthRules {
            enabled: self.allowed_oauth_flows_user_pool_client,
            client_credentials: !self.allowed_oauth_flows.is_empty(),
            scopes: self.allowed_oauth_scopes.clone(),
        };
        let kept = |member: &&str| Some(((*member).to_owned(), self.rest.get(*member)?.clone()));
        client.described = DESCRIBED.iter().filter_map(kept).collect();
        self.keep_lives(&mut client.described);
        Ok(())
    }

    fn flows(&self) -> Result<Option<BTreeSet<AuthFlow>>, Fault> {
        let Some(names) = &self.explicit_auth_flows else { return Ok(None) };
        let flow = |name: &String| {
            serde_json::from_value(Value::from(name.as_str()))
                .map_err(|_| Fault::invalid(format!("{name} is not available on this server.")))
        };
        let flows = names.iter().map(flow).collect::<Result<BTreeSet<AuthFlow>, _>>()?;
        let older = flows.iter().filter(|flow| flow.is_older()).count();
        if older > 0 && older < flows.len() {
            return Err(Fault::invalid("ALLOW_ flows can not be mixed with the older ones in ExplicitAuthFlows."));
        }
        Ok(Some(flows))
    }

    fn rotation(&self, client: &Client) -> Result<Option<Rotation>, Fault> {
        let Some(rotation) = self.refresh_token_rotation.as_ref().filter(|rotation| rotation.feature == "ENABLED")
        else {
            return Ok(None);
        };
        let named = client.auth_flows.as_ref().is_some_and(|flows| flows.contains(&AuthFlow::AllowRefreshTokenAuth));
        if named {
            return Err(Fault::invalid("ALLOW_REFRESH_TOKEN_AUTH cannot be combined with refresh token rotation."));
        }
        Ok(Some(Rotation { grace_seconds: rotation.retry_grace_period_seconds.unwrap_or(USUAL_GRACE) }))
    }

    fn set_lives(&self, client: &mut Client) -> Result<(), Fault> {
        let Units { access_token, id_token, refresh_token } = self.token_validity_units;
        let life = |given: Option<u64>, unit: Option<Unit>, usual: Unit, default: u64| {
            given.filter(|number| *number > 0).map_or(default, |number| number * unit.unwrap_or(usual).seconds())
        };
        client.access_token_seconds = life(self.access_token_validity, access_token, Unit::Hours, HOUR);
        client.id_token_seconds = life(self.id_token_validity, id_token, Unit::Hours, HOUR);
        client.refresh_token_seconds = life(self.refresh_token_validity, refresh_token, Unit::Days, 30 * DAY);
        let short = [client.access_token_seconds, client.id_token_seconds];
        let ranges = short.iter().all(|life| (5 * MINUTE..=DAY).contains(life))
            && (HOUR..=3650 * DAY).contains(&client.refresh_token_seconds)
            && short.iter().all(|life| *life <= client.refresh_token_seconds);
        if ranges { Ok(()) } else { Err(Fault::invalid("Invalid range for token validity.")) }
    }

    /// Serde took these out of the rest.
    fn keep_lives(&self, described: &mut Map<String, Value>) {
        for (member, life) in [
            ("AccessTokenValidity", self.access_token_validity),
            ("IdTokenValidity", self.id_token_validity),
            ("RefreshTokenValidity", self.refresh_token_validity.filter(|life| *life > 0)),
        ] {
            if let Some(life) = life {
                described.insert(member.to_owned(), Value::from(life));
            }
        }
        let units = self.token_validity_units;
        let named =
            [("AccessToken", units.access_token), ("IdToken", units.id_token), ("RefreshToken", units.refresh_token)];
        let units: Map<String, Value> = named
            .into_iter()
            .filter_map(|(token, unit)| Some((token.to_owned(), serde_json::to_value(unit?).ok()?)))
            .collect();
        described.insert("TokenValidityUnits".to_owned(), Value::Object(units));
    }
}

/// The attributes that are named, if the pool has them all.
fn known(schema: &Schema, names: Option<&BTreeSet<String>>, kind: &str) -> Result<Option<BTreeSet<String>>, Fault> {
    let Some(names) = names else { return Ok(None) };
    if names.iter().any(|name| schema.find(name).is_none()) {
        return Err(Fault::invalid(format!("Invalid {kind} attributes specified while creating a client")));
    }
    Ok(Some(names.clone()).filter(|names| !names.is_empty()))
}

/// Whoever signs up through a client must be able to give what every user has to have.
fn check_required(pool: &PoolSettings, client: &Client) -> Result<(), Fault> {
    let Some(written) = &client.write_attributes else { return Ok(()) };
    if pool.schema.required().all(|name| written.contains(name)) {
        Ok(())
    } else {
        Err(Fault::invalid("Invalid write attributes specified while creating a client"))
    }
}

/// RFC 6749 §3.1.2: absolute, without fragment; https, but for a loopback address or a scheme of an application.
fn check_urls(members: &Map<String, Value>) -> Result<(), Fault> {
    let listed = |member: &str| members.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
    let callbacks = listed("CallbackURLs");
    for url in callbacks.iter().chain(&listed("LogoutURLs")) {
        let parsed = url.as_str().and_then(|url| Url::parse(url).ok()).filter(|url| url.fragment().is_none());
        let loopback = |url: &Url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if !parsed.is_some_and(|url| url.scheme() != "http" || loopback(&url)) {
            return Err(Fault::invalid("CallbackURLs and LogoutURLs must be absolute https URLs without a fragment."));
        }
    }
    match members.get("DefaultRedirectURI") {
        Some(default) if !callbacks.contains(default) => {
            Err(Fault::invalid("DefaultRedirectURI must be one of CallbackURLs."))
        }
        _ => Ok(()),
    }
}

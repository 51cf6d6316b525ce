//! PreTokenGeneration: what the claims of new tokens become by its answer, of the shape that the pool's version of the
//! trigger has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::token::SIGN_IN_SCOPE;
use super::trigger::{Occasion, TokenVersion, Trigger};
use super::{Pool, Terms};
use crate::error::{Error, HookFault};
use crate::store::directory::User;

/// Claims that say who made the token, for whom, when, and of which session: no answer changes them. Scopes and groups
/// have members of their own.
const FIXED: [&str; 21] = [
    "iss",
    "aud",
    "sub",
    "exp",
    "iat",
    "nbf",
    "auth_time",
    "token_use",
    "jti",
    "origin_jti",
    "event_id",
    "client_id",
    "username",
    "cognito:username",
    "cognito:groups",
    "scope",
    "version",
    "nonce",
    "at_hash",
    "identities",
    "device_key",
];
/// What one token may gain, in bytes of JSON: it still has to fit into a header.
const LARGEST_GAIN: usize = 10_000;

/// What leads to new tokens, as the trigger is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenEvent {
    /// A sign-in.
    Authentication,
    /// A sign-in with a new password in place of a temporary one.
    NewPasswordChallenge,
    /// A sign-in whose last step was the proof of a known device.
    AuthenticateDevice,
    /// A refresh token.
    RefreshTokens,
}

impl TokenEvent {
    const fn source(self) -> &'static str {
        match self {
            Self::Authentication => "TokenGeneration_Authentication",
            Self::NewPasswordChallenge => "TokenGeneration_NewPasswordChallenge",
            Self::AuthenticateDevice => "TokenGeneration_AuthenticateDevice",
            Self::RefreshTokens => "TokenGeneration_RefreshTokens",
        }
    }
}

/// What the trigger makes of the next tokens.
pub(super) struct TokenChanges {
    id: ClaimChanges,
    access: ClaimChanges,
    groups: Option<GroupChanges>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ClaimChanges {
    claims_to_add_or_override: Map<String, Value>,
    claims_to_suppress: Vec<String>,
    scopes_to_add: Vec<String>,
    scopes_to_suppress: Vec<String>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GroupChanges {
    groups_to_override: Vec<String>,
    iam_roles_to_override: Vec<String>,
    preferred_role: Option<String>,
}

/// Version 1: strings, for the id token.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Simple {
    claims_override_details: SimpleDetails,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SimpleDetails {
    claims_to_add_or_override: BTreeMap<String, String>,
    claims_to_suppress: Vec<String>,
    group_override_details: Option<GroupChanges>,
}

/// Versions 2 and 3: anything, for both tokens.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rich {
    claims_and_scope_override_details: RichDetails,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RichDetails {
    id_token_generation: ClaimChanges,
    access_token_generation: ClaimChanges,
    group_override_details: Option<GroupChanges>,
}

impl From<Simple> for TokenChanges {
    fn from(Simple { claims_override_details: details }: Simple) -> Self {
        let strings = details.claims_to_add_or_override.into_iter().map(|(name, value)| (name, Value::from(value)));
        let claims_to_suppress = details.claims_to_suppress;
        let id = ClaimChanges {
            claims_to_add_or_override: strings.collect(),
            claims_to_suppress,
            ..ClaimChanges::default()
        };
        Self { id, access: ClaimChanges::default(), groups: details.group_override_details }
    }
}

impl From<Rich> for TokenChanges {
    fn from(Rich { claims_and_scope_override_details: details }: Rich) -> Self {
        let RichDetails { id_token_generation: id, access_token_generation: access, group_override_details } = details;
        Self { id, access, groups: group_override_details }
    }
}

impl Pool {
    /// What becomes of the claims of a user's next tokens; `None` where the pool has no such trigger. It is asked before
    /// anything moves, so that when it is away the same call succeeds later.
    ///
    /// Errors: `Hook`.
    pub(super) async fn token_changes(&self, terms: Terms<'_>, user: &User) -> Result<Option<TokenChanges>, Error> {
        let version = self.settings.triggers.token_version.unwrap_or_default();
        let details = match version {
            TokenVersion::V1 => "claimsOverrideDetails",
            TokenVersion::V2 | TokenVersion::V3 => "claimsAndScopeOverrideDetails",
        };
        let groups = GroupChanges { groups_to_override: user.groups.clone(), ..GroupChanges::default() };
        let mut request = json!({ "groupConfiguration": groups, "clientMetadata": terms.metadata });
        if let Some(request) = request.as_object_mut().filter(|_| version != TokenVersion::V1) {
            request.insert("scopes".to_owned(), json!([SIGN_IN_SCOPE]));
        }
        let occasion = Occasion {
            source: terms.event.source(),
            client: Some(&terms.client.id),
            username: &user.username,
            user: Some(user),
            request,
            response: json!({ details: null }),
        };
        let trigger = Trigger::PreTokenGeneration;
        let changes: Option<TokenChanges> = match version {
            TokenVersion::V1 => self.trigger::<Simple>(trigger, occasion).await?.map(Into::into),
            TokenVersion::V2 | TokenVersion::V3 => self.trigger::<Rich>(trigger, occasion).await?.map(Into::into),
        };
        changes.map(TokenChanges::checked).transpose()
    }
}

impl Pool {
    /// What becomes of the claims of a client's own token: only version 3 of the trigger hears of them. Errors: `Hook`.
    pub(super) async fn client_token_changes(
        &self,
        terms: Terms<'_>,
        scopes: &str,
    ) -> Result<Option<TokenChanges>, Error> {
        if self.settings.triggers.token_version != Some(TokenVersion::V3) {
            return Ok(None);
        }
        let scopes: Vec<&str> = scopes.split(' ').collect();
        let groups = GroupChanges::default();
        let request = json!({ "groupConfiguration": groups, "scopes": scopes, "clientMetadata": terms.metadata });
        let occasion = Occasion {
            source: "TokenGeneration_ClientCredentials",
            client: Some(&terms.client.id),
            username: &terms.client.id,
            user: None,
            request,
            response: json!({ "claimsAndScopeOverrideDetails": null }),
        };
        let changes: Option<TokenChanges> =
            self.trigger::<Rich>(Trigger::PreTokenGeneration, occasion).await?.map(Into::into);
        changes.map(TokenChanges::checked).transpose()
    }
}

impl TokenChanges {
    fn checked(self) -> Result<Self, Error> {
        let groups = self.groups.as_ref().map(size).transpose()?.unwrap_or_default();
        for ClaimChanges { claims_to_add_or_override, scopes_to_add, .. } in [&self.id, &self.access] {
            if size(claims_to_add_or_override)? + size(scopes_to_add)? + groups > LARGEST_GAIN {
                return Err(malformed("a token would gain more than 10,000 bytes"));
            }
            if !scopes_to_add.iter().all(|scope| is_scope(scope)) {
                return Err(malformed("a scope is not of the form of one"));
            }
        }
        Ok(self)
    }

    /// The claims of an id token.
    pub(super) fn of_id(&self, claims: &impl Serialize) -> Result<Map<String, Value>, Error> {
        let mut claims = self.id.apply(object(claims)?);
        self.name_groups(&mut claims);
        if let Some(GroupChanges { iam_roles_to_override, preferred_role, .. }) = &self.groups {
            if !iam_roles_to_override.is_empty() {
                claims.insert("cognito:roles".to_owned(), json!(iam_roles_to_override));
            }
            if let Some(role) = preferred_role {
                claims.insert("cognito:preferred_role".to_owned(), json!(role));
            }
        }
        Ok(claims)
    }

    /// The claims of an access token.
    pub(super) fn of_access(&self, claims: &impl Serialize) -> Result<Map<String, Value>, Error> {
        let mut claims = self.access.apply(object(claims)?);
        self.name_groups(&mut claims);
        let has = claims.get("scope").and_then(Value::as_str).unwrap_or_default().to_owned();
        claims.insert("scope".to_owned(), self.access.scopes(&has).into());
        Ok(claims)
    }

    fn name_groups(&self, claims: &mut Map<String, Value>) {
        let Some(GroupChanges { groups_to_override: groups, .. }) = &self.groups else { return };
        if groups.is_empty() {
            claims.remove("cognito:groups");
        } else {
            claims.insert("cognito:groups".to_owned(), json!(groups));
        }
    }
}

impl ClaimChanges {
    fn apply(&self, mut claims: Map<String, Value>) -> Map<String, Value> {
        let may_change = |name: &str| !FIXED.contains(&name);
        let added = self.claims_to_add_or_override.iter().filter(|(name, _)| may_change(name));
        claims.extend(added.map(|(name, value)| (name.clone(), value.clone())));
        claims.retain(|name, _| !(may_change(name) && self.claims_to_suppress.contains(name)));
        claims
    }

    /// The scope of our own API can be taken away and not given: whoever should not have it does not get it here.
    fn scopes(&self, has: &str) -> String {
        let added = self.scopes_to_add.iter().map(String::as_str).filter(|scope| *scope != SIGN_IN_SCOPE);
        let mut scopes: Vec<&str> = Vec::new();
        for scope in has.split(' ').chain(added).filter(|scope| !scope.is_empty()) {
            if !scopes.contains(&scope) && !self.scopes_to_suppress.iter().any(|suppressed| suppressed == scope) {
                scopes.push(scope);
            }
        }
        scopes.join(" ")
    }
}

/// RFC 6749 §3.3.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

fn object(claims: &impl Serialize) -> Result<Map<String, Value>, Error> {
    match serde_json::to_value(claims).map_err(Error::internal)? {
        Value::Object(claims) => Ok(claims),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Error::internal("the claims of a token are no object"))
        }
    }
}

fn size(value: &impl Serialize) -> Result<usize, Error> {
    serde_json::to_vec(value).map(|json| json.len()).map_err(Error::internal)
}

fn malformed(why: &'static str) -> Error {
    HookFault::Malformed(Trigger::PreTokenGeneration.name(), why.into()).into()
}

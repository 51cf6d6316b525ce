//! InitiateAuth and AdminInitiateAuth: the ways to begin a sign-in, and what they lead to (contract cognito (c)).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::operation::{Call, operations};
use super::secret::{check_hash, check_hash_of_token};
use super::user_auth::by_choice;
use crate::pool::client::AuthFlow;
use crate::pool::{
    Client, CustomSignIn, CustomStep, DeviceVerifier, FirstFactor, Metadata, NewDevice, PasswordVerifier, Pool, Step,
    Terms, Tokens,
};

operations! {
    Nobody InitiateAuth => initiate_auth;
    Signed AdminInitiateAuth => admin_initiate_auth;
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InitiateAuthInput {
    auth_flow: String,
    client_id: String,
    #[serde(default)]
    auth_parameters: Parameters,
    session: Option<String>,
    client_metadata: Option<Metadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminInitiateAuthInput {
    user_pool_id: String,
    #[serde(flatten)]
    given: InitiateAuthInput,
}

/// AuthParameters or ChallengeResponses.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).ok_or_else(|| Fault::invalid(format!("Missing required parameter {name}")))
    }

    /// Name and value of those whose name begins so.
    pub(super) fn below(&self, prefix: &str) -> BTreeMap<String, String> {
        let stripped = |(name, value): (&String, &String)| Some((name.strip_prefix(prefix)?.to_owned(), value.clone()));
        self.0.iter().filter_map(stripped).collect()
    }

    /// Whom a call is about, once it is known to speak for the client.
    pub(super) async fn username(&self, pool: &Pool, client: &Client) -> Result<&str, Fault> {
        let hash = self.get("SECRET_HASH");
        if hash.is_none() && !client.secrets.is_empty() {
            check_hash(pool, client, None, "").await?;
        }
        let username = self.need("USERNAME")?;
        check_hash(pool, client, hash, username).await?;
        Ok(username)
    }
}

/// What a step of a sign-in leads to. `ChallengeParameters` is always there (§0.6).
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AuthOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    challenge_parameters: BTreeMap<Cow<'static, str>, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authentication_result: Option<AuthenticationResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available_challenges: Option<Vec<&'static str>>,
}

impl AuthOutput {
    /// With what may be chosen, where something is asked.
    pub(super) fn offering(self, factors: &[FirstFactor]) -> Self {
        let names = || factors.iter().map(|factor| factor.name()).collect();
        let available_challenges = self.challenge_name.map(|_| names());
        Self { available_challenges, ..self }
    }
}

/// Tokens as Cognito hands them out.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AuthenticationResult {
    access_token: String,
    expires_in: u64,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    id_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_device_metadata: Option<NewDeviceMetadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NewDeviceMetadata {
    device_key: String,
    device_group_key: String,
}

impl From<NewDevice> for NewDeviceMetadata {
    fn from(device: NewDevice) -> Self {
        Self { device_key: device.key, device_group_key: device.group }
    }
}

impl From<Tokens> for AuthenticationResult {
    fn from(tokens: Tokens) -> Self {
        let Tokens { access_token, id_token, refresh_token, expires_in, new_device } = tokens;
        let new_device_metadata = new_device.map(NewDeviceMetadata::from);
        Self { access_token, expires_in, token_type: "Bearer", refresh_token, id_token, new_device_metadata }
    }
}

impl From<Step> for AuthOutput {
    fn from(step: Step) -> Self {
        match step {
            Step::Tokens(tokens) => Self { authentication_result: Some(tokens.into()), ..Self::default() },
            Step::Challenge(asked) => Self {
                challenge_name: Some(asked.name),
                session: Some(asked.session),
                challenge_parameters: asked.parameters.into_iter().map(|(name, value)| (name.into(), value)).collect(),
                ..Self::default()
            },
            Step::Custom(asked) => Self {
                challenge_name: Some("CUSTOM_CHALLENGE"),
                session: Some(asked.session),
                challenge_parameters: asked.parameters.into_iter().map(|(name, value)| (name.into(), value)).collect(),
                ..Self::default()
            },
        }
    }
}

impl From<PasswordVerifier> for AuthOutput {
    /// Without a Session, which some clients never bring back (§0.2): the block carries everything.
    fn from(asked: PasswordVerifier) -> Self {
        let PasswordVerifier { srp_b, salt, secret_block, user_id } = asked;
        let challenge_parameters = BTreeMap::from([
            ("SRP_B".into(), srp_b),
            ("SALT".into(), salt),
            ("SECRET_BLOCK".into(), secret_block),
            ("USERNAME".into(), user_id.clone()),
            ("USER_ID_FOR_SRP".into(), user_id),
        ]);
        Self { challenge_name: Some("PASSWORD_VERIFIER"), challenge_parameters, ..Self::default() }
    }
}

impl From<DeviceVerifier> for AuthOutput {
    /// Without a Session, like the proof of a password.
    fn from(asked: DeviceVerifier) -> Self {
        let DeviceVerifier { srp_b, salt, secret_block, device_key, username } = asked;
        let challenge_parameters = BTreeMap::from([
            ("SRP_B".into(), srp_b),
            ("SALT".into(), salt),
            ("SECRET_BLOCK".into(), secret_block),
            ("DEVICE_KEY".into(), device_key),
            ("USERNAME".into(), username),
        ]);
        Self { challenge_name: Some("DEVICE_PASSWORD_VERIFIER"), challenge_parameters, ..Self::default() }
    }
}

async fn initiate_auth(call: &Call, input: InitiateAuthInput) -> Result<AuthOutput, Fault> {
    let (pool, client) = call.client(&input.client_id)?;
    begin(call, &pool, &client, &input, false).await
}

async fn admin_initiate_auth(call: &Call, input: AdminInitiateAuthInput) -> Result<AuthOutput, Fault> {
    let (pool, client) = client_of(call, &input.user_pool_id, &input.given.client_id)?;
    begin(call, &pool, &client, &input.given, true).await
}

/// A client of the pool that a signed call is about.
pub(super) fn client_of(call: &Call, pool: &str, client: &str) -> Result<(Arc<Pool>, Client), Fault> {
    let asked = call.pool(pool)?;
    let (pool, found) = call.client(client)?;
    if pool.id() == asked.id() { Ok((pool, found)) } else { Err(no_client(client)) }
}

fn no_client(id: &str) -> Fault {
    Fault::new("ResourceNotFoundException", format!("User pool client {id} does not exist."))
}

async fn begin(
    call: &Call,
    pool: &Pool,
    client: &Client,
    input: &InitiateAuthInput,
    admin: bool,
) -> Result<AuthOutput, Fault> {
    let given = &input.auth_parameters;
    // Only for what comes before the proof; the triggers after it are told what comes with the answer to a challenge.
    let terms = Terms::from(client).telling(input.client_metadata.as_ref());
    match (input.auth_flow.as_str(), admin) {
        ("USER_PASSWORD_AUTH", false) => {
            may(pool, client, AuthFlow::AllowUserPasswordAuth, "USER_PASSWORD_AUTH flow not enabled for this client")?;
            by_password(call, pool, terms, given).await
        }
        ("ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH", true) => {
            may(pool, client, AuthFlow::AllowAdminUserPasswordAuth, "Auth flow not enabled for this client")?;
            by_password(call, pool, terms, given).await
        }
        ("USER_SRP_AUTH", _) => {
            may(pool, client, AuthFlow::AllowUserSrpAuth, "USER_SRP_AUTH is not enabled for the client.")?;
            by_srp(call, pool, terms, given).await
        }
        ("REFRESH_TOKEN_AUTH" | "REFRESH_TOKEN", _) => by_refresh_token(pool, client, given).await,
        ("CUSTOM_AUTH", _) => {
            may(pool, client, AuthFlow::AllowCustomAuth, "CUSTOM_AUTH flow not enabled for this client")?;
            by_custom(call, pool, terms, given, admin).await
        }
        ("USER_AUTH", _) => {
            may(pool, client, AuthFlow::AllowUserAuth, "USER_AUTH flow not enabled for this client")?;
            by_choice(call, pool, terms, given, input.session.as_deref()).await
        }
        _ => Err(Fault::invalid("Initiate Auth method not supported.")),
    }
}

fn may(pool: &Pool, client: &Client, flow: AuthFlow, otherwise: &'static str) -> Result<(), Fault> {
    if pool.allows(client, flow) { Ok(()) } else { Err(Fault::invalid(otherwise)) }
}

async fn by_password(call: &Call, pool: &Pool, terms: Terms<'_>, given: &Parameters) -> Result<AuthOutput, Fault> {
    let username = given.username(pool, terms.client).await?;
    let password = given.need("PASSWORD")?;
    let proven = pool.prove_to(terms, username, password, call.source).await.map_err(Fault::of_proof)?;
    let terms = Terms::from(terms.client).on(given.get("DEVICE_KEY"));
    Ok(pool.next_step(terms, &proven).await?.into())
}

async fn by_srp(call: &Call, pool: &Pool, terms: Terms<'_>, given: &Parameters) -> Result<AuthOutput, Fault> {
    let username = given.username(pool, terms.client).await?;
    let srp_a = given.need("SRP_A")?;
    let asked = pool.initiate_srp(terms, username, srp_a, call.source).await.map_err(Fault::of_proof)?;
    Ok(asked.into())
}

async fn by_custom(
    call: &Call,
    pool: &Pool,
    terms: Terms<'_>,
    given: &Parameters,
    by_administrator: bool,
) -> Result<AuthOutput, Fault> {
    let username = given.username(pool, terms.client).await?;
    let srp_a = match given.get("CHALLENGE_NAME") {
        Some("SRP_A") => Some(given.need("SRP_A")?),
        Some(_) => return Err(Fault::invalid("CHALLENGE_NAME can be SRP_A and nothing else.")),
        None => None,
    };
    let begin = CustomSignIn { username, srp_a, by_administrator };
    let terms = terms.on(given.get("DEVICE_KEY"));
    match pool.initiate_custom(terms, begin, call.source).await.map_err(Fault::of_proof)? {
        CustomStep::Password(asked) => Ok(asked.into()),
        CustomStep::Step(step) => Ok(step.into()),
    }
}

/// Yields no refresh token; where each refresh makes a new one, the client would be left with one that is spent.
async fn by_refresh_token(pool: &Pool, client: &Client, given: &Parameters) -> Result<AuthOutput, Fault> {
    if client.rotation.is_some() {
        let words = "Refresh token rotation is enabled for this client";
        return Err(Fault::new("NotAuthorizedException", words));
    }
    may(pool, client, AuthFlow::AllowRefreshTokenAuth, "REFRESH_TOKEN_AUTH flow not enabled for this client")?;
    let token = given.need("REFRESH_TOKEN")?;
    check_hash_of_token(pool, client, given.get("SECRET_HASH"), token).await?;
    let terms = Terms::from(client).on(given.get("DEVICE_KEY"));
    let tokens = pool.refresh(terms, None, token, 0).await.map_err(Fault::of_refresh)?;
    Ok(Step::Tokens(tokens).into())
}

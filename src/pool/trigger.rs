//! Triggers: where a pool asks a function of its operator, or tells it (contract cognito (j)). [`Pool::trigger`] is the
//! one way there. No lock, transaction or turn is held while it waits, and each decision asks once.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Party, Pool, Pools};
use crate::error::{Error, HookFault};
use crate::outbound::hook::{CallerContext, Event, HookError};
use crate::store::directory::User;

/// Where Cognito says who called an operation that no app client calls.
const NO_CLIENT: &str = "CLIENT_ID_NOT_APPLICABLE";
const UNKNOWN_SDK: &str = "aws-sdk-unknown-unknown";

/// What a client says about a call for the triggers alone: Cognito's ClientMetadata and ValidationData.
pub type Metadata = BTreeMap<String, String>;

/// A place where a pool asks or tells a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Before a user is made: whether he may be.
    PreSignUp,
    /// After a registration was confirmed or a password reset.
    PostConfirmation,
    /// Before a message is sent: its words.
    CustomMessage,
    /// In a sign-in by the pool's own challenges: what comes next.
    DefineAuthChallenge,
    /// What is asked.
    CreateAuthChallenge,
    /// Whether the answer is right.
    VerifyAuthChallengeResponse,
    /// Before a password is looked at: whether the sign-in may go on.
    PreAuthentication,
    /// After everything was proven.
    PostAuthentication,
    /// Before tokens are made: what they say.
    PreTokenGeneration,
    /// Where a name means nobody: whether he is a user elsewhere.
    UserMigration,
}

impl Trigger {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::PreSignUp,
        Self::PostConfirmation,
        Self::CustomMessage,
        Self::DefineAuthChallenge,
        Self::CreateAuthChallenge,
        Self::VerifyAuthChallengeResponse,
        Self::PreAuthentication,
        Self::PostAuthentication,
        Self::PreTokenGeneration,
        Self::UserMigration,
    ];

    /// Its key in Cognito's LambdaConfig.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreSignUp => "PreSignUp",
            Self::PostConfirmation => "PostConfirmation",
            Self::CustomMessage => "CustomMessage",
            Self::DefineAuthChallenge => "DefineAuthChallenge",
            Self::CreateAuthChallenge => "CreateAuthChallenge",
            Self::VerifyAuthChallengeResponse => "VerifyAuthChallengeResponse",
            Self::PreAuthentication => "PreAuthentication",
            Self::PostAuthentication => "PostAuthentication",
            Self::PreTokenGeneration => "PreTokenGeneration",
            Self::UserMigration => "UserMigration",
        }
    }
}

/// The functions that a pool calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Triggers {
    /// Their ARNs by [`Trigger::name`].
    pub functions: BTreeMap<String, String>,
    /// The shape of PreTokenGeneration, where it was said.
    pub token_version: Option<TokenVersion>,
}

/// Cognito's LambdaVersion of PreTokenGeneration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenVersion {
    /// Strings in the id token.
    #[default]
    #[serde(rename = "V1_0")]
    V1,
    /// Anything in both tokens.
    #[serde(rename = "V2_0")]
    V2,
    /// The same, also for the tokens of clients themselves.
    #[serde(rename = "V3_0")]
    V3,
}

/// What an event tells besides what all have.
pub(super) struct Occasion<'a> {
    /// `PreSignUp_SignUp` …
    pub(super) source: &'static str,
    /// The app client; none where an administrator calls.
    pub(super) client: Option<&'a str>,
    /// The user's name, or what somebody typed who is no user.
    pub(super) username: &'a str,
    /// The user, if there is one.
    pub(super) user: Option<&'a User>,
    /// Members of `request` besides the user's attributes: an object.
    pub(super) request: Value,
    /// `response` before it is filled in: an object.
    pub(super) response: Value,
}

impl Pools {
    /// Whether every function of a pool has a hook. Errors: `InvalidParameter`.
    pub fn check_triggers(&self, triggers: &Triggers) -> Result<(), Error> {
        let missing = triggers.functions.iter().find(|(_, arn)| !self.ports().hooks.serves(arn));
        let Some((trigger, arn)) = missing else { return Ok(()) };
        let reason = format!("names {arn}, which has no URL on this server: add it to the setting hooks.functions.");
        Err(Error::invalid(format!("LambdaConfig.{trigger}"), reason))
    }
}

impl Pool {
    /// Whether the pool has this trigger, for what costs something to prepare.
    pub(super) fn has_trigger(&self, trigger: Trigger) -> bool {
        self.settings.triggers.functions.contains_key(trigger.name())
    }

    /// Calls the function of a trigger and waits; answers what it filled in, or `None` where the pool has no such
    /// trigger. What is null in the answer is absent.
    ///
    /// Errors: `Hook`.
    pub(super) async fn trigger<T: DeserializeOwned>(
        &self,
        trigger: Trigger,
        occasion: Occasion<'_>,
    ) -> Result<Option<T>, Error> {
        let Some(function) = self.settings.triggers.functions.get(trigger.name()) else { return Ok(None) };
        let started = Instant::now();
        let source = occasion.source;
        let answer = self.ports.hooks.call(function, &self.event(trigger, occasion), self.now()).await.and_then(read);
        let (name, outcome) = (trigger.name(), answer.as_ref().err().map_or("ok", label));
        metrics::counter!("cognate_hook_calls_total", "trigger" => name, "outcome" => outcome).increment(1);
        metrics::histogram!("cognate_hook_duration_seconds", "trigger" => name).record(started.elapsed().as_secs_f64());
        if answer.is_err() {
            // What the hook says may be about a person; why it said nothing is in the line about the request.
            tracing::warn!(pool = self.id(), source, function, outcome, "a trigger did not let a call through");
        }
        answer.map(Some).map_err(|error| fault(trigger, error))
    }

    fn event(&self, trigger: Trigger, occasion: Occasion<'_>) -> Event {
        let Occasion { source, client, username, user, request, response } = occasion;
        let attributes = user.map(|user| self.event_attributes(user)).unwrap_or_default();
        let mut told = Map::from_iter([("userAttributes".to_owned(), attributes.into())]);
        if let Value::Object(more) = request {
            told.extend(more);
        }
        Event {
            version: self.version(trigger).to_owned(),
            trigger_source: source.to_owned(),
            region: self.id().split_once('_').map_or("", |(region, _)| region).to_owned(),
            user_pool_id: self.id().to_owned(),
            user_name: username.to_owned(),
            caller_context: CallerContext {
                aws_sdk_version: UNKNOWN_SDK.to_owned(),
                client_id: client.unwrap_or(NO_CLIENT).to_owned(),
            },
            request: Value::Object(told),
            response,
        }
    }

    fn version(&self, trigger: Trigger) -> &'static str {
        match self.settings.triggers.token_version {
            Some(TokenVersion::V2) if trigger == Trigger::PreTokenGeneration => "2",
            Some(TokenVersion::V3) if trigger == Trigger::PreTokenGeneration => "3",
            Some(_) | None => "1",
        }
    }

    /// All that the pool knows of a user, in strings.
    fn event_attributes(&self, user: &User) -> Map<String, Value> {
        let own = self.attributes_for(user, Party::Administrator).into_iter();
        let status = ("cognito:user_status".to_owned(), user.status.as_str().to_owned());
        own.chain([status]).map(|(name, value)| (name, Value::from(value))).collect()
    }
}

fn read<T: DeserializeOwned>(response: Map<String, Value>) -> Result<T, HookError> {
    let mut response = Value::Object(response);
    drop_nulls(&mut response);
    // The place alone: the value may be anything.
    serde_path_to_error::deserialize(response)
        .map_err(|fault| HookError::Malformed(format!("response.{}", fault.path())))
}

/// What is null is absent: whoever fills in a typed object leaves null what he has nothing to say to (contract cognito
/// §0.1). The depth is bounded by what serde_json reads.
pub fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(drop_nulls);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn label(error: &HookError) -> &'static str {
    match error {
        HookError::Failed { .. } => "refused",
        HookError::Unreachable(_) => "unreachable",
        HookError::Malformed(_) => "malformed",
    }
}

fn fault(trigger: Trigger, error: HookError) -> Error {
    let name = trigger.name();
    match error {
        HookError::Failed { message } => HookFault::Refused(name, message),
        unreachable @ HookError::Unreachable(_) => HookFault::Unreachable(name, unreachable.into()),
        malformed @ HookError::Malformed(_) => HookFault::Malformed(name, malformed.into()),
    }
    .into()
}

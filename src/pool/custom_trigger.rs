//! The triggers of a sign-in by the pool's own challenges (contract cognito (j)): DefineAuthChallenge says what comes
//! next, CreateAuthChallenge what is asked, VerifyAuthChallengeResponse whether the answer is right.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::trigger::{Occasion, Trigger};
use super::{Pool, Terms};
use crate::error::{Error, HookFault, Rule};
use crate::store::directory::User;

/// Cognito's names of what may be answered.
pub(super) const SRP_A: &str = "SRP_A";
pub(super) const PASSWORD_VERIFIER: &str = "PASSWORD_VERIFIER";
pub(super) const CUSTOM_CHALLENGE: &str = "CUSTOM_CHALLENGE";

/// The triggers and what their events are called.
const DEFINE: (Trigger, &str) = (Trigger::DefineAuthChallenge, "DefineAuthChallenge_Authentication");
const CREATE: (Trigger, &str) = (Trigger::CreateAuthChallenge, "CreateAuthChallenge_Authentication");
const VERIFY: (Trigger, &str) = (Trigger::VerifyAuthChallengeResponse, "VerifyAuthChallengeResponse_Authentication");

/// Longest parameters of a challenge, names and values together.
const LONGEST_PARAMETERS: usize = 16_384;
/// Longest metadata of a challenge, which all that follow are told.
const LONGEST_METADATA: usize = 2_048;

/// Who signs in; also one who does not exist, or must seem not to.
pub(super) struct Actor<'a> {
    pub(super) terms: Terms<'a>,
    /// Whom answers are counted for.
    pub(super) account: Uuid,
    /// As client and triggers are told.
    pub(super) name: String,
    pub(super) user: Option<User>,
}

/// A step that was taken, as the triggers are told.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answered {
    challenge_name: String,
    challenge_result: bool,
    challenge_metadata: Option<String>,
}

impl Answered {
    pub(super) fn new(name: &str, right: bool, metadata: Option<String>) -> Self {
        Self { challenge_name: name.to_owned(), challenge_result: right, challenge_metadata: metadata }
    }

    /// Whether it proves anything: a number to begin SRP with does not.
    pub(super) fn proves(&self) -> bool {
        self.is_password() || self.is_own()
    }

    /// Whether it is the right password.
    pub(super) fn is_password(&self) -> bool {
        self.challenge_result && self.challenge_name == PASSWORD_VERIFIER
    }

    /// Whether it is the right answer to a challenge of the pool's own.
    pub(super) fn is_own(&self) -> bool {
        self.challenge_result && self.challenge_name == CUSTOM_CHALLENGE
    }
}

/// What DefineAuthChallenge wants.
pub(super) enum Next {
    /// He is who he says.
    Tokens,
    /// One more challenge of the pool's own.
    Custom,
    /// The password by SRP.
    Password,
}

/// What CreateAuthChallenge asks.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Puzzle {
    /// What the client is told.
    pub(super) public_challenge_parameters: BTreeMap<String, String>,
    /// What VerifyAuthChallengeResponse is told, and nobody else.
    pub(super) private_challenge_parameters: BTreeMap<String, String>,
    pub(super) challenge_metadata: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Defined {
    challenge_name: Option<String>,
    issue_tokens: bool,
    fail_authentication: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Judged {
    answer_correct: bool,
}

impl Pool {
    /// What comes after these steps. Errors: `NotAuthorized` where it is a refusal, `Rule`, `Hook`.
    pub(super) async fn define_challenge(&self, actor: &Actor<'_>, answered: &[Answered]) -> Result<Next, Error> {
        let request = json!({ "session": answered });
        let response = json!({ "challengeName": null, "issueTokens": null, "failAuthentication": null });
        let defined: Defined = self.ask_custom(DEFINE, actor, request, response).await?;
        match defined.challenge_name.as_deref() {
            _ if defined.fail_authentication => Err(Error::NotAuthorized),
            _ if defined.issue_tokens => Ok(Next::Tokens),
            Some(CUSTOM_CHALLENGE) => Ok(Next::Custom),
            Some(PASSWORD_VERIFIER) => Ok(Next::Password),
            Some(_) => Err(nonsense(DEFINE.0, "it names a challenge that is not served")),
            None => Err(nonsense(DEFINE.0, "it decides nothing")),
        }
    }

    /// A new challenge after these steps. Errors: `Rule`, `Hook`.
    pub(super) async fn create_challenge(&self, actor: &Actor<'_>, answered: &[Answered]) -> Result<Puzzle, Error> {
        let request = json!({ "challengeName": CUSTOM_CHALLENGE, "session": answered });
        let response = json!({
            "publicChallengeParameters": {}, "privateChallengeParameters": {}, "challengeMetadata": null
        });
        let puzzle: Puzzle = self.ask_custom(CREATE, actor, request, response).await?;
        let length =
            |map: &BTreeMap<String, String>| map.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let longest = length(&puzzle.public_challenge_parameters).max(length(&puzzle.private_challenge_parameters));
        let metadata = puzzle.challenge_metadata.as_ref().map_or(0, String::len);
        if longest > LONGEST_PARAMETERS || metadata > LONGEST_METADATA {
            return Err(nonsense(CREATE.0, "its challenge is too long"));
        }
        Ok(puzzle)
    }

    /// Whether an answer is right. Errors: `Rule`, `Hook`.
    pub(super) async fn verify_challenge(
        &self,
        actor: &Actor<'_>,
        private: &BTreeMap<String, String>,
        answer: &str,
    ) -> Result<bool, Error> {
        let request = json!({ "privateChallengeParameters": private, "challengeAnswer": answer });
        let response = json!({ "answerCorrect": null });
        let judged: Judged = self.ask_custom(VERIFY, actor, request, response).await?;
        Ok(judged.answer_correct)
    }

    async fn ask_custom<T: DeserializeOwned>(
        &self,
        (trigger, source): (Trigger, &'static str),
        actor: &Actor<'_>,
        mut request: Value,
        response: Value,
    ) -> Result<T, Error> {
        if let Value::Object(members) = &mut request {
            let hides = self.hides_existence(actor.terms.client);
            members.insert("userNotFound".to_owned(), json!(hides.then_some(actor.user.is_none())));
            members.insert("clientMetadata".to_owned(), json!(actor.terms.metadata));
        }
        let occasion = Occasion {
            source,
            client: Some(&actor.terms.client.id),
            username: &actor.name,
            user: actor.user.as_ref(),
            request,
            response,
        };
        self.trigger(trigger, occasion).await?.ok_or_else(|| Rule::NoCustomAuth.into())
    }
}

/// An answer of the right shape that can not be followed.
pub(super) fn nonsense(trigger: Trigger, why: &'static str) -> Error {
    HookFault::Malformed(trigger.name(), why.into()).into()
}

//! RespondToAuthChallenge and AdminRespondToAuthChallenge: the answers to what a sign-in still owes.

use serde::Deserialize;

use super::auth::{AuthOutput, Parameters, client_of};
use super::fault::Fault;
use super::operation::{Call, operations};
use super::user_auth::choose;
use crate::error::Error;
use crate::pool::{Choice, Client, CodeAnswer, CustomAnswer, Metadata, NewPassword, Pool, SrpProof, Step, Terms};

operations! {
    Nobody RespondToAuthChallenge => respond_to_auth_challenge;
    Signed AdminRespondToAuthChallenge => admin_respond_to_auth_challenge;
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RespondToAuthChallengeInput {
    client_id: String,
    challenge_name: String,
    session: Option<String>,
    #[serde(default)]
    challenge_responses: Parameters,
    client_metadata: Option<Metadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminRespondToAuthChallengeInput {
    user_pool_id: String,
    #[serde(flatten)]
    given: RespondToAuthChallengeInput,
}

async fn respond_to_auth_challenge(call: &Call, input: RespondToAuthChallengeInput) -> Result<AuthOutput, Fault> {
    let (pool, client) = call.client(&input.client_id)?;
    respond(call, &pool, &client, &input).await
}

async fn admin_respond_to_auth_challenge(
    call: &Call,
    input: AdminRespondToAuthChallengeInput,
) -> Result<AuthOutput, Fault> {
    let (pool, client) = client_of(call, &input.user_pool_id, &input.given.client_id)?;
    respond(call, &pool, &client, &input.given).await
}

async fn respond(
    call: &Call,
    pool: &Pool,
    client: &Client,
    input: &RespondToAuthChallengeInput,
) -> Result<AuthOutput, Fault> {
    let given = &input.challenge_responses;
    let username = given.username(pool, client).await?;
    let terms = Terms::from(client).telling(input.client_metadata.as_ref());
    let answer = Answer { call, pool, terms, given, username };
    match input.challenge_name.as_str() {
        "PASSWORD_VERIFIER" => Ok(answer.password_verifier().await?.into()),
        "DEVICE_SRP_AUTH" => answer.device_srp(input.session.as_deref()).await,
        "DEVICE_PASSWORD_VERIFIER" => Ok(answer.device_password_verifier().await?.into()),
        challenge => {
            let session = input.session.as_deref();
            answer.of(challenge, session.ok_or_else(|| Fault::invalid("Missing required parameter Session"))?).await
        }
    }
}

/// An answer, and whom it is about.
struct Answer<'a> {
    call: &'a Call,
    pool: &'a Pool,
    terms: Terms<'a>,
    given: &'a Parameters,
    username: &'a str,
}

impl Answer<'_> {
    /// To a challenge that its handle finds.
    async fn of(&self, challenge: &str, session: &str) -> Result<AuthOutput, Fault> {
        let step = match challenge {
            "NEW_PASSWORD_REQUIRED" => self.new_password(session).await,
            "CUSTOM_CHALLENGE" => self.custom(session).await,
            "SOFTWARE_TOKEN_MFA" => self.software_token(session).await,
            "EMAIL_OTP" => self.code(session, "EMAIL_OTP", "EMAIL_OTP_CODE").await,
            "SMS_MFA" => self.code(session, "SMS_MFA", "SMS_MFA_CODE").await,
            "SMS_OTP" => self.code(session, "SMS_OTP", "SMS_OTP_CODE").await,
            "SELECT_MFA_TYPE" => self.select_mfa(session).await,
            "MFA_SETUP" => self.mfa_setup(session).await,
            "SELECT_CHALLENGE" => return self.choice(session, self.given.need("ANSWER")?).await,
            "PASSWORD" => return self.choosing(session, "PASSWORD", "PASSWORD").await,
            "PASSWORD_SRP" => return self.choosing(session, "PASSWORD_SRP", "SRP_A").await,
            "WEB_AUTHN" => Err(Fault::invalid("WEB_AUTHN is not available on this server.")),
            // Nobody is ever asked for any other.
            _ => Err(Error::ChallengeInvalid.into()),
        };
        step.map(AuthOutput::from)
    }

    fn srp_proof(&self) -> Result<SrpProof<'_>, Fault> {
        Ok(SrpProof {
            username: self.username,
            secret_block: self.given.need("PASSWORD_CLAIM_SECRET_BLOCK")?,
            signature: self.given.need("PASSWORD_CLAIM_SIGNATURE")?,
            timestamp: self.given.need("TIMESTAMP")?,
            device: self.given.get("DEVICE_KEY"),
        })
    }

    async fn password_verifier(&self) -> Result<Step, Fault> {
        self.pool.respond_srp(self.terms, self.srp_proof()?, self.call.source).await.map_err(Fault::of_proof)
    }

    /// Not every client brings a Session back (contract cognito (c)).
    async fn device_srp(&self, session: Option<&str>) -> Result<AuthOutput, Fault> {
        let (client, key, srp_a) = (self.terms.client, self.given.need("DEVICE_KEY")?, self.given.need("SRP_A")?);
        let asked = self.pool.begin_device(client, self.username, session, key, srp_a, self.call.source).await;
        Ok(asked.map_err(Fault::of_proof)?.into())
    }

    async fn device_password_verifier(&self) -> Result<Step, Fault> {
        let key = self.given.need("DEVICE_KEY")?;
        let step = self.pool.respond_device(self.terms, key, self.srp_proof()?, self.call.source).await;
        step.map_err(Fault::of_proof)
    }

    async fn custom(&self, session: &str) -> Result<Step, Fault> {
        let answer = self.given.need("ANSWER")?;
        let answer = CustomAnswer { username: self.username, session, answer };
        let terms = self.terms.on(self.given.get("DEVICE_KEY"));
        self.pool.respond_custom(terms, answer, self.call.source).await.map_err(Fault::of_proof)
    }

    async fn new_password(&self, session: &str) -> Result<Step, Fault> {
        let password = self.given.need("NEW_PASSWORD")?;
        let attributes = self.given.below("userAttributes.");
        let answer = NewPassword { password, attributes };
        let step = self.pool.respond_new_password(self.terms, self.username, session, answer).await;
        step.map_err(Fault::of_attributes)
    }

    /// A code that is wrong, and one that was used, leave the session alive.
    async fn software_token(&self, session: &str) -> Result<Step, Fault> {
        let code = self.given.need("SOFTWARE_TOKEN_MFA_CODE")?;
        let source = self.call.source;
        match self.pool.respond_software_token(self.terms, self.username, session, code, source).await {
            Ok(step) => Ok(step),
            Err(Error::CodeMismatch) => Err(Fault::from(Error::CodeMismatch).saying("Invalid code received for user")),
            Err(error) => Err(Fault::of_proof(error)),
        }
    }

    /// A code that was sent.
    async fn code(&self, session: &str, challenge: &str, key: &str) -> Result<Step, Fault> {
        let code = self.given.need(key)?;
        let answer = CodeAnswer { challenge, username: self.username, session, code };
        self.pool.respond_code(self.terms, answer, self.call.source).await.map_err(|error| {
            let wrong = matches!(error, Error::CodeMismatch);
            let fault = Fault::of_proof(error);
            match (wrong, challenge) {
                (false, _) => fault,
                (true, "SMS_MFA") => fault.saying("Invalid code received for user"),
                (true, _) => fault.saying("Invalid code or auth state for the user."),
            }
        })
    }

    async fn select_mfa(&self, session: &str) -> Result<Step, Fault> {
        let answer = self.given.need("ANSWER")?;
        Ok(self.pool.respond_select_mfa(self.terms, self.username, session, answer).await?)
    }

    async fn mfa_setup(&self, session: &str) -> Result<Step, Fault> {
        let email = self.given.get("EMAIL");
        Ok(self.pool.respond_mfa_setup(self.terms, self.username, session, email).await?)
    }

    /// A challenge that was chosen, and what answers it.
    async fn choosing(&self, session: &str, factor: &str, key: &str) -> Result<AuthOutput, Fault> {
        self.given.need(key)?;
        self.choice(session, factor).await
    }

    async fn choice(&self, session: &str, factor: &str) -> Result<AuthOutput, Fault> {
        let [password, srp_a, device] = ["PASSWORD", "SRP_A", "DEVICE_KEY"].map(|name| self.given.get(name));
        let choice = Choice { username: self.username, factor: Some(factor), password, srp_a, device };
        choose(self.call, self.pool, self.terms, session, choice).await
    }
}

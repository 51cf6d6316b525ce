//! USER_AUTH: a sign-in whose first factor the user chooses (contract cognito (c)).

use super::auth::{AuthOutput, Parameters};
use super::fault::Fault;
use super::operation::Call;
use crate::pool::{Choice, FirstStep, Pool, Terms};

/// Begins it; with the Session of a registration that was just confirmed nothing more is asked for.
pub(super) async fn by_choice(
    call: &Call,
    pool: &Pool,
    terms: Terms<'_>,
    given: &Parameters,
    session: Option<&str>,
) -> Result<AuthOutput, Fault> {
    let username = given.username(pool, terms.client).await?;
    if let Some(session) = session {
        return Ok(pool
            .sign_in_confirmed(terms.on(given.get("DEVICE_KEY")), username, session, call.source)
            .await?
            .into());
    }
    let factor = given.get("PREFERRED_CHALLENGE");
    let [password, srp_a, device] = ["PASSWORD", "SRP_A", "DEVICE_KEY"].map(|name| given.get(name));
    let choice = Choice { username, factor, password, srp_a, device };
    let begun = pool.initiate_choice(terms, served(choice)?, call.source).await;
    let (step, offered) = begun.map_err(Fault::of_proof)?;
    Ok(AuthOutput::from(step).offering(&offered))
}

/// Answers SELECT_CHALLENGE, and PASSWORD and PASSWORD_SRP, which say themselves what is chosen.
pub(super) async fn choose(
    call: &Call,
    pool: &Pool,
    terms: Terms<'_>,
    session: &str,
    choice: Choice<'_>,
) -> Result<AuthOutput, Fault> {
    let step = pool.respond_choice(terms, session, served(choice)?, call.source).await;
    Ok(step.map_err(Fault::of_proof)?.into())
}

fn served(choice: Choice<'_>) -> Result<Choice<'_>, Fault> {
    if choice.factor == Some("WEB_AUTHN") {
        return Err(Fault::invalid("WEB_AUTHN is not available on this server."));
    }
    Ok(choice)
}

impl From<FirstStep> for AuthOutput {
    fn from(step: FirstStep) -> Self {
        match step {
            FirstStep::Verifier(asked) => asked.into(),
            FirstStep::Step(step) => step.into(),
        }
    }
}

//! How far a sign-in by the pool's own challenges has come: kept between two calls, and brought to its end.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::auth::{Proven, Step};
use super::custom_auth::CustomChallenge;
use super::custom_trigger::{Actor, Answered};
use super::{Client, Pool};
use crate::crypto;
use crate::error::Error;
use crate::store::tokens::{Challenge, Purpose};

/// Steps of one sign-in, so that it ends.
const MOST_STEPS: usize = 20;
/// Looks at a challenge, which the first answer uses up.
const ATTEMPTS: u32 = 20;

/// How far a sign-in has come. Kept sealed: it has what answers the challenge.
#[derive(Serialize, Deserialize)]
pub(super) struct Course {
    /// What the triggers and the client are told of a user.
    pub(super) name: String,
    /// What it stands on, see [`Pool::proof_state`]; none for who does not exist.
    pub(super) proof: Option<String>,
    pub(super) answered: Vec<Answered>,
    /// Of the challenge that is asked now.
    pub(super) private: BTreeMap<String, String>,
    pub(super) metadata: Option<String>,
    /// Whether its beginning was counted for the caller's address.
    counted: bool,
}

impl Pool {
    /// A sign-in that has come as far as these steps.
    pub(super) fn course(&self, actor: &Actor<'_>, answered: Vec<Answered>, counted: bool) -> Course {
        let proof = actor.user.as_ref().map(|user| self.proof_state(user));
        Course { name: actor.name.clone(), proof, answered, private: BTreeMap::new(), metadata: None, counted }
    }

    /// Asks the next challenge.
    pub(super) async fn pose(&self, actor: &Actor<'_>, course: Course) -> Result<Step, Error> {
        if course.answered.len() >= MOST_STEPS {
            return Err(Error::NotAuthorized);
        }
        let puzzle = self.create_challenge(actor, &course.answered).await?;
        let (private, metadata) = (puzzle.private_challenge_parameters, puzzle.challenge_metadata);
        let course = Course { private, metadata, ..course };
        let challenge = Challenge {
            client: actor.terms.client.id.clone(),
            user: actor.account,
            user_version: 0,
            expires_at: self.now().plus(actor.terms.client.auth_session_life()),
            attempts_left: ATTEMPTS,
            answer: None,
            payload: Some(self.seal_course(actor, &course)?),
        };
        let session = self.put_anew(Purpose::CustomChallenge, &challenge).await?;
        let mut parameters = puzzle.public_challenge_parameters;
        parameters.insert("USERNAME".to_owned(), course.name);
        Ok(Step::Custom(CustomChallenge { session, parameters }))
    }

    /// Goes on with one whom the triggers let in, read again: they may have changed him, and it took its time.
    pub(super) async fn finish_custom(
        &self,
        actor: &Actor<'_>,
        course: &Course,
        source: IpAddr,
    ) -> Result<Step, Error> {
        let sub = actor.user.as_ref().ok_or(Error::NotAuthorized)?.sub;
        let user = self.ports.directory.user(self.id(), sub).await?;
        let user = user.filter(|user| course.proof.as_deref() == Some(self.proof_state(user).as_str()));
        let user = user.ok_or(Error::ChallengeInvalid)?;
        self.clear_parts(self.custom_account(actor.account)).await?;
        if course.counted {
            self.forgive_source(source).await?;
        }
        let by = |proof: fn(&Answered) -> bool| course.answered.iter().any(proof);
        if by(Answered::is_password) && !by(Answered::is_own) {
            // The triggers asked for nothing besides: then what everybody owes is owed.
            return self.next_step(actor.terms, &Proven(user)).await;
        }
        self.step_by_triggers(actor.terms, &user).await
    }

    fn seal_course(&self, actor: &Actor<'_>, course: &Course) -> Result<String, Error> {
        let plain = Zeroizing::new(serde_json::to_vec(course).map_err(Error::internal)?);
        let place = place(actor.terms.client, actor.account);
        Ok(crypto::encode(self.secrets.custom_auth.seal(&self.ports.random, &place, &plain)?))
    }

    pub(super) fn open_course(&self, client: &Client, challenge: &Challenge) -> Result<Course, Error> {
        let sealed = challenge.payload.as_deref().and_then(crypto::decode);
        let place = place(client, challenge.user);
        let plain = sealed.and_then(|sealed| self.secrets.custom_auth.open(&place, &sealed)).map(Zeroizing::new);
        plain.and_then(|plain| serde_json::from_slice(&plain).ok()).ok_or(Error::ChallengeInvalid)
    }
}

fn place(client: &Client, account: Uuid) -> Vec<u8> {
    [account.as_bytes(), client.id.as_bytes()].concat()
}

//! Signing in by SRP ([`super::srp`]): the verifier is found, or made up for who has none, and the proof counts like
//! any other proof of a password.

use std::net::IpAddr;

use uuid::Uuid;

use super::auth::{Login, Proven, Step};
use super::name::Username;
use super::settings::Usernames;
use super::srp::{Claim, Identity, Place, SecretBlock, ServerChallenge, SrpA, Verifier};
use super::user::check_standing;
use super::{Client, Pool, Terms};
use crate::error::{Error, Kind};
use crate::store::directory::User;
use crate::store::tokens::{Challenge, ChallengeKey, Purpose};

/// Reads of a block, each of which may be refused for a device and come again.
const ATTEMPTS: u32 = 20;

/// PASSWORD_VERIFIER as it is asked.
pub struct PasswordVerifier {
    /// The server's number.
    pub srp_b: String,
    /// The salt of the verifier.
    pub salt: String,
    /// What the answer must bring back.
    pub secret_block: String,
    /// The name that the proof is made with.
    pub user_id: String,
}

/// PASSWORD_VERIFIER as it is answered.
pub struct SrpProof<'a> {
    /// Whom the client takes the user for.
    pub username: &'a str,
    /// `PASSWORD_CLAIM_SECRET_BLOCK`.
    pub secret_block: &'a str,
    /// `PASSWORD_CLAIM_SIGNATURE`.
    pub signature: &'a str,
    /// `TIMESTAMP`.
    pub timestamp: &'a str,
    /// The device that the client believes to be remembered.
    pub device: Option<&'a str>,
}

impl Pool {
    /// Begins a sign-in by SRP. A name without a user, or a user without a verifier, is asked all the same; nothing
    /// proves him.
    ///
    /// Errors: `InvalidParameter` about `srp_a`, `TooManyRequests`, `Hook`, `Unavailable`; with existence shown also
    /// `UserNotFound`, `UserDisabled` and `UserNotConfirmed`.
    pub async fn initiate_srp<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        username: &str,
        srp_a: &str,
        source: IpAddr,
    ) -> Result<PasswordVerifier, Error> {
        let terms = terms.into();
        let client = terms.client;
        let a = SrpA::parse(srp_a)?;
        self.ports.hasher.room()?;
        let login = self.find_login(username).await?;
        self.may_attempt(login.account, source).await?;
        if !self.hides_existence(client) {
            let user = login.user.as_ref().ok_or(Error::UserNotFound)?;
            may_begin(user)?;
        }
        self.pre_authentication(terms, (login.account, login.user.as_ref()), username, source).await?;
        let verifier = self.verifier_or_none(login.account, login.user.as_ref())?;
        let user_id =
            login.user.as_ref().map_or_else(|| self.absent_name(&login, username), |user| user.username.clone());
        let (salt, random) = (verifier.salt(), self.ports.random.clone());
        let challenge = self.ports.hasher.compute(move || ServerChallenge::new(&random, a, &verifier)).await??;
        let srp_b = challenge.srp_b();
        let secret_block = self.put_block(client, &login, challenge).await?;
        Ok(PasswordVerifier { srp_b, salt, secret_block, user_id })
    }

    /// The verifier of a user; one that no password fits where there is none.
    fn verifier_or_none(&self, account: Uuid, user: Option<&User>) -> Result<Verifier, Error> {
        let own = user.map(|user| self.verifier_of(user)).transpose()?.flatten();
        if let Some(user) = user.filter(|user| own.is_none() && user.password.is_some()) {
            tracing::warn!(user = %user.sub, "a user without SRP verifier can not sign in by SRP");
        }
        Ok(own.unwrap_or_else(|| Verifier::simulated(&self.secrets.srp_absent, self.id(), &account.to_string())))
    }

    /// What a user of this name would be called.
    fn absent_name(&self, login: &Login, typed: &str) -> String {
        match self.settings.usernames {
            Usernames::Chosen { .. } => Username::parse(typed).map(|name| name.shown).ok(),
            Usernames::Contact { .. } => None,
        }
        .unwrap_or_else(|| login.account.to_string())
    }

    async fn put_block(&self, client: &Client, login: &Login, challenge: ServerChallenge) -> Result<String, Error> {
        let expires_at = self.now().plus(client.auth_session_life());
        let block = SecretBlock::new(&self.ports.random, login.account, expires_at, challenge)?;
        let kept = Challenge {
            client: client.id.clone(),
            user: login.user.as_ref().map_or(login.account, |user| user.sub),
            user_version: 0,
            expires_at,
            attempts_left: ATTEMPTS,
            answer: None,
            payload: None,
        };
        self.ports.tokens.put_challenge(&self.block_key(block.id), &kept).await?;
        block.seal(&self.secrets.srp_block, &self.ports.random, self.block_place(client))
    }

    fn block_place<'a>(&'a self, client: &'a Client) -> Place<'a> {
        Place { pool: self.id(), client: &client.id, device: None }
    }

    fn block_key(&self, block: Uuid) -> ChallengeKey {
        ChallengeKey { pool: self.id().to_owned(), purpose: Purpose::Srp, subject: block.to_string() }
    }

    /// Answers PASSWORD_VERIFIER. The block is used up by the first proof, right or wrong; not by a device that is not
    /// known, after which clients send the same proof without it.
    ///
    /// Errors: `ChallengeInvalid`, `NotFound(Device)`, `NotAuthorized`, `TooManyRequests`, the standings of
    /// [`Pool::next_step`], `Unavailable`.
    pub async fn respond_srp<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        proof: SrpProof<'_>,
        source: IpAddr,
    ) -> Result<Step, Error> {
        let terms = terms.into();
        let client = terms.client;
        let place = self.block_place(client);
        let block = SecretBlock::open(&self.secrets.srp_block, place, proof.secret_block, self.now());
        let block = block.ok_or(Error::ChallengeInvalid)?;
        if proof.device.is_some() {
            // No device of anybody is remembered.
            return Err(Error::NotFound(Kind::Device));
        }
        let key = self.block_key(block.id);
        let kept = self.ports.tokens.attempt_challenge(&key, self.now()).await?.ok_or(Error::ChallengeInvalid)?;
        if !self.ports.tokens.consume_challenge(&key, self.now()).await? {
            return Err(Error::ChallengeInvalid);
        }
        let user = self.ports.directory.user(self.id(), kept.user).await?;
        let user = user.filter(|user| self.names(user, proof.username));
        let account = block.user;
        let proven = self.attempt(account, source, self.prove_by_srp(client, user, block, &proof)).await?;
        self.next_step(terms, &Proven(proven)).await
    }

    async fn prove_by_srp(
        &self,
        client: &Client,
        user: Option<User>,
        block: SecretBlock,
        proof: &SrpProof<'_>,
    ) -> Result<User, Error> {
        let verifier = self.verifier_or_none(block.user, user.as_ref())?;
        let name = user.as_ref().map_or_else(String::new, |user| user.username.clone());
        let (pool, now) = (self.id().to_owned(), self.now());
        let [secret_block, signature, timestamp] =
            [proof.secret_block, proof.signature, proof.timestamp].map(str::to_owned);
        let judge = move || {
            let owner = Identity::user(&pool, &name);
            let claim = Claim { owner, secret_block: &secret_block, timestamp: &timestamp, signature: &signature };
            block.challenge.is_proven_by(&verifier, &claim, now)
        };
        let right = self.ports.hasher.compute(judge).await?;
        let user = user.filter(|user| right && !self.hides_sign_up(client, user));
        user.ok_or(Error::NotAuthorized)
    }
}

/// Cognito says so before the proof; here only where it is no secret that there is such a user.
fn may_begin(user: &User) -> Result<(), Error> {
    match check_standing(user) {
        Err(refusal @ (Error::UserDisabled | Error::UserNotConfirmed)) => Err(refusal),
        _ => Ok(()),
    }
}

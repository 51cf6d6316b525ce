//! Signing in by SRP ([`super::srp`]): the verifier is found, or made up for who has none, and the proof counts like
//! any other proof of a password.

use std::net::IpAddr;

use uuid::Uuid;

use super::alias::refuse_alias_forms;
use super::auth::{Login, Proven, Step};
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

/// Whose exchange begins, and what is remembered of it until it ends.
pub(super) struct Exchange<'a> {
    pub(super) client: &'a Client,
    /// The key of the device, if not the user proves himself.
    pub(super) device: Option<&'a str>,
    /// Whom attempts are counted for.
    pub(super) account: Uuid,
    pub(super) user: Uuid,
    pub(super) payload: Option<String>,
}

/// Who proves something.
pub(super) enum Prover {
    /// A user by his password.
    User { name: String },
    /// A device by its secret.
    Device { group: String, key: String },
}

impl Prover {
    fn identity<'a>(&'a self, pool: &'a str) -> Identity<'a> {
        match self {
            Self::User { name } => Identity::user(pool, name),
            Self::Device { group, key } => Identity::device(group, key),
        }
    }
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
        self.initiate_srp_then(terms, username, srp_a, None, source).await
    }

    /// The same; `then` is the way on, if it is not straight to [`Pool::next_step`]: then the triggers that are asked
    /// before the proof were.
    pub(super) async fn initiate_srp_then<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        username: &str,
        srp_a: &str,
        then: Option<&str>,
        source: IpAddr,
    ) -> Result<PasswordVerifier, Error> {
        let terms = terms.into();
        let client = terms.client;
        let a = SrpA::parse(srp_a)?;
        self.ports.hasher.room()?;
        let login = self.find_login(username).await?;
        self.begin_attempt(login.account, source).await?;
        if !self.hides_existence(client) {
            let user = login.user.as_ref().ok_or(Error::UserNotFound)?;
            may_begin(user)?;
        }
        if then.is_none() {
            self.pre_authentication(terms, (login.account, login.user.as_ref()), username, source).await?;
        }
        // One who only registered, where that is not told, is asked like nobody.
        let user = login.user.filter(|user| !self.hides_sign_up(client, user));
        let login = Login { user, ..login };
        let verifier = self.verifier_or_none(login.account, login.user.as_ref())?;
        let user_id =
            login.user.as_ref().map_or_else(|| self.absent_name(&login, username), |user| user.username.clone());
        let salt = verifier.salt();
        let user = login.user.map_or(login.account, |user| user.sub);
        let exchange =
            Exchange { client, device: None, account: login.account, user, payload: then.map(str::to_owned) };
        let (srp_b, secret_block) = self.begin_exchange(exchange, a, verifier).await?;
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

    /// What a user of this name would be called: not as it was typed, which would tell that nobody has it in another
    /// spelling.
    pub(super) fn absent_name(&self, login: &Login, typed: &str) -> String {
        let name = match &self.settings.usernames {
            Usernames::Chosen { aliases } if refuse_alias_forms(aliases, typed).is_ok() => self.username(typed).ok(),
            Usernames::Chosen { .. } | Usernames::Contact { .. } => None,
        };
        name.map_or_else(|| login.account.to_string(), |name| name.key)
    }

    /// Reckons the server's number and keeps that there is such an exchange; answers `SRP_B` and `SECRET_BLOCK`.
    pub(super) async fn begin_exchange(
        &self,
        exchange: Exchange<'_>,
        a: SrpA,
        verifier: Verifier,
    ) -> Result<(String, String), Error> {
        let random = self.ports.random.clone();
        let challenge = self.ports.hasher.compute(move || ServerChallenge::new(&random, a, &verifier)).await??;
        let srp_b = challenge.srp_b();
        let Exchange { client, device, account, user, payload } = exchange;
        let expires_at = self.now().plus(client.auth_session_life());
        let block = SecretBlock::new(&self.ports.random, account, expires_at, challenge)?;
        let kept = Challenge {
            client: client.id.clone(),
            user,
            user_version: 0,
            expires_at,
            attempts_left: ATTEMPTS,
            answer: None,
            payload,
        };
        self.ports.tokens.put_challenge(&self.block_key(block.id), &kept).await?;
        let place = self.block_place(client, device);
        Ok((srp_b, block.seal(&self.secrets.srp_block, &self.ports.random, place)?))
    }

    fn block_place<'a>(&'a self, client: &'a Client, device: Option<&'a str>) -> Place<'a> {
        Place { pool: self.id(), client: &client.id, device }
    }

    fn block_key(&self, block: Uuid) -> ChallengeKey {
        ChallengeKey { pool: self.id().to_owned(), purpose: Purpose::Srp, subject: block.to_string() }
    }

    /// Opens a block and uses it up. `ChallengeInvalid` for all but one caller.
    pub(super) async fn take_block(
        &self,
        client: &Client,
        device: Option<&str>,
        proof: &SrpProof<'_>,
    ) -> Result<(SecretBlock, Challenge), Error> {
        let (block, kept) = self.read_block(client, device, proof).await?;
        self.use_block(&block).await?;
        Ok((block, kept))
    }

    async fn read_block(
        &self,
        client: &Client,
        device: Option<&str>,
        proof: &SrpProof<'_>,
    ) -> Result<(SecretBlock, Challenge), Error> {
        let place = self.block_place(client, device);
        let block = SecretBlock::open(&self.secrets.srp_block, place, proof.secret_block, self.now());
        let block = block.ok_or(Error::ChallengeInvalid)?;
        let kept = self.ports.tokens.attempt_challenge(&self.block_key(block.id), self.now()).await?;
        Ok((block, kept.ok_or(Error::ChallengeInvalid)?))
    }

    async fn use_block(&self, block: &SecretBlock) -> Result<(), Error> {
        let taken = self.ports.tokens.consume_challenge(&self.block_key(block.id), self.now()).await?;
        if taken { Ok(()) } else { Err(Error::ChallengeInvalid) }
    }

    /// Answers PASSWORD_VERIFIER. The block is used up by the first proof, right or wrong; not by a right one that names
    /// a device which is not known, after which clients send the same proof without it (contract cognito §0.3).
    ///
    /// Errors: `ChallengeInvalid`, `NotAuthorized`, `TooManyRequests`, what [`Pool::next_step`] refuses, `Unavailable`.
    pub async fn respond_srp<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        proof: SrpProof<'a>,
        source: IpAddr,
    ) -> Result<Step, Error> {
        let terms = terms.into();
        let client = terms.client;
        let (block, kept) = self.read_block(client, None, &proof).await?;
        let user = self.ports.directory.user(self.id(), kept.user).await?;
        let user = user.filter(|user| self.names(user, proof.username));
        let (account, key) = (block.user, self.block_key(block.id));
        if self.names_no_device(client, user.as_ref(), &proof).await? {
            let proven = self.attempt(account, source, self.prove_by_srp(client, user, block, &proof)).await;
            if matches!(proven, Err(Error::NotAuthorized)) {
                self.ports.tokens.consume_challenge(&key, self.now()).await?;
            }
            // Only who knows the password is told: a key must not tell who has it.
            return proven.and(Err(Error::NotFound(Kind::Device)));
        }
        self.use_block(&block).await?;
        self.forgive_source(source).await?;
        let proven = self.attempt(account, source, self.prove_by_srp(client, user, block, &proof)).await?;
        let terms = terms.on(proof.device);
        match kept.payload {
            Some(_) => self.go_on_by_triggers(terms, proven, source).await,
            None => self.next_step(terms, &Proven(proven)).await,
        }
    }

    /// Whether the proof names a device that this user does not have.
    async fn names_no_device(&self, client: &Client, user: Option<&User>, proof: &SrpProof<'_>) -> Result<bool, Error> {
        match (proof.device, user) {
            (Some(key), Some(user)) => Ok(self.find_device(client, user, key).await?.is_none()),
            (Some(_), None) => Ok(true),
            (None, _) => Ok(false),
        }
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
        let right = self.is_proven(Prover::User { name }, verifier, block.challenge, proof).await?;
        let user = user.filter(|user| right && !self.hides_sign_up(client, user));
        user.ok_or(Error::NotAuthorized)
    }

    /// Whether a proof is right, judged where work may block.
    pub(super) async fn is_proven(
        &self,
        prover: Prover,
        verifier: Verifier,
        challenge: ServerChallenge,
        proof: &SrpProof<'_>,
    ) -> Result<bool, Error> {
        let (pool, now) = (self.id().to_owned(), self.now());
        let [secret_block, signature, timestamp] =
            [proof.secret_block, proof.signature, proof.timestamp].map(str::to_owned);
        let judge = move || {
            let owner = prover.identity(&pool);
            let claim = Claim { owner, secret_block: &secret_block, timestamp: &timestamp, signature: &signature };
            challenge.is_proven_by(&verifier, &claim, now)
        };
        self.ports.hasher.compute(judge).await
    }
}

/// Cognito says so before the proof; here only where it is no secret that there is such a user.
pub(super) fn may_begin(user: &User) -> Result<(), Error> {
    match check_standing(user) {
        Err(refusal @ (Error::UserDisabled | Error::UserNotConfirmed)) => Err(refusal),
        _ => Ok(()),
    }
}

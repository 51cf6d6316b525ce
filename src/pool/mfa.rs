//! Second factors: which one a user owes, how he sets one up, and how he proves it. Today that is an authenticator
//! application ([`super::totp`]).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::auth::Step;
use super::challenge::Asked;
use super::settings::MfaMode;
use super::totp::{Code, TotpSecret};
use super::{Pool, Terms};
use crate::crypto;
use crate::error::Error;
use crate::store::directory::User;
use crate::store::tokens::Purpose;

/// Cognito's name of the factor and of its challenge.
const SOFTWARE_TOKEN: &str = "SOFTWARE_TOKEN_MFA";

/// The second factors of a user: the JSON of his `mfa` column.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Factors {
    /// The secret of his application, sealed, once he has shown that he has it.
    software_token: Option<SoftwareToken>,
    /// One that he has been told and has not shown yet, sealed.
    told: Option<String>,
    /// Whether he wants to be asked.
    wanted: bool,
    /// Whether it comes first.
    preferred: bool,
}

#[derive(Serialize, Deserialize)]
struct SoftwareToken {
    secret: String,
    /// The step of the last code that was right: no code of it or of one before is good again.
    last_step: i64,
    /// What he calls the application.
    name: Option<String>,
}

/// What a user wants of his authenticator application.
#[derive(Debug, Clone, Copy)]
pub struct Preference {
    /// To be asked for its code.
    pub enabled: bool,
    /// Before any other factor.
    pub preferred: bool,
}

/// A second factor that stands between a user and his tokens.
pub(super) enum OwedFactor {
    /// The code of his application, which he calls so.
    SoftwareToken(Option<String>),
    /// He has none and must set one up.
    Setup,
}

impl Factors {
    fn read(user: &User) -> Result<Self, Error> {
        user.mfa
            .as_deref()
            .map_or_else(|| Ok(Self::default()), |json| serde_json::from_str(json).map_err(Error::internal))
    }

    fn write(&self, user: &mut User) -> Result<(), Error> {
        user.mfa = Some(serde_json::to_string(self).map_err(Error::internal)?);
        Ok(())
    }
}

/// Cognito's UserMFASettingList and PreferredMfaSetting. Errors: `Internal`.
pub fn settings_of(user: &User) -> Result<(Vec<&'static str>, Option<&'static str>), Error> {
    let factors = Factors::read(user)?;
    let list = if factors.wanted { vec![SOFTWARE_TOKEN] } else { Vec::new() };
    Ok((list, (factors.wanted && factors.preferred).then_some(SOFTWARE_TOKEN)))
}

impl Pool {
    /// The second factor that a user owes: where it is optional, only one that he wants.
    pub(super) fn owed_factor(&self, user: &User) -> Result<Option<OwedFactor>, Error> {
        let rules = &self.settings.mfa;
        if rules.mode == MfaMode::Off {
            return Ok(None);
        }
        let Factors { software_token, wanted, .. } = Factors::read(user)?;
        let own = software_token.filter(|_| rules.software_token).map(|own| OwedFactor::SoftwareToken(own.name));
        Ok(match rules.mode {
            MfaMode::On => Some(own.unwrap_or(OwedFactor::Setup)),
            MfaMode::Optional => own.filter(|_| wanted),
            MfaMode::Off => None,
        })
    }

    /// Asks for a second factor.
    pub(super) async fn ask_factor(&self, terms: Terms<'_>, user: &User, owed: OwedFactor) -> Result<Asked, Error> {
        let (name, purpose, about) = match owed {
            OwedFactor::SoftwareToken(name) => {
                (SOFTWARE_TOKEN, Purpose::SoftwareToken, name.map(|name| ("FRIENDLY_DEVICE_NAME", name)))
            }
            OwedFactor::Setup => {
                let can: Vec<&str> =
                    Some(SOFTWARE_TOKEN).filter(|_| self.settings.mfa.software_token).into_iter().collect();
                let can = serde_json::to_string(&can).map_err(Error::internal)?;
                ("MFA_SETUP", Purpose::MfaSetup, Some(("MFAS_CAN_SETUP", can)))
            }
        };
        let session = self.put_challenge(purpose, terms, user).await?;
        let parameters = about.into_iter().chain([("USER_ID_FOR_SRP", user.username.clone())]).collect();
        Ok(Asked { name, session, parameters })
    }

    /// Answers SOFTWARE_TOKEN_MFA. Wrong codes are counted for the user, whatever challenge they answer.
    ///
    /// Errors: `ChallengeInvalid`, `CodeMismatch` and `CodeUsed` (the challenge stays), `TooManyRequests`, the
    /// standings, `Unavailable`.
    pub async fn respond_software_token<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        username: &str,
        session: &str,
        code: &str,
        source: IpAddr,
    ) -> Result<Step, Error> {
        let terms = terms.into();
        let pending = self.pending(Purpose::SoftwareToken, session, Some((terms.client, username))).await?;
        let sub = pending.user.sub;
        let user = self.attempt(self.factor_account(sub), source, self.prove_software_token(sub, code)).await?;
        self.consume(&pending).await?;
        let step = self.last_step(pending.terms(terms), &user).await;
        self.or_put_back(&pending.key, &pending.challenge, step).await
    }

    /// The step of the code is kept with the user before anything comes of it, so that of two equal answers one wins.
    async fn prove_software_token(&self, sub: Uuid, code: &str) -> Result<User, Error> {
        self.change_user(sub, |user| {
            let mut factors = Factors::read(user)?;
            let own = factors.software_token.as_mut().ok_or(Error::ChallengeInvalid)?;
            own.last_step = self.judge_code(sub, &own.secret, code, Some(own.last_step))?;
            factors.write(user)
        })
        .await
    }

    /// The step of a code that is right.
    fn judge_code(&self, sub: Uuid, sealed: &str, code: &str, last: Option<i64>) -> Result<i64, Error> {
        let secret = crypto::decode(sealed).and_then(|sealed| self.secrets.mfa.open(sub.as_bytes(), &sealed));
        let secret = secret.map(Zeroizing::new).map(|bytes| TotpSecret::from_bytes(&bytes));
        let secret = secret.ok_or_else(|| Error::internal("the secret of a second factor is not what was sealed"))?;
        match secret.check(code, self.now(), last) {
            Code::Right { step } => Ok(step),
            Code::Used => Err(Error::CodeUsed),
            Code::Wrong => Err(Error::CodeMismatch),
        }
    }

    fn factor_account(&self, sub: Uuid) -> Uuid {
        self.absent_user(&format!("mfa|{sub}"))
    }

    /// Tells a user a new secret for his application. It counts once he has shown a code; until then the one before
    /// does.
    ///
    /// Errors: `NotConfigured` where the pool has no such factor, `UserNotFound`, `Unavailable`.
    pub async fn associate_software_token(&self, sub: Uuid) -> Result<Zeroizing<String>, Error> {
        self.has_software_tokens()?;
        let secret = TotpSecret::new(&self.ports.random)?;
        let sealed = crypto::encode(self.secrets.mfa.seal(&self.ports.random, sub.as_bytes(), secret.as_bytes())?);
        self.change_user(sub, |user| {
            let factors = Factors { told: Some(sealed.clone()), ..Factors::read(user)? };
            factors.write(user)
        })
        .await?;
        Ok(secret.text())
    }

    fn has_software_tokens(&self) -> Result<(), Error> {
        let has = self.settings.mfa.mode != MfaMode::Off && self.settings.mfa.software_token;
        if has { Ok(()) } else { Err(Error::NotConfigured("Software Token MFA")) }
    }

    /// The same for one who owes MFA_SETUP; answers also the handle of the next step. Errors as of
    /// [`Pool::associate_software_token`], and `ChallengeInvalid`.
    pub async fn associate_for_challenge(&self, session: &str) -> Result<(Zeroizing<String>, String), Error> {
        let pending = self.pending(Purpose::MfaSetup, session, None).await?;
        let secret = self.associate_software_token(pending.user.sub).await?;
        Ok((secret, self.follow_with(Purpose::MfaSetup, pending).await?))
    }

    /// Takes over the secret that a user was told last, once he shows a code of it.
    ///
    /// Errors: `NotConfigured` also when he was told none, `CodeMismatch`, `TooManyRequests`, `Unavailable`.
    pub async fn verify_software_token(
        &self,
        sub: Uuid,
        code: &str,
        name: Option<&str>,
        source: IpAddr,
    ) -> Result<(), Error> {
        self.has_software_tokens()?;
        let verify = self.change_user(sub, |user| {
            let mut factors = Factors::read(user)?;
            let secret = factors.told.take().ok_or(Error::NotConfigured("Software Token MFA"))?;
            let last_step = self.judge_code(sub, &secret, code, None)?;
            factors.software_token = Some(SoftwareToken { secret, last_step, name: name.map(str::to_owned) });
            factors.write(user)
        });
        self.attempt(self.factor_account(sub), source, verify).await.map(drop)
    }

    /// The same for one who owes MFA_SETUP; answers the handle that yields his tokens. Errors as of
    /// [`Pool::verify_software_token`], and `ChallengeInvalid`.
    pub async fn verify_for_challenge(
        &self,
        session: &str,
        code: &str,
        name: Option<&str>,
        source: IpAddr,
    ) -> Result<String, Error> {
        let pending = self.pending(Purpose::MfaSetup, session, None).await?;
        self.verify_software_token(pending.user.sub, code, name, source).await?;
        self.follow_with(Purpose::MfaReady, pending).await
    }

    /// Answers MFA_SETUP, with the handle of a factor that was just set up.
    ///
    /// Errors: `ChallengeInvalid`, the standings, `Unavailable`.
    pub async fn respond_mfa_setup<'a>(
        &self,
        terms: impl Into<Terms<'a>>,
        username: &str,
        session: &str,
    ) -> Result<Step, Error> {
        let terms = terms.into();
        let pending = self.pending(Purpose::MfaReady, session, Some((terms.client, username))).await?;
        self.consume(&pending).await?;
        let step = self.last_step(pending.terms(terms), &pending.user).await;
        self.or_put_back(&pending.key, &pending.challenge, step).await
    }

    /// Says whether a user wants to be asked for the code of his application.
    ///
    /// Errors: `InvalidParameter` when he has shown none, `UserNotFound`, `Unavailable`.
    pub async fn prefer_software_token(&self, sub: Uuid, preference: Preference) -> Result<(), Error> {
        self.change_user(sub, |user| {
            let mut factors = Factors::read(user)?;
            if preference.enabled && factors.software_token.is_none() {
                return Err(Error::invalid("User", "has not verified software token mfa"));
            }
            factors.wanted = preference.enabled;
            factors.preferred = preference.enabled && preference.preferred;
            factors.write(user)
        })
        .await
        .map(drop)
    }
}

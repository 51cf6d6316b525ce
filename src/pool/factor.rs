//! Second factors: which a user has, which he wants, and which one he owes.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Pool;
use super::settings::{Contact, MfaMode};
use crate::error::{Error, Rule};
use crate::store::directory::User;

/// A kind of second factor, in the order in which a choice is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// A code by text message.
    Sms,
    /// The code of an authenticator application.
    SoftwareToken,
    /// A mailed code.
    Email,
}

impl Factor {
    const ALL: [Self; 3] = [Self::Sms, Self::SoftwareToken, Self::Email];

    /// Cognito's name of it and of its challenge.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "SMS_MFA",
            Self::SoftwareToken => "SOFTWARE_TOKEN_MFA",
            Self::Email => "EMAIL_OTP",
        }
    }

    /// Reads Cognito's name, also the one that its documentation has for mail.
    pub fn parse(name: &str) -> Option<Self> {
        let name = if name == "EMAIL_MFA" { Self::Email.name() } else { name };
        Self::ALL.into_iter().find(|factor| factor.name() == name)
    }
}

/// What a user wants of a factor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preference {
    /// To be asked for it.
    #[serde(rename = "wanted")]
    pub enabled: bool,
    /// Before any other factor.
    pub preferred: bool,
}

/// The second factors of a user: the JSON of his `mfa` column.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Factors {
    /// The secret of his application, sealed, once he has shown that he has it.
    pub(super) software_token: Option<SoftwareToken>,
    /// One that he has been told and has not shown yet, sealed.
    pub(super) told: Option<String>,
    #[serde(flatten)]
    application: Preference,
    email: Preference,
    sms: Preference,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SoftwareToken {
    pub(super) secret: String,
    /// The step of the last code that was right: no code of it or of one before is good again.
    pub(super) last_step: i64,
    /// What he calls the application.
    pub(super) name: Option<String>,
}

/// What stands between a user and his tokens.
pub(super) enum OwedFactor {
    /// This factor.
    One(Factor),
    /// One of these.
    Choice(Vec<Factor>),
    /// He has none and must set up one of these.
    Setup(Vec<Factor>),
}

impl Factors {
    pub(super) fn read(user: &User) -> Result<Self, Error> {
        user.mfa
            .as_deref()
            .map_or_else(|| Ok(Self::default()), |json| serde_json::from_str(json).map_err(Error::internal))
    }

    pub(super) fn write(&self, user: &mut User) -> Result<(), Error> {
        user.mfa = Some(serde_json::to_string(self).map_err(Error::internal)?);
        Ok(())
    }

    fn preference(&self, factor: Factor) -> Preference {
        match factor {
            Factor::Sms => self.sms,
            Factor::SoftwareToken => self.application,
            Factor::Email => self.email,
        }
    }

    fn preference_mut(&mut self, factor: Factor) -> &mut Preference {
        match factor {
            Factor::Sms => &mut self.sms,
            Factor::SoftwareToken => &mut self.application,
            Factor::Email => &mut self.email,
        }
    }

    /// One factor is preferred at most.
    pub(super) fn prefer(&mut self, factor: Factor, wanted: Preference) {
        let preferred = wanted.enabled && wanted.preferred;
        if preferred {
            Factor::ALL.into_iter().for_each(|other| self.preference_mut(other).preferred = false);
        }
        *self.preference_mut(factor) = Preference { enabled: wanted.enabled, preferred };
    }
}

/// Cognito's UserMFASettingList and PreferredMfaSetting. Errors: `Internal`.
pub fn settings_of(user: &User) -> Result<(Vec<&'static str>, Option<&'static str>), Error> {
    let factors = Factors::read(user)?;
    let wanted = Factor::ALL.into_iter().filter(|factor| factors.preference(*factor).enabled);
    let preferred = Factor::ALL.into_iter().find(|factor| factors.preference(*factor).preferred);
    Ok((wanted.map(Factor::name).collect(), preferred.map(Factor::name)))
}

impl Pool {
    /// The second factor that a user owes: where it is optional, only one that he wants.
    pub(super) fn owed_factor(&self, user: &User) -> Result<Option<OwedFactor>, Error> {
        let mode = self.settings.mfa.mode;
        if mode == MfaMode::Off {
            return Ok(None);
        }
        let factors = Factors::read(user)?;
        let usable = self.usable_factors(user, &factors);
        let wanted: Vec<_> = usable.iter().copied().filter(|factor| factors.preference(*factor).enabled).collect();
        // A factor that he wants and can not be asked for must not fall away: any other, or none.
        let lapsed = self.settings.mfa.sms && factors.sms.enabled && wanted.is_empty();
        let asked = if wanted.is_empty() && (mode == MfaMode::On || lapsed) { usable } else { wanted };
        if let Some(first) = asked.iter().find(|factor| factors.preference(**factor).preferred) {
            return Ok(Some(OwedFactor::One(*first)));
        }
        Ok(match asked.as_slice() {
            [] => {
                let can = self.factors_to_set_up(user, &factors);
                (mode == MfaMode::On || lapsed || !can.is_empty()).then_some(OwedFactor::Setup(can))
            }
            [one] => Some(OwedFactor::One(*one)),
            _ => Some(OwedFactor::Choice(asked)),
        })
    }

    /// The factors of the pool that the user can be asked for as he is now.
    fn usable_factors(&self, user: &User, factors: &Factors) -> Vec<Factor> {
        let rules = &self.settings.mfa;
        let usable = |factor: &Factor| match factor {
            Factor::Sms => rules.sms && self.reach(user, Contact::PhoneNumber).is_some(),
            Factor::SoftwareToken => rules.software_token && factors.software_token.is_some(),
            Factor::Email => rules.email && self.reach(user, Contact::Email).is_some(),
        };
        Factor::ALL.into_iter().filter(usable).collect()
    }

    /// What a user without a usable factor can make one. Where factors are optional that is the address that he wants
    /// codes at and has not proven: else a change of address would turn the factor off.
    fn factors_to_set_up(&self, user: &User, factors: &Factors) -> Vec<Factor> {
        let rules = &self.settings.mfa;
        if rules.mode == MfaMode::On {
            let own = [(rules.software_token, Factor::SoftwareToken), (rules.email, Factor::Email)];
            return own.into_iter().filter_map(|(has, factor)| has.then_some(factor)).collect();
        }
        let lapsed = rules.email && factors.email.enabled && user.email.is_some();
        if lapsed { vec![Factor::Email] } else { Vec::new() }
    }

    /// Whether a code at this contact may be what a user is asked for; also where that can not be told.
    pub(super) fn owes_code_at(&self, user: &User, contact: Contact) -> bool {
        let at = match contact {
            Contact::Email => Factor::Email,
            Contact::PhoneNumber => Factor::Sms,
        };
        match self.owed_factor(user) {
            Ok(Some(OwedFactor::One(factor))) => factor == at,
            Ok(Some(OwedFactor::Choice(factors))) => factors.contains(&at),
            Ok(Some(OwedFactor::Setup(_)) | None) => false,
            Err(_) => true,
        }
    }

    /// Whether a user who owes a factor may set this one up.
    pub(super) fn may_set_up(&self, user: &User, factor: Factor) -> Result<bool, Error> {
        Ok(match self.owed_factor(user)? {
            Some(OwedFactor::Setup(can)) => can.contains(&factor),
            Some(OwedFactor::One(_) | OwedFactor::Choice(_)) | None => false,
        })
    }

    /// Says which factors a user wants to be asked for; those that are not named stay as they are.
    ///
    /// Errors: `InvalidParameter` and `Rule` when he can not be asked for one, `UserNotFound`, `Unavailable`.
    pub async fn prefer_factors(&self, sub: Uuid, wanted: &[(Factor, Preference)]) -> Result<(), Error> {
        if wanted.iter().filter(|(_, preference)| preference.enabled && preference.preferred).count() > 1 {
            return Err(Rule::Form("Only one factor can be preferred.").into());
        }
        self.change_user(sub, |user| {
            let mut factors = Factors::read(user)?;
            for (factor, preference) in wanted {
                if preference.enabled {
                    self.can_be_asked(user, &factors, *factor)?;
                }
                factors.prefer(*factor, *preference);
            }
            factors.write(user)
        })
        .await
        .map(drop)
    }

    fn can_be_asked(&self, user: &User, factors: &Factors, factor: Factor) -> Result<(), Error> {
        let rules = &self.settings.mfa;
        match factor {
            Factor::SoftwareToken if factors.software_token.is_none() => {
                Err(Error::invalid("User", "has not verified software token mfa"))
            }
            Factor::Email if !rules.email => Err(Rule::Form("The user pool has no second factor by email.").into()),
            Factor::Sms if !rules.sms => Err(Rule::Form("The user pool has no second factor by SMS.").into()),
            Factor::Email if self.reach(user, Contact::Email).is_none() => {
                Err(Rule::Form("User does not have delivery config set to turn on EMAIL_OTP").into())
            }
            Factor::Sms if self.reach(user, Contact::PhoneNumber).is_none() => {
                Err(Rule::Form("User does not have delivery config set to turn on SMS_MFA").into())
            }
            Factor::Sms | Factor::SoftwareToken | Factor::Email => Ok(()),
        }
    }

    /// Takes a user's authenticator application from him. Errors: `UserNotFound`, `Unavailable`.
    pub async fn delete_software_token(&self, sub: Uuid) -> Result<(), Error> {
        self.change_user(sub, |user| {
            let mut factors = Factors::read(user)?;
            (factors.software_token, factors.told) = (None, None);
            factors.prefer(Factor::SoftwareToken, Preference::default());
            factors.write(user)
        })
        .await
        .map(drop)
    }
}

//! A new address that waits for its proof, where the pool wants it proven before it counts (Cognito's
//! AttributesRequireVerificationBeforeUpdate): until then the old one stays. It is kept with the code that proves it.

use serde::{Deserialize, Serialize};

use super::Pool;
use super::attribute::{NamedValues, Party};
use super::code::CodeFor;
use super::delivery::Delivery;
use super::message::Via;
use super::name::EmailAddress;
use super::settings::Contact;
use crate::error::{Error, Rule};
use crate::store::directory::User;
use crate::store::tokens::{Challenge, ChallengeKey, Purpose};

/// What the code of a new address is about.
#[derive(Serialize, Deserialize)]
struct NewAddress {
    email: String,
}

/// A change of attributes: what is written at once, and the address that waits.
pub(super) struct Change {
    pub(super) now: NamedValues,
    pub(super) later: Option<EmailAddress>,
}

impl Pool {
    /// What of these values waits. An administrator who says that the address is proven need not prove it.
    pub(super) fn change_of(
        &self,
        user: &User,
        party: Party<'_>,
        values: &[(String, String)],
    ) -> Result<Change, Error> {
        let value =
            |wanted: &str| values.iter().rev().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
        let vouched = matches!(party, Party::Administrator)
            && value("email_verified").is_some_and(|proven| proven.eq_ignore_ascii_case("true"));
        let address = value("email").filter(|email| {
            !vouched && !email.is_empty() && self.settings.verify_before_update.contains(&Contact::Email)
        });
        let address = address.map(EmailAddress::parse).transpose()?;
        let later = address.filter(|address| user.email_key.as_ref() != Some(&address.key));
        let waits = |name: &str| later.is_some() && matches!(name, "email" | "email_verified");
        let now = values.iter().filter(|(name, _)| !waits(name)).cloned().collect();
        Ok(Change { now, later })
    }

    /// Writes what of a change does not wait; the user as he is then.
    pub(super) async fn write_change(&self, user: &User, party: Party<'_>, change: &Change) -> Result<User, Error> {
        if let Some(address) = &change.later
            && !self.is_free(user, address).await?
        {
            return Err(Rule::AliasTaken("given email").into());
        }
        if change.now.is_empty() { Ok(user.clone()) } else { self.write_as(user, party, &change.now).await }
    }

    /// Whether no other is called by an address: where users are called by theirs, it is never free for a second.
    pub(super) async fn is_free(&self, user: &User, address: &EmailAddress) -> Result<bool, Error> {
        let tried = User { email: Some(address.shown.clone()), email_key: Some(address.key.clone()), ..user.clone() };
        let tried = User { email_verified: false, ..tried };
        if !self.aliases_of(&tried).is_some_and(|aliases| aliases.contains(&address.key)) {
            return Ok(true);
        }
        let holder = self.ports.directory.user_by_login(self.id(), "", &address.key).await?;
        Ok(holder.is_none_or(|holder| holder.sub == user.sub))
    }

    /// Keeps a new address together with the code that proves it, in place of any that waited, and mails the code to it.
    pub(super) async fn ask_for_address(
        &self,
        about: CodeFor,
        via: Via<'_>,
        user: &User,
        address: &EmailAddress,
    ) -> Result<Delivery, Error> {
        let key = self.code_key(Purpose::AddressCode, user.sub);
        let payload = self.seal_about(&key, &NewAddress { email: address.shown.clone() })?;
        let code = self.new_code(about)?;
        let mail = self.secret_mail(&address.shown, user, &about.secret(&code), via).await?;
        let expires_at = self.put_code(about, via, user.sub, Some(user), (&code, Some(payload))).await?;
        self.outbox.enqueue(Some(&mail), expires_at).await?;
        Ok(Delivery::to(&address.shown))
    }

    /// The address of a user that waits for its proof. Looking at it is no guess: a new code follows.
    pub(super) async fn waiting_address(&self, user: &User) -> Result<Option<EmailAddress>, Error> {
        let key = self.code_key(Purpose::AddressCode, user.sub);
        let found = self.ports.tokens.attempt_challenge(&key, self.now()).await?;
        found.map_or(Ok(None), |found| self.address_of(&key, &found))
    }

    /// The new address that a code proves; none where it proves the present one.
    pub(super) fn address_of(&self, key: &ChallengeKey, challenge: &Challenge) -> Result<Option<EmailAddress>, Error> {
        let Some(sealed) = &challenge.payload else { return Ok(None) };
        let about: Option<NewAddress> = self.open_about(key, Some(sealed));
        let about = about.ok_or_else(|| Error::internal("a new address is not what was sealed"))?;
        EmailAddress::parse(&about.email).map(Some)
    }
}

/// Makes an address the user's, proven.
pub(super) fn become_address(user: &mut User, address: &EmailAddress) {
    user.email = Some(address.shown.clone());
    user.email_key = Some(address.key.clone());
    user.email_verified = true;
}

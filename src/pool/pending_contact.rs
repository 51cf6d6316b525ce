//! A new contact that waits for its proof, where the pool wants it proven before it counts (Cognito's
//! AttributesRequireVerificationBeforeUpdate): until then the old one stays. It is kept with the code that proves it.

use serde::{Deserialize, Serialize};

use super::Pool;
use super::attribute::{NamedValues, Party};
use super::code::{CodeFor, NewCode};
use super::delivery::Delivery;
use super::destination::{Admitted, Destination, key_of};
use super::message::Via;
use super::settings::Contact;
use crate::error::{Error, Rule};
use crate::store::directory::User;
use crate::store::tokens::{Challenge, ChallengeKey};

/// What the code of a new contact is about.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NewContact {
    Email(String),
    PhoneNumber(String),
}

/// A change of attributes: what is written at once, and the contacts that wait.
pub(super) struct Change {
    pub(super) now: NamedValues,
    pub(super) later: Vec<Destination>,
}

impl Pool {
    /// What of these values waits. An administrator who says that a contact is proven need not prove it.
    pub(super) fn change_of(
        &self,
        user: &User,
        party: Party<'_>,
        values: &[(String, String)],
    ) -> Result<Change, Error> {
        let waiting = self.settings.verify_before_update.iter();
        let waiting = waiting.filter_map(|contact| new_contact(user, party, *contact, values).transpose());
        let later: Vec<Destination> = waiting.collect::<Result<_, _>>()?;
        let waits = |name: &str| later.iter().any(|to| name == to.contact.as_str() || name == to.contact.flag());
        let now = values.iter().filter(|(name, _)| !waits(name)).cloned().collect();
        Ok(Change { now, later })
    }

    /// Writes what of a change does not wait; the user as he is then.
    pub(super) async fn write_change(&self, user: &User, party: Party<'_>, change: &Change) -> Result<User, Error> {
        for to in &change.later {
            if !self.is_free(user, to).await? {
                return Err(Rule::AliasTaken(match to.contact {
                    Contact::Email => "given email",
                    Contact::PhoneNumber => "given phone_number",
                })
                .into());
            }
        }
        if change.now.is_empty() { Ok(user.clone()) } else { self.write_as(user, party, &change.now).await }
    }

    /// Whether no other is called by a contact: where users are called by theirs, it is never free for a second.
    pub(super) async fn is_free(&self, user: &User, to: &Destination) -> Result<bool, Error> {
        let mut tried = user.clone();
        to.become_proven(&mut tried);
        (tried.email_verified, tried.phone_verified) = (false, false);
        if !self.aliases_of(&tried).is_some_and(|aliases| aliases.contains(&to.key)) {
            return Ok(true);
        }
        let holder = self.ports.directory.user_by_login(self.id(), "", &to.key).await?;
        Ok(holder.is_none_or(|holder| holder.sub == user.sub))
    }

    /// Keeps a new contact together with the code that proves it, in place of any that waited, and sends the code to it.
    pub(super) async fn ask_for_contact(
        &self,
        about: CodeFor,
        via: Via<'_>,
        user: &User,
        to: &Admitted,
    ) -> Result<Delivery, Error> {
        let key = self.code_key(about.purpose, user.sub);
        let new = match to.contact {
            Contact::Email => NewContact::Email(to.shown.clone()),
            Contact::PhoneNumber => NewContact::PhoneNumber(to.shown.clone()),
        };
        let payload = Some(self.seal_about(&key, &new)?);
        let code = self.new_code(about)?;
        let message = self.secret_message(to, user, &about.secret(&code), via).await?;
        let present = key_of(user, to.contact).unwrap_or_default();
        let new = NewCode { account: user.sub, version: user.version, bound_to: present, text: &code, payload };
        let expires_at = self.put_code(about, via, new).await?;
        self.outbox.enqueue(Some(&message), expires_at).await?;
        Ok(Delivery::to(&to.shown))
    }

    /// The contact of a user that waits for its proof. Looking at it is no guess: a new code follows.
    pub(super) async fn waiting_contact(&self, user: &User, contact: Contact) -> Result<Option<Destination>, Error> {
        let key = self.code_key(CodeFor::proof_of(contact).purpose, user.sub);
        let found = self.ports.tokens.attempt_challenge(&key, self.now()).await?;
        found.map_or(Ok(None), |found| self.waited_for(&key, &found))
    }

    /// The new contact that a code proves; none where it proves the present one.
    pub(super) fn waited_for(&self, key: &ChallengeKey, challenge: &Challenge) -> Result<Option<Destination>, Error> {
        let Some(sealed) = &challenge.payload else { return Ok(None) };
        let about: Option<NewContact> = self.open_about(key, Some(sealed));
        match about.ok_or_else(|| Error::internal("a new contact is not what was sealed"))? {
            NewContact::Email(address) => Destination::parse(Contact::Email, &address).map(Some),
            NewContact::PhoneNumber(number) => Destination::parse(Contact::PhoneNumber, &number).map(Some),
        }
    }
}

/// The value of a contact that these values would make another one, unless an administrator vouches for it.
fn new_contact(
    user: &User,
    party: Party<'_>,
    contact: Contact,
    values: &[(String, String)],
) -> Result<Option<Destination>, Error> {
    let value = |wanted: &str| values.iter().rev().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let vouched = matches!(party, Party::Administrator)
        && value(contact.flag()).is_some_and(|proven| proven.eq_ignore_ascii_case("true"));
    let given = value(contact.as_str()).filter(|given| !vouched && !given.is_empty());
    let to = given.map(|given| Destination::parse(contact, given)).transpose()?;
    Ok(to.filter(|to| !to.is_of(user)))
}

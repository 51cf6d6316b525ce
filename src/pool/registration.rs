//! Registering as Cognito has it: a user, a code that is sent to him, the confirmation by it; and who owns an alias that
//! two claim.

use std::net::IpAddr;

use super::attribute::{Life, NamedValues, Party};
use super::code::CodeFor;
use super::delivery::{Delivery, has};
use super::destination::{Admitted, Destination};
use super::message::Via;
use super::settings::Contact;
use super::sign_up_trigger::ForHooks;
use super::user::own_names;
use super::{Client, Metadata, Pool};
use crate::error::{Error, Rule};
use crate::store::directory::{User, UserStatus};
use crate::store::tokens::{Answer, Purpose};

/// Times that an alias is moved again when somebody else claims it meanwhile.
const MOVES: u32 = 3;

/// A registration.
pub struct Registration<'a> {
    /// The name, or the contact where users are called by theirs.
    pub username: &'a str,
    /// The password; it must fit the policy. None only where users may do without.
    pub password: Option<&'a str>,
    /// The attributes.
    pub attributes: NamedValues,
    /// For the triggers.
    pub told: ForHooks<'a>,
}

/// What became of a registration.
pub struct Registered {
    /// The user, unconfirmed unless a trigger vouched for him.
    pub user: User,
    /// Where the code was sent, if one was.
    pub delivery: Option<Delivery>,
}

/// The answer to the code of a registration.
pub struct SignUpCode<'a> {
    /// Whose registration.
    pub username: &'a str,
    /// The code.
    pub code: &'a str,
    /// Whether a contact that is another user's alias becomes his.
    pub take_alias: bool,
    /// For the triggers.
    pub metadata: Option<&'a Metadata>,
}

impl Pool {
    /// Registers an unconfirmed user, and sends a code where the pool wants a contact of his proven. Where no message can
    /// be kept there is no user either, so that the same call succeeds later.
    ///
    /// Errors: `Rule`, `InvalidParameter`, `InvalidPassword`, `UserExists`, `TooManyRequests`, `Hook`, `Unavailable`.
    pub async fn register_by_code(
        &self,
        client: &Client,
        draft: Registration<'_>,
        source: IpAddr,
    ) -> Result<Registered, Error> {
        let mut user = self.registrant(client, &draft)?;
        self.count_source(source).await?;
        self.pre_sign_up(&client.id, &mut user, draft.told).await?;
        let confirmed = user.status == UserStatus::Confirmed;
        let contact = if confirmed { None } else { self.to_prove(|contact| has(&user, contact))? };
        let to = match contact.and_then(|contact| Destination::of(&user, contact)) {
            Some(to) => Some(self.admit_typed(to).await?),
            None => None,
        };
        let user = self.make_registrant(user, draft.password).await?;
        if confirmed {
            self.post_sign_up(Some(&client.id), &user, draft.told.metadata).await?;
        }
        match to {
            Some(to) => self.ask_to_confirm(client, user, &to, draft.told.metadata).await,
            None => Ok(Registered { user, delivery: None }),
        }
    }

    /// Whom a registration would make.
    fn registrant(&self, client: &Client, draft: &Registration<'_>) -> Result<User, Error> {
        if !self.settings.self_sign_up {
            return Err(Rule::NoSignUp.into());
        }
        let mut user = self.named_user(draft.username)?;
        let named = (user.email.clone(), user.phone.clone());
        user.status = UserStatus::Unconfirmed;
        self.write_attributes(&mut user, Party::Owner(client), Life::New, &draft.attributes)?;
        self.check_called(&user, &named)?;
        self.check_required(&user)?;
        match draft.password {
            Some(password) => self.settings.password_policy.check(password, &own_names(&user))?,
            None if self.settings.passwordless() => {}
            None => return Err(Rule::Form("Missing required parameter Password").into()),
        }
        Ok(user)
    }

    async fn make_registrant(&self, mut user: User, password: Option<&str>) -> Result<User, Error> {
        if let Some(password) = password {
            user.keep(&self.keep_password(&user.username, password).await?);
        }
        user.aliases = self.aliases_of(&user);
        self.create_or_take(&user, false).await
    }

    async fn ask_to_confirm(
        &self,
        client: &Client,
        user: User,
        to: &Admitted,
        metadata: Option<&Metadata>,
    ) -> Result<Registered, Error> {
        let via = Via { client: Some(&client.id), metadata };
        match self.send_code(CodeFor::SIGN_UP, via, user.sub, Some((&user, to))).await {
            Ok(()) => Ok(Registered { delivery: Some(Delivery::to(&to.shown)), user }),
            Err(error) => {
                self.ports.directory.delete_user(self.id(), user.sub).await?;
                Err(error)
            }
        }
    }

    /// Where users are called by a contact, the attributes may not say another one.
    pub(super) fn check_called(&self, user: &User, named: &(Option<String>, Option<String>)) -> Result<(), Error> {
        let (email, phone) = named;
        let other = (email.is_some() && user.email != *email) || (phone.is_some() && user.phone != *phone);
        if other {
            Err(Rule::Form("The attributes must have the contact that is the username.").into())
        } else {
            Ok(())
        }
    }

    /// Sends another code that confirms a registration; the one before is worth nothing. A name that means nobody is
    /// answered alike where existence is hidden.
    ///
    /// Errors: `UserNotFound` (existence shown), `Rule`, `TooManyRequests`, `Hook`, `Unavailable`.
    pub async fn resend_code(
        &self,
        client: &Client,
        username: &str,
        source: IpAddr,
        metadata: Option<&Metadata>,
    ) -> Result<Delivery, Error> {
        let via = Via { client: Some(&client.id), metadata };
        let login = self.find_login(username).await?;
        self.count_mail(login.account, source).await?;
        let Some(user) = login.user.filter(|user| self.may_be_told_of(client, user)) else {
            if !self.hides_existence(client) {
                return Err(Error::UserNotFound);
            }
            let seen = self.seeming_delivery(username, &self.proven_contacts());
            self.admit_asked(true, (login.account, seen.contact), None).await?;
            self.send_code(CodeFor::SIGN_UP_AGAIN, via, login.account, None).await?;
            return Ok(seen);
        };
        if user.status != UserStatus::Unconfirmed {
            return Err(Rule::AlreadyConfirmed.into());
        }
        let to = self.sign_up_contact(&user)?.ok_or(Error::NoVerifiedAddress)?;
        let seen = Delivery::to(&to.shown);
        let to = self.admit_asked(self.hides_existence(client), (user.sub, to.contact), Some(to)).await?;
        self.send_code(CodeFor::SIGN_UP_AGAIN, via, user.sub, to.as_ref().map(|to| (&user, to))).await?;
        Ok(seen)
    }

    /// Where the code of a registration goes: also one that is asked for where the pool wants no proof.
    fn sign_up_contact(&self, user: &User) -> Result<Option<Destination>, Error> {
        let contact = match self.to_prove(|contact| has(user, contact))? {
            None if user.email.is_none() && self.ports.texts => Contact::PhoneNumber,
            contact => contact.unwrap_or(Contact::Email),
        };
        Ok(Destination::of(user, contact))
    }

    /// The contacts that registrations prove, in the order in which they are tried.
    fn proven_contacts(&self) -> Vec<Contact> {
        let proves = |contact: &Contact| self.to_prove(|has| has == *contact).is_ok_and(|proven| proven.is_some());
        [Contact::PhoneNumber, Contact::Email].into_iter().filter(proves).collect()
    }

    /// Confirms a registration by its code, which proves the contact it went to. A contact that is another user's
    /// alias already stays his, unless `take_alias`: then he loses the proof of it (K09).
    ///
    /// Errors: `UserNotFound` (existence shown), `Rule`, `CodeMismatch`, `CodeExpired`, `TooManyRequests`, `Hook`,
    /// `Unavailable`.
    pub async fn confirm_by_code(
        &self,
        client: &Client,
        answer: SignUpCode<'_>,
        source: IpAddr,
    ) -> Result<User, Error> {
        let SignUpCode { username, code, take_alias, metadata } = answer;
        let login = self.find_login(username).await?;
        self.count_source(source).await?;
        let account = login.user.as_ref().map_or(login.account, |user| user.sub);
        let Some(user) = login.user.filter(|user| self.may_be_told_of(client, user)) else {
            return Err(if self.hides_existence(client) { Error::CodeExpired } else { Error::UserNotFound });
        };
        still_to_confirm(&user)?;
        let to = self.sign_up_contact(&user).ok().flatten();
        let bound_to = to.as_ref().map_or("", |to| &to.key);
        let challenge = match self.answer_code(Purpose::SignUpCode, account, bound_to, code).await? {
            Answer::Right(challenge) => challenge,
            Answer::Wrong => return Err(Error::CodeMismatch),
            Answer::Unknown => return Err(Error::CodeExpired),
        };
        let to = to.ok_or(Error::CodeExpired)?;
        let confirmed = self.confirm_proven(&user, &to, take_alias).await;
        let key = self.code_key(Purpose::SignUpCode, account);
        if let Err(Error::Rule(Rule::AliasTaken(_))) = confirmed {
            // The same code may come again, to take the alias.
            self.ports.tokens.put_challenge(&key, &challenge).await?;
        }
        let confirmed = self.or_put_back(&key, &challenge, confirmed).await?;
        self.forgive_source(source).await?;
        self.post_sign_up(Some(&client.id), &confirmed, metadata).await?;
        Ok(confirmed)
    }

    /// Whether it may be told that this user is confirmed already: where people register themselves, SignUp tells who
    /// exists; elsewhere that would (D01).
    fn may_be_told_of(&self, client: &Client, user: &User) -> bool {
        user.status == UserStatus::Unconfirmed || self.settings.self_sign_up || !self.hides_existence(client)
    }

    async fn confirm_proven(&self, user: &User, to: &Destination, take_alias: bool) -> Result<User, Error> {
        let prove = |now: &mut User| {
            still_to_confirm(now)?;
            if !to.is_of(now) {
                return Err(Error::CodeExpired);
            }
            now.status = UserStatus::Confirmed;
            to.become_proven(now);
            Ok(())
        };
        for _ in 0..MOVES {
            match self.change_user(user.sub, prove).await {
                Err(Error::UserExists) if take_alias => self.free_alias(to).await?,
                Err(Error::UserExists) => break,
                outcome => return outcome,
            }
        }
        Err(Rule::AliasTaken(to.contact.as_str()).into())
    }

    /// Takes the proof of a contact from whoever has it as an alias.
    pub(super) async fn free_alias(&self, alias: &Destination) -> Result<(), Error> {
        let is_proven = |user: &User| match alias.contact {
            Contact::Email => user.email_verified,
            Contact::PhoneNumber => user.phone_verified,
        };
        let holder = self.ports.directory.user_by_login(self.id(), "", &alias.key).await?;
        let Some(holder) = holder.filter(is_proven) else { return Ok(()) };
        let free = |user: &mut User| {
            match alias.contact {
                Contact::Email => user.email_verified &= !alias.is_of(user),
                Contact::PhoneNumber => user.phone_verified &= !alias.is_of(user),
            }
            Ok(())
        };
        self.change_user(holder.sub, free).await.map(drop)
    }

    /// Confirms a registration on an administrator's word, which proves no address. Errors: `UserNotFound`, `Rule`,
    /// `Hook`, `Unavailable`.
    pub async fn confirm_by_administrator(&self, name: &str, metadata: Option<&Metadata>) -> Result<(), Error> {
        let user = self.find_user(name).await?;
        let confirm = |user: &mut User| {
            still_to_confirm(user)?;
            user.status = UserStatus::Confirmed;
            Ok(())
        };
        let user = self.change_user(user.sub, confirm).await?;
        self.post_sign_up(None, &user, metadata).await
    }
}

fn still_to_confirm(user: &User) -> Result<(), Error> {
    if user.status == UserStatus::Unconfirmed { Ok(()) } else { Err(Rule::NotToConfirm(user.status.as_str()).into()) }
}

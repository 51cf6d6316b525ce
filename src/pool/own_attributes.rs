//! What a user changes about himself with his access token: his attributes, and the proof of his address by a code.

use std::net::IpAddr;

use super::attribute::{Life, Party};
use super::code::CodeFor;
use super::delivery::{Delivery, NO_SMS};
use super::message::Via;
use super::name::EmailAddress;
use super::pending_address::become_address;
use super::settings::Contact;
use super::{Caller, Client, Metadata, Pool};
use crate::error::{Error, Rule};
use crate::store::directory::User;
use crate::store::tokens::{Answer, Purpose};

impl Pool {
    /// The client that a caller's token was given to.
    pub fn client_of(&self, caller: &Caller) -> Result<&Client, Error> {
        self.client(&caller.claims.client_id)
    }

    /// Changes the caller's own attributes; a new address is proven by a code where the pool wants it so.
    ///
    /// Errors: `Rule`, `InvalidParameter`, `TooManyRequests`, `Hook` (the attributes are changed all the same),
    /// `Unavailable`.
    pub async fn update_own_attributes(
        &self,
        caller: &Caller,
        values: &[(String, String)],
        source: IpAddr,
        metadata: Option<&Metadata>,
    ) -> Result<Vec<Delivery>, Error> {
        let client = self.client_of(caller)?;
        let mut tried = caller.user.clone();
        self.write_attributes(&mut tried, Party::Owner(client), Life::Present, values)?;
        let mail = self.to_prove(|contact| gives(&caller.user, &tried, contact))?;
        if let Some(address) = tried.email.as_deref().filter(|_| mail) {
            self.count_mail(caller.user.sub, source).await?;
            self.count_mail_to(&EmailAddress::parse(address)?).await?;
        }
        let change = self.change_of(&caller.user, Party::Owner(client), values)?;
        let user = self.write_change(&caller.user, Party::Owner(client), &change).await?;
        let via = Via { client: Some(&client.id), metadata };
        if let Some(address) = change.later {
            return Ok(vec![self.ask_for_address(CodeFor::NEW_ADDRESS, via, &caller.user, &address).await?]);
        }
        if !mail {
            return Ok(Vec::new());
        }
        self.send_code(CodeFor::NEW_ADDRESS, via, user.sub, Some(&user)).await?;
        Ok(user.email.as_deref().map(Delivery::to).into_iter().collect())
    }

    /// Takes attributes of the caller's own away. Errors: `Rule`, `Unavailable`.
    pub async fn remove_own_attributes(&self, caller: &Caller, names: &[String]) -> Result<(), Error> {
        let client = self.client_of(caller)?;
        let delete = |user: &mut User| self.delete_attributes(user, Party::Owner(client), names);
        self.change_user(caller.user.sub, delete).await.map(drop)
    }

    /// Mails a code that proves the caller's address: the new one, while one waits for its proof.
    ///
    /// Errors: `InvalidParameter` for what is no contact or not there, `Rule`, `TooManyRequests`, `Hook`,
    /// `Unavailable`.
    pub async fn send_address_code(
        &self,
        caller: &Caller,
        name: &str,
        source: IpAddr,
        metadata: Option<&Metadata>,
    ) -> Result<Delivery, Error> {
        if name == Contact::PhoneNumber.as_str() {
            return self.send_number_code(caller, source, metadata).await;
        }
        contact(name)?;
        let user = &caller.user;
        self.count_mail(user.sub, source).await?;
        let via = Via { client: Some(&caller.claims.client_id), metadata };
        if let Some(address) = self.waiting_address(user).await? {
            self.count_mail_to(&address).await?;
            return self.ask_for_address(CodeFor::ADDRESS, via, user, &address).await;
        }
        let address = user.email.as_deref().ok_or(Rule::Form("The user has no email address."))?;
        self.send_code(CodeFor::ADDRESS, via, user.sub, Some(user)).await?;
        Ok(Delivery::to(address))
    }

    /// Proves the caller's address by a code. One that waited for this becomes his.
    ///
    /// Errors: `CodeMismatch`, `CodeExpired`, `Rule` when it is another user's alias, `TooManyRequests`, `Unavailable`.
    pub async fn prove_address_by_code(
        &self,
        caller: &Caller,
        name: &str,
        code: &str,
        source: IpAddr,
    ) -> Result<(), Error> {
        if name == Contact::PhoneNumber.as_str() && self.ports.texts {
            return self.prove_number(caller, code, source).await;
        }
        contact(name)?;
        let user = &caller.user;
        self.count_source(source).await?;
        let challenge = match self.answer_code(Purpose::AddressCode, user.sub, Some(user), code).await? {
            Answer::Right(challenge) => challenge,
            Answer::Wrong => return Err(Error::CodeMismatch),
            Answer::Unknown => return Err(Error::CodeExpired),
        };
        let key = self.code_key(Purpose::AddressCode, user.sub);
        let waited = self.address_of(&key, &challenge)?;
        let prove = |now: &mut User| {
            match &waited {
                _ if now.email_key != user.email_key => return Err(Error::CodeExpired),
                Some(address) => become_address(now, address),
                None if now.email.is_none() => return Err(Error::CodeExpired),
                None => now.email_verified = true,
            }
            Ok(())
        };
        let proven = self.change_user(user.sub, prove).await;
        match self.or_put_back(&key, &challenge, proven).await {
            Err(Error::UserExists) => Err(Rule::AliasTaken("email").into()),
            Err(error) => Err(error),
            Ok(proven) => {
                self.tell_old_address(user, &proven).await;
                self.forgive_source(source).await
            }
        }
    }
}

/// Whether a change gives the user a contact that he has not proven.
fn gives(before: &User, after: &User, contact: Contact) -> bool {
    match contact {
        Contact::Email => after.email.is_some() && after.email_key != before.email_key,
        Contact::PhoneNumber => after.phone.is_some() && after.phone != before.phone,
    }
}

/// What can be proven: a number only where text messages are sent.
fn contact(name: &str) -> Result<(), Error> {
    match name {
        "email" => Ok(()),
        "phone_number" => Err(NO_SMS.into()),
        _ => Err(Rule::Form("Only email and phone_number can be verified.").into()),
    }
}

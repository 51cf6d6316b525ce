//! What a user changes about himself with his access token: his attributes, and the proof of his address by a code.

use std::net::IpAddr;

use super::attribute::{Life, Party};
use super::code::CodeFor;
use super::delivery::{Delivery, NO_SMS};
use super::name::EmailAddress;
use super::settings::Contact;
use super::{Caller, Client, Pool};
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
    /// Errors: `Rule`, `InvalidParameter`, `TooManyRequests`, `Unavailable`.
    pub async fn update_own_attributes(
        &self,
        caller: &Caller,
        values: &[(String, String)],
        source: IpAddr,
    ) -> Result<Vec<Delivery>, Error> {
        let client = self.client_of(caller)?;
        let mut tried = caller.user.clone();
        self.write_attributes(&mut tried, Party::Owner(client), Life::Present, values)?;
        let mail = self.to_prove(|contact| gives(&caller.user, &tried, contact))?;
        if let Some(address) = tried.email.as_deref().filter(|_| mail) {
            self.count_mail(caller.user.sub, source).await?;
            self.count_mail_to(&EmailAddress::parse(address)?).await?;
        }
        let user = self.write_as(&caller.user, Party::Owner(client), values).await?;
        if !mail {
            return Ok(Vec::new());
        }
        self.send_code(CodeFor::ADDRESS, &client.id, user.sub, Some(&user)).await?;
        Ok(user.email.as_deref().map(Delivery::to).into_iter().collect())
    }

    /// Takes attributes of the caller's own away. Errors: `Rule`, `Unavailable`.
    pub async fn remove_own_attributes(&self, caller: &Caller, names: &[String]) -> Result<(), Error> {
        let client = self.client_of(caller)?;
        let delete = |user: &mut User| self.delete_attributes(user, Party::Owner(client), names);
        self.change_user(caller.user.sub, delete).await.map(drop)
    }

    /// Mails a code that proves the caller's address.
    ///
    /// Errors: `InvalidParameter` for what is no contact or not there, `Rule`, `TooManyRequests`, `Unavailable`.
    pub async fn send_address_code(&self, caller: &Caller, name: &str, source: IpAddr) -> Result<Delivery, Error> {
        if name == Contact::PhoneNumber.as_str() {
            return self.send_number_code(caller, source).await;
        }
        contact(name)?;
        let user = &caller.user;
        let address = user.email.as_deref().ok_or(Rule::Form("The user has no email address."))?;
        self.count_mail(user.sub, source).await?;
        self.send_code(CodeFor::ADDRESS, &caller.claims.client_id, user.sub, Some(user)).await?;
        Ok(Delivery::to(address))
    }

    /// Proves the caller's address by a code.
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
        let prove = |now: &mut User| {
            if now.email_key != user.email_key || now.email.is_none() {
                return Err(Error::CodeExpired);
            }
            now.email_verified = true;
            Ok(())
        };
        let proven = self.change_user(user.sub, prove).await;
        let key = self.code_key(Purpose::AddressCode, user.sub);
        match self.or_put_back(&key, &challenge, proven).await {
            Err(Error::UserExists) => Err(Rule::AliasTaken("email").into()),
            Err(error) => Err(error),
            Ok(_) => self.forgive_source(source).await,
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

/// Only an address is proven here.
fn contact(name: &str) -> Result<(), Error> {
    match name {
        "email" => Ok(()),
        "phone_number" => Err(NO_SMS.into()),
        _ => Err(Rule::Form("Only email and phone_number can be verified.").into()),
    }
}

//! What a user changes about himself with his access token: his attributes, and the proof of a contact by a code.

use std::net::IpAddr;

use super::attribute::{Life, Party};
use super::code::CodeFor;
use super::delivery::{Delivery, NO_SMS};
use super::destination::{Destination, key_of};
use super::limit::Asker;
use super::message::Via;
use super::settings::Contact;
use super::{Caller, Client, Metadata, Pool};
use crate::error::{Error, Rule};
use crate::store::directory::User;
use crate::store::tokens::Answer;

impl Pool {
    /// The client that a caller's token was given to.
    pub fn client_of(&self, caller: &Caller) -> Result<&Client, Error> {
        self.client(&caller.claims.client_id)
    }

    /// Changes the caller's own attributes; a new contact is proven by a code where the pool wants it so.
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
        let given = self.settings.auto_verify.iter().filter_map(|contact| Destination::of(&tried, *contact));
        let given: Vec<Destination> = given.filter(|to| !to.is_of(&caller.user)).collect();
        if !given.is_empty() {
            self.count_mail(caller.user.sub, source).await?;
        }
        let mut admitted = Vec::new();
        for to in given {
            admitted.push(self.admit_typed(to).await?);
        }
        let change = self.change_of(&caller.user, Party::Owner(client), values)?;
        let user = self.write_change(&caller.user, Party::Owner(client), &change).await?;
        let via = Via { client: Some(&client.id), metadata };
        let mut sent = Vec::new();
        for to in &admitted {
            let about = CodeFor::proof_of_new(to.contact);
            if change.later.contains(to) {
                self.ask_for_contact(about, via, &user, to).await?;
            } else {
                self.send_code(about, via, user.sub, Some((&user, to))).await?;
            }
            sent.push(Delivery::to(&to.shown));
        }
        Ok(sent)
    }

    /// Takes attributes of the caller's own away. Errors: `Rule`, `Unavailable`.
    pub async fn remove_own_attributes(&self, caller: &Caller, names: &[String]) -> Result<(), Error> {
        let client = self.client_of(caller)?;
        let delete = |user: &mut User| self.delete_attributes(user, Party::Owner(client), names);
        self.change_user(caller.user.sub, delete).await.map(drop)
    }

    /// Sends a code that proves the caller's contact: the new one, while one waits for its proof.
    ///
    /// Errors: `Rule` for what is no contact or not there, or where no text messages are sent, `TooManyRequests`, `Hook`,
    /// `Unavailable`.
    pub async fn send_contact_code(
        &self,
        caller: &Caller,
        name: &str,
        source: IpAddr,
        metadata: Option<&Metadata>,
    ) -> Result<Delivery, Error> {
        let contact = self.provable(name)?;
        let user = &caller.user;
        self.count_mail(user.sub, source).await?;
        let (about, via) = (CodeFor::proof_of(contact), Via { client: Some(&caller.claims.client_id), metadata });
        if let Some(to) = self.waiting_contact(user, contact).await? {
            let to = self.admit_typed(to).await?;
            return self.ask_for_contact(about, via, user, &to).await;
        }
        let to = Destination::of(user, contact).ok_or(Rule::Form(match contact {
            Contact::Email => "The user has no email address.",
            Contact::PhoneNumber => "The user has no phone number.",
        }))?;
        let to = self.admit(to, Asker::Anybody).await?;
        self.send_code(about, via, user.sub, Some((user, &to))).await?;
        Ok(Delivery::to(&to.shown))
    }

    /// Proves the caller's contact by a code. One that waited for this becomes his.
    ///
    /// Errors: `CodeMismatch`, `CodeExpired`, `Rule` when it is another user's alias, `TooManyRequests`, `Unavailable`.
    pub async fn prove_contact(&self, caller: &Caller, name: &str, code: &str, source: IpAddr) -> Result<(), Error> {
        let contact = self.provable(name)?;
        let (user, purpose) = (&caller.user, CodeFor::proof_of(contact).purpose);
        self.count_source(source).await?;
        let present = key_of(user, contact).unwrap_or_default();
        let challenge = match self.answer_code(purpose, user.sub, present, code).await? {
            Answer::Right(challenge) => challenge,
            Answer::Wrong => return Err(Error::CodeMismatch),
            Answer::Unknown => return Err(Error::CodeExpired),
        };
        let key = self.code_key(purpose, user.sub);
        let proven = self.become_his(user, contact, self.waited_for(&key, &challenge)?).await;
        let proven = self.or_put_back(&key, &challenge, proven).await?;
        self.tell_old_address(user, &proven).await;
        self.forgive_source(source).await
    }

    /// Makes a contact a user's, proven: the one that waited, else the one he has. He has another by now: no.
    async fn become_his(&self, user: &User, contact: Contact, waited: Option<Destination>) -> Result<User, Error> {
        let prove = |now: &mut User| {
            if key_of(now, contact) != key_of(user, contact) {
                return Err(Error::CodeExpired);
            }
            let present = || Destination::of(now, contact);
            waited.clone().or_else(present).ok_or(Error::CodeExpired)?.become_proven(now);
            Ok(())
        };
        match self.change_user(user.sub, prove).await {
            Err(Error::UserExists) => Err(Rule::AliasTaken(contact.as_str()).into()),
            proven => proven,
        }
    }

    /// What can be proven: a number only where text messages are sent.
    fn provable(&self, name: &str) -> Result<Contact, Error> {
        match name {
            "email" => Ok(Contact::Email),
            "phone_number" if self.ports.texts => Ok(Contact::PhoneNumber),
            "phone_number" => Err(NO_SMS.into()),
            _ => Err(Rule::Form("Only email and phone_number can be verified.").into()),
        }
    }
}

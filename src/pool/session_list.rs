//! A user's sessions one by one: listed under names of Cognito's form, and ended by them.

use uuid::Uuid;

use super::page::Page;
use super::session::of_this_epoch;
use super::{Pool, User};
use crate::clock::Timestamp;
use crate::error::{Error, Kind, Rule};
use crate::store::tokens::{Session, SessionKey};

/// What sessions that yield tokens are called by; there are no others.
const PREFIX: &str = "tkn";
/// Digits to the base of 36 that hold every UUID.
const DIGITS: usize = 25;
const BASE: u32 = 36;
/// Sessions on a page, as Cognito has it.
const PAGE: usize = 125;

/// The name of a session, `tkn` and 25 digits and lower-case letters: its id, which every token of it tells, and which
/// opens nothing.
pub fn session_name(id: Uuid) -> String {
    let mut rest = id.as_u128();
    let mut digits: Vec<char> = Vec::with_capacity(DIGITS);
    for _ in 0..DIGITS {
        let digit = u32::try_from(rest % u128::from(BASE)).unwrap_or_default();
        digits.push(char::from_digit(digit, BASE).unwrap_or_default());
        rest /= u128::from(BASE);
    }
    PREFIX.chars().chain(digits.into_iter().rev()).collect()
}

/// The id of a session of this name, in its one spelling.
fn session_id(name: &str) -> Option<Uuid> {
    let number = u128::from_str_radix(name.strip_prefix(PREFIX)?, BASE).ok()?;
    Some(Uuid::from_u128(number)).filter(|id| session_name(*id) == name)
}

impl Pool {
    /// A page of a user's live sessions, latest sign-in first. Errors: `InvalidParameter` when the token was not given
    /// for this list, `Unavailable`.
    pub async fn session_page(&self, user: &User, token: Option<&str>) -> Result<Page<Session>, Error> {
        let sub = user.sub.to_string();
        let query = ["sessions", sub.as_str()];
        let after: Option<(Timestamp, Uuid)> = self.position(&query, token)?;
        let mut found = self.sessions_of(user).await?;
        let order = |(auth_time, id)| (std::cmp::Reverse(auth_time), id);
        found.retain(|session| after.is_none_or(|after| order(place(session)) > order(after)));
        self.cut(found, PAGE, &query, place)
    }

    /// When a session was last used, if that is known: where refresh tokens do not rotate, it is not kept.
    pub fn last_use(&self, session: &Session) -> Option<Timestamp> {
        let rotates = self.client(&session.client).is_ok_and(|client| client.rotation.is_some());
        (rotates || session.refreshes == 0).then_some(session.rotated_at)
    }

    /// Ends one session of a user, at once and for good; his others go on. `own` is the session of a caller who may not
    /// end his own: signing out is for that.
    ///
    /// Errors: `NotFound(Session)` for what is none of the user's live ones, `Rule`, `Unavailable`.
    pub async fn end_session_called(&self, user: &User, name: &str, own: Option<Uuid>) -> Result<(), Error> {
        let id = session_id(name).ok_or(Error::NotFound(Kind::Session))?;
        if own == Some(id) {
            return Err(Rule::Form("The session of the access token can not be revoked by it.").into());
        }
        let key = SessionKey { pool: self.id().to_owned(), user: user.sub, id };
        let found = self.ports.tokens.session(&key, self.now()).await?;
        let session = found.filter(|found| of_this_epoch(user, found)).ok_or(Error::NotFound(Kind::Session))?;
        self.end_for_good(&key, session.expires_at.until(self.now()), "revoked").await
    }
}

fn place(session: &Session) -> (Timestamp, Uuid) {
    (session.auth_time, session.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_cognitos_form_and_leads_back_to_its_id() {
        for id in [Uuid::nil(), Uuid::max(), Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)] {
            let name = session_name(id);
            assert_eq!((name.len(), session_id(&name)), (28, Some(id)), "{name}");
        }
        let other = session_name(Uuid::nil());
        for name in
            [&other.replace("tkn", "sso"), &other.to_uppercase(), "tkn", "tknzzzzzzzzzzzzzzzzzzzzzzzzz", &other[..27]]
        {
            assert_eq!(session_id(name), None, "{name}");
        }
        assert_eq!(session_id("tkn+000000000000000000000000"), None);
    }
}

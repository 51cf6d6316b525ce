//! The refresh token: opaque to clients, `session, user and device . generation . tag`, never stored.

use uuid::Uuid;

use super::{Pool, Terms};
use crate::crypto::{self, MacKey};
use crate::store::tokens::{Session, SessionKey};

/// Longest text worth looking at; ours are about 90 characters.
const LONGEST: usize = 256;

/// What a refresh token says, once its tag is right.
pub(super) struct RefreshToken {
    pub(super) user: Uuid,
    pub(super) session: Uuid,
    pub(super) generation: u64,
    /// The device that it is good on; none: on any.
    pub(super) device: Option<Uuid>,
}

impl RefreshToken {
    /// The token that is current in `session`.
    pub(super) fn current(session: &Session) -> Self {
        Self { user: session.user, session: session.id, generation: session.generation, device: session.device }
    }

    /// The text. The tag covers the client and whom the token is bound to, so that another's token is garbage before
    /// the store is asked.
    pub(super) fn encode(&self, key: &MacKey, terms: Terms<'_>) -> String {
        let device = self.device.as_ref().map(Uuid::as_bytes);
        let ids = [Some(self.session.as_bytes()), Some(self.user.as_bytes()), device];
        let ids = ids.into_iter().flatten().copied().collect::<Vec<_>>().concat();
        format!("{}.{}.{}", crypto::encode(ids), self.generation, crypto::encode(self.tag(key, terms)))
    }

    /// Reads a text; `None` for anything that is not a token of ours on these terms, in its one spelling.
    pub(super) fn decode(key: &MacKey, terms: Terms<'_>, text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut parts = text.split('.');
        let (ids, generation, tag) = (parts.next()?, parts.next()?, parts.next()?);
        let ids = crypto::decode(ids)?;
        let (session, rest) = ids.split_at_checked(16)?;
        let (user, device) = rest.split_at_checked(16)?;
        let device = Some(device).filter(|device| !device.is_empty());
        let token = Self {
            session: Uuid::from_slice(session).ok()?,
            user: Uuid::from_slice(user).ok()?,
            generation: generation.parse().ok()?,
            device: device.map(Uuid::from_slice).transpose().ok()?,
        };
        let canonical = parts.next().is_none() && token.generation.to_string() == generation;
        (canonical && crypto::same(&token.tag(key, terms), &crypto::decode(tag)?)).then_some(token)
    }

    fn tag(&self, key: &MacKey, terms: Terms<'_>) -> [u8; 32] {
        let generation = self.generation.to_be_bytes();
        let mut parts =
            vec![self.session.as_bytes().as_slice(), self.user.as_bytes(), &generation, terms.client.id.as_bytes()];
        // Bound to nobody has no part of its own: the tokens that are out already stay good.
        parts.extend(Some(terms.bound_to.as_bytes()).filter(|bound_to| !bound_to.is_empty()));
        if let Some(device) = &self.device {
            parts.extend([b"device".as_slice(), device.as_bytes()]);
        }
        key.tag(&parts)
    }

    /// Where its session is found.
    pub(super) fn key(&self, pool: &Pool) -> SessionKey {
        SessionKey { pool: pool.id().to_owned(), user: self.user, id: self.session }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::crypto::RootSecret;
    use crate::pool::Client;

    #[test]
    fn a_token_that_is_bound_to_nobody_is_what_it_always_was() {
        let key = RootSecret::new([7; 32]).mac_key("refresh", "us-east-1_Sample000").unwrap();
        let client = Client::new("sample".to_owned(), String::new(), String::new(), Timestamp(0));
        let terms = Terms::from(&client);
        let token = RefreshToken { session: Uuid::from_u128(1), user: Uuid::from_u128(2), generation: 3, device: None };
        // Computed apart from this code, as the tag was before tokens could be bound.
        let text = "AAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAI.3.a4lnWhhqBFuGbWXnIk3SLNF4HlxdFLDm4mplicrJ8tI";
        assert_eq!(token.encode(&key, terms), text);
        assert!(RefreshToken::decode(&key, terms, text).is_some());
        assert!(RefreshToken::decode(&key, Terms { bound_to: "7", ..terms }, text).is_none());
    }

    #[test]
    fn a_token_says_which_device_it_is_good_on_and_can_not_be_made_to_say_another() {
        let key = RootSecret::new([7; 32]).mac_key("refresh", "us-east-1_Sample000").unwrap();
        let client = Client::new("sample".to_owned(), String::new(), String::new(), Timestamp(0));
        let terms = Terms::from(&client);
        let device = Some(Uuid::from_u128(4));
        let token = RefreshToken { session: Uuid::from_u128(1), user: Uuid::from_u128(2), generation: 3, device };
        let text = token.encode(&key, terms);
        assert_eq!(RefreshToken::decode(&key, terms, &text).unwrap().device, device);
        let (ids, rest) = text.split_once('.').unwrap();
        let ids = crypto::decode(ids).unwrap();
        for changed in [&ids[..32], &[&ids[..32], &[0; 16]].concat(), &ids[..40], &ids[..16]] {
            let text = format!("{}.{rest}", crypto::encode(changed));
            assert!(RefreshToken::decode(&key, terms, &text).is_none(), "{text}");
        }
    }
}

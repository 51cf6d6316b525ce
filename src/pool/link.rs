//! Mailed links: a random handle of 256 bits that works for one purpose, one app client and a while. The store knows
//! only a digest of the handle, and what the link is about only sealed.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Client, Pool};
use crate::crypto;
use crate::error::Error;
use crate::outbound::mail::{LinkMail, LinkText};
use crate::store::directory::User;
use crate::store::tokens::{Challenge, ChallengeKey, Purpose};

/// How long delivery of a mail without a link is tried.
const NOTICE_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Where a link leads, and for how long.
#[derive(Clone, Copy)]
pub struct LinkTo<'a> {
    /// The app client that it is made for; no other takes it.
    pub client: &'a Client,
    /// The page whose address is completed by the token (`https://…/?token=`); without one the mail has the token.
    pub page: Option<&'a str>,
    /// How long it works.
    pub life: Duration,
}

/// A link that was found alive.
pub(super) struct Link<T> {
    pub(super) key: ChallengeKey,
    pub(super) challenge: Challenge,
    pub(super) about: T,
}

/// What the link of an invitation is about.
#[derive(Serialize, Deserialize)]
pub(super) struct Invited {
    /// The address, as addresses are compared.
    pub(super) email_key: String,
    pub(super) organization: i64,
}

/// Who gets a mail about a link, and what it says of him.
pub(super) struct Recipient<'a> {
    pub(super) address: &'a str,
    pub(super) username: &'a str,
    pub(super) organization: &'a str,
}

impl Pool {
    /// Keeps a new link; answers its token. `user` is a made-up sub where there is none.
    pub(super) async fn put_link<T: Serialize + Sync>(
        &self,
        link: &LinkTo<'_>,
        purpose: Purpose,
        user: Uuid,
        about: &T,
    ) -> Result<String, Error> {
        let token = crypto::encode(self.ports.random.bytes::<32>()?);
        let key = self.link_key(purpose, &token);
        let challenge = Challenge {
            client: link.client.id.clone(),
            user,
            user_version: 0,
            expires_at: self.now().plus(link.life),
            // Nobody guesses 256 bits, and a link must survive whoever looks at it.
            attempts_left: u32::MAX,
            answer: None,
            payload: Some(self.seal_about(&key, about)?),
        };
        self.ports.tokens.put_challenge(&key, &challenge).await?;
        Ok(token)
    }

    /// The link of a token, which stays alive. `LinkInvalid` when there is none of this purpose and client.
    pub(super) async fn read_link<T: DeserializeOwned>(
        &self,
        client: &Client,
        purpose: Purpose,
        token: &str,
    ) -> Result<Link<T>, Error> {
        let key = self.link_key(purpose, token);
        let found = self.ports.tokens.attempt_challenge(&key, self.now()).await?;
        let challenge = found.filter(|found| found.client == client.id).ok_or(Error::LinkInvalid)?;
        let about = self.open_about(&key, challenge.payload.as_deref()).ok_or(Error::LinkInvalid)?;
        Ok(Link { key, challenge, about })
    }

    /// Takes a link away. `LinkInvalid` for all but one caller.
    pub(super) async fn consume_link<T: Sync>(&self, link: &Link<T>) -> Result<(), Error> {
        let taken = self.ports.tokens.consume_challenge(&link.key, self.now()).await?;
        if taken { Ok(()) } else { Err(Error::LinkInvalid) }
    }

    /// Passes on how an action ended that took a link or a code. If nothing was changed, because a store was away or
    /// others were faster, the proof lives on, so that the same call succeeds later; so it does for another password
    /// than one that was used, of which as many can be tried as wrong codes.
    pub(super) async fn or_put_back<T: Send>(
        &self,
        key: &ChallengeKey,
        challenge: &Challenge,
        outcome: Result<T, Error>,
    ) -> Result<T, Error> {
        if outcome.as_ref().is_err_and(Error::is_undecided) {
            // It was no attempt.
            let again = Challenge { attempts_left: challenge.attempts_left.saturating_add(1), ..challenge.clone() };
            self.ports.tokens.put_challenge(key, &again).await?;
        } else if matches!(outcome, Err(Error::PasswordUsed)) {
            self.ports.tokens.put_challenge(key, challenge).await?;
        }
        outcome
    }

    /// Mails a link, no longer than it works; without a recipient everything happens but the mail.
    pub(super) async fn mail_link(
        &self,
        link: &LinkTo<'_>,
        kind: LinkMail,
        token: &str,
        to: Option<Recipient<'_>>,
    ) -> Result<(), Error> {
        let page = link.page.map(|page| format!("{page}{token}"));
        let mail = to.map(|Recipient { address, username, organization }| {
            let text = LinkText { username, link: page.as_deref(), token, organization, valid_for: link.life };
            self.ports.templates.link(kind, address, &text)
        });
        self.outbox.enqueue(mail.transpose()?.as_ref(), self.now().plus(link.life)).await
    }

    /// Mails something about links that has none.
    pub(super) async fn mail_notice(&self, kind: LinkMail, to: Recipient<'_>) -> Result<(), Error> {
        let Recipient { address, username, organization } = to;
        let text = LinkText { username, link: None, token: "", organization, valid_for: NOTICE_LIFE };
        let mail = self.ports.templates.link(kind, address, &text)?;
        self.outbox.enqueue(Some(&mail), self.now().plus(NOTICE_LIFE)).await
    }

    /// What a link remembers of the user's present password, so that it dies with it.
    pub(super) fn password_state(&self, user: Option<&User>) -> String {
        let sub = user.map(|user| user.sub).unwrap_or_default();
        let password = user.and_then(|user| user.password.as_deref()).unwrap_or_default();
        crypto::encode(self.secrets.link_state.tag(&[sub.as_bytes(), password.as_bytes()]))
    }

    fn link_key(&self, purpose: Purpose, token: &str) -> ChallengeKey {
        // A dump of the store must not hold links that work.
        let subject = crypto::encode(self.secrets.link.tag(&[purpose.as_str().as_bytes(), token.as_bytes()]));
        ChallengeKey { pool: self.id().to_owned(), purpose, subject }
    }

    /// What a link or a code is about, sealed for where it is kept.
    pub(super) fn seal_about<T: Serialize>(&self, key: &ChallengeKey, about: &T) -> Result<String, Error> {
        let plain = serde_json::to_vec(about).map_err(Error::internal)?;
        Ok(crypto::encode(self.secrets.link_content.seal(&self.ports.random, key.subject.as_bytes(), &plain)?))
    }

    pub(super) fn open_about<T: DeserializeOwned>(&self, key: &ChallengeKey, sealed: Option<&str>) -> Option<T> {
        let plain = self.secrets.link_content.open(key.subject.as_bytes(), &crypto::decode(sealed?)?)?;
        serde_json::from_slice(&plain).ok()
    }
}

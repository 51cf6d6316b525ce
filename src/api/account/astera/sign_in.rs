//! Signing in with a password of ours or of the foreign directory, and what a token is good for afterwards.

use actix_web::web::Bytes;

use super::reply::Reply;
use super::request::Fields;
use super::{Call, Fault};
use crate::error::Error;
use crate::pool::Proven;

/// What both ways of signing in are given.
struct Credentials<'a> {
    user: &'a str,
    password: &'a str,
    remember_me: bool,
}

impl<'a> Credentials<'a> {
    fn from(fields: &'a Fields) -> Result<Self, Error> {
        let (user, password) = (fields.text("user")?, fields.text("password")?);
        Ok(Self { user, password, remember_me: fields.flag("rememberMe")? })
    }
}

impl Call<'_> {
    pub(super) async fn login(&self, body: Bytes) -> Result<Reply, Fault> {
        let fields = self.fields(body).await?;
        let given = Credentials::from(&fields)?;
        let proven = self.pool.prove(self.client, given.user, given.password, self.source()).await?;
        self.let_in(&proven, given.remember_me).await
    }

    pub(super) async fn login_ad_user(&self, body: Bytes) -> Result<Reply, Fault> {
        let fields = self.fields(body).await?;
        let given = Credentials::from(&fields)?;
        let proven = self.pool.prove_external(self.client, given.user, given.password, self.source());
        let proven = proven.await?;
        self.let_in(&proven, given.remember_me).await
    }

    async fn let_in(&self, proven: &Proven, remember_me: bool) -> Result<Reply, Fault> {
        let tokens = self.pool.tokens_at_once(self.terms(remember_me), proven).await?;
        Reply::signed_in(self.pool, proven.user(), &tokens)
    }

    /// Ends the caller's session, and that of a refresh token that comes along, should it be another: who says goodbye
    /// with it does not expect it to live on.
    pub(super) async fn logout(&self, body: Bytes) -> Result<Reply, Fault> {
        let caller = self.caller().await?;
        let fields = self.fields(body).await?;
        if let Some(token) = fields.optional_token("refresh_token")? {
            self.pool.revoke(self.terms(true), token).await.map_err(not_a_refresh_token)?;
        }
        self.pool.sign_out(&caller).await?;
        Reply::success()
    }

    pub(super) async fn check_access(&self) -> Result<Reply, Fault> {
        let caller = self.caller().await?;
        let left = caller.claims.exp.saturating_sub(self.api.ports.clock.now().seconds());
        Reply::access(&caller.user, left)
    }
}

/// It is a field that is wrong, not the caller's own token.
fn not_a_refresh_token(error: Error) -> Error {
    if matches!(error, Error::TokenInvalid) {
        Error::invalid("refresh_token", "is not a refresh token of this service.")
    } else {
        error
    }
}

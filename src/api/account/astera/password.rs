//! A password changed by who knows it, and reset by who has lost it.

use actix_web::web::Bytes;

use super::reply::Reply;
use super::{Call, Fault, page_with};
use crate::error::Error;

impl Call<'_> {
    /// Answers the same whether or not somebody has that name, also in a pool that says so elsewhere: this API's page
    /// knows no other answer.
    pub(super) async fn forgot_password(&self, body: Bytes) -> Result<Reply, Fault> {
        let fields = self.fields(body).await?;
        let name = fields.text("user")?;
        let page = self.api.config.astera.reset_url.as_ref();
        let page = page.map(|page| page_with(page.as_str(), &[("user", name)], "token"));
        match self.pool.forgot_password_link(&self.link(page.as_deref()), name, self.source()).await {
            Ok(_) => Reply::success(),
            Err(error) if tells_of_existence(&error) => Reply::success(),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn verify_reset_token(&self, body: Bytes) -> Result<Reply, Fault> {
        let fields = self.fields(body).await?;
        let (name, token) = (fields.optional_text("user")?, fields.token("token")?);
        let user = self.pool.check_reset_link(self.client, name, token).await?;
        Reply::valid_reset(&user)
    }

    pub(super) async fn reset_password(&self, body: Bytes) -> Result<Reply, Fault> {
        let fields = self.fields(body).await?;
        let (name, token) = (fields.optional_text("user")?, fields.token("token")?);
        let password = fields.text("newPassword")?;
        self.pool.reset_password_link(self.client, name, token, password, self.source()).await?;
        Reply::success()
    }

    pub(super) async fn change_password(&self, body: Bytes) -> Result<Reply, Fault> {
        let token = self.bearer()?;
        let fields = self.fields(body).await?;
        let current = match (fields.has("currentPassword"), fields.has("oldPassword")) {
            (true, true) => {
                return Err(Error::invalid("oldPassword", "must not be given beside currentPassword.").into());
            }
            (false, true) => fields.text("oldPassword")?,
            (_, false) => fields.text("currentPassword")?,
        };
        self.pool.change_password(token, current, fields.text("newPassword")?, self.source()).await?;
        Reply::success()
    }
}

fn tells_of_existence(error: &Error) -> bool {
    matches!(error, Error::UserNotFound | Error::UserDisabled | Error::NoVerifiedAddress | Error::ResetNotAllowed)
}

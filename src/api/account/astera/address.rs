//! Addresses: confirmed by who was registered with one, and changed to another by its owner.

use actix_web::web::Bytes;

use super::reply::Reply;
use super::{Call, Fault, page_with};
use crate::error::Error;
use crate::pool::LinkTo;

impl Call<'_> {
    /// Our own page: the API answers a browser that follows the link.
    pub(super) fn confirmation_page(&self, username: &str) -> String {
        let page = format!("{}/api/account/confirmemail", self.api.config.public_url());
        page_with(&page, &[("user", username)], "code")
    }

    pub(super) fn link<'a>(&'a self, page: Option<&'a str>) -> LinkTo<'a> {
        LinkTo { client: self.client, page, life: *self.api.config.astera.link }
    }

    /// A mail scanner may follow the link before its reader: done twice it is done once.
    pub(super) async fn confirm_email(&self, body: Bytes) -> Result<Reply, Fault> {
        let fields = self.fields(body).await?;
        let name = match (fields.has("user"), fields.has("email")) {
            (true, true) => return Err(Error::invalid("user", "must not be given beside email.").into()),
            (true, false) => fields.text("user")?,
            (false, _) => fields.text("email")?,
        };
        self.pool.confirm_email(self.client, name, fields.token("code")?).await?;
        Reply::success()
    }

    pub(super) async fn request_email_change(&self, body: Bytes) -> Result<Reply, Fault> {
        let caller = self.caller().await?;
        let fields = self.fields(body).await?;
        let page = self.api.config.astera.email_url.as_ref().map(|page| page_with(page.as_str(), &[], "token"));
        let link = self.link(page.as_deref());
        self.pool.request_email_change(&link, &caller.user, fields.text("newEmail")?, self.source()).await?;
        Reply::success()
    }

    pub(super) async fn verify_email_change_token(&self, body: Bytes) -> Result<Reply, Fault> {
        let caller = self.caller().await?;
        let fields = self.fields(body).await?;
        let (address, token) = (fields.text("newEmail")?, fields.token("token")?);
        self.pool.check_email_change(self.client, &caller.user, address, token).await?;
        Reply::valid()
    }

    pub(super) async fn change_email(&self, body: Bytes) -> Result<Reply, Fault> {
        let caller = self.caller().await?;
        let fields = self.fields(body).await?;
        let (address, token) = (fields.text("newEmail")?, fields.token("token")?);
        let user = self.pool.change_email(self.client, &caller.user, address, token).await?;
        Reply::email_changed(&user)
    }
}

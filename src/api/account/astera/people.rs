//! Making users: with a password of ours, and of people whom the foreign directory knows.

use std::collections::BTreeMap;

use actix_web::web::Bytes;

use super::reply::Reply;
use super::request::Fields;
use super::{Call, Fault};
use crate::error::Error;
use crate::pool::{NewExternalUser, NewUser};

impl Call<'_> {
    /// The user may sign in at once; only the address is not believed before its mail was answered.
    pub(super) async fn register(&self, body: Bytes) -> Result<Reply, Fault> {
        self.needs_registrar().await?;
        let fields = self.fields(body).await?;
        let draft = new_user(&fields)?;
        let page = self.confirmation_page(&draft.username);
        let user = self.pool.create_user_to_confirm(&self.link(Some(&page)), draft).await?;
        Reply::registered(self.pool, &user)
    }

    pub(super) async fn register_ad_user(&self, body: Bytes) -> Result<Reply, Fault> {
        self.needs_registrar().await?;
        let fields = self.fields(body).await?;
        let draft = NewExternalUser {
            name: fields.text("user")?.to_owned(),
            email: fields.optional_text("email")?.map(str::to_owned),
            groups: fields.names("roles")?,
        };
        let user = self.pool.register_external_user(draft).await?;
        Reply::registered(self.pool, &user)
    }
}

fn new_user(fields: &Fields) -> Result<NewUser, Error> {
    let (name, email, password) = (fields.text("user")?, fields.text("email")?, fields.text("password")?);
    let mut attributes = BTreeMap::new();
    for (field, attribute) in [("firstName", "given_name"), ("lastName", "family_name")] {
        if let Some(value) = fields.optional_text(field)? {
            attributes.insert(attribute.to_owned(), value.to_owned());
        }
    }
    Ok(NewUser {
        email: Some(email.to_owned()),
        email_verified: false,
        attributes,
        groups: fields.names("roles")?,
        ..NewUser::new(name, password)
    })
}

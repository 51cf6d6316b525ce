//! What the Astera API answers when all went well.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;

use super::Fault;
use crate::error::Error;
use crate::pool::{Pool, Tokens, User};

/// A successful answer, as JSON.
pub(super) struct Reply(String);

#[derive(Serialize)]
struct Success {
    success: bool,
}

#[derive(Serialize)]
struct Registered<'a> {
    success: bool,
    id: i64,
    user: &'a str,
    email: Option<&'a str>,
}

#[derive(Serialize)]
struct SignedIn<'a> {
    access_token: &'a str,
    token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    user: Profile<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile<'a> {
    id: i64,
    user_name: &'a str,
    email: Option<&'a str>,
    roles: &'a [String],
}

#[derive(Serialize)]
struct ValidReset<'a> {
    valid: bool,
    user: &'a str,
}

#[derive(Serialize)]
struct Valid {
    valid: bool,
}

#[derive(Serialize)]
struct EmailChanged<'a> {
    success: bool,
    email: Option<&'a str>,
}

#[derive(Serialize)]
struct Access<'a> {
    authenticated: bool,
    user: &'a str,
    roles: &'a [String],
    expires_in: i64,
}

impl Reply {
    fn json(body: &impl Serialize) -> Result<Self, Fault> {
        Ok(Self(serde_json::to_string(body).map_err(Error::internal)?))
    }

    pub(super) fn success() -> Result<Self, Fault> {
        Self::json(&Success { success: true })
    }

    pub(super) fn registered(pool: &Pool, user: &User) -> Result<Self, Fault> {
        let email = user.email.as_deref();
        Self::json(&Registered { success: true, id: pool.public_id(user), user: &user.username, email })
    }

    /// `token` is what the product's page calls it, `access_token` what OAuth's libraries do.
    pub(super) fn signed_in(pool: &Pool, user: &User, tokens: &Tokens) -> Result<Self, Fault> {
        Self::json(&SignedIn {
            access_token: &tokens.access_token,
            token: &tokens.access_token,
            token_type: "Bearer",
            expires_in: tokens.expires_in,
            refresh_token: tokens.refresh_token.as_deref(),
            user: Profile {
                id: pool.public_id(user),
                user_name: &user.username,
                email: user.email.as_deref(),
                roles: &user.groups,
            },
        })
    }

    pub(super) fn valid_reset(user: &User) -> Result<Self, Fault> {
        Self::json(&ValidReset { valid: true, user: &user.username })
    }

    pub(super) fn valid() -> Result<Self, Fault> {
        Self::json(&Valid { valid: true })
    }

    pub(super) fn email_changed(user: &User) -> Result<Self, Fault> {
        Self::json(&EmailChanged { success: true, email: user.email.as_deref() })
    }

    pub(super) fn access(user: &User, expires_in: i64) -> Result<Self, Fault> {
        Self::json(&Access { authenticated: true, user: &user.username, roles: &user.groups, expires_in })
    }

    pub(super) fn into_response(self) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .content_type("application/json; charset=utf-8")
            .body(self.0)
    }
}

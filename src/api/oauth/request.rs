//! What the token endpoint reads: parameters (RFC 6749 §3.2), the grant, and who the client says it is (§2.3.1).

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::refusal::Refusal;
use crate::pool::is_custom;
use crate::pool::token::SIGN_IN_SCOPE;

/// The parameters that are given.
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads a form. A parameter that is there twice is a fault, one without a value is not given (§3.2).
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let mut given = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            if given.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Refusal::invalid_request("A parameter must not be given twice."));
            }
        }
        given.retain(|_, value| !value.is_empty());
        // No name, password or token has one; databases refuse it, and older hashes end at it (D10, D13).
        if given.values().any(|value| value.contains('\0')) {
            return Err(Refusal::invalid_request("A parameter must not contain NUL."));
        }
        Ok(Self(given))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn required(&self, name: &str) -> Result<String, Refusal> {
        self.get(name).map(str::to_owned).ok_or_else(|| Refusal::invalid_request(format!("{name} is required.")))
    }
}

/// What is asked for, and by what right.
pub(super) enum Grant {
    /// §4.3
    Password { username: String, password: String },
    /// §4.4
    ClientCredentials,
    /// §6
    RefreshToken(String),
}

impl Grant {
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        match parameters.required("grant_type")?.as_str() {
            "password" => Ok(Self::Password {
                username: parameters.required("username")?,
                password: parameters.required("password")?,
            }),
            "client_credentials" => Ok(Self::ClientCredentials),
            "refresh_token" => parameters.required("refresh_token").map(Self::RefreshToken),
            _ => Err(Refusal::unsupported_grant_type()),
        }
    }
}

/// The scopes that are asked for (§3.3); none where nothing is said.
pub(super) fn scopes(parameters: &Parameters) -> Vec<&str> {
    parameters.get("scope").unwrap_or_default().split(' ').filter(|scope| !scope.is_empty()).collect()
}

/// A scope that nobody has is refused before anybody is judged; those of resource servers a client may have for itself.
pub(super) fn check_scopes(scopes: &[&str], grant: &Grant) -> Result<(), Refusal> {
    let own = matches!(grant, Grant::ClientCredentials);
    let known = |scope: &&str| *scope == SIGN_IN_SCOPE || (own && is_custom(scope));
    if scopes.iter().all(known) { Ok(()) } else { Err(Refusal::invalid_scope()) }
}

/// Every token of a user has the one scope that there is for them; no other may be asked for.
pub(super) fn check_scopes_of_user(scopes: &[&str]) -> Result<(), Refusal> {
    if scopes.iter().all(|scope| *scope == SIGN_IN_SCOPE) { Ok(()) } else { Err(Refusal::invalid_scope()) }
}

/// Who the client says it is.
pub(super) struct Claim {
    pub(super) id: String,
    pub(super) secret: Option<String>,
    /// Whether the Authorization header says it: then a refusal names the scheme (§5.2).
    pub(super) by_header: bool,
}

impl Claim {
    pub(super) fn read(request: &HttpRequest, parameters: &Parameters) -> Result<Self, Refusal> {
        let mut headers = request.headers().get_all(header::AUTHORIZATION);
        let (id, secret) = (parameters.get("client_id"), parameters.get("client_secret"));
        match (headers.next(), headers.next()) {
            (Some(_), Some(_)) => Err(Refusal::invalid_request("Authorization must not be given twice.")),
            (Some(_), None) if secret.is_some() => {
                Err(Refusal::invalid_request("The client must authenticate in one way only."))
            }
            (Some(header), None) => {
                let claim = Self::basic(header).ok_or_else(|| Refusal::invalid_client(true))?;
                if id.is_some_and(|id| id != claim.id) {
                    return Err(Refusal::invalid_request("client_id is not the one of the Authorization header."));
                }
                Ok(claim)
            }
            (None, _) => {
                let id = id.ok_or_else(|| Refusal::invalid_client(false))?.to_owned();
                Ok(Self { id, secret: secret.map(str::to_owned), by_header: false })
            }
        }
    }

    /// HTTP Basic (RFC 7617) with both parts percent-encoded (§2.3.1). A `+` stays one: our secrets hold it and never
    /// a space, and many clients do not encode at all.
    fn basic(header: &HeaderValue) -> Option<Self> {
        let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (id, secret) = pair.split_once(':')?;
        let decoded = |part| percent_decode_str(part).decode_utf8().ok().filter(|text| !text.contains('\0'));
        let (id, secret) = (decoded(id)?.into_owned(), decoded(secret)?.into_owned());
        // An empty secret is none (§2.3.1).
        Some(Self { id, secret: Some(secret).filter(|secret| !secret.is_empty()), by_header: true })
    }
}

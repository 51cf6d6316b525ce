//! Settings of the native API, the account APIs and the token endpoint.

use serde::Deserialize;
use url::Url;

use super::value::{Period, Setting, Shown};

/// Which of the two APIs under `/api/account` answer there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountApi {
    /// Both; where they share a path, the keys of the body decide.
    Auto,
    /// The pm415 account API.
    Pm415,
    /// The Astera account API.
    Astera,
    /// None.
    Off,
}

settings! {
    /// Which of the APIs are served.
    Compat("compat.") {
        /// The native API under /v1.
        v1: bool = true;
        /// The account APIs under /api/account: auto (both), pm415, astera or off. With pm415 go /api/user and /api/org.
        account: AccountApi = AccountApi::Auto;
        /// The Amadis user API under /api/user/v1. /oauth/token goes with it, with Astera and with Cognito.
        amadis: bool = true;
        /// The Amazon Cognito API: POST /.
        cognito: bool = true;
    }
}

settings! {
    /// The native API.
    V1("v1.") {
        /// Id of the app client that /v1 speaks for. Empty: the client made at first start.
        client: Option<String> = None;
        /// Token pairs that one refresh token yields at most; 0 means no limit.
        max_access_tokens: u32 = 90;
    }
}

settings! {
    /// The pm415 account API.
    Pm415("pm415.") {
        /// Id of the app client it speaks for. Empty: one made for it.
        client: Option<String> = None;
        /// Life of its token, which no refresh follows.
        access_token: Period = Period::hours(7 * 24);
        /// Site that mailed links lead to (SITE/account/verify/?token=…). Empty: http.public_url.
        site: Option<Url> = None;
        /// Life of a mailed link.
        link: Period = Period::hours(24);
    }
}

settings! {
    /// The Astera account API.
    Astera("astera.") {
        /// Id of the app client it speaks for. Empty: one made for it.
        client: Option<String> = None;
        /// Life of an access token.
        access_token: Period = Period::hours(1);
        /// Life of a session with rememberMe; without, it ends with its access token.
        refresh_token: Period = Period::hours(30 * 24);
        /// Page of yours that takes ?user=…&token=… from a mail about a lost password. Empty: the mail has the token only.
        reset_url: Option<Url> = None;
        /// Page of yours that takes ?token=… from a mail about a new address. Empty: the mail has the token only.
        email_url: Option<Url> = None;
        /// Life of a mailed token.
        link: Period = Period::hours(24);
    }
}

settings! {
    /// The Amadis user API.
    Amadis("amadis.") {
        /// Id of the app client it speaks for. Empty: one made for it.
        client: Option<String> = None;
        /// Life of an access token.
        access_token: Period = Period::hours(1);
        /// Life of a session of the password grant.
        refresh_token: Period = Period::hours(30 * 24);
        /// Status for a wrong old password: 422, or 400 as the later version of its page has it.
        wrong_password_status: u32 = 422;
        /// Whether changing a password needs an access token besides the old password.
        change_needs_token: bool = true;
    }
}

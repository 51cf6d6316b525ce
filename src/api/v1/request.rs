//! The bodies that `/v1` reads and the limits of their fields.

use crate::api::field::{ANY_LENGTH, body};

body! {
    /// POST /v1/login
    Login { username: 1..=255, password: 1..=255 } -> (String, String)
}
body! {
    /// POST /v1/token-refresh
    TokenRefresh { username: 1..=255, refresh_token: ANY_LENGTH } -> (String, String)
}
body! {
    /// POST /v1/token-revoke
    TokenRevoke { refresh_token: ANY_LENGTH } -> String
}
body! {
    /// POST /v1/forgot-password
    ForgotPassword { username: 1..=255 } -> String
}
body! {
    /// POST /v1/forgot-password-confirm
    ForgotPasswordConfirm { username: 1..=255, password: 1..=255, confirmation_code: 1..=2048 } -> (String, String, String)
}
body! {
    /// POST /v1/change-password
    ChangePassword { access_token: ANY_LENGTH, previous_password: 6..=256, proposed_password: 6..=256 } -> (String, String, String)
}
body! {
    /// POST /v1/new-password-required
    NewPasswordRequired { username: 1..=255, session: ANY_LENGTH, new_password: 6..=255 } -> (String, String, String)
}

//! The bodies that the Amadis API reads and the limits of their fields.

use crate::api::field::body;

body! {
    /// POST /api/user/v1/register
    Register { name: 1..=255, email: 1..=128, password: 1..=256 } -> (String, String, String)
}
body! {
    /// PATCH /api/user/v1/changepassword
    ChangePassword { email: 1..=254, oldpassword: 1..=256, newpassword: 1..=256 } -> (String, String, String)
}
body! {
    /// PATCH or POST /api/user/v1/resetpassword
    ResetPassword { email: 1..=254 } -> String
}

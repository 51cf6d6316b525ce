//! What the mails of a test carry.

use super::TestApp;

impl TestApp {
    /// The one mail that is waiting, its lines whole again (RFC 2045 §6.7).
    pub async fn mail(&self) -> String {
        let mails = self.mails().await;
        let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
        mail.replace("=\r\n", "").replace("=3D", "=")
    }

    /// The token of the link in the one mail that is waiting.
    pub async fn mailed_token(&self) -> String {
        token_in(&self.mail().await).unwrap()
    }
}

/// 256 bits in base64url, on a line of their own or after `token=`.
pub fn token_in(mail: &str) -> Option<String> {
    let of_a_link = |line: &str| line.rsplit_once("token=").map_or(line, |(_, token)| token).trim().to_owned();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    mail.lines().map(of_a_link).find(|text| text.len() == 43 && text.bytes().all(plain))
}

//! Settings of text messages.

use serde::Deserialize;
use url::Url;

use super::hooks::Hooks;
use super::value::{Setting, Shown};

settings! {
    /// Text messages.
    Sms("sms.") {
        /// URL of your gateway, https:// or http:// on this machine; it gets messages as JSON, signed with hooks.signing_key. Empty: none are sent.
        url: Option<Url> = None;
    }
}

impl Sms {
    pub(super) fn check(&self, hooks: &Hooks, faults: &mut Vec<String>) {
        let Some(url) = &self.url else { return };
        if let Err(why) = super::hooks::callable(url) {
            faults.push(format!("sms.url: {why}"));
        }
        if hooks.signing_key.is_none() {
            faults.push(
                "hooks.signing_key_file: needed with sms.url; make one with `openssl rand -base64 32`".to_owned(),
            );
        }
    }
}

//! Faults in the settings of the account APIs.

use crate::config::{Config, Period};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Config {
    pub(super) fn check_accounts(&self, faults: &mut Vec<String>) {
        let Self { pm415, astera, amadis, .. } = self;
        for (name, value, least, most) in [
            ("pm415.access_token", pm415.access_token, 5 * MINUTE, 7 * DAY),
            ("pm415.link", pm415.link, MINUTE, 30 * DAY),
            ("astera.access_token", astera.access_token, 5 * MINUTE, 7 * DAY),
            ("astera.refresh_token", astera.refresh_token, HOUR, 3650 * DAY),
            ("astera.link", astera.link, MINUTE, 30 * DAY),
            ("amadis.access_token", amadis.access_token, 5 * MINUTE, 7 * DAY),
            ("amadis.refresh_token", amadis.refresh_token, HOUR, 3650 * DAY),
        ] {
            if !(least..=most).contains(&value.as_secs()) || value.subsec_nanos() > 0 {
                let (least, most) = (Period::seconds(least), Period::seconds(most));
                faults.push(format!("{name}: must be whole seconds, {least} to {most}"));
            }
        }
        for (api, access, refresh) in [
            ("astera", astera.access_token, astera.refresh_token),
            ("amadis", amadis.access_token, amadis.refresh_token),
        ] {
            if *refresh < *access {
                faults.push(format!("{api}.refresh_token: must not be shorter than {api}.access_token"));
            }
        }
        if !matches!(amadis.wrong_password_status, 422 | 400) {
            faults.push("amadis.wrong_password_status: must be 422 or 400".to_owned());
        }
        self.check_pages(faults);
    }

    /// Links in mails lead there, so they must be pages and nothing else.
    fn check_pages(&self, faults: &mut Vec<String>) {
        for (name, page) in [
            ("pm415.site", &self.pm415.site),
            ("astera.reset_url", &self.astera.reset_url),
            ("astera.email_url", &self.astera.email_url),
        ] {
            if page.as_ref().is_some_and(|page| !matches!(page.scheme(), "http" | "https")) {
                faults.push(format!("{name}: must be http:// or https://"));
            }
        }
    }
}

//! Faults in the settings of the account APIs and of the foreign directory.

use crate::config::{Config, Ldap, Period};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Config {
    pub(super) fn check_accounts(&self, faults: &mut Vec<String>) {
        let Self { pm415, astera, amadis, ldap, .. } = self;
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
        check_ldap(ldap, faults);
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

fn check_ldap(ldap: &Ldap, faults: &mut Vec<String>) {
    if let Some(url) = &ldap.url {
        if !matches!(url.scheme(), "ldap" | "ldaps") || url.host_str().is_none_or(str::is_empty) {
            faults.push("ldap.url: must be ldaps://HOST:PORT or ldap://HOST:PORT".to_owned());
        }
        if ldap.base_dn.is_empty() {
            faults.push("ldap.base_dn: needed with ldap.url".to_owned());
        }
    }
    if !ldap.user_filter.contains("{name}") {
        faults.push("ldap.user_filter: must contain {name}, or it finds somebody else".to_owned());
    }
    match (&ldap.bind_dn, &ldap.bind_password) {
        (Some(_), None) => faults.push("ldap.bind_password_file: needed with ldap.bind_dn".to_owned()),
        (Some(_), Some(password)) if password.expose().is_empty() => {
            faults.push("ldap.bind_password: must not be empty, a bind without password proves nothing".to_owned());
        }
        (None, Some(_)) => faults.push("ldap.bind_password: needs ldap.bind_dn".to_owned()),
        (Some(_), Some(_)) | (None, None) => {}
    }
    for entry in &*ldap.groups {
        let sides = entry.split_once('=');
        if sides.is_none_or(|(theirs, ours)| theirs.trim().is_empty() || ours.trim().is_empty()) {
            faults.push(format!("ldap.groups: `{entry}` must be DIRECTORY GROUP=POOL GROUP"));
        }
    }
}

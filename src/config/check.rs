//! What one setting alone cannot say: the faults of the tree as a whole.

mod accounts;

use super::{Config, Durability};

impl Config {
    /// Adds a line for everything that must not start.
    pub(super) fn check(&self, faults: &mut Vec<String>) {
        self.check_exposure(faults);
        self.check_urls(faults);
        self.check_numbers(faults);
        self.ldap.check(faults);
        self.hooks.check(faults);
        self.sms.check(&self.hooks, faults);
        self.check_accounts(faults);
        self.check_cognito(faults);
    }

    /// Outside loopback the development defaults would be a hole, so they are refused.
    fn check_exposure(&self, faults: &mut Vec<String>) {
        if self.http.listen.ip().is_loopback() {
            return;
        }
        if self.http.public_url.is_none() {
            faults.push(format!(
                "http.public_url: needed because http.listen is {}, outside loopback; set it to the URL your clients use",
                self.http.listen
            ));
        }
        if self.master_key.is_none() {
            faults.push(format!(
                "master_key_file: needed because http.listen is {}, outside loopback; make one with `openssl rand -base64 32`",
                self.http.listen
            ));
        }
    }

    fn check_urls(&self, faults: &mut Vec<String>) {
        if let Some(url) = &self.http.public_url
            && (!matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some())
        {
            faults.push("http.public_url: must be http:// or https:// without query and fragment".to_owned());
        }
        if self.http.certificate_file.is_some() != self.http.certificate_key_file.is_some() {
            faults.push("http.certificate_file and http.certificate_key_file: set both or neither".to_owned());
        }
        let directory = self.directory_url();
        if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| directory.starts_with(scheme)) {
            faults.push("directory.url: must start with sqlite: or postgres://".to_owned());
        }
        let tokens = self.tokens.url.expose();
        let schemes = ["redis://", "rediss://", "redis-sentinel://", "redis-cluster://"];
        if tokens != "sql" && !schemes.iter().any(|scheme| tokens.starts_with(scheme)) {
            faults
                .push("tokens.url: must be sql, redis://, rediss://, redis-sentinel:// or redis-cluster://".to_owned());
        }
        if tokens == "sql" && self.tokens.durability == Durability::Replicated {
            faults.push(
                "tokens.durability: replicated needs a Redis in tokens.url; beside the directory sessions last as it does"
                    .to_owned(),
            );
        }
        let mail = self.mail.url.expose();
        if mail != "file" && !["smtp://", "smtps://"].iter().any(|scheme| mail.starts_with(scheme)) {
            faults.push("mail.url: must be file, smtp:// or smtps://".to_owned());
        }
        if let Err(fault) = self.mail.from.parse::<lettre::message::Mailbox>() {
            faults.push(format!("mail.from: {fault}"));
        }
    }

    fn check_numbers(&self, faults: &mut Vec<String>) {
        let at_least_one = [
            ("http.body_limit", self.http.body_limit),
            ("http.max_connections", self.http.max_connections),
            ("directory.connections", usize::try_from(self.directory.connections).unwrap_or(usize::MAX)),
            ("limits.account_failures", usize::try_from(self.limits.account_failures).unwrap_or(usize::MAX)),
            ("limits.source_failures", usize::try_from(self.limits.source_failures).unwrap_or(usize::MAX)),
            ("limits.code_attempts", usize::try_from(self.limits.code_attempts).unwrap_or(usize::MAX)),
            ("limits.mails", usize::try_from(self.limits.mails).unwrap_or(usize::MAX)),
        ];
        for (name, value) in at_least_one {
            if value == 0 {
                faults.push(format!("{name}: must be at least 1"));
            }
        }
        if self.password.memory_kib < 8 * self.password.parallelism.max(1)
            || self.password.iterations == 0
            || self.password.parallelism == 0
        {
            faults.push(
                "password: memory_kib must be at least 8 per lane, iterations and parallelism at least 1".to_owned(),
            );
        }
    }
}

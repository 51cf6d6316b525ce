//! Settings of trigger webhooks.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;
use url::{Host, Url};

use super::value::{List, Period, Secret, Setting, Shown};

/// As many bits as the tag that is made with it.
const SHORTEST_KEY: usize = 32;
const LOCALHOST: &str = "localhost";

settings! {
    /// Trigger webhooks.
    Hooks("hooks.") {
        /// What stands for the Lambda functions of pools: NAME=URL or ARN=URL each. Nothing else is called. Empty: none.
        functions: List<String> = List(Vec::new());
        /// Networks inside which the host of such a URL may be found, such as 10.0.0.0/8; without them only public addresses.
        allowed_networks: List<IpNet> = List(Vec::new());
        /// Key that events are signed with, at least 32 characters, known to your hooks; needed with hooks.functions and sms.url.
        signing_key: Option<Secret> = None;
        /// File that holds hooks.signing_key.
        signing_key_file: Option<PathBuf> = None;
        /// PEM certificates to trust for TLS with hooks besides the public ones.
        ca_file: Option<PathBuf> = None;
        /// Longest time for one try of three.
        timeout: Period = Period::seconds(5);
    }
}

/// A function that pools may name, and the hook that stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name, or its whole ARN.
    pub name: String,
    /// The hook.
    pub url: Url,
}

impl Hooks {
    pub(super) fn check(&self, faults: &mut Vec<String>) {
        let mut names = BTreeSet::new();
        for entry in self.functions.iter() {
            // Not the whole entry: a URL may hold a secret.
            let name = entry.split_once('=').map_or(entry.as_str(), |(name, _)| name.trim());
            match function(entry) {
                Err(why) => faults.push(format!("hooks.functions: {name}: {why}")),
                Ok(_) if !names.insert(name) => faults.push(format!("hooks.functions: {name} stands there twice")),
                Ok(_) => {}
            }
        }
        self.check_key(faults);
        if self.timeout.is_zero() {
            faults.push("hooks.timeout: must be more than 0".to_owned());
        }
    }

    fn check_key(&self, faults: &mut Vec<String>) {
        let advice = "make one with `openssl rand -base64 32` and give it to your hooks";
        match &self.signing_key {
            None if !self.functions.is_empty() => {
                faults.push(format!("hooks.signing_key_file: needed with hooks.functions; {advice}"));
            }
            Some(key) if key.expose().len() < SHORTEST_KEY => {
                faults.push(format!("hooks.signing_key: must be at least {SHORTEST_KEY} characters; {advice}"));
            }
            None | Some(_) => {}
        }
    }

    /// The functions and their hooks.
    pub fn functions(&self) -> Vec<Function> {
        self.functions.iter().filter_map(|entry| function(entry).ok()).collect()
    }
}

fn function(entry: &str) -> Result<Function, &'static str> {
    let (name, url) = entry.split_once('=').ok_or("must be NAME=URL or ARN=URL")?;
    let name = name.trim();
    let is_name = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if name.is_empty() || !(is_name(name) || name.starts_with("arn:")) {
        return Err("must be NAME=URL or ARN=URL, the name of letters, digits, - and _");
    }
    let url = Url::parse(url.trim()).map_err(|_| "the URL can not be read")?;
    callable(&url)?;
    Ok(Function { name: name.to_owned(), url })
}

/// Whether a URL of the settings keeps what is sent to it to itself.
pub(super) fn callable(url: &Url) -> Result<(), &'static str> {
    let host = url.host().ok_or("the URL names no host")?;
    match url.scheme() {
        "https" => {}
        "http" if is_here(&host) => {}
        _ => return Err("the URL must be https://, or http:// on this machine"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL must not hold a user name or a password");
    }
    Ok(())
}

fn is_here(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == LOCALHOST,
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.to_ipv4_mapped().map_or(address.is_loopback(), |inner| inner.is_loopback()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // P14: an event goes over TLS, or stays on this machine.
    #[test]
    fn a_function_is_a_name_or_an_arn_and_a_url_that_can_be_called() {
        let read = |entry: &str| function(entry).map(|function| (function.name, function.url.to_string()));
        let of = |name: &str, url: &str| Ok((name.to_owned(), url.to_owned()));
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:pre-sign-up";
        for (entry, name, url) in [
            ("a-b_1=https://Hooks.Example.com/a?b=c", "a-b_1", "https://hooks.example.com/a?b=c"),
            (&format!("{arn}=https://hooks.example.com/"), arn, "https://hooks.example.com/"),
            (" a = http://127.1:9000 ", "a", "http://127.0.0.1:9000/"),
            ("a=http://localhost:9000/", "a", "http://localhost:9000/"),
            ("a=http://[::1]:9000/", "a", "http://[::1]:9000/"),
        ] {
            assert_eq!(read(entry), of(name, url), "{entry}");
        }
        for entry in [
            "",
            "a",
            "=https://a.test/",
            "a b=https://a.test/",
            "a=",
            "a=/path",
            "a=http://a.test/",
            "a=http://10.0.0.5/",
            "a=http://localhost.a.test/",
            "a=ftp://a.test/",
            "a=file:///etc/passwd",
            "a=https://u:p@a.test/",
        ] {
            assert!(read(entry).is_err(), "{entry}");
        }
    }

    #[test]
    fn functions_need_a_key_that_nobody_guesses() {
        let functions = List(vec!["a=https://a.test/?token=secret".to_owned(), "a=nonsense://secret".to_owned()]);
        let faults = |hooks: Hooks| {
            let mut faults = Vec::new();
            hooks.check(&mut faults);
            faults
        };
        let advice = "make one with `openssl rand -base64 32` and give it to your hooks";
        assert_eq!(
            faults(Hooks { functions: functions.clone(), ..Hooks::default() }),
            [
                "hooks.functions: a: the URL must be https://, or http:// on this machine".to_owned(),
                format!("hooks.signing_key_file: needed with hooks.functions; {advice}"),
            ]
        );
        let short = Hooks { signing_key: Some(Secret::new("short")), ..Hooks::default() };
        assert_eq!(faults(short), [format!("hooks.signing_key: must be at least 32 characters; {advice}")]);
        let twice = List(vec!["a=https://a.test/".to_owned(), "a=https://b.test/".to_owned()]);
        let key = Some(Secret::new("k".repeat(32)));
        assert_eq!(
            faults(Hooks { functions: twice, signing_key: key, ..Hooks::default() }),
            ["hooks.functions: a stands there twice"]
        );
        assert_eq!(faults(Hooks::default()), Vec::<String>::new());
    }
}

//! Every setting there is: its name, its default and what it does. Defaults < TOML file < environment
//! (`COGNATE__SECTION__KEY`); every secret can come from a file (`…_file`). Read once, checked whole.

mod check;
mod load;
mod value;

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;
use url::Url;

pub use accounts::{AccountApi, Amadis, Astera, Compat, Pm415, V1};
pub use cognito::{Cognito, IssuerStyle};
pub use hooks::{Function, Hooks};
pub use ldap::Ldap;
pub use load::{Source, load};
pub use password::Password;
pub use sms::Sms;
pub use tokens::{Durability, Tokens};
use value::Shown;
pub use value::{List, Period, Secret, Setting};

/// Declares a section once: the struct, its defaults, and the rows that `cognate config` prints.
macro_rules! settings {
    ($(#[doc = $about:literal])+ $section:ident ($prefix:literal) { $(#[doc = $doc:literal] $field:ident: $type:ty = $default:expr;)+ }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $section { $(#[doc = $doc] pub $field: $type,)+ }

        impl Default for $section {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $section {
            pub(in crate::config) fn describe(&self, rows: &mut Vec<Setting>) {
                let default = Self::default();
                $(rows.push(Setting {
                    name: concat!($prefix, stringify!($field)),
                    value: self.$field.shown(),
                    default: default.$field.shown(),
                    about: $doc.trim(),
                });)+
            }
        }
    };
}

// After the macro, which they use.
mod accounts;
mod cognito;
mod hooks;
mod ldap;
mod password;
mod sms;
mod tokens;

settings! {
    /// HTTP: where it listens, how it is called from outside, and what it bears.
    Http("http.") {
        /// Address and port to listen on; other than loopback needs http.public_url and a master key.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080));
        /// The URL that clients use; issuer, discovery and links in mails start with it. Empty: http:// and http.listen.
        public_url: Option<Url> = None;
        /// Origins (scheme://host:port, or *) whose pages may call the APIs.
        allowed_origins: List<String> = List(vec!["*".to_owned()]);
        /// Networks of the proxies whose X-Forwarded-For names the caller; all others are ignored.
        trusted_proxies: List<IpNet> = List(Vec::new());
        /// Largest request body in bytes.
        body_limit: usize = 65_536;
        /// Time for a request's head to arrive whole.
        head_timeout: Period = Period::seconds(5);
        /// Time for a request's body to arrive whole.
        body_timeout: Period = Period::seconds(10);
        /// Time after SIGTERM in which new requests are still answered while /readyz says 503.
        drain: Period = Period::seconds(4);
        /// Time after that for running requests to finish.
        shutdown: Period = Period::seconds(15);
        /// Connections at once, per worker; fewer where the limits of memory or descriptors have no room for them.
        max_connections: usize = 10_000;
        /// Connections at once from one address (an IPv6 /64) that is no trusted proxy, at most half of all; 0: no limit.
        connections_per_source: usize = 1_000;
        /// Worker threads; 0 means one per core.
        workers: usize = 0;
        /// PEM certificate chain; with http.certificate_key_file it turns TLS on. Reloaded when it changes.
        certificate_file: Option<PathBuf> = None;
        /// PEM private key of the certificate.
        certificate_key_file: Option<PathBuf> = None;
    }
}

settings! {
    /// The Directory: what must last.
    DirectoryStore("directory.") {
        /// sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE. Empty: cognate.db in the data folder.
        url: Option<Secret> = None;
        /// File that holds directory.url.
        url_file: Option<PathBuf> = None;
        /// Connections at most.
        connections: u32 = 10;
        /// Longest wait for a connection, and for an answer; after that the call is a 503.
        timeout: Period = Period::seconds(1);
    }
}

settings! {
    /// Mail.
    Mail("mail.") {
        /// file (mails land as .eml in the data folder), smtp://USER:PASSWORD@HOST:PORT?tls=required or smtps://.
        url: Secret = Secret::new("file");
        /// File that holds mail.url.
        url_file: Option<PathBuf> = None;
        /// PEM certificates to trust for TLS with the mail server besides the public ones.
        ca_file: Option<PathBuf> = None;
        /// Sender of every mail.
        from: String = "Cognate <no-reply@localhost>".to_owned();
        /// Name of the product in every mail.
        product: String = "Cognate".to_owned();
        /// Page of yours where a user enters a reset code; named in the mail. Empty: the mail has no link.
        reset_url: Option<Url> = None;
        /// Folder with templates of your own (reset_code.subject, .txt and .html, temporary_password.…); missing ones are built in.
        templates: Option<PathBuf> = None;
        /// Longest time for one delivery.
        timeout: Period = Period::seconds(10);
    }
}

settings! {
    /// Signing keys.
    Keys("keys.") {
        /// Age at which the signing key is followed by a new one.
        rotate_after: Period = Period::hours(90 * 24);
        /// Max-age of the JWKS; a new key signs this long (and two readings) after it was made, so that every copy has it.
        publish_ahead: Period = Period::hours(1);
        /// How often every replica reads the keys and settings of its pools again.
        reload: Period = Period::seconds(5);
    }
}

settings! {
    /// Throttles.
    Limits("limits.") {
        /// Wrong passwords on one account (also one that does not exist) before it locks.
        account_failures: u32 = 5;
        /// First lock of an account; doubles with every further failure.
        account_lock: Period = Period::seconds(1);
        /// Longest lock; also the time without attempts after which failures are forgotten.
        account_lock_max: Period = Period::minutes(15);
        /// Failed attempts from one address (an IPv6 /64) before it locks; the locks double as above.
        source_failures: u32 = 1_000;
        /// Answers to one code or challenge; the last wrong one ends it.
        code_attempts: u32 = 5;
        /// Mails to one account, and text messages to one number, before asking for more is throttled.
        mails: u32 = 5;
        /// First pause after that; doubles with every further request.
        mail_pause: Period = Period::minutes(1);
    }
}

settings! {
    /// The pool made at first start.
    Bootstrap("bootstrap.") {
        /// First part of the pool's id (REGION_RANDOM), in the form of an AWS region.
        region: String = "us-east-1".to_owned();
        /// Name of the pool.
        pool_name: String = "default".to_owned();
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

settings! {
    /// Logs.
    Log("log.") {
        /// text or json.
        format: LogFormat = LogFormat::Text;
        /// Filter in tracing's syntax: info, debug, cognate=debug,info … Read again when the file changes, and on SIGHUP.
        level: String = "info".to_owned();
    }
}

/// The whole tree.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Folder of the embedded store, its master key and mails without SMTP.
    pub data: PathBuf,
    /// Master keys, 32 bytes in base64 each, separated by white space; the first seals, all open.
    pub master_key: Option<Secret>,
    /// File that holds `master_key`.
    pub master_key_file: Option<PathBuf>,
    /// HTTP.
    pub http: Http,
    /// The Directory.
    pub directory: DirectoryStore,
    /// The `TokenStore`.
    pub tokens: Tokens,
    /// Mail.
    pub mail: Mail,
    /// Signing keys.
    pub keys: Keys,
    /// Password hashing.
    pub password: Password,
    /// Throttles.
    pub limits: Limits,
    /// The native API.
    pub v1: V1,
    /// Which APIs are served.
    pub compat: Compat,
    /// The pm415 account API.
    pub pm415: Pm415,
    /// The Astera account API.
    pub astera: Astera,
    /// The Amadis user API.
    pub amadis: Amadis,
    /// The Amazon Cognito API.
    pub cognito: Cognito,
    /// Active Directory.
    pub ldap: Ldap,
    /// Trigger webhooks.
    pub hooks: Hooks,
    /// Text messages.
    pub sms: Sms,
    /// The first pool.
    pub bootstrap: Bootstrap,
    /// Logs.
    pub log: Log,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("./cognate-data"),
            master_key: None,
            master_key_file: None,
            http: Http::default(),
            directory: DirectoryStore::default(),
            tokens: Tokens::default(),
            mail: Mail::default(),
            keys: Keys::default(),
            password: Password::default(),
            limits: Limits::default(),
            v1: V1::default(),
            compat: Compat::default(),
            pm415: Pm415::default(),
            astera: Astera::default(),
            amadis: Amadis::default(),
            cognito: Cognito::default(),
            ldap: Ldap::default(),
            hooks: Hooks::default(),
            sms: Sms::default(),
            bootstrap: Bootstrap::default(),
            log: Log::default(),
        }
    }
}

impl Config {
    /// Every setting with its effective value (secrets as `***`), its default and what it does.
    pub fn settings(&self) -> Vec<Setting> {
        let top = |name, value, default, about| Setting { name, value, default, about };
        let mut rows = vec![
            top(
                "data",
                self.data.shown(),
                Self::default().data.shown(),
                "Folder of the embedded store, its master key and mails without SMTP.",
            ),
            top(
                "master_key",
                self.master_key.shown(),
                String::new(),
                "Master keys, 32 bytes in base64 each, separated by white space; the first seals, all open.",
            ),
            top("master_key_file", self.master_key_file.shown(), String::new(), "File that holds master_key."),
        ];
        self.http.describe(&mut rows);
        self.directory.describe(&mut rows);
        self.tokens.describe(&mut rows);
        self.mail.describe(&mut rows);
        self.keys.describe(&mut rows);
        self.password.describe(&mut rows);
        self.limits.describe(&mut rows);
        self.v1.describe(&mut rows);
        self.compat.describe(&mut rows);
        self.pm415.describe(&mut rows);
        self.astera.describe(&mut rows);
        self.amadis.describe(&mut rows);
        self.cognito.describe(&mut rows);
        self.ldap.describe(&mut rows);
        self.hooks.describe(&mut rows);
        self.sms.describe(&mut rows);
        self.bootstrap.describe(&mut rows);
        self.log.describe(&mut rows);
        rows
    }

    /// The URL that clients use, without a trailing slash: issuer, discovery and links start with it.
    pub fn public_url(&self) -> String {
        let url = self.http.public_url.as_ref().map_or_else(
            || {
                let scheme = if self.http.certificate_file.is_some() { "https" } else { "http" };
                format!("{scheme}://{}", self.http.listen)
            },
            ToString::to_string,
        );
        url.trim_end_matches('/').to_owned()
    }

    /// The Directory's URL; the embedded store's when none is set.
    pub fn directory_url(&self) -> String {
        self.directory
            .url
            .as_ref()
            .map_or_else(|| format!("sqlite:{}", self.data.join("cognate.db").display()), |url| url.expose().to_owned())
    }
}

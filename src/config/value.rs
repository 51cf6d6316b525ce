//! The types that settings have beyond numbers and text, and how each is shown.

use std::fmt::{Display, Formatter};
use std::ops::Deref;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::{AccountApi, IssuerStyle, LogFormat};

/// One row of `cognate config`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Setting {
    /// Its name with sections joined by dots: `http.listen`, in the environment `COGNATE__HTTP__LISTEN`.
    pub name: &'static str,
    /// The value in force; a secret is `***`.
    pub value: String,
    /// The value when nothing is set.
    pub default: String,
    /// What it does.
    pub about: &'static str,
}

impl Setting {
    /// Its name in the environment.
    pub fn variable(&self) -> String {
        format!("COGNATE__{}", self.name.to_uppercase().replace('.', "__"))
    }
}

/// A duration written as `"15m"`, `"1h 30m"`, `"500ms"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(Duration);

impl Period {
    /// `count` milliseconds.
    pub const fn milliseconds(count: u64) -> Self {
        Self(Duration::from_millis(count))
    }

    /// `count` seconds.
    pub const fn seconds(count: u64) -> Self {
        Self(Duration::from_secs(count))
    }

    /// `count` minutes.
    pub const fn minutes(count: u64) -> Self {
        Self::seconds(count * 60)
    }

    /// `count` hours.
    pub const fn hours(count: u64) -> Self {
        Self::seconds(count * 3600)
    }
}

impl Deref for Period {
    type Target = Duration;

    fn deref(&self) -> &Duration {
        &self.0
    }
}

impl Display for Period {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        // Not humantime's own form: it counts months, and shows 90 days as "2months 29days 2h 52m 48s".
        const UNITS: [(&str, u128); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
        let mut rest = self.0.as_millis();
        let mut parts = Vec::new();
        for (unit, size) in UNITS {
            if rest >= size {
                parts.push(format!("{}{unit}", rest / size));
                rest %= size;
            }
        }
        f.pad(&if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") })
    }
}

impl FromStr for Period {
    type Err = humantime::DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_duration(text).map(Self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|fault| D::Error::custom(format!("write a duration such as \"15m\" ({fault})")))
    }
}

/// Several values: a TOML array, or one text with commas (as the environment has it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Array(Vec<String>),
            Text(String),
        }
        let items = match Written::deserialize(deserializer)? {
            Written::Array(items) => items,
            Written::Text(text) => text.split(',').map(str::to_owned).collect(),
        };
        let parse =
            |item: &String| item.trim().parse().map_err(|fault: T::Err| D::Error::custom(format!("`{item}`: {fault}")));
        items.iter().filter(|item| !item.trim().is_empty()).map(parse).collect::<Result<_, _>>().map(Self)
    }
}

/// A text that is never printed; wiped when dropped.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// How a value stands in `cognate config`.
pub(super) trait Shown {
    /// The value as an operator would type it; a secret as `***`.
    fn shown(&self) -> String;
}

macro_rules! shown_as_text {
    ($($type:ty),+) => { $(impl Shown for $type { fn shown(&self) -> String { self.to_string() } })+ };
}
shown_as_text!(String, bool, usize, u32, Period, std::net::SocketAddr, ipnet::IpNet, url::Url);

impl Shown for PathBuf {
    fn shown(&self) -> String {
        self.display().to_string()
    }
}

impl Shown for Secret {
    fn shown(&self) -> String {
        // These two words choose what is built in; anything else may hold a password.
        match self.expose() {
            "sql" | "file" => self.expose().to_owned(),
            _ => "***".to_owned(),
        }
    }
}

impl Shown for LogFormat {
    fn shown(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Json => "json".to_owned(),
        }
    }
}

impl Shown for AccountApi {
    fn shown(&self) -> String {
        match self {
            Self::Auto => "auto".to_owned(),
            Self::Pm415 => "pm415".to_owned(),
            Self::Astera => "astera".to_owned(),
            Self::Off => "off".to_owned(),
        }
    }
}

impl Shown for IssuerStyle {
    fn shown(&self) -> String {
        match self {
            Self::Own => "self".to_owned(),
            Self::Aws => "aws".to_owned(),
        }
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> String {
        self.as_ref().map(Shown::shown).unwrap_or_default()
    }
}

impl<T: Shown> Shown for List<T> {
    fn shown(&self) -> String {
        self.iter().map(Shown::shown).collect::<Vec<_>>().join(",")
    }
}

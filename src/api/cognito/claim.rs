//! `Authorization: AWS4-HMAC-SHA256 …`, taken apart: who says he signed, for where and when, and what of the request.

use actix_web::http::header::{self, HeaderMap};

use super::fault::Fault;

const ALGORITHM: &str = "AWS4-HMAC-SHA256 ";
/// No access key has a longer id, and no signature signs more headers.
const LONGEST_ID: usize = 128;
const MOST_HEADERS: usize = 64;

/// What a signature says of itself; nothing of it is checked yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) key: String,
    pub(super) day: String,
    pub(super) region: String,
    pub(super) service: String,
    pub(super) terminator: String,
    /// Lower-case, in order, each once.
    pub(super) headers: Vec<String>,
    pub(super) signature: String,
}

fn incomplete(message: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
    Fault::new("IncompleteSignatureException", message)
}

impl Claim {
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Fault> {
        let missing = || Fault::new("MissingAuthenticationTokenException", "Missing Authentication Token");
        let mut lines = headers.get_all(header::AUTHORIZATION);
        let line = lines.next().ok_or_else(missing)?;
        if lines.next().is_some() {
            return Err(incomplete("There must be one Authorization header."));
        }
        let line = line.to_str().map_err(|_| incomplete("The Authorization header is not readable."))?;
        let fields =
            line.strip_prefix(ALGORITHM).ok_or_else(|| incomplete("The algorithm must be AWS4-HMAC-SHA256."))?;
        Self::parse(fields)
    }

    fn parse(fields: &str) -> Result<Self, Fault> {
        let part = |wanted: &str| {
            let pairs = fields.split(',').filter_map(|field| field.trim().split_once('='));
            let mut values = pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value);
            values.next().filter(|value| !value.is_empty() && values.next().is_none())
        };
        let names = ["Credential", "SignedHeaders", "Signature"];
        let [Some(credential), Some(signed), Some(signature)] = names.map(part) else {
            let lacking = names.into_iter().filter(|name| part(name).is_none());
            let said: Vec<_> =
                lacking.map(|name| format!("Authorization header requires '{name}' parameter.")).collect();
            return Err(incomplete(said.join(" ")));
        };
        let scope: Vec<&str> = credential.split('/').collect();
        let [key, day, region, service, terminator] = scope.as_slice() else {
            return Err(incomplete(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
            ));
        };
        let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if key.is_empty() || key.len() > LONGEST_ID || !plain {
            return Err(incomplete("Credential must begin with an access key id."));
        }
        let mut headers: Vec<String> = signed.split(';').map(str::to_ascii_lowercase).collect();
        if headers.len() > MOST_HEADERS {
            return Err(incomplete("SignedHeaders has too many elements."));
        }
        headers.sort();
        headers.dedup();
        let [key, day, region, service, terminator, signature] =
            [*key, *day, *region, *service, *terminator, signature].map(str::to_owned);
        Ok(Self { key, day, region, service, terminator, headers, signature })
    }

    /// Whether this header is signed.
    pub(super) fn signs(&self, name: &str) -> bool {
        self.headers.iter().any(|header| header == name)
    }
}

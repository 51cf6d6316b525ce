//! Settings of the Amazon Cognito API.

use serde::Deserialize;

use super::Config;
use super::value::{List, Setting, Shown};

/// What the issuer of tokens looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum IssuerStyle {
    /// The public URL and the pool's id: what OpenID Connect libraries and pycognito want.
    #[serde(rename = "self")]
    Own,
    /// Amazon's, which is all that `CognitoJwtVerifier` of aws-jwt-verify takes.
    #[serde(rename = "aws")]
    Aws,
}

settings! {
    /// The Amazon Cognito API.
    Cognito("cognito.") {
        /// Region that signatures of SDKs must name, and in which pools are made. Empty: bootstrap.region.
        region: Option<String> = None;
        /// Account number in the ARNs of pools, 12 digits.
        account: String = "123456789012".to_owned();
        /// Issuer of tokens: self (http.public_url and the pool's id) or aws (https://cognito-idp.REGION.amazonaws.com and the pool's id).
        issuer_style: IssuerStyle = IssuerStyle::Own;
        /// Hosts (HOST or HOST:PORT) that SDKs sign for where a proxy changes Host; that of http.public_url is always one.
        hosts: List<String> = List(Vec::new());
    }
}

impl Config {
    /// The region that signatures must name.
    pub fn cognito_region(&self) -> &str {
        self.cognito.region.as_deref().unwrap_or(&self.bootstrap.region)
    }

    pub(super) fn check_cognito(&self, faults: &mut Vec<String>) {
        let digits = self.cognito.account.bytes().filter(u8::is_ascii_digit).count();
        if digits != 12 || self.cognito.account.len() != 12 {
            faults.push("cognito.account: must be 12 digits".to_owned());
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.cognito_region().is_empty() || !self.cognito_region().bytes().all(plain) {
            faults.push("cognito.region: must be in the form of an AWS region, such as us-east-1".to_owned());
        }
    }
}

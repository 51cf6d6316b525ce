//! Calls of the Cognito API, signed and not. The signature is made here step by step, as Amazon describes it.

use cognate::clock::Timestamp;
use cognate::crypto::{hmac_sha256, sha256};
use cognate::pool::NewAccessKey;
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::format_description;

use super::{Answer, TestApp};

/// Signs calls, right unless a test changes something.
#[derive(Debug, Clone)]
pub struct Signer {
    pub id: String,
    pub secret: String,
    pub region: String,
    pub service: String,
    pub at: Timestamp,
    /// What it signs for instead of the host that is called.
    pub host: Option<String>,
    /// Names of headers that it signs besides what it must, with their values.
    pub more: Vec<(String, String)>,
    /// Headers that it sends and leaves unsigned.
    pub unsigned: Vec<&'static str>,
}

impl Signer {
    /// The instant as `X-Amz-Date` has it.
    pub fn stamp(at: Timestamp) -> String {
        let at = OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap();
        at.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap()
    }

    /// The headers that make a call of `target` with this body a signed one.
    pub fn headers(&self, host: &str, target: &str, body: &str) -> Vec<(String, String)> {
        let stamp = Self::stamp(self.at);
        let mut headers = vec![
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("x-amz-date".to_owned(), stamp.clone()),
            ("x-amz-target".to_owned(), target.to_owned()),
        ];
        headers.extend(self.more.iter().cloned());
        let mut signed = headers.clone();
        signed.push(("host".to_owned(), self.host.clone().unwrap_or_else(|| host.to_owned())));
        signed.retain(|(name, _)| !self.unsigned.contains(&name.as_str()));
        signed.sort();
        let names = signed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", hex::encode(sha256(body)));
        let day = &stamp[..8];
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex::encode(sha256(canonical)));
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for step in [day, &self.region, &self.service, "aws4_request"] {
            key = hmac_sha256(&key, &[step.as_bytes()]).to_vec();
        }
        let signature = hex::encode(hmac_sha256(&key, &[text.as_bytes()]));
        let credential = format!("{}/{scope}", self.id);
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}");
        headers.push(("authorization".to_owned(), authorization));
        headers
    }
}

impl TestApp {
    /// A call that nobody signed.
    pub async fn cognito(&self, operation: &str, body: Value) -> Answer {
        self.request(self.cognito_request(operation).body(body.to_string())).await
    }

    pub fn cognito_request(&self, operation: &str) -> reqwest::RequestBuilder {
        self.to("POST", "/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
    }

    /// An access key for these pools and operations.
    pub async fn access_key(&self, pools: &[&str], operations: &[&str]) -> Signer {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let draft = NewAccessKey { name: "test".to_owned(), pools: owned(pools), operations: owned(operations) };
        let (key, secret) = self.api.pools.create_access_key(draft).await.unwrap();
        Signer {
            id: key.id,
            secret: secret.to_string(),
            region: "us-east-1".to_owned(),
            service: "cognito-idp".to_owned(),
            at: self.api.ports.clock.now(),
            host: None,
            more: Vec::new(),
            unsigned: Vec::new(),
        }
    }

    /// A call signed by an access key for everything.
    pub async fn cognito_admin(&self, operation: &str, body: Value) -> Answer {
        let signer = self.access_key(&["*"], &["*"]).await;
        self.signed(&signer, operation, body).await
    }

    pub async fn signed(&self, signer: &Signer, operation: &str, body: Value) -> Answer {
        let body = body.to_string();
        self.signed_then(signer, operation, &body, |request| request.body(body.clone())).await
    }

    /// A call that is changed after it was signed.
    pub async fn signed_then(
        &self,
        signer: &Signer,
        operation: &str,
        body: &str,
        change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        self.signed_at("/", signer, operation, body, change).await
    }

    /// The same, sent to another place than it was signed for.
    pub async fn signed_at(
        &self,
        path: &str,
        signer: &Signer,
        operation: &str,
        body: &str,
        change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Answer {
        let request = self.to("POST", path);
        let url = request.try_clone().unwrap().build().unwrap().url().clone();
        let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        let headers = signer.headers(&host, &target, body);
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        self.request(change(request)).await
    }
}

//! What the service answered, and what its tokens say.

use cognate::crypto;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|fault| panic!("{fault} in {}", self.text))
    }

    pub fn field(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.text)).to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status and body together, for comparing with a literal.
    pub fn whole(&self) -> (u16, &str) {
        (self.status, &self.text)
    }

    /// Everything that a caller could tell two answers apart by.
    pub fn sight(&self) -> (u16, &str, HeaderMap) {
        let mut headers = self.headers.clone();
        for own in ["date", "x-request-id"] {
            assert!(headers.remove(own).is_some(), "every answer has {own}");
        }
        (self.status, &self.text, headers)
    }
}

/// Header or claims of a token, unverified.
pub fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&crypto::decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

/// The claims of a token, unverified.
pub fn claims(token: &str) -> Value {
    part(token, 1)
}

//! The Amazon Cognito API: its wire, its words, its signatures (contract cognito (a), (b)).

mod client_secrets;
mod clients;
mod constraints;
mod coverage;
mod machine;
mod pools;
mod sessions;
mod sign_out;
mod signature;
mod wire;

use crate::app::Answer;

/// Status and body of a Cognito exception; the headers must say the same.
pub fn refusal(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    let (name, message) = (body["__type"].as_str().unwrap(), body["message"].as_str().unwrap());
    assert_eq!(body.as_object().unwrap().len(), 2, "{}", answer.text);
    assert_eq!(answer.header("x-amzn-errortype"), Some(format!("{name}:").as_str()));
    let plain = |letter: char| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' };
    let in_header: String = message.chars().take(512).map(plain).collect();
    assert_eq!(answer.header("x-amzn-errormessage"), Some(in_header.as_str()));
    assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-amzn-requestid"), answer.header("x-request-id"));
    assert!(answer.header("date").is_some());
    (answer.status, format!("{name}: {message}"))
}

/// The same of a 400.
pub fn refused(answer: &Answer) -> String {
    let (status, words) = refusal(answer);
    assert_eq!(status, 400, "{words}");
    words
}

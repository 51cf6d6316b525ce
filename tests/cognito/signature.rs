//! AWS Signature Version 4: what is signed is what is done, by whom it may be done.

use std::time::Duration;

use cognate::clock::Timestamp;
use serde_json::{Value, json};

use super::refused;
use crate::app::{START, Signer, TestApp, story};

const OPERATION: &str = "AdminUserGlobalSignOut";
const MISMATCH: &str = "InvalidSignatureException: The request signature we calculated does not match the signature you \
                        provided. Check your AWS Secret Access Key and signing method. Consult the service \
                        documentation for details.";
const UNKNOWN: &str = "UnrecognizedClientException: The security token included in the request is invalid.";

async fn input(app: &TestApp) -> Value {
    app.user("alice").await;
    json!({ "UserPoolId": app.pool().id(), "Username": "alice" })
}

// K13, S24
story!(a_call_without_a_whole_signature_is_refused);
async fn a_call_without_a_whole_signature_is_refused(app: TestApp) {
    let body = input(&app).await;
    let call = async |authorization: Option<&str>| {
        let request = app.cognito_request(OPERATION).header("x-amz-date", Signer::stamp(START)).body(body.to_string());
        let request = authorization.into_iter().fold(request, |request, value| request.header("authorization", value));
        refused(&app.request(request).await)
    };
    assert_eq!(call(None).await, "MissingAuthenticationTokenException: Missing Authentication Token");
    let incomplete = "IncompleteSignatureException: ";
    assert_eq!(call(Some("Bearer x")).await, format!("{incomplete}The algorithm must be AWS4-HMAC-SHA256."));
    let lacking = "Authorization header requires 'SignedHeaders' parameter. Authorization header requires 'Signature' \
                   parameter.";
    assert_eq!(call(Some("AWS4-HMAC-SHA256 Credential=a/b/c/d/e")).await, format!("{incomplete}{lacking}"));
    let elements = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.";
    let few = "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=00";
    assert_eq!(call(Some(few)).await, format!("{incomplete}{elements}"));
    for garbage in ["AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 ,,,=,=", "Basic eA=="] {
        assert!(call(Some(garbage)).await.starts_with(incomplete), "{garbage}");
    }
    let injected = "AWS4-HMAC-SHA256 Credential=%00'\"/b/c/d/e, SignedHeaders=host, Signature=00";
    assert_eq!(call(Some(injected)).await, format!("{incomplete}Credential must begin with an access key id."));
}

// K13, S23, S24
story!(a_signature_is_good_for_one_call_at_one_time_in_one_place);
async fn a_signature_is_good_for_one_call_at_one_time_in_one_place(app: TestApp) {
    let body = input(&app).await;
    let signer = app.access_key(&["*"], &["*"]).await;
    assert_eq!(app.signed(&signer, OPERATION, body.clone()).await.whole(), (200, "{}"));
    let expect = async |signer: &Signer, words: &str| {
        assert_eq!(refused(&app.signed(signer, OPERATION, body.clone()).await), words);
    };
    expect(&Signer { secret: "x".repeat(40), ..signer.clone() }, MISMATCH).await;
    expect(&Signer { id: "CGNAAAAAAAAAAAAAAAAA".to_owned(), ..signer.clone() }, UNKNOWN).await;
    expect(&Signer { host: Some("other.test".to_owned()), ..signer.clone() }, MISMATCH).await;
    expect(
        &Signer { region: "eu-west-1".to_owned(), ..signer.clone() },
        "InvalidSignatureException: Credential should be scoped to a valid region: this server is in 'us-east-1'.",
    )
    .await;
    expect(
        &Signer { service: "cognito-identity".to_owned(), ..signer.clone() },
        "InvalidSignatureException: Credential should be scoped to correct service: 'cognito-idp'.",
    )
    .await;
    let (late, early) = (Timestamp(START.0 - 900_001), Timestamp(START.0 + 901_000));
    expect(
        &Signer { at: late, ..signer.clone() },
        "InvalidSignatureException: Signature expired: 20261121T114459Z is now earlier than 20261121T114500Z \
         (20261121T120000Z - 15 min.)",
    )
    .await;
    expect(
        &Signer { at: early, ..signer.clone() },
        "InvalidSignatureException: Signature not yet current: 20261121T121501Z is still later than 20261121T121500Z \
         (20261121T120000Z + 15 min.)",
    )
    .await;
    for at in [START.0 - 900_000, START.0 + 900_000] {
        let answer = app.signed(&Signer { at: Timestamp(at), ..signer.clone() }, OPERATION, body.clone()).await;
        assert_eq!(answer.whole(), (200, "{}"));
    }
    app.clock.advance(Duration::from_secs(901));
    assert!(refused(&app.signed(&signer, OPERATION, body.clone()).await).contains("Signature expired"));
}

// K13, S23
story!(what_is_changed_after_signing_is_noticed);
async fn what_is_changed_after_signing_is_noticed(app: TestApp) {
    let body = input(&app).await.to_string();
    app.user("bob").await;
    let signer = app.access_key(&["*"], &["*"]).await;
    let tampered = body.replace("alice", "bob");
    let answer = app.signed_then(&signer, OPERATION, &body, |request| request.body(tampered)).await;
    assert_eq!(refused(&answer), MISMATCH);
    // A second value of a signed header, and another address.
    let answer = app
        .signed_then(&signer, OPERATION, &body, |request| request.header("x-amz-date", "x").body(body.clone()))
        .await;
    assert_eq!(refused(&answer), MISMATCH);
    let answer = app.signed_at("/?a=b", &signer, OPERATION, &body, |request| request.body(body.clone())).await;
    assert_eq!(refused(&answer), MISMATCH);
    for (name, value) in [("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), ("x-amz-content-sha256", "0000")] {
        let more = vec![(name.to_owned(), value.to_owned())];
        let answer =
            app.signed(&Signer { more, ..signer.clone() }, OPERATION, serde_json::from_str(&body).unwrap()).await;
        assert_eq!(refused(&answer), MISMATCH);
    }
    let hash = hex::encode(cognate::crypto::sha256(&body));
    let more = vec![("x-amz-content-sha256".to_owned(), hash), ("x-amz-security-token".to_owned(), "any".to_owned())];
    let answer = app.signed(&Signer { more, ..signer.clone() }, OPERATION, serde_json::from_str(&body).unwrap()).await;
    assert_eq!(answer.whole(), (200, "{}"));
    for name in ["host", "x-amz-target", "x-amz-date", "content-type"] {
        let signer = Signer { unsigned: vec![name], ..signer.clone() };
        let answer = app.signed(&signer, OPERATION, serde_json::from_str(&body).unwrap()).await;
        let words = format!("InvalidSignatureException: '{name}' must be a 'SignedHeader' in the AWS Authorization.");
        assert_eq!(refused(&answer), words);
    }
}

// S24
story!(an_access_key_does_what_it_is_for_and_nothing_else);
async fn an_access_key_does_what_it_is_for_and_nothing_else(app: TestApp) {
    let body = input(&app).await;
    let pool = app.pool().id().to_owned();
    for (pools, operations) in [
        (vec![pool.as_str()], vec!["*"]),
        (vec!["*"], vec!["Admin*"]),
        (vec![pool.as_str()], vec!["ListUsers", "AdminUserGlobalSignOut"]),
    ] {
        let signer = app.access_key(&pools, &operations).await;
        assert_eq!(app.signed(&signer, OPERATION, body.clone()).await.whole(), (200, "{}"));
    }
    let narrow = app.access_key(&[&pool], &["List*", "AdminUserGlobalSign"]).await;
    let answer = app.signed(&narrow, OPERATION, body.clone()).await;
    let words = |id: &str, pool: &str| {
        format!("AccessDeniedException: Access key {id} may not do cognito-idp:AdminUserGlobalSignOut to {pool}.")
    };
    assert_eq!(refused(&answer), words(&narrow.id, &pool));
    // Whether a pool of others is there is not told.
    let own = app.access_key(&[&pool], &["*"]).await;
    let other = json!({ "UserPoolId": "us-east-1_000000000", "Username": "alice" });
    assert_eq!(refused(&app.signed(&own, OPERATION, other).await), words(&own.id, "us-east-1_000000000"));
}

// S24
story!(a_disabled_access_key_is_refused_from_the_next_call_on);
async fn a_disabled_access_key_is_refused_from_the_next_call_on(app: TestApp) {
    let body = input(&app).await;
    let signer = app.access_key(&["*"], &["*"]).await;
    for _ in 0..2 {
        assert_eq!(app.signed(&signer, OPERATION, body.clone()).await.whole(), (200, "{}"));
    }
    app.api.pools.disable_access_key(&signer.id).await.unwrap();
    for _ in 0..2 {
        assert_eq!(refused(&app.signed(&signer, OPERATION, body.clone()).await), UNKNOWN);
    }
}

// K13
story!(behind_a_proxy_the_public_names_are_signed, |config| {
    config.http.public_url = Some("https://auth.example.test/".parse().unwrap());
    config.cognito.hosts = cognate::config::List(vec!["cognito.example.test:8443".to_owned()]);
});
async fn behind_a_proxy_the_public_names_are_signed(app: TestApp) {
    let body = input(&app).await;
    let signer = app.access_key(&["*"], &["*"]).await;
    for host in ["auth.example.test", "cognito.example.test:8443"] {
        let signer = Signer { host: Some(host.to_owned()), ..signer.clone() };
        assert_eq!(app.signed(&signer, OPERATION, body.clone()).await.whole(), (200, "{}"), "{host}");
    }
    for host in ["cognito.example.test", "evil.test"] {
        let signer = Signer { host: Some(host.to_owned()), ..signer.clone() };
        let text = body.to_string();
        let change = |request: reqwest::RequestBuilder| request.header("x-forwarded-host", host).body(text.clone());
        let answer = app.signed_then(&signer, OPERATION, &text, change).await;
        assert_eq!(refused(&answer), MISMATCH, "{host}");
    }
}

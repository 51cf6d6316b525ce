//! Bodies, targets, browsers and outages.

use serde_json::json;

use super::{refusal, refused};
use crate::app::{Deployment, TestApp, story};
use crate::servers::redis::Server;
use cognate::api::cognito::{built, known};
use cognate::config::{AccountApi, Secret};

story!(what_is_no_operation_is_refused);
async fn what_is_no_operation_is_refused(app: TestApp) {
    let unknown = r#"{"__type":"UnknownOperationException","message":"X-Amz-Target names no operation of this API."}"#;
    for target in [
        "",
        "RevokeToken",
        "AWSCognitoIdentityProviderService",
        "AWSCognitoIdentityProviderService.",
        "AWSCognitoIdentityProviderService.revoketoken",
        "AWSCognitoIdentityService.RevokeToken",
        "AWSCognitoIdentityProviderService.RevokeToken ;",
        "AWSCognitoIdentityProviderService.Nope",
    ] {
        let request = app.to("POST", "/").header("content-type", "application/x-amz-json-1.1").body("{}");
        let answer = app.request(request.header("x-amz-target", target)).await;
        assert_eq!(answer.whole(), (400, unknown), "{target}");
        refused(&answer);
    }
    let answer = app.request(app.to("POST", "/").body("{}")).await;
    assert_eq!(answer.whole(), (400, unknown));
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(app.request(app.to(method, "/")).await.whole(), (404, r#"{"status":404,"message":"Not Found"}"#));
    }
}

story!(an_operation_that_is_not_built_is_a_typed_refusal);
async fn an_operation_that_is_not_built_is_a_typed_refusal(app: TestApp) {
    for (name, _) in known().into_iter().filter(|(name, _)| built().all(|operation| operation.name != *name)) {
        let words = format!("OperationNotEnabledException: {name} is not available on this server.");
        assert_eq!(refused(&app.cognito(name, json!({})).await), words);
    }
}

// D10
story!(a_body_that_can_not_be_read_is_a_serialization_exception);
async fn a_body_that_can_not_be_read_is_a_serialization_exception(app: TestApp) {
    let send = async |body: &str| app.request(app.cognito_request("RevokeToken").body(body.to_owned())).await;
    let not_json = "SerializationException: The body is not valid JSON.";
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["{", "x", "{}{}", "'", "{\"Token\":}", "\u{feff}{}", deep.as_str(), "{\"Token\":1e999}"] {
        assert_eq!(refused(&send(body).await), not_json, "{}", &body[..body.len().min(20)]);
    }
    for (body, message) in [
        ("[]", "Start of list found where not expected."),
        ("\"x\"", "STRING_VALUE can not be converted to a structure"),
        ("1", "NUMBER_VALUE can not be converted to a structure"),
        ("{\"Token\":1}", "NUMBER_VALUE can not be converted to a String"),
        ("{\"Token\":true}", "TRUE_VALUE can not be converted to a String"),
        ("{\"Token\":{\"$ne\":\"\"}}", "Start of structure or map found where not expected."),
        ("{\"Token\":[\"x\"]}", "Start of list found where not expected."),
    ] {
        assert_eq!(refused(&send(body).await), format!("SerializationException: {message}"), "{body}");
    }
}

story!(the_body_is_json_1_1_of_at_most_a_mebibyte);
async fn the_body_is_json_1_1_of_at_most_a_mebibyte(app: TestApp) {
    let request = |kind: &str| {
        let request = app.to("POST", "/").header("content-type", kind);
        request.header("x-amz-target", "AWSCognitoIdentityProviderService.RevokeToken").body("{}")
    };
    for kind in
        ["application/x-amz-json-1.1", "application/x-amz-json-1.1; charset=utf-8", "APPLICATION/X-AMZ-JSON-1.1"]
    {
        assert!(refused(&app.request(request(kind)).await).starts_with("InvalidParameterException: 2 "), "{kind}");
    }
    for kind in ["text/plain", "application/json", "application/x-amz-json-1.0", "application/x-www-form-urlencoded"] {
        let words = "SerializationException: The content type must be application/x-amz-json-1.1.";
        assert_eq!(refused(&app.request(request(kind)).await), words, "{kind}");
    }
    let encoded = app.request(request("application/x-amz-json-1.1").header("content-encoding", "gzip")).await;
    assert_eq!(refused(&encoded), "SerializationException: The body must not be encoded.");
    let long = |length: usize| app.cognito_request("RevokeToken").body(format!("{{{}}}", " ".repeat(length - 2)));
    assert!(refused(&app.request(long(1024 * 1024)).await).starts_with("InvalidParameterException: 2 "));
    let longer = app.request(long(1024 * 1024 + 1)).await;
    assert_eq!(refusal(&longer), (413, "SerializationException: The body is too large.".to_owned()));
}

story!(what_is_null_is_absent_and_what_is_unknown_is_ignored);
async fn what_is_null_is_absent_and_what_is_unknown_is_ignored(app: TestApp) {
    let session = app.signed_in("alice").await;
    let body = json!({
        "Token": session.field("refresh_token"), "ClientId": app.client().id, "ClientSecret": null,
        "Unheard": { "of": [null] },
    });
    assert_eq!(app.cognito("RevokeToken", body).await.whole(), (200, "{}"));
    let absent = refused(&app.cognito("RevokeToken", json!({ "Token": null, "ClientId": "x" })).await);
    let words = "InvalidParameterException: 1 validation error detected: Value at 'token' failed to satisfy constraint: \
                 Member must not be null";
    assert_eq!(absent, words);
    let empty = app.request(app.cognito_request("RevokeToken")).await;
    assert!(refused(&empty).starts_with("InvalidParameterException: 2 validation errors detected: "));
}

story!(a_browser_may_call_and_read_the_type_of_a_refusal);
async fn a_browser_may_call_and_read_the_type_of_a_refusal(app: TestApp) {
    let asked =
        "content-type,x-amz-target,x-amz-user-agent,cache-control,amz-sdk-invocation-id,amz-sdk-request,authorization";
    let preflight = app.to("OPTIONS", "/").header("Origin", "https://app.test");
    let preflight = preflight.header("Access-Control-Request-Method", "POST");
    let answer = app.request(preflight.header("Access-Control-Request-Headers", asked)).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, Some("*")));
    let allowed = answer.header("access-control-allow-headers").unwrap().to_lowercase();
    assert!(asked.split(',').all(|name| allowed.contains(name)), "{allowed}");
    assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"));
    assert!(answer.header("access-control-max-age").is_some());
    for operation in ["RevokeToken", "AdminUserGlobalSignOut", "ListUserPools", "Nope"] {
        let request = app.cognito_request(operation).header("Origin", "https://app.test").body("{}");
        let answer = app.request(request).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let exposed = answer.header("access-control-expose-headers").unwrap().to_lowercase();
        for name in ["x-amzn-requestid", "x-amzn-errortype", "x-amzn-errormessage", "date", "retry-after"] {
            assert!(exposed.split(',').any(|found| found.trim() == name), "{exposed}");
        }
    }
}

story!(another_origin_is_told_so, |config| config.http.allowed_origins =
    cognate::config::List(vec!["https://app.test".to_owned()]));
async fn another_origin_is_told_so(app: TestApp) {
    let preflight = |origin: &str| {
        let request = app.to("OPTIONS", "/").header("Origin", origin).header("Access-Control-Request-Method", "POST");
        app.request(request)
    };
    let answer = preflight("https://app.test").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, Some("https://app.test")));
    let answer = preflight("https://evil.test").await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let words = r#"{"__type":"AccessDeniedException","message":"This origin or method may not call from a browser."}"#;
    assert_eq!(answer.whole(), (400, words));
}

// R01, R02
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_a_503_that_sdks_try_again_and_that_signs_nobody_out() {
    let mut redis = tokio::task::spawn_blocking(|| Server::start(&[])).await.unwrap();
    let url = redis.url();
    let app = TestApp::start_on(Deployment::Embedded, |config| config.tokens.url = Secret::new(url)).await;
    let session = app.signed_in("alice").await;
    tokio::task::block_in_place(|| redis.kill());
    let answer = app.cognito("GlobalSignOut", json!({ "AccessToken": session.field("access_token") })).await;
    let words = "InternalErrorException: Service is temporarily unavailable, please try again.";
    assert_eq!(refusal(&answer), (503, words.to_owned()));
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn the_api_can_be_switched_off() {
    let app = TestApp::start_with(|config| {
        config.compat.cognito = false;
        config.compat.account = AccountApi::Off;
    })
    .await;
    let answer = app.cognito("RevokeToken", json!({})).await;
    assert_eq!(answer.whole(), (404, r#"{"status":404,"message":"Not Found"}"#));
}

story!(tokens_can_name_amazons_issuer, |config| config.cognito.issuer_style = cognate::config::IssuerStyle::Aws);
async fn tokens_can_name_amazons_issuer(app: TestApp) {
    let id = app.pool().id().to_owned();
    let issuer = format!("https://cognito-idp.us-east-1.amazonaws.com/{id}");
    let document = app.get(&format!("/{id}/.well-known/openid-configuration")).await.json();
    let keys = format!("{}/{id}/.well-known/jwks.json", app.config.public_url());
    assert_eq!(
        (document["issuer"].as_str(), document["jwks_uri"].as_str()),
        (Some(issuer.as_str()), Some(keys.as_str()))
    );
    let session = app.signed_in("alice").await;
    for token in ["access_token", "id_token"] {
        assert_eq!(crate::app::claims(&session.field(token))["iss"], issuer);
    }
    assert!(app.accepts(&session.field("access_token")).await);
    let body = json!({ "AccessToken": session.field("access_token") });
    assert_eq!(app.cognito("GlobalSignOut", body).await.whole(), (200, "{}"));
}

//! The two secrets of an app client: added, listed, deleted, and what each opens meanwhile.

use serde_json::{Value, json};

use super::refused;
use crate::app::{Answer, TestApp, story};

async fn make(app: &TestApp, secret: bool) -> (String, Option<String>) {
    let body = json!({ "UserPoolId": app.pool().id(), "ClientName": "web", "GenerateSecret": secret });
    let made = app.cognito_admin("CreateUserPoolClient", body).await.json()["UserPoolClient"].clone();
    (made["ClientId"].as_str().unwrap().to_owned(), made["ClientSecret"].as_str().map(str::to_owned))
}

async fn call(app: &TestApp, operation: &str, client: &str, mut rest: Value) -> Answer {
    rest["UserPoolId"] = json!(app.pool().id());
    rest["ClientId"] = json!(client);
    app.cognito_admin(operation, rest).await
}

/// Ids of the secrets that are listed.
async fn ids(app: &TestApp, client: &str) -> Vec<String> {
    let listed = call(app, "ListUserPoolClientSecrets", client, json!({})).await.json();
    assert_eq!(listed.get("NextToken"), None);
    let secrets = listed["ClientSecrets"].as_array().unwrap().clone();
    assert!(secrets.iter().all(|secret| secret.get("ClientSecretValue").is_none()), "{listed}");
    secrets.iter().map(|secret| secret["ClientSecretId"].as_str().unwrap().to_owned()).collect()
}

/// Whether each replica takes the secret.
async fn takes(app: &TestApp, client: &str, secret: &str) -> bool {
    let mut said = Vec::new();
    for _ in app.replicas() {
        let body = json!({ "ClientId": client, "ClientSecret": secret, "RefreshToken": "x" });
        said.push(refused(&app.cognito("GetTokensFromRefreshToken", body).await));
        let form = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", client)];
        let form = [&form[..], &[("client_secret", secret)]].concat();
        let answer = app.request(app.to("POST", "/oauth/token").form(&form)).await;
        // Who is known is told about the token.
        let known = said[said.len() - 1] == "NotAuthorizedException: Invalid Refresh Token";
        assert_eq!(answer.json()["error"], if known { "invalid_grant" } else { "invalid_client" });
    }
    said.dedup();
    let [said] = said.as_slice() else { panic!("the replicas disagree: {said:?}") };
    let wrong = format!("NotAuthorizedException: Unable to verify secret for client {client}");
    assert!(*said == wrong || said == "NotAuthorizedException: Invalid Refresh Token", "{said}");
    *said != wrong
}

story!(one_secret_follows_another_without_a_pause);
async fn one_secret_follows_another_without_a_pause(app: TestApp) {
    let (client, first) = make(&app, true).await;
    let first = first.unwrap();
    let [first_id] = ids(&app, &client).await.try_into().unwrap();
    app.clock.advance_seconds(60);
    let added = call(&app, "AddUserPoolClientSecret", &client, json!({})).await;
    let descriptor = added.json()["ClientSecretDescriptor"].clone();
    let (id, second) =
        (descriptor["ClientSecretId"].as_str().unwrap(), descriptor["ClientSecretValue"].as_str().unwrap());
    let whole = format!(
        r#"{{"ClientSecretDescriptor":{{"ClientSecretId":"{client}--1795262460000","ClientSecretValue":"{second}","ClientSecretCreateDate":1795262460.0}}}}"#
    );
    assert_eq!(added.whole(), (200, whole.as_str()));
    assert_eq!((second.len(), ids(&app, &client).await), (51, vec![first_id.clone(), id.to_owned()]));
    // K06: both are good, on every replica, at once.
    assert!(takes(&app, &client, &first).await && takes(&app, &client, second).await);
    assert!(!takes(&app, &client, "not_the_secret_not_the_secret").await);
    let third = call(&app, "AddUserPoolClientSecret", &client, json!({})).await;
    assert_eq!(refused(&third), "LimitExceededException: An app client can have at most 2 secrets.");
    let delete = json!({ "ClientSecretId": first_id });
    assert_eq!(call(&app, "DeleteUserPoolClientSecret", &client, delete.clone()).await.whole(), (200, "{}"));
    assert!(!takes(&app, &client, &first).await && takes(&app, &client, second).await);
    let gone = call(&app, "DeleteUserPoolClientSecret", &client, delete).await;
    assert_eq!(refused(&gone), "ResourceNotFoundException: Client secret does not exist.");
    let last = call(&app, "DeleteUserPoolClientSecret", &client, json!({ "ClientSecretId": id })).await;
    assert_eq!(refused(&last), "InvalidParameterException: The last secret of an app client can not be deleted.");
    assert!(takes(&app, &client, second).await);
    let described = call(&app, "DescribeUserPoolClient", &client, json!({})).await.json();
    assert_eq!(described["UserPoolClient"]["ClientSecret"], second);
}

story!(a_secret_may_be_brought_and_is_not_told_again);
async fn a_secret_may_be_brought_and_is_not_told_again(app: TestApp) {
    let (client, first) = make(&app, true).await;
    let brought = "a_secret_of_our_own_making_42";
    let added = call(&app, "AddUserPoolClientSecret", &client, json!({ "ClientSecret": brought })).await;
    // Made in the same instant as the other, and named apart from it.
    let whole = format!(
        r#"{{"ClientSecretDescriptor":{{"ClientSecretId":"{client}--1795262400001","ClientSecretCreateDate":1795262400.001}}}}"#
    );
    assert_eq!(added.whole(), (200, whole.as_str()));
    assert!(takes(&app, &client, brought).await && takes(&app, &client, &first.unwrap()).await);
    let short = refused(&call(&app, "AddUserPoolClientSecret", &client, json!({ "ClientSecret": "short" })).await);
    assert_eq!(
        short,
        "InvalidParameterException: 1 validation error detected: Value at 'clientSecret' failed to satisfy constraint: \
         Member must have length greater than or equal to 24"
    );
}

story!(a_public_client_stays_public_and_another_pools_client_was_never_there);
async fn a_public_client_stays_public_and_another_pools_client_was_never_there(app: TestApp) {
    let (public, _) = make(&app, false).await;
    let words = "InvalidParameterException: A client that was made without a secret can not be given one.";
    assert_eq!(refused(&call(&app, "AddUserPoolClientSecret", &public, json!({})).await), words);
    assert!(ids(&app, &public).await.is_empty());
    // K07
    let (client, _) = make(&app, true).await;
    let other = app.cognito_admin("CreateUserPool", json!({ "PoolName": "other" })).await.json();
    let gone = format!("ResourceNotFoundException: User pool client {client} does not exist.");
    for operation in ["AddUserPoolClientSecret", "ListUserPoolClientSecrets", "DeleteUserPoolClientSecret"] {
        let body = json!({ "UserPoolId": other["UserPool"]["Id"], "ClientId": client, "ClientSecretId": "x" });
        assert_eq!(refused(&app.cognito_admin(operation, body).await), gone, "{operation}");
    }
    // P02
    let token = refused(&call(&app, "ListUserPoolClientSecrets", &client, json!({ "NextToken": "x" })).await);
    assert_eq!(token, "InvalidParameterException: Token is not one of this list");
}

story!(of_many_who_add_a_secret_at_once_one_does);
async fn of_many_who_add_a_secret_at_once_one_does(app: TestApp) {
    let (client, _) = make(&app, true).await;
    let adds = (0..4).map(|_| call(&app, "AddUserPoolClientSecret", &client, json!({})));
    let answers = futures_util::future::join_all(adds).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(ids(&app, &client).await.len(), 2);
}

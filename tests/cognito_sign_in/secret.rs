//! Clients with a secret: SECRET_HASH and ClientSecret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cognate::crypto::hmac_sha256;
use serde_json::json;

use super::{call, initiate, refused, result};
use crate::app::{PASSWORD, TestApp, story};

fn hash(secret: &str, name: &str, client: &str) -> String {
    STANDARD.encode(hmac_sha256(secret.as_bytes(), &[name.as_bytes(), client.as_bytes()]))
}

async fn with_secrets(app: &TestApp) -> [String; 2] {
    let (pool, id) = (app.pool(), app.client().id);
    let made = [pool.new_app_secret(&id).unwrap(), pool.new_app_secret(&id).unwrap()];
    app.change_client(|client| client.secrets = made.iter().map(|(kept, _)| kept.clone()).collect()).await;
    made.map(|(_, text)| text.to_string())
}

// K06
story!(a_client_with_secrets_takes_a_hash_under_either_over_any_name_of_the_user);
async fn a_client_with_secrets_takes_a_hash_under_either_over_any_name_of_the_user(app: TestApp) {
    app.user("alice").await;
    let id = app.client().id;
    let [one, other] = with_secrets(&app).await;
    let sub = app.pool().find_user("alice").await.unwrap().sub.to_string();
    let with = async |username: &str, hash: Option<String>| {
        let parameters = json!({ "USERNAME": username, "PASSWORD": PASSWORD, "SECRET_HASH": hash });
        initiate(&app, "USER_PASSWORD_AUTH", parameters).await
    };
    for (username, right) in [
        ("alice", hash(&one, "alice", &id)),
        ("alice", hash(&other, "alice", &id)),
        ("alice@example.test", hash(&one, "alice@example.test", &id)),
        ("alice@example.test", hash(&one, "alice", &id)),
        ("alice", hash(&one, "alice@example.test", &id)),
        ("alice", hash(&one, &sub, &id)),
    ] {
        assert_eq!(with(username, Some(right)).await.status, 200, "{username}");
    }
    let missing =
        format!("NotAuthorizedException: Client {id} is configured with secret but SECRET_HASH was not received");
    assert_eq!(refused(&with("alice", None).await), missing);
    assert_eq!(refused(&initiate(&app, "USER_PASSWORD_AUTH", json!({})).await), missing);
    let wrong = format!("NotAuthorizedException: Unable to verify secret hash for client {id}");
    for hash in [
        String::new(),
        "no base64".to_owned(),
        hash(&one, "bob", &id),
        hash("another secret", "alice", &id),
        hash(&one, "alice", "another client"),
        one.clone(),
    ] {
        assert_eq!(refused(&with("alice", Some(hash)).await), wrong);
    }
    assert_eq!(refused(&with("nobody", Some(hash(&one, "alice", &id))).await), wrong);
}

// K06
story!(a_client_without_a_secret_takes_no_hash);
async fn a_client_without_a_secret_takes_no_hash(app: TestApp) {
    app.user("alice").await;
    let id = app.client().id;
    let parameters = json!({ "USERNAME": "alice", "PASSWORD": PASSWORD, "SECRET_HASH": hash("", "alice", &id) });
    let answer = initiate(&app, "USER_PASSWORD_AUTH", parameters).await;
    assert_eq!(refused(&answer), format!("NotAuthorizedException: Unable to verify secret hash for client {id}"));
}

// K06
story!(a_refresh_token_of_a_client_with_a_secret_needs_it);
async fn a_refresh_token_of_a_client_with_a_secret_needs_it(app: TestApp) {
    app.user("alice").await;
    let id = app.client().id;
    let [one, other] = with_secrets(&app).await;
    let parameters = json!({ "USERNAME": "alice", "PASSWORD": PASSWORD, "SECRET_HASH": hash(&one, "alice", &id) });
    let token = result(&initiate(&app, "USER_PASSWORD_AUTH", parameters).await, "RefreshToken");

    let refresh = async |hash: Option<String>| {
        let parameters = json!({ "REFRESH_TOKEN": token, "SECRET_HASH": hash, "DEVICE_KEY": null });
        initiate(&app, "REFRESH_TOKEN_AUTH", parameters).await
    };
    assert_eq!(refresh(Some(hash(&other, "alice", &id))).await.status, 200);
    assert!(refused(&refresh(None).await).ends_with("SECRET_HASH was not received"));
    let wrong = format!("NotAuthorizedException: Unable to verify secret hash for client {id}");
    assert_eq!(refused(&refresh(Some(hash(&other, "bob", &id))).await), wrong);

    let missing =
        format!("NotAuthorizedException: Client {id} is configured with secret but ClientSecret was not received");
    let wrong = format!("NotAuthorizedException: Unable to verify secret for client {id}");
    let not_the_secret = "0".repeat(51);
    for (operation, name) in [("GetTokensFromRefreshToken", "RefreshToken"), ("RevokeToken", "Token")] {
        let with = async |secret: Option<&str>| {
            let mut body = json!({ "ClientId": id, "ClientSecret": secret });
            body[name] = json!(token);
            call(&app, operation, body).await
        };
        assert_eq!(refused(&with(None).await), missing);
        assert_eq!(refused(&with(Some(&not_the_secret)).await), wrong);
        assert_eq!(with(Some(&other)).await.status, 200, "{operation}");
    }
}

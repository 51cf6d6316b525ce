//! App clients over the Cognito API: made, described, changed, deleted, listed, and what is refused.

use serde_json::{Value, json};

use super::refused;
use crate::app::{TestApp, story};

async fn make(app: &TestApp, mut body: Value) -> Value {
    body["UserPoolId"] = json!(app.pool().id());
    body["ClientName"] = json!("web");
    let made = app.cognito_admin("CreateUserPoolClient", body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.json()["UserPoolClient"].clone()
}

async fn describe(app: &TestApp, id: &Value) -> Value {
    let body = json!({ "UserPoolId": app.pool().id(), "ClientId": id });
    app.cognito_admin("DescribeUserPoolClient", body).await.json()["UserPoolClient"].clone()
}

story!(a_client_that_is_made_by_its_name_alone_has_cognitos_defaults);
async fn a_client_that_is_made_by_its_name_alone_has_cognitos_defaults(app: TestApp) {
    let made = make(&app, json!({})).await;
    let id = made["ClientId"].as_str().unwrap();
    assert!(id.len() == 26 && id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()), "{id}");
    assert_eq!(
        made,
        json!({
            "UserPoolId": app.pool().id(), "ClientName": "web", "ClientId": id,
            "LastModifiedDate": 1_795_262_400.0, "CreationDate": 1_795_262_400.0,
            "PreventUserExistenceErrors": "LEGACY", "AllowedOAuthFlowsUserPoolClient": false,
            "EnableTokenRevocation": true, "EnablePropagateAdditionalUserContextData": false,
            "AuthSessionValidity": 3, "RefreshTokenValidity": 30, "TokenValidityUnits": {}
        })
    );
    assert_eq!(describe(&app, &made["ClientId"]).await, made);
}

story!(what_a_client_was_given_is_told_again_and_kept_to);
async fn what_a_client_was_given_is_told_again_and_kept_to(app: TestApp) {
    let given = json!({
        "GenerateSecret": true, "AccessTokenValidity": 10, "IdTokenValidity": 20, "RefreshTokenValidity": 2,
        "TokenValidityUnits": { "AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "hours" },
        "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"], "PreventUserExistenceErrors": "ENABLED",
        "ReadAttributes": ["email", "name"], "WriteAttributes": ["name"], "AuthSessionValidity": 5,
        "EnableTokenRevocation": false, "CallbackURLs": ["https://shop.example/in", "http://localhost:3000/in"],
        "RefreshTokenRotation": { "Feature": "ENABLED", "RetryGracePeriodSeconds": 15 }
    });
    let made = make(&app, given.clone()).await;
    for (member, value) in given.as_object().unwrap() {
        if member != "GenerateSecret" {
            assert_eq!(made[member], *value, "{member}");
        }
    }
    let secret = made["ClientSecret"].as_str().unwrap();
    assert!(secret.len() == 51, "{}", secret.len());
    assert_eq!(describe(&app, &made["ClientId"]).await, made);
    let client = app.pool().client(made["ClientId"].as_str().unwrap()).unwrap().clone();
    assert_eq!(
        (
            client.access_token_seconds,
            client.id_token_seconds,
            client.refresh_token_seconds,
            client.auth_session_seconds
        ),
        (600, 1200, 7200, 300)
    );
}

story!(an_update_puts_back_what_it_does_not_name_and_keeps_the_secret);
async fn an_update_puts_back_what_it_does_not_name_and_keeps_the_secret(app: TestApp) {
    let made =
        make(&app, json!({ "GenerateSecret": true, "AccessTokenValidity": 5, "WriteAttributes": ["name"] })).await;
    let body = json!({ "UserPoolId": app.pool().id(), "ClientId": made["ClientId"], "RefreshTokenValidity": 7 });
    let updated = app.cognito_admin("UpdateUserPoolClient", body).await.json()["UserPoolClient"].clone();
    assert_eq!((updated["ClientName"].clone(), updated["RefreshTokenValidity"].clone()), (json!("web"), json!(7)));
    assert_eq!(updated["ClientSecret"], made["ClientSecret"]);
    assert_eq!((updated.get("AccessTokenValidity"), updated.get("WriteAttributes")), (None, None));
    assert_eq!(describe(&app, &made["ClientId"]).await, updated);
}

story!(a_deleted_client_is_gone_and_another_pools_was_never_there);
async fn a_deleted_client_is_gone_and_another_pools_was_never_there(app: TestApp) {
    let made = make(&app, json!({})).await;
    let id = made["ClientId"].as_str().unwrap();
    let other = app.cognito_admin("CreateUserPool", json!({ "PoolName": "other" })).await.json();
    let gone = format!("ResourceNotFoundException: User pool client {id} does not exist.");
    // K07
    for operation in ["DescribeUserPoolClient", "UpdateUserPoolClient", "DeleteUserPoolClient"] {
        let body = json!({ "UserPoolId": other["UserPool"]["Id"], "ClientId": id });
        assert_eq!(refused(&app.cognito_admin(operation, body).await), gone, "{operation}");
    }
    let body = json!({ "UserPoolId": app.pool().id(), "ClientId": id });
    assert_eq!(app.cognito_admin("DeleteUserPoolClient", body.clone()).await.whole(), (200, "{}"));
    assert_eq!(refused(&app.cognito_admin("DescribeUserPoolClient", body).await), gone);
}

story!(clients_are_listed_in_pages);
async fn clients_are_listed_in_pages(app: TestApp) {
    for _ in 0..3 {
        app.clock.advance_seconds(1);
        make(&app, json!({})).await;
    }
    let (mut seen, mut token) = (0, Value::Null);
    loop {
        let body = json!({ "UserPoolId": app.pool().id(), "MaxResults": 2, "NextToken": token });
        let page = app.cognito_admin("ListUserPoolClients", body).await.json();
        let clients = page["UserPoolClients"].as_array().unwrap();
        assert!(clients.iter().all(|client| client.as_object().unwrap().len() == 3), "{page}");
        seen += clients.len();
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(seen, app.api.pools.clients_of(app.pool().id()).await.unwrap().len());
}

story!(what_a_client_can_not_have_is_refused);
async fn what_a_client_can_not_have_is_refused(app: TestApp) {
    let urls = "InvalidParameterException: CallbackURLs and LogoutURLs must be absolute https URLs without a fragment.";
    for (body, words) in [
        (json!({ "AccessTokenValidity": 25 }), "InvalidParameterException: Invalid range for token validity."),
        (
            json!({ "AccessTokenValidity": 2, "RefreshTokenValidity": 1, "TokenValidityUnits": { "RefreshToken": "hours" } }),
            "InvalidParameterException: Invalid range for token validity.",
        ),
        (
            json!({ "ExplicitAuthFlows": ["ADMIN_NO_SRP_AUTH", "ALLOW_USER_SRP_AUTH"] }),
            "InvalidParameterException: ALLOW_ flows can not be mixed with the older ones in ExplicitAuthFlows.",
        ),
        (
            json!({ "ExplicitAuthFlows": ["ALLOW_TOKEN_EXCHANGE_DELEGATION"] }),
            "InvalidParameterException: ALLOW_TOKEN_EXCHANGE_DELEGATION is not available on this server.",
        ),
        (
            json!({ "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"], "RefreshTokenRotation": { "Feature": "ENABLED" } }),
            "InvalidParameterException: ALLOW_REFRESH_TOKEN_AUTH cannot be combined with refresh token rotation.",
        ),
        (
            json!({ "ReadAttributes": ["custom:none"] }),
            "InvalidParameterException: Invalid read attributes specified while creating a client",
        ),
        (
            json!({ "AllowedOAuthFlows": ["code"], "AllowedOAuthFlowsUserPoolClient": true }),
            "InvalidOAuthFlowException: The OAuth flow code is not available on this server.",
        ),
        (
            json!({ "SupportedIdentityProviders": ["Google"] }),
            "InvalidParameterException: Identity providers other than COGNITO are not available on this server.",
        ),
        (json!({ "CallbackURLs": ["http://shop.example/in"] }), urls),
        (json!({ "CallbackURLs": ["https://shop.example/in#x"] }), urls),
        (
            json!({ "CallbackURLs": ["https://shop.example/in"], "DefaultRedirectURI": "https://shop.example/out" }),
            "InvalidParameterException: DefaultRedirectURI must be one of CallbackURLs.",
        ),
    ] {
        let mut body = body;
        body["UserPoolId"] = json!(app.pool().id());
        body["ClientName"] = json!("web");
        assert_eq!(refused(&app.cognito_admin("CreateUserPoolClient", body.clone()).await), words, "{body}");
    }
}

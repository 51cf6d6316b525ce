//! From machine to machine: resource servers with their scopes, and the tokens that clients get for themselves, over the
//! Cognito API and at the token endpoint (contract cognito (e), (i)).

use cognate::pool::{TokenVersion, Trigger};
use serde_json::{Value, json};

use super::refused;
use crate::app::{Answer, TestApp, claims, part, story};
use crate::triggers::server::{Reply, with_hook};

const NO_CLIENT: &str = r#"{"error":"invalid_client","error_description":"Client authentication failed."}"#;
const NO_SCOPE: &str = r#"{"error":"invalid_scope","error_description":"The scope is unknown."}"#;

async fn server(app: &TestApp, operation: &str, identifier: &str, scopes: Option<Value>) -> Answer {
    let mut body = json!({ "UserPoolId": app.pool().id(), "Identifier": identifier, "Name": "orders" });
    if let Some(scopes) = scopes {
        body["Scopes"] = scopes;
    }
    app.cognito_admin(operation, body).await
}

async fn one(app: &TestApp, operation: &str, identifier: &str) -> Answer {
    app.cognito_admin(operation, json!({ "UserPoolId": app.pool().id(), "Identifier": identifier })).await
}

fn scopes(names: &[&str]) -> Option<Value> {
    let scope = |name: &&str| json!({ "ScopeName": name, "ScopeDescription": format!("may {name}") });
    Some(names.iter().map(scope).collect())
}

async fn make(app: &TestApp, mut body: Value) -> Answer {
    body["UserPoolId"] = json!(app.pool().id());
    body["ClientName"] = json!("batch");
    app.cognito_admin("CreateUserPoolClient", body).await
}

/// A client with these scopes; its id and secret.
async fn machine(app: &TestApp, scopes: &[&str]) -> (String, String) {
    let made = make(
        app,
        json!({ "GenerateSecret": true, "AllowedOAuthFlows": ["client_credentials"], "AllowedOAuthScopes": scopes,
                "AllowedOAuthFlowsUserPoolClient": true }),
    )
    .await;
    assert_eq!(made.status, 200, "{}", made.text);
    let client = made.json()["UserPoolClient"].clone();
    let text = |name: &str| client[name].as_str().unwrap().to_owned();
    (text("ClientId"), text("ClientSecret"))
}

async fn get_token(app: &TestApp, (id, secret): &(String, String), scopes: &[&str]) -> Answer {
    app.cognito("GetClientToken", json!({ "ClientId": id, "Secret": secret, "Scopes": scopes })).await
}

async fn oauth(app: &TestApp, (id, secret): &(String, String), scope: &str) -> Answer {
    let form = [("grant_type", "client_credentials"), ("scope", scope)];
    app.request(app.to("POST", "/oauth/token").form(&form).basic_auth(id, Some(secret))).await
}

fn access(answer: &Answer) -> String {
    let body = answer.json();
    let token = body["ClientAuthenticationResult"]["AccessToken"].as_str().or_else(|| body["access_token"].as_str());
    token.unwrap_or_else(|| panic!("no token in {}", answer.text)).to_owned()
}

story!(resource_servers_are_made_described_changed_and_deleted);
async fn resource_servers_are_made_described_changed_and_deleted(app: TestApp) {
    let pool = app.pool().id().to_owned();
    let identifier = "https://orders.example/v1";
    let whole = |name: &str, scopes: &str| {
        format!(
            r#"{{"ResourceServer":{{"UserPoolId":"{pool}","Identifier":"{identifier}","Name":"{name}","Scopes":[{scopes}]}}}}"#
        )
    };
    let read = r#"{"ScopeName":"read","ScopeDescription":"may read"}"#;
    let made = server(&app, "CreateResourceServer", identifier, scopes(&["read"])).await;
    assert_eq!(made.whole(), (200, whole("orders", read).as_str()));
    assert_eq!(one(&app, "DescribeResourceServer", identifier).await.whole(), (200, whole("orders", read).as_str()));
    let again = server(&app, "CreateResourceServer", identifier, None).await;
    let exists = format!("InvalidParameterException: {identifier} already exists in user pool {pool}.");
    assert_eq!(refused(&again), exists);
    // What an update does not name goes back to its default.
    let updated = server(&app, "UpdateResourceServer", identifier, None).await;
    assert_eq!(updated.whole(), (200, whole("orders", "").as_str()));
    assert_eq!(one(&app, "DeleteResourceServer", identifier).await.whole(), (200, "{}"));
    let missing = format!("ResourceNotFoundException: Resource server {identifier} does not exist.");
    assert_eq!(refused(&one(&app, "DeleteResourceServer", identifier).await), missing);
    assert_eq!(refused(&one(&app, "DescribeResourceServer", identifier).await), missing);
    assert_eq!(refused(&server(&app, "UpdateResourceServer", identifier, None).await), missing);
    let twice = server(&app, "CreateResourceServer", identifier, scopes(&["read", "read"])).await;
    let words = "InvalidParameterException: A resource server can not have the same scope twice.";
    assert_eq!(refused(&twice), words);
    let slash = refused(&server(&app, "CreateResourceServer", identifier, scopes(&["a/b"])).await);
    assert!(slash.starts_with("InvalidParameterException: 1 validation error detected: Value 'a/b' at"), "{slash}");
}

// K07
story!(resource_servers_are_a_pools_own_and_go_with_it);
async fn resource_servers_are_a_pools_own_and_go_with_it(app: TestApp) {
    let other = app.cognito_admin("CreateUserPool", json!({ "PoolName": "other" })).await.json();
    let other = other["UserPool"]["Id"].as_str().unwrap().to_owned();
    server(&app, "CreateResourceServer", "orders", scopes(&["read"])).await;
    let there = json!({ "UserPoolId": other, "Identifier": "orders" });
    let missing = "ResourceNotFoundException: Resource server orders does not exist.";
    for operation in ["DescribeResourceServer", "DeleteResourceServer"] {
        assert_eq!(refused(&app.cognito_admin(operation, there.clone()).await), missing);
    }
    let client = json!({ "UserPoolId": other, "ClientName": "batch", "AllowedOAuthScopes": ["orders/read"] });
    let words = "ScopeDoesNotExistException: Invalid scope requested: orders/read";
    assert_eq!(refused(&app.cognito_admin("CreateUserPoolClient", client).await), words);
    let own = json!({ "UserPoolId": other, "Identifier": "orders", "Name": "their orders" });
    assert_eq!(app.cognito_admin("CreateResourceServer", own).await.status, 200);
    let gone = app.cognito_admin("DeleteUserPool", json!({ "UserPoolId": other })).await;
    assert_eq!(gone.whole(), (200, "{}"));
    assert!(app.api.pools.resource_servers(&other).await.unwrap().is_empty());
    assert_eq!(one(&app, "DescribeResourceServer", "orders").await.status, 200);
    let words = format!("ResourceNotFoundException: User pool {other} does not exist.");
    assert_eq!(refused(&app.cognito_admin("DescribeResourceServer", there).await), words);
}

story!(resource_servers_are_listed_in_pages);
async fn resource_servers_are_listed_in_pages(app: TestApp) {
    for identifier in ["b", "a", "c"] {
        server(&app, "CreateResourceServer", identifier, None).await;
        app.clock.advance_seconds(1);
    }
    let list = async |most: Option<u32>, token: Option<&Value>| {
        let body = json!({ "UserPoolId": app.pool().id(), "MaxResults": most, "NextToken": token });
        let page = app.cognito_admin("ListResourceServers", body).await.json();
        let names = |page: &Value| {
            let servers = page["ResourceServers"].as_array().unwrap().clone();
            servers.iter().map(|server| server["Identifier"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        (names(&page), page.get("NextToken").cloned())
    };
    assert_eq!(list(None, None).await, (vec!["b".to_owned(), "a".to_owned(), "c".to_owned()], None));
    let (first, token) = list(Some(2), None).await;
    assert_eq!(first, ["b", "a"]);
    assert_eq!(list(Some(2), token.as_ref()).await, (vec!["c".to_owned()], None));
    // P02: a token of another list.
    let body = json!({ "UserPoolId": app.pool().id(), "NextToken": token });
    let words = "InvalidParameterException: Token is not one of this list";
    assert_eq!(refused(&app.cognito_admin("ListUserPoolClients", body).await), words);
}

story!(a_client_gets_a_token_of_its_own);
async fn a_client_gets_a_token_of_its_own(app: TestApp) {
    server(&app, "CreateResourceServer", "orders", scopes(&["read", "write"])).await;
    let client = machine(&app, &["orders/write", "orders/read"]).await;
    let by_api = get_token(&app, &client, &[]).await;
    let token = access(&by_api);
    let whole = format!(
        r#"{{"ClientAuthenticationResult":{{"AccessToken":"{token}","ExpiresIn":3600,"TokenType":"Bearer"}}}}"#
    );
    assert_eq!(by_api.whole(), (200, whole.as_str()));
    let by_oauth = oauth(&app, &client, "").await;
    let other = access(&by_oauth);
    let whole = format!(
        r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"{other}","scope":"orders/read orders/write"}}"#
    );
    assert_eq!(by_oauth.whole(), (200, whole.as_str()));
    for token in [&token, &other] {
        let said = claims(token);
        assert_eq!(
            said,
            json!({
                "sub": client.0, "token_use": "access", "scope": "orders/read orders/write", "version": 2,
                "auth_time": 1_795_262_400, "iat": 1_795_262_400, "exp": 1_795_266_000, "iss": app.pool().issuer(),
                "jti": said["jti"], "client_id": client.0
            })
        );
        assert_eq!(part(token, 0).as_object().unwrap().len(), 2);
    }
    assert_ne!(claims(&token)["jti"], claims(&other)["jti"]);
    // A signature is not needed, and does no harm.
    let signed = json!({ "ClientId": client.0, "Secret": client.1 });
    assert_eq!(app.cognito_admin("GetClientToken", signed).await.status, 200);
    // It opens nothing of a user's.
    let words = "NotAuthorizedException: Access Token does not have required scopes";
    for operation in ["GetUser", "GlobalSignOut", "ListUserSessions", "DeleteUser"] {
        assert_eq!(refused(&app.cognito(operation, json!({ "AccessToken": token })).await), words, "{operation}");
    }
    app.clock.advance_seconds(3600);
    let words = "NotAuthorizedException: Access Token has expired";
    assert_eq!(refused(&app.cognito("GetUser", json!({ "AccessToken": token })).await), words);
}

story!(a_client_gets_the_scopes_that_it_asks_for_and_may_have);
async fn a_client_gets_the_scopes_that_it_asks_for_and_may_have(app: TestApp) {
    server(&app, "CreateResourceServer", "orders", scopes(&["read", "write", "delete"])).await;
    server(&app, "CreateResourceServer", "stock", scopes(&["read"])).await;
    let client = machine(&app, &["orders/read", "orders/write", "stock/read"]).await;
    for (asked, given) in
        [(["stock/read"].as_slice(), "stock/read"), (&["orders/write", "orders/read"], "orders/read orders/write")]
    {
        assert_eq!(claims(&access(&get_token(&app, &client, asked).await))["scope"], given);
        let answer = oauth(&app, &client, &asked.join(" ")).await;
        assert_eq!(
            (answer.json()["scope"].clone(), claims(&access(&answer))["scope"].clone()),
            (json!(given), json!(given))
        );
    }
    for refused_scope in ["orders/delete", "orders/none", "none/read", "openid", "aws.cognito.signin.user.admin"] {
        let answer = get_token(&app, &client, &["orders/read", refused_scope]).await;
        assert_eq!(refused(&answer), format!("InvalidParameterException: Invalid scope requested: {refused_scope}"));
        let answer = oauth(&app, &client, &format!("orders/read {refused_scope}")).await;
        assert_eq!(answer.whole(), (400, NO_SCOPE), "{refused_scope}");
    }
}

story!(a_scope_that_is_taken_away_is_granted_no_longer);
async fn a_scope_that_is_taken_away_is_granted_no_longer(app: TestApp) {
    server(&app, "CreateResourceServer", "orders", scopes(&["read", "write"])).await;
    server(&app, "CreateResourceServer", "stock", scopes(&["read"])).await;
    let client = machine(&app, &["orders/read", "orders/write", "stock/read"]).await;
    server(&app, "UpdateResourceServer", "orders", scopes(&["read"])).await;
    for _ in app.replicas() {
        assert_eq!(oauth(&app, &client, "").await.json()["scope"], "orders/read stock/read");
        assert_eq!(oauth(&app, &client, "orders/write").await.whole(), (400, NO_SCOPE));
    }
    one(&app, "DeleteResourceServer", "orders").await;
    assert_eq!(claims(&access(&get_token(&app, &client, &[]).await))["scope"], "stock/read");
    // The client may stay as it is, and can not be given what is gone.
    let update = json!({ "UserPoolId": app.pool().id(), "ClientId": client.0, "AllowedOAuthFlowsUserPoolClient": true,
                         "AllowedOAuthFlows": ["client_credentials"], "AllowedOAuthScopes": ["orders/read"] });
    let words = "ScopeDoesNotExistException: Invalid scope requested: orders/read";
    assert_eq!(refused(&app.cognito_admin("UpdateUserPoolClient", update.clone()).await), words);
    one(&app, "DeleteResourceServer", "stock").await;
    for _ in app.replicas() {
        let words = "InvalidParameterException: The client has no scope.";
        assert_eq!(refused(&get_token(&app, &client, &[]).await), words);
        assert_eq!(oauth(&app, &client, "").await.whole(), (400, NO_SCOPE));
    }
    // A client that is changed is another at once, in every replica.
    server(&app, "CreateResourceServer", "orders", scopes(&["read"])).await;
    assert_eq!(app.cognito_admin("UpdateUserPoolClient", update).await.status, 200);
    for _ in app.replicas() {
        assert_eq!(oauth(&app, &client, "").await.json()["scope"], "orders/read");
    }
    let none = json!({ "UserPoolId": app.pool().id(), "ClientId": client.0 });
    let closed = app.cognito_admin("UpdateUserPoolClient", none).await.json()["UserPoolClient"].clone();
    assert_eq!(closed["AllowedOAuthFlowsUserPoolClient"], false);
    assert_eq!((closed.get("AllowedOAuthFlows"), closed.get("AllowedOAuthScopes")), (None, None));
    for _ in app.replicas() {
        let words = "InvalidParameterException: Auth flow not enabled for this client";
        assert_eq!(refused(&get_token(&app, &client, &[]).await), words);
        let words = r#"{"error":"unauthorized_client","error_description":"The client may not use this grant type."}"#;
        assert_eq!(oauth(&app, &client, "").await.whole(), (400, words));
    }
}

// K06
story!(a_token_of_a_client_needs_its_secret);
async fn a_token_of_a_client_needs_its_secret(app: TestApp) {
    server(&app, "CreateResourceServer", "orders", scopes(&["read"])).await;
    let (id, secret) = machine(&app, &["orders/read"]).await;
    let (_, others) = machine(&app, &["orders/read"]).await;
    let wrong = format!("NotAuthorizedException: Unable to verify secret for client {id}");
    for guess in [&others, &secret.to_uppercase(), &secret[1..], &format!("{secret}x")] {
        let guess = (id.clone(), guess.to_owned());
        assert_eq!(refused(&get_token(&app, &guess, &[]).await), wrong);
        let answer = oauth(&app, &guess, "").await;
        assert_eq!(answer.whole(), (401, NO_CLIENT));
        assert_eq!(answer.header("www-authenticate"), Some(r#"Basic realm="oauth""#));
    }
    let public = app.client().id;
    let answer = get_token(&app, &(public.clone(), secret.clone()), &[]).await;
    assert_eq!(refused(&answer), format!("NotAuthorizedException: Unable to verify secret for client {public}"));
    let nobody = ("0123456789abcdefghijklmnop".to_owned(), secret.clone());
    let words = "ResourceNotFoundException: User pool client 0123456789abcdefghijklmnop does not exist.";
    assert_eq!(refused(&get_token(&app, &nobody, &[]).await), words);
    assert_eq!(oauth(&app, &nobody, "").await.whole(), (401, NO_CLIENT));
    // In the body, and nothing at all.
    let form = [("grant_type", "client_credentials"), ("client_id", id.as_str())];
    let with = [&form[..], &[("client_secret", secret.as_str())]].concat();
    assert_eq!(app.request(app.to("POST", "/oauth/token").form(&with)).await.status, 200);
    assert_eq!(app.request(app.to("POST", "/oauth/token").form(&form)).await.whole(), (400, NO_CLIENT));
    // Nor does anybody refresh in its name without it.
    app.user("alice").await;
    let password = [("grant_type", "password"), ("username", "alice"), ("password", crate::app::PASSWORD)];
    let answer = app.request(app.to("POST", "/oauth/token").form(&password).basic_auth(&id, Some(&secret))).await;
    let words = r#"{"error":"unauthorized_client","error_description":"The client may not use this grant type."}"#;
    assert_eq!(answer.whole(), (400, words));
    let deleted = json!({ "UserPoolId": app.pool().id(), "ClientId": id });
    assert_eq!(app.cognito_admin("DeleteUserPoolClient", deleted).await.whole(), (200, "{}"));
    for _ in app.replicas() {
        let words = format!("ResourceNotFoundException: User pool client {id} does not exist.");
        assert_eq!(refused(&get_token(&app, &(id.clone(), secret.clone()), &[]).await), words);
        assert_eq!(oauth(&app, &(id.clone(), secret.clone()), "").await.whole(), (401, NO_CLIENT));
    }
}

story!(flows_scopes_and_secret_of_a_client_go_together);
async fn flows_scopes_and_secret_of_a_client_go_together(app: TestApp) {
    server(&app, "CreateResourceServer", "orders", scopes(&["read"])).await;
    let both = "InvalidOAuthFlowException: AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is \
                allowed to use OAuth flows.";
    for (flows, scopes, on, secret, words) in [
        (json!([]), json!([]), true, true, both),
        (json!([]), json!(["orders/read"]), true, true, both),
        (json!(["client_credentials"]), json!([]), true, true, both),
        (
            json!(["client_credentials"]),
            json!(["orders/read"]),
            false,
            true,
            "InvalidOAuthFlowException: AllowedOAuthFlows can not be used without AllowedOAuthFlowsUserPoolClient.",
        ),
        (
            json!(["client_credentials"]),
            json!(["orders/read"]),
            true,
            false,
            "InvalidOAuthFlowException: client_credentials flow can not be selected if client does not have a client \
             secret.",
        ),
        (
            json!(["client_credentials"]),
            json!(["orders/read", "openid"]),
            true,
            true,
            "InvalidOAuthFlowException: client_credentials flow can not be selected with scopes that are not of a \
             resource server.",
        ),
        (
            json!(["client_credentials", "code"]),
            json!(["orders/read"]),
            true,
            true,
            "InvalidOAuthFlowException: The OAuth flow code is not available on this server.",
        ),
        (
            json!(["client_credentials"]),
            json!(["orders/write"]),
            true,
            true,
            "ScopeDoesNotExistException: Invalid scope requested: orders/write",
        ),
        (json!([]), json!(["unknown"]), false, true, "ScopeDoesNotExistException: Invalid scope requested: unknown"),
    ] {
        let body = json!({ "GenerateSecret": secret, "AllowedOAuthFlows": flows, "AllowedOAuthScopes": scopes,
                           "AllowedOAuthFlowsUserPoolClient": on });
        assert_eq!(refused(&make(&app, body).await), words);
    }
    let kept = make(&app, json!({ "AllowedOAuthScopes": ["openid", "orders/read"] })).await.json();
    assert_eq!(kept["UserPoolClient"]["AllowedOAuthScopes"], json!(["openid", "orders/read"]));
    // An update is judged by the secret that the client has.
    let update = json!({ "UserPoolId": app.pool().id(), "ClientId": kept["UserPoolClient"]["ClientId"],
                         "AllowedOAuthFlows": ["client_credentials"], "AllowedOAuthScopes": ["orders/read"],
                         "AllowedOAuthFlowsUserPoolClient": true });
    let words = "InvalidOAuthFlowException: client_credentials flow can not be selected if client does not have a \
                 client secret.";
    assert_eq!(refused(&app.cognito_admin("UpdateUserPoolClient", update).await), words);
}

story!(version_3_of_the_token_trigger_hears_of_the_tokens_of_clients, super::with_hook);
async fn version_3_of_the_token_trigger_hears_of_the_tokens_of_clients(app: TestApp) {
    server(&app, "CreateResourceServer", "orders", scopes(&["read", "write"])).await;
    let client = machine(&app, &["orders/read", "orders/write"]).await;
    app.have_triggers(&[Trigger::PreTokenGeneration]).await;
    app.on(
        "TokenGeneration",
        Reply::Fill(json!({ "claimsAndScopeOverrideDetails": { "accessTokenGeneration": {
            "claimsToAddOrOverride": { "region": "north", "sub": "somebody", "username": "alice" },
            "scopesToAdd": ["orders/see", "aws.cognito.signin.user.admin"], "scopesToSuppress": ["orders/write"]
        } } })),
    );
    let version = async |version| app.change_pool(move |pool| pool.triggers.token_version = Some(version)).await;
    version(TokenVersion::V2).await;
    assert_eq!(claims(&access(&get_token(&app, &client, &[]).await))["scope"], "orders/read orders/write");
    assert!(app.heard().is_empty());
    version(TokenVersion::V3).await;
    let body = json!({ "ClientId": client.0, "Secret": client.1, "ClientMetadata": { "from": "batch" } });
    let token = access(&app.cognito("GetClientToken", body).await);
    let told = claims(&token);
    assert_eq!((&told["region"], &told["sub"], told.get("username")), (&json!("north"), &json!(client.0), None));
    assert_eq!(told["scope"], "orders/read orders/see", "the scope of our own API is not a hook's to give");
    let opened = app.cognito("GetUser", json!({ "AccessToken": token })).await;
    assert_eq!(refused(&opened), "NotAuthorizedException: Access Token does not have required scopes");
    let heard = app.heard();
    assert_eq!(heard[0]["triggerSource"], "TokenGeneration_ClientCredentials");
    assert_eq!((&heard[0]["version"], &heard[0]["userName"]), (&json!("3"), &json!(client.0)));
    assert_eq!(
        heard[0]["request"],
        json!({
            "userAttributes": {}, "scopes": ["orders/read", "orders/write"], "clientMetadata": { "from": "batch" },
            "groupConfiguration": { "groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": null }
        })
    );
    // What the token endpoint says of the scope is what the token has.
    assert_eq!(oauth(&app, &client, "orders/read").await.json()["scope"], "orders/read orders/see");
    app.on("TokenGeneration", Reply::Refuse("closed on sundays"));
    let words = "UserLambdaValidationException: PreTokenGeneration failed with error closed on sundays.";
    assert_eq!(refused(&get_token(&app, &client, &[]).await), words);
    assert_eq!(oauth(&app, &client, "").await.status, 400);
}

// The endpoint is there for app clients, whatever else is served.
story!(the_token_endpoint_goes_with_the_cognito_api, |config| {
    config.compat.amadis = false;
    config.compat.account = cognate::config::AccountApi::Off;
});
async fn the_token_endpoint_goes_with_the_cognito_api(app: TestApp) {
    server(&app, "CreateResourceServer", "orders", scopes(&["read"])).await;
    let client = machine(&app, &["orders/read"]).await;
    assert_eq!(oauth(&app, &client, "").await.status, 200);
}

//! PreTokenGeneration in its three versions.

use cognate::pool::Trigger::PreTokenGeneration;
use cognate::pool::client::Rotation;
use cognate::pool::{NewGroup, TokenVersion};
use serde_json::{Value, json};

use super::server::{ARN, Reply, with_hook};
use super::{PASSWORD, admin, call, refused, result, sign_in, user};
use crate::app::{Answer, TestApp, claims, story};

const SCOPE: &str = "aws.cognito.signin.user.admin";

async fn with_version(app: &TestApp, version: TokenVersion) {
    app.have_triggers(&[PreTokenGeneration]).await;
    app.change_pool(|pool| pool.triggers.token_version = Some(version)).await;
    user(app, "alice").await;
    for name in ["staff", "admin"] {
        app.pool().create_group(NewGroup { name: name.to_owned(), ..NewGroup::default() }).await.unwrap();
    }
    app.pool().add_to_group("staff", "alice").await.unwrap();
}

fn both(answer: &Answer) -> (Value, Value) {
    (claims(&result(answer, "IdToken")), claims(&result(answer, "AccessToken")))
}

story!(version_1_writes_strings_into_the_id_token, super::with_hook);
async fn version_1_writes_strings_into_the_id_token(app: TestApp) {
    with_version(&app, TokenVersion::V1).await;
    app.on(
        "TokenGeneration",
        Reply::Fill(json!({ "claimsOverrideDetails": {
            "claimsToAddOrOverride": { "plan": "gold", "email": "other@example.test" },
            "claimsToSuppress": ["email_verified"], "groupOverrideDetails": null
        } })),
    );
    let (id, access) = both(&sign_in(&app, "alice", PASSWORD).await);
    assert_eq!(
        (&id["plan"], &id["email"], id.get("email_verified")),
        (&json!("gold"), &json!("other@example.test"), None)
    );
    assert_eq!((access.get("plan"), &access["cognito:groups"]), (None, &json!(["staff"])));
    let heard = app.heard();
    assert_eq!(
        (heard[0]["version"].as_str(), heard[0]["triggerSource"].as_str()),
        (Some("1"), Some("TokenGeneration_Authentication"))
    );
    assert_eq!(
        heard[0]["request"],
        json!({
            "userAttributes": heard[0]["request"]["userAttributes"],
            "groupConfiguration": { "groupsToOverride": ["staff"], "iamRolesToOverride": [], "preferredRole": null },
            "clientMetadata": null
        })
    );
    assert_eq!(heard[0]["response"], json!({ "claimsOverrideDetails": null }));
    // What is no string is none of this version.
    let details = json!({ "claimsToAddOrOverride": { "level": 7 } });
    app.on("TokenGeneration", Reply::Fill(json!({ "claimsOverrideDetails": details })));
    let malformed = "InvalidLambdaResponseException: Unrecognizable lambda output";
    assert_eq!(refused(&sign_in(&app, "alice", PASSWORD).await), malformed);
}

story!(version_2_writes_anything_into_both_tokens, super::with_hook);
async fn version_2_writes_anything_into_both_tokens(app: TestApp) {
    with_version(&app, TokenVersion::V2).await;
    app.on(
        "TokenGeneration",
        Reply::Fill(json!({ "claimsAndScopeOverrideDetails": {
            "idTokenGeneration": { "claimsToAddOrOverride": { "plan": { "name": "gold", "seats": 7 } }, "claimsToSuppress": ["email"] },
            "accessTokenGeneration": {
                "claimsToAddOrOverride": { "tenant": ["a", "b"], "beta": true }, "claimsToSuppress": ["beta"],
                "scopesToAdd": ["shop:read", "shop:write", SCOPE], "scopesToSuppress": ["shop:write"]
            },
            "groupOverrideDetails": { "groupsToOverride": ["a", "b"], "iamRolesToOverride": ["arn:r"], "preferredRole": "arn:r" }
        } })),
    );
    let answer = sign_in(&app, "alice", PASSWORD).await;
    let (id, access) = both(&answer);
    assert_eq!((&id["plan"], id.get("email")), (&json!({ "name": "gold", "seats": 7 }), None));
    assert_eq!((&id["cognito:groups"], &id["cognito:roles"]), (&json!(["a", "b"]), &json!(["arn:r"])));
    assert_eq!((&access["tenant"], access.get("beta")), (&json!(["a", "b"]), None));
    assert_eq!(
        (&access["scope"], &access["cognito:groups"]),
        (&json!(format!("{SCOPE} shop:read")), &json!(["a", "b"]))
    );
    let heard = app.heard();
    assert_eq!((heard[0]["version"].as_str(), &heard[0]["request"]["scopes"]), (Some("2"), &json!([SCOPE])));
    // It is a token of ours all the same; a group that it only names gives its holder no rights here.
    assert!(app.accepts(&result(&answer, "AccessToken")).await);
    assert_eq!(app.pool().find_user("alice").await.unwrap().groups, ["staff"]);
}

// No answer of a hook makes a token of another user, client, session or pool, or one that lives longer.
story!(what_a_token_is_of_and_how_long_it_lives_is_no_hooks_to_say, super::with_hook);
async fn what_a_token_is_of_and_how_long_it_lives_is_no_hooks_to_say(app: TestApp) {
    with_version(&app, TokenVersion::V3).await;
    let (id, access) = both(&sign_in(&app, "alice", PASSWORD).await);
    let fixed = [
        "iss",
        "aud",
        "sub",
        "exp",
        "iat",
        "nbf",
        "auth_time",
        "token_use",
        "jti",
        "origin_jti",
        "event_id",
        "client_id",
        "username",
        "cognito:username",
        "cognito:groups",
        "scope",
        "version",
        "nonce",
        "at_hash",
        "identities",
        "device_key",
    ];
    let add: serde_json::Map<String, Value> = fixed.iter().map(|name| ((*name).to_owned(), json!("other"))).collect();
    let changes = json!({ "claimsToAddOrOverride": add, "claimsToSuppress": fixed });
    let details = json!({ "idTokenGeneration": changes, "accessTokenGeneration": changes });
    app.on("TokenGeneration", Reply::Fill(json!({ "claimsAndScopeOverrideDetails": details })));
    let (mut other_id, mut other_access) = both(&sign_in(&app, "alice", PASSWORD).await);
    for (before, after) in [(&id, &mut other_id), (&access, &mut other_access)] {
        for own in ["jti", "origin_jti", "event_id"] {
            assert_eq!(after[own].as_str().unwrap().len(), 36, "{own}");
            after[own] = before[own].clone();
        }
        assert_eq!(before, after);
    }
    assert_eq!(app.heard()[0]["version"], "3");
}

story!(a_token_that_would_gain_too_much_or_a_scope_that_is_none_is_refused, super::with_hook);
async fn a_token_that_would_gain_too_much_or_a_scope_that_is_none_is_refused(app: TestApp) {
    with_version(&app, TokenVersion::V2).await;
    let malformed = "InvalidLambdaResponseException: Unrecognizable lambda output";
    for access in [
        json!({ "claimsToAddOrOverride": { "much": "x".repeat(10_000) } }),
        json!({ "scopesToAdd": vec!["shop:read"; 1000] }),
        json!({ "scopesToAdd": ["a b"] }),
        json!({ "scopesToAdd": [""] }),
        json!({ "scopesToAdd": [7] }),
        json!({ "claimsToSuppress": "all" }),
    ] {
        let details = json!({ "accessTokenGeneration": access });
        app.on("TokenGeneration", Reply::Fill(json!({ "claimsAndScopeOverrideDetails": details })));
        assert_eq!(refused(&sign_in(&app, "alice", PASSWORD).await), malformed, "{access:.60}");
    }
    let groups = json!({ "groupsToOverride": vec!["a group"; 2000] });
    app.on(
        "TokenGeneration",
        Reply::Fill(json!({ "claimsAndScopeOverrideDetails": { "groupOverrideDetails": groups } })),
    );
    assert_eq!(refused(&sign_in(&app, "alice", PASSWORD).await), malformed);
    // An empty object takes all groups away.
    app.on("TokenGeneration", Reply::Fill(json!({ "claimsAndScopeOverrideDetails": { "groupOverrideDetails": {} } })));
    let (id, access) = both(&sign_in(&app, "alice", PASSWORD).await);
    assert_eq!((id.get("cognito:groups"), access.get("cognito:groups")), (None, None));
}

story!(a_refresh_asks_anew_and_a_hook_that_is_away_moves_no_token, super::with_hook);
async fn a_refresh_asks_anew_and_a_hook_that_is_away_moves_no_token(app: TestApp) {
    with_version(&app, TokenVersion::V1).await;
    app.change_client(|client| client.rotation = Some(Rotation { grace_seconds: 10 })).await;
    let token = result(&sign_in(&app, "alice", PASSWORD).await, "RefreshToken");
    app.heard();
    let refresh = async |token: &str| {
        let body = json!({ "RefreshToken": token, "ClientMetadata": { "said": "at a refresh" } });
        call(&app, "GetTokensFromRefreshToken", body).await
    };
    app.on("TokenGeneration", Reply::Leave);
    for _ in 0..2 {
        let away = "UnexpectedLambdaException: PreTokenGeneration could not be called.";
        assert_eq!(refused(&refresh(&token).await), away);
        app.clock.advance_seconds(60);
    }
    app.heard();
    let details = json!({ "claimsToAddOrOverride": { "plan": "gold" } });
    app.on("TokenGeneration", Reply::Fill(json!({ "claimsOverrideDetails": details })));
    let refreshed = refresh(&token).await;
    assert_eq!(claims(&result(&refreshed, "IdToken"))["plan"], "gold");
    let heard = app.heard();
    assert_eq!((heard.len(), heard[0]["triggerSource"].as_str()), (1, Some("TokenGeneration_RefreshTokens")));
    assert_eq!(heard[0]["request"]["clientMetadata"], json!({ "said": "at a refresh" }));
    // A retry within the grace gets the same successor, with tokens that were asked about themselves.
    let again = refresh(&token).await;
    assert_eq!(result(&again, "RefreshToken"), result(&refreshed, "RefreshToken"));
    assert_eq!(app.heard().len(), 1);
    app.on("TokenGeneration", Reply::Refuse("not today"));
    let words = "UserLambdaValidationException: PreTokenGeneration failed with error not today.";
    assert_eq!(refused(&refresh(&token).await), words);
    assert!(app.accepts(&result(&again, "AccessToken")).await);
}

// S22: a slow hook is no way around a disabling.
#[tokio::test]
async fn whoever_is_disabled_while_the_hook_is_asked_gets_no_tokens() {
    let app = TestApp::start_with(with_hook).await;
    with_version(&app, TokenVersion::V1).await;
    let token = app.login("alice", PASSWORD).await.field("refresh_token");
    let (pool, runtime) = (app.pool(), tokio::runtime::Handle::current());
    app.on_event("TokenGeneration", move |_| {
        runtime.block_on(pool.disable_user("alice")).unwrap();
        Reply::Fill(json!({}))
    });
    assert_eq!(app.refresh("alice", &token).await.whole(), (401, r#"{"status":401,"message":"Unauthorized."}"#));
    app.pool().enable_user("alice").await.unwrap();
    let answer = app.login("alice", PASSWORD).await;
    assert!(!app.accepts(&answer.field("access_token")).await);
}

story!(the_version_is_said_with_the_function_and_alone_it_is_the_first, super::with_hook);
async fn the_version_is_said_with_the_function_and_alone_it_is_the_first(app: TestApp) {
    let described =
        async || admin(&app, "DescribeUserPool", json!({})).await.json()["UserPool"]["LambdaConfig"].clone();
    let set = async |config: Value| admin(&app, "UpdateUserPool", json!({ "LambdaConfig": config })).await;
    let config = json!({ "LambdaVersion": "V2_0", "LambdaArn": ARN });
    assert_eq!(set(json!({ "PreTokenGenerationConfig": config })).await.whole(), (200, "{}"));
    assert_eq!(described().await, json!({ "PreTokenGeneration": ARN, "PreTokenGenerationConfig": config }));
    let both = described().await;
    assert_eq!(set(both.clone()).await.whole(), (200, "{}"));
    assert_eq!(described().await, both);
    let other = "arn:aws:lambda:us-east-1:123456789012:function:everything:2";
    let differ = json!({ "PreTokenGeneration": other, "PreTokenGenerationConfig": config });
    let words = "InvalidParameterException: LambdaConfig.PreTokenGeneration and PreTokenGenerationConfig name different functions.";
    assert_eq!(refused(&set(differ).await), words);
    assert_eq!(set(json!({ "PreTokenGeneration": ARN })).await.whole(), (200, "{}"));
    assert_eq!(described().await, json!({ "PreTokenGeneration": ARN }));
}

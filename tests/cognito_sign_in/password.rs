//! USER_PASSWORD_AUTH, and what keeps a flow from beginning.

use std::collections::BTreeSet;

use cognate::pool::NewUser;
use cognate::pool::client::AuthFlow;
use serde_json::{Value, json};

use super::{WRONG, call, initiate, refused, result, sign_in};
use crate::app::{PASSWORD, TestApp, claims, part, story};

story!(a_password_yields_tokens_as_cognito_has_them);
async fn a_password_yields_tokens_as_cognito_has_them(app: TestApp) {
    app.user("alice").await;
    let answer = sign_in(&app, "alice@example.test", PASSWORD).await;
    let [access, refresh, id] = ["AccessToken", "RefreshToken", "IdToken"].map(|name| result(&answer, name));
    let whole = format!(
        r#"{{"ChallengeParameters":{{}},"AuthenticationResult":{{"AccessToken":"{access}","ExpiresIn":86400,"TokenType":"Bearer","RefreshToken":"{refresh}","IdToken":"{id}"}}}}"#
    );
    assert_eq!(answer.whole(), (200, whole.as_str()));
    assert!(app.accepts(&access).await);
    // §0.7
    assert!(claims(&id).get("at_hash").is_none());
    let header: BTreeSet<String> = part(&access, 0).as_object().unwrap().keys().cloned().collect();
    assert_eq!(header, BTreeSet::from(["alg".to_owned(), "kid".to_owned()]));
}

// Cognito's clients send `null` for what they do not have (§0.1), and parameters that nobody asked for.
story!(nulls_and_unknown_parameters_count_for_nothing);
async fn nulls_and_unknown_parameters_count_for_nothing(app: TestApp) {
    app.user("alice").await;
    let parameters = json!({ "USERNAME": "alice", "PASSWORD": PASSWORD, "DEVICE_KEY": null, "OTHER": "x" });
    assert_eq!(initiate(&app, "USER_PASSWORD_AUTH", parameters).await.status, 200);
}

story!(tokens_of_a_client_without_revocation_do_not_name_their_session);
async fn tokens_of_a_client_without_revocation_do_not_name_their_session(app: TestApp) {
    app.change_client(|client| {
        client.revocation = false;
        client.read_attributes = Some(BTreeSet::from(["email".to_owned()]));
    })
    .await;
    app.user("alice").await;
    let answer = sign_in(&app, "alice", PASSWORD).await;
    for token in ["AccessToken", "IdToken"].map(|name| claims(&result(&answer, name))) {
        assert!(token.get("origin_jti").is_none() && token.get("jti").is_none(), "{token}");
    }
    let id = claims(&result(&answer, "IdToken"));
    assert!(id.get("email").is_some() && id.get("email_verified").is_none(), "what the client may not read");
    let access = result(&answer, "AccessToken");
    assert!(app.accepts(&access).await);
    assert_eq!(call(&app, "GlobalSignOut", json!({ "AccessToken": access })).await.whole(), (200, "{}"));
    assert!(!app.accepts(&access).await);
    let token = json!({ "Token": result(&answer, "RefreshToken"), "ClientId": app.client().id });
    let words = "UnsupportedOperationException: Token revocation is not enabled for this client";
    assert_eq!(refused(&call(&app, "RevokeToken", token).await), words);
}

story!(what_keeps_a_flow_from_beginning_is_said_in_cognitos_words);
async fn what_keeps_a_flow_from_beginning_is_said_in_cognitos_words(app: TestApp) {
    app.user("alice").await;
    let both = json!({ "USERNAME": "alice", "PASSWORD": PASSWORD });
    let nobody = json!({ "ClientId": "0123456789abcdefghijklmnop", "AuthFlow": "USER_PASSWORD_AUTH" });
    let words = "ResourceNotFoundException: User pool client 0123456789abcdefghijklmnop does not exist.";
    assert_eq!(refused(&call(&app, "InitiateAuth", nobody).await), words);
    let cases: [(&str, Value, &str); 8] = [
        ("USER_PASSWORD_AUTH", json!({ "PASSWORD": "x" }), "Missing required parameter USERNAME"),
        ("USER_PASSWORD_AUTH", json!({ "USERNAME": "alice" }), "Missing required parameter PASSWORD"),
        ("REFRESH_TOKEN_AUTH", json!({}), "Missing required parameter REFRESH_TOKEN"),
        ("ADMIN_USER_PASSWORD_AUTH", both.clone(), "Initiate Auth method not supported."),
        ("ADMIN_NO_SRP_AUTH", both.clone(), "Initiate Auth method not supported."),
        ("USER_SRP_AUTH", json!({ "USERNAME": "alice", "SRP_A": "2" }), "USER_SRP_AUTH is not enabled for the client."),
        ("CUSTOM_AUTH", both.clone(), "CUSTOM_AUTH flow not enabled for this client"),
        ("USER_AUTH", both.clone(), "USER_AUTH flow not enabled for this client"),
    ];
    for (flow, parameters, words) in cases {
        let answer = initiate(&app, flow, parameters).await;
        assert_eq!(refused(&answer), format!("InvalidParameterException: {words}"), "{flow}");
    }
    app.change_client(|client| {
        client.auth_flows = Some(BTreeSet::from([AuthFlow::AllowCustomAuth, AuthFlow::AllowUserAuth]))
    })
    .await;
    for (flow, words) in [
        ("USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH flow not enabled for this client"),
        ("REFRESH_TOKEN", "REFRESH_TOKEN_AUTH flow not enabled for this client"),
        ("CUSTOM_AUTH", "Custom auth lambda trigger is not configured for the user pool."),
    ] {
        let answer = initiate(&app, flow, both.clone()).await;
        assert_eq!(refused(&answer), format!("InvalidParameterException: {words}"), "{flow}");
    }
}

story!(who_does_not_exist_is_hidden_where_client_or_pool_say_so);
async fn who_does_not_exist_is_hidden_where_client_or_pool_say_so(app: TestApp) {
    app.user("alice").await;
    let hidden = [sign_in(&app, "nobody", PASSWORD).await, sign_in(&app, "alice", "not the password").await];
    assert_eq!(hidden.map(|answer| refused(&answer)), [WRONG, WRONG]);
    app.change_client(|client| client.hide_user_existence = Some(false)).await;
    let words = "UserNotFoundException: User does not exist.";
    assert_eq!(refused(&sign_in(&app, "nobody", PASSWORD).await), words);
    assert_eq!(refused(&sign_in(&app, "alice", "not the password").await), WRONG);
    app.change_pool(|pool| pool.hide_user_existence = false).await;
    app.change_client(|client| client.hide_user_existence = Some(true)).await;
    assert_eq!(refused(&sign_in(&app, "nobody", PASSWORD).await), WRONG);
}

story!(a_standing_is_told_to_whoever_knows_the_password_and_to_nobody_else);
async fn a_standing_is_told_to_whoever_knows_the_password_and_to_nobody_else(app: TestApp) {
    let pool = app.pool();
    for name in ["disabled", "reset", "late"] {
        let email = Some(format!("{name}@example.test"));
        let draft = NewUser { temporary: name == "late", email, ..NewUser::new(name, PASSWORD) };
        pool.create_user(draft).await.unwrap();
    }
    pool.disable_user("disabled").await.unwrap();
    pool.reset_user(&app.client(), "reset").await.unwrap();
    app.clock.advance_seconds(7 * 24 * 3600);
    for (name, words) in [
        ("disabled", "NotAuthorizedException: User is disabled."),
        ("reset", "PasswordResetRequiredException: Password reset required for the user"),
        ("late", "NotAuthorizedException: Temporary password has expired and must be reset by an administrator."),
    ] {
        assert_eq!(refused(&sign_in(&app, name, "not the password").await), WRONG, "{name}");
        assert_eq!(refused(&sign_in(&app, name, PASSWORD).await), words);
    }
}

// K12
story!(wrong_passwords_count_alike_on_every_way);
async fn wrong_passwords_count_alike_on_every_way(app: TestApp) {
    app.user("alice").await;
    for turn in 0..5 {
        if turn % 2 == 0 {
            assert_eq!(refused(&sign_in(&app, "alice", "not the password").await), WRONG);
        } else {
            assert_eq!(app.login("alice", "not the password").await.status, 401);
        }
    }
    let locked = sign_in(&app, "alice", PASSWORD).await;
    assert_eq!(refused(&locked), "NotAuthorizedException: Password attempts exceeded");
    assert!(locked.header("retry-after").is_some());
    assert_eq!(app.login("alice", PASSWORD).await.status, 429);
    app.clock.advance_seconds(15 * 60);
    assert_eq!(sign_in(&app, "alice", PASSWORD).await.status, 200);
}

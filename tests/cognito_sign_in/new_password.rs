//! NEW_PASSWORD_REQUIRED, with the attributes that a pool requires.

use cognate::pool::NewUser;
use cognate::pool::schema::{Attribute, DataType};
use serde_json::{Value, json};

use super::{NO_SESSION, USED, call, refused, respond, result, sign_in};
use crate::app::{Answer, PASSWORD, TestApp, claims, story};

const TEMPORARY: &str = "temporary 7 words";
const CHALLENGE: &str = "NEW_PASSWORD_REQUIRED";

async fn asked(app: &TestApp, name: &str) -> Answer {
    let email = Some(format!("{name}@example.test"));
    let draft = NewUser { temporary: true, email, ..NewUser::new(name, TEMPORARY) };
    app.pool().create_user(draft).await.unwrap();
    sign_in(app, name, TEMPORARY).await
}

async fn requires_a_name(app: &TestApp) {
    let name = Attribute {
        name: "name".to_owned(),
        data_type: DataType::String,
        mutable: true,
        required: true,
        min: Some(0),
        max: Some(2048),
    };
    app.change_pool(|pool| pool.schema.add(name.clone()).unwrap()).await;
}

// F01
story!(a_temporary_password_has_to_be_replaced);
async fn a_temporary_password_has_to_be_replaced(app: TestApp) {
    let answer = asked(&app, "alice").await;
    let session = answer.field("Session");
    let whole = format!(
        r#"{{"ChallengeName":"NEW_PASSWORD_REQUIRED","Session":"{session}","ChallengeParameters":{{"USER_ID_FOR_SRP":"alice","requiredAttributes":"[]","userAttributes":"{{\"email\":\"alice@example.test\",\"email_verified\":\"true\"}}"}}}}"#
    );
    assert_eq!(answer.whole(), (200, whole.as_str()));
    let weak = respond(&app, CHALLENGE, Some(&session), json!({ "USERNAME": "alice", "NEW_PASSWORD": "short" })).await;
    let words = "InvalidPasswordException: Password does not conform to policy: Password not long enough";
    assert_eq!(refused(&weak), words, "the session stays");
    // What clients repeat is no change; unknown responses are ignored.
    let responses = json!({
        "USERNAME": "alice@example.test", "NEW_PASSWORD": PASSWORD, "TIMESTAMP": "now",
        "userAttributes.email": "alice@example.test"
    });
    let answer = respond(&app, CHALLENGE, Some(&session), responses.clone()).await;
    assert!(app.accepts(&result(&answer, "AccessToken")).await);
    assert_eq!(refused(&respond(&app, CHALLENGE, Some(&session), responses).await), USED);
    assert_eq!(sign_in(&app, "alice", PASSWORD).await.status, 200);
}

story!(what_the_pool_requires_is_asked_and_given_with_the_password);
async fn what_the_pool_requires_is_asked_and_given_with_the_password(app: TestApp) {
    requires_a_name(&app).await;
    let answer = asked(&app, "alice").await;
    let parameters = &answer.json()["ChallengeParameters"];
    assert_eq!(parameters["requiredAttributes"], r#"["userAttributes.name"]"#);
    let has: Value = serde_json::from_str(parameters["userAttributes"].as_str().unwrap()).unwrap();
    assert_eq!(has, json!({ "email": "alice@example.test", "email_verified": "true", "name": "" }));
    let session = answer.field("Session");
    let respond = async |attribute: &str, value: &str| {
        let mut responses = json!({ "USERNAME": "alice", "NEW_PASSWORD": PASSWORD });
        responses[format!("userAttributes.{attribute}")] = json!(value);
        respond(&app, CHALLENGE, Some(&session), responses).await
    };
    for (attribute, value, words) in [
        ("nickname", "Al", "InvalidParameterException: Invalid attributes given, name is missing"),
        ("email", "other@example.test", "NotAuthorizedException: Cannot modify an already provided email"),
        ("sub", "1", "NotAuthorizedException: A client attempted to write unauthorized attribute"),
        ("phone_number_verified", "true", "NotAuthorizedException: A client attempted to write unauthorized attribute"),
        ("custom:admin", "true", "InvalidParameterException: custom:admin is no attribute of the pool"),
    ] {
        assert_eq!(refused(&respond(attribute, value).await), words, "{attribute}");
    }
    let id = result(&respond("name", "Alice Example").await, "IdToken");
    assert_eq!(claims(&id)["name"], "Alice Example");
}

// K08
story!(a_client_writes_only_what_it_may);
async fn a_client_writes_only_what_it_may(app: TestApp) {
    requires_a_name(&app).await;
    app.change_client(|client| client.write_attributes = Some(["email".to_owned()].into())).await;
    let session = asked(&app, "alice").await.field("Session");
    let responses = json!({ "USERNAME": "alice", "NEW_PASSWORD": PASSWORD, "userAttributes.name": "Alice" });
    let words = "NotAuthorizedException: A client attempted to write unauthorized attribute";
    assert_eq!(refused(&respond(&app, CHALLENGE, Some(&session), responses).await), words);
}

// K10
story!(a_session_answers_its_own_challenge_for_its_own_user_and_client);
async fn a_session_answers_its_own_challenge_for_its_own_user_and_client(app: TestApp) {
    let session = asked(&app, "alice").await.field("Session");
    app.user("bob").await;
    let other = app.api.pools.create_client(&app.pool(), app.client()).await.unwrap();
    app.reload().await;
    let right = json!({ "USERNAME": "alice", "NEW_PASSWORD": PASSWORD, "SOFTWARE_TOKEN_MFA_CODE": "123456",
        "SMS_MFA_CODE": "123456" });
    let of = |client: &str, challenge: &str, session: &str, username: &str| {
        let mut responses = right.clone();
        responses["USERNAME"] = json!(username);
        json!({ "ClientId": client, "ChallengeName": challenge, "Session": session, "ChallengeResponses": responses })
    };
    let own = app.client().id;
    for body in [
        of(&other.id, CHALLENGE, &session, "alice"),
        of(&own, CHALLENGE, &session, "bob"),
        of(&own, CHALLENGE, &session.repeat(2), "alice"),
        of(&own, "SOFTWARE_TOKEN_MFA", &session, "alice"),
        of(&own, "MFA_SETUP", &session, "alice"),
        of(&own, "SMS_MFA", &session, "alice"),
    ] {
        assert_eq!(refused(&call(&app, "RespondToAuthChallenge", body.clone()).await), NO_SESSION, "{body}");
    }
    let missing = respond(&app, CHALLENGE, None, right.clone()).await;
    assert_eq!(refused(&missing), "InvalidParameterException: Missing required parameter Session");
    let sub = app.pool().find_user("alice").await.unwrap().sub.to_string();
    let last = of(&own, CHALLENGE, &session, &sub);
    assert_eq!(call(&app, "RespondToAuthChallenge", last).await.status, 200, "the sub is his name as well");
}

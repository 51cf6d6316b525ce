//! People: how an administrator's acts reach every session at once, and who can be made.

use cognate::pool::{NewGroup, NewUser};
use serde_json::{Value, json};

use crate::app::{Answer, PASSWORD, TestApp, claims, story};

const NO_LOGIN: (u16, &str) = (401, r#"{"status":401,"message":"Incorrect username or password."}"#);
const NOT_REFRESHED: (u16, &str) = (401, r#"{"status":401,"message":"Unauthorized."}"#);

/// Asks often enough that every replica is asked.
async fn assert_dead(app: &TestApp, session: &Answer) {
    for _ in 0..2 {
        assert_eq!(app.refresh("alice", &session.field("refresh_token")).await.whole(), NOT_REFRESHED);
    }
    for _ in 0..2 {
        assert!(!app.accepts(&session.field("access_token")).await);
    }
}

// S22
story!(disabling_a_user_ends_his_sessions_at_once_and_enabling_him_revives_none);
async fn disabling_a_user_ends_his_sessions_at_once_and_enabling_him_revives_none(app: TestApp) {
    let app = app.doubled().await;
    let (one, other) = (app.signed_in("alice").await, app.login("alice", PASSWORD).await);
    let of_bob = app.signed_in("bob").await;
    app.pool().disable_user("alice").await.unwrap();
    for session in [&one, &other] {
        assert_dead(&app, session).await;
    }
    assert_eq!(app.login("alice", PASSWORD).await.whole(), NO_LOGIN);
    app.pool().enable_user("alice").await.unwrap();
    for session in [&one, &other] {
        assert_dead(&app, session).await;
    }
    assert!(app.accepts(&app.login("alice", PASSWORD).await.field("access_token")).await);
    assert!(app.accepts(&of_bob.field("access_token")).await);
}

// S22
story!(deleting_a_user_ends_his_sessions_and_his_successor_inherits_nothing);
async fn deleting_a_user_ends_his_sessions_and_his_successor_inherits_nothing(app: TestApp) {
    let app = app.doubled().await;
    let session = app.signed_in("alice").await;
    app.forgot("alice").await;
    let code = app.mailed_code().await;
    app.pool().delete_user("alice@example.test").await.unwrap();
    assert_dead(&app, &session).await;
    assert_eq!(app.login("alice", PASSWORD).await.whole(), NO_LOGIN);
    let successor = app.signed_in("alice").await;
    assert_dead(&app, &session).await;
    assert_eq!(app.confirm("alice", &code, "another long password").await.status, 401);
    assert_ne!(
        claims(&session.field("access_token"))["sub"],
        claims(&successor.field("access_token"))["sub"],
        "a sub is nobody else's"
    );
    assert!(app.pool().delete_user("nobody").await.is_err());
}

story!(a_password_set_by_an_administrator_ends_every_session);
async fn a_password_set_by_an_administrator_ends_every_session(app: TestApp) {
    let session = app.signed_in("alice").await;
    app.pool().set_password("alice", "chosen by an administrator", true).await.unwrap();
    assert_dead(&app, &session).await;
    assert_eq!(app.login("alice", PASSWORD).await.whole(), NO_LOGIN);
    let asked = app.login("alice", "chosen by an administrator").await;
    assert_eq!(asked.field("challenge_name"), "NEW_PASSWORD_REQUIRED");
    let weak = app.pool().set_password("alice", "iloveyou", false).await.unwrap_err();
    assert_eq!(weak.to_string(), "Password does not conform to policy: Password is too common");
}

story!(groups_are_in_the_next_token_and_gone_from_the_one_after);
async fn groups_are_in_the_next_token_and_gone_from_the_one_after(app: TestApp) {
    let pool = app.pool();
    let refresh = app.signed_in("alice").await.field("refresh_token");
    let groups = async || {
        let access = app.refresh("alice", &refresh).await.field("access_token");
        claims(&access)["cognito:groups"].clone()
    };
    pool.create_group(NewGroup { name: "editors".to_owned(), ..cognate::pool::NewGroup::default() }).await.unwrap();
    for _ in 0..2 {
        pool.add_to_group("editors", "alice").await.unwrap();
        assert_eq!(groups().await, json!(["editors"]));
    }
    for _ in 0..2 {
        pool.remove_from_group("editors", "alice@example.test").await.unwrap();
        assert_eq!(groups().await, Value::Null);
    }
    pool.add_to_group("editors", "alice").await.unwrap();
    pool.delete_group("editors").await.unwrap();
    assert_eq!(groups().await, Value::Null);
    assert_eq!(pool.add_to_group("editors", "alice").await.unwrap_err().to_string(), "Group does not exist.");
}

story!(a_name_or_address_has_one_owner);
async fn a_name_or_address_has_one_owner(app: TestApp) {
    app.user("alice").await;
    for (name, email) in
        [("ALICE", None), ("alic\u{65}", None), ("other", Some("Alice@Example.test")), ("alice@example.test", None)]
    {
        let draft = NewUser { email: email.map(str::to_owned), ..NewUser::new(name, PASSWORD) };
        assert_eq!(app.pool().create_user(draft).await.unwrap_err().to_string(), "User already exists", "{name}");
    }
}

story!(who_can_not_be_made_is_refused_with_the_reason);
async fn who_can_not_be_made_is_refused_with_the_reason(app: TestApp) {
    let make = async |draft: NewUser| app.pool().create_user(draft).await.unwrap_err().to_string();
    let invisible = "username must not contain invisible or control characters";
    for (name, reason) in [
        ("", "username must not be empty"),
        ("a\0b", invisible),
        ("a\u{200b}b", invisible),
        ("a\r\nb", invisible),
        (" a", "username must not begin or end with a space or contain two in a row"),
        (&"x".repeat(129), "username must have at most 128 characters"),
    ] {
        assert_eq!(make(NewUser::new(name, PASSWORD)).await, reason, "{name:?}");
    }
    let injected = NewUser { email: Some("a@b.test\r\nBcc: eve@evil.test".to_owned()), ..NewUser::new("a", PASSWORD) };
    assert_eq!(make(injected).await, "email must be an email address in ASCII");
    let weak = "Password does not conform to policy: Password not long enough";
    assert_eq!(make(NewUser::new("a", "seven77")).await, weak);
    let lost = NewUser { groups: vec!["nowhere".to_owned()], ..NewUser::new("a", PASSWORD) };
    assert_eq!(make(lost).await, "Group does not exist.");
    assert!(app.pool().users(0, 10).await.unwrap().is_empty());
}

story!(users_are_numbered_in_the_order_of_their_making_and_found_by_any_name);
async fn users_are_numbered_in_the_order_of_their_making_and_found_by_any_name(app: TestApp) {
    for name in ["alice", "bob", "carol"] {
        app.user(name).await;
    }
    let pool = app.pool();
    let page = pool.users(0, 2).await.unwrap();
    let names: Vec<&str> = page.iter().map(|user| user.username.as_str()).collect();
    assert_eq!((names, page[0].id < page[1].id), (vec!["alice", "bob"], true));
    let rest = pool.users(page[1].id, 2).await.unwrap();
    assert_eq!(rest.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["carol"]);
    for name in ["ALICE", "alice@example.test", &page[0].sub.to_string()] {
        assert_eq!(pool.find_user(name).await.unwrap().id, page[0].id);
    }
    assert_eq!(pool.find_user("nobody").await.unwrap_err().to_string(), "User does not exist.");
}

story!(the_sessions_of_a_user_are_listed_latest_first_and_only_while_they_live);
async fn the_sessions_of_a_user_are_listed_latest_first_and_only_while_they_live(app: TestApp) {
    let first = app.signed_in("alice").await;
    app.clock.advance_seconds(1);
    let second = app.login("alice", PASSWORD).await;
    let listed = async || {
        let alice = app.pool().find_user("alice").await.unwrap();
        let sessions = app.pool().sessions_of(&alice).await.unwrap();
        sessions.into_iter().map(|session| json!(session.id)).collect::<Vec<_>>()
    };
    let id = |answer: &Answer| claims(&answer.field("access_token"))["origin_jti"].clone();
    assert_eq!(listed().await, [id(&second), id(&first)]);
    app.revoke(&first.field("refresh_token")).await;
    assert_eq!(listed().await, [id(&second)]);
    app.pool().disable_user("alice").await.unwrap();
    assert!(listed().await.is_empty());
}

story!(a_user_is_made_with_attributes_and_with_an_address_that_is_proven_or_not);
async fn a_user_is_made_with_attributes_and_with_an_address_that_is_proven_or_not(app: TestApp) {
    let pool = app.pool();
    let attributes: std::collections::BTreeMap<String, String> =
        [("name".to_owned(), "Ann Smith".to_owned()), ("custom:team".to_owned(), "red".to_owned())].into();
    let email = || Some("ann@example.test".to_owned());
    let draft = NewUser { email: email(), email_verified: false, attributes, ..NewUser::new("ann", PASSWORD) };
    pool.create_user(draft).await.unwrap();
    let token = claims(&app.login("ann", PASSWORD).await.field("id_token"));
    let said = [&token["name"], &token["custom:team"], &token["email"], &token["email_verified"]];
    assert_eq!(said, [&json!("Ann Smith"), &json!("red"), &json!("ann@example.test"), &json!(false)]);
    assert_eq!(app.login("ann@example.test", PASSWORD).await.whole(), NO_LOGIN, "an unproven address is no name");
    pool.create_user(NewUser { email: email(), ..NewUser::new("other", PASSWORD) }).await.unwrap();
    assert_eq!(app.login("ann@example.test", PASSWORD).await.status, 200, "but free for who proves it");
    // K08
    let attributes = [("cognito:groups".to_owned(), "admin".to_owned())].into();
    let refused = pool.create_user(NewUser { attributes, ..NewUser::new("eve", PASSWORD) }).await.unwrap_err();
    assert_eq!(refused.to_string(), "cognito:groups is not an attribute (use custom:NAME for your own)");
}

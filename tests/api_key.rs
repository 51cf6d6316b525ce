//! API keys: accepted where an access token is, one a user, worth nothing once replaced or its user is kept out.

use cognate::error::Error;
use cognate::pool::PoolSettings;

use crate::app::{PASSWORD, TestApp, story};

/// Who it opens for on every replica, or the refusal's name.
async fn opens(app: &TestApp, token: &str) -> String {
    let mut thoughts = Vec::new();
    for replica in app.replicas() {
        let answer = replica.pool().authenticate_bearer(token).await;
        thoughts.push(answer.map_or_else(|error| error.label().to_owned(), |user| user.username));
    }
    thoughts.dedup();
    assert_eq!(thoughts.len(), 1, "the replicas disagree");
    thoughts.remove(0)
}

async fn new_key(app: &TestApp, name: &str) -> String {
    let user = app.pool().find_user(name).await.unwrap();
    app.pool().create_api_key(&user).await.unwrap()
}

story!(a_key_of_64_hex_digits_opens_what_an_access_token_opens_until_it_is_replaced);
async fn a_key_of_64_hex_digits_opens_what_an_access_token_opens_until_it_is_replaced(app: TestApp) {
    let tokens = app.signed_in("alice").await;
    app.user("bob").await;
    let alice = app.pool().find_user("alice").await.unwrap();
    assert_eq!(app.pool().api_key(&alice), None);
    let (one, of_bob) = (new_key(&app, "alice").await, new_key(&app, "bob").await);
    assert!(one.len() == 64 && one.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    assert_eq!((opens(&app, &one).await, opens(&app, &of_bob).await), ("alice".to_owned(), "bob".to_owned()));
    let alice = app.pool().find_user("alice").await.unwrap();
    assert_eq!(app.pool().api_key(&alice).as_deref(), Some(one.as_str()), "it can be shown again");
    assert!(!one.contains(alice.api_key.as_deref().unwrap()), "what is kept is not the key");

    let other = new_key(&app, "alice").await;
    assert_ne!(one, other);
    assert_eq!((opens(&app, &one).await, opens(&app, &other).await), ("token_invalid".to_owned(), "alice".to_owned()));
    let access = tokens.field("access_token");
    assert_eq!(opens(&app, &access).await, "alice");
    app.revoke(&tokens.field("refresh_token")).await;
    assert_eq!(
        (opens(&app, &access).await, opens(&app, &other).await),
        ("token_revoked".to_owned(), "alice".to_owned())
    );
}

story!(a_key_that_was_taken_away_opens_nothing);
async fn a_key_that_was_taken_away_opens_nothing(app: TestApp) {
    app.user("alice").await;
    let key = new_key(&app, "alice").await;
    app.pool().replace_client_secret("alice").await.unwrap();
    app.pool().revoke_keys("alice").await.unwrap();
    let alice = app.pool().find_user("alice").await.unwrap();
    assert_eq!((opens(&app, &key).await, alice.api_key, alice.client_secret), ("token_invalid".to_owned(), None, None));
    app.pool().revoke_keys("alice").await.unwrap();
    assert!(matches!(app.pool().revoke_keys("nobody").await, Err(Error::UserNotFound)));
}

story!(only_the_whole_key_in_its_one_spelling_opens);
async fn only_the_whole_key_in_its_one_spelling_opens(app: TestApp) {
    app.user("alice").await;
    let key = new_key(&app, "alice").await;
    for at in [0, 12, 31, 32, 63] {
        let mut tampered = key.clone().into_bytes();
        tampered[at] = if tampered[at] == b'a' { b'b' } else { b'a' };
        assert_eq!(opens(&app, &String::from_utf8(tampered).unwrap()).await, "token_invalid", "{at}");
    }
    for wrong in [&key[..62], &key[2..], &format!("{key}00"), &key.to_uppercase(), &format!(" {key}"), ""] {
        assert_eq!(opens(&app, wrong).await, "token_invalid", "{wrong:?}");
    }
    assert_eq!(opens(&app, &"0".repeat(64)).await, "token_invalid");
}

// S22
story!(a_key_is_as_good_as_its_user);
async fn a_key_is_as_good_as_its_user(app: TestApp) {
    app.user("alice").await;
    let key = new_key(&app, "alice").await;
    app.pool().disable_user("alice").await.unwrap();
    app.pool().enable_user("alice").await.unwrap();
    assert_eq!(opens(&app, &key).await, "token_invalid");
    let key = new_key(&app, "alice").await;
    app.pool().reset_user(&app.client(), "alice").await.unwrap();
    assert_eq!(opens(&app, &key).await, "password_reset_required");
    app.pool().delete_user("alice").await.unwrap();
    assert_eq!(opens(&app, &key).await, "token_invalid");
    app.user("alice").await;
    assert_eq!(opens(&app, &key).await, "token_invalid", "a successor of the same name inherits nothing");
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}

// E06
story!(what_ends_every_session_ends_the_key);
async fn what_ends_every_session_ends_the_key(app: TestApp) {
    app.user("alice").await;
    for way in ["signed out", "given a password", "reset", "changed"] {
        let key = new_key(&app, "alice").await;
        assert_eq!(opens(&app, &key).await, "alice");
        match way {
            "signed out" => app.pool().sign_out_user("alice").await.unwrap(),
            "given a password" => app.pool().set_password("alice", PASSWORD, false).await.unwrap(),
            "reset" => {
                app.forgot("alice").await;
                assert_eq!(app.confirm("alice", &app.mailed_code().await, PASSWORD).await.status, 204);
            }
            _ => {
                let access = app.login("alice", PASSWORD).await.field("access_token");
                assert_eq!(app.change_password(&access, PASSWORD, "another long password").await.status, 204);
                assert!(app.accepts(&access).await, "the session that changed it goes on");
            }
        }
        assert_eq!(opens(&app, &key).await, "token_invalid", "{way}");
    }
    let alice = app.pool().find_user("alice").await.unwrap();
    assert_eq!(app.pool().api_key(&alice), None);
}

// K07
#[tokio::test]
async fn a_key_of_another_deployment_opens_nothing() {
    let (app, other) = (TestApp::start().await, TestApp::start().await);
    app.user("alice").await;
    let key = new_key(&app, "alice").await;
    assert!(matches!(other.pool().authenticate_bearer(&key).await, Err(Error::TokenInvalid)));
    let PoolSettings { id, .. } = &other.pool().settings;
    assert_ne!(id, app.pool().id());
}

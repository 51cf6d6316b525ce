//! Client credentials of users: a secret that is shown once, and guessed no faster than a password.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cognate::error::Error;
use cognate::pool::{NewUser, Terms};

use crate::app::{PASSWORD, TestApp, story};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A user with a secret: his client id and the secret.
async fn credential(app: &TestApp, name: &str) -> (String, String) {
    let pool = app.pool();
    let secret = pool.new_client_secret().unwrap();
    let user = pool.create_user(NewUser::new(name, PASSWORD).with_secret(&secret)).await.unwrap();
    (pool.public_id(&user).to_string(), secret.text)
}

/// Whose credential it is, or the refusal's name.
async fn proves(app: &TestApp, id: &str, secret: &str) -> String {
    let answer = app.pool().authenticate_credential(id, secret, HERE).await;
    answer.map_or_else(|error| error.label().to_owned(), |proven| proven.user().username.clone())
}

story!(id_and_secret_prove_their_user_and_yield_tokens);
async fn id_and_secret_prove_their_user_and_yield_tokens(app: TestApp) {
    let (id, secret) = credential(&app, "alice").await;
    assert!(id.parse::<i32>().unwrap() > 0);
    assert_eq!(STANDARD.decode(&secret).unwrap().len(), 32);
    let kept = app.pool().find_user("alice").await.unwrap().client_secret.unwrap();
    assert!(!kept.contains(&secret) && !secret.contains(&kept), "what is kept is not the secret");
    let client = app.client();
    for replica in app.replicas() {
        let proven = replica.pool().authenticate_credential(&id, &secret, HERE).await.unwrap();
        let terms = Terms { refreshable: false, ..Terms::from(&client) };
        let tokens = replica.pool().tokens_at_once(terms, &proven).await.unwrap();
        assert!(tokens.refresh_token.is_none() && app.accepts(&tokens.access_token).await);
    }
    assert_eq!(app.login("alice", PASSWORD).await.status, 200, "the password stays what it was");
}

story!(a_wrong_secret_and_an_unknown_id_are_refused_alike);
async fn a_wrong_secret_and_an_unknown_id_are_refused_alike(app: TestApp) {
    let (id, secret) = credential(&app, "alice").await;
    let (_, of_bob) = credential(&app, "bob").await;
    app.user("carol").await;
    let carol = app.pool().public_id(&app.pool().find_user("carol").await.unwrap()).to_string();
    for (id, secret) in [
        (id.as_str(), of_bob.as_str()),
        (&id, &secret[..43]),
        (&carol, ""),
        (&carol, &secret),
        ("1", &secret),
        ("0", &secret),
        ("-1", &secret),
        (&format!("0{id}"), &secret),
        ("alice", &secret),
        ("9223372036854775808", &secret),
        ("", ""),
    ] {
        assert_eq!(proves(&app, id, secret).await, "not_authorized", "{id}");
    }
    assert_eq!(proves(&app, &id, &secret).await, "alice");
}

// D20, D22
story!(a_right_secret_takes_back_no_wrong_password_and_a_wrong_one_locks_no_password);
async fn a_right_secret_takes_back_no_wrong_password_and_a_wrong_one_locks_no_password(app: TestApp) {
    let (id, secret) = credential(&app, "alice").await;
    for _ in 0..5 {
        assert_eq!(proves(&app, &id, &secret).await, "alice");
        assert_eq!(app.login("alice", "guess").await.status, 401);
    }
    assert_eq!(proves(&app, &id, &secret).await, "alice");
    assert_eq!(app.login("alice", PASSWORD).await.status, 429);
    app.clock.advance_seconds(1);
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
    for _ in 0..5 {
        assert_eq!(proves(&app, &id, "guess").await, "not_authorized");
    }
    assert_eq!(proves(&app, &id, &secret).await, "too_many_requests");
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
    app.clock.advance_seconds(1);
    assert_eq!(proves(&app, &id, &secret).await, "alice");
    // An id that nobody has locks alike.
    for _ in 0..5 {
        assert_eq!(proves(&app, "4711", "guess").await, "not_authorized");
    }
    assert_eq!(proves(&app, "4711", "guess").await, "too_many_requests");
}

story!(who_may_have_no_tokens_is_refused_once_he_has_proven_himself);
async fn who_may_have_no_tokens_is_refused_once_he_has_proven_himself(app: TestApp) {
    let (id, secret) = credential(&app, "alice").await;
    app.pool().disable_user("alice").await.unwrap();
    assert_eq!(proves(&app, &id, &secret).await, "user_disabled");
    assert_eq!(proves(&app, &id, "guess").await, "not_authorized");
    app.pool().enable_user("alice").await.unwrap();
    app.pool().set_password("alice", "a temporary horse", true).await.unwrap();
    let proven = app.pool().authenticate_credential(&id, &secret, HERE).await.unwrap();
    let tokens = app.pool().tokens_at_once(Terms::from(&app.client()), &proven).await;
    assert!(matches!(tokens, Err(Error::NewPasswordRequired)));
    app.pool().delete_user("alice").await.unwrap();
    assert_eq!(proves(&app, &id, &secret).await, "not_authorized");
}

story!(a_replaced_secret_is_worth_nothing_at_once);
async fn a_replaced_secret_is_worth_nothing_at_once(app: TestApp) {
    let (id, first) = credential(&app, "alice").await;
    let second = app.pool().replace_client_secret("alice").await.unwrap();
    assert_eq!(format!("{second:?}"), "ClientSecret([redacted])");
    assert_eq!(
        (proves(&app, &id, &first).await, proves(&app, &id, &second.text).await),
        ("not_authorized".to_owned(), "alice".to_owned())
    );
    // Who had none gets his first.
    app.user("bob").await;
    let bob = app.pool().public_id(&app.pool().find_user("bob").await.unwrap()).to_string();
    let secret = app.pool().replace_client_secret("bob@example.test").await.unwrap();
    assert_eq!(proves(&app, &bob, &secret.text).await, "bob");
    let nobody = app.pool().replace_client_secret("nobody").await;
    assert!(matches!(nobody, Err(Error::UserNotFound)));
}

// D02
#[tokio::test]
async fn a_wrong_secret_takes_as_long_as_an_unknown_id() {
    let app = TestApp::start_with(|config| config.limits.account_failures = 100_000).await;
    let (id, _) = credential(&app, "alice").await;
    app.user("bob").await;
    let without = app.pool().public_id(&app.pool().find_user("bob").await.unwrap()).to_string();
    let ids = [id.as_str(), &without, "4711"];
    // The least of many: what other work on the machine adds is not the program's.
    let mut times = [Duration::MAX; 3];
    for _ in 0..60 {
        for (id, least) in ids.iter().zip(&mut times) {
            let began = Instant::now();
            assert_eq!(proves(&app, id, "guess").await, "not_authorized");
            *least = began.elapsed().min(*least);
        }
    }
    let (fastest, slowest) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    assert!(*slowest < *fastest * 3 / 2, "{times:?}");
}

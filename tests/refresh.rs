//! Refreshing: what the native API answers, with rotation off and on, and when it says no.

use std::time::Duration;

use cognate::pool::client::Rotation;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::app::{PASSWORD, TestApp, claims, story};

const UNAUTHORIZED: (u16, &str) = (401, r#"{"status":401,"message":"Unauthorized."}"#);

async fn refresh_token(app: &TestApp) -> String {
    app.signed_in("alice").await.field("refresh_token")
}

async fn rotating(app: &TestApp) {
    app.change_client(|client| client.rotation = Some(Rotation { grace_seconds: 10 })).await;
}

story!(a_refresh_yields_an_access_and_an_id_token_and_no_refresh_token);
async fn a_refresh_yields_an_access_and_an_id_token_and_no_refresh_token(app: TestApp) {
    let token = refresh_token(&app).await;
    let answer = app.refresh("alice", &token).await;
    assert_eq!(answer.status, 200);
    let (id, access) = (answer.field("id_token"), answer.field("access_token"));
    let whole = format!(r#"{{"id_token":"{id}","access_token":"{access}","expires_in":86400}}"#);
    assert_eq!(answer.text, whole);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

story!(refreshed_tokens_belong_to_the_same_session_and_say_what_is_true_now);
async fn refreshed_tokens_belong_to_the_same_session_and_say_what_is_true_now(app: TestApp) {
    let signed_in = app.signed_in("alice").await;
    let before = claims(&signed_in.field("access_token"));
    let group = cognate::pool::NewGroup { name: "editors".to_owned(), ..cognate::pool::NewGroup::default() };
    app.pool().create_group(group).await.unwrap();
    app.pool().add_to_group("editors", "alice").await.unwrap();
    app.clock.advance_seconds(3600);
    let after = claims(&app.refresh("alice", &signed_in.field("refresh_token")).await.field("access_token"));
    for same in ["sub", "origin_jti", "auth_time", "client_id", "iss", "scope", "username"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert_ne!(before["jti"], after["jti"]);
    assert_ne!(before["event_id"], after["event_id"]);
    assert_eq!((&after["iat"], &after["exp"]), (&json!(1_795_266_000), &json!(1_795_352_400)));
    assert_eq!((&before["cognito:groups"], &after["cognito:groups"]), (&Value::Null, &json!(["editors"])));
}

story!(a_refresh_with_the_verified_email_succeeds_and_with_another_name_is_refused);
async fn a_refresh_with_the_verified_email_succeeds_and_with_another_name_is_refused(app: TestApp) {
    let token = refresh_token(&app).await;
    app.user("bob").await;
    assert_eq!(app.refresh("alice@example.test", &token).await.status, 200);
    // C01
    for name in ["bob", "nobody", "ALICIA", "bob@example.test", "alice\u{200b}"] {
        assert_eq!(app.refresh(name, &token).await.whole(), UNAUTHORIZED, "{name}");
    }
    let empty = app.refresh("", &token).await;
    assert_eq!(empty.whole(), (422, r#"{"status":422,"message":"username must not be empty."}"#));
    let null = app.post("/v1/token-refresh", json!({ "username": null, "refresh_token": token })).await;
    assert_eq!(null.whole(), (422, r#"{"status":422,"message":"username is required."}"#));
    assert_eq!(app.refresh("Alice", &token).await.status, 200, "a username is one in any case");
}

// C02, C03
story!(only_a_whole_refresh_token_of_this_client_refreshes);
async fn only_a_whole_refresh_token_of_this_client_refreshes(app: TestApp) {
    let signed_in = app.signed_in("alice").await;
    let token = signed_in.field("refresh_token");
    for other in ["access_token", "id_token"] {
        assert_eq!(app.refresh("alice", &signed_in.field(other)).await.whole(), UNAUTHORIZED, "{other}");
    }
    for at in [0, 20, 44, token.len() - 1] {
        let mut tampered = token.clone().into_bytes();
        tampered[at] = if tampered[at] == b'A' { b'B' } else { b'A' };
        let tampered = String::from_utf8(tampered).unwrap();
        assert_eq!(app.refresh("alice", &tampered).await.whole(), UNAUTHORIZED, "byte {at}");
    }
    let (ids, rest) = token.split_once('.').unwrap();
    let tag = rest.split_once('.').unwrap().1;
    for forged in [
        token[..token.len() - 1].to_owned(),
        token.repeat(2),
        format!("{token}="),
        format!("{token} "),
        format!("{token}.x"),
        format!("{ids}.1.{tag}"),
        format!("{ids}.00.{tag}"),
        format!("{ids}.+0.{tag}"),
        format!("{ids}..{tag}"),
        "x".to_owned(),
        "x".repeat(60_000),
    ] {
        assert_eq!(app.refresh("alice", &forged).await.whole(), UNAUTHORIZED, "{forged}");
    }
    assert_eq!(app.refresh("alice", &token).await.status, 200);
}

story!(a_refresh_token_yields_as_many_pairs_as_allowed_and_then_says_so, |config| config.v1.max_access_tokens = 3);
async fn a_refresh_token_yields_as_many_pairs_as_allowed_and_then_says_so(app: TestApp) {
    let token = refresh_token(&app).await;
    for _ in 0..3 {
        assert_eq!(app.refresh("alice", &token).await.status, 200);
    }
    let answer = app.refresh("alice", &token).await;
    assert_eq!(answer.whole(), (429, r#"{"status":429,"message":"Refresh tokens limit has been exceeded."}"#));
    assert_eq!(answer.header("retry-after"), Some("3600"));
    // The limit is the token's, not the user's.
    let next = app.login("alice", PASSWORD).await.field("refresh_token");
    assert_eq!(app.refresh("alice", &next).await.status, 200);
}

#[test]
fn the_limit_is_ninety_where_nothing_is_set() {
    assert_eq!(cognate::config::Config::default().v1.max_access_tokens, 90);
}

story!(a_session_ends_ninety_days_after_the_sign_in_however_often_it_was_refreshed);
async fn a_session_ends_ninety_days_after_the_sign_in_however_often_it_was_refreshed(app: TestApp) {
    let token = refresh_token(&app).await;
    app.clock.advance(Duration::from_secs(90 * 86_400 - 1));
    assert_eq!(app.refresh("alice", &token).await.status, 200);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.refresh("alice", &token).await.whole(), UNAUTHORIZED);
}

story!(rotation_does_not_make_a_session_longer);
async fn rotation_does_not_make_a_session_longer(app: TestApp) {
    // S08
    let first = refresh_token(&app).await;
    rotating(&app).await;
    app.clock.advance(Duration::from_secs(90 * 86_400 - 1));
    let second = app.refresh("alice", &first).await.field("refresh_token");
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.refresh("alice", &second).await.whole(), UNAUTHORIZED);
}

story!(a_rotating_client_gets_a_successor_and_the_same_one_again_within_the_grace);
async fn a_rotating_client_gets_a_successor_and_the_same_one_again_within_the_grace(app: TestApp) {
    let first = refresh_token(&app).await;
    rotating(&app).await;
    let answer = app.refresh("alice", &first).await;
    let second = answer.field("refresh_token");
    let (id, access) = (answer.field("id_token"), answer.field("access_token"));
    let whole =
        format!(r#"{{"id_token":"{id}","access_token":"{access}","refresh_token":"{second}","expires_in":86400}}"#);
    assert_eq!(answer.whole(), (200, whole.as_str()));
    assert_ne!(first, second);
    app.clock.advance(Duration::from_secs(10));
    assert_eq!(app.refresh("alice", &first).await.field("refresh_token"), second);
    assert_eq!(app.refresh("alice", &second).await.status, 200);
}

story!(a_client_that_lost_the_answer_is_recovered_once);
async fn a_client_that_lost_the_answer_is_recovered_once(app: TestApp) {
    // R22
    let first = refresh_token(&app).await;
    rotating(&app).await;
    let lost = app.refresh("alice", &first).await.field("refresh_token");
    app.clock.advance_seconds(3600);
    assert_eq!(app.refresh("alice", &first).await.field("refresh_token"), lost);
    app.clock.advance_seconds(3600);
    assert_eq!(app.refresh("alice", &first).await.whole(), UNAUTHORIZED);
    assert_eq!(app.refresh("alice", &lost).await.whole(), UNAUTHORIZED, "a second time in a row is reuse");
}

story!(a_rotated_out_token_that_comes_back_ends_its_session_and_its_access_tokens);
async fn a_rotated_out_token_that_comes_back_ends_its_session_and_its_access_tokens(app: TestApp) {
    let signed_in = app.signed_in("alice").await;
    let sibling = app.login("alice", PASSWORD).await;
    rotating(&app).await;
    let first = signed_in.field("refresh_token");
    let second = app.refresh("alice", &first).await.field("refresh_token");
    let third = app.refresh("alice", &second).await.field("refresh_token");
    // C06: two behind inside the window is refused, and nothing is killed (R23).
    assert_eq!(app.refresh("alice", &first).await.whole(), UNAUTHORIZED);
    let last = app.refresh("alice", &third).await;
    app.clock.advance(Duration::from_secs(11));
    // C05
    assert_eq!(app.refresh("alice", &first).await.whole(), UNAUTHORIZED);
    assert_eq!(app.refresh("alice", &last.field("refresh_token")).await.whole(), UNAUTHORIZED);
    for dead in [&signed_in, &last] {
        assert!(!app.accepts(&dead.field("access_token")).await);
    }
    // C09: only this session, not the user.
    assert!(app.accepts(&sibling.field("access_token")).await);
}

story!(twenty_refreshes_of_one_token_on_two_replicas_yield_one_successor, |config| config.v1.max_access_tokens = 0);
async fn twenty_refreshes_of_one_token_on_two_replicas_yield_one_successor(app: TestApp) {
    // C04, R22
    let app = app.doubled().await;
    let mut current = refresh_token(&app).await;
    rotating(&app).await;
    for _ in 0..5 {
        let answers = join_all((0..20).map(|_| app.refresh("alice", &current))).await;
        let mut successors: Vec<_> = answers.iter().map(|answer| answer.field("refresh_token")).collect();
        successors.sort();
        successors.dedup();
        assert_eq!(successors.len(), 1);
        assert_ne!(successors[0], current);
        current.clone_from(&successors[0]);
    }
    assert_eq!(app.refresh("alice", &current).await.status, 200);
}

//! What an attacker tries: secrets used twice, for another purpose, by another user, and after their end.

use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::Connection as _;

use super::{
    LINK, NEW, SUCCESS, admin, assert_bad, assert_unauthorized, call, call_as, email_token, login, registered,
    reset_token, signed_in, token_of,
};
use crate::app::{PASSWORD, TestApp, story};

// E02, E03
story!(ten_resets_at_once_have_one_winner_and_his_password_holds);
async fn ten_resets_at_once_have_one_winner_and_his_password_holds(app: TestApp) {
    let app = app.doubled().await;
    app.user("alice").await;
    let token = reset_token(&app, "alice").await;
    let passwords: Vec<String> = (0..10).map(|number| format!("a long password, number {number}")).collect();
    let tries = passwords.iter().map(|new| call(&app, "resetpassword", json!({ "token": token, "newPassword": new })));
    let answers = join_all(tries).await;
    let winners: Vec<usize> = (0..10).filter(|index| answers[*index].whole() == SUCCESS).collect();
    assert_eq!(winners.len(), 1);
    for loser in answers.iter().filter(|answer| answer.whole() != SUCCESS) {
        assert_bad(loser, LINK);
    }
    assert_eq!(login(&app, "alice", &passwords[winners[0]]).await.status, 200);
    let again = call(&app, "resetpassword", json!({ "token": token, "newPassword": NEW })).await;
    assert_bad(&again, LINK);
}

// P07
story!(a_token_made_for_one_purpose_serves_no_other);
async fn a_token_made_for_one_purpose_serves_no_other(app: TestApp) {
    let admin = admin(&app).await;
    let confirm = registered(&app, &admin, "carol").await;
    app.user("alice").await;
    let body = json!({ "user": "alice", "password": PASSWORD, "rememberMe": true });
    let tokens = call(&app, "login", body).await;
    let (access, refresh) = (tokens.field("token"), tokens.field("refresh_token"));
    let reset = reset_token(&app, "alice").await;
    let change = email_token(&app, &access, "new@example.test").await;
    let id_token = app.login("alice", PASSWORD).await.field("id_token");
    app.forgot("alice").await;
    let reset_code = app.mailed_code().await;

    let others_than = |own: &String| {
        let all = [&confirm, &access, &refresh, &reset, &change, &id_token, &reset_code];
        all.into_iter().filter(|token| *token != own).cloned().collect::<Vec<_>>()
    };
    for token in others_than(&reset) {
        assert_bad(&call(&app, "verifyresettoken", json!({ "token": token })).await, LINK);
        assert_bad(&call(&app, "resetpassword", json!({ "token": token, "newPassword": NEW })).await, LINK);
    }
    for token in others_than(&change) {
        let body = json!({ "newEmail": "new@example.test", "token": token });
        assert_bad(&call_as(&app, &access, "verifyemailchangetoken", body.clone()).await, LINK);
        assert_bad(&call_as(&app, &access, "changeemail", body).await, LINK);
    }
    for token in others_than(&confirm) {
        for name in ["carol", "alice"] {
            assert_bad(&app.get(&format!("/api/account/confirmemail?user={name}&code={token}")).await, LINK);
        }
    }
    for token in others_than(&access) {
        assert_unauthorized(&call_as(&app, &token, "checkaccess", json!({})).await, "The token is invalid.");
    }
    // A reset token is no code of the native API, and a reset link of its mail no token here.
    assert_eq!(app.confirm("alice", &reset, NEW).await.status, 401);
    // Every one of them still serves its own.
    assert_eq!(
        call(&app, "confirmemail", json!({ "email": "carol@example.test", "code": confirm })).await.whole(),
        SUCCESS
    );
    assert_eq!(call(&app, "resetpassword", json!({ "token": reset, "newPassword": NEW })).await.whole(), SUCCESS);
    let access = login(&app, "alice", NEW).await.field("token");
    let body = json!({ "newEmail": "new@example.test", "token": change });
    assert_eq!(call_as(&app, &access, "changeemail", body).await.status, 200);
}

/// Every operation that a token opens, with a body that would succeed.
async fn bearer_operations(app: &TestApp, token: &str) -> Vec<(&'static str, Value)> {
    let mailed = email_token(app, token, "new@example.test").await;
    vec![
        ("register", json!({ "user": "carol", "email": "carol@example.test", "password": PASSWORD })),
        ("registeraduser", json!({ "user": "CORP\\carol" })),
        ("requestemailchange", json!({ "newEmail": "new@example.test" })),
        ("verifyemailchangetoken", json!({ "newEmail": "new@example.test", "token": mailed })),
        ("changeemail", json!({ "newEmail": "new@example.test", "token": mailed })),
        ("changepassword", json!({ "currentPassword": PASSWORD, "newPassword": NEW })),
        ("logout", json!({})),
        ("checkaccess", json!({})),
    ]
}

// S12: nothing that a token opens stays open after its end, whatever ended it.
story!(a_token_of_an_ended_session_opens_nothing);
async fn a_token_of_an_ended_session_opens_nothing(app: TestApp) {
    let token = admin(&app).await;
    let operations = bearer_operations(&app, &token).await;
    assert_eq!(call_as(&app, &token, "logout", json!({})).await.whole(), SUCCESS);
    for (operation, body) in &operations {
        let answer = call_as(&app, &token, operation, body.clone()).await;
        assert_unauthorized(&answer, "The token has been revoked.");
    }
    let token = token_of(&app, "root").await;
    app.pool().sign_out_user("root").await.unwrap();
    for (operation, body) in &operations {
        assert_unauthorized(&call_as(&app, &token, operation, body.clone()).await, "The token has been revoked.");
    }
    let token = token_of(&app, "root").await;
    app.clock.advance_seconds(3600);
    for (operation, body) in &operations {
        assert_unauthorized(&call_as(&app, &token, operation, body.clone()).await, "The token has expired.");
    }
    assert!(app.pool().find_user("carol").await.is_err());
    assert_eq!(login(&app, "root", PASSWORD).await.status, 200);
}

story!(a_token_is_taken_from_the_header_and_from_nowhere_else);
async fn a_token_is_taken_from_the_header_and_from_nowhere_else(app: TestApp) {
    let token = signed_in(&app, "alice").await;
    for path in ["?access_token=", "?token=", "?authorization=Bearer+"] {
        let answer = app.get(&format!("/api/account/checkaccess{path}{token}")).await;
        assert_unauthorized(&answer, super::NO_TOKEN);
    }
    let body = json!({ "access_token": token, "token": token, "authorization": format!("Bearer {token}") });
    assert_unauthorized(&call(&app, "checkaccess", body).await, super::NO_TOKEN);
    let cookie = app.to("GET", "/api/account/checkaccess").header("cookie", format!("token={token}"));
    assert_unauthorized(&app.request(cookie).await, super::NO_TOKEN);
}

// E05
story!(anothers_reset_token_resets_nobody_else);
async fn anothers_reset_token_resets_nobody_else(app: TestApp) {
    app.user("alice").await;
    app.user("bob").await;
    let token = reset_token(&app, "alice").await;
    for name in ["bob", "bob@example.test", "ghost"] {
        let body = json!({ "user": name, "token": token, "newPassword": NEW });
        assert_bad(&call(&app, "resetpassword", body).await, LINK);
    }
    assert_eq!(login(&app, "bob", PASSWORD).await.status, 200);
    assert_eq!(login(&app, "alice", PASSWORD).await.status, 200);
}

story!(a_reset_token_mailed_before_a_user_was_disabled_changes_nothing);
async fn a_reset_token_mailed_before_a_user_was_disabled_changes_nothing(app: TestApp) {
    app.user("alice").await;
    let token = reset_token(&app, "alice").await;
    app.pool().disable_user("alice").await.unwrap();
    assert_bad(&call(&app, "resetpassword", json!({ "token": token, "newPassword": NEW })).await, LINK);
    assert_bad(&call(&app, "verifyresettoken", json!({ "token": token })).await, LINK);
    app.pool().enable_user("alice").await.unwrap();
    assert_eq!(login(&app, "alice", PASSWORD).await.status, 200);
}

/// What a request leaves behind: mails that wait with all their bytes, challenges, and counted attempts.
async fn traces(app: &TestApp) -> [i64; 4] {
    let url = format!("sqlite://{}", app.config.data.join("cognate.db").display());
    let mut store = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let sql = "SELECT (SELECT count(*) FROM outbox), (SELECT coalesce(sum(length(sealed)), 0) FROM outbox),
               (SELECT count(*) FROM challenges), (SELECT count(*) FROM attempts)";
    let (mails, bytes, challenges, attempts) = sqlx::query_as(sql).fetch_one(&mut store).await.unwrap();
    [mails, bytes, challenges, attempts]
}

// D02, E01
#[tokio::test]
async fn asking_a_reset_for_nobody_takes_the_same_steps() {
    let app = TestApp::start().await;
    app.user("alice").await;
    let mut left = Vec::new();
    for name in ["alice", "ghost", "ghost@example.test"] {
        let before = traces(&app).await;
        assert_eq!(call(&app, "forgotpassword", json!({ "user": name })).await.whole(), SUCCESS);
        let after = traces(&app).await;
        left.push([0, 1, 2, 3].map(|index| after[index] - before[index]));
    }
    // The address of the sender is counted once, with the first.
    left[0][3] -= 1;
    assert_eq!((left[0][0], left[0][2]), (1, 1));
    assert_eq!(left[1], left[0]);
    assert_eq!(left[2], left[0]);
}

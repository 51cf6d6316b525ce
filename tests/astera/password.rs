//! Rows 5, 6, 7 and 11: a password forgotten, and one changed.

use serde_json::json;

use super::{
    LINK, NEW, NO_TOKEN, SUCCESS, WRONG, assert_bad, assert_forbidden, assert_unauthorized, call, call_as, login,
    mailed_token, reset_token, signed_in, token_of,
};
use crate::app::{PASSWORD, TestApp, story};

// Row 5; E01, E12
story!(asking_for_a_reset_answers_alike_for_everybody);
async fn asking_for_a_reset_answers_alike_for_everybody(app: TestApp) {
    for shown in [false, true] {
        app.change_pool(|pool| pool.hide_user_existence = !shown).await;
        let (alice, disabled) = (format!("alice-{shown}"), format!("disabled-{shown}"));
        app.user(&alice).await;
        app.user(&disabled).await;
        app.pool().disable_user(&disabled).await.unwrap();
        let first = call(&app, "forgotpassword", json!({ "user": alice })).await;
        assert_eq!(first.whole(), SUCCESS);
        for name in [&disabled, "ghost", "ghost@example.test", "alice\r\nBcc: eve@evil.test"] {
            let answer = call(&app, "forgotpassword", json!({ "user": name })).await;
            assert_eq!(answer.sight(), first.sight(), "{name:?}");
        }
        assert_eq!(app.mails().await.len(), 1);
    }
}

// Row 5
story!(a_reset_is_asked_for_by_name_or_address, |config| {
    config.astera.reset_url = Some("https://acme.test/reset?lang=de".parse().unwrap());
});
async fn a_reset_is_asked_for_by_name_or_address(app: TestApp) {
    app.user("alice").await;
    for (name, shown) in [("alice", "alice"), ("Alice@example.test", "Alice%40example.test")] {
        assert_eq!(call(&app, "forgotpassword", json!({ "user": name })).await.whole(), SUCCESS);
        let mail = app.mail().await;
        let start = format!("https://acme.test/reset?lang=de&user={shown}&token=");
        let token = mail.lines().find_map(|line| line.trim().strip_prefix(&start)).unwrap();
        let body = json!({ "user": name, "token": token });
        assert_eq!(call(&app, "verifyresettoken", body).await.whole(), (200, r#"{"valid":true,"user":"alice"}"#));
    }
}

// Row 5: 400, 429
story!(asking_for_a_reset_again_and_again_is_throttled);
async fn asking_for_a_reset_again_and_again_is_throttled(app: TestApp) {
    app.user("alice").await;
    assert_bad(&call(&app, "forgotpassword", json!({ "user": "" })).await, "user must not be empty.");
    // D01: a name that nobody has is throttled alike.
    let mut seen = Vec::new();
    for name in ["alice", "ghost"] {
        let ask = async || call(&app, "forgotpassword", json!({ "user": name })).await;
        for _ in 0..5 {
            assert_eq!(ask().await.whole(), SUCCESS);
        }
        let locked = ask().await;
        let detail = "Attempt limit exceeded, please try after some time.";
        super::assert_refused(&locked, 429, "Too Many Requests", detail);
        seen.push(locked.header("retry-after").unwrap().to_owned());
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(app.mails().await.len(), 5);
}

// Row 6
story!(looking_at_a_reset_token_does_not_use_it_up);
async fn looking_at_a_reset_token_does_not_use_it_up(app: TestApp) {
    app.user("alice").await;
    let token = reset_token(&app, "alice").await;
    let valid = (200, r#"{"valid":true,"user":"alice"}"#);
    for _ in 0..3 {
        assert_eq!(call(&app, "verifyresettoken", json!({ "token": token })).await.whole(), valid);
        assert_eq!(call(&app, "verifyresettoken", json!({ "user": "ALICE", "token": token })).await.whole(), valid);
        let looked = app.get(&format!("/api/account/verifyresettoken?user=alice%40example.test&token={token}")).await;
        assert_eq!(looked.whole(), valid);
        assert_eq!(looked.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(looked.header("cache-control"), Some("no-store"));
        assert_eq!(app.get(&format!("/api/account/verifyresettoken?TOKEN={token}")).await.whole(), valid);
    }
    assert_eq!(call(&app, "resetpassword", json!({ "token": token, "newPassword": NEW })).await.whole(), SUCCESS);
    assert_bad(&call(&app, "verifyresettoken", json!({ "token": token })).await, LINK);
    assert_bad(&app.get(&format!("/api/account/verifyresettoken?token={token}")).await, LINK);
}

// Row 6: 400
story!(what_is_no_reset_token_is_not_valid);
async fn what_is_no_reset_token_is_not_valid(app: TestApp) {
    app.user("alice").await;
    app.user("bob").await;
    let token = reset_token(&app, "alice").await;
    let wrong = format!("{}A", &token[..42]);
    let other = if wrong == token { format!("{}E", &token[..42]) } else { wrong };
    for (body, detail) in [
        (json!({}), "token is required."),
        (json!({ "token": "" }), "token must not be empty."),
        (json!({ "token": 1 }), "token must be a string."),
        (json!({ "token": "garbage" }), LINK),
        (json!({ "token": other }), LINK),
        (json!({ "token": "x".repeat(4097) }), "token must have at most 4096 characters."),
        (json!({ "token": token, "user": "bob" }), LINK),
        (json!({ "token": token, "user": "ghost" }), LINK),
    ] {
        assert_bad(&call(&app, "verifyresettoken", body).await, detail);
    }
    assert_bad(&app.get("/api/account/verifyresettoken").await, "token is required.");
    assert_bad(&app.get("/api/account/verifyresettoken?token=garbage").await, LINK);
    app.clock.advance_seconds(86_400);
    assert_bad(&call(&app, "verifyresettoken", json!({ "token": token })).await, LINK);
}

// Row 7; E06
story!(a_reset_token_sets_a_new_password_and_ends_every_session);
async fn a_reset_token_sets_a_new_password_and_ends_every_session(app: TestApp) {
    let before = signed_in(&app, "alice").await;
    let token = reset_token(&app, "alice").await;
    let body = json!({ "user": "alice", "token": token, "newPassword": NEW });
    assert_eq!(call(&app, "resetpassword", body.clone()).await.whole(), SUCCESS);
    assert!(!app.accepts(&before).await);
    assert_unauthorized(&login(&app, "alice", PASSWORD).await, WRONG);
    assert_eq!(login(&app, "alice", NEW).await.status, 200);
    // E02
    assert_bad(&call(&app, "resetpassword", body).await, LINK);
    assert_eq!(login(&app, "alice", NEW).await.status, 200);
}

// Row 7: 400
story!(a_refused_new_password_leaves_the_reset_token_alive);
async fn a_refused_new_password_leaves_the_reset_token_alive(app: TestApp) {
    app.user("alice").await;
    app.user("bob").await;
    let token = reset_token(&app, "alice").await;
    for (body, detail) in [
        (json!({ "token": token }), "newPassword is required."),
        (json!({ "newPassword": NEW }), "token is required."),
        (
            json!({ "token": token, "newPassword": "short" }),
            "Password does not conform to policy: Password not long enough",
        ),
        (json!({ "token": token, "newPassword": NEW, "user": "bob" }), LINK),
        (json!({ "token": "garbage", "newPassword": NEW }), LINK),
    ] {
        assert_bad(&call(&app, "resetpassword", body).await, detail);
    }
    assert_eq!(login(&app, "alice", PASSWORD).await.status, 200);
    assert_eq!(call(&app, "resetpassword", json!({ "token": token, "newPassword": NEW })).await.whole(), SUCCESS);
}

// Row 7; E05
story!(a_reset_token_is_dead_once_the_password_is_another);
async fn a_reset_token_is_dead_once_the_password_is_another(app: TestApp) {
    let access = signed_in(&app, "alice").await;
    let token = reset_token(&app, "alice").await;
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    assert_eq!(call_as(&app, &access, "changepassword", body).await.whole(), SUCCESS);
    let late = call(&app, "resetpassword", json!({ "token": token, "newPassword": "a third long password" })).await;
    assert_bad(&late, LINK);
    assert_eq!(login(&app, "alice", NEW).await.status, 200);
}

// Row 11
story!(a_user_changes_the_password_and_keeps_the_session);
async fn a_user_changes_the_password_and_keeps_the_session(app: TestApp) {
    let (token, other) = (signed_in(&app, "alice").await, token_of(&app, "alice").await);
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    assert_eq!(call_as(&app, &token, "changepassword", body).await.whole(), SUCCESS);
    assert!(app.accepts(&token).await && !app.accepts(&other).await);
    assert_unauthorized(&login(&app, "alice", PASSWORD).await, WRONG);
    let body = json!({ "oldPassword": NEW, "newPassword": "a third long password" });
    assert_eq!(call_as(&app, &token, "changepassword", body).await.whole(), SUCCESS);
    assert_eq!(login(&app, "alice", "a third long password").await.status, 200);
}

// Row 11: 401, 403 as published, 400
story!(a_password_is_not_changed_without_a_token_and_the_current_one);
async fn a_password_is_not_changed_without_a_token_and_the_current_one(app: TestApp) {
    let token = signed_in(&app, "alice").await;
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    assert_unauthorized(&call(&app, "changepassword", body.clone()).await, NO_TOKEN);
    assert_unauthorized(&call_as(&app, "garbage", "changepassword", body.clone()).await, "The token is invalid.");
    let wrong = json!({ "currentPassword": "not the password", "newPassword": NEW });
    assert_forbidden(&call_as(&app, &token, "changepassword", wrong).await, "The current password is wrong.");
    for (body, detail) in [
        (json!({ "newPassword": NEW }), "currentPassword is required."),
        (json!({ "currentPassword": PASSWORD }), "newPassword is required."),
        (json!({ "oldPassword": PASSWORD }), "newPassword is required."),
        (
            json!({ "currentPassword": PASSWORD, "oldPassword": PASSWORD, "newPassword": NEW }),
            "oldPassword must not be given beside currentPassword.",
        ),
        (
            json!({ "currentPassword": PASSWORD, "newPassword": "short" }),
            "Password does not conform to policy: Password not long enough",
        ),
        (
            json!({ "currentPassword": PASSWORD, "newPassword": "alice2026" }),
            "Password does not conform to policy: Password must not be your own name",
        ),
        (
            json!({ "currentPassword": PASSWORD, "newPassword": "x".repeat(257) }),
            "newPassword must have at most 256 characters.",
        ),
    ] {
        assert_bad(&call_as(&app, &token, "changepassword", body).await, detail);
    }
    assert_eq!(login(&app, "alice", PASSWORD).await.status, 200);
    app.pool().disable_user("alice").await.unwrap();
    assert_forbidden(&call_as(&app, &token, "changepassword", body.clone()).await, "User is disabled.");
    app.pool().enable_user("alice").await.unwrap();
    let token = token_of(&app, "alice").await;
    app.clock.advance_seconds(3600);
    assert_unauthorized(&call_as(&app, &token, "changepassword", body).await, "The token has expired.");
}

// G01, G02
story!(guesses_at_the_current_password_are_throttled);
async fn guesses_at_the_current_password_are_throttled(app: TestApp) {
    let token = signed_in(&app, "alice").await;
    let wrong = json!({ "currentPassword": "guess", "newPassword": NEW });
    for _ in 0..5 {
        let answer = call_as(&app, &token, "changepassword", wrong.clone()).await;
        assert_forbidden(&answer, "The current password is wrong.");
    }
    let right = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    let locked = call_as(&app, &token, "changepassword", right).await;
    super::assert_refused(&locked, 429, "Too Many Requests", "Attempt limit exceeded, please try after some time.");
}

story!(a_reset_lets_in_a_user_who_was_made_by_an_administrator);
async fn a_reset_lets_in_a_user_who_was_made_by_an_administrator(app: TestApp) {
    let admin = super::admin(&app).await;
    let code = super::registered(&app, &admin, "carol").await;
    // No mail goes to an address that nobody has proven.
    assert_eq!(call(&app, "forgotpassword", json!({ "user": "carol" })).await.whole(), SUCCESS);
    assert_eq!(app.mails().await.len(), 0);
    let body = json!({ "email": "carol@example.test", "code": code });
    assert_eq!(call(&app, "confirmemail", body).await.whole(), SUCCESS);
    assert_eq!(call(&app, "forgotpassword", json!({ "user": "carol" })).await.whole(), SUCCESS);
    let token = mailed_token(&app).await;
    assert_eq!(call(&app, "resetpassword", json!({ "token": token, "newPassword": NEW })).await.whole(), SUCCESS);
    assert_eq!(login(&app, "carol", NEW).await.status, 200);
}

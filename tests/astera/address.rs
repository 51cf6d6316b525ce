//! Rows 8, 9, 10, 12 and 13: an address confirmed, and changed to another.

use serde_json::json;

use super::{
    LINK, NEW, NO_TOKEN, SUCCESS, admin, assert_bad, assert_refused, assert_unauthorized, call, call_as, email_token,
    login, registered, signed_in, token_of,
};
use crate::app::{PASSWORD, TestApp, story};

const VALID: (u16, &str) = (200, r#"{"valid":true}"#);

// Row 8
story!(a_change_of_address_is_mailed_to_the_new_one, |config| {
    config.astera.email_url = Some("https://acme.test/#/email".parse().unwrap());
});
async fn a_change_of_address_is_mailed_to_the_new_one(app: TestApp) {
    let token = signed_in(&app, "alice").await;
    let body = json!({ "newEmail": "New@example.test" });
    assert_eq!(call_as(&app, &token, "requestemailchange", body).await.whole(), SUCCESS);
    let mail = app.mail().await;
    assert!(mail.contains("To: New@example.test\r\n"), "{mail}");
    let link = mail.lines().find_map(|line| line.trim().strip_prefix("https://acme.test/#/email?token=")).unwrap();
    assert_eq!(link.len(), 43);
    // Asking changes nothing.
    assert_eq!(app.pool().find_user("alice").await.unwrap().email.unwrap(), "alice@example.test");
}

// Rows 8, 9 and 10
story!(the_mailed_token_is_looked_at_and_then_changes_the_address);
async fn the_mailed_token_is_looked_at_and_then_changes_the_address(app: TestApp) {
    let token = signed_in(&app, "alice").await;
    let mailed = email_token(&app, &token, "New@example.test").await;
    let body = json!({ "newEmail": "new@example.test", "token": mailed });
    for _ in 0..2 {
        assert_eq!(call_as(&app, &token, "verifyemailchangetoken", body.clone()).await.whole(), VALID);
    }
    let changed = call_as(&app, &token, "changeemail", body.clone()).await;
    assert_eq!(changed.whole(), (200, r#"{"success":true,"email":"new@example.test"}"#));
    let user = app.pool().find_user("alice").await.unwrap();
    assert_eq!((user.email.as_deref(), user.email_verified), (Some("new@example.test"), true));
    assert_eq!(login(&app, "new@example.test", PASSWORD).await.status, 200);
    assert_eq!(login(&app, "alice@example.test", PASSWORD).await.status, 401);
    // The old address hears of it.
    assert!(app.mail().await.contains("To: alice@example.test\r\n"));
    for operation in ["verifyemailchangetoken", "changeemail"] {
        assert_bad(&call_as(&app, &token, operation, body.clone()).await, LINK);
    }
}

// Row 8: 400, 401
story!(a_change_of_address_needs_a_token_and_an_address);
async fn a_change_of_address_needs_a_token_and_an_address(app: TestApp) {
    let token = signed_in(&app, "alice").await;
    let body = json!({ "newEmail": "new@example.test" });
    assert_unauthorized(&call(&app, "requestemailchange", body.clone()).await, NO_TOKEN);
    assert_unauthorized(&call_as(&app, "garbage", "requestemailchange", body).await, "The token is invalid.");
    for (body, detail) in [
        (json!({}), "newEmail is required."),
        (json!({ "newEmail": "" }), "newEmail must not be empty."),
        (json!({ "newEmail": "nowhere" }), "email must be an email address in ASCII"),
        (json!({ "newEmail": "a@b.test\r\nBcc: eve@evil.test" }), "email must be an email address in ASCII"),
        (json!({ "newEmail": ["a@b.test"] }), "newEmail must be a string."),
    ] {
        assert_bad(&call_as(&app, &token, "requestemailchange", body).await, detail);
    }
    assert_eq!(app.mails().await.len(), 0);
}

// Rows 9 and 10: 400, 401
story!(what_is_no_token_for_this_address_and_this_user_changes_nothing);
async fn what_is_no_token_for_this_address_and_this_user_changes_nothing(app: TestApp) {
    let (alice, bob) = (signed_in(&app, "alice").await, signed_in(&app, "bob").await);
    let mailed = email_token(&app, &alice, "new@example.test").await;
    let right = json!({ "newEmail": "new@example.test", "token": mailed });
    for operation in ["verifyemailchangetoken", "changeemail"] {
        assert_unauthorized(&call(&app, operation, right.clone()).await, NO_TOKEN);
        assert_unauthorized(&call_as(&app, "garbage", operation, right.clone()).await, "The token is invalid.");
        assert_bad(&call_as(&app, &bob, operation, right.clone()).await, LINK);
        for (body, detail) in [
            (json!({ "token": mailed }), "newEmail is required."),
            (json!({ "newEmail": "new@example.test" }), "token is required."),
            (json!({ "newEmail": "new@example.test", "token": "garbage" }), LINK),
            (json!({ "newEmail": "other@example.test", "token": mailed }), LINK),
            (json!({ "newEmail": "nowhere", "token": mailed }), LINK),
        ] {
            assert_bad(&call_as(&app, &alice, operation, body).await, detail);
        }
    }
    app.clock.advance_seconds(86_400);
    let alice = token_of(&app, "alice").await;
    assert_bad(&call_as(&app, &alice, "changeemail", right).await, LINK);
    assert_eq!(app.pool().find_user("alice").await.unwrap().email.unwrap(), "alice@example.test");
}

// Rows 8 and 10: 409
story!(an_address_that_another_has_is_not_taken);
async fn an_address_that_another_has_is_not_taken(app: TestApp) {
    let token = signed_in(&app, "alice").await;
    app.user("bob").await;
    let taken = json!({ "newEmail": "bob@example.test" });
    // E01: who asks is not told; who owns the address is.
    assert_eq!(call_as(&app, &token, "requestemailchange", taken.clone()).await.whole(), SUCCESS);
    let mail = app.mail().await;
    assert!(mail.contains("To: bob@example.test\r\n") && mail.contains("Hello bob,"), "{mail}");
    let mailed = email_token(&app, &token, "carol@example.test").await;
    app.user("carol").await;
    let body = json!({ "newEmail": "carol@example.test", "token": mailed });
    let late = call_as(&app, &token, "changeemail", body).await;
    assert_refused(&late, 409, "Conflict", "User already exists");
    app.change_pool(|pool| pool.hide_user_existence = false).await;
    let shown = call_as(&app, &token, "requestemailchange", taken).await;
    assert_refused(&shown, 409, "Conflict", "User already exists");
    assert_eq!(app.pool().find_user("alice").await.unwrap().email.unwrap(), "alice@example.test");
}

// Row 12; P13
story!(a_confirmation_link_may_be_followed_twice);
async fn a_confirmation_link_may_be_followed_twice(app: TestApp) {
    let admin = admin(&app).await;
    let code = registered(&app, &admin, "carol").await;
    for path in [
        format!("/api/account/confirmemail?user=carol&code={code}"),
        format!("/api/account/confirmemail?user=CAROL&code={code}"),
        format!("/API/Account/ConfirmEmail/?User=carol%40example.test&Code={code}"),
    ] {
        let answer = app.get(&path).await;
        assert_eq!(answer.whole(), SUCCESS);
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    }
    assert!(app.pool().find_user("carol").await.unwrap().email_verified);
}

// Row 13
story!(an_address_is_confirmed_by_a_body_as_well);
async fn an_address_is_confirmed_by_a_body_as_well(app: TestApp) {
    let admin = admin(&app).await;
    let code = registered(&app, &admin, "carol").await;
    let body = json!({ "email": "Carol@example.test", "code": code });
    for _ in 0..2 {
        assert_eq!(call(&app, "confirmemail", body.clone()).await.whole(), SUCCESS);
    }
    assert_eq!(login(&app, "carol@example.test", PASSWORD).await.status, 200);
}

// Rows 12 and 13: 400
story!(what_is_no_code_for_this_user_confirms_nothing);
async fn what_is_no_code_for_this_user_confirms_nothing(app: TestApp) {
    let admin = admin(&app).await;
    let code = registered(&app, &admin, "carol").await;
    app.user("bob").await;
    for (query, detail) in [
        ("".to_owned(), "email is required."),
        ("?user=carol".to_owned(), "code is required."),
        (format!("?code={code}"), "email is required."),
        ("?user=carol&code=garbage".to_owned(), LINK),
        (format!("?user=bob&code={code}"), LINK),
        (format!("?user=ghost&code={code}"), LINK),
        (format!("?user=carol&email=carol%40example.test&code={code}"), "user must not be given beside email."),
        (format!("?user=carol&USER=bob&code={code}"), "The query string is not valid, or has a field twice."),
        ("?user=carol&code=%00".to_owned(), "code must not contain NUL."),
    ] {
        assert_bad(&app.get(&format!("/api/account/confirmemail{query}")).await, detail);
    }
    for (body, detail) in [
        (json!({}), "email is required."),
        (json!({ "email": "carol@example.test" }), "code is required."),
        (json!({ "email": "carol@example.test", "code": "garbage" }), LINK),
        (json!({ "email": "bob@example.test", "code": code }), LINK),
        (json!({ "email": "carol@example.test", "code": 12 }), "code must be a string."),
    ] {
        assert_bad(&call(&app, "confirmemail", body).await, detail);
    }
    assert!(!app.pool().find_user("carol").await.unwrap().email_verified);
    app.clock.advance_seconds(86_400);
    assert_bad(&app.get(&format!("/api/account/confirmemail?user=carol&code={code}")).await, LINK);
}

story!(a_code_confirms_the_address_that_it_was_mailed_to_and_no_later_one);
async fn a_code_confirms_the_address_that_it_was_mailed_to_and_no_later_one(app: TestApp) {
    let admin = admin(&app).await;
    let code = registered(&app, &admin, "carol").await;
    let token = token_of(&app, "carol").await;
    let mailed = email_token(&app, &token, "new@example.test").await;
    let body = json!({ "newEmail": "new@example.test", "token": mailed });
    assert_eq!(call_as(&app, &token, "changeemail", body).await.status, 200);
    assert_bad(&call(&app, "confirmemail", json!({ "email": "new@example.test", "code": code })).await, LINK);
    assert_bad(&app.get(&format!("/api/account/confirmemail?user=carol&code={code}")).await, LINK);
    // A changed password is another reason to mistrust an older link.
    let code = registered(&app, &admin, "dave").await;
    let token = token_of(&app, "dave").await;
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    assert_eq!(call_as(&app, &token, "changepassword", body).await.whole(), SUCCESS);
    assert_bad(&app.get(&format!("/api/account/confirmemail?user=dave&code={code}")).await, LINK);
}

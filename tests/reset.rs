//! Resetting a forgotten password by a mailed code.

use cognate::pool::NewUser;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::app::{PASSWORD, TestApp, story};

const NEW: &str = "another long password";
const WRONG: (u16, &str) = (401, r#"{"status":401,"message":"Incorrect username or password."}"#);
const DONE: (u16, &str) = (204, "");
const MISMATCH: (u16, &str) =
    (401, r#"{"status":401,"message":"CodeMismatchException: Invalid verification code provided, please try again."}"#);

/// A user who has asked for a code; the code.
async fn asked(app: &TestApp, name: &str) -> String {
    app.user(name).await;
    assert_eq!(app.forgot(name).await.whole(), DONE);
    app.mailed_code().await
}

// E01, E12
story!(asking_for_a_code_answers_alike_for_everybody);
async fn asking_for_a_code_answers_alike_for_everybody(app: TestApp) {
    let pool = app.pool();
    app.user("alice").await;
    app.user("disabled").await;
    pool.disable_user("disabled").await.unwrap();
    pool.create_user(NewUser::new("no-address", PASSWORD)).await.unwrap();
    pool.create_user(NewUser { temporary: true, ..NewUser::new("temporary", PASSWORD) }).await.unwrap();
    let first = app.forgot("alice").await;
    assert_eq!(first.whole(), DONE);
    for name in ["disabled", "no-address", "temporary", "ghost", "ghost@example.test", "alice\r\nBcc: eve@evil.test"] {
        assert_eq!(app.forgot(name).await.sight(), first.sight(), "{name:?}");
    }
    assert_eq!(app.mails().await.len(), 1);
}

story!(a_pool_may_say_who_exists);
async fn a_pool_may_say_who_exists(app: TestApp) {
    let pool = app.pool();
    app.user("alice").await;
    app.user("disabled").await;
    pool.disable_user("disabled").await.unwrap();
    pool.create_user(NewUser::new("no-address", PASSWORD)).await.unwrap();
    pool.create_user(NewUser { temporary: true, ..NewUser::new("temporary", PASSWORD) }).await.unwrap();
    app.change_pool(|pool| pool.hide_user_existence = false).await;
    for (name, message) in [
        ("ghost", "User not found."),
        ("ghost@example.test", "User not found."),
        ("disabled", "User is disabled."),
        ("no-address", "Cannot reset password for the user as there is no registered/verified email or phone_number"),
        ("temporary", "User password cannot be reset in the current state."),
    ] {
        let answer = app.forgot(name).await;
        assert_eq!(answer.whole(), (401, format!(r#"{{"status":401,"message":"{message}"}}"#).as_str()), "{name}");
    }
    let unasked = app.confirm("alice", "12345678", NEW).await;
    let message = "ExpiredCodeException: Invalid code provided, please request a code again.";
    assert_eq!(unasked.whole(), (401, format!(r#"{{"status":401,"message":"{message}"}}"#).as_str()));
    assert_eq!(app.confirm("ghost", "12345678", NEW).await.whole(), MISMATCH);
}

// E07, E08
story!(the_mail_holds_what_the_settings_say_and_nothing_of_the_request, |config| {
    config.mail.product = "Acme ID".to_owned();
    config.mail.from = "Acme <id@acme.test>".to_owned();
    config.mail.reset_url = Some("https://acme.test/reset".parse().unwrap());
});
async fn the_mail_holds_what_the_settings_say_and_nothing_of_the_request(app: TestApp) {
    app.pool()
        .create_user(NewUser { email: Some("Ann@example.test".to_owned()), ..NewUser::new("Ann B", PASSWORD) })
        .await
        .unwrap();
    let request = app.to("POST", "/v1/forgot-password").json(&json!({ "username": "aNN@EXAMPLE.test" }));
    let evil = request.header("X-Forwarded-Host", "evil.test").header("Forwarded", "host=evil.test;proto=ftp");
    let evil = evil.header("Host", "evil.test").header("Origin", "https://evil.test");
    let answer = app.request(evil.header("Referer", "https://evil.test/")).await;
    assert_eq!(answer.whole(), DONE);
    let mails = app.mails().await;
    let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    assert!(!mail.contains("evil"), "{mail}");
    let (head, body) = mail.split_once("\r\n\r\n").unwrap();
    for line in ["From: Acme <id@acme.test>", "To: Ann@example.test", "Subject: Your Acme ID reset code"] {
        assert_eq!(head.lines().filter(|header| *header == line).count(), 1, "{line} in {head}");
    }
    let text = body.split("Content-Type: text/html").next().unwrap();
    let code = text.lines().map(str::trim).find(|line| line.len() == 8 && line.parse::<u32>().is_ok()).unwrap();
    let text: String = text.split("\r\n\r\n").skip(1).collect::<Vec<_>>().join("\r\n\r\n");
    let whole = format!(
        "Hello Ann B,\n\nsomebody asked to reset the password of your Acme ID account. The code is\n\n    {code}\n\n\
         It works once, for 10 minutes. Enter it with your new password at\n\n    https://acme.test/reset\n\n\
         If it was not you, do nothing: your password stays as it is.\nNever tell this code to anybody, us included."
    );
    let text = text.replace("\r\n", "\n");
    assert!(text.starts_with(&whole), "{text}");
}

// E06
story!(a_mailed_code_sets_a_new_password_and_ends_every_session);
async fn a_mailed_code_sets_a_new_password_and_ends_every_session(app: TestApp) {
    let signed_in = app.signed_in("alice").await;
    assert_eq!(app.forgot("alice@example.test").await.whole(), DONE);
    let code = app.mailed_code().await;
    let answer = app.confirm("alice", &code, NEW).await;
    assert_eq!(answer.whole(), DONE);
    assert_eq!(app.login("alice", PASSWORD).await.whole(), WRONG);
    assert_eq!(app.refresh("alice", &signed_in.field("refresh_token")).await.status, 401);
    assert_eq!(app.change_password(&signed_in.field("access_token"), NEW, NEW).await.whole(), WRONG);
    assert_eq!(app.login("alice", NEW).await.status, 200);
    // E02
    assert_eq!(app.confirm("alice", &code, "a third long password").await.whole(), MISMATCH);
    assert_eq!(app.login("alice", NEW).await.status, 200);
}

// E03
story!(ten_confirmations_at_once_have_one_winner_and_his_password_holds);
async fn ten_confirmations_at_once_have_one_winner_and_his_password_holds(app: TestApp) {
    let app = app.doubled().await;
    for name in ["alice", "bob", "carol"] {
        let code = asked(&app, name).await;
        let passwords: Vec<String> = (0..10).map(|number| format!("a long password, number {number}")).collect();
        let answers = join_all(passwords.iter().map(|password| app.confirm(name, &code, password))).await;
        let winners: Vec<usize> = (0..10).filter(|index| answers[*index].whole() == DONE).collect();
        assert_eq!(winners.len(), 1, "{name}");
        assert_eq!(answers.iter().filter(|answer| answer.whole() == MISMATCH).count(), 9);
        assert_eq!(app.login(name, &passwords[winners[0]]).await.status, 200);
    }
}

// E04, E05
story!(anothers_code_and_an_older_code_are_refused);
async fn anothers_code_and_an_older_code_are_refused(app: TestApp) {
    let of_alice = asked(&app, "alice").await;
    let of_bob = asked(&app, "bob").await;
    assert_eq!(app.confirm("alice", &of_bob, NEW).await.whole(), MISMATCH);
    assert_eq!(app.confirm("bob", &of_alice, NEW).await.whole(), MISMATCH);
    app.forgot("alice").await;
    let newer = app.mailed_code().await;
    if newer != of_alice {
        assert_eq!(app.confirm("alice", &of_alice, NEW).await.whole(), MISMATCH);
    }
    assert_eq!(app.confirm("alice", &newer, NEW).await.whole(), DONE);
    assert_eq!(app.confirm("bob", &of_bob, NEW).await.whole(), DONE);
}

story!(a_weak_password_does_not_burn_the_code);
async fn a_weak_password_does_not_burn_the_code(app: TestApp) {
    let code = asked(&app, "alice").await;
    for (weak, reason) in [
        ("short", "Password not long enough"),
        ("iloveyou", "Password is too common"),
        ("ALICE-2026", "Password must not be your own name"),
    ] {
        let answer = app.confirm("alice", &code, weak).await;
        let message = format!("InvalidPasswordException: Password does not conform to policy: {reason}");
        assert_eq!(answer.whole(), (401, format!(r#"{{"status":401,"message":"{message}"}}"#).as_str()), "{weak}");
    }
    assert_eq!(app.confirm("alice", &code, NEW).await.whole(), DONE);
}

// E09, E10, S21
story!(the_fifth_wrong_code_kills_the_right_one);
async fn the_fifth_wrong_code_kills_the_right_one(app: TestApp) {
    let code = asked(&app, "alice").await;
    assert!(code.len() == 8 && code.parse::<u32>().is_ok());
    let wrong = |number: u32| format!("{:08}", (code.parse::<u32>().unwrap() + number) % 100_000_000);
    for number in 1..=5 {
        assert_eq!(app.confirm("alice", &wrong(number), NEW).await.whole(), MISMATCH);
    }
    assert_eq!(app.confirm("alice", &code, NEW).await.whole(), MISMATCH);
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}

story!(a_code_lives_for_ten_minutes);
async fn a_code_lives_for_ten_minutes(app: TestApp) {
    let (in_time, too_late) = (asked(&app, "alice").await, asked(&app, "bob").await);
    app.clock.advance_seconds(599);
    assert_eq!(app.confirm("alice", &in_time, NEW).await.whole(), DONE);
    app.clock.advance_seconds(1);
    assert_eq!(app.confirm("bob", &too_late, NEW).await.whole(), MISMATCH);
}

// E11
story!(nothing_but_the_code_is_the_code);
async fn nothing_but_the_code_is_the_code(app: TestApp) {
    app.user("alice").await;
    let confirm = async |code: Value| {
        let body = json!({ "username": "alice", "password": NEW, "confirmation_code": code });
        app.post("/v1/forgot-password-confirm", body).await
    };
    for asked in [false, true] {
        if asked {
            assert_eq!(app.forgot("alice").await.whole(), DONE);
        }
        for (code, status) in [
            (json!(null), 422),
            (json!(""), 422),
            (json!(0), 422),
            (json!([]), 422),
            (json!({ "$ne": "" }), 422),
            (json!(true), 422),
            (json!("null"), 401),
            (json!("x".repeat(2048)), 401),
            (json!("x".repeat(2049)), 422),
        ] {
            assert_eq!(confirm(code.clone()).await.status, status, "{code}");
        }
    }
    assert_eq!(app.login("alice", NEW).await.whole(), WRONG);
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
    assert_eq!(app.confirm("alice", &app.mailed_code().await, NEW).await.whole(), DONE);
}

// D01
story!(confirming_for_a_ghost_looks_like_a_wrong_code);
async fn confirming_for_a_ghost_looks_like_a_wrong_code(app: TestApp) {
    asked(&app, "alice").await;
    app.forgot("ghost").await;
    for _ in 0..6 {
        let (user, ghost) = (app.confirm("alice", "no code", NEW).await, app.confirm("ghost", "no code", NEW).await);
        assert_eq!(user.whole(), MISMATCH);
        assert_eq!(user.sight(), ghost.sight());
    }
}

story!(a_user_whose_reset_an_administrator_asked_for_signs_in_after_it);
async fn a_user_whose_reset_an_administrator_asked_for_signs_in_after_it(app: TestApp) {
    let signed_in = app.signed_in("alice").await;
    app.pool().reset_user(&app.client(), "alice").await.unwrap();
    assert_eq!(app.login("alice", PASSWORD).await.whole(), WRONG);
    assert_eq!(app.refresh("alice", &signed_in.field("refresh_token")).await.status, 401);
    assert_eq!(app.confirm("alice", &app.mailed_code().await, NEW).await.whole(), DONE);
    assert_eq!(app.login("alice", NEW).await.status, 200);
}

story!(a_code_mailed_before_a_user_was_disabled_changes_nothing);
async fn a_code_mailed_before_a_user_was_disabled_changes_nothing(app: TestApp) {
    let code = asked(&app, "alice").await;
    app.pool().disable_user("alice").await.unwrap();
    assert_eq!(app.confirm("alice", &code, NEW).await.whole(), MISMATCH);
    app.pool().enable_user("alice").await.unwrap();
    assert_eq!(app.login("alice", NEW).await.whole(), WRONG);
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}

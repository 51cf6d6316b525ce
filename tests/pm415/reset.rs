//! A forgotten password, and the mailed link that replaces it.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{EMAIL, NEW, ORGANIZATION, bad_request, invited, refusal, registration, whole, with};
use crate::app::{Answer, PASSWORD, TestApp, story};

fn invalid() -> (u16, String) {
    refusal(422, "Unprocessable Entity", "Token invalid")
}

fn change(token: &str, password: &str) -> Value {
    json!({ "password": password, "confirmation": password, "token": token })
}

/// Somebody who has asked for a link; its token.
async fn asked(app: &TestApp) -> String {
    let answer = app.pm415("forgotpassword", json!({ "email": EMAIL })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    app.mailed_link("reset-password").await
}

async fn change_password(app: &TestApp, token: &str, password: &str) -> Answer {
    app.pm415("changepassword", change(token, password)).await
}

story!(a_forgotten_password_is_replaced_by_the_link_of_a_mail);
async fn a_forgotten_password_is_replaced_by_the_link_of_a_mail(app: TestApp) {
    let id = app.registered(EMAIL, ORGANIZATION).await;
    let session = app.sign_in(EMAIL, PASSWORD).await.field("token");
    let answer = app.pm415("forgotpassword", json!({ "email": EMAIL })).await;
    // A number made of the address alone, so that it does not tell whether it is anybody's.
    let shown = app.pool().absent_public_id(EMAIL);
    let message = "A message was sent to the ada@example.test";
    assert_eq!(whole(&answer), (200, format!(r#"{{"message":"{message}","success":true,"userId":{shown}}}"#)));
    let token = app.mailed_link("reset-password").await;

    let changed = change_password(&app, &token, NEW).await;
    let done = format!(r#"{{"userId":{id},"success":true,"message":"New password saved"}}"#);
    assert_eq!(whole(&changed), (200, done));
    assert_eq!(changed.header("cache-control"), Some("no-store"));
    let old = app.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(whole(&old), refusal(401, "Unauthorized", "Unable to login user"));
    assert_eq!(app.sign_in(EMAIL, NEW).await.status, 200);
    // E06
    assert!(!app.accepts(&session).await);
}

// D01, E01
story!(asking_for_a_link_answers_alike_for_everybody);
async fn asking_for_a_link_answers_alike_for_everybody(app: TestApp) {
    app.registered(EMAIL, ORGANIZATION).await;
    for email in [EMAIL, "nobody@example.test"] {
        let first = app.pm415("forgotpassword", json!({ "email": email })).await;
        let id = first.json()["userId"].as_i64().unwrap();
        let message = format!("A message was sent to the {email}");
        assert_eq!(whole(&first), (200, format!(r#"{{"message":"{message}","success":true,"userId":{id}}}"#)));
        assert!((1..1 << 31).contains(&id));
        // Nobody's number stays the same, too.
        assert_eq!(app.pm415("forgotpassword", json!({ "email": email })).await.whole(), first.whole());
    }
    assert_eq!(app.mails().await.len(), 2);
}

story!(a_pool_may_say_whose_address_is_unknown);
async fn a_pool_may_say_whose_address_is_unknown(app: TestApp) {
    let id = app.registered(EMAIL, ORGANIZATION).await;
    app.show_existence().await;
    let known = app.pm415("forgotpassword", json!({ "email": EMAIL })).await;
    assert_eq!((known.status, &known.json()["userId"]), (200, &json!(id)));
    assert_eq!(
        app.pm415("forgotpassword", json!({ "email": "nobody@example.test" })).await.whole(),
        (
            404,
            r#"{"statusCode":404,"error":"Not Found","message":"User with email nobody@example.test not found.","success":false}"#
        )
    );
}

// D20
story!(mails_to_one_address_are_limited);
async fn mails_to_one_address_are_limited(app: TestApp) {
    app.registered(EMAIL, ORGANIZATION).await;
    for email in [EMAIL, "nobody@example.test"] {
        let mut last = None;
        for _ in 0..10 {
            last = Some(app.pm415("forgotpassword", json!({ "email": email })).await);
        }
        let last = last.unwrap();
        let message = "Attempt limit exceeded, please try after some time.";
        assert_eq!(whole(&last), refusal(429, "Too Many Requests", message), "{email}");
        assert!(last.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    }
}

// E02, E03
story!(a_link_resets_once_whoever_comes_first);
async fn a_link_resets_once_whoever_comes_first(app: TestApp) {
    app.registered(EMAIL, ORGANIZATION).await;
    let token = asked(&app).await;
    let passwords: Vec<String> = (0..6).map(|number| format!("{NEW} {number}")).collect();
    let answers = join_all(passwords.iter().map(|password| change_password(&app, &token, password))).await;
    let winners: Vec<usize> = (0..6).filter(|at| answers[*at].status == 200).collect();
    let [winner] = winners.as_slice() else { panic!("{winners:?} won") };
    for (at, answer) in answers.iter().enumerate().filter(|(at, _)| at != winner) {
        assert_eq!(whole(answer), invalid(), "{at}");
    }
    assert_eq!(app.sign_in(EMAIL, &passwords[*winner]).await.status, 200);
    assert_eq!(whole(&change_password(&app, &token, NEW).await), invalid());
}

story!(a_link_ends_after_a_day_or_with_the_password_it_was_made_for);
async fn a_link_ends_after_a_day_or_with_the_password_it_was_made_for(app: TestApp) {
    app.registered(EMAIL, ORGANIZATION).await;
    let late = asked(&app).await;
    app.clock.advance_seconds(24 * 3600);
    assert_eq!(whole(&change_password(&app, &late, NEW).await), invalid());
    // E05
    let (older, newer) = (asked(&app).await, asked(&app).await);
    assert_eq!(change_password(&app, &newer, NEW).await.status, 200);
    assert_eq!(whole(&change_password(&app, &older, "a third long password").await), invalid());
    for token in ["nonsense", "..", "a.b.c", &"x".repeat(5_000)] {
        assert_eq!(whole(&change_password(&app, token, NEW).await), invalid(), "{token}");
    }
}

story!(a_weak_password_leaves_the_link_for_another_try);
async fn a_weak_password_leaves_the_link_for_another_try(app: TestApp) {
    app.registered(EMAIL, ORGANIZATION).await;
    let token = asked(&app).await;
    for (password, message) in [
        ("ada1", r#""Password" length must be at least 8 characters long"#),
        ("password", r#""Password" is too common"#),
        ("ada@example.test", r#""Password" must not be your own name"#),
    ] {
        assert_eq!(whole(&change_password(&app, &token, password).await), bad_request(message), "{password}");
    }
    app.change_pool(|pool| pool.password_history = 1).await;
    let used = bad_request(r#""Password" has previously been used"#);
    assert_eq!(whole(&change_password(&app, &token, PASSWORD).await), used);
    assert_eq!(change_password(&app, &token, NEW).await.status, 200);
}

// P07: the original takes any of its tokens for any purpose.
story!(no_token_serves_a_purpose_it_was_not_made_for);
async fn no_token_serves_a_purpose_it_was_not_made_for(app: TestApp) {
    assert_eq!(app.pm415("register", registration(EMAIL, ORGANIZATION)).await.status, 200);
    let verify = app.mailed_link("verify").await;
    assert_eq!(whole(&change_password(&app, &verify, NEW).await), invalid());
    assert_eq!(app.verify(&verify).await.json()["success"], true);

    let access = app.sign_in(EMAIL, PASSWORD).await.field("token");
    let key = app.with_bearer("POST", "/api/user/apikey", &access, None).await.field("apiKey");
    let organization = app.organization_of(&access).await;
    let invitation = app.invitation(&access, organization, "eve@example.test").await;
    let reset = asked(&app).await;

    for (name, token) in [("verify", &verify), ("access", &access), ("key", &key), ("invitation", &invitation)] {
        assert_eq!(whole(&change_password(&app, token, NEW).await), invalid(), "{name}");
    }
    let unverified = r#"{"success":false,"message":"Token is invalid or expired."}"#;
    for (name, token) in [("reset", &reset), ("access", &access), ("key", &key), ("invitation", &invitation)] {
        assert_eq!(app.verify(token).await.whole(), (200, unverified), "{name}");
    }
    let uninvited = refusal(422, "Unprocessable Entity", "Invitation token invalid or expired");
    for (name, token) in [("reset", &reset), ("access", &access), ("key", &key), ("verify", &verify)] {
        let body = json!({ "email": EMAIL, "password": PASSWORD, "token": token });
        assert_eq!(whole(&app.pm415("login", body).await), uninvited, "{name}");
        let body = invited("eve@example.test", token);
        assert_eq!(whole(&app.pm415("register", body).await), uninvited, "{name}");
        assert_eq!(whole(&app.get(&format!("/api/org/invite?token={token}")).await), uninvited, "{name}");
    }
    let stranger = refusal(401, "Unauthorized", "Authentication required");
    for (name, token) in [("reset", &reset), ("verify", &verify), ("invitation", &invitation)] {
        assert_eq!(whole(&app.with_bearer("GET", "/api/user", token, None).await), stranger, "{name}");
    }
    // None of that has used up what each is for.
    assert_eq!(change_password(&app, &reset, NEW).await.status, 200);
    assert_eq!(app.get(&format!("/api/org/invite?token={invitation}")).await.status, 200);
}

story!(the_fields_of_a_new_password_are_judged_before_the_link);
async fn the_fields_of_a_new_password_are_judged_before_the_link(app: TestApp) {
    let body = with(change("nonsense", NEW), "confirmation", json!("another"));
    let answer = app.pm415("changepassword", body).await;
    assert_eq!(whole(&answer), bad_request(r#""Confirmation" must match password"#));
}

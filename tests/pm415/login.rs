//! Signing in, and who may not.

use serde_json::json;

use super::{EMAIL, ORGANIZATION, refusal, whole};
use crate::app::{PASSWORD, TestApp, claims, story};
use cognate::pool::NewUser;

const WRONG: (u16, &str) =
    (401, r#"{"statusCode":401,"error":"Unauthorized","message":"Unable to login user","success":false}"#);

story!(an_address_is_compared_without_regard_to_case);
async fn an_address_is_compared_without_regard_to_case(app: TestApp) {
    let id = app.registered("Ada@Example.test", ORGANIZATION).await;
    for email in ["ada@example.test", "ADA@EXAMPLE.TEST", "Ada@Example.test"] {
        let answer = app.sign_in(email, PASSWORD).await;
        assert_eq!((answer.status, &answer.json()["user"]["id"]), (200, &json!(id)), "{email}");
        assert_eq!(answer.json()["user"]["email"], "Ada@Example.test");
    }
}

story!(the_token_is_an_access_token_of_the_pool_for_a_week);
async fn the_token_is_an_access_token_of_the_pool_for_a_week(app: TestApp) {
    let token = app.registered_and_in(EMAIL, ORGANIZATION).await;
    let said = claims(&token);
    assert_eq!(said["token_use"], "access");
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 7 * 24 * 3600);
    assert!(app.accepts(&token).await);
    app.clock.advance_seconds(7 * 24 * 3600 - 1);
    assert!(app.accepts(&token).await);
    app.clock.advance_seconds(1);
    assert!(!app.accepts(&token).await);
}

// D01
story!(an_unknown_address_and_a_wrong_password_are_one_refusal);
async fn an_unknown_address_and_a_wrong_password_are_one_refusal(app: TestApp) {
    app.registered(EMAIL, ORGANIZATION).await;
    app.pm415("register", super::registration("new@example.test", "Unproven")).await;
    let wrong = app.sign_in(EMAIL, "not the password").await;
    assert_eq!(wrong.whole(), WRONG);
    for email in ["nobody@example.test", "new@example.test", "no address", "<b>@example.test", "a@b\r\nX: y"] {
        assert_eq!(app.sign_in(email, "not the password").await.sight(), wrong.sight(), "{email:?}");
    }
}

story!(a_pool_may_say_who_is_unknown);
async fn a_pool_may_say_who_is_unknown(app: TestApp) {
    app.registered(EMAIL, ORGANIZATION).await;
    app.show_existence().await;
    assert_eq!(
        app.sign_in("nobody@example.test", PASSWORD).await.whole(),
        (
            404,
            r#"{"statusCode":404,"error":"Not Found","message":"User with email nobody@example.test not found.","success":false}"#
        )
    );
    assert_eq!(app.sign_in(EMAIL, "not the password").await.whole(), WRONG);
    // What the caller typed is only ever a JSON string.
    let message = "User with email \"><script>alert(1)</script> not found.";
    let odd = app.sign_in("\"><script>alert(1)</script>", PASSWORD).await;
    assert_eq!(whole(&odd), refusal(404, "Not Found", message));
    assert_eq!(odd.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(odd.header("x-content-type-options"), Some("nosniff"));
}

story!(only_a_confirmed_and_active_user_signs_in);
async fn only_a_confirmed_and_active_user_signs_in(app: TestApp) {
    let inactive = refusal(403, "Forbidden", "User not confirmed or inactive");
    app.pm415("register", super::registration(EMAIL, ORGANIZATION)).await;
    // D01: who registered for somebody else must not learn from it that the address was free.
    assert_eq!(app.sign_in(EMAIL, PASSWORD).await.whole(), WRONG);
    app.change_pool(|pool| pool.hide_user_existence = false).await;
    assert_eq!(whole(&app.sign_in(EMAIL, PASSWORD).await), inactive);
    app.verify(&app.mailed_link("verify").await).await;
    assert_eq!(app.sign_in(EMAIL, PASSWORD).await.status, 200);
    app.pool().disable_user(EMAIL).await.unwrap();
    assert_eq!(whole(&app.sign_in(EMAIL, PASSWORD).await), inactive);
    assert_eq!(app.sign_in(EMAIL, "not the password").await.whole(), WRONG);
}

story!(a_temporary_password_must_be_replaced_first);
async fn a_temporary_password_must_be_replaced_first(app: TestApp) {
    let email = Some(EMAIL.to_owned());
    app.pool().create_user(NewUser { email, temporary: true, ..NewUser::new("ada", PASSWORD) }).await.unwrap();
    let answer = app.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(whole(&answer), refusal(403, "Forbidden", "A new password must be chosen first."));
}

story!(a_user_made_elsewhere_signs_in_here_too);
async fn a_user_made_elsewhere_signs_in_here_too(app: TestApp) {
    app.user("ada").await;
    let id = app.pool().public_id(&app.pool().find_user("ada").await.unwrap());
    for name in ["ada", EMAIL] {
        let answer = app.sign_in(name, PASSWORD).await;
        let token = answer.field("token");
        let user = r#""email":"ada@example.test","firstName":null,"lastName":null,"organizations":[]"#;
        assert_eq!(answer.text, format!(r#"{{"token":"{token}","success":true,"user":{{"id":{id},{user}}}}}"#));
    }
}

// D03, D20
story!(guesses_are_throttled_and_told_when_to_come_back);
async fn guesses_are_throttled_and_told_when_to_come_back(app: TestApp) {
    app.registered(EMAIL, ORGANIZATION).await;
    for email in [EMAIL, "nobody@example.test"] {
        for _ in 0..5 {
            assert_eq!(app.sign_in(email, "not the password").await.status, 401);
        }
        let locked = app.sign_in(email, PASSWORD).await;
        let message = "Attempt limit exceeded, please try after some time.";
        assert_eq!(whole(&locked), refusal(429, "Too Many Requests", message), "{email}");
        assert_eq!(locked.header("retry-after"), Some("1"));
    }
}

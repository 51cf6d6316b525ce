//! Throttling: guesses cost more and more time, whoever is guessed at and wherever from, and nobody else pays for it.

use futures_util::future::join_all;
use serde_json::json;

use crate::app::{Answer, PASSWORD, TestApp, story};

const WRONG: (u16, &str) = (401, r#"{"status":401,"message":"Incorrect username or password."}"#);
const LOCKED: (u16, &str) = (429, r#"{"status":429,"message":"Attempt limit exceeded, please try after some time."}"#);

fn assert_locked(answer: &Answer, seconds: &str) {
    assert_eq!(answer.whole(), LOCKED);
    assert_eq!(answer.header("retry-after"), Some(seconds));
}

// D20, S19
story!(from_the_fifth_failure_on_each_lock_is_twice_as_long_up_to_a_quarter_of_an_hour);
async fn from_the_fifth_failure_on_each_lock_is_twice_as_long_up_to_a_quarter_of_an_hour(app: TestApp) {
    app.user("alice").await;
    // A name that nobody has locks alike, byte for byte.
    for name in ["alice", "ghost"] {
        for _ in 0..4 {
            assert_eq!(app.login(name, "guess").await.whole(), WRONG);
        }
        for lock in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900] {
            assert_eq!(app.login(name, "guess").await.whole(), WRONG, "the attempt that begins {lock} s");
            assert_locked(&app.login(name, "guess").await, &lock.to_string());
            assert_locked(&app.login(name, PASSWORD).await, &lock.to_string());
            app.clock.advance_seconds(lock - 1);
            assert_locked(&app.login(name, "guess").await, "1");
            app.clock.advance_seconds(1);
        }
        // A quarter of an hour without an attempt that counted, and the failures are forgotten.
        for _ in 0..4 {
            assert_eq!(app.login(name, "guess").await.whole(), WRONG);
        }
    }
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}

// D01, D20
story!(a_locked_ghost_looks_like_a_locked_user);
async fn a_locked_ghost_looks_like_a_locked_user(app: TestApp) {
    app.user("alice").await;
    for _ in 0..6 {
        let (user, ghost) = (app.login("alice", "guess").await, app.login("ghost", "guess").await);
        assert_eq!(user.sight(), ghost.sight());
    }
    assert_locked(&app.login("GHOST", "guess").await, "1");
}

story!(a_right_password_after_the_lock_forgets_the_failures);
async fn a_right_password_after_the_lock_forgets_the_failures(app: TestApp) {
    app.user("alice").await;
    for _ in 0..5 {
        assert_eq!(app.login("alice", "guess").await.whole(), WRONG);
    }
    assert_locked(&app.login("alice", PASSWORD).await, "1");
    app.clock.advance_seconds(1);
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
    for _ in 0..4 {
        assert_eq!(app.login("alice", "guess").await.whole(), WRONG);
    }
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}

story!(all_names_of_an_account_share_one_count);
async fn all_names_of_an_account_share_one_count(app: TestApp) {
    app.user("alice").await;
    for name in ["alice", "ALICE", "alice@example.test", "Alice@Example.TEST", "alice"] {
        assert_eq!(app.login(name, "guess").await.whole(), WRONG);
    }
    assert_locked(&app.login("Alice@example.test", PASSWORD).await, "1");
    app.user("bob").await;
    assert_eq!(app.login("bob", PASSWORD).await.status, 200, "nobody else pays for it");
}

// D22
story!(of_sixty_guesses_at_once_no_more_are_judged_than_allowed);
async fn of_sixty_guesses_at_once_no_more_are_judged_than_allowed(app: TestApp) {
    let app = app.doubled().await;
    app.user("alice").await;
    for name in ["alice", "ghost"] {
        let answers = join_all((0..60).map(|_| app.login(name, "guess"))).await;
        let judged = answers.iter().filter(|answer| answer.whole() == WRONG).count();
        let turned_away = answers.iter().filter(|answer| answer.whole() == LOCKED).count();
        assert_eq!((judged, turned_away), (5, 55), "{name}");
    }
}

story!(right_passwords_at_once_do_not_lock_each_other_out);
async fn right_passwords_at_once_do_not_lock_each_other_out(app: TestApp) {
    app.user("alice").await;
    let answers = join_all((0..12).map(|_| app.login("alice", PASSWORD))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200; 12]);
}

// G02
story!(guessing_with_a_stolen_access_token_is_throttled_like_signing_in);
async fn guessing_with_a_stolen_access_token_is_throttled_like_signing_in(app: TestApp) {
    let stolen = app.signed_in("alice").await.field("access_token");
    for guess in 0..5 {
        let answer = app.change_password(&stolen, &format!("guess {guess}"), "another long password").await;
        assert_eq!(answer.whole(), WRONG);
    }
    assert_locked(&app.change_password(&stolen, PASSWORD, "another long password").await, "1");
    assert_locked(&app.login("alice", PASSWORD).await, "1");
}

// D21
story!(a_caller_cannot_choose_his_address, |config| config.limits.source_failures = 10);
async fn a_caller_cannot_choose_his_address(app: TestApp) {
    let guess = async |number: usize| {
        let body = json!({ "username": format!("user-{number}"), "password": "guess" });
        let mut request = app.to("POST", "/v1/login").json(&body);
        for name in ["X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP"] {
            request = request.header(name, format!("10.0.0.{number}"));
        }
        let forwarded = format!("for=10.0.0.{number};host=evil.test");
        app.request(request.header("Forwarded", forwarded)).await
    };
    for number in 0..10 {
        assert_eq!(guess(number).await.whole(), WRONG);
    }
    for number in 10..40 {
        assert_locked(&guess(number).await, "1");
    }
}

story!(only_a_configured_proxy_names_the_caller, |config| {
    config.limits.source_failures = 10;
    config.http.trusted_proxies =
        cognate::config::List(vec!["127.0.0.0/8".parse().unwrap(), "10.9.0.0/16".parse().unwrap()]);
});
async fn only_a_configured_proxy_names_the_caller(app: TestApp) {
    let number = std::sync::atomic::AtomicUsize::new(0);
    let guess = async |forwarded: &str| {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let body = json!({ "username": format!("user-{number}"), "password": "guess" });
        app.request(app.to("POST", "/v1/login").header("X-Forwarded-For", forwarded).json(&body)).await
    };
    for hop in 0..10 {
        // What stands before the last hop that is no proxy, the caller could have made up.
        assert_eq!(guess(&format!("10.1.1.{hop}, 203.0.113.7, 10.9.0.4")).await.whole(), WRONG);
    }
    assert_locked(&guess("203.0.113.7").await, "1");
    assert_locked(&guess("8.8.8.8, 203.0.113.7").await, "1");
    assert_eq!(guess("203.0.113.8").await.whole(), WRONG);
    // The addresses of one IPv6 customer are one source.
    for host in 1..=10 {
        assert_eq!(guess(&format!("2001:db8:1:2::{host}")).await.whole(), WRONG);
    }
    assert_locked(&guess("2001:db8:1:2:ffff::1").await, "1");
    assert_eq!(guess("2001:db8:1:3::1").await.whole(), WRONG);
}

// E20
story!(one_account_gets_few_mails_and_a_ghost_is_throttled_alike);
async fn one_account_gets_few_mails_and_a_ghost_is_throttled_alike(app: TestApp) {
    app.user("alice").await;
    let mut mailed = 0;
    for request in 0..40 {
        let (user, ghost) = (app.forgot("alice").await, app.forgot("ghost").await);
        assert_eq!(user.sight(), ghost.sight());
        if request < 5 {
            assert_eq!(user.whole(), (204, ""));
            mailed += 1;
        } else {
            assert_locked(&user, "60");
        }
    }
    assert_eq!(app.mails().await.len(), mailed);
    app.clock.advance_seconds(60);
    assert_eq!(app.forgot("alice").await.whole(), (204, ""));
    assert_locked(&app.forgot("alice@example.test").await, "120");
}

fn few(config: &mut cognate::config::Config) {
    config.limits.source_failures = 5;
}

// D20: a program that signs its calls acts for many, and who guesses through it keeps out nobody else.
story!(guesses_through_a_trusted_program_lock_no_one_but_whom_they_are_about, super::few);
async fn guesses_through_a_trusted_program_lock_no_one_but_whom_they_are_about(app: TestApp) {
    use cognate::pool::client::AuthFlow;
    app.user("alice").await;
    app.change_client(|client| client.auth_flows = Some([AuthFlow::AllowAdminUserPasswordAuth].into())).await;
    let sign_in = async |name: &str, password: &str| {
        let given = json!({ "USERNAME": name, "PASSWORD": password });
        let flow = "ADMIN_USER_PASSWORD_AUTH";
        let (pool, client) = (app.pool().id().to_owned(), app.client().id);
        let body = json!({ "UserPoolId": pool, "ClientId": client, "AuthFlow": flow, "AuthParameters": given });
        app.cognito_admin("AdminInitiateAuth", body).await
    };
    for number in 0..12 {
        let guessed = sign_in(&format!("user{number}"), "guess").await;
        assert_eq!(guessed.json()["message"], "Incorrect username or password.", "{number}");
    }
    for _ in 0..5 {
        assert_eq!(sign_in("bob", "guess").await.json()["message"], "Incorrect username or password.");
    }
    assert_eq!(sign_in("bob", "guess").await.json()["message"], "Password attempts exceeded");
    let right = sign_in("alice", PASSWORD).await;
    assert_eq!(right.status, 200, "{}", right.text);
}

//! Resetting a password by a mailed link.

use cognate::error::Error;
use cognate::pool::{Client, LinkTo, NewUser};
use cognate::store::directory::User;
use futures_util::future::join_all;

use super::{DAY, NEW, SOURCE, link, other, user};
use crate::app::{PASSWORD, TestApp, story, token_in};

/// A user who has asked for a link; its token.
async fn asked(app: &TestApp, name: &str) -> String {
    app.user(name).await;
    asked_again(app, name).await
}

async fn asked_again(app: &TestApp, name: &str) -> String {
    app.pool().forgot_password_link(&link(&app.client()), name, SOURCE).await.unwrap();
    app.mailed_token().await
}

async fn check(app: &TestApp, name: Option<&str>, token: &str) -> Result<User, Error> {
    other(app).check_reset_link(&app.client(), name, token).await
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Result<User, Error> {
    other(app).reset_password_link(&app.client(), None, token, password, SOURCE).await
}

fn invalid(outcome: &Result<User, Error>) -> bool {
    matches!(outcome, Err(Error::LinkInvalid))
}

// E02, E06
story!(a_mailed_link_sets_a_new_password_once_and_ends_every_session);
async fn a_mailed_link_sets_a_new_password_once_and_ends_every_session(app: TestApp) {
    let session = app.signed_in("alice").await;
    app.pool().forgot_password_link(&link(&app.client()), "alice@example.test", SOURCE).await.unwrap();
    let mail = app.mail().await;
    let token = token_in(&mail).unwrap();
    assert!(mail.contains(&format!("https://acme.test/take/?token={token}\r\n")), "{mail}");
    for name in [None, Some("ALICE"), Some("alice@example.test")] {
        assert_eq!(check(&app, name, &token).await.unwrap().username, "alice", "looking does not consume");
    }
    assert_eq!(reset(&app, &token, NEW).await.unwrap().username, "alice");
    assert!(invalid(&reset(&app, &token, "a third long password").await));
    assert!(invalid(&check(&app, None, &token).await));
    assert_eq!(app.login("alice", NEW).await.status, 200);
    assert_eq!(app.login("alice", PASSWORD).await.status, 401);
    assert!(!app.accepts(&session.field("access_token")).await);
    assert_eq!(app.refresh("alice", &session.field("refresh_token")).await.status, 401);
}

// E04: a mailbox that is given up may be somebody else's tomorrow.
story!(what_was_mailed_to_an_address_resets_nothing_once_it_is_the_users_no_more);
async fn what_was_mailed_to_an_address_resets_nothing_once_it_is_the_users_no_more(app: TestApp) {
    let token = asked(&app, "alice").await;
    app.forgot("alice").await;
    let code = app.mailed_code().await;
    let (pool, client, alice) = (app.pool(), app.client(), user(&app, "alice").await);
    pool.request_email_change(&link(&client), &alice, "alice@new.test", SOURCE).await.unwrap();
    let change = app.mailed_token().await;
    assert!(check(&app, None, &token).await.is_ok());
    pool.change_email(&client, &alice, "alice@new.test", &change).await.unwrap();
    assert!(app.mail().await.contains("To: alice@example.test\r\n"), "the old address is told");
    assert!(invalid(&check(&app, None, &token).await));
    assert!(invalid(&reset(&app, &token, NEW).await));
    assert_eq!(app.confirm("alice", &code, NEW).await.status, 401);
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
    let token = asked_again(&app, "alice").await;
    assert!(reset(&app, &token, NEW).await.is_ok());
}

// E03
story!(ten_resets_at_once_have_one_winner_and_his_password_holds);
async fn ten_resets_at_once_have_one_winner_and_his_password_holds(app: TestApp) {
    let token = asked(&app, "alice").await;
    let client = app.client();
    let pools: Vec<_> = app.replicas().map(TestApp::pool).collect();
    let passwords: Vec<_> = (0..10).map(|n| format!("long password {n}")).collect();
    let resets = passwords
        .iter()
        .enumerate()
        .map(|(n, password)| pools[n % pools.len()].reset_password_link(&client, None, &token, password, SOURCE));
    let outcomes = join_all(resets).await;
    let winners: Vec<_> = outcomes.iter().zip(&passwords).filter(|(outcome, _)| outcome.is_ok()).collect();
    assert!(outcomes.iter().all(|outcome| outcome.is_ok() || invalid(outcome)));
    let [(_, password)] = winners.as_slice() else { panic!("{} winners", winners.len()) };
    assert_eq!(app.login("alice", password).await.status, 200);
}

// E04, P07
story!(nothing_but_the_link_is_the_link);
async fn nothing_but_the_link_is_the_link(app: TestApp) {
    let session = app.signed_in("alice").await;
    let token = asked_again(&app, "alice").await;
    app.user("bob").await;
    for name in ["bob", "bob@example.test", "", "ghost"] {
        assert!(invalid(&check(&app, Some(name), &token).await), "{name}");
    }
    let client = app.client();
    let as_bob = other(&app).reset_password_link(&client, Some("bob"), &token, NEW, SOURCE).await;
    assert!(invalid(&as_bob));
    let another = Client { id: "another".to_owned(), ..app.client() };
    assert!(invalid(&other(&app).check_reset_link(&another, None, &token).await));
    app.pool().send_email_confirmation(&link(&client), &user(&app, "alice").await).await.unwrap();
    let of_an_address = app.mailed_token().await;
    app.forgot("alice").await;
    let code = app.mailed_code().await;
    let wrong = [
        String::new(),
        "A".repeat(43),
        format!("{token}="),
        token[1..].to_owned(),
        "\u{0}".to_owned(),
        "x".repeat(100_000),
        code,
        of_an_address.clone(),
        session.field("access_token"),
        session.field("refresh_token"),
    ];
    for wrong in wrong {
        assert!(invalid(&reset(&app, &wrong, NEW).await), "{wrong}");
    }
    for purpose in
        [app.pool().confirm_sign_up(&client, &token).await, app.pool().confirm_email(&client, "alice", &token).await]
    {
        assert!(invalid(&purpose), "a link that resets proves no address");
    }
    assert_eq!(app.confirm("alice", &token, NEW).await.status, 401, "nor is it a code");
    assert!(reset(&app, &token, NEW).await.is_ok());
}

story!(a_link_lives_as_long_as_it_says);
async fn a_link_lives_as_long_as_it_says(app: TestApp) {
    let token = asked(&app, "alice").await;
    app.clock.advance(DAY - std::time::Duration::from_millis(1));
    assert!(check(&app, None, &token).await.is_ok());
    app.clock.advance_seconds(1);
    assert!(invalid(&reset(&app, &token, NEW).await));
}

// E05
story!(a_link_dies_with_the_password_that_it_was_to_replace);
async fn a_link_dies_with_the_password_that_it_was_to_replace(app: TestApp) {
    let by_a_link = asked(&app, "alice").await;
    let first = asked_again(&app, "alice").await;
    assert!(reset(&app, &first, NEW).await.is_ok());
    assert!(invalid(&reset(&app, &by_a_link, "a third long password").await));

    let by_a_code = asked_again(&app, "alice").await;
    app.forgot("alice").await;
    assert_eq!(app.confirm("alice", &app.mailed_code().await, PASSWORD).await.status, 204);
    assert!(invalid(&reset(&app, &by_a_code, NEW).await));

    let by_the_user = asked_again(&app, "alice").await;
    let token = app.login("alice", PASSWORD).await.field("access_token");
    assert_eq!(app.change_password(&token, PASSWORD, NEW).await.status, 204);
    assert!(invalid(&reset(&app, &by_the_user, PASSWORD).await));

    app.clock.advance_seconds(3_601);
    let by_an_administrator = asked_again(&app, "alice").await;
    app.pool().set_password("alice", PASSWORD, false).await.unwrap();
    assert!(invalid(&reset(&app, &by_an_administrator, NEW).await));
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}

story!(a_link_does_nothing_for_a_user_who_may_not_reset);
async fn a_link_does_nothing_for_a_user_who_may_not_reset(app: TestApp) {
    let pool = app.pool();
    let token = asked(&app, "alice").await;
    pool.disable_user("alice").await.unwrap();
    assert!(invalid(&reset(&app, &token, NEW).await));
    pool.enable_user("alice").await.unwrap();
    assert!(check(&app, None, &token).await.is_ok(), "it was not consumed");
    pool.delete_user("alice").await.unwrap();
    assert!(invalid(&reset(&app, &token, NEW).await));
    app.user("alice").await;
    assert!(invalid(&reset(&app, &token, NEW).await), "her successor is somebody else");
}

story!(a_weak_password_does_not_burn_the_link);
async fn a_weak_password_does_not_burn_the_link(app: TestApp) {
    let token = asked(&app, "alice").await;
    for weak in ["short", "password1", "alice2026!", "alice@example.test"] {
        let refusal = reset(&app, &token, weak).await;
        assert!(matches!(refusal, Err(Error::InvalidPassword(_))), "{weak}");
    }
    assert!(reset(&app, &token, NEW).await.is_ok());
}

story!(a_used_password_does_not_burn_the_link);
async fn a_used_password_does_not_burn_the_link(app: TestApp) {
    app.change_pool(|pool| pool.password_history = 1).await;
    let token = asked(&app, "alice").await;
    assert!(matches!(reset(&app, &token, PASSWORD).await, Err(Error::PasswordUsed)));
    assert!(reset(&app, &token, NEW).await.is_ok());
}

// E01
story!(asking_for_a_link_answers_alike_for_everybody);
async fn asking_for_a_link_answers_alike_for_everybody(app: TestApp) {
    let pool = app.pool();
    app.user("alice").await;
    app.user("disabled").await;
    pool.disable_user("disabled").await.unwrap();
    pool.create_user(NewUser::new("no-address", PASSWORD)).await.unwrap();
    pool.create_user(NewUser { temporary: true, ..NewUser::new("temporary", PASSWORD) }).await.unwrap();
    let client = app.client();
    let page_less = LinkTo { page: None, ..link(&client) };
    for name in ["alice", "disabled", "no-address", "temporary", "ghost", "ghost@example.test", "a\r\nBcc: e@evil.test"]
    {
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(pool.forgot_password_link(&page_less, name, SOURCE).await.unwrap());
        }
        ids.dedup();
        assert_eq!(ids, [pool.absent_public_id(name)], "{name:?}");
        let refused = pool.forgot_password_link(&page_less, name, SOURCE).await;
        assert!(matches!(refused, Err(Error::TooManyRequests { .. })), "{name:?}");
    }
    let mails = app.mails().await;
    assert_eq!(mails.len(), 5);
    assert!(mails.iter().all(|mail| token_in(mail).is_some() && !mail.contains("https://")), "the bare token");
}

story!(a_pool_may_say_who_can_have_a_link);
async fn a_pool_may_say_who_can_have_a_link(app: TestApp) {
    app.user("alice").await;
    app.pool().create_user(NewUser::new("no-address", PASSWORD)).await.unwrap();
    app.change_pool(|pool| pool.hide_user_existence = false).await;
    let pool = app.pool();
    let client = app.client();
    let asked = async |name: &str| pool.forgot_password_link(&link(&client), name, SOURCE).await;
    assert_eq!(asked("alice@example.test").await.unwrap(), pool.public_id(&user(&app, "alice").await));
    assert!(matches!(asked("ghost").await, Err(Error::UserNotFound)));
    assert!(matches!(asked("no-address").await, Err(Error::NoVerifiedAddress)));
}

//! NEW_PASSWORD_REQUIRED: what a user with a temporary password meets, once, and what does not get past it.

use cognate::pool::NewUser;
use futures_util::future::join_all;

use crate::app::{PASSWORD, TestApp, story};

const TEMPORARY: &str = "temporary 7 words";
const REFUSED: (u16, &str) = (401, r#"{"status":401,"message":"Unauthorized."}"#);
const NO_LOGIN: (u16, &str) = (401, r#"{"status":401,"message":"Incorrect username or password."}"#);

/// A user with a temporary password, and the session of the challenge that his sign-in met.
async fn asked(app: &TestApp, name: &str) -> String {
    let email = Some(format!("{name}@example.test"));
    let draft = NewUser { temporary: true, email, ..NewUser::new(name, TEMPORARY) };
    app.pool().create_user(draft).await.unwrap();
    app.login(name, TEMPORARY).await.field("session")
}

// F01
story!(a_temporary_password_yields_a_challenge_and_no_token);
async fn a_temporary_password_yields_a_challenge_and_no_token(app: TestApp) {
    asked(&app, "alice").await;
    let answer = app.login("alice@example.test", TEMPORARY).await;
    let whole = format!(r#"{{"challenge_name":"NEW_PASSWORD_REQUIRED","session":"{}"}}"#, answer.field("session"));
    assert_eq!(answer.whole(), (200, whole.as_str()));
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    // S21: 256 random bits, until when it works, and the tag that tells it from any other.
    assert_eq!(cognate::crypto::decode(&answer.field("session")).unwrap().len(), 56);
}

story!(a_new_password_yields_tokens_and_the_temporary_one_is_dead);
async fn a_new_password_yields_tokens_and_the_temporary_one_is_dead(app: TestApp) {
    let session = asked(&app, "alice").await;
    let answer = app.new_password("alice", &session, PASSWORD).await;
    let (id, access, refresh) = (answer.field("id_token"), answer.field("access_token"), answer.field("refresh_token"));
    let whole =
        format!(r#"{{"id_token":"{id}","access_token":"{access}","refresh_token":"{refresh}","expires_in":86400}}"#);
    assert_eq!(answer.whole(), (200, whole.as_str()));
    assert!(app.accepts(&access).await);
    assert_eq!(app.refresh("alice", &refresh).await.status, 200);
    assert_eq!(app.login("alice", TEMPORARY).await.whole(), NO_LOGIN);
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}

story!(a_challenge_may_be_answered_by_the_users_address);
async fn a_challenge_may_be_answered_by_the_users_address(app: TestApp) {
    let session = asked(&app, "alice").await;
    assert_eq!(app.new_password("ALICE@example.test", &session, PASSWORD).await.status, 200);
}

// F02
story!(a_challenge_is_bound_to_its_user_and_survives_the_mistake);
async fn a_challenge_is_bound_to_its_user_and_survives_the_mistake(app: TestApp) {
    let session = asked(&app, "alice").await;
    let of_bob = asked(&app, "bob").await;
    for name in ["bob", "nobody", "alice\u{200b}"] {
        assert_eq!(app.new_password(name, &session, PASSWORD).await.whole(), REFUSED, "{name}");
    }
    assert_eq!(app.new_password("alice", &of_bob, PASSWORD).await.whole(), REFUSED);
    assert_eq!(app.login("bob", PASSWORD).await.whole(), NO_LOGIN);
    assert_eq!(app.new_password("alice", &session, PASSWORD).await.status, 200);
}

// F03, S23
story!(a_challenge_is_answered_once);
async fn a_challenge_is_answered_once(app: TestApp) {
    let session = asked(&app, "alice").await;
    let older = app.login("alice", TEMPORARY).await.field("session");
    assert_eq!(app.new_password("alice", &session, PASSWORD).await.status, 200);
    for (session, password) in [(&session, PASSWORD), (&session, "another long password"), (&older, "a third long one")]
    {
        assert_eq!(app.new_password("alice", session, password).await.whole(), REFUSED);
    }
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}

// F03, S23: nothing is learned by it, also not by who guesses right.
story!(who_knew_the_temporary_password_can_not_guess_at_the_new_one);
async fn who_knew_the_temporary_password_can_not_guess_at_the_new_one(app: TestApp) {
    let session = asked(&app, "alice").await;
    let kept = app.login("alice", TEMPORARY).await.field("session");
    assert_eq!(app.new_password("alice", &session, PASSWORD).await.status, 200);
    for guess in ["not the new password", PASSWORD, TEMPORARY] {
        assert_eq!(app.new_password("alice", &kept, guess).await.whole(), REFUSED, "{guess}");
    }
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}

// Of two challenges that are answered at once one sets the password, also where both say the same.
story!(of_two_challenges_at_once_one_sets_the_password);
async fn of_two_challenges_at_once_one_sets_the_password(app: TestApp) {
    let sessions = [asked(&app, "alice").await, app.login("alice", TEMPORARY).await.field("session")];
    let answers = join_all(sessions.iter().map(|session| app.new_password("alice", session, PASSWORD))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().any(|answer| answer.whole() == REFUSED));
}

// F04
story!(ten_answers_at_once_have_one_winner_and_his_password_holds);
async fn ten_answers_at_once_have_one_winner_and_his_password_holds(app: TestApp) {
    let app = app.doubled().await;
    let session = asked(&app, "alice").await;
    let passwords: Vec<String> = (0..10).map(|number| format!("a long password, number {number}")).collect();
    let answers = join_all(passwords.iter().map(|password| app.new_password("alice", &session, password))).await;
    let winners: Vec<usize> = (0..10).filter(|index| answers[*index].status == 200).collect();
    assert_eq!(winners.len(), 1);
    for (index, answer) in answers.iter().enumerate().filter(|(index, _)| *index != winners[0]) {
        assert_eq!(answer.whole(), REFUSED, "{index}");
    }
    assert_eq!(app.login("alice", &passwords[winners[0]]).await.status, 200);
}

// F05
story!(a_weak_password_is_refused_with_its_reason_and_the_challenge_stays);
async fn a_weak_password_is_refused_with_its_reason_and_the_challenge_stays(app: TestApp) {
    let session = asked(&app, "alice").await;
    for (weak, reason) in [
        ("seven77", "Password not long enough"),
        ("iloveyou", "Password is too common"),
        ("Password1", "Password is too common"),
        ("alice2026!", "Password must not be your own name"),
        ("alice@example.test", "Password must not be your own name"),
    ] {
        let answer = app.new_password("alice", &session, weak).await;
        let message = format!("InvalidPasswordException: Password does not conform to policy: {reason}");
        assert_eq!(answer.whole(), (401, format!(r#"{{"status":401,"message":"{message}"}}"#).as_str()), "{weak}");
    }
    assert_eq!(app.new_password("alice", &session, PASSWORD).await.status, 200);
}

story!(a_challenge_waits_a_quarter_of_an_hour);
async fn a_challenge_waits_a_quarter_of_an_hour(app: TestApp) {
    let session = asked(&app, "alice").await;
    app.clock.advance_seconds(899);
    let later = app.login("alice", TEMPORARY).await.field("session");
    app.clock.advance_seconds(1);
    assert_eq!(app.new_password("alice", &session, PASSWORD).await.whole(), REFUSED);
    assert_eq!(app.new_password("alice", &later, PASSWORD).await.status, 200);
}

story!(a_temporary_password_works_for_seven_days);
async fn a_temporary_password_works_for_seven_days(app: TestApp) {
    asked(&app, "alice").await;
    app.clock.advance_seconds(7 * 86_400 - 1);
    assert_eq!(app.login("alice", TEMPORARY).await.field("challenge_name"), "NEW_PASSWORD_REQUIRED");
    app.clock.advance_seconds(1);
    assert_eq!(app.login("alice", TEMPORARY).await.whole(), NO_LOGIN);
}

story!(what_an_administrator_does_meanwhile_makes_a_challenge_void);
async fn what_an_administrator_does_meanwhile_makes_a_challenge_void(app: TestApp) {
    let pool = app.pool();
    let (disabled, replaced, deleted) =
        (asked(&app, "disabled").await, asked(&app, "replaced").await, asked(&app, "deleted").await);
    pool.disable_user("disabled").await.unwrap();
    pool.set_password("replaced", "chosen by an administrator", false).await.unwrap();
    pool.delete_user("deleted").await.unwrap();
    for (name, session) in [("disabled", disabled), ("replaced", replaced), ("deleted", deleted)] {
        assert_eq!(app.new_password(name, &session, PASSWORD).await.whole(), REFUSED, "{name}");
    }
    assert_eq!(app.login("replaced", "chosen by an administrator").await.status, 200);
}

story!(no_other_text_is_a_challenge);
async fn no_other_text_is_a_challenge(app: TestApp) {
    let session = asked(&app, "alice").await;
    let refresh = app.signed_in("bob").await.field("refresh_token");
    for other in [session.to_uppercase(), format!("{session}="), "x".to_owned(), refresh, "x".repeat(60_000)] {
        assert_eq!(app.new_password("alice", &other, PASSWORD).await.whole(), REFUSED);
    }
    // P07: nor is the session anything else.
    assert_eq!(app.refresh("alice", &session).await.status, 401);
    assert_eq!(app.confirm("alice", &session, PASSWORD).await.status, 401);
    assert_eq!(app.new_password("alice", &session, PASSWORD).await.status, 200);
}

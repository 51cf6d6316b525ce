//! New passwords in place of known ones: with an access token or by name, and those that an administrator gives.

use std::net::{IpAddr, Ipv4Addr};

use cognate::error::Error;
use cognate::pool::NewUser;
use cognate::pool::password::PasswordPolicy;
use cognate::store::directory::{User, UserStatus};
use futures_util::future::join_all;

use crate::app::{PASSWORD, TestApp, story};

const NEW: &str = "another long password";
const WRONG: (u16, &str) = (401, r#"{"status":401,"message":"Incorrect username or password."}"#);
const DONE: (u16, &str) = (204, "");

story!(a_change_ends_the_other_sessions_and_the_one_it_came_from_goes_on);
async fn a_change_ends_the_other_sessions_and_the_one_it_came_from_goes_on(app: TestApp) {
    let other = app.signed_in("alice").await;
    let own = app.login("alice", PASSWORD).await;
    assert_eq!(app.change_password(&own.field("access_token"), PASSWORD, NEW).await.whole(), DONE);
    assert_eq!(app.login("alice", PASSWORD).await.whole(), WRONG);
    assert_eq!(app.login("alice", NEW).await.status, 200);
    assert_eq!(app.refresh("alice", &other.field("refresh_token")).await.status, 401);
    assert_eq!(app.change_password(&other.field("access_token"), NEW, NEW).await.whole(), WRONG);
    let refreshed = app.refresh("alice", &own.field("refresh_token")).await.field("access_token");
    for access in [own.field("access_token"), refreshed] {
        assert_eq!(app.change_password(&access, NEW, NEW).await.whole(), DONE);
    }
}

story!(a_pool_may_let_other_sessions_outlive_a_change_and_a_reset);
async fn a_pool_may_let_other_sessions_outlive_a_change_and_a_reset(app: TestApp) {
    app.change_pool(|pool| pool.end_sessions_on_password_change = false).await;
    let other = app.signed_in("alice").await;
    let own = app.login("alice", PASSWORD).await;
    assert_eq!(app.change_password(&own.field("access_token"), PASSWORD, NEW).await.whole(), DONE);
    assert_eq!(app.refresh("alice", &other.field("refresh_token")).await.status, 200);
    assert_eq!(app.forgot("alice").await.whole(), DONE);
    assert_eq!(app.confirm("alice", &app.mailed_code().await, PASSWORD).await.whole(), DONE);
    assert_eq!(app.refresh("alice", &other.field("refresh_token")).await.status, 200);
    assert!(app.accepts(&own.field("access_token")).await);
}

// G01, A09, A10
story!(a_change_needs_a_living_access_token_and_the_previous_password);
async fn a_change_needs_a_living_access_token_and_the_previous_password(app: TestApp) {
    let signed_in = app.signed_in("alice").await;
    let access = signed_in.field("access_token");
    for (token, previous, proposed) in [
        (access.clone(), "not the password", NEW),
        (access.clone(), PASSWORD, "iloveyou"),
        (access.clone(), PASSWORD, "alice2026!"),
        (signed_in.field("id_token"), PASSWORD, NEW),
        (signed_in.field("refresh_token"), PASSWORD, NEW),
        ("garbage".to_owned(), PASSWORD, NEW),
        (format!("Bearer {access}"), PASSWORD, NEW),
        (format!("{access}="), PASSWORD, NEW),
    ] {
        assert_eq!(app.change_password(&token, previous, proposed).await.whole(), WRONG, "{previous} {proposed}");
    }
    assert!(app.accepts(&access).await);
    app.clock.advance_seconds(86_400 - 1);
    assert!(app.accepts(&access).await);
    app.clock.advance_seconds(1);
    assert_eq!(app.change_password(&access, PASSWORD, NEW).await.whole(), WRONG);
}

story!(the_fields_of_a_change_have_their_limits);
async fn the_fields_of_a_change_have_their_limits(app: TestApp) {
    let access = app.signed_in("alice").await.field("access_token");
    let long = "x".repeat(257);
    for (previous, proposed, message) in [
        ("short", NEW, "previous_password must have at least 6 characters."),
        (PASSWORD, "short", "proposed_password must have at least 6 characters."),
        (PASSWORD, &long, "proposed_password must have at most 256 characters."),
        ("", NEW, "previous_password must not be empty."),
    ] {
        let answer = app.change_password(&access, previous, proposed).await;
        assert_eq!(answer.whole(), (422, format!(r#"{{"status":422,"message":"{message}"}}"#).as_str()));
    }
    assert_eq!(app.change_password(&access, PASSWORD, &"é".repeat(256)).await.whole(), DONE);
}

// S18
story!(only_length_and_the_list_of_common_passwords_decide);
async fn only_length_and_the_list_of_common_passwords_decide(app: TestApp) {
    let access = app.signed_in("alice").await.field("access_token");
    let mut current = PASSWORD.to_owned();
    for next in [
        "only letters",
        "8 chars.",
        "        x",
        "🔑🔑🔑🔑🔑🔑🔑🔑",
        "пароль-длинный",
        &"ab ".repeat(21),
        &"é".repeat(255),
    ] {
        assert_eq!(app.change_password(&access, &current, next).await.whole(), DONE, "{next}");
        assert_eq!(app.login("alice", next).await.status, 200, "{next}");
        current = next.to_owned();
    }
    for weak in ["seven77", "ééééééé", "Password1", "QWERTYUIOP", "alice@example.test"] {
        assert_eq!(app.change_password(&access, &current, weak).await.whole(), WRONG, "{weak}");
        app.clock.advance_seconds(900);
    }
    assert_eq!(app.login("alice", &current).await.status, 200);
}

story!(a_pool_may_ask_for_cognitos_rules_of_composition);
async fn a_pool_may_ask_for_cognitos_rules_of_composition(app: TestApp) {
    let policy = PasswordPolicy::Cognito {
        min_length: 8,
        require_uppercase: true,
        require_lowercase: true,
        require_numbers: true,
        require_symbols: true,
    };
    app.user("alice").await;
    app.change_pool(|pool| pool.password_policy = policy).await;
    assert_eq!(app.forgot("alice").await.whole(), DONE);
    let code = app.mailed_code().await;
    for (weak, rule) in [
        ("another long password", "Password must have uppercase characters"),
        ("Another long password", "Password must have numeric characters"),
        ("Anotherlongpassword1", "Password must have symbol characters"),
    ] {
        let answer = app.confirm("alice", &code, weak).await;
        let message = format!("InvalidPasswordException: Password does not conform to policy: {rule}");
        assert_eq!(answer.whole(), (401, format!(r#"{{"status":401,"message":"{message}"}}"#).as_str()));
    }
    assert_eq!(app.confirm("alice", &code, "Password1!").await.whole(), DONE);
}

story!(two_changes_at_once_have_one_winner);
async fn two_changes_at_once_have_one_winner(app: TestApp) {
    let access = app.signed_in("alice").await.field("access_token");
    let passwords: Vec<String> = (0..4).map(|number| format!("a long password, number {number}")).collect();
    let answers = join_all(passwords.iter().map(|new| app.change_password(&access, PASSWORD, new))).await;
    let winners: Vec<usize> = (0..4).filter(|index| answers[*index].whole() == DONE).collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(app.login("alice", &passwords[winners[0]]).await.status, 200);
}

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// How it ended: `ok`, or the refusal's name.
fn outcome<T>(outcome: Result<T, Error>) -> &'static str {
    outcome.map_or_else(|error| error.label(), |_| "ok")
}

story!(a_password_is_replaced_by_name_for_who_knows_it_and_only_the_callers_own_session_goes_on);
async fn a_password_is_replaced_by_name_for_who_knows_it_and_only_the_callers_own_session_goes_on(app: TestApp) {
    let other = app.signed_in("alice").await.field("access_token");
    let own = app.login("alice", PASSWORD).await.field("access_token");
    let of_bob = app.signed_in("bob").await.field("access_token");
    let pool = app.pool();
    let caller = pool.authenticate(&own).await.unwrap();
    let changed = pool.replace_password("alice@example.test", PASSWORD, NEW, HERE, Some(&caller)).await.unwrap();
    assert_eq!(changed.sub, caller.user.sub);
    assert!(app.accepts(&own).await && !app.accepts(&other).await);
    // Somebody else's call spares no session.
    let bob = pool.authenticate(&of_bob).await.unwrap();
    assert_eq!(outcome(pool.replace_password("alice", NEW, PASSWORD, HERE, Some(&bob)).await), "ok");
    assert!(!app.accepts(&own).await && app.accepts(&of_bob).await);
    assert_eq!(outcome(pool.replace_password("bob", PASSWORD, NEW, HERE, None).await), "ok");
    assert!(!app.accepts(&of_bob).await);
    assert_eq!((app.login("alice", PASSWORD).await.status, app.login("bob", NEW).await.status), (200, 200));
}

// D01, D20
story!(replacing_by_name_tells_nobody_who_exists_and_is_throttled_like_signing_in);
async fn replacing_by_name_tells_nobody_who_exists_and_is_throttled_like_signing_in(app: TestApp) {
    app.user("alice").await;
    let pool = app.pool();
    assert_eq!(outcome(pool.replace_password("alice", PASSWORD, "iloveyou", HERE, None).await), "invalid_password");
    for name in ["alice", "ghost", "", "a\0b"] {
        for _ in 0..5 {
            assert_eq!(outcome(pool.replace_password(name, "guess", NEW, HERE, None).await), "not_authorized");
        }
        assert_eq!(outcome(pool.replace_password(name, PASSWORD, NEW, HERE, None).await), "too_many_requests");
    }
    assert_eq!(app.login("alice", PASSWORD).await.status, 429);
    app.clock.advance_seconds(1);
    pool.disable_user("alice").await.unwrap();
    assert_eq!(outcome(pool.replace_password("alice", PASSWORD, NEW, HERE, None).await), "user_disabled");
}

story!(a_temporary_password_is_replaced_for_good_as_long_as_it_works);
async fn a_temporary_password_is_replaced_for_good_as_long_as_it_works(app: TestApp) {
    let pool = app.pool();
    for name in ["eve", "late"] {
        pool.create_user(NewUser { temporary: true, ..NewUser::new(name, PASSWORD) }).await.unwrap();
    }
    assert_eq!(outcome(pool.replace_password("eve", PASSWORD, NEW, HERE, None).await), "ok");
    assert_eq!(app.login("eve", NEW).await.json()["expires_in"], 86_400);
    app.clock.advance_seconds(7 * 86_400);
    let late = pool.replace_password("late", PASSWORD, NEW, HERE, None).await;
    assert_eq!(outcome(late), "temporary_password_expired");
    assert_eq!(app.login("eve", NEW).await.status, 200);
}

story!(a_generated_password_is_permanent_keeps_the_policy_and_ends_every_session);
async fn a_generated_password_is_permanent_keeps_the_policy_and_ends_every_session(app: TestApp) {
    let policy = PasswordPolicy::Cognito {
        min_length: 30,
        require_uppercase: true,
        require_lowercase: true,
        require_numbers: true,
        require_symbols: true,
    };
    app.change_pool(|pool| pool.password_policy = policy).await;
    let email = Some("alice@example.test".to_owned());
    let first = format!("{PASSWORD} of 30 Characters & more");
    app.pool().create_user(NewUser { email, ..NewUser::new("alice", &first) }).await.unwrap();
    let access = app.login("alice", &first).await.field("access_token");
    let (user, password) = app.pool().generate_password("alice@example.test").await.unwrap();
    assert_eq!(user.username, "alice");
    assert!(policy.check(&password, &[]).is_ok());
    assert!(!app.accepts(&access).await);
    assert_eq!((app.login("alice", &first).await.status, app.login("alice", &password).await.status), (401, 200));
    assert_ne!(app.pool().generate_password("alice").await.unwrap().1, password);
    assert_eq!(outcome(app.pool().generate_password("nobody").await), "user_not_found");
}

story!(who_comes_from_a_foreign_directory_gets_no_second_password);
async fn who_comes_from_a_foreign_directory_gets_no_second_password(app: TestApp) {
    app.user("alice").await;
    let token = app.login("alice", PASSWORD).await.field("access_token");
    let alice = app.pool().find_user("alice").await.unwrap();
    let external = User { status: UserStatus::ExternalProvider, password: None, ..alice };
    app.api.ports.directory.update_user(&external).await.unwrap();
    for refused in [
        outcome(app.pool().choose_first_password(&token, NEW).await),
        outcome(app.pool().generate_password("alice").await),
        outcome(app.pool().set_password("alice", NEW, false).await),
        outcome(app.pool().set_password("alice", NEW, true).await),
    ] {
        assert_eq!(refused, "reset_not_allowed");
    }
    assert_eq!(app.login("alice", NEW).await.whole(), WRONG);
}

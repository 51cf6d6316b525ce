//! Proving an address by a mailed link, and changing it.

use cognate::error::Error;
use cognate::pool::{Client, ImportedUser, Joins, NewUser, SignUp};
use cognate::store::directory::User;

use super::{DAY, NEW, SOURCE, link, other, user};
use crate::app::{PASSWORD, TestApp, story, token_in};

/// The token that a user got at the address he wants.
async fn asked(app: &TestApp, name: &str, new: &str) -> String {
    app.pool().request_email_change(&link(&app.client()), &user(app, name).await, new, SOURCE).await.unwrap();
    let mail = app.mail().await;
    assert!(mail.contains(&format!("To: {new}\r\n")), "{mail}");
    token_in(&mail).unwrap()
}

async fn check(app: &TestApp, name: &str, new: &str, token: &str) -> Result<(), Error> {
    other(app).check_email_change(&app.client(), &user(app, name).await, new, token).await
}

async fn change(app: &TestApp, name: &str, new: &str, token: &str) -> Result<User, Error> {
    other(app).change_email(&app.client(), &user(app, name).await, new, token).await
}

/// A user with [`PASSWORD`] whose address nobody has proven.
async fn unproven(app: &TestApp, name: &str) -> User {
    app.user("template").await;
    let password_hash = user(app, "template").await.password;
    app.pool().delete_user("template").await.unwrap();
    let email = Some(format!("{name}@example.test"));
    let draft = ImportedUser { username: name.to_owned(), email, password_hash, ..ImportedUser::default() };
    app.pool().import_user(draft).await.unwrap()
}

// P07, P13
story!(a_mailed_link_proves_an_address_as_often_as_it_is_opened);
async fn a_mailed_link_proves_an_address_as_often_as_it_is_opened(app: TestApp) {
    let carol = unproven(&app, "carol").await;
    let client = app.client();
    app.pool().send_email_confirmation(&link(&client), &carol).await.unwrap();
    let token = app.mailed_token().await;
    let confirm = async |name: &str, token: &str| other(&app).confirm_email(&client, name, token).await;
    for name in ["bob", "", "carol@evil.test"] {
        assert!(matches!(confirm(name, &token).await, Err(Error::LinkInvalid)), "{name}");
    }
    assert!(matches!(confirm("carol", &"A".repeat(43)).await, Err(Error::LinkInvalid)));
    let another = Client { id: "another".to_owned(), ..app.client() };
    assert!(matches!(other(&app).confirm_email(&another, "carol", &token).await, Err(Error::LinkInvalid)));
    assert!(check(&app, "carol", "carol@example.test", &token).await.is_err(), "it changes nothing");
    for name in ["carol", "CAROL@example.test", "carol"] {
        assert!(confirm(name, &token).await.unwrap().email_verified, "{name}");
    }
    assert_eq!(app.login("carol@example.test", PASSWORD).await.status, 200);
    app.pool().set_password("carol", NEW, false).await.unwrap();
    assert!(confirm("carol", &token).await.is_ok(), "it is proven all the same");
    app.clock.advance(DAY);
    assert!(matches!(confirm("carol", &token).await, Err(Error::LinkInvalid)));
}

story!(a_link_that_proves_dies_with_the_address_the_password_and_with_who_was_faster);
async fn a_link_that_proves_dies_with_the_address_the_password_and_with_who_was_faster(app: TestApp) {
    let carol = unproven(&app, "carol").await;
    let client = app.client();
    app.pool().send_email_confirmation(&link(&client), &carol).await.unwrap();
    let token = app.mailed_token().await;
    app.pool().set_password("carol", NEW, false).await.unwrap();
    assert!(matches!(other(&app).confirm_email(&client, "carol", &token).await, Err(Error::LinkInvalid)));

    app.pool().send_email_confirmation(&link(&client), &user(&app, "carol").await).await.unwrap();
    let token = app.mailed_token().await;
    let email = Some("carol@example.test".to_owned());
    app.pool().create_user(NewUser { email, ..NewUser::new("faster", PASSWORD) }).await.unwrap();
    assert!(matches!(other(&app).confirm_email(&client, "carol", &token).await, Err(Error::LinkInvalid)));
    assert_eq!(user(&app, "carol@example.test").await.username, "faster");
}

story!(an_address_changes_when_the_new_one_is_proven_and_the_old_one_is_told);
async fn an_address_changes_when_the_new_one_is_proven_and_the_old_one_is_told(app: TestApp) {
    let session = app.signed_in("alice").await;
    let token = asked(&app, "alice", "Alice@new.test").await;
    assert_eq!(user(&app, "alice").await.email.as_deref(), Some("alice@example.test"), "nothing happens before");
    for _ in 0..2 {
        check(&app, "alice", "alice@NEW.test", &token).await.unwrap();
    }
    let changed = change(&app, "alice", "Alice@new.test", &token).await.unwrap();
    assert_eq!((changed.username.as_str(), changed.email.as_deref()), ("alice", Some("Alice@new.test")));
    assert!(changed.email_verified && changed == user(&app, "alice@new.test").await);
    let told = app.mail().await;
    assert!(told.contains("To: alice@example.test\r\n") && !told.contains("new.test"), "{told}");
    assert_eq!(app.login("alice@new.test", PASSWORD).await.status, 200);
    assert_eq!(app.login("alice@example.test", PASSWORD).await.status, 401);
    assert!(app.accepts(&session.field("access_token")).await);
    assert!(matches!(change(&app, "alice", "Alice@new.test", &token).await, Err(Error::LinkInvalid)), "once");
}

story!(who_is_called_by_his_address_is_called_by_the_new_one);
async fn who_is_called_by_his_address_is_called_by_the_new_one(app: TestApp) {
    let email = Some("dan@example.test".to_owned());
    app.pool().create_user(NewUser { email, ..NewUser::new("Dan@example.test", PASSWORD) }).await.unwrap();
    let too_long = format!("{}@{}.test", "a".repeat(64), "b".repeat(63));
    let dan = user(&app, "dan@example.test").await;
    let refused = app.pool().request_email_change(&link(&app.client()), &dan, &too_long, SOURCE).await;
    assert!(matches!(refused, Err(Error::InvalidParameter { .. })));
    let token = asked(&app, "dan@example.test", "dan@new.test").await;
    let changed = change(&app, "dan@example.test", "dan@new.test", &token).await.unwrap();
    assert_eq!((changed.username.as_str(), changed.sub), ("dan@new.test", dan.sub));
    assert_eq!(app.login("dan@new.test", PASSWORD).await.status, 200);
    assert_eq!(app.login("dan@example.test", PASSWORD).await.status, 401);
    let email = Some("dan@example.test".to_owned());
    app.pool().create_user(NewUser { email, ..NewUser::new("dan@example.test", PASSWORD) }).await.unwrap();
}

// P07
story!(a_change_is_for_its_user_its_address_its_client_and_its_day);
async fn a_change_is_for_its_user_its_address_its_client_and_its_day(app: TestApp) {
    app.user("alice").await;
    app.user("bob").await;
    let token = asked(&app, "alice", "alice@new.test").await;
    let client = app.client();
    app.pool().forgot_password_link(&link(&client), "alice", SOURCE).await.unwrap();
    let of_a_reset = app.mailed_token().await;
    for (name, address, token) in [
        ("bob", "alice@new.test", token.as_str()),
        ("alice", "alice@evil.test", &token),
        ("alice", "", &token),
        ("alice", "alice@new.test", &of_a_reset),
        ("alice", "alice@new.test", ""),
        ("alice", "alice@new.test", "garbage"),
    ] {
        assert!(matches!(check(&app, name, address, token).await, Err(Error::LinkInvalid)), "{name} {address}");
        assert!(matches!(change(&app, name, address, token).await, Err(Error::LinkInvalid)), "{name} {address}");
    }
    let another = Client { id: "another".to_owned(), ..app.client() };
    let elsewhere = other(&app).change_email(&another, &user(&app, "alice").await, "alice@new.test", &token).await;
    assert!(matches!(elsewhere, Err(Error::LinkInvalid)));
    assert!(matches!(app.pool().confirm_email(&client, "alice", &token).await, Err(Error::LinkInvalid)));
    app.clock.advance(DAY);
    assert!(matches!(change(&app, "alice", "alice@new.test", &token).await, Err(Error::LinkInvalid)));
}

story!(two_changes_at_once_with_one_link_have_one_winner);
async fn two_changes_at_once_with_one_link_have_one_winner(app: TestApp) {
    app.user("alice").await;
    let token = asked(&app, "alice", "alice@new.test").await;
    let (alice, client) = (user(&app, "alice").await, app.client());
    let (one, two) = (app.pool(), other(&app));
    let (first, second) = tokio::join!(
        one.change_email(&client, &alice, "alice@new.test", &token),
        two.change_email(&client, &alice, "alice@new.test", &token),
    );
    assert!(first.is_ok() != second.is_ok());
    assert_eq!(user(&app, "alice").await.email.as_deref(), Some("alice@new.test"));
}

story!(an_address_that_was_taken_meanwhile_stays_with_who_has_it);
async fn an_address_that_was_taken_meanwhile_stays_with_who_has_it(app: TestApp) {
    app.user("alice").await;
    let token = asked(&app, "alice", "bob@example.test").await;
    app.user("bob").await;
    assert!(matches!(change(&app, "alice", "bob@example.test", &token).await, Err(Error::UserExists)));
    assert_eq!(user(&app, "bob@example.test").await.username, "bob");
    assert_eq!(user(&app, "alice").await.email.as_deref(), Some("alice@example.test"));

    // Of an unconfirmed registration and the user who has proven the address, the latter gets it.
    let token = asked(&app, "alice", "eve@example.test").await;
    let joins = Joins::NewOrganization("Eve's");
    let draft = SignUp { email: "eve@example.test", password: PASSWORD, given_name: "Eve", family_name: "Eve", joins };
    app.pool().sign_up(&link(&app.client()), draft, SOURCE).await.unwrap();
    let of_the_registration = app.mailed_token().await;
    assert!(change(&app, "alice", "eve@example.test", &token).await.is_ok());
    assert!(app.pool().confirm_sign_up(&app.client(), &of_the_registration).await.is_err());
    assert_eq!(user(&app, "eve@example.test").await.username, "alice");
}

// E01
story!(asking_for_an_address_that_is_somebodys_answers_alike);
async fn asking_for_an_address_that_is_somebodys_answers_alike(app: TestApp) {
    app.user("alice").await;
    app.user("bob").await;
    let (alice, client) = (user(&app, "alice").await, app.client());
    let ask = async |address: &str| app.pool().request_email_change(&link(&client), &alice, address, SOURCE).await;
    ask("bob@example.test").await.unwrap();
    let told = app.mail().await;
    assert!(told.contains("To: bob@example.test\r\n") && told.contains("belongs to one already: bob"), "{told}");
    assert_eq!(token_in(&told), None);
    assert!(matches!(ask("nothing").await, Err(Error::InvalidParameter { .. })));
    app.change_pool(|pool| pool.hide_user_existence = false).await;
    assert!(matches!(ask("bob@example.test").await, Err(Error::UserExists)));
    ask("ALICE@example.test").await.unwrap();
}

// E12
story!(mails_to_a_new_address_are_counted_whoever_asks);
async fn mails_to_a_new_address_are_counted_whoever_asks(app: TestApp) {
    let client = app.client();
    for name in ["alice", "bob", "carol", "dan", "erin", "frank"] {
        app.user(name).await;
        let asked =
            app.pool().request_email_change(&link(&client), &user(&app, name).await, "x@new.test", SOURCE).await;
        assert_eq!(asked.is_ok(), name != "frank", "{name}");
    }
    assert_eq!(app.mails().await.len(), 5);
}

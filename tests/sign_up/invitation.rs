//! Signing up with an invitation: for one address, once, and it tells nobody who has an account.

use cognate::error::{Error, Kind};
use cognate::pool::{Client, Joins, SignUp};
use cognate::store::organization::Role;

use super::{ANN, DAY, SOURCE, confirm, draft, link, organizations, sign_up};
use crate::app::{TestApp, story, token_in};

/// Ann's Acme and an invitation into it; its id and the token.
async fn invited(app: &TestApp, email: &str) -> (i64, String) {
    if app.pool().organization_by_name("Acme").await.is_err() {
        sign_up(app, ANN, "Acme").await.unwrap();
        confirm(app, &app.mailed_token().await).await.unwrap();
    }
    let acme = app.pool().organization_by_name("Acme").await.unwrap().id;
    let ann = app.pool().find_user(ANN).await.unwrap();
    app.pool().invite(&link(&app.client()), &ann, acme, email, true).await.unwrap();
    (acme, app.mailed_token().await)
}

async fn accept(app: &TestApp, email: &str, token: &str) -> Result<i64, Error> {
    let draft = SignUp { joins: Joins::Invitation(token), ..draft(email, "") };
    app.replicas().last().unwrap().pool().sign_up(&link(&app.client()), draft, SOURCE).await
}

// P07
story!(an_invitation_is_for_one_address_and_one_registration);
async fn an_invitation_is_for_one_address_and_one_registration(app: TestApp) {
    let (_, token) = invited(&app, "Ben@example.test").await;
    assert!(matches!(accept(&app, "eve@example.test", &token).await, Err(Error::InvitationForAnother)));
    for wrong in ["", "garbage", &"A".repeat(43)] {
        assert!(matches!(accept(&app, "ben@example.test", wrong).await, Err(Error::LinkInvalid)), "{wrong}");
    }
    // Each of these counts as a mail to the address.
    app.clock.advance_seconds(3_601);
    accept(&app, "ben@EXAMPLE.test", &token).await.unwrap();
    let confirmation = app.mailed_token().await;
    assert!(matches!(accept(&app, "ben@example.test", &token).await, Err(Error::LinkInvalid)));
    assert!(matches!(accept(&app, "ben@example.test", &confirmation).await, Err(Error::LinkInvalid)));
    confirm(&app, &confirmation).await.unwrap();
    let joined = organizations(&app, &app.pool(), "ben@example.test").await;
    assert_eq!(joined, [("Acme".to_owned(), Role::Pending)]);
}

story!(two_registrations_at_once_with_one_invitation_have_one_winner);
async fn two_registrations_at_once_with_one_invitation_have_one_winner(app: TestApp) {
    let (_, token) = invited(&app, "ben@example.test").await;
    let (one, other) = tokio::join!(accept(&app, "ben@example.test", &token), accept(&app, "ben@example.test", &token));
    let loser = if one.is_ok() { other } else { one };
    assert!(matches!(loser, Err(Error::LinkInvalid)), "{loser:?}");
    confirm(&app, &app.mailed_token().await).await.unwrap();
}

story!(an_invitation_ends_with_its_day_its_organization_and_its_client);
async fn an_invitation_ends_with_its_day_its_organization_and_its_client(app: TestApp) {
    let (acme, token) = invited(&app, "ben@example.test").await;
    let other = Client { id: "another".to_owned(), ..app.client() };
    let elsewhere = SignUp { joins: Joins::Invitation(&token), ..draft("ben@example.test", "") };
    let elsewhere = app.pool().sign_up(&link(&other), elsewhere, SOURCE).await;
    assert!(matches!(elsewhere, Err(Error::LinkInvalid)));
    app.clock.advance(DAY);
    assert!(matches!(accept(&app, "ben@example.test", &token).await, Err(Error::LinkInvalid)));
    let (_, token) = invited(&app, "ben@example.test").await;
    app.pool().delete_organization(acme).await.unwrap();
    let gone = accept(&app, "ben@example.test", &token).await;
    assert!(matches!(gone, Err(Error::NotFound(Kind::Organization))), "{gone:?}");
    assert!(app.pool().find_user("ben@example.test").await.is_err(), "a refusal makes nobody");
}

// E01: who invites may be the one who wants to know.
story!(an_invitation_tells_its_sender_nothing_about_the_address);
async fn an_invitation_tells_its_sender_nothing_about_the_address(app: TestApp) {
    app.user("bob").await;
    for address in ["bob@example.test", "ghost@example.test"] {
        let (_, token) = invited(&app, address).await;
        let id = accept(&app, address, &token).await.unwrap();
        assert!((1..=2_147_483_647).contains(&id), "{address}");
        let spent = app.pool().invitation(&app.client(), &token).await;
        assert!(matches!(spent, Err(Error::LinkInvalid)), "{address}");
        assert!(matches!(accept(&app, address, &token).await, Err(Error::LinkInvalid)), "{address}");
        let told = app.mail().await;
        assert_eq!(token_in(&told).is_some(), address == "ghost@example.test");
    }
    let of_bob = organizations(&app, &app.pool(), "bob").await;
    assert_eq!(of_bob, [], "he signs in with an invitation to accept it");
}

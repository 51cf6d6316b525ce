//! Many at once, one winner.

use std::collections::HashSet;

use cognate::error::Error;
use cognate::store::directory::{Document, User};

use super::{POOL, Store, all_at_once, at, document, mail, user, with_address};

/// How many succeeded; the others must all have been refused with what `refusal` accepts.
fn winners<T: std::fmt::Debug>(outcomes: &[Result<T, Error>], refusal: fn(&Error) -> bool) -> usize {
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!(refusal(error), "{error:?}");
    }
    outcomes.iter().filter(|outcome| outcome.is_ok()).count()
}

fn exists(error: &Error) -> bool {
    matches!(error, Error::UserExists)
}

fn conflict(error: &Error) -> bool {
    matches!(error, Error::Conflict)
}

pub async fn one_of_many_creates_a_name(store: Store) {
    let outcomes = all_at_once(30, |_| {
        let store = store.clone();
        async move { store.create_user(&user("ada")).await }
    })
    .await;
    assert_eq!(winners(&outcomes, exists), 1);
    assert_eq!(store.users(POOL, 0, 100).await.unwrap().len(), 1);
}

pub async fn one_of_many_takes_a_login_whether_as_name_or_as_address(store: Store) {
    let outcomes = all_at_once(30, |number| {
        let store = store.clone();
        async move {
            let address = format!("user{number}");
            let claimant = match number % 2 {
                0 => user("ada@example.org"),
                _ => with_address(&address, "ada@example.org", true),
            };
            store.create_user(&claimant).await
        }
    })
    .await;
    assert_eq!(winners(&outcomes, exists), 1);
}

pub async fn one_of_many_updates_a_version(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let outcomes = all_at_once(30, |number| {
        let (store, phone) = (store.clone(), Some(format!("+1555{number:04}")));
        let change = User { phone, ..ada.clone() };
        async move { store.update_user(&change).await }
    })
    .await;
    assert_eq!(winners(&outcomes, conflict), 1);
    assert_eq!(store.user(POOL, ada.sub).await.unwrap().unwrap().version, 2);
}

pub async fn one_of_many_verifies_an_address(store: Store) {
    let mut users = Vec::new();
    for number in 0..10 {
        let claimant = with_address(&format!("user{number}"), "ada@example.org", false);
        users.push(store.create_user(&claimant).await.unwrap());
    }
    let outcomes = all_at_once(10, |number| {
        let (store, change) = (store.clone(), User { email_verified: true, ..users[number].clone() });
        async move { store.update_user(&change).await }
    })
    .await;
    assert_eq!(winners(&outcomes, exists), 1);
}

pub async fn one_of_many_makes_a_document(store: Store) {
    let outcomes = all_at_once(30, |number| {
        let store = store.clone();
        async move { store.create_document(&document("one", &number.to_string())).await.unwrap() }
    })
    .await;
    let winner = outcomes.iter().position(|made| *made).unwrap();
    assert_eq!(outcomes.iter().filter(|made| **made).count(), 1);
    assert_eq!(store.document("client", "one").await.unwrap().unwrap().body, winner.to_string());
}

pub async fn one_of_many_updates_a_document(store: Store) {
    store.create_document(&document("one", "{}")).await.unwrap();
    let outcomes = all_at_once(30, |number| {
        let store = store.clone();
        let change = Document { version: 1, ..document("one", &number.to_string()) };
        async move { store.update_document(&change).await }
    })
    .await;
    assert_eq!(winners(&outcomes, conflict), 1);
}

pub async fn every_mail_is_claimed_by_exactly_one(store: Store) {
    for number in 0..20 {
        store.enqueue_mail(&mail(number, 10_000)).await.unwrap();
    }
    let outcomes = all_at_once(30, |_| {
        let store = store.clone();
        async move { store.claim_mail(at(100), at(5_000)).await.unwrap() }
    })
    .await;
    let claimed: Vec<_> = outcomes.into_iter().flatten().map(|mail| mail.id).collect();
    assert_eq!(claimed.len(), 20);
    assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 20);
}

pub async fn ids_made_at_once_are_all_different(store: Store) {
    let outcomes = all_at_once(40, |number| {
        let store = store.clone();
        async move { store.create_user(&user(&format!("user{number}"))).await.unwrap().id }
    })
    .await;
    assert_eq!(outcomes.iter().collect::<HashSet<_>>().len(), 40);
}

pub async fn a_refused_write_harms_none_that_came_with_it(store: Store) {
    store.create_user(&user("taken")).await.unwrap();
    let outcomes = all_at_once(40, |number| {
        let store = store.clone();
        let name = if number % 4 == 0 { "taken".to_owned() } else { format!("user{number}") };
        async move { store.create_user(&user(&name)).await }
    })
    .await;
    assert_eq!(winners(&outcomes, exists), 30);
    assert_eq!(store.users(POOL, 0, 100).await.unwrap().len(), 31);
}

//! Many at once, one winner.

use std::collections::HashSet;

use cognate::error::{Error, Kind};
use cognate::store::directory::{Document, User, UserStatus};
use cognate::store::organization::Role;

use super::{POOL, Store, all_at_once, at, document, founded, founding, mail, unconfirmed, user, uuid, with_address};

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

pub async fn one_of_many_registers_an_address(store: Store) {
    let outcomes = all_at_once(16, |number| {
        let store = store.clone();
        let (ada, joining) = (user("ada@example.org"), founding(&format!("organization {number}")));
        async move { store.register_user(&ada, &joining).await }
    })
    .await;
    assert_eq!(winners(&outcomes, exists), 1);
    assert_eq!(store.users(POOL, 0, 100).await.unwrap().len(), 1);
    assert_eq!(store.organizations(POOL, 0, 100).await.unwrap().len(), 1);
}

pub async fn one_of_many_unconfirmed_registrations_stays(store: Store) {
    let outcomes = all_at_once(16, |number| {
        let store = store.clone();
        let (ada, joining) = (unconfirmed("ada@example.org"), founding(&format!("organization {number}")));
        async move { store.register_user(&ada, &joining).await.unwrap() }
    })
    .await;
    let users = store.users(POOL, 0, 100).await.unwrap();
    let [last] = users.as_slice() else { panic!("{} users", users.len()) };
    assert!(outcomes.contains(last) && outcomes.iter().all(|made| made.id == last.id));
    let left = store.organizations(POOL, 0, 100).await.unwrap();
    let his: Vec<_> = store.memberships(POOL, last.sub).await.unwrap().into_iter().map(|it| it.organization).collect();
    assert_eq!((left.len(), left), (1, his));
}

pub async fn one_of_many_founds_an_organization(store: Store) {
    let outcomes = all_at_once(16, |number| {
        let (store, founder) = (store.clone(), unconfirmed(&format!("user{number}@example.org")));
        async move { store.register_user(&founder, &founding("Acme")).await }
    })
    .await;
    assert_eq!(winners(&outcomes, |error| matches!(error, Error::Exists(Kind::Organization))), 1);
    assert_eq!(store.users(POOL, 0, 100).await.unwrap().len(), 1, "the others left nothing behind");
}

pub async fn one_of_many_joins_an_organization(store: Store) {
    let acme = founded(&store, "ada", "Acme").await;
    let bob = store.create_user(&user("bob")).await.unwrap();
    let outcomes = all_at_once(16, |_| {
        let store = store.clone();
        async move { store.join_organization(POOL, acme.id, bob.sub, Role::Member).await }
    })
    .await;
    assert_eq!(winners(&outcomes, |error| matches!(error, Error::AlreadyMember)), 1);
    assert_eq!(store.members(POOL, acme.id).await.unwrap().len(), 2);
}

pub async fn either_a_confirmation_or_a_new_registration_wins(store: Store) {
    for round in 0..20 {
        let name = format!("user{round}@example.org");
        let first = store.register_user(&unconfirmed(&name), &founding(&name)).await.unwrap();
        let confirmed = User { status: UserStatus::Confirmed, email_verified: true, ..first.clone() };
        let (second, joining) = (unconfirmed(&name), founding(&name));
        let (kept, replaced) = tokio::join!(store.update_user(&confirmed), store.register_user(&second, &joining));
        match (kept, replaced) {
            // The organization is taken, too, and that is said first.
            (Ok(2), Err(Error::UserExists | Error::Exists(Kind::Organization))) => {
                assert_eq!(store.user(POOL, first.sub).await.unwrap().unwrap().status, UserStatus::Confirmed);
            }
            (Err(Error::Conflict), Ok(made)) => {
                assert_eq!(store.user(POOL, first.sub).await.unwrap(), None);
                assert_eq!(store.user_by_login(POOL, &name, "").await.unwrap(), Some(made));
            }
            other => panic!("{other:?}"),
        }
    }
}

pub async fn nobody_joins_an_organization_that_is_given_up(store: Store) {
    for round in 0..20 {
        let name = format!("user{round}@example.org");
        store.register_user(&unconfirmed(&name), &founding(&name)).await.unwrap();
        let organization = store.organization_by_name(POOL, &name).await.unwrap().unwrap().id;
        let bob = store.create_user(&user(&uuid().to_string())).await.unwrap();
        let (second, joining) = (unconfirmed(&name), founding(&format!("{name} again")));
        let (joined, registered) = tokio::join!(
            store.join_organization(POOL, organization, bob.sub, Role::Member),
            store.register_user(&second, &joining)
        );
        registered.unwrap();
        let his: Vec<_> = store.memberships(POOL, bob.sub).await.unwrap().iter().map(|it| it.organization.id).collect();
        match joined {
            Ok(()) => assert_eq!(his, [organization]),
            Err(Error::NotFound(Kind::Organization)) => assert_eq!(his, [] as [i64; 0]),
            Err(other) => panic!("{other:?}"),
        }
        assert_eq!(store.organization(POOL, organization).await.unwrap().is_some(), !his.is_empty());
    }
}

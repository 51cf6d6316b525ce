//! Registrations: a user and his first membership, all or nothing, and who gives way to them.

use cognate::error::{Error, Kind};
use cognate::store::directory::{User, UserStatus};
use cognate::store::organization::{Joining, Role};

use super::organizations::members;
use super::{POOL, Store, at, founded, founding, group, unconfirmed, user, uuid, with_address};

const ADDRESS: &str = "ada@example.org";

async fn names(store: &Store) -> Vec<String> {
    store.users(POOL, 0, 100).await.unwrap().into_iter().map(|user| user.username).collect()
}

async fn organizations(store: &Store) -> Vec<String> {
    store.organizations(POOL, 0, 100).await.unwrap().into_iter().map(|it| it.name).collect()
}

pub async fn a_registration_founds_an_organization_with_its_administrator(store: Store) {
    store.create_group(&group("staff", 1)).await.unwrap();
    let draft = User { groups: vec!["staff".to_owned()], created_at: at(5), ..unconfirmed(ADDRESS) };
    let made = store.register_user(&draft, &founding("Acme")).await.unwrap();
    assert_eq!(made, User { id: made.id, version: 1, ..draft });
    assert_eq!(store.user(POOL, made.sub).await.unwrap(), Some(made.clone()));
    assert_eq!(store.user_by_login(POOL, ADDRESS, "").await.unwrap(), Some(made));
    let acme = store.organization_by_name(POOL, "acme").await.unwrap().unwrap();
    assert_eq!((acme.name.as_str(), acme.created_at), ("Acme", at(5)));
    assert_eq!(members(&store, &acme).await, [(ADDRESS.to_owned(), Role::Admin)]);
}

pub async fn a_registration_joins_an_organization_in_the_role_it_names(store: Store) {
    let acme = founded(&store, "bob", "Acme").await;
    let joining = Joining::Existing { organization: acme.id, role: Role::Pending };
    store.register_user(&unconfirmed(ADDRESS), &joining).await.unwrap();
    assert_eq!(members(&store, &acme).await, [("bob".to_owned(), Role::Admin), (ADDRESS.to_owned(), Role::Pending)]);
    assert_eq!(organizations(&store).await, ["Acme"]);
}

pub async fn an_unconfirmed_user_gives_way_with_the_organization_he_founded(store: Store) {
    let first = store.register_user(&unconfirmed(ADDRESS), &founding("Acme")).await.unwrap();
    let old = store.organization_by_name(POOL, "acme").await.unwrap().unwrap();
    let second = store.register_user(&unconfirmed(ADDRESS), &founding("Acme")).await.unwrap();
    assert_eq!(store.user(POOL, first.sub).await.unwrap(), None);
    assert_eq!(store.organization(POOL, old.id).await.unwrap(), None);
    assert_eq!(second.id, first.id, "nothing tells the second registration from the first");
    let acme = store.organization_by_name(POOL, "acme").await.unwrap().unwrap();
    assert_eq!(members(&store, &acme).await, [(ADDRESS.to_owned(), Role::Admin)]);
    assert_eq!((names(&store).await.len(), organizations(&store).await.len()), (1, 1));
}

pub async fn an_organization_with_other_members_outlives_the_founder_who_gives_way(store: Store) {
    store.register_user(&unconfirmed(ADDRESS), &founding("Acme")).await.unwrap();
    let acme = store.organization_by_name(POOL, "acme").await.unwrap().unwrap();
    let bob = store.create_user(&user("bob")).await.unwrap();
    store.join_organization(POOL, acme.id, bob.sub, Role::Member).await.unwrap();
    let taken = store.register_user(&unconfirmed(ADDRESS), &founding("Acme")).await;
    assert!(matches!(taken, Err(Error::Exists(Kind::Organization))), "{taken:?}");
    assert_eq!(members(&store, &acme).await.len(), 2, "the refused registration left everything as it was");
    store.register_user(&unconfirmed(ADDRESS), &founding("Bolt")).await.unwrap();
    assert_eq!(members(&store, &acme).await, [("bob".to_owned(), Role::Member)]);
    assert_eq!(organizations(&store).await, ["Acme", "Bolt"]);
}

pub async fn an_organization_that_somebody_else_founded_outlives_an_unconfirmed_member(store: Store) {
    let acme = founded(&store, "bob", "Acme").await;
    let joining = Joining::Existing { organization: acme.id, role: Role::Pending };
    store.register_user(&unconfirmed(ADDRESS), &joining).await.unwrap();
    let again = store.register_user(&unconfirmed(ADDRESS), &joining).await.unwrap();
    assert_eq!(members(&store, &acme).await, [("bob".to_owned(), Role::Admin), (ADDRESS.to_owned(), Role::Pending)]);
    assert_eq!(store.members(POOL, acme.id).await.unwrap()[1].user, again);
}

pub async fn who_is_confirmed_or_disabled_gives_way_to_nobody(store: Store) {
    let drafts = [
        with_address("confirmed@example.org", "confirmed@example.org", true),
        User { status: UserStatus::ForceChangePassword, ..unconfirmed("owing@example.org") },
        User { status: UserStatus::ExternalProvider, ..unconfirmed("foreign@example.org") },
        User { enabled: false, ..unconfirmed("disabled@example.org") },
    ];
    for draft in drafts {
        let made = store.register_user(&draft, &founding(&draft.username)).await.unwrap();
        let late = store.register_user(&unconfirmed(&draft.username), &founding("late")).await;
        assert!(matches!(late, Err(Error::UserExists)), "{late:?}");
        assert_eq!(store.user(POOL, made.sub).await.unwrap(), Some(made));
        // The organization of the refused one was not made.
        assert_eq!(store.organization_by_name(POOL, "late").await.unwrap(), None);
    }
    assert_eq!(organizations(&store).await.len(), 4);
}

pub async fn a_name_that_is_a_verified_address_of_another_is_refused(store: Store) {
    store.create_user(&with_address("ada", ADDRESS, true)).await.unwrap();
    let refused = unconfirmed(ADDRESS);
    let outcome = store.register_user(&refused, &founding("Acme")).await;
    assert!(matches!(outcome, Err(Error::UserExists)), "{outcome:?}");
    assert_eq!((names(&store).await, organizations(&store).await), (vec!["ada".to_owned()], Vec::new()));
    // An address that nobody has proven keeps nobody out.
    store.create_user(&with_address("bob", "bob@example.org", false)).await.unwrap();
    store.register_user(&unconfirmed("bob@example.org"), &founding("Acme")).await.unwrap();
}

pub async fn a_refused_registration_keeps_whoever_would_have_given_way(store: Store) {
    founded(&store, "bob", "Acme").await;
    let first = store.register_user(&unconfirmed(ADDRESS), &founding("Own")).await.unwrap();
    let groups = vec!["absent".to_owned()];
    let refusals = [
        store.register_user(&unconfirmed(ADDRESS), &founding("Acme")).await,
        store.register_user(&User { groups, ..unconfirmed(ADDRESS) }, &founding("New")).await,
        store
            .register_user(&unconfirmed(ADDRESS), &Joining::Existing { organization: i64::MAX, role: Role::Member })
            .await,
    ];
    let labels: Vec<_> = refusals.iter().map(|it| it.as_ref().map_or_else(Error::label, |_| "made")).collect();
    assert_eq!(labels, ["exists", "not_found", "not_found"]);
    assert_eq!(store.user(POOL, first.sub).await.unwrap(), Some(first));
    assert_eq!(organizations(&store).await, ["Acme", "Own"]);
}

pub async fn who_is_unconfirmed_can_be_deleted_with_what_he_founded_alone(store: Store) {
    let acme = founded(&store, "bob", "Acme").await;
    let ada = store.register_user(&unconfirmed(ADDRESS), &founding("Own")).await.unwrap();
    store.join_organization(POOL, acme.id, ada.sub, Role::Pending).await.unwrap();
    assert!(!store.delete_unconfirmed("eu-west-1_Another01", ADDRESS).await.unwrap());
    assert!(!store.delete_unconfirmed(POOL, "bob").await.unwrap(), "he is confirmed");
    assert!(store.delete_unconfirmed(POOL, ADDRESS).await.unwrap());
    assert!(!store.delete_unconfirmed(POOL, ADDRESS).await.unwrap());
    assert_eq!((names(&store).await, organizations(&store).await), (vec!["bob".to_owned()], vec!["Acme".to_owned()]));
    assert_eq!(members(&store, &acme).await, [("bob".to_owned(), Role::Admin)]);
}

pub async fn an_organization_that_is_gone_or_of_another_pool_is_not_joined(store: Store) {
    let acme = founded(&store, "bob", "Acme").await;
    let joining = Joining::Existing { organization: acme.id, role: Role::Member };
    let stranger = User { pool: "eu-west-1_Another01".to_owned(), ..user("eve") };
    let outcome = store.register_user(&stranger, &joining).await;
    assert!(matches!(outcome, Err(Error::NotFound(Kind::Organization))), "{outcome:?}");
    store.delete_organization(POOL, acme.id).await.unwrap();
    let outcome = store.register_user(&unconfirmed(ADDRESS), &joining).await;
    assert!(matches!(outcome, Err(Error::NotFound(Kind::Organization))), "{outcome:?}");
    assert_eq!(names(&store).await, ["bob"]);
}

// A taken name of an organization must not tell whether the user exists.
pub async fn what_is_wrong_with_the_organization_is_said_before_what_is_wrong_with_the_user(store: Store) {
    founded(&store, "known@example.org", "Acme").await;
    for name in ["known@example.org", "unknown@example.org"] {
        let outcome = store.register_user(&unconfirmed(name), &founding("Acme")).await;
        assert!(matches!(outcome, Err(Error::Exists(Kind::Organization))), "{outcome:?}");
        let gone = Joining::Existing { organization: i64::MAX, role: Role::Member };
        let outcome = store.register_user(&unconfirmed(name), &gone).await;
        assert!(matches!(outcome, Err(Error::NotFound(Kind::Organization))), "{outcome:?}");
    }
}

pub async fn a_user_of_another_pool_gives_way_to_nobody_here(store: Store) {
    let elsewhere = User { pool: "eu-west-1_Another01".to_owned(), ..unconfirmed(ADDRESS) };
    let elsewhere = store.register_user(&elsewhere, &founding("Acme")).await.unwrap();
    store.register_user(&User { sub: uuid(), ..unconfirmed(ADDRESS) }, &founding("Acme")).await.unwrap();
    assert_eq!(store.user("eu-west-1_Another01", elsewhere.sub).await.unwrap(), Some(elsewhere));
}

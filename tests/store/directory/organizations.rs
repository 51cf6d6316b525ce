//! Organizations and who belongs to them.

use cognate::error::{Error, Kind};
use cognate::store::directory::User;
use cognate::store::organization::{Membership, Organization, Role};
use uuid::Uuid;

use super::{POOL, Store, at, founded, founding, group, user, uuid};

const OTHER: &str = "eu-west-1_Another01";

/// Names and roles of the members, in their order.
pub async fn members(store: &Store, organization: &Organization) -> Vec<(String, Role)> {
    let members = store.members(&organization.pool, organization.id).await.unwrap();
    members.into_iter().map(|member| (member.user.username, member.role)).collect()
}

/// Ids and roles of a user's organizations, in their order.
async fn memberships(store: &Store, sub: Uuid) -> Vec<(i64, Role)> {
    let memberships = store.memberships(POOL, sub).await.unwrap();
    memberships.into_iter().map(|it| (it.organization.id, it.role)).collect()
}

pub async fn an_organization_is_found_by_id_and_name_in_its_own_pool_only(store: Store) {
    let acme = founded(&store, "ada", "Acme & Søn").await;
    let wanted = Organization {
        id: acme.id,
        pool: POOL.to_owned(),
        name: "Acme & Søn".to_owned(),
        name_key: "acme & søn".to_owned(),
        created_at: at(0),
    };
    assert_eq!(acme, wanted);
    assert_eq!(store.organization(POOL, acme.id).await.unwrap(), Some(wanted));
    assert_eq!(store.organization(OTHER, acme.id).await.unwrap(), None);
    assert_eq!(store.organization(POOL, acme.id + 1).await.unwrap(), None);
    assert_eq!(store.organization_by_name(OTHER, "acme & søn").await.unwrap(), None);
    assert_eq!(store.organization_by_name(POOL, "Acme & Søn").await.unwrap(), None);
    assert!(!store.delete_organization(OTHER, acme.id).await.unwrap());
}

pub async fn a_name_of_an_organization_is_taken_once_in_a_pool(store: Store) {
    founded(&store, "ada", "Acme").await;
    let twin = store.register_user(&user("bob"), &founding("ACME")).await;
    assert!(matches!(twin, Err(Error::Exists(Kind::Organization))), "{twin:?}");
    let elsewhere = User { pool: OTHER.to_owned(), ..user("bob") };
    store.register_user(&elsewhere, &founding("Acme")).await.unwrap();
}

pub async fn pages_of_organizations_follow_the_id_and_keep_to_the_pool(store: Store) {
    let mut ids = Vec::new();
    for name in ["one", "two", "three", "four", "five"] {
        ids.push(founded(&store, &format!("founder of {name}"), name).await.id);
    }
    store.register_user(&User { pool: OTHER.to_owned(), ..user("eve") }, &founding("six")).await.unwrap();
    let page = async |after, limit| -> Vec<i64> {
        store.organizations(POOL, after, limit).await.unwrap().iter().map(|it| it.id).collect()
    };
    assert_eq!(page(0, 2).await, ids[..2]);
    assert_eq!(page(ids[1], 2).await, ids[2..4]);
    assert_eq!(page(ids[3], 2).await, ids[4..]);
    assert_eq!(page(ids[4], 2).await, Vec::<i64>::new());
}

pub async fn ids_of_organizations_are_never_given_twice(store: Store) {
    let first = founded(&store, "ada", "Acme").await;
    assert!(store.delete_organization(POOL, first.id).await.unwrap());
    assert!(founded(&store, "bob", "Acme").await.id > first.id);
}

pub async fn a_user_joins_once(store: Store) {
    let acme = founded(&store, "ada", "Acme").await;
    let bob = store.create_user(&user("bob")).await.unwrap();
    store.join_organization(POOL, acme.id, bob.sub, Role::Pending).await.unwrap();
    let again = store.join_organization(POOL, acme.id, bob.sub, Role::Admin).await;
    assert!(matches!(again, Err(Error::AlreadyMember)), "{again:?}");
    assert_eq!(memberships(&store, bob.sub).await, [(acme.id, Role::Pending)]);
}

pub async fn who_joins_what_is_not_there_is_told_what_is_missing(store: Store) {
    let acme = founded(&store, "ada", "Acme").await;
    let bob = store.create_user(&user("bob")).await.unwrap();
    let stranger = store.create_user(&User { pool: OTHER.to_owned(), ..user("eve") }).await.unwrap();
    for (pool, organization) in [(POOL, acme.id + 1), (OTHER, acme.id)] {
        let lost = store.join_organization(pool, organization, bob.sub, Role::Member).await;
        assert!(matches!(lost, Err(Error::NotFound(Kind::Organization))), "{lost:?}");
    }
    for sub in [uuid(), stranger.sub] {
        let lost = store.join_organization(POOL, acme.id, sub, Role::Member).await;
        assert!(matches!(lost, Err(Error::UserNotFound)), "{lost:?}");
    }
    assert_eq!(members(&store, &acme).await, [("ada".to_owned(), Role::Admin)]);
}

pub async fn the_organizations_of_a_user_are_listed_by_id_with_his_roles(store: Store) {
    let (acme, bolt) = (founded(&store, "ada", "Zoo").await, founded(&store, "bob", "Bolt").await);
    let eve = store.create_user(&user("eve")).await.unwrap();
    assert_eq!(store.memberships(POOL, eve.sub).await.unwrap(), []);
    store.join_organization(POOL, bolt.id, eve.sub, Role::Member).await.unwrap();
    store.join_organization(POOL, acme.id, eve.sub, Role::Pending).await.unwrap();
    let wanted =
        [Membership { organization: acme, role: Role::Pending }, Membership { organization: bolt, role: Role::Member }];
    assert_eq!(store.memberships(POOL, eve.sub).await.unwrap(), wanted);
    assert_eq!(store.memberships(OTHER, eve.sub).await.unwrap(), []);
}

pub async fn members_are_listed_by_their_ids_each_with_his_groups(store: Store) {
    for (name, precedence) in [("staff", 2), ("chiefs", 1)] {
        store.create_group(&group(name, precedence)).await.unwrap();
    }
    let bob = User { groups: vec!["chiefs".to_owned(), "staff".to_owned()], ..user("bob") };
    let bob = store.create_user(&bob).await.unwrap();
    let acme = founded(&store, "ada", "Acme").await;
    store.join_organization(POOL, acme.id, bob.sub, Role::Member).await.unwrap();
    founded(&store, "eve", "Another").await;
    let found = store.members(POOL, acme.id).await.unwrap();
    assert_eq!(members(&store, &acme).await, [("bob".to_owned(), Role::Member), ("ada".to_owned(), Role::Admin)]);
    assert_eq!(found[0].user, bob);
    assert!(found[1].user.groups.is_empty());
    assert!(store.members(OTHER, acme.id).await.unwrap().is_empty());
}

pub async fn a_role_is_changed_where_there_is_one(store: Store) {
    let (acme, other) = (founded(&store, "ada", "Acme").await, founded(&store, "eve", "Other").await);
    let bob = store.create_user(&user("bob")).await.unwrap();
    assert!(!store.change_role(POOL, acme.id, bob.sub, Role::Admin).await.unwrap());
    store.join_organization(POOL, acme.id, bob.sub, Role::Pending).await.unwrap();
    store.join_organization(POOL, other.id, bob.sub, Role::Pending).await.unwrap();
    for role in Role::ALL {
        assert!(store.change_role(POOL, acme.id, bob.sub, role).await.unwrap());
        assert_eq!(memberships(&store, bob.sub).await, [(acme.id, role), (other.id, Role::Pending)]);
    }
    assert!(!store.change_role(OTHER, acme.id, bob.sub, Role::Admin).await.unwrap());
    assert_eq!(members(&store, &acme).await[0], ("ada".to_owned(), Role::Admin));
}

pub async fn a_member_leaves_once(store: Store) {
    let (acme, other) = (founded(&store, "ada", "Acme").await, founded(&store, "eve", "Other").await);
    let bob = store.create_user(&user("bob")).await.unwrap();
    for organization in [acme.id, other.id] {
        store.join_organization(POOL, organization, bob.sub, Role::Member).await.unwrap();
    }
    assert!(!store.leave_organization(OTHER, acme.id, bob.sub).await.unwrap());
    assert!(store.leave_organization(POOL, acme.id, bob.sub).await.unwrap());
    assert!(!store.leave_organization(POOL, acme.id, bob.sub).await.unwrap());
    assert_eq!(memberships(&store, bob.sub).await, [(other.id, Role::Member)]);
    assert_eq!(members(&store, &acme).await, [("ada".to_owned(), Role::Admin)]);
}

pub async fn a_deleted_organization_is_gone_with_its_memberships_and_its_members_stay(store: Store) {
    let acme = founded(&store, "ada", "Acme").await;
    let ada = store.user_by_login(POOL, "ada", "").await.unwrap().unwrap();
    assert!(store.delete_organization(POOL, acme.id).await.unwrap());
    assert!(!store.delete_organization(POOL, acme.id).await.unwrap());
    assert_eq!(store.organization(POOL, acme.id).await.unwrap(), None);
    assert_eq!(store.memberships(POOL, ada.sub).await.unwrap(), []);
    assert!(store.members(POOL, acme.id).await.unwrap().is_empty());
    assert_eq!(store.user(POOL, ada.sub).await.unwrap(), Some(ada));
}

pub async fn a_deleted_user_leaves_his_organizations(store: Store) {
    let acme = founded(&store, "ada", "Acme").await;
    let bob = store.create_user(&user("bob")).await.unwrap();
    store.join_organization(POOL, acme.id, bob.sub, Role::Member).await.unwrap();
    assert!(store.delete_user(POOL, bob.sub).await.unwrap());
    assert_eq!(members(&store, &acme).await, [("ada".to_owned(), Role::Admin)]);
    let ada = store.user_by_login(POOL, "ada", "").await.unwrap().unwrap();
    assert!(store.delete_user(POOL, ada.sub).await.unwrap());
    assert_eq!(store.organization(POOL, acme.id).await.unwrap(), Some(acme));
}

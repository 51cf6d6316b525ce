//! Groups and who is in them.

use cognate::error::{Error, Kind};
use cognate::store::directory::{Group, GroupChange, User};

use super::{POOL, Store, at, group, user, uuid};

pub async fn a_group_is_made_once(store: Store) {
    let staff = Group { description: Some("Those who work here".to_owned()), ..group("staff", 5) };
    store.create_group(&staff).await.unwrap();
    let again = store.create_group(&group("staff", 1)).await;
    assert!(matches!(again, Err(Error::Exists(Kind::Group))), "{again:?}");
    assert_eq!(store.groups(POOL).await.unwrap(), [staff]);
    let elsewhere = Group { pool: "eu-west-1_Another01".to_owned(), ..group("staff", 1) };
    store.create_group(&elsewhere).await.unwrap();
}

pub async fn groups_are_listed_by_precedence_then_name(store: Store) {
    for (name, precedence) in [("last", i64::MAX), ("b", 2), ("Z", 2), ("a", 2), ("first", 1)] {
        store.create_group(&group(name, precedence)).await.unwrap();
    }
    let names: Vec<_> = store.groups(POOL).await.unwrap().into_iter().map(|group| group.name).collect();
    assert_eq!(names, ["first", "Z", "a", "b", "last"]);
    assert!(store.groups("eu-west-1_Another01").await.unwrap().is_empty());
}

pub async fn the_groups_of_a_user_come_with_him_lowest_precedence_first(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    for (name, precedence) in [("b", 9), ("a", 9), ("top", 1), ("none", i64::MAX)] {
        store.create_group(&group(name, precedence)).await.unwrap();
        store.add_to_group(POOL, name, ada.sub).await.unwrap();
    }
    let wanted = ["top", "a", "b", "none"];
    assert_eq!(store.user(POOL, ada.sub).await.unwrap().unwrap().groups, wanted);
    assert_eq!(store.user_by_login(POOL, "ada", "").await.unwrap().unwrap().groups, wanted);
    assert_eq!(store.session_owner(POOL, ada.sub, uuid()).await.unwrap().unwrap().user.groups, wanted);
}

pub async fn a_user_is_created_into_groups_that_exist(store: Store) {
    store.create_group(&group("staff", 1)).await.unwrap();
    let groups = vec!["staff".to_owned(), "staff".to_owned()];
    let made = store.create_user(&User { groups, ..user("ada") }).await.unwrap();
    assert_eq!(made.groups, ["staff"]);
    let refused = User { groups: vec!["staff".to_owned(), "absent".to_owned()], ..user("bob") };
    let outcome = store.create_user(&refused).await;
    assert!(matches!(outcome, Err(Error::NotFound(Kind::Group))), "{outcome:?}");
    assert_eq!(store.user(POOL, refused.sub).await.unwrap(), None);
}

pub async fn a_member_is_added_and_removed_any_number_of_times(store: Store) {
    store.create_group(&group("staff", 1)).await.unwrap();
    let ada = store.create_user(&user("ada")).await.unwrap();
    for _ in 0..2 {
        store.add_to_group(POOL, "staff", ada.sub).await.unwrap();
    }
    assert_eq!(store.user(POOL, ada.sub).await.unwrap().unwrap().groups, ["staff"]);
    for _ in 0..2 {
        store.remove_from_group(POOL, "staff", ada.sub).await.unwrap();
    }
    assert!(store.user(POOL, ada.sub).await.unwrap().unwrap().groups.is_empty());
}

pub async fn a_missing_group_or_user_is_named(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let no_group = store.add_to_group(POOL, "absent", ada.sub).await;
    assert!(matches!(no_group, Err(Error::NotFound(Kind::Group))), "{no_group:?}");
    store.create_group(&group("staff", 1)).await.unwrap();
    let no_user = store.add_to_group(POOL, "staff", uuid()).await;
    assert!(matches!(no_user, Err(Error::UserNotFound)), "{no_user:?}");
}

pub async fn a_deleted_group_leaves_its_members(store: Store) {
    store.create_group(&group("staff", 1)).await.unwrap();
    let ada = store.create_user(&User { groups: vec!["staff".to_owned()], ..user("ada") }).await.unwrap();
    assert!(store.delete_group(POOL, "staff").await.unwrap());
    assert!(!store.delete_group(POOL, "staff").await.unwrap());
    assert!(store.user(POOL, ada.sub).await.unwrap().unwrap().groups.is_empty());
    store.create_group(&group("staff", 1)).await.unwrap();
    assert!(store.user(POOL, ada.sub).await.unwrap().unwrap().groups.is_empty());
}

pub async fn a_page_of_users_brings_the_groups_of_each(store: Store) {
    store.create_group(&group("one", 1)).await.unwrap();
    store.create_group(&group("two", 2)).await.unwrap();
    let groups = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (name, names) in [("ada", groups(&["two", "one"])), ("bob", groups(&[])), ("eve", groups(&["two"]))] {
        store.create_user(&User { groups: names, ..user(name) }).await.unwrap();
    }
    let read: Vec<_> = store.users(POOL, 0, 10).await.unwrap().into_iter().map(|user| user.groups).collect();
    assert_eq!(read, [groups(&["one", "two"]), groups(&[]), groups(&["two"])]);
}

pub async fn a_group_is_changed_where_something_is_given(store: Store) {
    let staff = Group { description: Some("Those who work here".to_owned()), ..group("staff", 5) };
    store.create_group(&staff).await.unwrap();
    assert_eq!(store.group(POOL, "staff").await.unwrap(), Some(staff.clone()));
    assert_eq!(store.group("eu-west-1_Another01", "staff").await.unwrap(), None);
    let change = GroupChange { role_arn: Some("arn".to_owned()), precedence: Some(1), description: None };
    let wanted = Group { role_arn: Some("arn".to_owned()), precedence: 1, updated_at: at(7), ..staff };
    assert_eq!(store.update_group(POOL, "staff", &change, at(7)).await.unwrap(), Some(wanted.clone()));
    assert_eq!(store.groups(POOL).await.unwrap(), [wanted]);
    assert_eq!(store.update_group(POOL, "absent", &change, at(8)).await.unwrap(), None);
}

pub async fn members_of_a_group_come_in_pages_by_id(store: Store) {
    for name in ["staff", "other"] {
        store.create_group(&group(name, 1)).await.unwrap();
    }
    let groups = || vec!["staff".to_owned(), "other".to_owned()];
    let ada = store.create_user(&User { groups: groups(), ..user("ada") }).await.unwrap();
    store.create_user(&user("bob")).await.unwrap();
    let eve = store.create_user(&User { groups: vec!["staff".to_owned()], ..user("eve") }).await.unwrap();
    assert_eq!(store.users_in_group(POOL, "staff", 0, 1).await.unwrap(), std::slice::from_ref(&ada));
    assert_eq!(store.users_in_group(POOL, "staff", ada.id, 9).await.unwrap(), [eve]);
    assert_eq!(store.users_in_group(POOL, "other", 0, 9).await.unwrap(), [ada]);
    assert!(store.users_in_group("eu-west-1_Another01", "staff", 0, 9).await.unwrap().is_empty());
}

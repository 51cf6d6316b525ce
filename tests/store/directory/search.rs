//! Users found by one of their names, addresses or standings.

use cognate::store::directory::{Search, SearchField, User, UserStatus};

use super::{POOL, Store, user, with_address};

fn search(field: SearchField, value: &str, prefix: bool) -> Search {
    Search { field, value: value.to_owned(), prefix }
}

async fn found(store: &Store, field: SearchField, value: &str, prefix: bool) -> Vec<String> {
    let users = store.search_users(POOL, &search(field, value, prefix), 0, 10).await.unwrap();
    users.into_iter().map(|user| user.username).collect()
}

fn named(attribute: &str, value: &str, user: User) -> User {
    User { attributes: [(attribute.to_owned(), value.to_owned())].into(), ..user }
}

pub async fn a_user_is_found_by_whatever_is_searched(store: Store) {
    let ada = User { phone: Some("+4930123".to_owned()), ..with_address("Ada", "Ada@example.org", false) };
    let ada = store.create_user(&named("name", "Ada \"L\" Byron", ada)).await.unwrap();
    let bob = User { status: UserStatus::ForceChangePassword, enabled: false, ..user("bob") };
    store.create_user(&named("preferred_username", "bobby", bob)).await.unwrap();
    store.create_user(&named("given_name", "Eve", user("eve"))).await.unwrap();
    store.create_user(&named("family_name", "Eve", user("fay"))).await.unwrap();
    for (field, value, name) in [
        (SearchField::Username, "ada", "Ada"),
        (SearchField::Email, "ada@example.org", "Ada"),
        (SearchField::PhoneNumber, "+4930123", "Ada"),
        (SearchField::Sub, &ada.sub.to_string(), "Ada"),
        (SearchField::Name, "Ada \"L\" Byron", "Ada"),
        (SearchField::PreferredUsername, "bobby", "bob"),
        (SearchField::Status, "FORCE_CHANGE_PASSWORD", "bob"),
        (SearchField::Enabled, "0", "bob"),
        (SearchField::GivenName, "Eve", "eve"),
        (SearchField::FamilyName, "Eve", "fay"),
    ] {
        assert_eq!(found(&store, field, value, false).await, [name], "{field:?}");
        assert_eq!(found(&store, field, value, true).await, [name], "{field:?}");
        let beginning = &value[..value.len() - 1];
        let longer: &[&str] = if value.len() == 1 { &["Ada", "bob", "eve", "fay"] } else { &[name] };
        assert_eq!(found(&store, field, beginning, true).await, longer, "{field:?}");
        assert!(found(&store, field, beginning, false).await.is_empty(), "{field:?}");
        assert!(found(&store, field, &format!("{value}x"), true).await.is_empty(), "{field:?}");
    }
    assert_eq!(found(&store, SearchField::Enabled, "1", false).await, ["Ada", "eve", "fay"]);
}

pub async fn a_beginning_is_searched_byte_by_byte(store: Store) {
    for (username, name) in
        [("a", "Zoe"), ("b", "zoe"), ("c", "Zoë"), ("d", "Zo%"), ("e", "Zo"), ("f", "Zö"), ("g", "Zp")]
    {
        store.create_user(&named("name", name, user(username))).await.unwrap();
    }
    assert_eq!(found(&store, SearchField::Name, "Zo", true).await, ["a", "c", "d", "e"]);
    assert_eq!(found(&store, SearchField::Name, "Zo%", true).await, ["d"]);
    assert_eq!(found(&store, SearchField::Name, "Z_", true).await, [""; 0]);
    assert_eq!(found(&store, SearchField::Name, "", true).await.len(), 7);
}

pub async fn pages_of_a_search_follow_the_id_and_keep_to_the_pool(store: Store) {
    store.create_user(&User { pool: "eu-west-1_Another01".to_owned(), ..user("ann-0") }).await.unwrap();
    let mut ids = Vec::new();
    for name in ["ann-3", "bob", "ann-1", "ann-2"] {
        ids.push(store.create_user(&user(name)).await.unwrap().id);
    }
    let ann = search(SearchField::Username, "ann-", true);
    let page = async |after: i64| {
        let users = store.search_users(POOL, &ann, after, 2).await.unwrap();
        users.into_iter().map(|user| user.username).collect::<Vec<_>>()
    };
    assert_eq!(page(0).await, ["ann-3", "ann-1"]);
    assert_eq!(page(ids[2]).await, ["ann-2"]);
    assert!(page(ids[3]).await.is_empty());
}

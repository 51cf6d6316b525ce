//! Who a person is, whatever happens to his entry: renamed, moved, deleted, made anew.

use cognate::config::Ldap;
use cognate::pool::NewUser;

use super::{app, outcome, register, sign_in, tokens};
use crate::app::PASSWORD;
use crate::servers::slapd::{BASE, Slapd, dn, person};

#[tokio::test]
async fn another_person_under_the_same_name_is_not_let_in() {
    for direct in [false, true] {
        let slapd = Slapd::start();
        let (settings, unit) =
            if direct { (slapd.settings_directly(), "direct") } else { (slapd.settings_with_service(), "people") };
        let app = app(settings).await;
        slapd.modify(&person("dave", unit, 40, ""));
        register(&app, "dave").await.unwrap();
        let session = tokens(&app, "dave", "dave's word").await;
        slapd.modify(&format!("dn: {}\nchangetype: delete\n", dn("dave", unit)));
        assert_eq!(outcome(&sign_in(&app, "dave", "dave's word").await), "not_authorized", "deleted");
        slapd.modify(&person("dave", unit, 41, ""));
        assert_eq!(outcome(&sign_in(&app, "dave", "dave's word").await), "not_authorized", "somebody else");
        // Registered anew he is a new user, without a way into what was the other's.
        app.pool().delete_user(r"CORP\dave").await.unwrap();
        assert!(!app.accepts(&session.access_token).await);
        let second = register(&app, "dave").await.unwrap();
        assert_eq!(sign_in(&app, "dave", "dave's word").await.unwrap().sub, second.sub);
    }
}

#[tokio::test]
async fn a_person_who_is_moved_and_married_stays_who_he_is() {
    let slapd = Slapd::start();
    let app = app(slapd.settings_with_service()).await;
    let registered = register(&app, "bob").await.unwrap();
    sign_in(&app, "bob", "bob's word").await.unwrap();
    slapd.modify(&format!(
        "dn: {}\nchangetype: modify\nreplace: sn\nsn: Married\n-\nreplace: userPassword\nuserPassword: new word\n\n\
         dn: {}\nchangetype: modrdn\nnewrdn: sAMAccountName=bob\ndeleteoldrdn: 0\nnewsuperior: ou=direct,{BASE}\n",
        dn("bob", "people"),
        dn("bob", "people")
    ));
    assert_eq!(outcome(&sign_in(&app, "bob", "bob's word").await), "not_authorized");
    let user = sign_in(&app, "bob", "new word").await.unwrap();
    assert_eq!(user.sub, registered.sub);
    // The profile is taken over once; from then on it is kept here.
    assert_eq!(user.attributes["family_name"], "Example");
}

#[tokio::test]
async fn an_address_that_somebody_else_has_proven_is_not_taken_from_him() {
    let slapd = Slapd::shared().await;
    let app = app(slapd.settings_with_service()).await;
    let owner = NewUser { email: Some("Alice@corp.example.test".to_owned()), ..NewUser::new("owner", PASSWORD) };
    app.pool().create_user(owner).await.unwrap();
    register(&app, "alice").await.unwrap();
    let alice = sign_in(&app, "alice", "alice's word").await.unwrap();
    assert_eq!((alice.email.as_deref(), alice.email_verified), (Some("alice@corp.example.test"), false));
    assert_eq!(app.pool().find_user("alice@corp.example.test").await.unwrap().username, "owner");
    assert_eq!(outcome(&sign_in(&app, "alice", "alice's word").await), "signed in");
}

#[tokio::test]
async fn what_is_known_here_already_is_not_overwritten() {
    let slapd = Slapd::shared().await;
    let app = app(slapd.settings_with_service()).await;
    let (name, email) = ("alice".to_owned(), Some("a@example.test".to_owned()));
    let draft = cognate::pool::NewExternalUser { name, email, groups: Vec::new() };
    app.pool().register_external_user(draft).await.unwrap();
    let alice = sign_in(&app, "a@example.test", "alice's word").await.unwrap();
    assert_eq!((alice.email.as_deref(), alice.email_verified), (Some("a@example.test"), true));
    assert_eq!(alice.attributes["given_name"], "Alice");
}

#[tokio::test]
async fn two_people_of_one_name_are_nobody() {
    let slapd = Slapd::start();
    let app = app(slapd.settings_with_service()).await;
    register(&app, "bob").await.unwrap();
    slapd.modify(&person("bob", "direct", 50, ""));
    let cause = super::cause(sign_in(&app, "bob", "bob's word").await);
    assert_eq!(cause, "ldap.user_filter finds more than one person");
}

#[tokio::test]
async fn who_is_bound_by_name_must_be_who_is_found_by_name() {
    let slapd = Slapd::start();
    // carol is bound under ou=direct; what the search finds is another carol.
    let base_dn = format!("ou=people,{BASE}");
    let app = app(Ldap { base_dn, ..slapd.settings_directly() }).await;
    register(&app, "carol").await.unwrap();
    assert_eq!(outcome(&sign_in(&app, "carol", "carol's word").await), "not_authorized", "not under ldap.base_dn");
    slapd.modify(&person("carol", "people", 60, "").replace("userPassword: carol's", "userPassword: other"));
    let cause = super::cause(sign_in(&app, "carol", "carol's word").await);
    assert_eq!(cause, "ldap.base_dn and ldap.domain lead to different people");
}

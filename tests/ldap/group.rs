//! Groups that follow the directory.

use cognate::config::{Ldap, List};
use cognate::pool::NewGroup;

use super::{app, register, sign_in};
use crate::servers::slapd::{BASE, Slapd, dn};

fn change(group: &str, verb: &str, member: &str) -> String {
    format!("dn: cn={group},ou=groups,{BASE}\nchangetype: modify\n{verb}: member\nmember: {member}\n")
}

#[tokio::test]
async fn a_person_is_in_mapped_groups_exactly_as_there_at_every_sign_in() {
    let slapd = Slapd::start();
    let app = app(slapd.settings_with_service()).await;
    let pool = app.pool();
    register(&app, "alice").await.unwrap();
    let alice = dn("alice", "people");
    let groups = async |word: &str| sign_in(&app, "alice", word).await.unwrap().groups;
    assert_eq!(groups("alice's word").await, ["sales"]);
    // A group that follows nothing is left alone; one that follows is not for us to give.
    for group in ["admin", "chiefs"] {
        pool.create_group(NewGroup { name: group.to_owned(), ..NewGroup::default() }).await.unwrap();
        pool.add_to_group(group, r"CORP\alice").await.unwrap();
    }
    assert_eq!(groups("alice's word").await, ["admin", "sales"]);
    slapd.modify(&change("Admins", "add", &alice));
    assert_eq!(groups("alice's word").await, ["admin", "chiefs", "sales"]);
    slapd.modify(&change("Sales", "delete", &alice));
    assert_eq!(groups("alice's word").await, ["admin", "chiefs"]);
    slapd.modify(&format!("dn: cn=Admins,ou=groups,{BASE}\nchangetype: delete\n"));
    assert_eq!(groups("alice's word").await, ["admin"]);
}

#[tokio::test]
async fn who_is_bound_directly_has_his_groups_too() {
    let app = app(Slapd::shared().await.settings_directly()).await;
    register(&app, "carol").await.unwrap();
    assert_eq!(sign_in(&app, "carol", "carol's word").await.unwrap().groups, ["chiefs", "sales"]);
}

#[tokio::test]
async fn a_wrong_password_changes_no_group() {
    let slapd = Slapd::start();
    let app = app(slapd.settings_with_service()).await;
    register(&app, "alice").await.unwrap();
    sign_in(&app, "alice", "alice's word").await.unwrap();
    slapd.modify(&change("Sales", "delete", &dn("alice", "people")));
    assert!(sign_in(&app, "alice", "a guess").await.is_err());
    assert_eq!(app.pool().find_user(r"CORP\alice").await.unwrap().groups, ["sales"]);
}

#[tokio::test]
async fn groups_of_the_same_cn_elsewhere_do_not_count() {
    let slapd = Slapd::start();
    let elsewhere = format!("cn=Admins,ou=people,{BASE}");
    slapd.modify(&format!(
        "dn: {elsewhere}\nchangetype: add\nobjectClass: groupOfNames\ncn: Admins\nmember: {}\n",
        dn("alice", "people")
    ));
    let groups = |mapping: &str| List(vec![mapping.to_owned()]);
    for (mapping, group_base_dn, expected) in [
        (format!("cn=Admins,ou=groups,{BASE}=chiefs"), None, &[] as &[&str]),
        ("Admins=chiefs".to_owned(), Some(format!("ou=groups,{BASE}")), &[]),
        ("admins = chiefs".to_owned(), None, &["chiefs"]),
        (format!("{elsewhere}=chiefs"), None, &["chiefs"]),
        (format!("cn=Ghosts,ou=groups,{BASE}=chiefs"), None, &[]),
        ("Gho*sts)(=chiefs".to_owned(), None, &[]),
    ] {
        let settings = Ldap { groups: groups(&mapping), group_base_dn, ..slapd.settings_with_service() };
        let app = app(settings).await;
        register(&app, "alice").await.unwrap();
        assert_eq!(sign_in(&app, "alice", "alice's word").await.unwrap().groups, expected, "{mapping}");
    }
}

//! Organizations that people made by signing up, looked after by commands.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cognate::pool::{Joins, LinkTo, SignUp, Surface};
use cognate::store::organization::Role;
use serde_json::json;

use super::place::{PASSWORD, Place};

/// Acme, founded by Ann, with Bob who accepted an invitation; answers its id.
async fn acme(place: &Place) -> i64 {
    place.user("bob");
    let opened = place.opened().await;
    let (pool, client) = opened.pools.surface(Surface::Pm415).unwrap();
    let link = LinkTo { client: &client, page: None, life: Duration::from_secs(60) };
    let joins = Joins::NewOrganization("Acme");
    let draft =
        SignUp { email: "ann@example.test", password: PASSWORD, given_name: "Ann", family_name: "Smith", joins };
    pool.sign_up(&link, draft, IpAddr::V4(Ipv4Addr::LOCALHOST)).await.unwrap();
    let acme = pool.organization_by_name("Acme").await.unwrap().id;
    let bob = pool.find_user("bob").await.unwrap().sub;
    opened.ports.directory.join_organization(pool.id(), acme, bob, Role::Pending).await.unwrap();
    acme
}

#[tokio::test]
async fn members_are_shown_let_in_and_taken_out() {
    let place = Place::new();
    assert_eq!(place.run("organizations list --json").json(), json!([]));
    let id = acme(&place).await;
    let listed = place.run("organizations list --json").json();
    assert_eq!((&listed[0]["id"], &listed[0]["name"]), (&json!(id), &json!("Acme")));
    let roles = |which: &str| {
        let shown = place.run(&format!("organizations show {which} --json")).json();
        let members = shown["members"].as_array().unwrap().clone();
        members.iter().map(|member| json!([member["username"], member["role"]])).collect::<Vec<_>>()
    };
    assert_eq!(roles("acme"), [json!(["bob", "Pending"]), json!(["ann@example.test", "Admin"])]);
    assert_eq!(place.run("organizations set-role Acme bob member").fine(), "bob is Member in Acme.\n");
    assert_eq!(roles(&id.to_string())[0], json!(["bob", "Member"]));
    assert!(place.run("organizations show Acme").fine().contains("bob               bob@example.test  Member  "));
    assert_eq!(place.run("organizations set-role Acme bob chief").code, 2);
    assert_eq!(place.run("organizations remove Acme bob").fine(), "bob is not in Acme any more.\n");
    assert_eq!(place.run("organizations remove Acme bob").failed(), "bob is no member of Acme");
    assert_eq!(place.run("organizations set-role Acme nobody member").failed(), "nobody is no member of Acme");
    assert_eq!(roles("Acme"), [json!(["ann@example.test", "Admin"])]);
}

#[tokio::test]
async fn an_organization_is_deleted_and_its_members_stay_as_users() {
    let place = Place::new();
    acme(&place).await;
    assert!(place.run("organizations delete Acme").failed().starts_with("Delete organization Acme (2 members)?"));
    assert_eq!(place.run("organizations delete Acme --yes").fine(), "Organization Acme deleted.\n");
    let missing = "Organization does not exist. `cognate organizations list` shows those there are.";
    assert_eq!(place.run("organizations show Acme").failed(), missing);
    assert_eq!(place.run("organizations show 1").failed(), missing);
    assert_eq!(place.run("users list --json").json().as_array().unwrap().len(), 2);
}

#[test]
fn the_client_of_an_account_api_is_not_deleted_under_it() {
    let place = Place::new();
    let clients = place.run("clients list --json").json();
    let id = |name: &str| {
        let found = clients.as_array().unwrap().iter().find(|client| client["name"] == name).unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    for name in ["pm415", "astera", "amadis"] {
        let refused = place.run(&format!("clients delete {} --yes", id(name))).failed();
        assert!(refused.starts_with(&format!("this client belongs to the {name} API")), "{refused}");
    }
    assert!(place.run(&format!("clients delete {} --yes", id("default"))).failed().starts_with("/v1 speaks for"));
}

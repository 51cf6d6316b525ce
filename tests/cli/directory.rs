//! A foreign directory as an operator sets it up: tried, and its people let in.

use super::place::Place;
use crate::servers::slapd::{BASE, SERVICE_PASSWORD, Slapd};

#[test]
fn a_directory_is_tried_and_its_people_are_registered() {
    let slapd = Slapd::start();
    let mut place = Place::new();
    place.set("COGNATE__LDAP__URL", &slapd.url());
    place.set("COGNATE__LDAP__CA_FILE", &slapd.folder.join("ca.pem").display().to_string());
    place.set("COGNATE__LDAP__BASE_DN", BASE);
    place.set("COGNATE__LDAP__DOMAIN", "CORP");
    let said = place.run("check").fine();
    assert!(said.contains("fine   ldap         the directory answers (no ldap.bind_dn to try)\n"), "{said}");
    place.set("COGNATE__LDAP__BIND_DN", &format!("cn=service,{BASE}"));
    place.set("COGNATE__LDAP__BIND_PASSWORD", "hidden-word");
    let said = place.run("check").out;
    assert!(said.contains("WRONG  ldap         the directory refuses ldap.bind_dn or its password\n"), "{said}");
    let password = place.write("password", &format!("{SERVICE_PASSWORD}\n"));
    place.set("COGNATE__LDAP__BIND_PASSWORD_FILE", &password);
    let said = place.run("check").fine();
    assert!(said.contains("fine   ldap         the directory answers and ldap.bind_dn can sign in\n"), "{said}");
    assert!(!place.run("config").fine().contains("hidden-word"));
    let said = place.run(r"users register corp\alice").fine();
    assert!(said.starts_with(r"CORP\alice may sign in. Sub: "), "{said}");
    assert_eq!(place.run(r"users register CORP\ghost").failed().trim_end(), "The directory has nobody of this name.");
    assert!(place.run(r"users list").fine().contains(r"CORP\alice"));
}

#[test]
fn settings_that_cannot_work_are_named_at_once() {
    let mut place = Place::new();
    place.set("COGNATE__LDAP__URL", "http://dc1.corp.example.test");
    place.set("COGNATE__LDAP__USER_FILTER", "(cn=x)");
    place.set("COGNATE__LDAP__BIND_DN", "cn=service");
    place.set("COGNATE__LDAP__GROUPS", "Sales");
    place.set("COGNATE__LDAP__CONNECTIONS", "0");
    let done = place.run("check");
    for setting in ["url", "base_dn", "user_filter", "bind_dn", "groups", "connections"] {
        assert!(done.out.contains(&format!("ldap.{setting}")), "{setting}: {}", done.out);
    }
    done.failed();
    for url in ["ldap://[::1]", "ldaps://user:hidden-word@dc1", "ldaps://dc1/dc=corp", "ldaps://"] {
        let mut place = Place::new();
        place.set("COGNATE__LDAP__URL", url);
        let done = place.run("check");
        assert!(done.out.contains("ldap.url: must be ldaps://HOST:PORT") && !done.out.contains("hidden-word"), "{url}");
    }
    assert!(Place::new().run(r"users register CORP\alice").failed().contains("set ldap.url"));
}

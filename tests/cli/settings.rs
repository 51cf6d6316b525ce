//! What the commands say about settings, right and wrong ones.

use serde_json::Value;

use super::place::Place;

const KEY: &str = "MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY=";
const OTHER_KEY: &str = "ZmVkY2JhMDk4NzY1NDMyMWZlZGNiYTA5ODc2NTQzMjE=";

#[test]
fn the_settings_are_printed_with_their_variables_and_without_secrets() {
    let mut place = Place::new();
    let url = place.write("redis.url", "rediss://cognate:hidden-word@redis.example:6379");
    place.set("COGNATE__MASTER_KEY", "hidden-word");
    place.set("COGNATE__DIRECTORY__URL", "postgres://cognate:hidden-word@db.example/cognate");
    place.set("COGNATE__TOKENS__URL_FILE", &url);
    place.set("COGNATE__MAIL__URL", "smtps://me:hidden-word@mail.example");
    place.set("COGNATE__LDAP__BIND_PASSWORD", "hidden-word");
    let text = place.run("config --json").fine();
    assert!(!text.contains("hidden-word"));
    let settings: Value = serde_json::from_str(&text).unwrap();
    let named = |name: &str| settings.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    for secret in ["master_key", "directory.url", "tokens.url", "mail.url", "ldap.bind_password"] {
        assert_eq!(named(secret)["value"], "***", "{secret}");
    }
    let reload = named("keys.reload");
    assert_eq!(reload["variable"], "COGNATE__KEYS__RELOAD");
    assert_eq!((reload["value"].as_str(), reload["default"].as_str()), (Some("200ms"), Some("5s")));
    assert!(reload["about"].as_str().unwrap().starts_with("How often every replica"));
    let text = place.run("config").fine();
    assert!(!text.contains("hidden-word") && text.contains("\nkeys.reload = 200ms\n"));
}

#[test]
fn the_file_is_under_the_environment_and_over_the_defaults() {
    let place = Place::new();
    let file = place.write("cognate.toml", "[keys]\nreload = \"9s\"\npublish_ahead = \"2h\"\n");
    let settings = place.run(&format!("config --json --config {file}")).json();
    let value = |name: &str| {
        let row = settings.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap();
        row["value"].as_str().unwrap().to_owned()
    };
    assert_eq!((value("keys.reload"), value("keys.publish_ahead")), ("200ms".to_owned(), "2h".to_owned()));
    assert!(place.run("check --config nowhere.toml").out.contains("nowhere.toml"));
}

#[test]
fn check_finds_all_in_order_and_makes_nothing() {
    let place = Place::new();
    let said = place.run("check").fine();
    assert!(said.contains("fine   directory    ./cognate-data/cognate.db will be made at the first start\n"), "{said}");
    assert!(!said.contains("WRONG"));
    assert!(!place.path("cognate-data").exists());
    place.user("alice");
    let said = place.run("check").fine();
    assert!(said.contains("fine   master key   ./cognate-data/master.key opens the root secret"), "{said}");
}

#[test]
fn check_names_every_wrong_setting_at_once() {
    let mut place = Place::new();
    place.set("COGNATE__HTTP__LISTEN", "0.0.0.0:8080");
    place.set("COGNATE__LIMITS__MAILS", "0");
    place.set("COGNATE__MAIL__FROM", "nobody");
    let done = place.run("check");
    assert_eq!(done.out.lines().filter(|line| line.starts_with("WRONG  settings")).count(), 3, "{}", done.out);
    assert!(done.failed().starts_with("3 faults: a service would not start"));
    let mut place = Place::new();
    place.set("COGNATE__HTTP__LISTN", "127.0.0.1:1");
    assert!(place.run("check").out.contains("listn"));
}

#[test]
fn check_reports_a_bad_master_key_and_changes_nothing() {
    let mut place = Place::new();
    place.set("COGNATE__MASTER_KEY", KEY);
    place.user("alice");
    for (key, words) in [
        ("short", "master_key: master key 1 "),
        (OTHER_KEY, "the setting master_key does not open the data: it was sealed by master key "),
    ] {
        place.set("COGNATE__MASTER_KEY", key);
        let done = place.run("check");
        let line = done.out.lines().find(|line| line.starts_with("WRONG")).unwrap().to_owned();
        assert!(line.starts_with("WRONG  master key") && line.contains(words), "{line}");
        assert!(!line.contains(key));
        done.failed();
        assert!(!place.run("users list").failed().contains(key));
    }
    // A new key before the old one: found good, but nothing is sealed anew before a service starts with it.
    place.set("COGNATE__MASTER_KEY", &format!("{OTHER_KEY} {KEY}"));
    place.run("check").fine();
    place.set("COGNATE__MASTER_KEY", KEY);
    place.run("users list").fine();
}

#[test]
fn check_reports_stores_certificate_templates_and_client_that_are_not_usable() {
    let mut place = Place::new();
    place.user("alice");
    std::fs::create_dir(place.path("templates")).unwrap();
    place.write("templates/reset_code.txt", "{{ nonsense }}");
    let certificate = place.write("tls.pem", "no certificate");
    place.set("COGNATE__TOKENS__URL", "redis://127.0.0.1:1");
    place.set("COGNATE__HTTP__CERTIFICATE_FILE", &certificate);
    place.set("COGNATE__HTTP__CERTIFICATE_KEY_FILE", &certificate);
    place.set("COGNATE__MAIL__TEMPLATES", &place.path("templates").display().to_string());
    place.set("COGNATE__V1__CLIENT", "nothing");
    place.set("COGNATE__LDAP__URL", "ldaps://127.0.0.1:1");
    place.set("COGNATE__LDAP__BASE_DN", "DC=corp,DC=test");
    place.set("COGNATE__LDAP__DOMAIN", "CORP");
    place.set("COGNATE__LOG__LEVEL", "a=b=c");
    let done = place.run("check");
    let wrong: Vec<_> = done.out.lines().filter_map(|line| line.strip_prefix("WRONG  ")?.get(..11)).collect();
    assert_eq!(
        wrong.iter().map(|part| part.trim_end()).collect::<Vec<_>>(),
        ["tokens", "v1.client", "certificate", "ldap", "templates", "log"]
    );
    assert!(done.failed().starts_with("6 faults"));
}

#[test]
fn stores_that_are_away_are_one_line_with_what_to_do() {
    let mut place = Place::new();
    place.set("COGNATE__MASTER_KEY", KEY);
    place.set("COGNATE__DIRECTORY__URL", "postgres://cognate:hidden-word@127.0.0.1:1/cognate");
    place.set("COGNATE__DIRECTORY__TIMEOUT", "300ms");
    let said = place.run("users list").failed();
    assert_eq!(said.lines().count(), 1);
    assert!(said.starts_with("PostgreSQL is not ready") && said.contains("`cognate check`"), "{said}");
    assert!(!said.contains("hidden-word"));
    assert!(place.run("backup copy.db").failed().contains("pg_dump"));
    assert!(place.run("check").out.contains("WRONG  directory    PostgreSQL is not ready"));
}

#[test]
fn the_description_of_the_api_needs_no_settings() {
    let mut place = Place::new();
    place.set("COGNATE__LIMITS__MAILS", "nonsense");
    assert_eq!(place.run("openapi").fine(), include_str!("../../openapi.yaml"));
}

#[test]
fn nothing_in_the_environment_or_the_arguments_makes_it_panic() {
    let place = Place::new();
    let done = place.shell("export ODD=$'\\xff' COGNATE__LOG__LEVEL=$'\\xff'; cognate users show $'\\xff'", "");
    assert!(done.code != 0 && !done.err.contains("panicked"), "{}", done.err);
}

#[test]
fn what_the_account_apis_can_not_do_is_refused_setting_by_setting() {
    for (name, value, fault) in [
        ("PM415__ACCESS_TOKEN", "8d", "pm415.access_token: must be whole seconds, 5m to 7d"),
        ("PM415__ACCESS_TOKEN", "299s", "pm415.access_token: must be whole seconds, 5m to 7d"),
        ("AMADIS__ACCESS_TOKEN", "3600500ms", "amadis.access_token: must be whole seconds, 5m to 7d"),
        ("PM415__LINK", "59s", "pm415.link: must be whole seconds, 1m to 30d"),
        ("ASTERA__LINK", "31d", "astera.link: must be whole seconds, 1m to 30d"),
        ("ASTERA__REFRESH_TOKEN", "3651d", "astera.refresh_token: must be whole seconds, 1h to 3650d"),
        ("ASTERA__ACCESS_TOKEN", "2d", ""),
        ("ASTERA__REFRESH_TOKEN", "1h", ""),
        ("AMADIS__WRONG_PASSWORD_STATUS", "401", "amadis.wrong_password_status: must be 422 or 400"),
        ("AMADIS__WRONG_PASSWORD_STATUS", "400", ""),
        ("PM415__SITE", "javascript:alert(1)", "pm415.site: must be http:// or https://"),
    ] {
        let mut place = Place::new();
        place.set(&format!("COGNATE__{name}"), value);
        let done = place.run("config");
        match fault {
            "" => drop(done.fine()),
            fault => assert!(done.err.lines().any(|line| line.ends_with(fault)), "{name}: {}", done.err),
        }
    }
    let mut place = Place::new();
    place.set("COGNATE__AMADIS__ACCESS_TOKEN", "2h");
    place.set("COGNATE__AMADIS__REFRESH_TOKEN", "1h");
    assert!(
        place.run("config").failed().contains("amadis.refresh_token: must not be shorter than amadis.access_token")
    );
}

// R06
#[test]
fn a_replica_is_waited_for_only_where_there_is_a_redis() {
    let mut place = Place::new();
    place.set("COGNATE__TOKENS__DURABILITY", "replicated");
    let said = place.run("config").failed();
    assert!(said.contains("tokens.durability: replicated needs a Redis in tokens.url"), "{said}");
    place.set("COGNATE__TOKENS__URL", "redis://127.0.0.1:1");
    assert!(place.run("config").fine().contains("\ntokens.durability = replicated\n"));
    place.set("COGNATE__TOKENS__DURABILITY", "remote");
    assert!(place.run("config").failed().contains("tokens.durability"));
}

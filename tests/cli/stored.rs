//! What goes in and out as files: imports, lists, backups.

use serde_json::{Value, json};

use super::place::{PASSWORD, Place};

#[tokio::test]
async fn imported_users_sign_in_with_the_password_they_had() {
    let place = Place::new();
    let service = place.serve();
    place.run("groups create staff").fine();
    let hash = bcrypt::hash("old system's password", 4).unwrap();
    let sub = "0d5c1a52-6f0e-4b0c-9a47-6f1a86a3a001";
    let file = place.write(
        "people.csv",
        &format!(
            "cognito:username,sub,email,email_verified,phone_number,password_hash,groups,name,custom:team\n\
             alice,{sub},alice@example.test,true,+491701234567,{hash},staff,\"Alice, A.\",red\n\
             bob,,bob@example.test,TRUE,,,,,\n"
        ),
    );
    assert_eq!(place.run(&format!("users import {file}")).fine(), "2 imported, 0 refused.\n");
    assert_eq!(service.login("alice@example.test", "old system's password").await.0, 200);
    assert_eq!(service.login("alice", "something else").await.0, 401);
    let shown = place.run("users show alice --json").json();
    assert_eq!((shown["sub"].as_str(), shown["phone_number"].as_str()), (Some(sub), Some("+491701234567")));
    assert_eq!(shown["groups"], json!(["staff"]));
    assert_eq!(shown["attributes"], json!({ "custom:team": "red", "name": "Alice, A." }));
    assert_eq!(place.run("users show bob --json").json()["status"], "RESET_REQUIRED");
}

#[test]
fn refused_lines_are_named_with_number_and_reason_and_never_with_a_hash() {
    let place = Place::new();
    let good = bcrypt::hash("x", 4).unwrap();
    let file = place.write(
        "people.csv",
        &format!(
            "username,sub,email,email_verified,password_hash,groups\n\
             alice,,alice@example.test,true,{good},\n\
             bob,,not an address,true,,\n\
             \"car\nol\",,,,,\n\
             dave,,,perhaps,,\n\
             erin,,,,$9$BADHASHVALUE,\n\
             frank,,,,,nobody\n\
             grace,no-uuid,,,,\n\
             heidi,,\n\
             ivan,,,,,\n\
             alice,,,,,\n"
        ),
    );
    let first = place.run(&format!("users import {file}"));
    assert_eq!(first.code, 1);
    assert_eq!(first.err.trim_end(), "cognate: 8 lines not imported");
    let lines: Vec<_> = first.out.lines().collect();
    assert_eq!(
        lines,
        [
            "line 3: email must be an email address in ASCII",
            "line 4: username must not contain invisible or control characters",
            "line 6: email_verified must be true or false",
            "line 7: password_hash is not Argon2, bcrypt ($2a, $2b, $2y), scrypt or PBKDF2-SHA256",
            "line 8: a group of this line does not exist; make it with `cognate groups create`",
            "line 9: sub is not a UUID",
            "line 10: has 3 values, but there are 6 columns",
            "line 12: exists: username, sub or verified address is taken",
            "2 imported, 8 refused.",
        ]
    );
    let again = place.run(&format!("users import {file} --json"));
    let summary: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!((again.code, summary["imported"].as_u64()), (1, Some(0)));
    assert_eq!(summary["refused"][0]["line"], 2);
    assert_eq!(summary["refused"][0]["reason"], "exists: username, sub or verified address is taken");
    assert_eq!(summary["refused"].as_array().unwrap().len(), 10);
    assert!(!again.out.contains("BADHASH") && !again.out.contains(&good));
}

#[test]
fn a_file_with_an_unknown_column_imports_nothing() {
    let place = Place::new();
    let header = |line: &str| place.run(&format!("users import {}", place.write("people.csv", line))).failed();
    let refused = header("username,password,cognito:groups\nalice,secret word,x\n");
    assert!(refused.contains("unknown column `password`, `cognito:groups`; there are username"), "{refused}");
    assert!(!refused.contains("secret"));
    assert!(header("email\na@example.test\n").contains("there is no column username"));
    assert!(header("username,cognito:username\na,b\n").contains("a column is there twice"));
    assert!(header("").contains("there is no column username"));
    assert!(place.run("users import nowhere.csv").failed().starts_with("cannot read nowhere.csv"));
    // What Excel writes: a byte order mark, and lines that end in CR LF.
    let lines = "\u{feff}username,address,cognito:mfa_enabled\r\nalice,\"1 Street\r\nTown\",false\r\n\r\nbob,,true\r\ncarol,,maybe";
    let done = place.run(&format!("users import {}", place.write("people.csv", lines)));
    let said: Vec<_> = done.out.lines().collect();
    assert_eq!(said.len(), 3, "{}{}", done.out, done.err);
    assert!(said[0].starts_with("line 5: cognito:mfa_enabled is true"), "{}", said[0]);
    assert_eq!(said[1], "line 6: cognito:mfa_enabled must be true or false");
    let made = place.run("users list --json").json();
    assert_eq!(
        (made.as_array().unwrap().len(), made[0]["attributes"]["address"].as_str()),
        (1, Some("1 Street\r\nTown"))
    );
    let lines = "username\n\n\nalice\n";
    let done = place.run(&format!("users import {}", place.write("people.csv", lines)));
    assert!(done.out.starts_with("line 4: exists"), "{}", done.out);
}

#[test]
fn a_long_list_comes_whole_and_may_be_cut_off() {
    let place = Place::new();
    let names: String = (0..1500).map(|number| format!("person-with-a-long-name-{number}\n")).collect();
    let file = place.write("people.csv", &format!("username\n{names}"));
    assert_eq!(place.run(&format!("users import {file}")).fine(), "1500 imported, 0 refused.\n");
    let all = place.run("users list --json").json();
    assert_eq!(all.as_array().unwrap().len(), 1500);
    assert_eq!(place.run("users list --limit 501 --json").json().as_array().unwrap().len(), 501);
    assert_eq!(place.run("users list --limit 0 --json").json(), json!([]));
    assert_eq!(place.run("users list").fine().lines().count(), 1501);
    let cut = place.shell("cognate users list | head -n 1", "");
    assert_eq!((cut.code, cut.err.as_str()), (0, ""), "a reader that has gone is no fault");
    assert!(cut.out.starts_with("USERNAME "));
}

// R13, R36
#[tokio::test]
async fn a_backup_taken_beside_the_service_is_restored_when_it_has_stopped() {
    let place = Place::new();
    let service = place.serve();
    place.user("alice");
    let (_, tokens) = service.login("alice", PASSWORD).await;
    let said = place.run("backup copy.db").fine();
    assert!(said.contains("master key, which is not inside") && said.contains("cognate-data/master.key"), "{said}");
    assert!(place.run("backup copy.db").failed().contains("exists"));
    place.user("bob");
    assert!(place.run("restore copy.db").failed().ends_with("exists: say --force to replace it"));
    assert!(place.run("restore copy.db --force").failed().ends_with("a server is using the database; stop it first"));
    service.stop();
    place.run("restore copy.db --force").fine();

    let service = place.serve();
    assert_eq!(service.login("alice", PASSWORD).await.0, 200);
    assert_eq!(service.login("bob", PASSWORD).await.0, 401);
    let refresh = json!({ "username": "alice", "refresh_token": tokens["refresh_token"] });
    assert_eq!(service.post("token-refresh", refresh).await.0, 401, "no session comes back from a backup");
}

#[test]
fn a_restore_says_when_the_master_key_is_not_there() {
    let place = Place::new();
    place.user("alice");
    place.run("backup copy.db").fine();
    let copy = place.path("copy.db").display().to_string();

    let elsewhere = Place::new();
    let refused = elsewhere.run(&format!("restore {copy}")).failed();
    assert!(refused.contains("is restored, but no service starts on it until the master key"), "{refused}");
    assert!(elsewhere.run("users list").failed().contains("put it back at ./cognate-data/master.key"));
    std::fs::copy(place.path("cognate-data/master.key"), elsewhere.path("cognate-data/master.key")).unwrap();
    elsewhere.run(&format!("restore {copy} --force")).fine();
    assert!(elsewhere.run("users list").fine().contains("alice@example.test"));
    assert!(elsewhere.run("restore nothing.db --force").failed().contains("nothing.db"));
    assert!(elsewhere.run("users list").fine().contains("alice@example.test"), "a failed restore changes nothing");
}

//! A pool on its way from one deployment to another, each with a master key of its own; and jobs as an operator sees them.

use std::path::PathBuf;

use cognate::pool::user_import::Importer;
use serde_json::Value;

use super::place::{PASSWORD, Place};

const WORDS: &str = "a passphrase of some length";

/// A place with a group, three users and a passphrase, and its first pool's id.
fn left() -> (Place, String) {
    let place = Place::new();
    place.write("words", &format!("{WORDS}\n"));
    place.run("groups create staff --precedence 3").fine();
    for name in ["alice", "bob", "carol"] {
        place.user(name);
    }
    place.run("groups add staff alice").fine();
    place.run("users disable bob").fine();
    let pool = first_pool(&place);
    (place, pool)
}

fn first_pool(place: &Place) -> String {
    place.run("pools list --json").json()[0]["id"].as_str().unwrap().to_owned()
}

/// Exports, and carries the file and the passphrase elsewhere.
fn carried(from: &Place, to: &Place) -> PathBuf {
    from.run("export people.cognate --passphrase-file words").fine();
    std::fs::copy(from.path("people.cognate"), to.path("people.cognate")).unwrap();
    to.write("words", &format!("{WORDS}\n"));
    to.path("people.cognate")
}

#[tokio::test]
async fn whoever_moves_signs_in_with_the_password_he_has() {
    let (old, pool) = left();
    assert_eq!(
        old.run("export out.cognate --passphrase-file words").fine(),
        format!("out.cognate holds 3 users of {pool}.\n")
    );
    let new = Place::new();
    let file = carried(&old, &new);
    let bytes = std::fs::read(&file).unwrap();
    for secret in ["alice", "argon2id$", "example.test", "staff"] {
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} is readable");
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&old.path("people.cognate").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let service = new.serve();
    let own = first_pool(&new);
    assert_ne!(own, pool);
    let said = new.run(&format!("import people.cognate --passphrase-file words --pool {own}")).fine();
    assert_eq!(said, format!("3 users imported into {own}, 0 there already, 0 refused.\n"));
    let (status, _) = service.login("alice", PASSWORD).await;
    assert_eq!((status, service.login("alice", "something else").await.0), (200, 401));
    assert_eq!(service.login("bob", PASSWORD).await.0, 401, "he is disabled there as he was");
    let shown = |place: &Place, pool: &str| -> Value {
        let mut shown = place.run(&format!("users show alice --pool {pool} --json")).json();
        shown["sessions"] = Value::Null;
        shown["id"] = Value::Null;
        shown
    };
    let (there, here) = (shown(&old, &pool), shown(&new, &own));
    for field in ["sub", "username", "email", "email_verified", "groups", "attributes", "status", "created_at"] {
        assert_eq!(there[field], here[field], "{field}");
    }
    let said = new.run(&format!("import people.cognate --passphrase-file words --pool {own}")).fine();
    assert_eq!(said, format!("0 users imported into {own}, 3 there already, 0 refused.\n"));

    // Without --pool the pool itself comes, with its id.
    new.run("import people.cognate --passphrase-file words").fine();
    assert_eq!(new.run(&format!("users show alice --pool {pool} --json")).json()["sub"], there["sub"]);
    let groups = new.run(&format!("groups list --pool {pool} --json")).json();
    assert_eq!((groups[0]["name"].as_str(), groups[0]["precedence"].as_i64()), (Some("staff"), Some(3)));
}

#[test]
fn the_passwords_that_may_not_come_again_move_along() {
    let (old, pool) = left();
    old.run("pools update --password-history 3").fine();
    let second = "another horse battery\n";
    old.run_with(&["users", "set-password", "alice", "--password-stdin"], second).fine();
    let new = Place::new();
    let own = first_pool(&new);
    carried(&old, &new);
    new.run("import people.cognate --passphrase-file words").fine();
    new.run(&format!("import people.cognate --passphrase-file words --pool {own}")).fine();
    let set = |pool: &str, password: &str| {
        new.run_with(&["users", "set-password", "alice", "--pool", pool, "--password-stdin"], password)
    };
    for used in [&format!("{PASSWORD}\n"), second] {
        assert_eq!(set(&pool, used).failed(), "Password has previously been used");
    }
    set(&pool, "a third horse battery\n").fine();
    set(&own, second).fine();
}

#[test]
fn a_name_that_another_has_is_refused_and_told() {
    let (old, _) = left();
    let new = Place::new();
    carried(&old, &new);
    new.user("carol");
    let own = first_pool(&new);
    let done = new.run(&format!("import people.cognate --passphrase-file words --pool {own}"));
    assert_eq!((done.code, done.err.as_str()), (1, "cognate: 1 user not imported\n"));
    assert!(done.out.contains(": User already exists\n"), "{}", done.out);
    assert!(done.out.ends_with(&format!("2 users imported into {own}, 0 there already, 1 refused.\n")), "{}", done.out);
}

#[test]
fn a_file_that_is_not_as_it_was_written_is_taken_up_to_the_damage_and_no_further() {
    let old = Place::new();
    old.write("words", WORDS);
    // More than one portion.
    let rows: String = (0..1_500).map(|number| format!("user-{number},user-{number}@example.test,true\n")).collect();
    let file = old.write("people.csv", &format!("username,email,email_verified\n{rows}"));
    old.run(&format!("users import {file}")).fine();
    old.run("export people.cognate --passphrase-file words").fine();
    let whole = std::fs::read(old.path("people.cognate")).unwrap();
    let portions = portions(&whole);
    assert!(portions.len() >= 3, "{portions:?}");
    let (second, last) = (portions[1], *portions.last().unwrap());
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        bytes
    };
    let swapped =
        [&whole[..portions[0]], &whole[second..portions[2]], &whole[portions[0]..second], &whole[portions[2]..]]
            .concat();
    let cases = [
        ("cut inside a portion", whole[..whole.len() - 20].to_vec(), "was cut off", true),
        ("cut between portions", whole[..last].to_vec(), "was cut off", true),
        ("cut before the first", whole[..portions[0]].to_vec(), "was cut off", false),
        ("a bit of the second portion", changed(second + 100), "was changed", true),
        ("the flag of the last portion", changed(last), "was changed", true),
        ("a bit of the first portion", changed(portions[0] + 100), "the passphrase is wrong, or it was changed", false),
        ("the rule of the passphrase", changed(60), "", false),
        ("portions in another order", swapped, "the passphrase is wrong, or it was changed", false),
        ("more after the end", [whole.as_slice(), b"x"].concat(), "goes on after its end", true),
    ];
    for (what, bytes, words, some) in cases {
        let new = Place::new();
        new.write("words", WORDS);
        std::fs::write(new.path("people.cognate"), bytes).unwrap();
        let done = new.run("import people.cognate --passphrase-file words");
        assert_eq!(done.code, 1, "{what}: {}{}", done.out, done.err);
        assert!(done.err.contains(words), "{what}: {}", done.err);
        assert_eq!(done.err.contains("what came before is imported, nothing after"), some, "{what}: {}", done.err);
        let imported: usize = done.out.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
        assert_eq!(imported > 0, some, "{what}: {}", done.out);
        if what == "more after the end" {
            assert_eq!(imported, 1_500);
        }
    }
    let new = Place::new();
    std::fs::write(new.path("people.cognate"), whole).unwrap();
    new.write("words", "another passphrase altogether");
    let wrong = new.run("import people.cognate --passphrase-file words");
    assert!(wrong.err.contains("does not open: the passphrase is wrong, or it was changed"), "{}", wrong.err);
    assert_eq!(new.run("pools list --json").json().as_array().unwrap().len(), 1, "not even its pool came");
}

/// Where each portion begins.
fn portions(file: &[u8]) -> Vec<usize> {
    let mut at = file.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let mut found = Vec::new();
    while at < file.len() {
        found.push(at);
        at += 5 + u32::from_be_bytes(file[at + 1..at + 5].try_into().unwrap()) as usize;
    }
    found
}

#[test]
fn the_passphrase_comes_from_the_keyboard_or_a_file_and_is_long_enough() {
    let (old, _) = left();
    old.write("short", "eleven char\n");
    assert_eq!(
        old.run("export out.cognate --passphrase-file short").failed(),
        "the passphrase must have at least 12 characters"
    );
    assert!(old.run("export out.cognate").failed().ends_with("say --passphrase-file"));
    assert!(!old.path("out.cognate").exists());
    let typed: &str = &format!("{WORDS}\n");
    let said = old.type_to("export out.cognate", &[("Passphrase: ", typed), ("The same again: ", typed)]);
    assert!(said.contains("out.cognate holds 3 users"), "{said}");
    assert!(!said.contains(WORDS));
    assert!(old.run("export out.cognate --passphrase-file words").failed().contains("cannot make out.cognate"));
    assert_eq!(old.run("import words --passphrase-file words").failed(), "words is no file of `cognate export`");
}

#[tokio::test]
async fn cognitos_csv_goes_out_and_comes_in_by_a_job_whose_refusals_an_operator_sees() {
    let (old, pool) = left();
    let file = old.write(
        "more.csv",
        "username,email,email_verified,phone_number,birthdate,address\n\
         dave,dave@example.test,true,+491701234567,1990-12-31,\"1 Street, Town\\\nHouse\"\n\
         eve,eve@example.test,false,,,\n",
    );
    old.run(&format!("users import {file}")).fine();
    assert_eq!(old.run("export people.csv --cognito-csv").fine(), format!("people.csv holds 5 users of {pool}.\n"));
    let text = std::fs::read_to_string(old.path("people.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("cognito:username,name,") && lines[0].ends_with(",updated_at,cognito:mfa_enabled"));
    let dave =
        "dave,,,,,,,,,,dave@example.test,true,,12/31/1990,,,+491701234567,false,1 Street\\, Town\\\\ House,,false";
    assert_eq!((lines.len(), lines[4]), (6, dave));
    assert!(!text.contains("$argon2"));

    let new = Place::new();
    let opened = new.opened().await;
    let own = opened.pools.first().unwrap().id().to_owned();
    let contact = cognate::pool::settings::Contact::Email;
    opened.pools.update_pool(&own, |pool| pool.auto_verify = vec![contact]).await.unwrap();
    opened.pools.reload().await.unwrap();
    let pool = opened.pools.first().unwrap();
    let draft = cognate::pool::user_import::NewImportJob {
        name: "move".to_owned(),
        role_arn: "arn:aws:iam::123456789012:role/unused".to_owned(),
        hashes: None,
    };
    let job = pool.create_import_job(draft).await.unwrap();
    let url = pool.upload_url(&job);
    let of = |name: &str| url.split(name).nth(1).unwrap().split('&').next().unwrap();
    let mut upload = pool.begin_upload(&job.id, of("expires=").parse().unwrap(), of("signature=")).await.unwrap();
    upload.add(text.as_bytes()).await.unwrap();
    upload.finish().await.unwrap();
    pool.start_import_job(&job.id).await.unwrap();
    Importer::new(opened.pools.clone()).unwrap().turn().await.unwrap();
    let said = new.run(&format!("users jobs {}", job.id)).fine();
    let wanted = "Succeeded: 4 imported, 0 skipped, 1 failed.\n\
                  The user import job has completed.\n\
                  [FAILED] Line Number 6 - The User Record does not set any of the auto verified attributes to true. \
                  (Example: email_verified to true).\n";
    assert_eq!(said, wanted);
    let list = new.run("users jobs").fine();
    assert!(list.contains(&job.id) && list.contains("Succeeded") && list.lines().count() == 2, "{list}");
    assert!(new.run("users jobs import-nowhere").failed().starts_with("User import job does not exist."));
    let shown = new.run("users show dave --json").json();
    assert_eq!(shown["attributes"]["birthdate"], "1990-12-31");
    assert_eq!(shown["attributes"]["address"], "1 Street, Town\\ House");
}

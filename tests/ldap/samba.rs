//! The same against a real Active Directory domain controller.

use cognate::config::Ldap;

use super::{app, cause, outcome, register, sign_in, tokens};
use crate::servers::samba::{BASE, Samba};

fn user(name: &str) -> String {
    use base64::Engine as _;
    let word: Vec<u8> = format!("\"Passw0rd!{name}\"").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let word = base64::engine::general_purpose::STANDARD.encode(word);
    format!(
        "dn: CN={name},CN=Users,{BASE}\nchangetype: add\nobjectClass: user\nsAMAccountName: {name}\n\
         unicodePwd:: {word}\nuserAccountControl: 512\n"
    )
}

#[tokio::test]
async fn a_person_of_active_directory_signs_in_with_profile_and_nested_groups() {
    let door = Samba::door().await;
    for settings in [door.settings_with_service(), door.settings_directly()] {
        let app = app(settings).await;
        register(&app, r"CORP\alice").await.unwrap();
        for name in [r"CORP\alice", r"corp\Alice", "alice@corp.example.test"] {
            let user = sign_in(&app, name, "Passw0rd!alice").await.unwrap();
            assert_eq!(user.username, r"CORP\alice");
            // Sales is in Staff.
            assert_eq!(user.groups, ["sales", "staff"]);
            assert_eq!((user.email.as_deref(), user.email_verified), (Some("alice@corp.example.test"), true));
            assert_eq!(
                (user.attributes["given_name"].as_str(), user.attributes["family_name"].as_str()),
                ("Alice", "Example")
            );
            assert_eq!(user.external_id.unwrap().len(), 32);
        }
        assert!(app.accepts(&tokens(&app, "alice", "Passw0rd!alice").await.access_token).await);
    }
}

// P11
#[tokio::test]
async fn active_directorys_refusals_are_alike_but_for_who_must_change_his_password() {
    let door = Samba::door().await;
    for settings in [door.settings_with_service(), door.settings_directly()] {
        let app = app(settings).await;
        for name in ["guessed", "disabled", "expired", "must.change"] {
            register(&app, name).await.unwrap();
            for wrong in ["", "wrong", "Passw0rd!", "\0", "*"] {
                assert_eq!(outcome(&sign_in(&app, name, wrong).await), "not_authorized", "{name} {wrong:?}");
            }
        }
        for (name, expected) in [
            ("guessed", "signed in"),
            ("disabled", "not_authorized"),
            ("expired", "not_authorized"),
            ("must.change", "password_reset_required"),
        ] {
            assert_eq!(outcome(&sign_in(&app, name, &format!("Passw0rd!{name}")).await), expected, "{name}");
        }
        for name in ["*", ")(cn=*", "guessed\0", r"CORP\gue*", r"OTHER\guessed", "guessed@other.test", "CN=guessed"] {
            assert_eq!(outcome(&sign_in(&app, name, "Passw0rd!guessed").await), "not_authorized", "{name}");
        }
    }
}

#[tokio::test]
async fn only_a_registered_name_can_be_locked_out_there() {
    let door = Samba::door().await;
    let app = app(door.settings_with_service()).await;
    for _ in 0..14 {
        assert_eq!(outcome(&sign_in(&app, "locked", "wrong").await), "not_authorized");
    }
    register(&app, "locked").await.unwrap();
    assert_eq!(outcome(&sign_in(&app, "locked", "Passw0rd!locked").await), "signed in");
    for _ in 0..13 {
        assert_eq!(outcome(&sign_in(&app, "locked", "wrong").await), "not_authorized");
    }
    assert_eq!(outcome(&sign_in(&app, "locked", "Passw0rd!locked").await), "not_authorized");
}

#[tokio::test]
async fn starttls_to_active_directory_works_and_its_certificate_counts() {
    let door = Samba::door().await;
    let url = |host: &str| Some(format!("ldap://{host}:{}", door.port).parse().unwrap());
    let good = app(Ldap { url: url("127.0.0.1"), ..door.settings_with_service() }).await;
    register(&good, "alice").await.unwrap();
    assert_eq!(outcome(&sign_in(&good, "alice", "Passw0rd!alice").await), "signed in");
    let bad = app(Ldap { ca_file: None, url: url("127.0.0.1"), ..door.settings_with_service() }).await;
    assert!(cause(register(&bad, "alice").await).contains("invalid peer certificate"));
}

#[tokio::test]
async fn who_left_and_whose_name_was_given_away_are_two_people() {
    let door = Samba::door().await;
    let app = app(door.settings_directly()).await;
    register(&app, "leaver").await.unwrap();
    assert_eq!(outcome(&sign_in(&app, "leaver", "Passw0rd!leaver").await), "signed in");
    door.modify(&format!("dn: CN=leaver,CN=Users,{BASE}\nchangetype: delete\n")).await;
    assert_eq!(outcome(&sign_in(&app, "leaver", "Passw0rd!leaver").await), "not_authorized");
    door.modify(&user("leaver")).await;
    assert_eq!(outcome(&sign_in(&app, "leaver", "Passw0rd!leaver").await), "not_authorized");
}

#[tokio::test]
async fn who_moves_within_active_directory_stays_who_he_is_and_changes_groups() {
    let door = Samba::door().await;
    let app = app(door.settings_with_service()).await;
    register(&app, "mover").await.unwrap();
    let before = sign_in(&app, "mover", "Passw0rd!mover").await.unwrap();
    assert_eq!(before.groups, ["chiefs"]);
    door.modify(&format!(
        "dn: CN=Chiefs,CN=Users,{BASE}\nchangetype: modify\ndelete: member\nmember: CN=mover,CN=Users,{BASE}\n\n\
         dn: CN=mover,CN=Users,{BASE}\nchangetype: modrdn\nnewrdn: CN=Mover\\, (Old) *\ndeleteoldrdn: 1\n\n\
         dn: CN=Sales,CN=Users,{BASE}\nchangetype: modify\nadd: member\nmember: CN=Mover\\, (Old) *,CN=Users,{BASE}\n"
    ))
    .await;
    let after = sign_in(&app, "mover", "Passw0rd!mover").await.unwrap();
    assert_eq!((after.sub, after.groups), (before.sub, vec!["sales".to_owned(), "staff".to_owned()]));
}

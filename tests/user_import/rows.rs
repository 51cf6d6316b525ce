//! What rows become, and why some do not.

use cognate::pool::settings::{Contact, MfaMode, MfaRules, Usernames};
use cognate::pool::{PoolSettings, UserStatus};
use serde_json::json;

use super::{HEADER, call, counts, done, faults, prepared, row};
use crate::app::{TestApp, story};
use crate::hash::{IMPORTED, PASSWORD};

story!(the_header_is_cognitos_with_the_attributes_of_the_pool);
async fn the_header_is_cognitos_with_the_attributes_of_the_pool(app: TestApp) {
    let custom = json!({ "CustomAttributes": [{ "Name": "team", "AttributeDataType": "String" }] });
    assert_eq!(call(&app, "AddCustomAttributes", custom).await.status, 200);
    let names: Vec<String> = HEADER.split(',').map(str::to_owned).chain(["custom:team".to_owned()]).collect();
    let answer = call(&app, "GetCSVHeader", json!({})).await;
    assert_eq!(answer.json(), json!({ "CSVHeader": names, "UserPoolId": app.pool().id() }));
}

story!(a_row_becomes_a_user_who_must_reset_his_password);
async fn a_row_becomes_a_user_who_must_reset_his_password(app: TestApp) {
    prepared(&app).await;
    let file = format!(
        "{HEADER}\r\n{}\r\n\r\n  ann , Ann\\, A. ,,,,,,,,,ann@example.test,TRUE,,12/31/1990,,,+491701234567,true,\
         1 Street\\, Town\\\\,1700000000,false",
        row("bob")
    );
    let done = done(&app, json!({}), &file).await;
    assert_eq!((counts(&done), done["Status"].as_str()), ((2, 0, 0), Some("Succeeded")));
    assert_eq!(done["CompletionMessage"], "The_user_import_job_has_completed");
    let ann = app.pool().find_user("ann@example.test").await.unwrap();
    assert_eq!((ann.username.as_str(), ann.status), ("ann", UserStatus::ResetRequired));
    assert_eq!((ann.email_verified, ann.phone_verified), (true, true));
    let attributes: Vec<(&str, &str)> = ann.attributes.iter().map(|(name, value)| (&**name, &**value)).collect();
    let wanted = [
        ("address", "1 Street, Town\\"),
        ("birthdate", "1990-12-31"),
        ("name", "Ann, A."),
        ("updated_at", "1700000000"),
    ];
    assert_eq!(attributes, wanted);
    // What he has to do then works.
    assert_eq!(app.forgot("ann").await.status, 204);
    assert_eq!(app.confirm("ann", &app.mailed_code().await, "quite another horse").await.whole(), (204, ""));
    assert_eq!(app.login("ann", "quite another horse").await.status, 200);
}

story!(users_sign_in_with_the_password_whose_hash_was_in_the_file);
async fn users_sign_in_with_the_password_whose_hash_was_in_the_file(app: TestApp) {
    prepared(&app).await;
    let kinds = [
        ("BCRYPT", &["$2a$", "$2b$", "$2y$"] as &[&str]),
        ("SCRYPT", &["$scrypt$"]),
        ("ARGON2ID", &["$argon2id$"]),
        ("PBKDF2_SHA256", &["$pbkdf2-sha256$", "pbkdf2_sha256$"]),
    ];
    for (algorithm, prefixes) in kinds {
        let own: Vec<&str> =
            IMPORTED.into_iter().filter(|hash| prefixes.iter().any(|prefix| hash.starts_with(prefix))).collect();
        assert!(!own.is_empty());
        let name = |number: usize| format!("{}-{number}", algorithm.to_lowercase());
        let mut file = format!("{HEADER},cognito:password_hash\n");
        for (number, hash) in own.iter().enumerate() {
            file += &format!("{},{}\n", row(&name(number)), hash.replace(',', "\\,"));
        }
        // Another algorithm's, and none at all.
        let foreign = IMPORTED.into_iter().find(|hash| !own.contains(hash)).unwrap();
        file += &format!("{},{}\n{},\n", row("foreign"), foreign.replace(',', "\\,"), row(&name(99)));
        let done = done(&app, json!({ "PasswordHashingAlgorithm": algorithm }), &file).await;
        assert_eq!(done["PasswordHashingAlgorithm"], algorithm);
        assert_eq!(counts(&done), (own.len() as u64 + 1, 0, 1), "{algorithm}");
        let line =
            format!("[FAILED] Line Number {} - The password hash is not of the algorithm of the job.", own.len() + 2);
        assert_eq!(faults(&app, &done).await, [line]);
        for number in 0..own.len() {
            assert_eq!(app.login(&name(number), "wrong").await.status, 401);
            assert_eq!(app.login(&name(number), PASSWORD).await.status, 200, "{}", name(number));
        }
        assert_eq!(app.pool().find_user(&name(99)).await.unwrap().status, UserStatus::ResetRequired);
    }
}

story!(a_row_that_can_not_be_taken_is_told_by_its_number_and_reason);
async fn a_row_that_can_not_be_taken_is_told_by_its_number_and_reason(app: TestApp) {
    prepared(&app).await;
    app.user("there").await;
    let broken = [
        (",,,,,,,,,,a@example.test,true,,,,,,false,,,false", "The row has no cognito:username."),
        ("ann,true", "The row has 2 values, but the header has 21."),
        (
            "ann,,,,,,,,,,a@example.test,false,,,,,+491701234567,true,,,false",
            "The User Record does not set any of the auto verified attributes to true. (Example: email_verified to true).",
        ),
        ("ann,,,,,,,,,,,true,,,,,,false,,,false", "Email is required to verify/un-verify an email"),
        ("ann,,,,,,,,,,secret@,true,,,,,,false,,,false", "Invalid email address format."),
        (
            "ann,,,,,,,,,,a@example.test,true,,1990-12-31,,,,false,,,false",
            "birthdate must be a date in the form mm/dd/yyyy.",
        ),
        (
            "ann,,,,,,,,,,a@example.test,true,,02/30/1990,,,,false,,,false",
            "birthdate must be a date in the form mm/dd/yyyy.",
        ),
        ("ann,,,,,,,,,,a@example.test,true,,,,,0170,false,,,false", "Invalid phone number format."),
        (
            "ann,,,,,,,,,,a@example.test,true,,,,,,false,,yesterday,false",
            "Attributes did not conform to the schema: updated_at: must be a whole number of 0 or more",
        ),
        (
            "ann,,,,,,,,,,a@example.test,perhaps,,,,,,true,,,false",
            "The User Record does not set any of the auto verified attributes to true. (Example: email_verified to true).",
        ),
        ("ann,,,,,,,,,,a@example.test,true,,,,,,false,,,", "cognito:mfa_enabled must be true or false."),
        (
            "ann,,,,,,,,,,a@example.test,true,,,,,,false,,,true",
            "cognito:mfa_enabled is true, but MFA is off in the user pool.",
        ),
        (
            "a\u{200b}b,,,,,,,,,,a@example.test,true,,,,,,false,,,false",
            "username must not contain invisible or control characters",
        ),
    ];
    let rows: String = broken.iter().map(|(row, _)| format!("{row}\n")).collect();
    let long = format!("long,{},,,,,,,,,a@example.test,true,,,,,,false,,,false", "x".repeat(16_000));
    let file = format!("{HEADER}\n{rows}{long}\n{}\n{}\n{}\n", row("there"), row("eve"), row("eve"));
    let done = done(&app, json!({}), &file).await;
    assert_eq!((counts(&done), done["Status"].as_str()), ((1, 2, 14), Some("Succeeded")));
    let mut wanted: Vec<String> =
        (2..).zip(broken).map(|(line, (_, reason))| format!("[FAILED] Line Number {line} - {reason}")).collect();
    wanted.push("[FAILED] Line Number 15 - The row has more than 16000 characters.".to_owned());
    wanted.extend([16, 18].map(|line| format!("[SKIPPED] Line Number {line} - The user already exists.")));
    assert_eq!(faults(&app, &done).await, wanted);
}

story!(the_flag_of_mfa_fits_the_pool_and_the_names_are_its_contacts);
async fn the_flag_of_mfa_fits_the_pool_and_the_names_are_its_contacts(app: TestApp) {
    let change = |pool: &mut PoolSettings| {
        pool.auto_verify = vec![Contact::Email];
        pool.mfa = MfaRules { mode: MfaMode::On, software_token: true, email: false, sms: false };
        pool.usernames = Usernames::Contact { contacts: vec![Contact::Email] };
    };
    app.change_pool(change).await;
    let file = format!(
        "{HEADER}\nann@example.test,,,,,,,,,,ann@example.test,true,,,,,,false,,,true\n\
         bob@example.test,,,,,,,,,,,true,,,,,,false,,,true\n\
         cyd@example.test,,,,,,,,,,other@example.test,true,,,,,,false,,,true\n\
         dan@example.test,,,,,,,,,,,true,,,,,,false,,,false\n\
         eve,,,,,,,,,,eve@example.test,true,,,,,,false,,,true\n"
    );
    let done = done(&app, json!({}), &file).await;
    assert_eq!(counts(&done), (2, 0, 3));
    let wanted = [
        "[FAILED] Line Number 4 - The attributes must have the contact that is the username.",
        "[FAILED] Line Number 5 - cognito:mfa_enabled is false, but the user pool requires MFA.",
        "[FAILED] Line Number 6 - Username should be an email.",
    ];
    assert_eq!(faults(&app, &done).await, wanted);
    let ann = app.pool().find_user("ann@example.test").await.unwrap();
    assert_eq!(ann.username, ann.sub.to_string());
}

story!(a_file_that_is_not_the_pools_fails_as_a_whole);
async fn a_file_that_is_not_the_pools_fails_as_a_whole(app: TestApp) {
    prepared(&app).await;
    let header = "The_header_of_the_file_is_not_the_one_of_the_user_pool_GetCSVHeader";
    let short = HEADER.replace(",locale", "");
    let files = [
        (format!("{short}\n{}\n", row("ann")), header),
        (format!("{HEADER},custom:nothing\n{}\n", row("ann")), header),
        (format!("{HEADER},cognito:password_hash\n{},x\n", row("ann")), header),
        (String::new(), header),
        (
            format!("\u{feff}{HEADER}\n{}\n", row("ann")),
            "The_file_begins_with_a_byte_order_mark_It_must_be_UTF_8_without_one",
        ),
        (format!("{HEADER}\n,\n"), "Too_many_users_have_failed_or_been_skipped_during_the_import"),
    ];
    for (file, message) in files {
        let done = done(&app, json!({}), &file).await;
        assert_eq!(
            (done["Status"].as_str(), done["CompletionMessage"].as_str()),
            (Some("Failed"), Some(message)),
            "{file}"
        );
        assert_eq!(done["ImportedUsers"], 0);
    }
    assert!(app.pool().find_user("ann").await.is_err());
    // A header alone is a file to the end of which there is nothing to do.
    assert_eq!(done(&app, json!({}), HEADER).await["Status"], "Succeeded");
}

// A second factor that somebody had is asked for here, too, whatever else there is.
story!(the_flag_of_mfa_is_the_factor_that_is_asked_for, crate::servers::gateway::Gateway::of);
async fn the_flag_of_mfa_is_the_factor_that_is_asked_for(app: TestApp) {
    let change = |pool: &mut PoolSettings| {
        pool.auto_verify = vec![Contact::Email];
        pool.mfa = MfaRules { mode: MfaMode::Optional, software_token: true, email: true, sms: true };
    };
    app.change_pool(change).await;
    let row = |name: &str, number: &str, proven: bool, flag: bool| {
        format!("{name},,,,,,,,,,{name}@example.test,true,,,,,{number},{proven},,,{flag}\n")
    };
    let file = [
        row("ann", "+12065550101", true, true),
        row("bob", "+12065550102", true, false),
        row("cyd", "+12065550103", false, true),
        row("dan", "", false, true),
    ];
    let done = done(&app, json!({}), &format!("{HEADER}\n{}", file.concat())).await;
    assert_eq!(counts(&done), (2, 0, 2));
    let reason = "cognito:mfa_enabled is true, but the user can not be sent codes by text message.";
    let wanted = [4, 5].map(|line| format!("[FAILED] Line Number {line} - {reason}"));
    assert_eq!(faults(&app, &done).await, wanted);
    for (name, factors, challenge) in [("ann", json!(["SMS_MFA"]), json!("SMS_MFA")), ("bob", json!(null), json!(null))]
    {
        let body = json!({ "UserPoolId": app.pool().id(), "Username": name });
        let seen = app.cognito_admin("AdminGetUser", body).await.json();
        assert_eq!((&seen["UserStatus"], &seen["UserMFASettingList"]), (&json!("RESET_REQUIRED"), &factors), "{name}");
        app.pool().set_password(name, crate::app::PASSWORD, false).await.unwrap();
        let given = json!({ "USERNAME": name, "PASSWORD": crate::app::PASSWORD });
        let body = json!({ "ClientId": app.client().id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given });
        assert_eq!(app.cognito("InitiateAuth", body).await.json()["ChallengeName"], challenge, "{name}");
    }
}

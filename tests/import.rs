//! Users of another system: they sign in with the password they had, and their hash becomes Argon2id.

use cognate::pool::ImportedUser;

use crate::app::{TestApp, claims, story};
use crate::hash::{IMPORTED, PASSWORD};

fn imported(name: &str, hash: &str) -> ImportedUser {
    ImportedUser {
        username: name.to_owned(),
        email: Some(format!("{name}@example.test")),
        email_verified: true,
        password_hash: Some(hash.to_owned()),
        ..ImportedUser::default()
    }
}

story!(imported_users_sign_in_and_are_upgraded_by_it);
async fn imported_users_sign_in_and_are_upgraded_by_it(app: TestApp) {
    let pool = app.pool();
    for (number, hash) in IMPORTED.into_iter().enumerate() {
        let name = &format!("user-{number}");
        let user = pool.import_user(imported(name, hash)).await.unwrap();
        let wrong = app.login(name, "grüße, 世界 12").await;
        assert_eq!(wrong.whole(), (401, r#"{"status":401,"message":"Incorrect username or password."}"#), "{hash}");
        assert_eq!(pool.find_user(name).await.unwrap().password.unwrap(), hash);
        for _ in 0..2 {
            let answer = app.login(name, PASSWORD).await;
            assert_eq!(answer.status, 200, "{hash}");
            assert_eq!(claims(&answer.field("access_token"))["sub"], user.sub.to_string());
            let stored = pool.find_user(name).await.unwrap().password.unwrap();
            assert!(stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}: {stored}");
        }
    }
}

story!(an_imported_user_keeps_the_subject_and_without_a_hash_must_reset);
async fn an_imported_user_keeps_the_subject_and_without_a_hash_must_reset(app: TestApp) {
    let sub = "7f6a1f2e-3b0c-4a54-9d59-1f0a6d6f7a11".parse().unwrap();
    let draft = ImportedUser { sub: Some(sub), password_hash: None, ..imported("alice", "") };
    app.pool().import_user(draft).await.unwrap();
    assert_eq!(app.login("alice", PASSWORD).await.status, 401);
    assert_eq!(app.forgot("alice").await.status, 204);
    assert_eq!(app.confirm("alice", &app.mailed_code().await, PASSWORD).await.whole(), (204, ""));
    let answer = app.login("alice", PASSWORD).await;
    assert_eq!(claims(&answer.field("id_token"))["sub"], "7f6a1f2e-3b0c-4a54-9d59-1f0a6d6f7a11");
}

story!(what_cannot_be_taken_over_is_refused_with_its_reason);
async fn what_cannot_be_taken_over_is_refused_with_its_reason(app: TestApp) {
    let pool = app.pool();
    let fine = imported("alice", IMPORTED[0]);
    let with = |change: fn(&mut ImportedUser)| {
        let mut draft = fine.clone();
        change(&mut draft);
        draft
    };
    let refusals = [
        (
            with(|draft| draft.username = "a\u{200b}b".to_owned()),
            "username must not contain invisible or control characters",
        ),
        (with(|draft| draft.email = Some("not an address".to_owned())), "email must be an email address in ASCII"),
        (with(|draft| draft.phone = Some("0123".to_owned())), "phone_number must be + and 1 to 15 digits"),
        (
            with(|draft| draft.password_hash = Some("5f4dcc3b5aa765d61d8327deb882cf99".to_owned())),
            "password_hash is not Argon2, bcrypt ($2a, $2b, $2y), scrypt or PBKDF2-SHA256",
        ),
        (
            with(|draft| {
                draft.password_hash = Some("$2b$31$abcdefghijklmnopqrstuuWzFRUMyAOdBIj7mBfSKmcVmYhp8zx1S".to_owned())
            }),
            "password_hash has a cost outside 4 to 14",
        ),
        // K08: what Cognate itself says can not come from outside.
        (
            with(|draft| drop(draft.attributes.insert("cognito:groups".to_owned(), "admin".to_owned()))),
            "cognito:groups is not an attribute (use custom:NAME for your own)",
        ),
        (with(|draft| draft.groups = vec!["nowhere".to_owned()]), "Group does not exist."),
    ];
    for (draft, words) in refusals {
        assert_eq!(pool.import_user(draft).await.unwrap_err().to_string(), words);
    }
    pool.import_user(fine.clone()).await.unwrap();
    assert_eq!(pool.import_user(fine).await.unwrap_err().to_string(), "User already exists");
}

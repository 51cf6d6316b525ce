//! Signing in: what the answer holds, who is let in, and that every refusal looks the same.

use std::collections::BTreeSet;

use cognate::pool::{NewGroup, NewUser};
use cognate::store::directory::UserStatus;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{PASSWORD, TestApp, claims, part, story};

const REFUSED: (u16, &str) = (401, r#"{"status":401,"message":"Incorrect username or password."}"#);

story!(a_right_password_yields_three_tokens_and_nothing_else);
async fn a_right_password_yields_three_tokens_and_nothing_else(app: TestApp) {
    let answer = app.signed_in("alice").await;
    let (id, access, refresh) = (answer.field("id_token"), answer.field("access_token"), answer.field("refresh_token"));
    let whole =
        format!(r#"{{"id_token":"{id}","access_token":"{access}","refresh_token":"{refresh}","expires_in":86400}}"#);
    assert_eq!(answer.text, whole);
    // B04
    let headers: BTreeSet<&str> = answer.headers.keys().map(|name| name.as_str()).collect();
    let expected = [
        "cache-control",
        "content-length",
        "content-type",
        "date",
        "referrer-policy",
        "vary",
        "x-content-type-options",
        "x-request-id",
    ];
    assert_eq!(headers, BTreeSet::from(expected));
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(refresh.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=.".contains(&byte)), "{refresh}");
}

story!(the_access_token_says_what_cognitos_says);
async fn the_access_token_says_what_cognitos_says(app: TestApp) {
    let access = app.signed_in("Alice").await.field("access_token");
    let said = claims(&access);
    for unique in ["sub", "origin_jti", "event_id", "jti"] {
        let id: Uuid = said[unique].as_str().unwrap().parse().unwrap();
        assert_eq!(id.get_version_num(), 4, "{unique}");
    }
    let whole = json!({
        "sub": said["sub"],
        "iss": app.pool().issuer(),
        "client_id": app.client().id,
        "origin_jti": said["origin_jti"],
        "event_id": said["event_id"],
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": 1_795_262_400,
        "exp": 1_795_348_800,
        "iat": 1_795_262_400,
        "jti": said["jti"],
        "username": "Alice",
    });
    assert_eq!(said, whole);
    let kid = &app.pool().keys()[0].kid;
    assert_eq!(part(&access, 0), json!({ "kid": kid, "alg": "RS256" }));
    assert_eq!(app.pool().issuer(), format!("{}/{}", app.url, app.pool().id()));
}

story!(the_id_token_says_who_the_user_is);
async fn the_id_token_says_who_the_user_is(app: TestApp) {
    let pool = app.pool();
    for (name, precedence) in [("staff", None), ("editors", Some(2)), ("admins", Some(1))] {
        pool.create_group(NewGroup { name: name.to_owned(), precedence, ..NewGroup::default() }).await.unwrap();
    }
    let groups = ["staff", "editors", "admins"].map(str::to_owned).to_vec();
    let imported = cognate::pool::ImportedUser {
        username: "alice".to_owned(),
        email: Some("Alice@example.test".to_owned()),
        email_verified: true,
        phone: Some("+4912345".to_owned()),
        groups,
        attributes: [("name", "Alice A."), ("address", "1 Road"), ("updated_at", "17"), ("custom:tier", "7")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..cognate::pool::ImportedUser::default()
    };
    let user = pool.import_user(imported).await.unwrap();
    pool.set_password("alice", PASSWORD, false).await.unwrap();
    let answer = app.login("alice", PASSWORD).await;
    let (said, access) = (claims(&answer.field("id_token")), claims(&answer.field("access_token")));
    let whole = json!({
        "sub": user.sub,
        "aud": app.client().id,
        "cognito:groups": ["admins", "editors", "staff"],
        "iss": pool.issuer(),
        "cognito:username": "alice",
        "origin_jti": access["origin_jti"],
        "event_id": access["event_id"],
        "token_use": "id",
        "auth_time": 1_795_262_400,
        "exp": 1_795_348_800,
        "iat": 1_795_262_400,
        "jti": said["jti"],
        "email": "Alice@example.test",
        "email_verified": true,
        "phone_number": "+4912345",
        "phone_number_verified": false,
        "name": "Alice A.",
        "address": { "formatted": "1 Road" },
        "updated_at": 17,
        "custom:tier": "7",
    });
    assert_eq!(said, whole);
    assert_ne!(said["jti"], access["jti"]);
    assert_eq!(access["cognito:groups"], json!(["admins", "editors", "staff"]));
}

// B01
story!(tokens_verify_with_another_library_and_the_published_keys);
async fn tokens_verify_with_another_library_and_the_published_keys(app: TestApp) {
    let answer = app.signed_in("alice").await;
    let jwks = app.get(&format!("/{}/.well-known/jwks.json", app.pool().id())).await;
    let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&jwks.text).unwrap();
    for token in ["access_token", "id_token"].map(|name| answer.field(name)) {
        let header = jsonwebtoken::decode_header(&token).unwrap();
        let key = jsonwebtoken::DecodingKey::from_jwk(jwks.find(&header.kid.unwrap()).unwrap()).unwrap();
        let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
        rules.set_issuer(&[app.pool().issuer()]);
        (rules.validate_exp, rules.validate_aud) = (false, false);
        let said = jsonwebtoken::decode::<Value>(&token, &key, &rules).unwrap().claims;
        assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 86_400);
    }
}

// B02, S23
story!(every_sign_in_is_a_session_of_its_own_and_tells_no_secret);
async fn every_sign_in_is_a_session_of_its_own_and_tells_no_secret(app: TestApp) {
    app.user("alice").await;
    let mut seen = BTreeSet::new();
    let mut subjects = BTreeSet::new();
    for _ in 0..6 {
        let answer = app.login("alice", PASSWORD).await;
        let (access, id) = (claims(&answer.field("access_token")), claims(&answer.field("id_token")));
        for own in [&access["jti"], &id["jti"], &access["origin_jti"], &access["event_id"]] {
            assert!(seen.insert(own.to_string()), "{own} came before");
        }
        assert!(seen.insert(answer.field("refresh_token")));
        subjects.insert(access["sub"].to_string());
        assert!(![access.to_string(), id.to_string()].iter().any(|said| said.contains(PASSWORD)));
    }
    assert_eq!(subjects.len(), 1);
}

story!(a_user_signs_in_by_name_or_verified_address_in_any_case);
async fn a_user_signs_in_by_name_or_verified_address_in_any_case(app: TestApp) {
    app.pool().create_user(NewUser::new("Zoë", PASSWORD)).await.unwrap();
    let named = NewUser { email: Some("Zoe@example.test".to_owned()), ..NewUser::new("zoe", PASSWORD) };
    app.pool().create_user(named).await.unwrap();
    for name in ["Zoë", "zoë", "ZOË", "zoe\u{308}"] {
        assert_eq!(claims(&app.login(name, PASSWORD).await.field("access_token"))["username"], "Zoë", "{name}");
    }
    for name in ["zoe", "zoe@example.test", "ZOE@EXAMPLE.TEST"] {
        assert_eq!(claims(&app.login(name, PASSWORD).await.field("access_token"))["username"], "zoe", "{name}");
    }
}

story!(an_unproven_address_is_no_login);
async fn an_unproven_address_is_no_login(app: TestApp) {
    app.user("alice").await;
    let sub = app.pool().find_user("alice").await.unwrap().sub;
    let directory = &app.api.ports.directory;
    let mut user = directory.user(app.pool().id(), sub).await.unwrap().unwrap();
    user.email_verified = false;
    directory.update_user(&user).await.unwrap();
    assert_eq!(app.login("alice@example.test", PASSWORD).await.whole(), REFUSED);
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
}

// D01
story!(every_refusal_is_the_same_answer_byte_for_byte);
async fn every_refusal_is_the_same_answer_byte_for_byte(app: TestApp) {
    let pool = app.pool();
    for name in ["wrong", "disabled", "unconfirmed", "reset", "expired"] {
        app.user(name).await;
    }
    pool.disable_user("disabled").await.unwrap();
    pool.reset_user(&app.client(), "reset").await.unwrap();
    pool.set_password("expired", PASSWORD, true).await.unwrap();
    let directory = &app.api.ports.directory;
    let mut unconfirmed = pool.find_user("unconfirmed").await.unwrap();
    unconfirmed.status = UserStatus::Unconfirmed;
    directory.update_user(&unconfirmed).await.unwrap();
    let unusable = cognate::pool::ImportedUser { username: "no-password".to_owned(), ..Default::default() };
    pool.import_user(unusable).await.unwrap();
    app.clock.advance_seconds(7 * 86_400);
    let first = app.login("wrong", "not the password").await;
    assert_eq!(first.whole(), REFUSED);
    assert_eq!(first.header("content-type"), Some("application/json"));
    for name in
        ["disabled", "unconfirmed", "reset", "expired", "no-password", "nobody", "nobody@example.test", "\u{200b}"]
    {
        assert_eq!(app.login(name, PASSWORD).await.sight(), first.sight(), "{name:?}");
    }
}

// D12
story!(no_look_alike_of_a_name_signs_in);
async fn no_look_alike_of_a_name_signs_in(app: TestApp) {
    app.user("kevin").await;
    for name in [
        "\u{ff4b}evin",
        "\u{212a}evin",
        "kev\u{131}n",
        "kev\u{456}n",
        "ke\u{200b}vin",
        "kevin\u{feff}",
        " kevin",
        "kevin ",
        "kevin\u{a0}",
        "kevin\t",
        "kevin%",
        "kevin@example.test\u{200b}",
        "kevin@example.test ",
    ] {
        assert_eq!(app.login(name, PASSWORD).await.whole(), REFUSED, "{name:?}");
    }
    assert_eq!(app.login("kevin", PASSWORD).await.status, 200);
}

// D13, S18
story!(a_password_is_compared_whole_and_byte_for_byte, |config| config.limits.account_failures = 100);
async fn a_password_is_compared_whole_and_byte_for_byte(app: TestApp) {
    let long = format!("{}é trailing", "0123456789".repeat(8));
    let unicode = "пароль — 密码 🔑 e\u{301}";
    for (name, password) in [("long", long.as_str()), ("unicode", unicode), ("spaces", "  inner  outer  ")] {
        app.pool().create_user(NewUser::new(name, password)).await.unwrap();
        assert_eq!(app.login(name, password).await.status, 200, "{name}");
        let last = password.char_indices().next_back().unwrap().0;
        let others = [
            password[..last].to_owned(),
            format!("{password} "),
            format!(" {password}"),
            password.to_uppercase(),
            password.trim().trim_end_matches('g').to_owned(),
            password.replace('é', "e\u{301}").replace("e\u{301}", "\u{e9}"),
        ];
        for other in others.iter().filter(|other| *other != password && !other.is_empty()) {
            assert_eq!(app.login(name, other).await.whole(), REFUSED, "{other:?}");
        }
    }
    // What stands behind a NUL is not ignored: nothing with a NUL is read at all.
    for (name, password) in [("long", format!("{long}\0")), ("long\0", long.clone())] {
        assert_eq!(app.login(name, &password).await.status, 422);
    }
    // Byte 73 and everything after it counts.
    let other_tail = format!("{}X{}", &long[..72], &long[73..]);
    assert_eq!(app.login("long", &other_tail).await.whole(), REFUSED);
}

// D14
story!(fields_that_nobody_asked_for_change_nothing);
async fn fields_that_nobody_asked_for_change_nothing(app: TestApp) {
    app.user("alice").await;
    let body = json!({
        "username": "alice", "password": PASSWORD, "groups": ["admin"], "cognito:groups": ["admin"], "scope": "all",
        "sub": Uuid::nil(), "client_id": "other", "email_verified": false, "expires_in": 1, "is_admin": true,
    });
    let answer = app.post("/v1/login", body).await;
    let said = claims(&answer.field("access_token"));
    assert_eq!(answer.json()["expires_in"], 86_400);
    assert_eq!((&said["cognito:groups"], &said["is_admin"]), (&Value::Null, &Value::Null));
    assert_eq!(said["scope"], "aws.cognito.signin.user.admin");
    assert_eq!(said["client_id"], app.client().id);
}

// S25, D17
story!(a_fresh_deployment_has_one_way_in_that_is_shown_once);
async fn a_fresh_deployment_has_one_way_in_that_is_shown_once(app: TestApp) {
    let known = ["admin", "Admin123", "admin123", "password", "cognate", "changeme"];
    for password in known {
        assert_eq!(app.login("admin", password).await.whole(), REFUSED);
        app.clock.advance_seconds(900);
    }
    let admin = app.api.pools.first_admin().await.unwrap().unwrap();
    assert_eq!(admin.username, "admin");
    for replica in app.replicas() {
        assert!(replica.api.pools.first_admin().await.unwrap().is_none());
    }
    for password in known {
        assert_eq!(app.login("admin", password).await.whole(), REFUSED);
        app.clock.advance_seconds(900);
    }
    let asked = app.login("admin", &admin.temporary_password).await;
    assert_eq!(asked.field("challenge_name"), "NEW_PASSWORD_REQUIRED");
    let tokens = app.new_password("admin", &asked.field("session"), PASSWORD).await;
    assert_eq!(claims(&tokens.field("access_token"))["cognito:groups"], json!(["admin"]));
    assert_eq!(app.login("admin", &admin.temporary_password).await.whole(), REFUSED);
    app.pool().delete_user("admin").await.unwrap();
    assert!(app.api.pools.first_admin().await.unwrap().is_none(), "one who was deleted is not made again");
}

// S20
story!(passwords_rest_as_argon2id_and_follow_the_settings_at_the_next_sign_in);
async fn passwords_rest_as_argon2id_and_follow_the_settings_at_the_next_sign_in(app: TestApp) {
    app.user("alice").await;
    let stored = || async { app.pool().find_user("alice").await.unwrap().password.unwrap() };
    assert!(stored().await.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
    let dearer = {
        let mut config = app.config.clone();
        (config.password.memory_kib, config.password.iterations) = (16, 2);
        config
    };
    let replica = app.replica_with(dearer).await;
    assert_eq!(replica.login("alice", "not the password").await.status, 401);
    assert!(stored().await.starts_with("$argon2id$v=19$m=8,"), "a wrong password renews nothing");
    assert_eq!(replica.login("alice", PASSWORD).await.status, 200);
    assert!(stored().await.starts_with("$argon2id$v=19$m=16,t=2,p=1$"));
    assert_eq!(replica.login("alice", PASSWORD).await.status, 200);
}

#[test]
fn the_default_cost_is_nineteen_mebibytes_and_two_passes() {
    let settings = cognate::config::Password::default();
    assert_eq!((settings.memory_kib, settings.iterations, settings.parallelism), (19_456, 2, 1));
}

//! Names and passwords: who is meant, and what proves it.

use cognate::config::Ldap;
use cognate::pool::{NewExternalUser, NewGroup, NewUser};
use cognate::store::directory::UserStatus;

use super::{app, app_on, outcome, register, sign_in, tokens};
use crate::app::{Deployment, PASSWORD, claims};
use crate::servers::directory::Impostor;
use crate::servers::slapd::Slapd;

async fn story(deployment: Deployment) {
    let app = app_on(deployment, Slapd::shared().await.settings_with_service()).await;
    let registered = register(&app, r"corp\alice").await.unwrap();
    assert_eq!(registered.username, r"CORP\alice");
    assert_eq!((registered.status, registered.password), (UserStatus::ExternalProvider, None));
    for name in [r"CORP\alice", r"corp\ALICE", "alice", "alice@corp.example.test", "ALICE@CORP.example.test"] {
        let user = sign_in(&app, name, "alice's word").await.unwrap();
        assert_eq!(user.sub, registered.sub, "{name}");
    }
    let user = app.pool().find_user(r"CORP\alice").await.unwrap();
    assert_eq!(user.external_id.as_deref(), Some("01010101010101010101010101010101"));
    let attribute = |name: &str| user.attributes.get(name).map(String::as_str);
    assert_eq!(
        (attribute("given_name"), attribute("family_name"), attribute("name")),
        (Some("Alice"), Some("Example"), Some("Alice A. Example"))
    );
    assert_eq!((user.email.as_deref(), user.email_verified), (Some("alice@corp.example.test"), true));
    let tokens = tokens(&app, "alice", "alice's word").await;
    assert!(app.accepts(&tokens.access_token).await);
    let claims = claims(&tokens.access_token);
    assert_eq!((&claims["username"], &claims["cognito:groups"][0]), (&r"CORP\alice".into(), &"sales".into()));
    let metrics = app.get("/metrics").await.text;
    assert!(metrics.contains("cognate_ldap_requests_total{result=\"right\"}"), "{metrics}");
}

#[tokio::test]
async fn a_person_of_the_directory_signs_in_under_every_way_to_write_his_name() {
    story(Deployment::Embedded).await;
}

#[tokio::test]
async fn a_person_of_the_directory_signs_in_under_every_way_to_write_his_name_on_postgres_and_redis() {
    story(Deployment::PostgresAndRedis).await;
}

/// Both ways to a proof, each with somebody who can be bound that way.
async fn ways() -> [(Ldap, &'static str); 2] {
    let slapd = Slapd::shared().await;
    [(slapd.settings_with_service(), "alice"), (slapd.settings_directly(), "carol")]
}

// P11
#[tokio::test]
async fn nothing_but_his_password_is_a_persons_password() {
    for (settings, name) in ways().await {
        let app = app(settings).await;
        register(&app, name).await.unwrap();
        let right = format!("{name}'s word");
        assert_eq!(outcome(&sign_in(&app, name, &right).await), "signed in");
        for password in [
            String::new(),
            " ".to_owned(),
            "\0".to_owned(),
            format!("{right}\0"),
            format!("\0{right}"),
            format!("{right}\n"),
            right.to_uppercase(),
            format!("{right} "),
            right[..3].to_owned(),
            "*".to_owned(),
            "service word".to_owned(),
            "x".repeat(100_000),
        ] {
            assert_eq!(outcome(&sign_in(&app, name, &password).await), "not_authorized", "{password:.20?}");
        }
    }
}

// P11, D11
#[tokio::test]
async fn a_name_that_means_something_to_ldap_means_nobody() {
    for (settings, name) in ways().await {
        let app = app(settings).await;
        register(&app, name).await.unwrap();
        let word = format!("{name}'s word");
        for typed in [
            "".to_owned(),
            "*".to_owned(),
            r"CORP\*".to_owned(),
            format!("{}*", &name[..3]),
            format!("{name})(objectClass=*"),
            format!("{name})(|(cn=*"),
            ")(".to_owned(),
            "*)(|(sAMAccountName=*)".to_owned(),
            format!("{name}\0"),
            format!("{name}\\00"),
            format!(r"CORP\{name}\2a"),
            format!("{name},ou=people,dc=corp,dc=example,dc=test"),
            format!("{name}+cn=x"),
            format!("sAMAccountName={name}"),
            format!(" {name}"),
            format!("{name}\n"),
            format!(r"OTHER\{name}"),
            format!("{name}@other.test"),
            "' OR 1=1 --".to_owned(),
            "${jndi:ldap://127.0.0.1/x}".to_owned(),
            "x".repeat(100_000),
        ] {
            for password in [word.as_str(), ""] {
                assert_eq!(outcome(&sign_in(&app, &typed, password).await), "not_authorized", "{typed:.60?}");
            }
        }
    }
}

// P11
#[tokio::test]
async fn an_empty_password_never_reaches_the_directory() {
    let impostor = Impostor::start(b"");
    let url = format!("ldaps://127.0.0.1:{}", impostor.port).parse().unwrap();
    let slapd = Slapd::shared().await;
    let app = app(Ldap { url: Some(url), ..slapd.settings_directly() }).await;
    register(&app, "carol").await.unwrap();
    for password in ["", "\0", "a\0", "\t"] {
        assert_eq!(outcome(&sign_in(&app, "carol", password).await), "not_authorized");
    }
    assert_eq!(impostor.callers(), 0);
}

#[tokio::test]
async fn a_name_full_of_punctuation_is_a_name() {
    let app = app(Slapd::shared().await.settings_with_service()).await;
    for name in ["o'neil, (ann) *", "a+b=\"c\""] {
        register(&app, name).await.unwrap();
        let wrong = sign_in(&app, name, "a guess").await;
        assert_eq!(
            (outcome(&wrong), outcome(&sign_in(&app, name, &format!("{name}'s word")).await)),
            ("not_authorized", "signed in")
        );
    }
}

#[tokio::test]
async fn only_who_was_registered_signs_in() {
    for (settings, name) in ways().await {
        let app = app(settings).await;
        assert_eq!(outcome(&sign_in(&app, name, &format!("{name}'s word")).await), "not_authorized");
        // A user of the pool's own is not a person of the directory, whatever he is called.
        app.pool().create_user(NewUser::new(&format!(r"CORP\{name}"), PASSWORD)).await.unwrap();
        for password in [PASSWORD.to_owned(), format!("{name}'s word")] {
            assert_eq!(outcome(&sign_in(&app, name, &password).await), "not_authorized");
        }
    }
}

#[tokio::test]
async fn only_people_of_the_directory_are_registered() {
    let app = app(Slapd::shared().await.settings_with_service()).await;
    for nobody in ["ghost", r"OTHER\alice", r"CORP\", "", "*", "alice@other.test", "Sales"] {
        assert_eq!(outcome(&register(&app, nobody).await), "user_not_found", "{nobody}");
    }
    register(&app, "alice").await.unwrap();
    assert_eq!(outcome(&register(&app, r"corp\Alice").await), "user_exists");
    let register = |name: &str, email: &str, group: &str| {
        let (name, email, groups) = (name.to_owned(), Some(email.to_owned()), vec![group.to_owned()]);
        let pool = app.pool();
        async move { outcome(&pool.register_external_user(NewExternalUser { name, email, groups }).await) }
    };
    assert_eq!(register("bob", "no address", "admin").await, "invalid_parameter");
    assert_eq!(register("bob", "bob@example.test", "ghosts").await, "not_found");
    let staff = NewGroup { name: "staff".to_owned(), ..NewGroup::default() };
    app.pool().create_group(staff).await.unwrap();
    assert_eq!(register("bob", "bob@example.test", "staff").await, "signed in");
    let bob = sign_in(&app, "bob@example.test", "bob's word").await.unwrap();
    assert_eq!((bob.username.as_str(), bob.email_verified), (r"CORP\bob", true));
}

#[tokio::test]
async fn without_a_directory_nobody_signs_in_from_it() {
    let app = app(Ldap::default()).await;
    assert_eq!(outcome(&register(&app, r"CORP\alice").await), "not_configured");
    let refused = sign_in(&app, r"CORP\alice", "alice's word").await.unwrap_err();
    assert_eq!(refused.to_string(), "Active Directory is not configured");
}

#[tokio::test]
async fn a_person_of_the_directory_has_no_password_here() {
    let app = app(Slapd::shared().await.settings_with_service()).await;
    register(&app, "alice").await.unwrap();
    sign_in(&app, "alice", "alice's word").await.unwrap();
    let (pool, client) = (app.pool(), app.client());
    let set = pool.set_password("alice@corp.example.test", PASSWORD, false).await.unwrap_err();
    assert_eq!(set.label(), "reset_not_allowed");
    assert_eq!(pool.reset_user(&client, r"CORP\alice").await.unwrap_err().label(), "reset_not_allowed");
    assert_eq!(pool.generate_password(r"CORP\alice").await.unwrap_err().label(), "reset_not_allowed");
    assert_eq!(app.forgot("alice@corp.example.test").await.status, 204);
    assert_eq!(app.mails().await.len(), 0);
    for password in ["alice's word", "", PASSWORD] {
        assert_eq!(app.login(r"CORP\alice", password).await.status, if password.is_empty() { 422 } else { 401 });
    }
    let tokens = tokens(&app, "alice", "alice's word").await;
    let changed = app.change_password(&tokens.access_token, "alice's word", "another long password").await;
    assert_eq!(changed.status, 401);
}

#[tokio::test]
async fn a_disabled_user_of_the_directory_gets_no_tokens() {
    let app = app(Slapd::shared().await.settings_with_service()).await;
    register(&app, "alice").await.unwrap();
    let tokens = tokens(&app, "alice", "alice's word").await;
    app.pool().disable_user(r"CORP\alice").await.unwrap();
    assert!(!app.accepts(&tokens.access_token).await);
    let proven = app.pool().prove_external(&app.client(), "alice", "alice's word", super::SOURCE).await.unwrap();
    let client = app.client();
    let Err(refused) = app.pool().next_step((&client).into(), &proven).await else { panic!("he is disabled") };
    assert_eq!(refused.label(), "user_disabled");
}

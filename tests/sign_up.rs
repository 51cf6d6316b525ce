//! Signing up: an unconfirmed user, a mailed link, and what neither tells nor takes away.

mod invitation;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cognate::error::{Error, Kind};
use cognate::pool::{Client, ImportedUser, Joins, LinkTo, NewUser, Pool, SignUp};
use cognate::store::directory::UserStatus;
use cognate::store::organization::Role;

use crate::app::{PASSWORD, START, TestApp, story, token_in};

const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const DAY: Duration = Duration::from_secs(24 * 3600);
const ANN: &str = "Ann@example.test";

fn link(client: &Client) -> LinkTo<'_> {
    LinkTo { client, page: Some("https://acme.test/account/verify/?token="), life: DAY }
}

fn draft<'a>(email: &'a str, organization: &'a str) -> SignUp<'a> {
    let joins = Joins::NewOrganization(organization);
    SignUp { email, password: PASSWORD, given_name: "Ann", family_name: "O'Neil", joins }
}

async fn sign_up(app: &TestApp, email: &str, organization: &str) -> Result<i64, Error> {
    app.pool().sign_up(&link(&app.client()), draft(email, organization), SOURCE).await
}

/// Confirms at the replica that did not register.
async fn confirm(app: &TestApp, token: &str) -> Result<String, Error> {
    let other = app.replicas().last().unwrap().pool();
    other.confirm_sign_up(&app.client(), token).await.map(|user| user.username)
}

async fn organizations(app: &TestApp, pool: &Pool, name: &str) -> Vec<(String, Role)> {
    let sub = pool.find_user(name).await.unwrap().sub;
    let found = app.api.ports.directory.memberships(pool.id(), sub).await.unwrap();
    found.into_iter().map(|membership| (membership.organization.name, membership.role)).collect()
}

// P13
story!(a_registration_is_confirmed_by_the_mailed_link_as_often_as_it_is_opened);
async fn a_registration_is_confirmed_by_the_mailed_link_as_often_as_it_is_opened(app: TestApp) {
    let pool = app.pool();
    let id = sign_up(&app, ANN, "Acme Ltd").await.unwrap();
    let user = pool.find_user("ann@example.test").await.unwrap();
    assert_eq!((pool.public_id(&user), user.status, user.email_verified), (id, UserStatus::Unconfirmed, false));
    assert_eq!((user.username.as_str(), user.email.as_deref()), (ANN, Some(ANN)));
    let names = user.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>();
    assert_eq!(names, [("family_name", "O'Neil"), ("given_name", "Ann")]);
    assert_eq!(organizations(&app, &pool, ANN).await, [("Acme Ltd".to_owned(), Role::Admin)]);
    assert_eq!(app.login(ANN, PASSWORD).await.status, 401, "not before it is confirmed");
    let mail = app.mail().await;
    assert!(mail.contains("To: Ann@example.test\r\n") && mail.contains("Hello Ann@example.test,"), "{mail}");
    let token = token_in(&mail).unwrap();
    assert!(mail.contains(&format!("https://acme.test/account/verify/?token={token}\r\n")), "{mail}");
    for _ in 0..3 {
        assert_eq!(confirm(&app, &token).await.unwrap(), ANN);
    }
    let user = pool.find_user("ann@example.test").await.unwrap();
    assert_eq!((user.status, user.email_verified), (UserStatus::Confirmed, true));
    assert_eq!(app.login("ann@example.test", PASSWORD).await.status, 200);
    app.clock.advance(DAY);
    assert!(matches!(confirm(&app, &token).await, Err(Error::LinkInvalid)));
}

// D01: nobody but the owner of the address is told whether it was free, not even by what others may call theirs.
story!(an_organizations_name_does_not_tell_whether_the_address_it_was_asked_with_was_free);
async fn an_organizations_name_does_not_tell_whether_the_address_it_was_asked_with_was_free(app: TestApp) {
    app.user("bob").await;
    for asked in ["bob@example.test", "nobody@example.test"] {
        let third = format!("eve.{asked}");
        let name = format!("Company of {asked}");
        let other = format!("Another of {asked}");
        let taken = |outcome| matches!(outcome, Err(Error::Exists(Kind::Organization)));
        sign_up(&app, asked, &name).await.unwrap();
        assert!(taken(sign_up(&app, &third, &name).await), "{asked}");
        sign_up(&app, asked, &name).await.unwrap();
        sign_up(&app, asked, &other).await.unwrap();
        sign_up(&app, &third, &name).await.unwrap();
        assert!(taken(sign_up(&app, asked, &name).await), "{asked}");
        assert!(taken(sign_up(&app, &third, &other).await), "{asked}");
    }
    assert_eq!(organizations(&app, &app.pool(), "bob").await, [], "nothing was done in his name");
    app.pool().delete_user("bob").await.unwrap();
    sign_up(&app, "fay@example.test", "Another of bob@example.test").await.unwrap();
}

// D01, D20: whoever registers an address knows a password, and what he was refused before.
story!(neither_signing_in_nor_the_throttle_tells_whether_a_registered_address_was_free);
async fn neither_signing_in_nor_the_throttle_tells_whether_a_registered_address_was_free(app: TestApp) {
    app.user("bob").await;
    let mut seen = Vec::new();
    for asked in ["bob@example.test", "nobody@example.test"] {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(app.login(asked, "a guess").await.status);
        }
        for _ in 0..6 {
            statuses.push(app.forgot(asked).await.status);
        }
        let squatted = SignUp { password: "the squatter's own", ..draft(asked, asked) };
        let id = app.pool().sign_up(&link(&app.client()), squatted, SOURCE).await.unwrap();
        statuses.push(app.forgot(asked).await.status);
        for _ in 0..2 {
            statuses.push(app.login(asked, "the squatter's own").await.status);
            app.clock.advance_seconds(1);
            let body = serde_json::json!({ "user": asked, "password": "the squatter's own" });
            statuses.push(app.post("/api/account/login", body).await.status);
            let body = serde_json::json!({ "email": asked, "password": "the squatter's own" });
            statuses.push(app.post("/api/account/login", body).await.status);
            let secret = app.pool().authenticate_credential(&id.to_string(), "a guess", SOURCE).await;
            assert!(matches!(secret, Err(Error::NotAuthorized)));
        }
        seen.push(statuses);
    }
    let locked = [429, 401, 429, 429, 429, 429];
    assert_eq!(seen[0], [[401; 5].as_slice(), &[204; 5], &[429, 429], &locked].concat());
    assert_eq!(seen[1], seen[0]);
}

// K09
story!(nobody_keeps_an_administrator_from_making_a_user_by_registering_first);
async fn nobody_keeps_an_administrator_from_making_a_user_by_registering_first(app: TestApp) {
    let pool = app.pool();
    sign_up(&app, "newhire@example.test", "Squatters").await.unwrap();
    let of_the_squatter = app.mailed_token().await;
    let draft = || NewUser { email: Some("newhire@example.test".to_owned()), ..NewUser::new("newhire", PASSWORD) };
    let made = pool.create_user(draft()).await.unwrap();
    assert!(confirm(&app, &of_the_squatter).await.is_err());
    assert_eq!(pool.find_user("newhire@example.test").await.unwrap().sub, made.sub);
    sign_up(&app, "other@example.test", "Squatters").await.unwrap();
    assert!(matches!(pool.create_user(draft()).await, Err(Error::UserExists)), "a user that was made stays");
}

// P07
story!(only_the_mailed_link_confirms_and_only_for_its_client_and_its_day);
async fn only_the_mailed_link_confirms_and_only_for_its_client_and_its_day(app: TestApp) {
    let pool = app.pool();
    app.user("bob").await;
    let signed_in = app.login("bob", PASSWORD).await;
    pool.forgot_password_link(&link(&app.client()), "bob", SOURCE).await.unwrap();
    let of_a_reset = app.mailed_token().await;
    sign_up(&app, ANN, "Acme").await.unwrap();
    let token = app.mailed_token().await;
    let refused = [
        String::new(),
        "garbage".to_owned(),
        "A".repeat(43),
        format!("{token}A"),
        token.to_lowercase(),
        token[..42].to_owned(),
        "\u{0}".to_owned(),
        "é".repeat(5_000),
        of_a_reset,
        signed_in.field("access_token"),
        signed_in.field("refresh_token"),
    ];
    for wrong in refused {
        assert!(matches!(confirm(&app, &wrong).await, Err(Error::LinkInvalid)), "{wrong}");
    }
    let other = Client { id: "another".to_owned(), ..app.client() };
    assert!(matches!(pool.confirm_sign_up(&other, &token).await, Err(Error::LinkInvalid)));
    let as_reset = pool.reset_password_link(&app.client(), None, &token, "another long password", SOURCE).await;
    assert!(matches!(as_reset, Err(Error::LinkInvalid)), "a link that confirms resets no password");
    app.clock.advance(DAY - Duration::from_millis(1));
    assert_eq!(confirm(&app, &token).await.unwrap(), ANN);

    sign_up(&app, "late@example.test", "Late").await.unwrap();
    let late = app.mailed_token().await;
    app.clock.advance(DAY);
    assert!(matches!(confirm(&app, &late).await, Err(Error::LinkInvalid)));
}

// E01, E05
story!(an_address_that_is_a_users_is_answered_alike_and_its_owner_is_told);
async fn an_address_that_is_a_users_is_answered_alike_and_its_owner_is_told(app: TestApp) {
    let pool = app.pool();
    app.user("bob").await;
    let bob = pool.find_user("bob").await.unwrap();
    let id = sign_up(&app, "BOB@example.test", "Robbers").await.unwrap();
    assert_eq!((id, pool.find_user("bob").await.unwrap()), (pool.public_id(&bob), bob));
    let mail = app.mail().await;
    assert!(mail.contains("To: BOB@example.test\r\n") && mail.contains("belongs to one already: bob"), "{mail}");
    assert_eq!(token_in(&mail), None);
    let name = app.api.ports.directory.organization_by_name(pool.id(), "robbers").await.unwrap().unwrap();
    assert!(pool.members(name.id).await.unwrap().is_empty(), "the name is taken, and nobody has it");

    // Neither does asking again and again tell them apart: the id stays, and mails are counted alike.
    app.clock.advance(DAY);
    for address in ["bob@example.test", "ghost@example.test"] {
        let name = format!("Robbers of {address}");
        let first = sign_up(&app, address, &name).await.unwrap();
        for _ in 1..5 {
            assert_eq!(sign_up(&app, address, &name).await.unwrap(), first, "{address}");
        }
        let refused = sign_up(&app, address, &name).await;
        let Err(Error::TooManyRequests { retry_after }) = refused else { panic!("{address}: {refused:?}") };
        assert_eq!(retry_after, Duration::from_secs(60), "{address}");
    }
    assert_eq!(app.mails().await.len(), 10);
}

story!(a_pool_may_say_whose_address_it_is);
async fn a_pool_may_say_whose_address_it_is(app: TestApp) {
    app.user("bob").await;
    app.change_pool(|pool| pool.hide_user_existence = false).await;
    assert!(matches!(sign_up(&app, "bob@example.test", "Acme").await, Err(Error::UserExists)));
    assert!(app.mails().await.is_empty());
    sign_up(&app, ANN, "Acme").await.unwrap();
    confirm(&app, &app.mailed_token().await).await.unwrap();
    assert!(matches!(sign_up(&app, ANN, "Other").await, Err(Error::UserExists)));
}

// P13: who registers an address first has not got it.
story!(an_unconfirmed_registration_gives_way_and_its_link_dies_with_it);
async fn an_unconfirmed_registration_gives_way_and_its_link_dies_with_it(app: TestApp) {
    let squatted = SignUp { password: "the squatter's own", ..draft(ANN, "Acme") };
    let id = app.pool().sign_up(&link(&app.client()), squatted, SOURCE).await.unwrap();
    let of_the_squatter = app.mailed_token().await;
    assert_eq!(sign_up(&app, "ann@EXAMPLE.test", "acme").await.unwrap(), id, "nothing tells the second from the first");
    let of_the_owner = app.mailed_token().await;
    assert!(matches!(confirm(&app, &of_the_squatter).await, Err(Error::UserNotFound)));
    assert_eq!(app.login(ANN, PASSWORD).await.status, 401);
    assert_eq!(confirm(&app, &of_the_owner).await.unwrap(), "ann@EXAMPLE.test");
    assert!(matches!(confirm(&app, &of_the_squatter).await, Err(Error::UserNotFound)));
    assert_eq!(app.login(ANN, "the squatter's own").await.status, 401);
    assert_eq!(app.login(ANN, PASSWORD).await.status, 200);
    assert_eq!(organizations(&app, &app.pool(), ANN).await, [("acme".to_owned(), Role::Admin)]);
}

story!(two_registrations_at_once_leave_one_that_its_own_link_confirms);
async fn two_registrations_at_once_leave_one_that_its_own_link_confirms(app: TestApp) {
    let (one, other) = (app.pool(), app.replicas().last().unwrap().pool());
    let client = app.client();
    let to = link(&client);
    let first = one.sign_up(&to, draft(ANN, "One"), SOURCE);
    let second = other.sign_up(&to, draft(ANN, "Other"), SOURCE);
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.unwrap(), second.unwrap());
    let mut confirmed = 0;
    for mail in app.mails().await {
        let token = token_in(&mail.replace("=\r\n", "").replace("=3D", "=")).unwrap();
        match confirm(&app, &token).await {
            Ok(_) => confirmed += 1,
            Err(error) => assert!(matches!(error, Error::UserNotFound), "{error}"),
        }
    }
    assert_eq!((confirmed, organizations(&app, &one, ANN).await.len()), (1, 1));
}

// D12: an address nobody has proven takes no login away, and gives none.
story!(an_unproven_address_takes_no_login_away);
async fn an_unproven_address_takes_no_login_away(app: TestApp) {
    let pool = app.pool();
    app.user("bob").await;
    let hash = pool.find_user("bob").await.unwrap().password;
    let unproven = ImportedUser {
        username: "carol".to_owned(),
        email: Some("carol@example.test".to_owned()),
        password_hash: hash,
        ..ImportedUser::default()
    };
    pool.import_users(vec![unproven]).await.unwrap().remove(0).unwrap();

    sign_up(&app, "bob@example.test", "Robbers").await.unwrap();
    assert_eq!(app.login("bob@example.test", PASSWORD).await.status, 200, "a proven address stays his");
    app.mails().await;
    sign_up(&app, "carol@example.test", "Carol's").await.unwrap();
    let token = app.mailed_token().await;
    assert_eq!(app.login("carol@example.test", PASSWORD).await.status, 401, "an unproven one is nobody's login");
    assert_eq!(app.login("carol", PASSWORD).await.status, 200, "her name is hers");

    // Carol proves it first, so that the registration gives way.
    let carol = pool.find_user("carol").await.unwrap();
    pool.send_email_confirmation(&link(&app.client()), &carol).await.unwrap();
    let of_carol = app.mailed_token().await;
    let proven = pool.confirm_email(&app.client(), "carol@example.test", &of_carol).await.unwrap();
    assert!(proven.email_verified && proven.sub == carol.sub);
    assert!(matches!(confirm(&app, &token).await, Err(Error::UserNotFound)));
    assert_eq!(app.login("carol@example.test", PASSWORD).await.status, 200);
    let name = app.api.ports.directory.organization_by_name(pool.id(), "carol's").await.unwrap();
    assert_eq!(name, None, "and its organization with it");
}

story!(what_is_registered_has_names_and_a_password_of_its_own);
async fn what_is_registered_has_names_and_a_password_of_its_own(app: TestApp) {
    let long = "x".repeat(129);
    let long_address = format!("{}@{}.test", "a".repeat(64), "b".repeat(63));
    let good = || draft(ANN, "Acme");
    let refused = [
        ("email", SignUp { email: "ann", ..good() }),
        ("email", SignUp { email: "ann@example.test\r\nBcc: eve@evil.test", ..good() }),
        ("email", SignUp { email: &long_address, ..good() }),
        ("given_name", SignUp { given_name: " ", ..good() }),
        ("given_name", SignUp { given_name: "Ann\nO", ..good() }),
        ("given_name", SignUp { given_name: "Ann\0", ..good() }),
        ("family_name", SignUp { family_name: &long, ..good() }),
        ("family_name", SignUp { family_name: "", ..good() }),
        ("organization", draft(ANN, "")),
        ("organization", draft(ANN, "Acme\u{202e}")),
        ("organization", draft(ANN, "Acme ")),
        ("organization", draft(ANN, &long)),
    ];
    let client = app.client();
    // More than the mails that one address gets in a row, so the clock moves on.
    for (wrong, draft) in refused {
        app.clock.advance(DAY);
        let refusal = app.pool().sign_up(&link(&client), draft, SOURCE).await;
        let Err(Error::InvalidParameter { field, .. }) = refusal else { panic!("{wrong}: {refusal:?}") };
        assert_eq!(field, wrong);
    }
    for weak in ["short", "password1", "ann@example.test", "Ann-1234567"] {
        let refusal = app.pool().sign_up(&link(&client), SignUp { password: weak, ..good() }, SOURCE).await;
        assert!(matches!(refusal, Err(Error::InvalidPassword(_))), "{weak}: {refusal:?}");
    }
    assert!(app.mails().await.is_empty());
    let named =
        SignUp { given_name: " Zoe\u{308} ", family_name: "می\u{200c}خواهم", ..draft(ANN, "E\u{301}cole") };
    app.pool().sign_up(&link(&client), named, SOURCE).await.unwrap();
    let user = app.pool().find_user(ANN).await.unwrap();
    assert_eq!((user.attributes["given_name"].as_str(), user.created_at > START), ("Zoë", true));
    assert_eq!(organizations(&app, &app.pool(), ANN).await, [("École".to_owned(), Role::Admin)]);
}

story!(the_name_of_an_organization_is_one_organizations_whoever_asks_for_it);
async fn the_name_of_an_organization_is_one_organizations_whoever_asks_for_it(app: TestApp) {
    app.user("bob").await;
    app.pool().create_user(NewUser::new("no-address", PASSWORD)).await.unwrap();
    sign_up(&app, ANN, "Acme").await.unwrap();
    app.mails().await;
    for address in ["bob@example.test", "ghost@example.test"] {
        let refusal = sign_up(&app, address, "ACME").await;
        assert!(matches!(refusal, Err(Error::Exists(Kind::Organization))), "{address}: {refusal:?}");
    }
    assert!(app.mails().await.is_empty());
    assert!(app.pool().find_user("ghost@example.test").await.is_err(), "a refusal makes nobody");
}

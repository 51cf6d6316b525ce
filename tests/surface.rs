//! Surfaces: each API speaks for a client of its own on terms of its own, and all of them know the same users.

use std::net::{IpAddr, Ipv4Addr};

use cognate::config::AccountApi;
use cognate::error::Error;
use cognate::pool::{Client, Surface, Terms, Tokens};

use crate::app::{PASSWORD, TestApp, claims, story};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const DAY: u64 = 24 * 3600;

fn client(app: &TestApp, surface: Surface) -> Client {
    app.api.pools.surface(surface).unwrap().1
}

async fn sign_in(app: &TestApp, terms: Terms<'_>) -> Tokens {
    let pool = app.pool();
    let user = pool.prove(terms, "alice", PASSWORD, HERE).await.unwrap();
    pool.tokens_at_once(terms, &user).await.unwrap()
}

/// How it ended: `ok`, or the refusal's name.
fn outcome<T>(outcome: Result<T, Error>) -> &'static str {
    outcome.map_or_else(|error| error.label(), |_| "ok")
}

story!(each_surface_has_a_client_of_its_own_that_every_replica_knows);
async fn each_surface_has_a_client_of_its_own_that_every_replica_knows(app: TestApp) {
    let ids = Surface::ALL.map(|surface| client(&app, surface).id);
    let mut different = ids.to_vec();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 4);
    assert!(ids.iter().all(|id| id.len() == 26 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z'))));
    let later = app.replica().await;
    for replica in app.replicas().chain([&later]) {
        assert_eq!(Surface::ALL.map(|surface| client(replica, surface).id), ids);
    }
    later.reload().await;
    let names: Vec<_> = later.pool().clients().iter().map(|client| client.name.clone()).collect();
    assert_eq!(names, ["amadis", "astera", "default", "pm415"], "made once");
}

#[tokio::test]
async fn a_surface_that_is_off_gets_no_client_until_it_is_on() {
    let app = TestApp::start_with(|config| {
        config.compat.account = AccountApi::Pm415;
        config.compat.amadis = false;
    })
    .await;
    let names = |app: &TestApp| app.pool().clients().iter().map(|client| client.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&app), ["default", "pm415"]);
    assert!(matches!(app.api.pools.surface(Surface::Astera), Err(Error::Unavailable { .. })));
    let mut config = app.config.clone();
    config.compat.account = AccountApi::Auto;
    assert_eq!(names(&app.replica_with(config).await), ["astera", "default", "pm415"]);
}

story!(settings_say_how_long_the_tokens_of_a_surface_live_whatever_the_client_says, |config| {
    config.astera.access_token = cognate::config::Period::minutes(5);
    config.astera.refresh_token = cognate::config::Period::hours(2);
});
async fn settings_say_how_long_the_tokens_of_a_surface_live_whatever_the_client_says(app: TestApp) {
    app.user("alice").await;
    let astera = client(&app, Surface::Astera);
    assert_eq!((astera.access_token_seconds, astera.refresh_token_seconds), (300, 7200));
    let change = |client: &mut Client| {
        client.access_token_seconds = DAY;
        client.refresh_token_seconds = 90 * DAY;
    };
    app.api.pools.update_client(&app.pool(), &astera.id, change).await.unwrap();
    app.reload().await;
    let astera = client(&app, Surface::Astera);
    let tokens = sign_in(&app, Terms::from(&astera)).await;
    let said = claims(&tokens.access_token);
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 300);
    assert_eq!((tokens.expires_in, said["client_id"].as_str().unwrap()), (300, astera.id.as_str()));
    let refresh = tokens.refresh_token.unwrap();
    app.clock.advance_seconds(7199);
    assert_eq!(outcome(app.pool().refresh(Terms::from(&astera), None, &refresh, 0).await), "ok");
    app.clock.advance_seconds(1);
    assert_eq!(outcome(app.pool().refresh(Terms::from(&astera), None, &refresh, 0).await), "token_revoked");
    let lives = [Surface::Pm415, Surface::Amadis].map(|surface| client(&app, surface).access_token_seconds);
    assert_eq!(lives, [7 * DAY, 3600]);
}

story!(a_session_that_can_not_be_refreshed_ends_with_its_access_token);
async fn a_session_that_can_not_be_refreshed_ends_with_its_access_token(app: TestApp) {
    app.user("alice").await;
    let pm415 = client(&app, Surface::Pm415);
    let tokens = sign_in(&app, Terms { refreshable: false, ..Terms::from(&pm415) }).await;
    assert!(tokens.refresh_token.is_none());
    let alice = app.pool().find_user("alice").await.unwrap();
    let sessions = app.pool().sessions_of(&alice).await.unwrap();
    assert_eq!(
        sessions[0].expires_at.until(app.pool().find_user("alice").await.unwrap().created_at).as_secs(),
        7 * DAY
    );
    app.clock.advance_seconds(7 * DAY - 1);
    assert!(app.accepts(&tokens.access_token).await);
    app.clock.advance_seconds(1);
    assert!(!app.accepts(&tokens.access_token).await);
    assert!(app.pool().sessions_of(&alice).await.unwrap().is_empty());
}

// S09
story!(a_refresh_token_works_only_on_the_terms_it_was_given_on);
async fn a_refresh_token_works_only_on_the_terms_it_was_given_on(app: TestApp) {
    app.user("alice").await;
    let (amadis, astera) = (client(&app, Surface::Amadis), client(&app, Surface::Astera));
    let nobody = Terms::from(&amadis);
    let (one, other) = (Terms { bound_to: "7", ..nobody }, Terms { bound_to: "8", ..nobody });
    let bound = sign_in(&app, one).await.refresh_token.unwrap();
    let free = sign_in(&app, nobody).await.refresh_token.unwrap();
    for (terms, token) in [
        (other, &bound),
        (nobody, &bound),
        (Terms { bound_to: "7", ..Terms::from(&astera) }, &bound),
        (one, &free),
        (Terms::from(&astera), &free),
    ] {
        assert_eq!(outcome(app.pool().refresh(terms, None, token, 0).await), "token_invalid");
        assert_eq!(outcome(app.pool().revoke(terms, token).await), "token_invalid");
    }
    for (terms, token) in [(one, &bound), (nobody, &free)] {
        assert_eq!(outcome(app.pool().refresh(terms, None, token, 0).await), "ok");
        assert_eq!(outcome(app.pool().revoke(terms, token).await), "ok");
        assert_eq!(outcome(app.pool().refresh(terms, None, token, 0).await), "token_revoked");
    }
}

story!(a_token_of_one_surface_is_known_on_all_and_signing_out_ends_its_session_only);
async fn a_token_of_one_surface_is_known_on_all_and_signing_out_ends_its_session_only(app: TestApp) {
    let app = app.doubled().await;
    let sibling = app.signed_in("alice").await.field("access_token");
    let astera = client(&app, Surface::Astera);
    let tokens = sign_in(&app, Terms::from(&astera)).await;
    let refresh = tokens.refresh_token.unwrap();
    for _ in 0..2 {
        assert!(app.accepts(&tokens.access_token).await);
    }
    let caller = app.pool().authenticate(&tokens.access_token).await.unwrap();
    for _ in 0..2 {
        app.pool().sign_out(&caller).await.unwrap();
    }
    assert!(!app.accepts(&tokens.access_token).await && app.accepts(&sibling).await);
    assert_eq!(outcome(app.pool().refresh(Terms::from(&astera), None, &refresh, 0).await), "token_revoked");
}

// R06, R13
story!(what_a_surface_of_short_sessions_ends_stays_ended_as_long_as_any_session_lives, |config| {
    config.astera.access_token = cognate::config::Period::minutes(5);
    config.astera.refresh_token = cognate::config::Period::hours(1);
});
async fn what_a_surface_of_short_sessions_ends_stays_ended_as_long_as_any_session_lives(app: TestApp) {
    app.user("alice").await;
    // One client for two surfaces: sessions of ninety days and of an hour.
    let mut config = app.config.clone();
    config.astera.client = Some(app.client().id);
    let both = app.replica_with(config).await;
    let signed_in = app.login("alice", PASSWORD).await;
    let session = claims(&signed_in.field("access_token"))["origin_jti"].as_str().unwrap().parse().unwrap();
    let astera = client(&both, Surface::Astera);
    let refresh = signed_in.field("refresh_token");
    assert_eq!(outcome(both.pool().revoke(Terms::from(&astera), &refresh).await), "ok");
    let alice = app.pool().find_user("alice").await.unwrap();
    app.clock.advance_seconds(90 * DAY - 1);
    let directory = &app.api.ports.directory;
    directory.purge(cognate::clock::Clock::now(&*app.clock)).await.unwrap();
    let owner = directory.session_owner(app.pool().id(), alice.sub, session).await.unwrap().unwrap();
    assert!(owner.session_ended, "an old snapshot of the token store revives nothing");
}

story!(a_surface_whose_client_is_gone_is_out_of_order_and_refuses_nobody);
async fn a_surface_whose_client_is_gone_is_out_of_order_and_refuses_nobody(app: TestApp) {
    let astera = client(&app, Surface::Astera).id;
    app.api.pools.delete_client(&app.pool(), &astera).await.unwrap();
    app.reload().await;
    let Err(error @ Error::Unavailable { .. }) = app.api.pools.surface(Surface::Astera) else { panic!("it is there") };
    assert_eq!(cognate::error::chain(&error), format!("no app client {astera}: see astera.client"));
    assert!(app.api.pools.surface(Surface::Pm415).is_ok());
}

story!(a_client_that_a_surface_needs_is_known_as_such);
async fn a_client_that_a_surface_needs_is_known_as_such(app: TestApp) {
    let pools = &app.api.pools;
    for surface in Surface::ALL {
        assert_eq!(pools.surface_of(&client(&app, surface).id).unwrap(), Some(surface));
    }
    let other = pools.create_client(&app.pool(), Client { name: "mobile".to_owned(), ..app.client() }).await.unwrap();
    assert_eq!(pools.surface_of(&other.id).unwrap(), None);
    let mut config = app.config.clone();
    config.v1.client = Some(other.id.clone());
    let replica = app.replica_with(config).await;
    assert_eq!(replica.api.pools.surface_of(&other.id).unwrap(), Some(Surface::V1));
    assert_eq!(replica.api.pools.surface_of(&app.client().id).unwrap(), None, "it is not made again");
}

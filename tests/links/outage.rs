//! A store that is away while a link is used: the call is refused, nothing is lost, and the same call later succeeds.

use std::time::Duration;

use cognate::config::{Period, Secret};
use cognate::error::Error;
use cognate::pool::{Joins, NewGroup, NewUser, SignUp};
use sqlx::{Connection as _, PgConnection};

use super::{NEW, SOURCE, link, user};
use crate::app::{Deployment, PASSWORD, TestApp};
use crate::servers::redis::Server;

fn draft() -> SignUp<'static> {
    let joins = Joins::NewOrganization("Acme");
    SignUp { email: "eve@example.test", password: PASSWORD, given_name: "Eve", family_name: "Eve", joins }
}

fn unavailable<T>(outcome: Result<T, Error>) {
    assert!(matches!(outcome, Err(Error::Unavailable { .. })));
}

// R14
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_cannot_be_written_burns_no_link() {
    let app = TestApp::start_on(Deployment::PostgresAndRedis, |config| {
        config.directory.timeout = Period::seconds(1);
    })
    .await;
    let (pool, client) = (app.pool(), app.client());
    let to = link(&client);
    app.user("alice").await;
    app.user("bob").await;
    let bob = user(&app, "bob").await;
    pool.forgot_password_link(&to, "alice", SOURCE).await.unwrap();
    let of_a_reset = app.mailed_token().await;
    pool.request_email_change(&to, &bob, "bob@new.test", SOURCE).await.unwrap();
    let of_a_change = app.mailed_token().await;
    pool.sign_up(&to, draft(), SOURCE).await.unwrap();
    let of_a_registration = app.mailed_token().await;
    pool.create_group(NewGroup { name: "admin".to_owned(), ..cognate::pool::NewGroup::default() }).await.unwrap();
    pool.add_to_group("admin", "bob").await.unwrap();
    let acme = pool.organization_by_name("Acme").await.unwrap().id;
    let invitation = pool.invite(&to, &user(&app, "bob").await, acme, "fay@example.test", false).await.unwrap();
    let fay = || SignUp { email: "fay@example.test", joins: Joins::Invitation(&invitation), ..draft() };

    let url = app.config.directory.url.as_ref().unwrap().expose();
    let mut keeper = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE users IN SHARE MODE").execute(&mut keeper).await.unwrap();
    unavailable(pool.reset_password_link(&client, None, &of_a_reset, NEW, SOURCE).await);
    unavailable(pool.change_email(&client, &bob, "bob@new.test", &of_a_change).await);
    unavailable(pool.confirm_sign_up(&client, &of_a_registration).await);
    unavailable(pool.sign_up(&to, SignUp { email: "dan@example.test", ..draft() }, SOURCE).await);
    unavailable(pool.sign_up(&to, fay(), SOURCE).await);
    sqlx::raw_sql("ROLLBACK").execute(&mut keeper).await.unwrap();

    assert_eq!(app.login("alice", PASSWORD).await.status, 200, "nothing was changed");
    pool.reset_password_link(&client, None, &of_a_reset, NEW, SOURCE).await.unwrap();
    pool.change_email(&client, &bob, "bob@new.test", &of_a_change).await.unwrap();
    pool.confirm_sign_up(&client, &of_a_registration).await.unwrap();
    let joins = Joins::NewOrganization("Dan's");
    pool.sign_up(&to, SignUp { email: "dan@example.test", joins, ..draft() }, SOURCE).await.unwrap();
    pool.sign_up(&to, fay(), SOURCE).await.unwrap();
    assert_eq!(app.login("alice", NEW).await.status, 200);
    assert_eq!(app.login("bob@new.test", PASSWORD).await.status, 200);
}

// R04
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_store_that_says_nothing_burns_no_link() {
    let redis = Server::start(&[]);
    let url = redis.url();
    let app = TestApp::start_on(Deployment::PostgresAndRedis, |config| {
        config.tokens.url = Secret::new(url);
        config.tokens.connect_timeout = Period::seconds(1);
        config.tokens.timeout = Period::seconds(1);
    })
    .await;
    let (pool, client) = (app.pool(), app.client());
    let to = link(&client);
    app.user("alice").await;
    let alice = user(&app, "alice").await;
    pool.request_email_change(&to, &alice, "alice@new.test", SOURCE).await.unwrap();
    let of_a_change = app.mailed_token().await;
    pool.forgot_password_link(&to, "alice", SOURCE).await.unwrap();
    let of_a_reset = app.mailed_token().await;

    redis.pause();
    unavailable(pool.forgot_password_link(&to, "alice", SOURCE).await);
    unavailable(pool.forgot_password_link(&to, "ghost", SOURCE).await);
    unavailable(pool.check_reset_link(&client, None, &of_a_reset).await);
    unavailable(pool.reset_password_link(&client, None, &of_a_reset, NEW, SOURCE).await);
    unavailable(pool.change_email(&client, &alice, "alice@new.test", &of_a_change).await);
    unavailable(pool.sign_up(&to, draft(), SOURCE).await);
    let carol = || NewUser {
        email: Some("carol@example.test".to_owned()),
        email_verified: false,
        ..NewUser::new("carol", PASSWORD)
    };
    unavailable(pool.create_user_to_confirm(&to, carol()).await);
    assert!(matches!(pool.find_user("carol").await, Err(Error::UserNotFound)), "no user without his mail");
    redis.resume();
    while app.api.ports.tokens.ping().await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    pool.reset_password_link(&client, None, &of_a_reset, NEW, SOURCE).await.unwrap();
    pool.change_email(&client, &alice, "alice@new.test", &of_a_change).await.unwrap();
    assert_eq!(app.login("alice@new.test", NEW).await.status, 200);
    pool.sign_up(&to, draft(), SOURCE).await.unwrap();
    pool.create_user_to_confirm(&to, carol()).await.unwrap();
}

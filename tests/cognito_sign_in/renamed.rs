//! A user who is called by his address, and changes it: the proof of his password by SRP is bound to the name.

use std::time::Duration;

use cognate::pool::{LinkTo, NewUser};
use serde_json::json;

use super::srp_client::SrpClient;
use super::{WRONG, initiate, refused, respond, result, sign_in};
use crate::app::{Answer, PASSWORD, TestApp, story};

const OLD: &str = "alice@example.test";
const NEW: &str = "ada@example.test";

async fn by_srp(app: &TestApp, username: &str) -> Answer {
    let client = SrpClient::new(7);
    let asked = initiate(app, "USER_SRP_AUTH", json!({ "USERNAME": username, "SRP_A": client.srp_a() })).await;
    let parameters = &asked.json()["ChallengeParameters"];
    let answer = client.answer(app.pool().id(), parameters, PASSWORD, "Sat Nov 21 12:00:00 UTC 2026");
    respond(app, "PASSWORD_VERIFIER", None, answer).await
}

/// Changes the address by the mailed link of the native API.
async fn rename(app: &TestApp) {
    let (pool, client) = (app.pool(), app.client());
    let user = pool.find_user(OLD).await.unwrap();
    let link = LinkTo { client: &client, page: None, life: Duration::from_secs(3600) };
    let source = std::net::IpAddr::from([127, 0, 0, 1]);
    pool.request_email_change(&link, &user, NEW, source).await.unwrap();
    let token = app.mailed_token().await;
    pool.change_email(&client, &user, NEW, &token).await.unwrap();
}

// K05: a verifier of the old name would prove nothing, and is worth a guess.
story!(a_verifier_goes_with_the_name_that_it_is_bound_to_and_is_made_again);
async fn a_verifier_goes_with_the_name_that_it_is_bound_to_and_is_made_again(app: TestApp) {
    app.change_pool(|pool| pool.srp = true).await;
    let email = Some(OLD.to_owned());
    app.pool().create_user(NewUser { email, ..NewUser::new(OLD, PASSWORD) }).await.unwrap();
    assert!(app.accepts(&result(&by_srp(&app, OLD).await, "AccessToken")).await);
    rename(&app).await;
    let renamed = app.pool().find_user(NEW).await.unwrap();
    assert_eq!((renamed.username.as_str(), renamed.srp), (NEW, None));
    assert_eq!(refused(&by_srp(&app, NEW).await), WRONG);
    assert_eq!(refused(&by_srp(&app, OLD).await), WRONG);
    // The password itself makes another, for the new name.
    assert!(app.accepts(&result(&sign_in(&app, NEW, PASSWORD).await, "AccessToken")).await);
    assert!(app.accepts(&result(&by_srp(&app, NEW).await, "AccessToken")).await);
}

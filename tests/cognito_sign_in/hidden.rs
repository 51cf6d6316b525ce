//! What an answer must not tell where it is hidden who exists: neither who there is, however a name is spelled, nor who
//! has which second factor.

use std::collections::BTreeSet;

use cognate::pool::NewUser;
use cognate::pool::client::AuthFlow;
use cognate::pool::settings::{Alias, FirstProof, MfaMode, MfaRules, Usernames};
use serde_json::{Value, json};

use super::srp_client::SrpClient;
use super::{WRONG, call, initiate, refused, result, sign_in};
use crate::app::{Answer, PASSWORD, TestApp, story};

async fn with_everything(app: &TestApp) {
    app.change_pool(|pool| {
        pool.srp = true;
        pool.first_proofs = vec![FirstProof::Password, FirstProof::EmailOtp];
        pool.mfa = MfaRules { mode: MfaMode::Optional, software_token: true, email: true, sms: false };
    })
    .await;
    app.change_client(|client| {
        let flows = [AuthFlow::AllowUserAuth, AuthFlow::AllowUserSrpAuth, AuthFlow::AllowUserPasswordAuth];
        client.auth_flows = Some(BTreeSet::from(flows));
    })
    .await;
}

async fn forgot(app: &TestApp, name: &str) -> Answer {
    call(app, "ForgotPassword", json!({ "ClientId": app.client().id, "Username": name })).await
}

/// Where a reset and a first code seem to go.
async fn destinations(app: &TestApp, name: &str) -> [Value; 2] {
    let reset = forgot(app, name).await.json()["CodeDeliveryDetails"]["Destination"].clone();
    let parameters = json!({ "USERNAME": name, "PREFERRED_CHALLENGE": "EMAIL_OTP" });
    let first = initiate(app, "USER_AUTH", parameters).await.json()["ChallengeParameters"].clone();
    app.clock.advance_seconds(3600);
    [reset, first["CODE_DELIVERY_DESTINATION"].clone()]
}

// D01: a mailbox that is a second factor gets neither code, and seems to get both, as every other does.
story!(where_a_code_seems_to_go_tells_nobodys_second_factor);
async fn where_a_code_seems_to_go_tells_nobodys_second_factor(app: TestApp) {
    with_everything(&app).await;
    for name in ["plain", "by-mail", "by-app", "disabled", "invited"] {
        let email = Some("known@example.test".replace("known", name));
        let temporary = name == "invited";
        app.pool().create_user(NewUser { email, temporary, ..NewUser::new(name, PASSWORD) }).await.unwrap();
    }
    let token = result(&sign_in(&app, "by-mail", PASSWORD).await, "AccessToken");
    let prefer = json!({ "AccessToken": token, "EmailMfaSettings": { "Enabled": true } });
    assert_eq!(call(&app, "SetUserMFAPreference", prefer).await.whole(), (200, "{}"));
    super::mfa::with_application(&app, "other").await;
    app.pool().disable_user("disabled").await.unwrap();
    for (name, mask) in [
        ("plain", "p***@e***"),
        ("by-mail", "b***@e***"),
        ("by-app", "b***@e***"),
        ("other", "o***@e***"),
        ("disabled", "d***@e***"),
        ("invited", "i***@e***"),
    ] {
        assert_eq!(destinations(&app, name).await, [json!(mask), json!(mask)], "{name}");
    }
}

// D01
story!(a_name_is_answered_alike_in_every_spelling);
async fn a_name_is_answered_alike_in_every_spelling(app: TestApp) {
    with_everything(&app).await;
    app.user("alice").await;
    for spellings in [
        ["alice", "ALICE"],
        ["nobody", "NOBODY"],
        ["alice@example.test", "ALICE@Example.test"],
        ["nobody@example.test", "NOBODY@Example.test"],
    ] {
        let [small, large] = [destinations(&app, spellings[0]).await, destinations(&app, spellings[1]).await];
        assert_eq!(small, large, "{spellings:?}");
    }
}

async fn asked_by_srp(app: &TestApp, name: &str) -> (Value, Value) {
    let parameters = json!({ "USERNAME": name, "SRP_A": SrpClient::new(7).srp_a() });
    let told = initiate(app, "USER_SRP_AUTH", parameters).await.json()["ChallengeParameters"].clone();
    (told["USER_ID_FOR_SRP"].clone(), told["SALT"].clone())
}

// K03: by SRP a user is told what he is called; so is nobody, who is not called what was typed.
story!(by_srp_nobody_is_called_alike_in_every_spelling);
async fn by_srp_nobody_is_called_alike_in_every_spelling(app: TestApp) {
    with_everything(&app).await;
    app.user("alice").await;
    for spellings in [["alice", "Alice"], ["nobody", "Nobody"], ["no@example.test", "NO@example.test"]] {
        let [small, large] = [asked_by_srp(&app, spellings[0]).await, asked_by_srp(&app, spellings[1]).await];
        assert_eq!(small, large, "{spellings:?}");
    }
    // An address means a user who is called otherwise.
    assert_eq!(asked_by_srp(&app, "alice@example.test").await.0, "alice");
    assert_ne!(asked_by_srp(&app, "no@example.test").await.0, "no@example.test");
}

// D01, D20: where letters matter in names they do not in addresses.
story!(a_locked_address_is_locked_in_every_spelling_whoever_has_it);
async fn a_locked_address_is_locked_in_every_spelling_whoever_has_it(app: TestApp) {
    app.change_pool(|pool| {
        pool.case_sensitive = true;
        pool.usernames = Usernames::Chosen { aliases: vec![Alias::Email] };
    })
    .await;
    app.user("alice").await;
    for name in ["alice@example.test", "nobody@example.test"] {
        for _ in 0..5 {
            assert_eq!(refused(&sign_in(&app, name, "guess").await), WRONG);
        }
        let other = name.to_uppercase();
        let locked = "NotAuthorizedException: Password attempts exceeded";
        assert_eq!(refused(&sign_in(&app, &other, "guess").await), locked, "{name}");
    }
}

// E20: who asks for mails in a user's name does not use up those that he needs to sign in.
story!(the_mails_of_a_second_factor_are_counted_apart);
async fn the_mails_of_a_second_factor_are_counted_apart(app: TestApp) {
    with_everything(&app).await;
    app.user("alice").await;
    let token = result(&sign_in(&app, "alice", PASSWORD).await, "AccessToken");
    let prefer = json!({ "AccessToken": token, "EmailMfaSettings": { "Enabled": true } });
    assert_eq!(call(&app, "SetUserMFAPreference", prefer).await.whole(), (200, "{}"));
    let limit = "LimitExceededException: Attempt limit exceeded, please try after some time.";
    for _ in 0..5 {
        assert_eq!(forgot(&app, "alice").await.status, 200);
    }
    assert_eq!(refused(&forgot(&app, "alice").await), limit);
    let asked = sign_in(&app, "alice", PASSWORD).await;
    assert_eq!(asked.json()["ChallengeName"], "EMAIL_OTP", "{}", asked.text);
}

// K03, D01: one who only registered, where that is not told, is asked like nobody, before and after.
story!(by_srp_a_hidden_registration_is_asked_like_nobody);
async fn by_srp_a_hidden_registration_is_asked_like_nobody(app: TestApp) {
    with_everything(&app).await;
    let before = asked_by_srp(&app, "carol").await;
    app.change_pool(|pool| pool.self_sign_up = true).await;
    let client = app.client().id;
    let body = json!({ "ClientId": client, "Username": "carol", "Password": PASSWORD.replace(' ', "-") });
    assert_eq!(call(&app, "SignUp", body).await.status, 200);
    app.change_pool(|pool| pool.self_sign_up = false).await;
    assert_eq!(asked_by_srp(&app, "carol").await, before);
}

fn few(config: &mut cognate::config::Config) {
    config.limits.source_failures = 5;
}

const LOCKED: &str = "NotAuthorizedException: Password attempts exceeded";

// D20, K12: what a beginning tells, or costs, is had a few times; whoever goes on and is right begins as often as he
// likes.
story!(beginnings_that_lead_nowhere_are_counted, super::few);
async fn beginnings_that_lead_nowhere_are_counted(app: TestApp) {
    with_everything(&app).await;
    app.user("alice").await;
    app.change_client(|client| client.hide_user_existence = Some(false)).await;
    let srp = SrpClient::new(7);
    for _ in 0..7 {
        let asked = initiate(&app, "USER_SRP_AUTH", json!({ "USERNAME": "alice", "SRP_A": srp.srp_a() })).await;
        let now = "Sat Nov 21 12:00:00 UTC 2026";
        let responses = srp.answer(app.pool().id(), &asked.json()["ChallengeParameters"], PASSWORD, now);
        let proven = super::respond(&app, "PASSWORD_VERIFIER", None, responses).await;
        assert_eq!(proven.status, 200, "{}", proven.text);
        let choice = initiate(&app, "USER_AUTH", json!({ "USERNAME": "alice" })).await.field("Session");
        let responses = json!({ "USERNAME": "alice", "ANSWER": "PASSWORD", "PASSWORD": PASSWORD });
        assert_eq!(super::respond(&app, "SELECT_CHALLENGE", Some(&choice), responses).await.status, 200);
    }
    let missing = "UserNotFoundException: User does not exist.";
    for number in 0..5 {
        let parameters = json!({ "USERNAME": format!("guess{number}"), "SRP_A": srp.srp_a() });
        assert_eq!(refused(&initiate(&app, "USER_SRP_AUTH", parameters).await), missing);
    }
    let parameters = json!({ "USERNAME": "guess5", "SRP_A": srp.srp_a() });
    assert_eq!(refused(&initiate(&app, "USER_SRP_AUTH", parameters).await), LOCKED);
    app.clock.advance_seconds(900);
    for _ in 0..5 {
        assert_eq!(initiate(&app, "USER_AUTH", json!({ "USERNAME": "alice" })).await.status, 200);
    }
    assert_eq!(refused(&initiate(&app, "USER_AUTH", json!({ "USERNAME": "alice" })).await), LOCKED);
}

//! Invitations into an organization: made by its administrator, looked up, and accepted at a registration or a
//! sign-in, where the invited become Pending.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{EMAIL, ORGANIZATION, bad_request, invited, refusal, whole};
use crate::app::{Answer, PASSWORD, TestApp, story};

const EVE: &str = "eve@example.test";

fn uninvited() -> (u16, String) {
    refusal(422, "Unprocessable Entity", "Invitation token invalid or expired")
}

async fn accept(app: &TestApp, email: &str, token: &str) -> Answer {
    app.pm415("login", json!({ "email": email, "password": PASSWORD, "token": token })).await
}

/// The first organization's administrator and its number.
async fn founded(app: &TestApp) -> (String, i64) {
    let admin = app.registered_and_in(EMAIL, ORGANIZATION).await;
    let organization = app.organization_of(&admin).await;
    (admin, organization)
}

async fn invite(app: &TestApp, caller: &str, organization: &str, body: Value) -> Answer {
    app.with_bearer("POST", &format!("/api/org/{organization}/invitelink"), caller, Some(body)).await
}

story!(who_is_invited_registers_into_the_organization);
async fn who_is_invited_registers_into_the_organization(app: TestApp) {
    let (admin, organization) = founded(&app).await;
    let answer = invite(&app, &admin, &organization.to_string(), json!({ "email": EVE })).await;
    let url = answer.field("confirmUrl");
    assert_eq!(whole(&answer), (200, format!(r#"{{"success":true,"confirmUrl":"{url}"}}"#)));
    let start = format!("{}/account/invite/?token=", app.config.public_url());
    let token = url.strip_prefix(&start).unwrap();
    assert_eq!(app.mails().await.len(), 0, "nobody asked for a mail");

    let seen = app.get(&format!("/api/org/invite?token={token}")).await;
    let shown = r#"{"success":true,"email":"eve@example.test","organization":"Analytical Engines"}"#;
    assert_eq!(seen.whole(), (200, shown));
    assert_eq!(seen.header("cache-control"), Some("no-store"));
    assert_eq!(seen.header("referrer-policy"), Some("no-referrer"));

    let registered = app.pm415("register", invited(EVE, token)).await;
    let id = app.pool().public_id(&app.pool().find_user(EVE).await.unwrap());
    assert_eq!(whole(&registered), (200, format!(r#"{{"userId":{id},"success":true}}"#)));
    app.verify(&app.mailed_link("verify").await).await;
    let eve = app.sign_in(EVE, PASSWORD).await.field("token");
    let myself = app.with_bearer("GET", "/api/user", &eve, None).await;
    let roles = r#""roles":[{"id":3,"role":"Pending"}]"#;
    let name = r#""name":"Analytical Engines""#;
    let person = r#""email":"eve@example.test","firstName":"Ada","lastName":"Lovelace""#;
    let organizations = format!(r#"[{{"id":{organization},{name},{roles}}}]"#);
    assert_eq!(
        myself.text,
        format!(
            r#"{{"success":true,"user":{{"id":{id},{person},"organizations":{organizations}}},"organization":{{"id":{organization},{name}}}}}"#
        )
    );
    // Single use.
    assert_eq!(whole(&app.get(&format!("/api/org/invite?token={token}")).await), uninvited());
    assert_eq!(whole(&accept(&app, EVE, token).await), uninvited());
}

story!(who_is_there_already_accepts_an_invitation_when_he_signs_in);
async fn who_is_there_already_accepts_an_invitation_when_he_signs_in(app: TestApp) {
    let (admin, organization) = founded(&app).await;
    app.registered(EVE, "Difference Engines").await;
    let token = app.invitation(&admin, organization, EVE).await;
    let wrong = app.pm415("login", json!({ "email": EVE, "password": "not the password", "token": token })).await;
    assert_eq!(whole(&wrong), refusal(401, "Unauthorized", "Unable to login user"));
    let answer = accept(&app, "Eve@Example.test", &token).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let names: Vec<Value> =
        answer.json()["user"]["organizations"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["Analytical Engines", "Difference Engines"]);
    let myself = app.with_bearer("GET", "/api/user", &answer.field("token"), None).await;
    assert_eq!(myself.json()["user"]["organizations"][0]["roles"], json!([{ "id": 3, "role": "Pending" }]));
    assert_eq!(whole(&accept(&app, EVE, &token).await), uninvited());
}

story!(an_invitation_is_for_its_address_alone);
async fn an_invitation_is_for_its_address_alone(app: TestApp) {
    let (admin, organization) = founded(&app).await;
    app.registered("mallory@example.test", "Mallory's").await;
    let token = app.invitation(&admin, organization, EVE).await;
    let registered = app.pm415("register", invited("mary@example.test", &token)).await;
    assert_eq!(whole(&registered), refusal(422, "Unprocessable Entity", "Email is incorrect"));
    for email in ["mallory@example.test", "nobody@example.test", "no address"] {
        let answer = accept(&app, email, &token).await;
        assert_eq!(whole(&answer), refusal(422, "Unprocessable Entity", "Invitation email mismatch"), "{email}");
    }
    assert_eq!(app.pm415("register", invited(EVE, &token)).await.status, 200);
}

story!(an_invitation_ends_after_a_day_and_garbage_is_none);
async fn an_invitation_ends_after_a_day_and_garbage_is_none(app: TestApp) {
    let (admin, organization) = founded(&app).await;
    let token = app.invitation(&admin, organization, EVE).await;
    app.clock.advance_seconds(24 * 3600);
    for token in [token.as_str(), "nonsense", "a.b.c"] {
        assert_eq!(whole(&app.pm415("register", invited(EVE, token)).await), uninvited(), "{token}");
        assert_eq!(whole(&accept(&app, EVE, token).await), uninvited(), "{token}");
        assert_eq!(whole(&app.get(&format!("/api/org/invite?token={token}")).await), uninvited(), "{token}");
    }
    assert_eq!(whole(&app.get("/api/org/invite").await), uninvited());
}

story!(an_invitation_into_an_organization_that_is_gone_says_so);
async fn an_invitation_into_an_organization_that_is_gone_says_so(app: TestApp) {
    let (admin, organization) = founded(&app).await;
    app.registered(EVE, "Difference Engines").await;
    let token = app.invitation(&admin, organization, EVE).await;
    let other = app.invitation(&admin, organization, "mary@example.test").await;
    app.pool().delete_organization(organization).await.unwrap();
    let signed_in = accept(&app, EVE, &token).await;
    assert_eq!(whole(&signed_in), refusal(404, "Not Found", "Invitation organization incorrect"));
    let registered = app.pm415("register", invited("mary@example.test", &other)).await;
    assert_eq!(whole(&registered), refusal(404, "Not Found", "Organization not found"));
    let seen = app.get(&format!("/api/org/invite?token={token}")).await;
    assert_eq!(whole(&seen), refusal(404, "Not Found", "Organization not found"));
}

story!(a_second_invitation_of_a_member_is_accepted_already);
async fn a_second_invitation_of_a_member_is_accepted_already(app: TestApp) {
    let (admin, organization) = founded(&app).await;
    app.registered(EVE, "Difference Engines").await;
    let one = app.invitation(&admin, organization, EVE).await;
    let other = app.invitation(&admin, organization, EVE).await;
    assert_eq!(accept(&app, EVE, &one).await.status, 200);
    let again = accept(&app, EVE, &other).await;
    assert_eq!(
        again.whole(),
        (409, r#"{"statusCode":409,"error":"Conflict","message":"Invitation already accepted","success":false}"#)
    );
}

story!(of_many_who_accept_at_once_one_does);
async fn of_many_who_accept_at_once_one_does(app: TestApp) {
    let (admin, organization) = founded(&app).await;
    app.registered(EVE, "Difference Engines").await;
    let token = app.invitation(&admin, organization, EVE).await;
    let answers = join_all((0..6).map(|_| accept(&app, EVE, &token))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().all(|answer| [200, 409, 422].contains(&answer.status)));
}

story!(an_invitation_is_mailed_when_that_is_asked_for);
async fn an_invitation_is_mailed_when_that_is_asked_for(app: TestApp) {
    let (admin, organization) = founded(&app).await;
    for send in [json!(true), json!("true")] {
        let answer = invite(&app, &admin, &organization.to_string(), json!({ "email": EVE, "send": send })).await;
        let mail = app.mail().await;
        assert!(mail.contains(&answer.field("confirmUrl")) && mail.contains("Analytical Engines"), "{mail}");
    }
    let answer = invite(&app, &admin, &organization.to_string(), json!({ "email": EVE, "send": false })).await;
    assert_eq!((answer.status, app.mails().await.len()), (200, 0));
}

// P01
story!(only_an_administrator_of_the_organization_invites);
async fn only_an_administrator_of_the_organization_invites(app: TestApp) {
    let (admin, organization) = founded(&app).await;
    let path = organization.to_string();
    let stranger = app.registered_and_in("mallory@example.test", "Mallory's").await;
    app.registered(EVE, "Difference Engines").await;
    let token = app.invitation(&admin, organization, EVE).await;
    let pending = accept(&app, EVE, &token).await.field("token");
    let denied = refusal(403, "Forbidden", "Admin privileges required");
    for caller in [&stranger, &pending] {
        for id in [path.as_str(), "999999"] {
            let answer = invite(&app, caller, id, json!({ "email": "mary@example.test" })).await;
            assert_eq!(whole(&answer), denied, "{id}");
        }
    }
    let unknown = app.request(app.to("POST", "/api/org/1/invitelink").json(&json!({}))).await;
    assert_eq!(whole(&unknown), refusal(401, "Unauthorized", "Authentication required"));
    for id in ["0x1", "one", "99999999999999999999"] {
        let answer = invite(&app, &admin, id, json!({ "email": EVE })).await;
        assert_eq!(whole(&answer), refusal(404, "Not Found", "Organization not found"), "{id}");
    }
}

story!(a_member_is_invited_again_only_where_the_pool_hides_who_is_there);
async fn a_member_is_invited_again_only_where_the_pool_hides_who_is_there(app: TestApp) {
    let (admin, organization) = founded(&app).await;
    assert_eq!(invite(&app, &admin, &organization.to_string(), json!({ "email": EMAIL })).await.status, 200);
    app.show_existence().await;
    let answer = invite(&app, &admin, &organization.to_string(), json!({ "email": EMAIL })).await;
    let message = "User with email ada@example.test already belongs to this organization";
    assert_eq!(whole(&answer), refusal(409, "Conflict", message));
}

story!(the_fields_of_an_invitation_are_judged);
async fn the_fields_of_an_invitation_are_judged(app: TestApp) {
    let (admin, organization) = founded(&app).await;
    for (body, message) in [
        (json!({}), r#""Email" is required"#),
        (json!({ "email": "" }), r#""Email" is not allowed to be empty"#),
        (json!({ "email": 1 }), r#""Email" must be a string"#),
        (json!({ "email": "eve" }), r#""Email" must be a valid email"#),
        (json!({ "email": "eve@example.test\r\nBcc: a@b.test" }), r#""Email" must be a valid email"#),
        (json!({ "email": EVE, "send": "yes" }), r#""send" must be a boolean"#),
        (json!({ "email": EVE, "role": 1 }), r#""role" is not allowed"#),
    ] {
        let answer = invite(&app, &admin, &organization.to_string(), body).await;
        assert_eq!(whole(&answer), bad_request(message));
    }
}

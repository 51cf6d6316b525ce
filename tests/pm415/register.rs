//! Registering, and the mailed link that proves the address.

use serde_json::{Value, json};

use super::{EMAIL, ORGANIZATION, bad_request, refusal, registration, whole, with, without};
use crate::app::{PASSWORD, TestApp, story};

const UNVERIFIED: (u16, &str) = (200, r#"{"success":false,"message":"Token is invalid or expired."}"#);

story!(who_registers_an_organization_confirms_by_mail_and_signs_in);
async fn who_registers_an_organization_confirms_by_mail_and_signs_in(app: TestApp) {
    let answer = app.pm415("register", registration(EMAIL, ORGANIZATION)).await;
    let user = app.pool().find_user(EMAIL).await.unwrap();
    let id = app.pool().public_id(&user);
    assert_eq!(whole(&answer), (200, format!(r#"{{"userId":{id},"success":true}}"#)));
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let early = app.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(whole(&early), refusal(401, "Unauthorized", "Unable to login user"));

    let token = app.mailed_link("verify").await;
    let message = "User registration is completed, lets go login";
    let verified = format!(r#"{{"userId":{id},"success":true,"message":"{message}"}}"#);
    assert_eq!(whole(&app.verify(&token).await), (200, verified));

    let signed_in = app.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(signed_in.status, 200);
    let member = app.pool().memberships(&user).await.unwrap();
    let (organization, token) = (member[0].organization.id, signed_in.field("token"));
    assert_eq!(
        signed_in.text,
        format!(
            r#"{{"token":"{token}","success":true,"user":{{"id":{id},"email":"ada@example.test","firstName":"Ada","lastName":"Lovelace","organizations":[{{"id":{organization},"name":"Analytical Engines"}}]}}}}"#
        )
    );
}

// P13
story!(a_scanner_of_mails_may_follow_the_link_first_and_often);
async fn a_scanner_of_mails_may_follow_the_link_first_and_often(app: TestApp) {
    app.pm415("register", registration(EMAIL, ORGANIZATION)).await;
    let token = app.mailed_link("verify").await;
    let first = app.verify(&token).await;
    assert_eq!(first.json()["success"], true);
    assert_eq!(first.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(first.header("cache-control"), Some("no-store"));
    for _ in 0..3 {
        assert_eq!(app.verify(&token).await.whole(), first.whole());
    }
    assert_eq!(app.sign_in(EMAIL, PASSWORD).await.status, 200);
    assert_eq!(app.verify(&token).await.whole(), first.whole());
}

story!(a_bad_link_is_a_200_that_says_so);
async fn a_bad_link_is_a_200_that_says_so(app: TestApp) {
    app.pm415("register", registration(EMAIL, ORGANIZATION)).await;
    let token = app.mailed_link("verify").await;
    for path in ["/api/account/verify", "/api/account/verify?token=", "/api/account/verify?token=nonsense"] {
        assert_eq!(app.get(path).await.whole(), UNVERIFIED, "{path}");
    }
    let twice = app.get(&format!("/api/account/verify?token={token}&token={token}")).await;
    assert_eq!(twice.whole(), UNVERIFIED);
    app.clock.advance_seconds(24 * 3600);
    assert_eq!(app.verify(&token).await.whole(), UNVERIFIED);
    let early = app.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(whole(&early), refusal(401, "Unauthorized", "Unable to login user"));
}

story!(the_link_of_a_user_who_is_gone_says_so);
async fn the_link_of_a_user_who_is_gone_says_so(app: TestApp) {
    app.pm415("register", registration(EMAIL, ORGANIZATION)).await;
    let token = app.mailed_link("verify").await;
    app.pool().delete_user(EMAIL).await.unwrap();
    assert_eq!(app.verify(&token).await.whole(), (200, r#"{"success":false,"message":"User not found"}"#));
}

story!(the_web_client_accepts_the_terms_with_true);
async fn the_web_client_accepts_the_terms_with_true(app: TestApp) {
    for (number, accepted) in [json!(true), json!("true"), json!("Y")].into_iter().enumerate() {
        let body = registration(&format!("ada{number}@example.test"), &format!("{ORGANIZATION} {number}"));
        let answer = app.pm415("register", with(body, "tosAccepted", accepted)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

story!(a_form_does_as_well_as_json);
async fn a_form_does_as_well_as_json(app: TestApp) {
    let form = |body: Value| {
        let fields = body.as_object().unwrap().clone().into_iter();
        fields.map(|(name, value)| (name, value.as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    let body = form(registration(EMAIL, ORGANIZATION));
    let answer = app.request(app.to("POST", "/api/account/register").form(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    app.verify(&app.mailed_link("verify").await).await;
    let body = form(json!({ "email": EMAIL, "password": PASSWORD }));
    assert_eq!(app.request(app.to("POST", "/api/account/login").form(&body)).await.status, 200);
    let body = form(json!({ "email": EMAIL }));
    let answer = app.request(app.to("POST", "/api/account/forgotpassword").form(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

// D01, E01
story!(registering_a_known_address_answers_alike_and_tells_its_owner);
async fn registering_a_known_address_answers_alike_and_tells_its_owner(app: TestApp) {
    let id = app.registered(EMAIL, ORGANIZATION).await;
    for (number, email) in ["ada@example.test", "ADA@Example.test", "eve@example.test"].into_iter().enumerate() {
        let answer = app.pm415("register", registration(email, &format!("Another {number}"))).await;
        assert_eq!(answer.status, 200);
        let shown = answer.json()["userId"].as_i64().unwrap();
        assert_eq!(answer.text, format!(r#"{{"userId":{shown},"success":true}}"#));
        assert!((1..1 << 31).contains(&shown));
        let mail = app.mail().await;
        assert_eq!(mail.contains("/account/verify/?token="), email.starts_with("eve"), "{mail}");
    }
    // Nothing changed for the owner.
    assert_eq!(app.sign_in(EMAIL, PASSWORD).await.json()["user"]["id"], id);
    assert_eq!(app.sign_in(EMAIL, PASSWORD).await.json()["user"]["organizations"].as_array().unwrap().len(), 1);
}

story!(a_pool_may_say_that_the_address_is_taken);
async fn a_pool_may_say_that_the_address_is_taken(app: TestApp) {
    app.registered(EMAIL, ORGANIZATION).await;
    app.show_existence().await;
    let again = app.pm415("register", registration(EMAIL, "Another")).await;
    assert_eq!(
        again.whole(),
        (
            409,
            r#"{"statusCode":409,"error":"Conflict","message":"User with email ada@example.test already exists","success":false}"#
        )
    );
    assert_eq!(app.mails().await.len(), 0);
}

story!(the_name_of_an_organization_is_taken_once);
async fn the_name_of_an_organization_is_taken_once(app: TestApp) {
    app.registered(EMAIL, ORGANIZATION).await;
    let again = app.pm415("register", registration("eve@example.test", ORGANIZATION)).await;
    assert_eq!(
        again.whole(),
        (
            409,
            r#"{"statusCode":409,"error":"Conflict","message":"Organization Analytical Engines already exists.","success":false}"#
        )
    );
    assert!(app.pool().find_user("eve@example.test").await.is_err());
    assert_eq!(app.mails().await.len(), 0);
}

// An address belongs to whoever reads its mail, not to whoever registered it first.
story!(a_later_registration_of_an_unproven_address_replaces_the_first);
async fn a_later_registration_of_an_unproven_address_replaces_the_first(app: TestApp) {
    let squatter = with(
        with(registration(EMAIL, ORGANIZATION), "password", json!("the squatter's own")),
        "firstName",
        json!("Eve"),
    );
    let squatter = with(squatter, "confirmation", json!("the squatter's own"));
    assert_eq!(app.pm415("register", squatter).await.status, 200);
    let old = app.mailed_link("verify").await;
    assert_eq!(app.pm415("register", registration(EMAIL, ORGANIZATION)).await.status, 200);
    let token = app.mailed_link("verify").await;
    assert_eq!(app.verify(&old).await.json()["success"], false);
    assert_eq!(app.verify(&token).await.json()["success"], true);
    let wrong = app.sign_in(EMAIL, "the squatter's own").await;
    assert_eq!(whole(&wrong), refusal(401, "Unauthorized", "Unable to login user"));
    assert_eq!(app.sign_in(EMAIL, PASSWORD).await.json()["user"]["firstName"], "Ada");
}

story!(a_registration_needs_an_organization_or_an_invitation);
async fn a_registration_needs_an_organization_or_an_invitation(app: TestApp) {
    let answer = app.pm415("register", without(registration(EMAIL, ""), "organization")).await;
    assert_eq!(whole(&answer), bad_request(r#""Organization" is required"#));
}

story!(a_weak_password_is_refused_by_the_policy_of_the_pool);
async fn a_weak_password_is_refused_by_the_policy_of_the_pool(app: TestApp) {
    for (password, message) in [
        ("ada1", r#""Password" length must be at least 8 characters long"#),
        ("password", r#""Password" is too common"#),
        ("ada@example.test", r#""Password" must not be your own name"#),
    ] {
        let body = with(registration(EMAIL, ORGANIZATION), "password", json!(password));
        let answer = app.pm415("register", with(body, "confirmation", json!(password))).await;
        assert_eq!(whole(&answer), bad_request(message), "{password}");
    }
    assert_eq!(app.mails().await.len(), 0);
}

// E08
story!(nothing_of_a_registration_is_injected_into_a_mail);
async fn nothing_of_a_registration_is_injected_into_a_mail(app: TestApp) {
    let injected = app.pm415("register", registration("ada@example.test\r\nBcc: eve@evil.test", "One")).await;
    assert_eq!(whole(&injected), bad_request(r#""Email" must be a valid email"#));
    for field in ["firstName", "lastName", "organization"] {
        let body = with(registration(EMAIL, ORGANIZATION), field, json!("Ada\r\nBcc: eve@evil.test"));
        app.pm415("register", body).await;
        for mail in app.mails().await {
            assert!(!mail.lines().any(|line| line.starts_with("Bcc:")), "{mail}");
        }
    }
}

// E07
story!(a_mailed_link_leads_to_the_configured_site_alone, |config| {
    config.pm415.site = Some("https://pm415.example.test/".parse().unwrap());
});
async fn a_mailed_link_leads_to_the_configured_site_alone(app: TestApp) {
    let request = app.to("POST", "/api/account/register").header("x-forwarded-host", "evil.test");
    let request = request.header("forwarded", "host=evil.test").header("origin", "https://evil.test");
    let answer = app.request(request.json(&registration(EMAIL, ORGANIZATION))).await;
    assert_eq!(answer.status, 200);
    let mail = app.mail().await;
    assert!(mail.contains("https://pm415.example.test/account/verify/?token="), "{mail}");
    assert!(!mail.contains("evil.test"));
}

//! Who am I, API keys, and what opens these.

use super::{EMAIL, ORGANIZATION, refusal, whole};
use crate::app::{PASSWORD, TestApp, story};

fn stranger() -> (u16, String) {
    refusal(401, "Unauthorized", "Authentication required")
}

const MEMBERS_ONLY: [(&str, &str); 4] = [
    ("GET", "/api/user"),
    ("GET", "/api/user/apikey"),
    ("POST", "/api/user/apikey"),
    ("POST", "/api/org/1/invitelink"),
];

story!(a_member_sees_himself_and_his_organizations);
async fn a_member_sees_himself_and_his_organizations(app: TestApp) {
    let id = app.registered(EMAIL, ORGANIZATION).await;
    let token = app.sign_in(EMAIL, PASSWORD).await.field("token");
    let answer = app.with_bearer("GET", "/api/user", &token, None).await;
    let organization = app.organization_of(&token).await;
    assert_eq!(
        whole(&answer),
        (
            200,
            format!(
                r#"{{"success":true,"user":{{"id":{id},"email":"ada@example.test","firstName":"Ada","lastName":"Lovelace","organizations":[{{"id":{organization},"name":"Analytical Engines","roles":[{{"id":1,"role":"Admin"}}]}}]}},"organization":{{"id":{organization},"name":"Analytical Engines"}}}}"#
            )
        )
    );
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

story!(who_belongs_nowhere_has_no_organization);
async fn who_belongs_nowhere_has_no_organization(app: TestApp) {
    app.user("ada").await;
    let token = app.sign_in("ada", PASSWORD).await.field("token");
    let id = app.pool().public_id(&app.pool().find_user("ada").await.unwrap());
    let answer = app.with_bearer("GET", "/api/user", &token, None).await;
    let person = r#""email":"ada@example.test","firstName":null,"lastName":null,"organizations":[]"#;
    assert_eq!(answer.text, format!(r#"{{"success":true,"user":{{"id":{id},{person}}},"organization":null}}"#));
}

story!(a_token_of_v1_opens_it_too);
async fn a_token_of_v1_opens_it_too(app: TestApp) {
    let tokens = app.signed_in("ada").await;
    let token = tokens.field("access_token");
    assert_eq!(app.with_bearer("GET", "/api/user", &token, None).await.status, 200);
    app.revoke(&tokens.field("refresh_token")).await;
    assert_eq!(whole(&app.with_bearer("GET", "/api/user", &token, None).await), stranger());
}

story!(a_stranger_is_told_to_sign_in);
async fn a_stranger_is_told_to_sign_in(app: TestApp) {
    let signed_in = app.signed_in("ada").await;
    let (access, id) = (signed_in.field("access_token"), signed_in.field("id_token"));
    let refresh = signed_in.field("refresh_token");
    let nobody = "0".repeat(64);
    let values = [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some("Bearer nonsense".to_owned()),
        Some(format!("Basic {access}")),
        Some(access.clone()),
        Some(format!("Bearer {id}")),
        Some(format!("Bearer {refresh}")),
        Some(format!("Bearer {access}x")),
        Some(format!("Bearer {nobody}")),
    ];
    for (method, path) in MEMBERS_ONLY {
        for value in &values {
            let request = app.to(method, path);
            let request = value.iter().fold(request, |request, value| request.header("authorization", value));
            assert_eq!(whole(&app.request(request).await), stranger(), "{method} {path} {value:?}");
        }
        // A token in an address would end up in logs (RFC 6750 §2.3).
        let query = app.request(app.to(method, &format!("{path}?access_token={access}"))).await;
        assert_eq!(whole(&query), stranger());
    }
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = app.to("GET", "/api/user").header("authorization", format!("{scheme} {access}"));
        assert_eq!(app.request(request).await.status, 200, "{scheme}");
    }
}

story!(an_api_key_is_made_shown_replaced_and_accepted);
async fn an_api_key_is_made_shown_replaced_and_accepted(app: TestApp) {
    let token = app.registered_and_in(EMAIL, ORGANIZATION).await;
    let none = app.with_bearer("GET", "/api/user/apikey", &token, None).await;
    assert_eq!(none.whole(), (200, r#"{"success":true,"apikey":null}"#));

    let made = app.with_bearer("POST", "/api/user/apikey", &token, None).await;
    let key = made.field("apiKey");
    assert_eq!(whole(&made), (200, format!(r#"{{"success":true,"apiKey":"{key}"}}"#)));
    assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let shown = app.with_bearer("GET", "/api/user/apikey", &token, None).await;
    assert_eq!(whole(&shown), (200, format!(r#"{{"success":true,"apikey":"{key}"}}"#)));
    let myself = app.with_bearer("GET", "/api/user", &token, None).await;
    assert_eq!(app.with_bearer("GET", "/api/user", &key, None).await.whole(), myself.whole());

    let next = app.with_bearer("POST", "/api/user/apikey", &key, None).await.field("apiKey");
    assert_ne!(next, key);
    assert_eq!(whole(&app.with_bearer("GET", "/api/user", &key, None).await), stranger());
    // No sign-in stands behind a key: it lives on when the token's week is over.
    app.clock.advance_seconds(8 * 24 * 3600);
    assert_eq!(whole(&app.with_bearer("GET", "/api/user", &token, None).await), stranger());
    assert_eq!(app.with_bearer("GET", "/api/user", &next, None).await.status, 200);
}

story!(a_disabled_user_has_no_way_in);
async fn a_disabled_user_has_no_way_in(app: TestApp) {
    let token = app.registered_and_in(EMAIL, ORGANIZATION).await;
    let key = app.with_bearer("POST", "/api/user/apikey", &token, None).await.field("apiKey");
    app.pool().disable_user(EMAIL).await.unwrap();
    let inactive = refusal(403, "Forbidden", "User not confirmed or inactive");
    for (method, path) in MEMBERS_ONLY {
        for way in [&token, &key] {
            let answer = whole(&app.with_bearer(method, path, way, None).await);
            assert!(answer == inactive || answer == stranger(), "{method} {path} {answer:?}");
        }
    }
    app.pool().delete_user(EMAIL).await.unwrap();
    for way in [&token, &key] {
        assert_eq!(whole(&app.with_bearer("GET", "/api/user", way, None).await), stranger());
    }
}

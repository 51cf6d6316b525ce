//! Keys as others see them: the JWKS, the discovery document, how long both may be kept, and a key's whole life.

use cognate::keys::Algorithm;
use cognate::pool::{Surface, Terms};
use jsonwebtoken::jwk::JwkSet;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, part, story};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// How long before its first signature a key is published: as long as a key set may be kept, and two readings of five
/// seconds by a replica that takes its time.
const AHEAD: u64 = HOUR + 10;
const NOT_FOUND: (u16, &str) = (404, r#"{"status":404,"message":"Not Found"}"#);

async fn published(app: &TestApp, document: &str) -> Answer {
    app.get(&format!("/{}/.well-known/{document}", app.pool().id())).await
}

async fn kids(app: &TestApp) -> Vec<String> {
    let set = published(app, "jwks.json").await.json();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The id of the key that signs now.
async fn signer(app: &TestApp) -> String {
    kid(&app.login("alice", crate::app::PASSWORD).await.field("access_token"))
}

fn kid(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

/// Whether `token` verifies with what is published now, as a library that knows nothing of us does it.
async fn verifies(app: &TestApp, token: &str) -> bool {
    let set: JwkSet = serde_json::from_str(&published(app, "jwks.json").await.text).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let Some(jwk) = set.find(&header.kid.unwrap()) else { return false };
    let mut rules = jsonwebtoken::Validation::new(header.alg);
    (rules.validate_exp, rules.validate_aud) = (false, false);
    let key = jsonwebtoken::DecodingKey::from_jwk(jwk).unwrap();
    jsonwebtoken::decode::<Value>(token, &key, &rules).is_ok()
}

// B03
story!(the_key_set_holds_public_keys_and_may_be_kept_as_long_as_a_key_is_published_ahead);
async fn the_key_set_holds_public_keys_and_may_be_kept_as_long_as_a_key_is_published_ahead(app: TestApp) {
    let answer = published(&app, "jwks.json").await;
    let set = answer.json();
    let key = &set["keys"][0];
    let whole = json!({ "keys": [{
        "alg": "RS256", "e": "AQAB", "kid": app.pool().keys()[0].kid, "kty": "RSA", "n": key["n"], "use": "sig",
    }] });
    assert_eq!((answer.status, set.clone()), (200, whole));
    assert_eq!(cognate::crypto::decode(key["n"].as_str().unwrap()).unwrap().len(), 256);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

// S07
story!(the_discovery_document_says_what_is_served_and_no_more, |config| {
    config.http.public_url = Some("https://id.acme.test/auth/".parse().unwrap());
});
async fn the_discovery_document_says_what_is_served_and_no_more(app: TestApp) {
    let pool = app.pool().id().to_owned();
    let request = app.to("GET", &format!("/{pool}/.well-known/openid-configuration"));
    let answer = app.request(request.header("Host", "evil.test").header("X-Forwarded-Host", "evil.test")).await;
    let whole = json!({
        "issuer": format!("https://id.acme.test/auth/{pool}"),
        "jwks_uri": format!("https://id.acme.test/auth/{pool}/.well-known/jwks.json"),
        "id_token_signing_alg_values_supported": ["RS256"],
        "subject_types_supported": ["public"],
        "response_types_supported": [],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "jti", "origin_jti", "event_id", "token_use",
            "cognito:username", "cognito:groups", "email", "email_verified", "phone_number", "phone_number_verified",
        ],
    });
    assert_eq!((answer.status, answer.json()), (200, whole.clone()));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let access = app.signed_in("alice").await.field("access_token");
    assert_eq!(crate::app::claims(&access)["iss"], whole["issuer"]);
}

story!(who_has_a_document_already_is_told_so_without_it);
async fn who_has_a_document_already_is_told_so_without_it(app: TestApp) {
    for document in ["jwks.json", "openid-configuration"] {
        let path = format!("/{}/.well-known/{document}", app.pool().id());
        let etag = app.get(&path).await.header("etag").unwrap().to_owned();
        assert!(etag.len() > 20 && etag.starts_with('"') && etag.ends_with('"'));
        for known in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
            // Every replica knows the tag that any of them gave.
            let answer = app.request(app.to("GET", &path).header("If-None-Match", &known)).await;
            assert_eq!(answer.whole(), (304, ""), "{known}");
            assert_eq!(answer.header("etag"), Some(etag.as_str()));
            assert_eq!(answer.header("cache-control"), Some("public, max-age=3600"));
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        }
        let other = app.request(app.to("GET", &path).header("If-None-Match", "\"other\"")).await;
        assert_eq!((other.status, other.header("etag")), (200, Some(etag.as_str())));
        let head = app.request(app.to("HEAD", &path)).await;
        assert_eq!((head.whole(), head.header("etag")), ((200, ""), Some(etag.as_str())));
    }
}

story!(a_pool_that_does_not_exist_has_no_documents);
async fn a_pool_that_does_not_exist_has_no_documents(app: TestApp) {
    for pool in ["us-east-1_Nothing00", "%2e%2e", "us-east-1_%00", &app.pool().id().to_uppercase()] {
        for document in ["jwks.json", "openid-configuration"] {
            let answer = app.get(&format!("/{pool}/.well-known/{document}")).await;
            assert_eq!(answer.whole(), NOT_FOUND, "{pool}");
        }
    }
    assert_eq!(app.get(&format!("/{}/.well-known/nothing", app.pool().id())).await.whole(), NOT_FOUND);
}

// R20
story!(a_rotated_key_is_published_an_hour_before_it_signs_and_the_old_one_until_its_last_token_has_expired, |config| {
    // Where no token lives longer than a day.
    config.pm415.access_token = cognate::config::Period::hours(24);
});
async fn a_rotated_key_is_published_an_hour_before_it_signs_and_the_old_one_until_its_last_token_has_expired(
    app: TestApp,
) {
    app.user("alice").await;
    let old = signer(&app).await;
    let etag = published(&app, "jwks.json").await.header("etag").unwrap().to_owned();
    let new = app.api.pools.rotate_keys(&app.pool(), false).await.unwrap();
    assert_eq!((new.state.as_str(), new.active_from.0), ("published", 1_795_266_010_000));
    app.reload().await;
    assert_eq!(kids(&app).await, [new.kid.clone(), old.clone()]);
    assert_ne!(published(&app, "jwks.json").await.header("etag"), Some(etag.as_str()));
    app.clock.advance_seconds(AHEAD - 1);
    assert_eq!(signer(&app).await, old);
    let last = app.login("alice", crate::app::PASSWORD).await.field("access_token");
    app.clock.advance_seconds(1);
    for _ in 0..2 {
        assert_eq!(signer(&app).await, new.kid);
        assert!(app.accepts(&last).await && verifies(&app, &last).await);
    }
    // A day for the last token, the rest for clocks and caches.
    app.clock.advance_seconds(DAY + AHEAD - 1);
    app.reload().await;
    assert_eq!(kids(&app).await, [new.kid.clone(), old]);
    app.clock.advance_seconds(1);
    app.reload().await;
    assert_eq!(kids(&app).await, [new.kid]);
    assert!(!verifies(&app, &last).await);
}

/// The last token of a life, and the key that signed it.
async fn last_token(app: &TestApp, surface: Surface) -> String {
    let (pool, client) = app.api.pools.surface(surface).unwrap();
    let user = pool.prove(&client, "alice", crate::app::PASSWORD, [127, 0, 0, 1].into()).await.unwrap();
    pool.tokens_at_once(Terms::from(&client), &user).await.unwrap().access_token
}

/// Lets the next key sign, and answers its id.
async fn rotated(app: &TestApp) -> String {
    let new = app.api.pools.rotate_keys(&app.pool(), false).await.unwrap();
    app.clock.advance_seconds(AHEAD);
    app.reload().await;
    new.kid
}

// R20
story!(a_retired_key_stays_as_long_as_the_longest_lived_token_of_any_surface);
async fn a_retired_key_stays_as_long_as_the_longest_lived_token_of_any_surface(app: TestApp) {
    app.user("alice").await;
    let last = last_token(&app, Surface::Pm415).await;
    let old = kid(&last);
    let new = rotated(&app).await;
    app.clock.advance_seconds(7 * DAY - AHEAD - 1);
    app.reload().await;
    assert_eq!(kids(&app).await, [new.clone(), old.clone()]);
    assert!(verifies(&app, &last).await && app.accepts(&last).await);
    // Until the last token that it may have signed has expired everywhere.
    app.clock.advance_seconds(2 * AHEAD);
    app.reload().await;
    assert_eq!(kids(&app).await, [new.clone(), old]);
    app.clock.advance_seconds(1);
    app.reload().await;
    assert_eq!(kids(&app).await, [new]);
}

// R20
story!(a_retired_key_stays_for_the_tokens_of_a_client_that_was_shortened_or_deleted, |config| {
    config.pm415.access_token = cognate::config::Period::hours(1);
});
async fn a_retired_key_stays_for_the_tokens_of_a_client_that_was_shortened_or_deleted(app: TestApp) {
    app.user("alice").await;
    app.change_client(|client| client.access_token_seconds = 7 * DAY).await;
    let last = app.login("alice", crate::app::PASSWORD).await.field("access_token");
    app.change_client(|client| client.access_token_seconds = HOUR).await;
    app.clock.advance_seconds(HOUR);
    app.reload().await;
    let old = kid(&last);
    let new = rotated(&app).await;
    app.clock.advance_seconds(7 * DAY - HOUR - AHEAD - 1);
    app.reload().await;
    assert_eq!(kids(&app).await, [new.clone(), old.clone()]);
    assert!(verifies(&app, &last).await && app.accepts(&last).await);
    // The long life is forgotten by then: what signs now retires after a day again.
    app.clock.advance_seconds(2 * AHEAD + 1);
    app.reload().await;
    let newer = rotated(&app).await;
    app.clock.advance_seconds(DAY + AHEAD);
    app.reload().await;
    let left = kids(&app).await;
    assert!(left.contains(&newer) && !left.contains(&new), "{left:?}");
}

story!(a_key_is_followed_by_a_new_one_before_it_is_ninety_days_old);
async fn a_key_is_followed_by_a_new_one_before_it_is_ninety_days_old(app: TestApp) {
    app.user("alice").await;
    let old = signer(&app).await;
    app.clock.advance_seconds(90 * DAY - AHEAD - 1);
    app.reload().await;
    assert_eq!(kids(&app).await, [old.as_str()]);
    app.clock.advance_seconds(1);
    app.reload().await;
    let both = kids(&app).await;
    // All replicas agree on one new key.
    assert_eq!((both.len(), both[1].as_str()), (2, old.as_str()));
    assert_eq!(kids(&app).await, both);
    assert_eq!(signer(&app).await, old);
    app.clock.advance_seconds(AHEAD);
    for _ in 0..2 {
        assert_eq!(signer(&app).await, both[0]);
    }
}

story!(in_an_emergency_every_older_token_is_refused_at_once_and_sessions_go_on);
async fn in_an_emergency_every_older_token_is_refused_at_once_and_sessions_go_on(app: TestApp) {
    let app = app.doubled().await;
    let signed_in = app.signed_in("alice").await;
    let stolen = signed_in.field("access_token");
    let new = app.api.pools.rotate_keys(&app.pool(), true).await.unwrap();
    assert_eq!(new.state, "active");
    app.reload().await;
    for _ in 0..2 {
        assert_eq!(kids(&app).await, [new.kid.as_str()]);
        assert!(!app.accepts(&stolen).await && !verifies(&app, &stolen).await);
    }
    let refreshed = app.refresh("alice", &signed_in.field("refresh_token")).await.field("access_token");
    assert_eq!(kid(&refreshed), new.kid);
    assert!(app.accepts(&refreshed).await && app.accepts(&refreshed).await);
}

story!(after_an_emergency_no_replica_signs_with_the_dropped_key_or_takes_what_it_signed);
async fn after_an_emergency_no_replica_signs_with_the_dropped_key_or_takes_what_it_signed(app: TestApp) {
    app.user("alice").await;
    // None of these has read the keys since.
    let (refreshing, verifying, signing_in) = (app.replica().await, app.replica().await, app.replica().await);
    let signed_in = app.login("alice", crate::app::PASSWORD).await;
    let new = app.api.pools.rotate_keys(&app.pool(), true).await.unwrap();
    let refreshed = refreshing.refresh("alice", &signed_in.field("refresh_token")).await;
    assert_eq!(kid(&refreshed.field("access_token")), new.kid);
    assert!(!verifying.accepts(&signed_in.field("access_token")).await);
    let again = signing_in.login("alice", crate::app::PASSWORD).await;
    assert_eq!(kid(&again.field("access_token")), new.kid);
    assert!(verifying.accepts(&again.field("access_token")).await);
}

story!(a_replica_that_has_not_read_a_key_yet_fetches_it_instead_of_refusing);
async fn a_replica_that_has_not_read_a_key_yet_fetches_it_instead_of_refusing(app: TestApp) {
    let late = app.replica().await;
    app.user("alice").await;
    let old = app.login("alice", crate::app::PASSWORD).await.field("access_token");
    app.clock.advance_seconds(2);
    app.api.pools.rotate_keys(&app.pool(), true).await.unwrap();
    app.reload().await;
    let new = app.login("alice", crate::app::PASSWORD).await.field("access_token");
    assert_ne!(kid(&old), kid(&new));
    assert!(late.accepts(&new).await);
    assert!(!late.accepts(&old).await, "what it fetched is the whole set");
}

story!(a_pool_changes_its_algorithm_the_way_it_rotates);
async fn a_pool_changes_its_algorithm_the_way_it_rotates(app: TestApp) {
    app.user("alice").await;
    let algorithms = async || published(&app, "openid-configuration").await.json();
    let mut expected = vec!["RS256"];
    for (algorithm, name, members) in [
        (Algorithm::ES256, "ES256", json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig" })),
        (Algorithm::EdDSA, "EdDSA", json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig" })),
    ] {
        let before = app.login("alice", crate::app::PASSWORD).await.field("access_token");
        app.change_pool(|pool| pool.algorithm = algorithm).await;
        assert_eq!(signer(&app).await, kid(&before), "published before it signs");
        expected.push(name);
        expected.sort_unstable();
        assert_eq!(algorithms().await["id_token_signing_alg_values_supported"], json!(expected));
        app.clock.advance_seconds(AHEAD);
        let answer = app.login("alice", crate::app::PASSWORD).await;
        for token in [answer.field("access_token"), answer.field("id_token")] {
            assert_eq!(part(&token, 0), json!({ "kid": kid(&token), "alg": name }));
            assert!(verifies(&app, &token).await);
        }
        assert!(app.accepts(&answer.field("access_token")).await && app.accepts(&before).await);
        let key = published(&app, "jwks.json").await.json()["keys"][0].clone();
        for (member, value) in members.as_object().unwrap() {
            assert_eq!(&key[member], value, "{member}");
        }
    }
}

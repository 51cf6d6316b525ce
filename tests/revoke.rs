//! Revoking: a session ends at once, everywhere and for good, and no other does.

use cognate::pool::client::Rotation;
use futures_util::future::join_all;
use serde_json::json;

use crate::app::{PASSWORD, TestApp, story};

const NOT_REFRESHED: (u16, &str) = (401, r#"{"status":401,"message":"Unauthorized."}"#);
const NOT_REVOKED: (u16, &str) = (401, r#"{"status":401,"message":"Unauthorized"}"#);

// C07, C09
story!(a_revoked_session_is_dead_on_every_replica_and_its_siblings_live);
async fn a_revoked_session_is_dead_on_every_replica_and_its_siblings_live(app: TestApp) {
    let app = app.doubled().await;
    let signed_in = app.signed_in("alice").await;
    let (refresh, access) = (signed_in.field("refresh_token"), signed_in.field("access_token"));
    let sibling = app.login("alice", PASSWORD).await;
    let refreshed = app.refresh("alice", &refresh).await.field("access_token");
    let answer = app.revoke(&refresh).await;
    assert_eq!(answer.whole(), (204, ""));
    assert_eq!((answer.header("content-type"), answer.header("cache-control")), (None, Some("no-store")));
    for _ in 0..2 {
        assert_eq!(app.refresh("alice", &refresh).await.whole(), NOT_REFRESHED);
    }
    for token in [&access, &access, &refreshed, &refreshed] {
        let answer = app.change_password(token, PASSWORD, "another long password").await;
        assert_eq!(answer.whole(), (401, r#"{"status":401,"message":"Incorrect username or password."}"#));
    }
    assert!(app.accepts(&sibling.field("access_token")).await);
    assert_eq!(app.refresh("alice", &sibling.field("refresh_token")).await.status, 200);
}

// C10
story!(revoking_again_succeeds);
async fn revoking_again_succeeds(app: TestApp) {
    let refresh = app.signed_in("alice").await.field("refresh_token");
    for _ in 0..4 {
        assert_eq!(app.revoke(&refresh).await.whole(), (204, ""));
    }
    // So does revoking what has long expired: the caller wants it dead, and it is.
    let expired = app.login("alice", PASSWORD).await.field("refresh_token");
    app.clock.advance_seconds(91 * 86_400);
    assert_eq!(app.revoke(&expired).await.whole(), (204, ""));
    assert_eq!(app.revoke(&refresh).await.whole(), (204, ""));
}

// C11
story!(only_a_refresh_token_revokes);
async fn only_a_refresh_token_revokes(app: TestApp) {
    let signed_in = app.signed_in("alice").await;
    let refresh = signed_in.field("refresh_token");
    for other in [signed_in.field("access_token"), signed_in.field("id_token"), "garbage".to_owned(), refresh.repeat(2)]
    {
        assert_eq!(app.revoke(&other).await.whole(), NOT_REVOKED);
    }
    let nothing = app.post("/v1/token-revoke", json!({})).await;
    assert_eq!(nothing.whole(), (422, r#"{"status":422,"message":"refresh_token is required."}"#));
    assert!(app.accepts(&signed_in.field("access_token")).await);
    assert_eq!(app.refresh("alice", &refresh).await.status, 200);
}

story!(a_rotated_out_token_still_ends_its_session);
async fn a_rotated_out_token_still_ends_its_session(app: TestApp) {
    app.change_client(|client| client.rotation = Some(Rotation { grace_seconds: 10 })).await;
    let first = app.signed_in("alice").await.field("refresh_token");
    let second = app.refresh("alice", &first).await.field("refresh_token");
    assert_eq!(app.revoke(&first).await.status, 204);
    assert_eq!(app.refresh("alice", &second).await.whole(), NOT_REFRESHED);
}

// C08, R24
story!(nothing_that_a_racing_refresh_yields_survives_a_revoke);
async fn nothing_that_a_racing_refresh_yields_survives_a_revoke(app: TestApp) {
    let app = app.doubled().await;
    app.user("alice").await;
    for rotation in [None, Some(Rotation { grace_seconds: 10 })] {
        app.change_client(|client| client.rotation = rotation).await;
        for _ in 0..6 {
            let token = app.login("alice", PASSWORD).await.field("refresh_token");
            let refreshes = join_all((0..2).map(|_| app.refresh("alice", &token)));
            let (refreshed, revoked) = tokio::join!(refreshes, app.revoke(&token));
            assert_eq!(revoked.status, 204);
            for answer in refreshed {
                if answer.status == 401 {
                    continue;
                }
                assert_eq!(answer.status, 200, "{}", answer.text);
                assert!(!app.accepts(&answer.field("access_token")).await);
                let next = answer.json()["refresh_token"].as_str().map_or_else(|| token.clone(), str::to_owned);
                assert_eq!(app.refresh("alice", &next).await.whole(), NOT_REFRESHED);
            }
        }
    }
}

//! One master key follows another while the service runs: what is taken, what is refused, and what goes on meanwhile.

use cognate::config::{Config, Secret};
use cognate::keys::MasterKeys;
use cognate::pool::inspect;

use crate::app::{PASSWORD, TestApp, story};

const OLD: &str = "MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY=";
const NEW: &str = "ZmVkY2JhMDk4NzY1NDMyMWZlZGNiYTA5ODc2NTQzMjE=";
const LATER: (u16, &str) = (503, r#"{"status":503,"message":"Service is temporarily unavailable, please try again."}"#);

/// The master key comes from a file, as on Kubernetes.
fn with_a_file(config: &mut Config) {
    let file = config.data.join("master.key");
    std::fs::write(&file, OLD).unwrap();
    config.master_key = Some(Secret::new(OLD));
    config.master_key_file = Some(file);
}

fn write(app: &TestApp, keys: &str) {
    std::fs::write(app.config.data.join("master.key"), keys).unwrap();
}

/// Every replica looks at the file, as it does by itself every few seconds.
async fn follow(app: &TestApp) {
    for replica in app.replicas() {
        replica.api.ports.follow_master_keys().await.unwrap();
    }
    app.reload().await;
}

/// How many secrets there are, and how many of them are under another key than the first of `keys`.
async fn sealed(app: &TestApp, keys: &str) -> Option<(usize, usize)> {
    let found = inspect(&*app.api.ports.directory, &MasterKeys::parse(keys).unwrap()).await.ok()?.unwrap();
    Some((found.keys + 1, found.older))
}

story!(a_master_key_follows_another_without_a_restart_and_the_old_one_can_go, super::with_a_file);
async fn a_master_key_follows_another_without_a_restart_and_the_old_one_can_go(app: TestApp) {
    let app = app.doubled().await;
    let tokens = app.signed_in("alice").await;
    assert_eq!(sealed(&app, OLD).await, Some((2, 0)));
    // First all replicas can open it, then all seal by it.
    write(&app, &format!("{OLD}\n{NEW}\n"));
    follow(&app).await;
    assert_eq!(sealed(&app, OLD).await, Some((2, 0)));
    write(&app, &format!("{NEW}\n{OLD}\n"));
    follow(&app).await;
    assert_eq!((sealed(&app, NEW).await, sealed(&app, OLD).await), (Some((2, 0)), None));
    write(&app, NEW);
    follow(&app).await;
    let made = app.api.pools.rotate_keys(&app.pool(), false).await.unwrap();
    app.reload().await;
    assert_eq!((sealed(&app, NEW).await, made.state.as_str()), (Some((3, 0)), "published"));
    // Who was not there knows the new key alone.
    let mut config = app.config.clone();
    config.master_key = Some(Secret::new(NEW));
    let fresh = app.replica_with(config).await;
    for one in [&app, &fresh] {
        assert!(one.accepts(&tokens.field("access_token")).await);
        assert_eq!(one.refresh("alice", &tokens.field("refresh_token")).await.status, 200);
    }
}

story!(a_file_that_is_broken_or_does_not_open_what_is_sealed_changes_nothing, super::with_a_file);
async fn a_file_that_is_broken_or_does_not_open_what_is_sealed_changes_nothing(app: TestApp) {
    app.user("alice").await;
    let file = app.config.data.join("master.key");
    let wanted = "; it must hold keys of 32 bytes in base64, the first seals, all open";
    for (text, fault) in [
        ("", format!("{}: there is no master key{wanted}", file.display())),
        ("c2VjcmV0", format!("{}: master key 1 has 6 bytes; it must have 32{wanted}", file.display())),
        (NEW, {
            let older = MasterKeys::parse(OLD).unwrap().id().to_owned();
            format!(
                "they do not open all that is sealed: it was sealed by master key {older}, which is not among the \
                 master keys given; put the older key back, behind the new one"
            )
        }),
    ] {
        write(&app, text);
        assert_eq!(app.api.ports.follow_master_keys().await, Err(fault));
        app.reload().await;
        assert_eq!(app.login("alice", PASSWORD).await.status, 200);
    }
    std::fs::remove_file(&file).unwrap();
    let gone = app.api.ports.follow_master_keys().await.unwrap_err();
    assert!(gone.contains("No such file") && gone.ends_with(wanted), "{gone}");
    assert_eq!(sealed(&app, OLD).await, Some((2, 0)));
    // And none of this is in the way of the right one.
    write(&app, &format!("{NEW} {OLD}"));
    follow(&app).await;
    assert_eq!(sealed(&app, NEW).await, Some((2, 0)));
}

story!(what_another_replica_sealed_anew_is_open_here_already, super::with_a_file);
async fn what_another_replica_sealed_anew_is_open_here_already(app: TestApp) {
    let tokens = app.signed_in("alice").await;
    let hasty = app.replica().await;
    hasty.api.ports.master.replace(MasterKeys::parse(&format!("{NEW} {OLD}")).unwrap());
    hasty.reload().await;
    assert_eq!((sealed(&app, NEW).await, sealed(&app, OLD).await), (Some((2, 0)), None));
    // The file has only the old key still: nothing of it is needed here, and nothing is sealed back.
    app.reload().await;
    assert_eq!(app.login("alice", PASSWORD).await.status, 200);
    assert_eq!(app.refresh("alice", &tokens.field("refresh_token")).await.status, 200);
    assert!(app.accepts(&tokens.field("access_token")).await);
    assert_eq!(sealed(&app, NEW).await, Some((2, 0)));
}

story!(a_key_that_does_not_open_yet_is_a_503_until_the_file_has_its_master_key, super::with_a_file);
async fn a_key_that_does_not_open_yet_is_a_503_until_the_file_has_its_master_key(app: TestApp) {
    let before = app.signed_in("alice").await;
    let hasty = app.replica().await;
    hasty.api.ports.master.replace(MasterKeys::parse(&format!("{NEW} {OLD}")).unwrap());
    app.clock.advance_seconds(2);
    hasty.api.pools.rotate_keys(&hasty.pool(), true).await.unwrap();
    hasty.reload().await;
    let token = hasty.login("alice", PASSWORD).await.field("access_token");
    for replica in app.replicas() {
        for answer in [
            replica.login("alice", PASSWORD).await,
            replica.refresh("alice", &before.field("refresh_token")).await,
            replica.change_password(&token, PASSWORD, "another horse battery").await,
        ] {
            assert_eq!(answer.whole(), LATER);
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
    }
    write(&app, &format!("{OLD} {NEW}"));
    app.clock.advance_seconds(2);
    for replica in app.replicas() {
        assert_eq!(replica.login("alice", PASSWORD).await.status, 200, "it reads the file at once");
        assert!(replica.accepts(&token).await);
    }
}

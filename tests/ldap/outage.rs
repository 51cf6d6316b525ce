//! The directory away, slow, and back: an outage for its people, and for nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cognate::config::{Ldap, Period};
use futures_util::future::join_all;
use tokio::net::{TcpListener, TcpStream};

use super::{app, cause, outcome, register, sign_in, tokens};
use crate::app::{PASSWORD, TestApp};
use crate::servers::slapd::Slapd;

/// Deadlines that a test can wait for.
fn hasty(settings: Ldap) -> Ldap {
    Ldap { connect_timeout: Period::seconds(1), timeout: Period::seconds(2), ..settings }
}

async fn hasty_app(settings: Ldap) -> TestApp {
    TestApp::start_with(|config| config.ldap = hasty(settings)).await
}

// P11
#[tokio::test]
async fn a_directory_that_is_away_is_an_outage_in_time_and_works_again_without_a_restart() {
    for direct in [false, true] {
        let mut slapd = Slapd::start();
        let (settings, name) =
            if direct { (slapd.settings_directly(), "carol") } else { (slapd.settings_with_service(), "alice") };
        let app = hasty_app(settings).await;
        let word = format!("{name}'s word");
        register(&app, name).await.unwrap();
        let session = tokens(&app, name, &word).await;
        app.user("local").await;
        for frozen in [true, false] {
            if frozen {
                slapd.signal("STOP")
            } else {
                slapd.kill()
            }
            // Many times: an outage is no attempt, so nobody is locked out by it.
            for password in [word.as_str(), "a guess", word.as_str()] {
                let started = Instant::now();
                cause(sign_in(&app, name, password).await);
                assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
            }
            // Everybody else signs in, sessions go on, and the replica stays ready.
            assert_eq!(app.login("local", PASSWORD).await.status, 200);
            assert!(app.accepts(&session.access_token).await);
            assert_eq!(app.get("/readyz").await.status, 200);
            if frozen {
                slapd.signal("CONT")
            } else {
                slapd.up()
            }
            assert_eq!(outcome(&sign_in(&app, name, &word).await), "signed in");
        }
    }
}

#[tokio::test]
async fn outages_do_not_count_as_attempts_and_wrong_passwords_do() {
    let mut slapd = Slapd::start();
    let app = hasty_app(slapd.settings_with_service()).await;
    register(&app, "alice").await.unwrap();
    slapd.kill();
    for _ in 0..10 {
        cause(sign_in(&app, "alice", "a guess").await);
    }
    slapd.up();
    for _ in 0..5 {
        assert_eq!(outcome(&sign_in(&app, "alice", "a guess").await), "not_authorized");
    }
    // However the name is written, it is one account.
    for name in ["alice", r"CORP\ALICE", "alice@corp.example.test"] {
        assert_eq!(outcome(&sign_in(&app, name, "alice's word").await), "too_many_requests");
    }
    for _ in 0..5 {
        assert_eq!(outcome(&sign_in(&app, "ghost", "a guess").await), "not_authorized");
    }
    assert_eq!(outcome(&sign_in(&app, "ghost", "a guess").await), "too_many_requests");
}

#[tokio::test]
async fn connections_that_broke_while_they_rested_are_replaced() {
    let mut slapd = Slapd::start();
    let app = app(slapd.settings_with_service()).await;
    register(&app, "alice").await.unwrap();
    register(&app, "bob").await.unwrap();
    for _ in 0..3 {
        let both = join_all([sign_in(&app, "alice", "alice's word"), sign_in(&app, "bob", "bob's word")]).await;
        for one in both {
            one.unwrap_or_else(|error| panic!("{}", cognate::error::chain(&error)));
        }
        slapd.kill();
        slapd.up();
    }
}

/// A way to a server that counts how many go it at once.
async fn counted(to: u16) -> (u16, Arc<AtomicU32>, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (now, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (present, peak) = (now.clone(), most.clone());
    tokio::spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            let (present, peak) = (present.clone(), peak.clone());
            tokio::spawn(async move {
                peak.fetch_max(present.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut caller, &mut server).await;
                present.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    (port, now, most)
}

#[tokio::test]
async fn many_sign_ins_share_few_connections_and_nobody_is_taken_for_another() {
    let slapd = Slapd::shared().await;
    let (port, now, most) = counted(slapd.tls_port).await;
    let url = Some(format!("ldaps://127.0.0.1:{port}").parse().unwrap());
    let app = app(Ldap { url, connections: 4, ..slapd.settings_with_service() }).await;
    let people = ["alice", "bob", "o'neil, (ann) *", "a+b=\"c\""];
    for name in people {
        register(&app, name).await.unwrap();
    }
    let each = (0..32).map(|turn| {
        let (app, name, other) = (&app, people[turn % 4], people[(turn / 4) % 4]);
        async move {
            // Every second one tries with a word of somebody, mostly not his own.
            let word = if turn % 8 < 4 { name } else { other };
            (name, word, sign_in(app, name, &format!("{word}'s word")).await)
        }
    });
    for (name, word, result) in join_all(each).await {
        assert_eq!(outcome(&result), if name == word { "signed in" } else { "not_authorized" }, "{name} {word}");
        assert!(result.is_err() || result.unwrap().username == format!(r"CORP\{name}"));
    }
    let (now, most) = (now.load(Ordering::SeqCst), most.load(Ordering::SeqCst));
    assert!((1..=4).contains(&now) && (1..=4).contains(&most), "{now} of {most}");
}

//! The outbox: mail survives a mail server's bad hour and a restart, goes out once, and a dump of the store does not
//! show what it carries.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use cognate::clock::{Clock, Timestamp};
use cognate::config;
use cognate::crypto::{Random, RootSecret};
use cognate::outbound::mail::{Mail, Mailer};
use cognate::pool::outbox::Outbox;
use cognate::store::directory::Directory;
use cognate::store::sql::{self, Sql};
use tokio::sync::watch;

use crate::servers::smtp::{Manner, Security, SmtpServer};

/// A clock that stands until it is moved.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl Hand {
    fn advance(&self, duration: Duration) {
        self.0.fetch_add(cognate::clock::millis(duration), Ordering::SeqCst);
    }
}

const START: i64 = 1_800_000_000_000;
const IN_AN_HOUR: Timestamp = Timestamp(START + 3_600_000);

struct Stage {
    folder: tempfile::TempDir,
    clock: Hand,
    store: Arc<Sql>,
}

impl Stage {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Hand(Arc::new(AtomicI64::new(START)));
        let store = Arc::new(open(folder.path()).await);
        Self { folder, clock, store }
    }

    /// An outbox of one replica, sending to this port; port 0 means files.
    fn outbox(&self, port: u16) -> Arc<Outbox> {
        self.patient_outbox(port, config::Period::seconds(20))
    }

    fn patient_outbox(&self, port: u16, timeout: config::Period) -> Arc<Outbox> {
        let url = if port == 0 { "file".to_owned() } else { format!("smtp://127.0.0.1:{port}") };
        let settings = config::Mail { url: config::Secret::new(url), timeout, ..config::Mail::default() };
        Arc::new(Outbox::new(
            Arc::clone(&self.store) as Arc<dyn Directory>,
            Arc::new(Mailer::open(&settings, self.folder.path()).unwrap()),
            RootSecret::new([7; 32]).seal_key("outbox", "").unwrap(),
            Arc::new(self.clock.clone()),
            Random::default(),
        ))
    }

    /// Whether a mail is due now; it is then held for a second.
    async fn something_is_due(&self) -> bool {
        let now = self.clock.now();
        self.store.claim_mail(now, now.plus(Duration::from_secs(1))).await.unwrap().is_some()
    }
}

async fn open(folder: &Path) -> Sql {
    let url = format!("sqlite:{}", folder.join("cognate.db").display());
    sql::open(&url, &config::DirectoryStore::default()).await.unwrap()
}

fn mail(text: &str) -> Mail {
    Mail {
        to: "ann@example.com".to_owned(),
        subject: "Your code".to_owned(),
        text: text.to_owned(),
        html: format!("<p>{text}</p>"),
    }
}

#[tokio::test]
async fn a_mail_is_delivered_once_and_then_gone() {
    let stage = Stage::new().await;
    let server = SmtpServer::start(Manner::Accepts);
    let outbox = stage.outbox(server.port);
    for code in ["111111", "222222", "333333", "444444", "555555", "666666"] {
        outbox.enqueue(Some(&mail(code)), IN_AN_HOUR).await.unwrap();
    }
    // Two replicas at once.
    let (one, other) = (stage.outbox(server.port), outbox);
    let (one, other) = tokio::join!(one.deliver_due(), other.deliver_due());
    assert_eq!(one.unwrap() + other.unwrap(), 6);
    let mut texts: Vec<_> = server.receives(6).await.into_iter().map(|mail| mail.text.trim().to_owned()).collect();
    texts.sort();
    assert_eq!(texts, ["111111", "222222", "333333", "444444", "555555", "666666"]);
    stage.clock.advance(Duration::from_secs(1800));
    assert!(!stage.something_is_due().await);
}

#[tokio::test]
async fn while_the_mail_server_is_away_the_same_code_waits_longer_each_time() {
    // R31
    let stage = Stage::new().await;
    let server = SmtpServer::start(Manner::SaysLater);
    let port = server.port;
    let outbox = stage.outbox(port);
    outbox.enqueue(Some(&mail("123456")), IN_AN_HOUR).await.unwrap();
    assert_eq!(outbox.deliver_due().await.unwrap(), 0, "451");
    drop(server);
    // 5 s, 10 s, 20 s … and up to a tenth more.
    for pause in [5, 10, 20, 40] {
        stage.clock.advance(Duration::from_secs(pause) - Duration::from_millis(1));
        assert_eq!(outbox.deliver_due().await.unwrap(), 0);
        assert!(!stage.something_is_due().await, "not before {pause} s");
        stage.clock.advance(Duration::from_millis(pause * 100 + 1));
        assert_eq!(outbox.deliver_due().await.unwrap(), 0, "no connection");
    }
    // The process starts anew, and so does the mail server.
    let stage = Stage { store: Arc::new(open(stage.folder.path()).await), ..stage };
    let server = SmtpServer::start_on(port, Manner::Accepts, Security::default());
    stage.clock.advance(Duration::from_secs(88));
    assert_eq!(stage.outbox(port).deliver_due().await.unwrap(), 1);
    assert_eq!(server.receives(1).await.remove(0).text.trim(), "123456");
}

#[tokio::test]
async fn a_mail_that_expires_before_the_next_try_is_dropped() {
    // R31
    let stage = Stage::new().await;
    let server = SmtpServer::start(Manner::SaysLater);
    let outbox = stage.outbox(server.port);
    outbox.enqueue(Some(&mail("123456")), Timestamp(START + 4_000)).await.unwrap();
    assert_eq!(outbox.deliver_due().await.unwrap(), 0);
    assert_eq!(stage.store.purge(IN_AN_HOUR).await.unwrap(), 0, "it is gone already");
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn a_mail_the_server_refuses_for_good_is_dropped_and_does_not_hold_up_the_next() {
    // R31
    let stage = Stage::new().await;
    let never = SmtpServer::start(Manner::SaysNever);
    let outbox = stage.outbox(never.port);
    outbox.enqueue(Some(&mail("123456")), IN_AN_HOUR).await.unwrap();
    assert_eq!(outbox.deliver_due().await.unwrap(), 0);
    stage.clock.advance(Duration::from_secs(1800));
    assert!(!stage.something_is_due().await);

    let server = SmtpServer::start(Manner::Accepts);
    let mut nobody = mail("654321");
    nobody.to = "no address".to_owned();
    let outbox = stage.outbox(server.port);
    outbox.enqueue(Some(&nobody), IN_AN_HOUR).await.unwrap();
    outbox.enqueue(Some(&mail("777777")), IN_AN_HOUR).await.unwrap();
    assert_eq!(outbox.deliver_due().await.unwrap(), 1);
    assert_eq!(server.receives(1).await.remove(0).text.trim(), "777777");
}

#[tokio::test]
async fn a_decoy_looks_the_same_in_the_store_and_goes_nowhere() {
    // D02, E01
    let stage = Stage::new().await;
    let server = SmtpServer::start(Manner::Accepts);
    let outbox = stage.outbox(server.port);
    let mut to_nobody = mail("123456");
    to_nobody.to.clear();
    let mut sizes = Vec::new();
    for enqueued in [None, Some(&to_nobody), Some(&mail("123456"))] {
        outbox.enqueue(enqueued, IN_AN_HOUR).await.unwrap();
        let now = stage.clock.now();
        let row = stage.store.claim_mail(now, now).await.unwrap().unwrap();
        sizes.push(row.sealed.len());
        assert_eq!(outbox.deliver_due().await.unwrap(), usize::from(sizes.len() == 3));
    }
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
    assert_eq!(server.receives(1).await.len(), 1);
    assert_eq!(stage.store.purge(IN_AN_HOUR).await.unwrap(), 0, "nothing is left");
}

#[tokio::test]
async fn what_is_stored_shows_nothing_and_fits_no_other_row() {
    // I01
    let stage = Stage::new().await;
    let outbox = stage.outbox(0);
    outbox.enqueue(Some(&mail("123456")), IN_AN_HOUR).await.unwrap();
    let now = stage.clock.now();
    let mut row = stage.store.claim_mail(now, now).await.unwrap().unwrap();
    for secret in ["ann@example.com", "123456", "Your code"] {
        assert!(!row.sealed.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
    stage.store.finish_mail(row.id).await.unwrap();
    row.id = Random::default().uuid().unwrap();
    stage.store.enqueue_mail(&row).await.unwrap();
    assert_eq!(outbox.deliver_due().await.unwrap(), 0, "bound to its id");
}

#[tokio::test]
async fn the_worker_sends_at_once_waits_out_a_slow_server_and_stops_when_told() {
    let stage = Stage::new().await;
    let server = SmtpServer::start(Manner::Accepts);
    let outbox = stage.outbox(server.port);
    let (stop, stopped) = watch::channel(false);
    let worker = tokio::spawn(Arc::clone(&outbox).run(stopped));
    outbox.enqueue(Some(&mail("123456")), IN_AN_HOUR).await.unwrap();
    assert_eq!(server.receives(1).await.len(), 1);
    // Enqueued by another replica: found by polling.
    stage.outbox(server.port).enqueue(Some(&mail("654321")), IN_AN_HOUR).await.unwrap();
    assert_eq!(server.receives(2).await.len(), 2);
    stop.send(true).unwrap();
    tokio::time::timeout(Duration::from_secs(10), worker).await.unwrap().unwrap();

    let hanging = SmtpServer::start(Manner::Hangs);
    let outbox = stage.patient_outbox(hanging.port, config::Period::milliseconds(900));
    let (stop, stopped) = watch::channel(false);
    let worker = tokio::spawn(Arc::clone(&outbox).run(stopped));
    // Returns although no mail server ever answers.
    outbox.enqueue(Some(&mail("123456")), IN_AN_HOUR).await.unwrap();
    drop(stop);
    tokio::time::timeout(Duration::from_secs(10), worker).await.unwrap().unwrap();
}

#[tokio::test]
async fn without_a_server_the_worker_writes_files() {
    let stage = Stage::new().await;
    let outbox = stage.outbox(0);
    outbox.enqueue(Some(&mail("123456")), IN_AN_HOUR).await.unwrap();
    assert_eq!(outbox.deliver_due().await.unwrap(), 1);
    let files: Vec<_> = std::fs::read_dir(stage.folder.path().join("mail")).unwrap().collect();
    assert_eq!(files.len(), 1);
}

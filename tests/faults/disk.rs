//! R15 and R17 on a disk of its own: full, and read-only. Needs root to mount it.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cognate::error::Error;
use cognate::store::directory::{Directory, User};
use cognate::store::sql::{self, Sql, backup};
use cognate::store::tokens::TokenStore;
use tempfile::TempDir;

use super::verbs::{LATER, NOW, POOL, all, assert_all_answered, mail, session, user, uuid};
use crate::store::sql::patient;

/// A small disk in memory, unmounted when dropped, also by a failing test.
struct Disk(TempDir);

impl Disk {
    fn of(size: &str) -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", disk.path().to_str().unwrap()]);
        disk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn fill(&self) {
        let mut filler = File::create(self.path().join("filler")).unwrap();
        while filler.write_all(&[0; 512]).is_ok() {}
    }

    fn free(&self) {
        std::fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["--lazy", self.path().to_str().unwrap()]);
    }
}

fn run(program: &str, args: &[&str]) {
    let outcome = Command::new(program).args(args).output().unwrap();
    assert!(outcome.status.success(), "{program} (needs root): {}", String::from_utf8_lossy(&outcome.stderr));
}

async fn open(path: &Path) -> Result<Sql, String> {
    sql::open(&format!("sqlite:{}", path.display()), &patient()).await
}

/// Writes mails until the disk is full.
async fn write_until_full(store: &Sql) {
    for _ in 0..500 {
        match store.enqueue_mail(&mail(20_000)).await {
            Ok(()) => {}
            Err(Error::Unavailable { .. }) => return,
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("the disk never became full");
}

async fn refused_as_full(store: &Sql) {
    let outcome = store.enqueue_mail(&mail(20_000)).await;
    assert!(matches!(outcome, Err(Error::Unavailable { .. })), "{outcome:?}");
}

// R15
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_reads_go_on_and_revoking_still_commits_and_room_heals_it() {
    let disk = Disk::of("8m");
    let path = disk.path().join("cognate.db");
    let store = open(&path).await.unwrap();
    let ada = store.create_user(&user("ada")).await.unwrap();
    let (one, two) = (session(), session());
    store.open_session(&one).await.unwrap();
    store.open_session(&two).await.unwrap();
    disk.fill();
    write_until_full(&store).await;

    // Reads go on.
    assert_eq!(store.user(POOL, ada.sub).await.unwrap(), Some(ada.clone()));
    assert_eq!(store.session(&one.key(), NOW).await.unwrap(), Some(one.clone()));

    // What takes away commits: dozens of times.
    assert!(TokenStore::end_session(&store, &one.key()).await.unwrap());
    Directory::end_session(&store, one.id, LATER).await.unwrap();
    store.update_user(&User { enabled: false, ..ada.clone() }).await.unwrap();
    for _ in 0..30 {
        Directory::end_session(&store, uuid(), LATER).await.unwrap();
    }
    assert_eq!(store.session(&one.key(), NOW).await.unwrap(), None);
    assert!(!store.user(POOL, ada.sub).await.unwrap().unwrap().enabled);

    // The room that was given up is not for others, and the store says so.
    refused_as_full(&store).await;
    assert!(matches!(Directory::ping(&store).await, Err(Error::Unavailable { .. })));

    // Room heals it, without a restart.
    disk.free();
    let limit = Instant::now() + Duration::from_secs(5);
    while store.enqueue_mail(&mail(20_000)).await.is_err() {
        assert!(Instant::now() < limit, "it did not recover");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(std::fs::metadata(disk.path().join("cognate.db.ballast")).unwrap().len(), 1 << 20);
    assert_all_answered(&all(&store).await);

    // All of it is on the disk, and the file is sound.
    drop(store);
    let store = open(&path).await.unwrap();
    assert!(store.session_owner(POOL, ada.sub, one.id).await.unwrap().unwrap().session_ended);
    assert_eq!(store.session(&two.key(), NOW).await.unwrap(), Some(two));
}

// R15
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_opened_on_a_full_disk_reads_and_revokes() {
    let disk = Disk::of("8m");
    let path = disk.path().join("cognate.db");
    let store = open(&path).await.unwrap();
    let one = session();
    store.open_session(&one).await.unwrap();
    disk.fill();
    write_until_full(&store).await;
    let second = open(&path).await.unwrap();
    assert_eq!(second.session(&one.key(), NOW).await.unwrap(), Some(one.clone()));
    assert!(TokenStore::end_session(&second, &one.key()).await.unwrap());
}

// R17
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_disk_refuses_to_start_with_one_line() {
    let disk = Disk::of("8m");
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("cognate.db")).await.unwrap();
    store.create_user(&user("ada")).await.unwrap();
    let path = disk.path().join("cognate.db");
    backup::backup(&folder.path().join("cognate.db"), &path).await.unwrap();
    run("mount", &["-o", "remount,ro", disk.path().to_str().unwrap()]);
    let line = open(&path).await.err().unwrap();
    assert!(line.contains("ead-only"), "{line}");
    assert!(!line.contains('\n'), "{line}");
}

//! The embedded store: killed while writing, damaged, locked.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cognate::config::{DirectoryStore, Period};
use cognate::crypto::Random;
use cognate::error::Error;
use cognate::store::directory::Directory;
use cognate::store::sql::{self, Sql, backup};
use sqlx::{Connection as _, Executor as _};

use super::verbs::{all, assert_all_answered, assert_back_within_two_seconds, document, session, user};
use crate::store::sql::patient;

/// Where the writing child finds its database.
const CHILD: &str = "COGNATE_TEST_CHILD_DATABASE";

async fn open(path: &Path) -> Result<Sql, String> {
    sql::open(&format!("sqlite:{}", path.display()), &patient()).await
}

/// A database in one file, closed.
async fn closed(folder: &Path) -> std::path::PathBuf {
    let store = open(&folder.join("source.db")).await.unwrap();
    for number in 0..200 {
        store.create_user(&user(&format!("user{number}"))).await.unwrap();
    }
    let path = folder.join("closed.db");
    backup::backup(&folder.join("source.db"), &path).await.unwrap();
    path
}

async fn refusal(path: &Path) -> String {
    let line = open(path).await.err().unwrap();
    assert!(!line.contains('\n'), "{line}");
    assert!(line.starts_with(&path.canonicalize().unwrap().display().to_string()), "{line}");
    line
}

/// Not a test of its own: the process that the next tests kill. It says each document that was committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of other tests"]
async fn child_that_writes() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let store = open(Path::new(&path)).await.unwrap();
    let run = Random::default().uuid().unwrap();
    let writers = (0..16).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0.. {
                let id = format!("{run}-{writer}-{number}");
                assert!(store.create_document(&document(&id)).await.unwrap());
                println!("committed {id}");
            }
        })
    });
    futures_util::future::join_all(writers).await;
}

/// Lets the child write for a while, kills it, and answers what it said was committed.
fn write_and_kill(path: &Path, writing: Duration) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["faults::sqlite::child_that_writes", "--exact", "--ignored", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let committed = |line: &String| line.starts_with("committed ");
    let first = lines.find(committed).unwrap();
    std::thread::sleep(writing);
    child.kill().unwrap();
    child.wait().unwrap();
    let said = std::iter::once(first).chain(lines.filter(committed));
    // The last line may have been cut by the kill.
    let mut said: Vec<_> = said.map(|line| line["committed ".len()..].to_owned()).collect();
    said.pop();
    said
}

// R16
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_fifteen_times_while_writing_nothing_committed_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cognate.db");
    let mut committed = Vec::new();
    for round in 0..15 {
        committed.extend(write_and_kill(&path, Duration::from_millis(10 + round * 17)));
        // Opening checks the whole file.
        let store = open(&path).await.unwrap();
        let kept: std::collections::HashSet<_> =
            store.documents("client", super::verbs::POOL).await.unwrap().into_iter().map(|one| one.id).collect();
        let lost: Vec<_> = committed.iter().filter(|id| !kept.contains(*id)).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?} of {}", committed.len());
    }
    assert!(committed.len() > 100, "only {} were written", committed.len());
}

// R17: what was cut off is lost, but what is left is whole and in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncated_log_yields_a_whole_earlier_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cognate.db");
    write_and_kill(&path, Duration::from_millis(200));
    let log = std::fs::File::options().write(true).open(folder.path().join("cognate.db-wal")).unwrap();
    log.set_len(log.metadata().unwrap().len() * 2 / 3 + 777).unwrap();
    let store = open(&path).await.unwrap();
    let mut next = std::collections::HashMap::new();
    for one in store.documents("client", super::verbs::POOL).await.unwrap() {
        let (writer, number) = one.id.rsplit_once('-').unwrap();
        let highest: &mut (u64, u64) = next.entry(writer.to_owned()).or_default();
        *highest = (highest.0 + 1, highest.1.max(number.parse::<u64>().unwrap() + 1));
    }
    assert!(next.values().all(|(count, highest)| count == highest), "{next:?}");
    assert_all_answered(&all(&store).await);
}

// R17
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_with_overwritten_pages_refuses_to_start_and_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(folder.path()).await;
    let mut bytes = std::fs::read(&path).unwrap();
    for page in bytes.chunks_mut(4096).skip(1).step_by(3) {
        page[..2048].fill(0xEE);
    }
    std::fs::write(&path, &bytes).unwrap();
    let line = refusal(&path).await;
    assert!(line.contains("damaged") && line.contains("restore a backup"), "{line}");
    assert!(std::fs::read(&path).unwrap() == bytes, "the file was changed");
}

// R17: reading all of a large file takes long, so a command beside the service leaves it to the service.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_checked_by_who_opens_it_first_and_not_again_while_he_uses_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(folder.path()).await;
    let service = open(&path).await.unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 4096;
    bytes[last..].fill(0xEE);
    std::fs::write(&path, &bytes).unwrap();
    drop(open(&path).await.unwrap());
    drop(service);
    let line = eventually_refused(&path).await;
    assert!(line.contains("damaged"), "{line}");
}

/// The writer's task lets go of its locks a moment after its store.
async fn eventually_refused(path: &Path) -> String {
    for _ in 0..100 {
        match open(path).await {
            Err(line) => return line,
            Ok(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    panic!("a damaged file was opened");
}

// R17
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_database_refuses_to_start_and_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    let text = "My notes. ".repeat(1_000);
    std::fs::write(&path, &text).unwrap();
    refusal(&path).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

// R17, R34
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_a_newer_schema_refuses_to_start_unless_that_only_added() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed(folder.path()).await;
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let text = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                VALUES (999, 'future', true, '', 0)";
    connection.execute(text).await.unwrap();
    connection.close().await.unwrap();
    drop(open(&path).await.unwrap());
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    connection.execute("UPDATE counters SET value = 999 WHERE name = 'compatible_since'").await.unwrap();
    connection.close().await.unwrap();
    let line = refusal(&path).await;
    assert!(line.contains("newer Cognate"), "{line}");
}

// R17
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_locked_by_another_process_refuses_writes_in_time_and_goes_on_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cognate.db");
    let config = DirectoryStore { timeout: Period::seconds(1), ..DirectoryStore::default() };
    let store = sql::open(&format!("sqlite:{}", path.display()), &config).await.unwrap();
    let ada = store.create_user(&user("ada")).await.unwrap();
    let mut rival = sqlx::SqliteConnection::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    rival.execute("BEGIN IMMEDIATE").await.unwrap();
    let start = Instant::now();
    let outcomes = all(&store).await;
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    for (name, outcome) in &outcomes {
        assert!(!matches!(outcome, Err(Error::Internal(_))), "{name}: {outcome:?}");
    }
    assert!(matches!(Directory::ping(&store).await, Err(Error::Unavailable { .. })));
    assert_eq!(store.user(&ada.pool, ada.sub).await.unwrap(), Some(ada));
    rival.execute("ROLLBACK").await.unwrap();
    assert_back_within_two_seconds(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_files_are_for_the_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/deep #%?/cognate.db");
    let store = open(&path).await.unwrap();
    cognate::store::tokens::TokenStore::open_session(&store, &session()).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for entry in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_at_once_on_a_new_file_all_come_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cognate.db");
    for store in futures_util::future::join_all((0..6).map(|_| open(&path))).await {
        assert_all_answered(&all(&store.unwrap()).await);
    }
}

#[tokio::test]
async fn memory_is_no_place_for_what_must_last() {
    for url in ["sqlite::memory:", "sqlite:"] {
        assert!(sql::open(url, &patient()).await.is_err());
    }
}

//! Who works on a job: one replica, another when that one dies, and nobody once it was stopped.

use std::collections::BTreeSet;
use std::time::Duration;

use cognate::pool::user_import::Importer;
use serde_json::{Value, json};

use super::{HEADER, about, counts, described, importer, job, prepared, row, started};
use crate::app::{TestApp, story};

const MANY: u64 = 1_000;

fn many() -> String {
    let rows: String = (0..MANY).map(|number| format!("{}\n", row(&format!("user-{number}")))).collect();
    format!("{HEADER}\n{rows}")
}

async fn names(app: &TestApp) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut after = 0;
    loop {
        let page = app.pool().users(after, 500).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.id;
        names.extend(page.into_iter().map(|user| user.username));
    }
    names.retain(|name| name.starts_with("user-"));
    names
}

/// Waits until a portion was made.
async fn some_are_there(app: &TestApp, of: &Value) {
    let id = of["JobId"].as_str().unwrap();
    loop {
        let job = app.pool().import_job(id).await.unwrap();
        if job.imported > 0 {
            return;
        }
        assert_eq!(job.failed, 0, "{job:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Runs until some users are there and then drops dead.
async fn die_half_way(app: &TestApp, mut importer: Importer, of: &Value) {
    let task = tokio::spawn(async move { importer.turn().await });
    some_are_there(app, of).await;
    task.abort();
    assert!(task.await.is_err_and(|end| end.is_cancelled()), "it was done before it could die");
}

story!(a_job_has_one_replica_and_another_takes_over_when_it_dies);
async fn a_job_has_one_replica_and_another_takes_over_when_it_dies(app: TestApp) {
    prepared(&app).await;
    let started = started(&app, json!({}), &many()).await;
    die_half_way(&app, importer(&app), &started).await;
    let left = described(&app, &started).await;
    assert_eq!(left["Status"], "InProgress");
    let mut heir = importer(app.replicas().last().unwrap());
    // As long as it may only be slow it keeps the job.
    for _ in 0..15 {
        heir.turn().await.unwrap();
    }
    assert_eq!(described(&app, &started).await, left);
    heir.turn().await.unwrap();
    let done = described(&app, &started).await;
    assert_eq!((done["Status"].as_str(), counts(&done)), (Some("Succeeded"), (MANY, 0, 0)), "{done}");
    let names = names(&app).await;
    assert_eq!((names.len() as u64, names.into_iter().collect::<BTreeSet<_>>().len() as u64), (MANY, MANY));
}

story!(replicas_that_look_at_once_take_a_job_once);
async fn replicas_that_look_at_once_take_a_job_once(app: TestApp) {
    prepared(&app).await;
    let started = started(&app, json!({}), &many()).await;
    let mut importers: Vec<Importer> = app.replicas().chain(app.replicas()).map(importer).collect();
    let turns = importers.iter_mut().map(Importer::turn);
    for outcome in futures_util::future::join_all(turns).await {
        outcome.unwrap();
    }
    let done = described(&app, &started).await;
    assert_eq!((done["Status"].as_str(), counts(&done)), (Some("Succeeded"), (MANY, 0, 0)), "{done}");
    assert_eq!(names(&app).await.len() as u64, MANY);
}

story!(a_stopped_job_ends_with_the_portion_that_is_being_made);
async fn a_stopped_job_ends_with_the_portion_that_is_being_made(app: TestApp) {
    prepared(&app).await;
    let started = started(&app, json!({}), &many()).await;
    let mut runner = importer(&app);
    let task = tokio::spawn(async move { runner.turn().await });
    some_are_there(&app, &started).await;
    let stopping = job(&about(&app, "StopUserImportJob", &started).await);
    assert_eq!(stopping["Status"], "Stopping");
    task.await.unwrap().unwrap();
    let stopped = described(&app, &started).await;
    assert_eq!(
        (stopped["Status"].as_str(), stopped["CompletionMessage"].as_str()),
        (Some("Stopped"), Some("The_user_import_job_was_stopped"))
    );
    let (imported, ..) = counts(&stopped);
    assert!(imported < MANY, "{stopped}");
    assert_eq!(names(&app).await.len() as u64, imported);
    importer(&app).turn().await.unwrap();
    assert_eq!(described(&app, &started).await, stopped);
}

// A replica that died while its job was being stopped leaves nothing running.
story!(a_job_that_was_stopped_after_its_replica_died_is_ended_by_another);
async fn a_job_that_was_stopped_after_its_replica_died_is_ended_by_another(app: TestApp) {
    prepared(&app).await;
    let started = started(&app, json!({}), &many()).await;
    die_half_way(&app, importer(&app), &started).await;
    assert_eq!(job(&about(&app, "StopUserImportJob", &started).await)["Status"], "Stopping");
    let mut heir = importer(app.replicas().last().unwrap());
    for _ in 0..16 {
        heir.turn().await.unwrap();
    }
    let stopped = described(&app, &started).await;
    assert_eq!(
        (stopped["Status"].as_str(), names(&app).await.len() as u64 >= counts(&stopped).0),
        (Some("Stopped"), true)
    );
}

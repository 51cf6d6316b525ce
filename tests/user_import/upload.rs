//! The address that a job's file is put to: ours, signed, and good for a quarter of an hour.

use serde_json::json;

use super::super::app::{START, TestApp, story};
use super::{HEADER, about, call, create, described, done, job, path_of, prepared, put, row};

const REFUSED: (u16, &str) = (403, r#"{"status":403,"message":"The address is not good, or not any more."}"#);

story!(the_address_is_the_configured_one_and_stays_the_same);
async fn the_address_is_the_configured_one_and_stays_the_same(app: TestApp) {
    let made = create(&app, json!({})).await;
    let (pool, id) = (app.pool().id().to_owned(), made["JobId"].as_str().unwrap());
    let expires = START.seconds() + 900;
    let begin = format!("{}/user-imports/{pool}/{id}?expires={expires}&signature=", app.config.public_url());
    assert!(made["PreSignedUrl"].as_str().unwrap().starts_with(&begin), "{made}");
    assert_eq!(described(&app, &made).await["PreSignedUrl"], made["PreSignedUrl"]);
    // Whoever asks under another name is told the same (D11).
    let signer = app.access_key(&["*"], &["*"]).await;
    assert!(signer.host.is_none());
    let listed = call(&app, "ListUserImportJobs", json!({ "MaxResults": 1 })).await.json();
    assert_eq!(listed["UserImportJobs"][0]["PreSignedUrl"], made["PreSignedUrl"]);
}

// Who may only look at jobs does not learn where their files can be replaced.
story!(the_address_is_not_told_once_a_file_came_or_it_is_too_late_for_one);
async fn the_address_is_not_told_once_a_file_came_or_it_is_too_late_for_one(app: TestApp) {
    prepared(&app).await;
    let [made, late] = [create(&app, json!({})).await, create(&app, json!({})).await];
    assert_eq!(put(&app, &made, &format!("{HEADER}\n{}", row("ann"))).await.status, 200);
    let listed = async || {
        let jobs = call(&app, "ListUserImportJobs", json!({ "MaxResults": 2 })).await.json()["UserImportJobs"].clone();
        let told = jobs.as_array().unwrap().iter().filter(|job| job.get("PreSignedUrl").is_some()).count();
        (told, described(&app, &made).await.get("PreSignedUrl").cloned())
    };
    assert_eq!(listed().await, (1, None));
    assert_eq!(described(&app, &late).await["PreSignedUrl"], late["PreSignedUrl"]);
    app.clock.advance_seconds(900);
    assert_eq!(listed().await, (0, None));
    assert_eq!(job(&about(&app, "StartUserImportJob", &made).await).get("PreSignedUrl"), None);
}

/// Whether the job has a file, as any replica sees it.
async fn has_file(app: &TestApp, made: &serde_json::Value) -> bool {
    let directory = &app.replicas().last().unwrap().api.ports.directory;
    let job = directory.document("import_job", made["JobId"].as_str().unwrap()).await.unwrap().unwrap();
    serde_json::from_str::<serde_json::Value>(&job.body).unwrap()["file"].is_object()
}

/// A job that got its file while nobody waited for the answer any more; none where the answer was faster.
async fn filled_unheard(app: &TestApp) -> Option<(serde_json::Value, cognate::pool::user_import::Upload)> {
    let made = create(app, json!({})).await;
    let path = path_of(app, &made);
    let of = |name: &str| path.split(name).nth(1).unwrap().split('&').next().unwrap();
    let id = made["JobId"].as_str().unwrap();
    let mut upload = app.pool().begin_upload(id, of("expires=").parse().unwrap(), of("signature=")).await.unwrap();
    upload.add(format!("{HEADER}\n{}", row("ann")).as_bytes()).await.unwrap();
    {
        let mut finish = Box::pin(upload.finish());
        while !has_file(app, &made).await {
            // One step at a time, and nobody looks when it is done.
            if futures_util::poll!(finish.as_mut()).is_ready() {
                // Only so many jobs may hold a file.
                job(&about(app, "StartUserImportJob", &made).await);
                job(&about(app, "StopUserImportJob", &made).await);
                return None;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    Some((made, upload))
}

// What was written while nobody waited for the answer any more, because it was lost or took too long, is written.
story!(a_file_that_the_job_has_is_not_swept_because_the_answer_was_lost);
async fn a_file_that_the_job_has_is_not_swept_because_the_answer_was_lost(app: TestApp) {
    prepared(&app).await;
    let mut filled = None;
    for _ in 0..50 {
        filled = filled_unheard(&app).await;
        if filled.is_some() {
            break;
        }
    }
    let (made, upload) = filled.expect("the answer was always faster than it could be lost");
    upload.abandon().await.unwrap();
    job(&about(&app, "StartUserImportJob", &made).await);
    super::importer(&app).turn().await.unwrap();
    assert_eq!(described(&app, &made).await["ImportedUsers"], 1);
}

story!(a_file_that_the_job_does_not_take_is_gone);
async fn a_file_that_the_job_does_not_take_is_gone(app: TestApp) {
    prepared(&app).await;
    let made = create(&app, json!({})).await;
    let path = path_of(&app, &made);
    let of = |name: &str| path.split(name).nth(1).unwrap().split('&').next().unwrap();
    let id = made["JobId"].as_str().unwrap();
    let mut late = app.pool().begin_upload(id, of("expires=").parse().unwrap(), of("signature=")).await.unwrap();
    late.add(HEADER.as_bytes()).await.unwrap();
    assert_eq!(put(&app, &made, HEADER).await.status, 200);
    job(&about(&app, "StartUserImportJob", &made).await);
    assert!(late.finish().await.is_err());
    late.abandon().await.unwrap();
    let directory = &app.api.ports.directory;
    let kept = directory.document("import_job", id).await.unwrap().unwrap();
    let body: serde_json::Value = serde_json::from_str(&kept.body).unwrap();
    let parts = async |index: usize| {
        let upload = body["uploads"][index].as_str().unwrap();
        directory.documents("import_part", upload).await.unwrap().len()
    };
    assert_eq!((parts(0).await, parts(1).await), (0, 1));
}

story!(only_the_signed_address_takes_a_file_and_only_in_its_time);
async fn only_the_signed_address_takes_a_file_and_only_in_its_time(app: TestApp) {
    prepared(&app).await;
    let (made, other) = (create(&app, json!({})).await, create(&app, json!({})).await);
    let path = path_of(&app, &made);
    let id = |job: &serde_json::Value| job["JobId"].as_str().unwrap().to_owned();
    let expires = format!("expires={}", START.seconds() + 900);
    let forged = [
        path.replace(&id(&made), &id(&other)),
        path.replace(&expires, &format!("expires={}", START.seconds() + 901)),
        path.replace(&expires, "expires=x"),
        format!("{path}x"),
        path.split('?').next().unwrap().to_owned(),
        format!("{path}&{expires}"),
    ];
    for forged in &forged {
        assert_eq!(app.request(app.to("PUT", forged).body("x")).await.whole(), REFUSED, "{forged}");
    }
    let nowhere = path.replace(app.pool().id(), "us-east-1_Nowhere01");
    assert_eq!(app.request(app.to("PUT", &nowhere).body("x")).await.status, 404);
    assert_eq!(app.request(app.to("GET", &path)).await.status, 404);
    app.clock.advance_seconds(899);
    assert_eq!(put(&app, &made, HEADER).await.whole(), (200, ""));
    app.clock.advance_seconds(1);
    assert_eq!(put(&app, &made, HEADER).await.whole(), REFUSED);
}

story!(the_last_file_counts_until_the_job_is_started);
async fn the_last_file_counts_until_the_job_is_started(app: TestApp) {
    prepared(&app).await;
    let made = create(&app, json!({})).await;
    for name in ["ann", "bob"] {
        assert_eq!(put(&app, &made, &format!("{HEADER}\n{}", row(name))).await.status, 200);
    }
    job(&about(&app, "StartUserImportJob", &made).await);
    let late = put(&app, &made, HEADER).await;
    assert_eq!(late.whole(), (409, r#"{"status":409,"message":"The import job takes no file any more."}"#));
    super::importer(&app).turn().await.unwrap();
    assert_eq!(described(&app, &made).await["ImportedUsers"], 1);
    assert!(app.pool().find_user("ann").await.is_err());
    assert!(app.pool().find_user("bob").await.is_ok());
}

story!(a_file_has_at_most_a_hundred_megabytes_and_comes_a_bounded_number_of_times);
async fn a_file_has_at_most_a_hundred_megabytes_and_comes_a_bounded_number_of_times(app: TestApp) {
    let made = create(&app, json!({})).await;
    let large = app.to("PUT", &path_of(&app, &made)).header("content-length", 100 * 1024 * 1024 + 1);
    assert_eq!(app.request(large).await.whole(), (413, r#"{"status":413,"message":"The body is too large."}"#));
    let encoded = app.to("PUT", &path_of(&app, &made)).header("content-encoding", "gzip").body("x");
    assert_eq!(app.request(encoded).await.status, 400);
    for _ in 0..8 {
        assert_eq!(put(&app, &made, HEADER).await.status, 200);
    }
    let again = put(&app, &made, HEADER).await;
    let message = "The file was uploaded too often; make another import job.";
    assert_eq!(again.whole(), (409, format!(r#"{{"status":409,"message":"{message}"}}"#).as_str()));
}

// P13: at rest nobody reads an address or a hash; and nothing stays when the job is over.
story!(a_file_rests_sealed_and_is_gone_with_its_job);
async fn a_file_rests_sealed_and_is_gone_with_its_job(app: TestApp) {
    prepared(&app).await;
    // Two parts and a row that lies in both.
    let rows: String =
        (0..3_000).map(|number| format!("{}\n", row(&format!("a-person-with-a-name-{number}")))).collect();
    let file = format!("{HEADER}\n{rows}");
    assert!(file.len() > 262_144);
    let made = create(&app, json!({})).await;
    assert_eq!(put(&app, &made, &file).await.status, 200);
    let directory = &app.api.ports.directory;
    let job = directory.document("import_job", made["JobId"].as_str().unwrap()).await.unwrap().unwrap();
    let body: serde_json::Value = serde_json::from_str(&job.body).unwrap();
    let upload = body["uploads"][0].as_str().unwrap().to_owned();
    let parts = directory.documents("import_part", &upload).await.unwrap();
    assert_eq!(parts.len(), 2);
    assert!(parts.iter().all(|part| !part.body.contains("person") && !part.body.contains(',')));
    super::about(&app, "StartUserImportJob", &made).await;
    super::importer(&app).turn().await.unwrap();
    assert_eq!(described(&app, &made).await["ImportedUsers"], 3_000);
    assert_eq!(directory.documents("import_part", &upload).await.unwrap(), []);
    assert_eq!(directory.documents("import_queue", "").await.unwrap(), []);
    assert_eq!(done(&app, json!({}), HEADER).await["Status"], "Succeeded");
}

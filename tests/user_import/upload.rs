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

//! The life of a job: made, started, stopped, expired, listed.

use serde_json::{Value, json};

use super::{HEADER, ROLE, about, call, create, described, importer, prepared, put, row, started};
use crate::app::{TestApp, story};
use crate::cognito::refused;

const DAY: u64 = 24 * 3600;

story!(a_job_is_told_whole);
async fn a_job_is_told_whole(app: TestApp) {
    prepared(&app).await;
    let made = create(&app, json!({})).await;
    let id = made["JobId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("import-") && id.len() == 17, "{id}");
    let mut wanted = json!({
        "JobName": "move", "JobId": id, "UserPoolId": app.pool().id(), "PreSignedUrl": made["PreSignedUrl"],
        "CreationDate": 1_795_262_400.0, "Status": "Created", "CloudWatchLogsRoleArn": ROLE,
        "ImportedUsers": 0, "SkippedUsers": 0, "FailedUsers": 0
    });
    assert_eq!(made, wanted);
    app.clock.advance_seconds(60);
    put(&app, &made, &format!("{HEADER}\n{}", row("ann"))).await;
    wanted.as_object_mut().unwrap().remove("PreSignedUrl");
    wanted["StartDate"] = json!(1_795_262_460.0);
    wanted["Status"] = json!("Pending");
    assert_eq!(super::job(&about(&app, "StartUserImportJob", &made).await), wanted);
    app.clock.advance_seconds(60);
    importer(&app).turn().await.unwrap();
    wanted["Status"] = json!("Succeeded");
    wanted["CompletionDate"] = json!(1_795_262_520.0);
    wanted["CompletionMessage"] = json!("The_user_import_job_has_completed");
    wanted["ImportedUsers"] = json!(1);
    for _ in 0..2 {
        assert_eq!(described(&app, &made).await, wanted);
    }
}

story!(a_job_starts_once_and_with_a_file_and_somebody_to_send_codes_to);
async fn a_job_starts_once_and_with_a_file_and_somebody_to_send_codes_to(app: TestApp) {
    let made = create(&app, json!({})).await;
    let words =
        "PreconditionNotMetException: The user pool has no auto-verified attribute, so its import jobs do not start.";
    assert_eq!(refused(&about(&app, "StartUserImportJob", &made).await), words);
    prepared(&app).await;
    let words = "PreconditionNotMetException: No file was uploaded for the user import job.";
    assert_eq!(refused(&about(&app, "StartUserImportJob", &made).await), words);
    let words = "PreconditionNotMetException: The user import job does not run.";
    assert_eq!(refused(&about(&app, "StopUserImportJob", &made).await), words);
    put(&app, &made, HEADER).await;
    assert_eq!(about(&app, "StartUserImportJob", &made).await.status, 200);
    let words = "PreconditionNotMetException: The user import job was started already, or is over.";
    assert_eq!(refused(&about(&app, "StartUserImportJob", &made).await), words);
    let stopped = super::job(&about(&app, "StopUserImportJob", &made).await);
    assert_eq!((stopped["Status"].as_str(), stopped["ImportedUsers"].as_u64()), (Some("Stopped"), Some(0)));
    importer(&app).turn().await.unwrap();
    assert_eq!(described(&app, &made).await["Status"], "Stopped");
    assert_eq!(app.api.ports.directory.documents("import_queue", "").await.unwrap(), []);
}

story!(a_pool_is_not_changed_while_a_job_of_it_runs);
async fn a_pool_is_not_changed_while_a_job_of_it_runs(app: TestApp) {
    prepared(&app).await;
    let running = started(&app, json!({}), HEADER).await;
    let words = "UserImportInProgressException: The user pool can not be changed while one of its import jobs runs.";
    let custom = json!({ "CustomAttributes": [{ "Name": "team", "AttributeDataType": "String" }] });
    for (operation, body) in
        [("UpdateUserPool", json!({})), ("AddCustomAttributes", custom), ("DeleteUserPool", json!({}))]
    {
        assert_eq!(refused(&call(&app, operation, body).await), words, "{operation}");
    }
    importer(&app).turn().await.unwrap();
    assert_eq!(described(&app, &running).await["Status"], "Succeeded");
    let update = json!({ "AutoVerifiedAttributes": ["email"] });
    assert_eq!(call(&app, "UpdateUserPool", update).await.status, 200);
}

// K07, S24: a job is nothing in another pool, and a key of another pool may not see it.
story!(a_job_is_known_in_its_own_pool_alone);
async fn a_job_is_known_in_its_own_pool_alone(app: TestApp) {
    let made = create(&app, json!({})).await;
    let other = app.cognito_admin("CreateUserPool", json!({ "PoolName": "other" })).await.json();
    let other = other["UserPool"]["Id"].as_str().unwrap();
    let id = made["JobId"].as_str().unwrap();
    for operation in ["DescribeUserImportJob", "StartUserImportJob", "StopUserImportJob"] {
        let words = format!("ResourceNotFoundException: User import job {id} does not exist.");
        let body = json!({ "UserPoolId": other, "JobId": id });
        if operation == "StartUserImportJob" {
            let update = json!({ "UserPoolId": other, "AutoVerifiedAttributes": ["email"] });
            assert_eq!(app.cognito_admin("UpdateUserPool", update).await.status, 200);
        }
        assert_eq!(refused(&app.cognito_admin(operation, body).await), words, "{operation}");
        let signer = app.access_key(&[other], &["*"]).await;
        let foreign = app.signed(&signer, operation, json!({ "UserPoolId": app.pool().id(), "JobId": id })).await;
        assert!(refused(&foreign).starts_with("AccessDeniedException: "), "{operation}");
    }
    let path = super::path_of(&app, &made).replace(app.pool().id(), other);
    assert_eq!(app.request(app.to("PUT", &path).body("x")).await.status, 403);
    assert_eq!(app.cognito_admin("DeleteUserPool", json!({ "UserPoolId": other })).await.status, 200);
}

story!(a_job_that_nobody_starts_expires_after_a_day);
async fn a_job_that_nobody_starts_expires_after_a_day(app: TestApp) {
    prepared(&app).await;
    let made = create(&app, json!({})).await;
    put(&app, &made, HEADER).await;
    app.clock.advance_seconds(DAY - 1);
    importer(&app).turn().await.unwrap();
    assert_eq!(described(&app, &made).await["Status"], "Created");
    app.clock.advance_seconds(1);
    let expired = described(&app, &made).await;
    let told = (expired["Status"].as_str(), expired["CompletionMessage"].as_str());
    assert_eq!(told, (Some("Expired"), Some("The_user_import_job_has_expired")));
    let words = "PreconditionNotMetException: The user import job was started already, or is over.";
    assert_eq!(refused(&about(&app, "StartUserImportJob", &made).await), words);
    let mut importer = importer(&app);
    for _ in 0..2 {
        importer.turn().await.unwrap();
    }
    assert_eq!(app.api.ports.directory.documents("import_queue", "").await.unwrap(), []);
    assert_eq!(described(&app, &made).await, expired);
}

// P02
story!(jobs_are_listed_newest_first_in_pages_whose_tokens_are_good_for_nothing_else);
async fn jobs_are_listed_newest_first_in_pages_whose_tokens_are_good_for_nothing_else(app: TestApp) {
    for name in ["one", "two", "three"] {
        app.clock.advance_seconds(1);
        create(&app, json!({ "JobName": name })).await;
    }
    let names = |page: &Value| -> Vec<String> {
        page["UserImportJobs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|job| job["JobName"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = call(&app, "ListUserImportJobs", json!({ "MaxResults": 2 })).await.json();
    assert_eq!(names(&first), ["three", "two"]);
    let token = first["PaginationToken"].as_str().unwrap();
    let next = json!({ "MaxResults": 2, "PaginationToken": token });
    let second = call(&app, "ListUserImportJobs", next).await.json();
    assert_eq!((names(&second), second.get("PaginationToken")), (vec!["one".to_owned()], None));
    let forged = json!({ "MaxResults": 2, "PaginationToken": format!("{token}x") });
    let words = refused(&call(&app, "ListUserImportJobs", forged).await);
    assert!(words.starts_with("InvalidParameterException: "), "{words}");
    let elsewhere = call(&app, "ListGroups", json!({ "NextToken": token })).await;
    assert!(refused(&elsewhere).starts_with("InvalidParameterException: "));
}

story!(a_pool_takes_its_jobs_with_it);
async fn a_pool_takes_its_jobs_with_it(app: TestApp) {
    let made = app.cognito_admin("CreateUserPool", json!({ "PoolName": "shop" })).await.json();
    let pool = made["UserPool"]["Id"].as_str().unwrap();
    let draft = json!({ "UserPoolId": pool, "JobName": "move", "CloudWatchLogsRoleArn": ROLE });
    let made = super::job(&app.cognito_admin("CreateUserImportJob", draft).await);
    assert_eq!(put(&app, &made, HEADER).await.status, 200);
    assert_eq!(app.cognito_admin("DeleteUserPool", json!({ "UserPoolId": pool })).await.status, 200);
    let directory = &app.api.ports.directory;
    assert_eq!(directory.documents("import_job", pool).await.unwrap(), []);
    assert_eq!(directory.documents("import_queue", "").await.unwrap(), []);
    prepared(&app).await;
    started(&app, json!({}), HEADER).await;
}

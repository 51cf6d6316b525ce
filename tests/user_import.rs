//! Import jobs of the Cognito API: the file's way in, what its rows become, and who works on them (contract cognito (h)).

mod jobs;
mod replicas;
mod rows;
mod upload;

use cognate::pool::settings::Contact;
use cognate::pool::user_import::Importer;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

const ROLE: &str = "arn:aws:iam::123456789012:role/CognitoImport";
const HEADER: &str = "cognito:username,name,given_name,family_name,middle_name,nickname,preferred_username,profile,\
                      picture,website,email,email_verified,gender,birthdate,zoneinfo,locale,phone_number,\
                      phone_number_verified,address,updated_at,cognito:mfa_enabled";

/// A pool whose addresses are proven by code, as an import needs it.
async fn prepared(app: &TestApp) {
    app.change_pool(|pool| pool.auto_verify = vec![Contact::Email]).await;
}

/// The row of somebody who is fit to be taken.
fn row(name: &str) -> String {
    format!("{name},,,,,,,,,,{name}@example.test,true,,,,,,false,,,false")
}

/// Calls an operation about the first pool.
async fn call(app: &TestApp, operation: &str, more: Value) -> Answer {
    let mut body = json!({ "UserPoolId": app.pool().id() });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.cognito_admin(operation, body).await
}

/// The job that an answer is about.
fn job(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["UserImportJob"].clone()
}

async fn create(app: &TestApp, more: Value) -> Value {
    let mut body = json!({ "JobName": "move", "CloudWatchLogsRoleArn": ROLE });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    job(&call(app, "CreateUserImportJob", body).await)
}

/// Its path and query: any replica takes the file.
fn path_of(app: &TestApp, job: &Value) -> String {
    let url = job["PreSignedUrl"].as_str().unwrap();
    url.strip_prefix(&app.config.public_url()).unwrap_or_else(|| panic!("{url}")).to_owned()
}

async fn put(app: &TestApp, job: &Value, file: &str) -> Answer {
    let request = app.to("PUT", &path_of(app, job)).header("x-amz-server-side-encryption", "aws:kms");
    app.request(request.body(file.to_owned())).await
}

async fn about(app: &TestApp, operation: &str, job: &Value) -> Answer {
    call(app, operation, json!({ "JobId": job["JobId"] })).await
}

async fn described(app: &TestApp, of: &Value) -> Value {
    job(&about(app, "DescribeUserImportJob", of).await)
}

/// A job with this file, started.
async fn started(app: &TestApp, more: Value, file: &str) -> Value {
    let made = create(app, more).await;
    assert_eq!(put(app, &made, file).await.whole(), (200, ""));
    let started = job(&about(app, "StartUserImportJob", &made).await);
    assert_eq!(started["Status"], "Pending");
    started
}

/// The same, done by the last replica.
async fn done(app: &TestApp, more: Value, file: &str) -> Value {
    let started = started(app, more, file).await;
    importer(app.replicas().last().unwrap()).turn().await.unwrap();
    described(app, &started).await
}

fn importer(app: &TestApp) -> Importer {
    Importer::new(app.api.pools.clone()).unwrap()
}

fn counts(job: &Value) -> (u64, u64, u64) {
    let count = |name: &str| job[name].as_u64().unwrap();
    (count("ImportedUsers"), count("SkippedUsers"), count("FailedUsers"))
}

/// The lines of the rows that were not taken, as an administrator sees them.
async fn faults(app: &TestApp, job: &Value) -> Vec<String> {
    let faults = app.pool().import_faults(job["JobId"].as_str().unwrap()).await.unwrap();
    faults.iter().map(ToString::to_string).collect()
}

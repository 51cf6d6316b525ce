//! Import jobs: users from a CSV file (contract cognito (h), Import).

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::operation::{Call, epoch, operations};
use crate::error::{Error, Kind};
use crate::pool::user_import::{HashAlgorithm, ImportJob, JobStatus, NewImportJob};
use crate::pool::{PageOf, Pool};

operations! {
    Signed GetCSVHeader => get_csv_header;
    Signed CreateUserImportJob => create_user_import_job;
    Signed StartUserImportJob => start_user_import_job;
    Signed StopUserImportJob => stop_user_import_job;
    Signed DescribeUserImportJob => describe_user_import_job;
    Signed ListUserImportJobs => list_user_import_jobs;
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetCSVHeaderInput {
    user_pool_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetCSVHeaderOutput {
    #[serde(rename = "CSVHeader")]
    csv_header: Vec<String>,
    user_pool_id: String,
}

async fn get_csv_header(call: &Call, input: GetCSVHeaderInput) -> Result<GetCSVHeaderOutput, Fault> {
    let csv_header = call.pool(&input.user_pool_id)?.import_header().await?;
    Ok(GetCSVHeaderOutput { csv_header, user_pool_id: input.user_pool_id })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UserImportJobType {
    job_name: String,
    job_id: String,
    user_pool_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pre_signed_url: Option<String>,
    creation_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_date: Option<f64>,
    status: JobStatus,
    cloud_watch_logs_role_arn: String,
    imported_users: u64,
    skipped_users: u64,
    failed_users: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hashing_algorithm: Option<HashAlgorithm>,
}

impl UserImportJobType {
    fn of(pool: &Pool, job: ImportJob) -> Self {
        Self {
            pre_signed_url: pool.upload_url(&job),
            job_name: job.name,
            job_id: job.id,
            user_pool_id: job.pool,
            creation_date: epoch(job.created_at),
            start_date: job.started_at.map(epoch),
            completion_date: job.completed_at.map(epoch),
            status: job.status,
            cloud_watch_logs_role_arn: job.role_arn,
            imported_users: job.imported,
            skipped_users: job.skipped,
            failed_users: job.failed,
            completion_message: job.message.as_deref().map(as_word),
            password_hashing_algorithm: job.hashes,
        }
    }
}

/// A sentence as the model has a CompletionMessage: letters, digits and underscores.
fn as_word(sentence: &str) -> String {
    let words = sentence.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfUserImportJob {
    user_import_job: UserImportJobType,
}

impl OfUserImportJob {
    fn of(pool: &Pool, job: ImportJob) -> Self {
        Self { user_import_job: UserImportJobType::of(pool, job) }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateUserImportJobInput {
    job_name: String,
    user_pool_id: String,
    cloud_watch_logs_role_arn: String,
    password_hashing_algorithm: Option<HashAlgorithm>,
}

async fn create_user_import_job(call: &Call, input: CreateUserImportJobInput) -> Result<OfUserImportJob, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let draft = NewImportJob {
        name: input.job_name,
        role_arn: input.cloud_watch_logs_role_arn,
        hashes: input.password_hashing_algorithm,
    };
    let job = pool.create_import_job(draft).await?;
    Ok(OfUserImportJob::of(&pool, job))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneJobInput {
    user_pool_id: String,
    job_id: String,
}

async fn start_user_import_job(call: &Call, input: OneJobInput) -> Result<OfUserImportJob, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let job = pool.start_import_job(&input.job_id).await.map_err(|error| missing_job(error, &input.job_id))?;
    Ok(OfUserImportJob::of(&pool, job))
}

async fn stop_user_import_job(call: &Call, input: OneJobInput) -> Result<OfUserImportJob, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let job = pool.stop_import_job(&input.job_id).await.map_err(|error| missing_job(error, &input.job_id))?;
    Ok(OfUserImportJob::of(&pool, job))
}

async fn describe_user_import_job(call: &Call, input: OneJobInput) -> Result<OfUserImportJob, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let job = pool.import_job(&input.job_id).await.map_err(|error| missing_job(error, &input.job_id))?;
    Ok(OfUserImportJob::of(&pool, job))
}

fn missing_job(error: Error, id: &str) -> Fault {
    let missing = matches!(error, Error::NotFound(Kind::ImportJob));
    let fault = Fault::from(error);
    if missing { fault.saying(format!("User import job {id} does not exist.")) } else { fault }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListUserImportJobsInput {
    user_pool_id: String,
    max_results: u32,
    pagination_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListUserImportJobsOutput {
    user_import_jobs: Vec<UserImportJobType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination_token: Option<String>,
}

async fn list_user_import_jobs(call: &Call, input: ListUserImportJobsInput) -> Result<ListUserImportJobsOutput, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let page = PageOf { limit: Some(input.max_results.min(MOST_LISTED)), token: input.pagination_token.as_deref() };
    let found = pool.import_job_page(page).await?;
    let user_import_jobs = found.items.into_iter().map(|job| UserImportJobType::of(&pool, job)).collect();
    Ok(ListUserImportJobsOutput { user_import_jobs, pagination_token: found.next })
}

/// The model's list has no more, though sixty may be asked for.
const MOST_LISTED: u32 = 50;

//! The import jobs that AWS SDKs made, and what became of their rows: where Amazon has a log in CloudWatch.

use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::output::{Output, instant};
use crate::pool::user_import::ImportJob;
use crate::pool::{PageOf, Pool};

/// Import jobs.
#[derive(Args)]
pub(super) struct Jobs {
    /// Show the rows of this job that were not taken, instead of the list
    job: Option<String>,
}

impl Jobs {
    pub(super) async fn run(&self, pool: &Pool, output: &mut Output) -> Result<(), Failure> {
        match &self.job {
            Some(job) => show(pool, job, output).await,
            None => list(pool, output).await,
        }
    }
}

async fn show(pool: &Pool, id: &str, output: &mut Output) -> Result<(), Failure> {
    let job = pool.import_job(id).await?;
    let ImportJob { status, imported, skipped, failed, message, .. } = &job;
    output.line(format_args!("{status:?}: {imported} imported, {skipped} skipped, {failed} failed."))?;
    message.iter().try_for_each(|message| output.line(message))?;
    pool.import_faults(id).await?.iter().try_for_each(|fault| output.line(fault))
}

async fn list(pool: &Pool, output: &mut Output) -> Result<(), Failure> {
    let (mut jobs, mut token) = (Vec::new(), None);
    loop {
        let page = pool.import_job_page(PageOf { limit: None, token: token.as_deref() }).await?;
        jobs.extend(page.items);
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    let row = |job: &ImportJob| {
        let counts = [job.imported, job.skipped, job.failed].map(|count| count.to_string());
        let [imported, skipped, failed] = counts;
        [
            job.id.clone(),
            format!("{:?}", job.status),
            instant(job.created_at),
            imported,
            skipped,
            failed,
            job.name.clone(),
        ]
    };
    let rows: Vec<_> = jobs.iter().map(row).collect();
    output.table(["JOB", "STATUS", "CREATED", "IMPORTED", "SKIPPED", "FAILED", "NAME"], &rows)
}

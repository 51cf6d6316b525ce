//! The file of an import job: PUT to the address that CreateUserImportJob answers, as to the presigned address of a
//! bucket. The address itself is the credential; what comes goes to the store as it comes.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt as _;

use crate::api::http::{self, BUSY, BodyFault, ErrorBody, INTERNAL, Outcome, mark, retry_after};
use crate::api::{Api, Route};
use crate::error::{Error, Kind, Rule, chain};
use crate::pool::user_import::{LARGEST_FILE, Upload};

pub(super) const ROUTE: Route =
    Route { method: "PUT", path: "/user-imports/{pool}/{job}", operation: "PutUserImportFile" };
/// Longest time for a whole file.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Why a file is not taken.
enum Refused {
    Body(BodyFault),
    Pool(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Pool(error)
    }
}

pub(super) async fn put(
    api: Arc<Api>,
    request: HttpRequest,
    path: Path<(String, String)>,
    payload: Payload,
) -> HttpResponse {
    let (pool, job) = path.into_inner();
    match take(&api, &request, &pool, &job, payload).await {
        Ok(()) => mark(HttpResponse::Ok().finish(), Outcome { label: "ok", cause: None, client: None }),
        Err(Refused::Body(fault)) => of_body(fault),
        Err(Refused::Pool(error)) => of_pool(&error),
    }
}

async fn take(api: &Api, request: &HttpRequest, pool: &str, job: &str, payload: Payload) -> Result<(), Refused> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let expires = http::query_field(request, "expires").and_then(|expires| expires.parse().ok());
    let signature = http::query_field(request, "signature");
    api.pools.meet(Some(pool), None).await?;
    let pool = api.pools.find(pool)?;
    let (Some(expires), Some(signature)) = (expires, signature) else { return Err(Error::AccessDenied.into()) };
    if request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Refused::Body(BodyFault::UnknownType));
    }
    if announced.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > LARGEST_FILE) {
        return Err(Refused::Body(BodyFault::TooLarge));
    }
    let mut upload = pool.begin_upload(job, expires, &signature).await?;
    let pause = *api.config.http.body_timeout;
    let whole = tokio::time::timeout(LONGEST, receive(&mut upload, payload, pause)).await;
    let outcome = whole.unwrap_or(Err(Refused::Body(BodyFault::TooSlow)));
    if outcome.is_err() {
        upload.abandon().await?;
    }
    outcome
}

async fn receive(upload: &mut Upload, mut payload: Payload, pause: Duration) -> Result<(), Refused> {
    loop {
        let next = tokio::time::timeout(pause, payload.next()).await;
        let Some(chunk) = next.map_err(|_| Refused::Body(BodyFault::TooSlow))? else { break };
        let chunk: Bytes = chunk.map_err(|_| Refused::Body(BodyFault::Broken))?;
        if upload.size() + chunk.len() as u64 > LARGEST_FILE {
            return Err(Refused::Body(BodyFault::TooLarge));
        }
        upload.add(&chunk).await?;
    }
    Ok(upload.finish().await?)
}

fn of_body(fault: BodyFault) -> HttpResponse {
    let (status, message, label) = match fault.unread() {
        Ok(unread) => (unread.status, unread.message, unread.label),
        Err(_) => (400, "The body must not be encoded.", "body_unreadable"),
    };
    answer(status, message, Outcome { label, cause: None, client: None }, None)
}

fn of_pool(error: &Error) -> HttpResponse {
    let text = error.to_string();
    let (status, message) = if matches!(error, Error::AccessDenied) {
        (403, "The address is not good, or not any more.")
    } else if matches!(error, Error::NotFound(Kind::Pool | Kind::ImportJob)) {
        (404, text.as_str())
    } else if matches!(error, Error::Rule(Rule::NotYet(_) | Rule::Full(_))) {
        (409, text.as_str())
    } else if error.retry_after().is_some() {
        (503, BUSY)
    } else {
        (500, INTERNAL)
    };
    let cause = (status >= 500).then(|| chain(error));
    answer(status, message, Outcome { label: error.label(), cause, client: None }, error.retry_after())
}

fn answer(status: u16, message: &str, outcome: Outcome, wait: Option<Duration>) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST));
    // The rest of the file is not read.
    response.force_close();
    if let Some(wait) = wait {
        response.insert_header((header::RETRY_AFTER, retry_after(wait)));
    }
    mark(response.json(ErrorBody { status, message }), outcome)
}

//! A user's sessions: listed, and ended one by one, by himself or by an administrator (contract cognito (f)).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fault::Fault;
use super::operation::{Call, Empty, epoch, operations};
use crate::pool::{Page, Pool, Session, session_name};

operations! {
    AccessToken ListUserSessions => list_user_sessions;
    AccessToken RevokeUserSession => revoke_user_session;
    Signed AdminListUserSessions => admin_list_user_sessions;
    Signed AdminRevokeUserSession => admin_revoke_user_session;
}

/// Sessions of hosted pages there are none, nor any that are linked, and nobody is watched from where he calls.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SessionDescriptionType {
    session_id: String,
    session_type: &'static str,
    client_id: String,
    create_date: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_active_date: Option<f64>,
    is_current_session: bool,
}

impl SessionDescriptionType {
    fn of(pool: &Pool, session: Session, current: Option<Uuid>) -> Self {
        Self {
            session_id: session_name(session.id),
            session_type: "TOKEN",
            create_date: epoch(session.auth_time),
            last_active_date: pool.last_use(&session).map(epoch),
            is_current_session: current == Some(session.id),
            client_id: session.client,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SessionsOutput {
    sessions: Vec<SessionDescriptionType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl SessionsOutput {
    fn of(pool: &Pool, page: Page<Session>, current: Option<Uuid>) -> Self {
        let describe = |session| SessionDescriptionType::of(pool, session, current);
        Self { sessions: page.items.into_iter().map(describe).collect(), next_token: page.next }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListUserSessionsInput {
    access_token: String,
    next_token: Option<String>,
}

async fn list_user_sessions(call: &Call, input: ListUserSessionsInput) -> Result<SessionsOutput, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    let page = pool.session_page(&caller.user, input.next_token.as_deref()).await?;
    Ok(SessionsOutput::of(&pool, page, Some(caller.session.id)))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminListUserSessionsInput {
    user_pool_id: String,
    username: String,
    next_token: Option<String>,
}

async fn admin_list_user_sessions(call: &Call, input: AdminListUserSessionsInput) -> Result<SessionsOutput, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let user = pool.find_user(&input.username).await?;
    let page = pool.session_page(&user, input.next_token.as_deref()).await?;
    Ok(SessionsOutput::of(&pool, page, None))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RevokeUserSessionInput {
    access_token: String,
    session_id: String,
}

async fn revoke_user_session(call: &Call, input: RevokeUserSessionInput) -> Result<Empty, Fault> {
    let (pool, caller) = call.caller(&input.access_token).await?;
    pool.end_session_called(&caller.user, &input.session_id, Some(caller.session.id)).await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminRevokeUserSessionInput {
    user_pool_id: String,
    username: String,
    session_id: String,
}

async fn admin_revoke_user_session(call: &Call, input: AdminRevokeUserSessionInput) -> Result<Empty, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let user = pool.find_user(&input.username).await?;
    pool.end_session_called(&user, &input.session_id, None).await?;
    Ok(Empty {})
}

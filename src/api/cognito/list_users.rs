//! Lists of users: of a pool, and of a group.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::operation::{Call, operations};
use super::user::UserType;
use crate::pool::{Page, PageOf, Pool, User};

operations! {
    Signed ListUsers => list_users;
    Signed ListUsersInGroup => list_users_in_group;
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListUsersInput {
    user_pool_id: String,
    attributes_to_get: Option<Vec<String>>,
    limit: Option<u32>,
    pagination_token: Option<String>,
    #[serde(default)]
    filter: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListUsersOutput {
    users: Vec<UserType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination_token: Option<String>,
}

async fn list_users(call: &Call, input: ListUsersInput) -> Result<ListUsersOutput, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let page = PageOf { limit: input.limit, token: input.pagination_token.as_deref() };
    let found = pool.user_page(&input.filter, page).await?;
    let users = listed(&pool, &found, input.attributes_to_get.as_deref());
    Ok(ListUsersOutput { users, pagination_token: found.next })
}

fn listed(pool: &Pool, page: &Page<User>, names: Option<&[String]>) -> Vec<UserType> {
    page.items.iter().map(|user| UserType::new(pool, user).only(names)).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListUsersInGroupInput {
    user_pool_id: String,
    group_name: String,
    limit: Option<u32>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListUsersInGroupOutput {
    users: Vec<UserType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

async fn list_users_in_group(call: &Call, input: ListUsersInGroupInput) -> Result<ListUsersInGroupOutput, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let page = PageOf { limit: input.limit, token: input.next_token.as_deref() };
    let found = pool.member_page(&input.group_name, page).await?;
    Ok(ListUsersInGroupOutput { users: listed(&pool, &found, None), next_token: found.next })
}

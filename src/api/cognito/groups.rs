//! Groups, and who is in them.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::operation::{Call, Empty, epoch, operations};
use crate::pool::{Group, GroupChange, NewGroup, Page, PageOf};

operations! {
    Signed CreateGroup => create_group;
    Signed GetGroup => get_group;
    Signed UpdateGroup => update_group;
    Signed DeleteGroup => delete_group;
    Signed ListGroups => list_groups;
    Signed AdminAddUserToGroup => admin_add_user_to_group;
    Signed AdminRemoveUserFromGroup => admin_remove_user_from_group;
    Signed AdminListGroupsForUser => admin_list_groups_for_user;
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupType {
    group_name: String,
    user_pool_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    precedence: Option<i64>,
    last_modified_date: f64,
    creation_date: f64,
}

impl From<Group> for GroupType {
    fn from(group: Group) -> Self {
        Self {
            group_name: group.name,
            user_pool_id: group.pool,
            description: group.description,
            role_arn: group.role_arn,
            precedence: Some(group.precedence).filter(|precedence| *precedence != i64::MAX),
            last_modified_date: epoch(group.updated_at),
            creation_date: epoch(group.created_at),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupOutput {
    group: GroupType,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WholeGroupInput {
    user_pool_id: String,
    group_name: String,
    description: Option<String>,
    role_arn: Option<String>,
    precedence: Option<i64>,
}

async fn create_group(call: &Call, input: WholeGroupInput) -> Result<GroupOutput, Fault> {
    let WholeGroupInput { user_pool_id, group_name, description, role_arn, precedence } = input;
    let draft = NewGroup { name: group_name, description, precedence, role_arn };
    let group = call.pool(&user_pool_id)?.create_group(draft).await?;
    Ok(GroupOutput { group: group.into() })
}

async fn update_group(call: &Call, input: WholeGroupInput) -> Result<GroupOutput, Fault> {
    let WholeGroupInput { user_pool_id, group_name, description, role_arn, precedence } = input;
    let change = GroupChange { description, precedence, role_arn };
    let group = call.pool(&user_pool_id)?.update_group(&group_name, &change).await?;
    Ok(GroupOutput { group: group.into() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GroupInput {
    user_pool_id: String,
    group_name: String,
}

async fn get_group(call: &Call, input: GroupInput) -> Result<GroupOutput, Fault> {
    let group = call.pool(&input.user_pool_id)?.group(&input.group_name).await?;
    Ok(GroupOutput { group: group.into() })
}

async fn delete_group(call: &Call, input: GroupInput) -> Result<Empty, Fault> {
    call.pool(&input.user_pool_id)?.delete_group(&input.group_name).await?;
    Ok(Empty {})
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupsOutput {
    groups: Vec<GroupType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl From<Page<Group>> for GroupsOutput {
    fn from(page: Page<Group>) -> Self {
        Self { groups: page.items.into_iter().map(GroupType::from).collect(), next_token: page.next }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListGroupsInput {
    user_pool_id: String,
    limit: Option<u32>,
    next_token: Option<String>,
}

async fn list_groups(call: &Call, input: ListGroupsInput) -> Result<GroupsOutput, Fault> {
    let page = PageOf { limit: input.limit, token: input.next_token.as_deref() };
    Ok(call.pool(&input.user_pool_id)?.group_page(None, page).await?.into())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AdminListGroupsForUserInput {
    user_pool_id: String,
    username: String,
    limit: Option<u32>,
    next_token: Option<String>,
}

async fn admin_list_groups_for_user(call: &Call, input: AdminListGroupsForUserInput) -> Result<GroupsOutput, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    let user = pool.find_user(&input.username).await?;
    let page = PageOf { limit: input.limit, token: input.next_token.as_deref() };
    Ok(pool.group_page(Some(&user), page).await?.into())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MembershipInput {
    user_pool_id: String,
    username: String,
    group_name: String,
}

async fn admin_add_user_to_group(call: &Call, input: MembershipInput) -> Result<Empty, Fault> {
    call.pool(&input.user_pool_id)?.add_to_group(&input.group_name, &input.username).await?;
    Ok(Empty {})
}

async fn admin_remove_user_from_group(call: &Call, input: MembershipInput) -> Result<Empty, Fault> {
    let pool = call.pool(&input.user_pool_id)?;
    pool.group(&input.group_name).await?;
    pool.remove_from_group(&input.group_name, &input.username).await?;
    Ok(Empty {})
}

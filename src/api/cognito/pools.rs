//! User pools: made, described, changed, deleted, listed (contract cognito (h)).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fault::Fault;
use super::lambda_config::LambdaConfig;
use super::operation::{Call, Empty, operations};
use super::pool_rules::PoolRules;
use super::pool_shape::UserPool;
use super::schema::{SchemaAttribute, schema_of};
use crate::error::{Error, Kind};
use crate::pool::settings::{Alias, Contact, Usernames};
use crate::pool::{PageOf, PoolSettings};

operations! {
    Signed CreateUserPool => create_user_pool;
    Signed DescribeUserPool => describe_user_pool;
    Signed UpdateUserPool => update_user_pool;
    Signed DeleteUserPool => delete_user_pool;
    Signed ListUserPools => list_user_pools;
    Signed AddCustomAttributes => add_custom_attributes;
    Signed TagResource => tag_resource;
    Signed UntagResource => untag_resource;
    Signed ListTagsForResource => list_tags_for_resource;
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateUserPoolInput {
    pool_name: String,
    #[serde(default)]
    schema: Vec<SchemaAttribute>,
    alias_attributes: Option<Vec<Alias>>,
    username_attributes: Option<Vec<Contact>>,
    username_configuration: Option<UsernameConfiguration>,
    #[serde(flatten)]
    rules: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UsernameConfiguration {
    case_sensitive: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfUserPool {
    user_pool: UserPool,
}

async fn create_user_pool(call: &Call, input: CreateUserPoolInput) -> Result<OfUserPool, Fault> {
    let usernames = match (input.alias_attributes, input.username_attributes) {
        (Some(aliases), Some(contacts)) if !aliases.is_empty() && !contacts.is_empty() => {
            return Err(Fault::invalid(
                "Only one of the aliasAttributes or usernameAttributes can be set in a user pool.",
            ));
        }
        (_, Some(contacts)) if !contacts.is_empty() => Usernames::Contact { contacts },
        (aliases, _) => Usernames::Chosen { aliases: aliases.unwrap_or_default() },
    };
    let blank = PoolSettings::of_cognito(input.pool_name, call.now());
    let mut draft = PoolSettings {
        usernames,
        // Cognito's own default for whoever does not say (contract cognito (g), Case).
        case_sensitive: input.username_configuration.is_none_or(|configuration| configuration.case_sensitive),
        schema: schema_of(input.schema)?,
        ..blank
    };
    PoolRules::read(input.rules)?.apply(&mut draft)?;
    let made = call.api.pools.create_pool(draft).await?;
    Ok(OfUserPool { user_pool: UserPool::of(&made, &call.api.config.cognito) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OnePoolInput {
    user_pool_id: String,
}

async fn describe_user_pool(call: &Call, input: OnePoolInput) -> Result<OfUserPool, Fault> {
    let found = call.pool_settings(&input.user_pool_id).await?;
    Ok(OfUserPool { user_pool: UserPool::of(&found, &call.api.config.cognito) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateUserPoolInput {
    user_pool_id: String,
    pool_name: Option<String>,
    #[serde(flatten)]
    rules: Map<String, Value>,
}

/// What is not named goes back to its default, as Cognito has it.
async fn update_user_pool(call: &Call, input: UpdateUserPoolInput) -> Result<Empty, Fault> {
    let rules = PoolRules::read(input.rules)?;
    let now = call.now();
    call.api.pools.refuse_while_importing(&input.user_pool_id).await?;
    let before = call.pool_settings(&input.user_pool_id).await?;
    let mut after = before.clone();
    rules.apply(&mut after)?;
    call.api.pools.check_texts(Some(&before), &after)?;
    after.check()?;
    call.api.pools.check_triggers(&after.triggers)?;
    let change = |settings: &mut PoolSettings| {
        // Judged above; the parts that the rules are not about come from what is there.
        if rules.apply(settings).is_ok() {
            settings.updated_at = Some(now);
            if let Some(name) = &input.pool_name {
                settings.name.clone_from(name);
            }
        }
    };
    call.change_pool(&input.user_pool_id, change).await?;
    Ok(Empty {})
}

async fn delete_user_pool(call: &Call, input: OnePoolInput) -> Result<Empty, Fault> {
    call.pool_settings(&input.user_pool_id).await?;
    call.api.pools.refuse_while_importing(&input.user_pool_id).await?;
    call.api.pools.delete_pool(&input.user_pool_id).await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListUserPoolsInput {
    max_results: u32,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListUserPoolsOutput {
    user_pools: Vec<UserPoolDescription>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UserPoolDescription {
    id: String,
    name: String,
    lambda_config: LambdaConfig,
    creation_date: f64,
    last_modified_date: f64,
}

async fn list_user_pools(call: &Call, input: ListUserPoolsInput) -> Result<ListUserPoolsOutput, Fault> {
    let pools = &call.api.pools;
    let all = pools.all_settings().await?;
    let asked = PageOf { limit: Some(input.max_results), token: input.next_token.as_deref() };
    let page = pools.page(&["ListUserPools"], all, |pool| (pool.created_at, pool.id.clone()), asked)?;
    let describe = |pool: PoolSettings| UserPoolDescription {
        creation_date: super::operation::epoch(pool.created_at),
        last_modified_date: super::operation::epoch(pool.updated_at.unwrap_or(pool.created_at)),
        id: pool.id,
        name: pool.name,
        lambda_config: LambdaConfig::of(&pool.triggers),
    };
    Ok(ListUserPoolsOutput { user_pools: page.items.into_iter().map(describe).collect(), next_token: page.next })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddCustomAttributesInput {
    user_pool_id: String,
    custom_attributes: Vec<SchemaAttribute>,
}

async fn add_custom_attributes(call: &Call, input: AddCustomAttributesInput) -> Result<Empty, Fault> {
    let added = input.custom_attributes.into_iter().map(SchemaAttribute::custom).collect::<Result<Vec<_>, _>>()?;
    let mut schema = call.pool_settings(&input.user_pool_id).await?.schema;
    for attribute in &added {
        super::schema::refuse_twin(&schema, attribute)?;
        schema.add(attribute.clone())?;
    }
    call.api.pools.refuse_while_importing(&input.user_pool_id).await?;
    let now = call.now();
    let add = |settings: &mut PoolSettings| {
        // One that another call added meanwhile stays as that call said.
        added.iter().for_each(|attribute| drop(settings.schema.add(attribute.clone())));
        settings.updated_at = Some(now);
    };
    call.change_pool(&input.user_pool_id, add).await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResourceInput {
    resource_arn: String,
    tags: BTreeMap<String, String>,
}

async fn tag_resource(call: &Call, input: TagResourceInput) -> Result<Empty, Fault> {
    let id = call.pool_of_arn(&input.resource_arn)?;
    call.change_pool(id, |settings: &mut PoolSettings| settings.tags.extend(input.tags.clone())).await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagResourceInput {
    resource_arn: String,
    tag_keys: Vec<String>,
}

async fn untag_resource(call: &Call, input: UntagResourceInput) -> Result<Empty, Fault> {
    let id = call.pool_of_arn(&input.resource_arn)?;
    call.change_pool(id, |settings: &mut PoolSettings| settings.tags.retain(|tag, _| !input.tag_keys.contains(tag)))
        .await?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTagsForResourceInput {
    resource_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListTagsForResourceOutput {
    tags: BTreeMap<String, String>,
}

async fn list_tags_for_resource(
    call: &Call,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput, Fault> {
    let id = call.pool_of_arn(&input.resource_arn)?;
    Ok(ListTagsForResourceOutput { tags: call.pool_settings(id).await?.tags })
}

impl Call {
    /// A pool's settings as they are now, whoever wrote them.
    pub(super) async fn pool_settings(&self, id: &str) -> Result<PoolSettings, Fault> {
        self.api.pools.pool_settings(id).await.map_err(|error| super::operation::missing(error, Kind::Pool, id))
    }

    /// Changes a pool's settings; this replica follows at once.
    pub(super) async fn change_pool(
        &self,
        id: &str,
        change: impl Fn(&mut PoolSettings) + Send + Sync,
    ) -> Result<PoolSettings, Fault> {
        let changed = self.api.pools.update_pool(id, change).await;
        let changed = changed.map_err(|error| super::operation::missing(error, Kind::Pool, id))?;
        self.api.pools.reload().await?;
        Ok(changed)
    }

    /// The id of the pool that an ARN names.
    fn pool_of_arn<'a>(&self, arn: &'a str) -> Result<&'a str, Fault> {
        let id = arn.rsplit_once(":userpool/").map(|(_, id)| id).unwrap_or_default();
        if arn == super::pool_shape::arn(&self.api.config.cognito, id) {
            Ok(id)
        } else {
            Err(Error::NotFound(Kind::Pool).into())
        }
    }
}

//! LambdaConfig: the functions that a pool calls, as Cognito names them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::fault::Fault;
use crate::pool::{TokenVersion, Trigger, Triggers};

/// What PreTokenGeneration is given with the version of its shape.
const VERSIONED: &str = "PreTokenGenerationConfig";

/// The member as it is given and described.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct LambdaConfig(Map<String, Value>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Versioned {
    lambda_version: TokenVersion,
    lambda_arn: String,
}

impl LambdaConfig {
    /// Describes what a pool has.
    pub(super) fn of(triggers: &Triggers) -> Self {
        let plain = triggers.functions.iter().map(|(name, arn)| (name.clone(), Value::from(arn.as_str())));
        let mut members: Map<String, Value> = plain.collect();
        let arn = triggers.functions.get(Trigger::PreTokenGeneration.name());
        if let (Some(version), Some(arn)) = (triggers.token_version, arn) {
            members.insert(VERSIONED.to_owned(), json!({ "LambdaVersion": version, "LambdaArn": arn }));
        }
        Self(members)
    }

    /// What it asks for. Errors: it names a trigger that is not served, which would be called by nobody.
    pub(super) fn triggers(&self) -> Result<Triggers, Fault> {
        let mut triggers = Triggers::default();
        for (name, value) in self.0.iter().filter(|(name, _)| *name != VERSIONED) {
            let known = Trigger::ALL.into_iter().any(|trigger| trigger.name() == name);
            let arn = value.as_str().filter(|_| known).ok_or_else(|| unserved(name))?;
            triggers.functions.insert(name.clone(), arn.to_owned());
        }
        if let Some(given) = self.0.get(VERSIONED) {
            let Versioned { lambda_version, lambda_arn } = super::operation::parse(given.clone())?;
            let plain = triggers.functions.insert(Trigger::PreTokenGeneration.name().to_owned(), lambda_arn.clone());
            if plain.is_some_and(|plain| plain != lambda_arn) {
                let words = "LambdaConfig.PreTokenGeneration and PreTokenGenerationConfig name different functions.";
                return Err(Fault::invalid(words));
            }
            triggers.token_version = Some(lambda_version);
        }
        Ok(triggers)
    }
}

fn unserved(name: &str) -> Fault {
    Fault::invalid(format!("LambdaConfig.{name} is not available on this server."))
}

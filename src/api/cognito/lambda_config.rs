//! LambdaConfig: the functions that a pool calls, as Cognito names them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fault::Fault;
use crate::pool::{Trigger, Triggers};

/// The member as it is given and described.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct LambdaConfig(Map<String, Value>);

impl LambdaConfig {
    /// Describes what a pool has.
    pub(super) fn of(triggers: &Triggers) -> Self {
        let plain = triggers.functions.iter().map(|(name, arn)| (name.clone(), Value::from(arn.as_str())));
        Self(plain.collect())
    }

    /// What it asks for. Errors: it names a trigger that is not served, which would be called by nobody.
    pub(super) fn triggers(&self) -> Result<Triggers, Fault> {
        let mut triggers = Triggers::default();
        for (name, value) in &self.0 {
            let known = Trigger::ALL.into_iter().any(|trigger| trigger.name() == name);
            let arn = value.as_str().filter(|_| known).ok_or_else(|| unserved(name))?;
            triggers.functions.insert(name.clone(), arn.to_owned());
        }
        Ok(triggers)
    }
}

fn unserved(name: &str) -> Fault {
    Fault::invalid(format!("LambdaConfig.{name} is not available on this server."))
}

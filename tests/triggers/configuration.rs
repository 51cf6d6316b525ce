//! LambdaConfig: which functions a pool may have.

use cognate::pool::Trigger;
use serde_json::{Value, json};

use super::server::{ARN, with_hook};
use super::{admin, refused};
use crate::app::{TestApp, story};

async fn lambda_config(app: &TestApp) -> Value {
    admin(app, "DescribeUserPool", json!({})).await.json()["UserPool"]["LambdaConfig"].clone()
}

story!(a_pool_has_the_functions_that_it_is_given_and_loses_them_by_an_update_without, super::with_hook);
async fn a_pool_has_the_functions_that_it_is_given_and_loses_them_by_an_update_without(app: TestApp) {
    assert_eq!(lambda_config(&app).await, json!({}));
    let all: serde_json::Map<String, Value> =
        Trigger::ALL.iter().map(|trigger| (trigger.name().to_owned(), json!(ARN))).collect();
    let given = admin(&app, "UpdateUserPool", json!({ "LambdaConfig": all })).await;
    assert_eq!(given.whole(), (200, "{}"));
    for _ in 0..2 {
        assert_eq!(lambda_config(&app).await, Value::Object(all.clone()));
    }
    let listed = app.cognito_admin("ListUserPools", json!({ "MaxResults": 1 })).await;
    assert_eq!(listed.json()["UserPools"][0]["LambdaConfig"], Value::Object(all.clone()));
    let made = app.cognito_admin("CreateUserPool", json!({ "PoolName": "other", "LambdaConfig": all })).await;
    assert_eq!(made.json()["UserPool"]["LambdaConfig"], Value::Object(all));
    assert_eq!(admin(&app, "UpdateUserPool", json!({})).await.whole(), (200, "{}"));
    assert_eq!(lambda_config(&app).await, json!({}));
}

// P14: nothing but the settings says where events go.
story!(a_function_without_a_url_is_refused_in_words_that_say_which_setting, super::with_hook);
async fn a_function_without_a_url_is_refused_in_words_that_say_which_setting(app: TestApp) {
    let unknown = "arn:aws:lambda:us-east-1:123456789012:function:other";
    let words = format!(
        "InvalidParameterException: LambdaConfig.PreSignUp names {unknown}, which has no URL on this server: add it to \
         the setting hooks.functions."
    );
    let config = json!({ "PreSignUp": unknown });
    assert_eq!(refused(&admin(&app, "UpdateUserPool", json!({ "LambdaConfig": config })).await), words);
    let made = app.cognito_admin("CreateUserPool", json!({ "PoolName": "other", "LambdaConfig": config })).await;
    assert_eq!(refused(&made), words);
    assert_eq!(lambda_config(&app).await, json!({}));
}

story!(triggers_that_nobody_would_call_are_refused, super::with_hook);
async fn triggers_that_nobody_would_call_are_refused(app: TestApp) {
    let sender = json!({ "LambdaVersion": "V1_0", "LambdaArn": ARN });
    let federation = json!({ "LambdaVersion": "V1_0", "LambdaArn": ARN });
    for (name, value) in [
        ("CustomEmailSender", sender.clone()),
        ("CustomSMSSender", sender),
        ("InboundFederation", federation),
        ("KMSKeyID", json!("arn:aws:kms:us-east-1:123456789012:key/1")),
    ] {
        let answer = admin(&app, "UpdateUserPool", json!({ "LambdaConfig": { name: value } })).await;
        let words = format!("InvalidParameterException: LambdaConfig.{name} is not available on this server.");
        assert_eq!(refused(&answer), words);
    }
}

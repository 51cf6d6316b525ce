//! Every kind of constraint of the model, in Cognito's words.

use serde_json::{Value, json};

use super::refused;
use crate::app::{TestApp, story};

async fn broken(app: &TestApp, operation: &str, body: Value) -> String {
    let answer = app.cognito_admin(operation, body).await;
    refused(&answer).strip_prefix("InvalidParameterException: ").unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

// D10, K13
story!(each_kind_of_constraint_has_cognitos_words);
async fn each_kind_of_constraint_has_cognitos_words(app: TestApp) {
    let pool = app.pool().id().to_owned();
    for (body, words) in [
        (
            json!({ "UserPoolId": pool }),
            "1 validation error detected: Value at 'username' failed to satisfy constraint: Member must not be null",
        ),
        (
            json!({ "Username": "alice" }),
            "1 validation error detected: Value null at 'userPoolId' failed to satisfy constraint: Member must not be \
             null",
        ),
        (
            json!({ "UserPoolId": "nothing", "Username": "alice" }),
            "1 validation error detected: Value 'nothing' at 'userPoolId' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [\\w-]+_[0-9a-zA-Z]+",
        ),
        (
            json!({ "UserPoolId": "", "Username": "" }),
            "4 validation errors detected: Value '' at 'userPoolId' failed to satisfy constraint: Member must have \
             length greater than or equal to 1; Value '' at 'userPoolId' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [\\w-]+_[0-9a-zA-Z]+; Value at 'username' failed to satisfy \
             constraint: Member must have length greater than or equal to 1; Value at 'username' failed to satisfy \
             constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+",
        ),
        (
            json!({ "UserPoolId": pool, "Username": "é".repeat(129) }),
            "1 validation error detected: Value at 'username' failed to satisfy constraint: Member must have length \
             less than or equal to 128",
        ),
    ] {
        assert_eq!(broken(&app, "AdminUserGlobalSignOut", body).await, words);
    }
}

story!(a_long_input_costs_little_and_gives_a_short_answer);
async fn a_long_input_costs_little_and_gives_a_short_answer(app: TestApp) {
    let long = "a".repeat(1_000_000);
    let answer = app.cognito_admin("AdminUserGlobalSignOut", json!({ "UserPoolId": long, "Username": "x" })).await;
    let shown = format!("Value '{}...' at 'userPoolId'", "a".repeat(256));
    assert!(refused(&answer).contains(&shown), "{}", answer.text);
    assert!(answer.text.len() < 1_500);
    let answer =
        app.cognito_admin("AdminUserGlobalSignOut", json!({ "UserPoolId": "\r\nX-Evil: é", "Username": "x" })).await;
    assert!(answer.header("x-evil").is_none());
    assert!(answer.header("x-amzn-errormessage").unwrap().contains("Value '??X-Evil: ?' at 'userPoolId'"));
}

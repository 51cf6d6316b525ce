//! User pools over the Cognito API: made, described, changed, listed, deleted, and what is refused.

use serde_json::{Value, json};

use super::refused;
use crate::app::{TestApp, story};

async fn make(app: &TestApp, body: Value) -> Value {
    let made = app.cognito_admin("CreateUserPool", body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.json()["UserPool"].clone()
}

async fn describe(app: &TestApp, id: &str) -> Value {
    let found = app.cognito_admin("DescribeUserPool", json!({ "UserPoolId": id })).await;
    assert_eq!(found.status, 200, "{}", found.text);
    found.json()["UserPool"].clone()
}

fn id(pool: &Value) -> String {
    pool["Id"].as_str().unwrap().to_owned()
}

story!(a_pool_that_is_made_by_its_name_alone_has_cognitos_defaults);
async fn a_pool_that_is_made_by_its_name_alone_has_cognitos_defaults(app: TestApp) {
    let mut made = make(&app, json!({ "PoolName": "shop" })).await;
    let id = id(&made);
    assert!(id.starts_with("us-east-1_") && id.len() == 19, "{id}");
    assert_eq!(describe(&app, &id).await, made);
    assert_eq!(made["SchemaAttributes"].as_array().unwrap().len(), 20);
    let email = made["SchemaAttributes"].as_array().unwrap().iter().find(|of| of["Name"] == "email").unwrap();
    let limits = json!({ "MinLength": "0", "MaxLength": "2048" });
    assert_eq!(
        *email,
        json!({ "Name": "email", "AttributeDataType": "String", "DeveloperOnlyAttribute": false, "Mutable": true,
                "Required": false, "StringAttributeConstraints": limits })
    );
    made.as_object_mut().unwrap().remove("SchemaAttributes");
    assert_eq!(
        made,
        json!({
            "Id": id,
            "Name": "shop",
            "Arn": format!("arn:aws:cognito-idp:us-east-1:123456789012:userpool/{id}"),
            "Policies": {
                "PasswordPolicy": {
                    "MinimumLength": 8, "RequireUppercase": true, "RequireLowercase": true, "RequireNumbers": true,
                    "RequireSymbols": true, "TemporaryPasswordValidityDays": 7
                },
                "SignInPolicy": { "AllowedFirstAuthFactors": ["PASSWORD"] }
            },
            "DeletionProtection": "INACTIVE",
            "LambdaConfig": {},
            "UsernameConfiguration": { "CaseSensitive": true },
            "MfaConfiguration": "OFF",
            "AdminCreateUserConfig": { "AllowAdminCreateUserOnly": false, "UnusedAccountValidityDays": 7 },
            "UserPoolTags": {},
            "CreationDate": 1_795_262_400.0,
            "LastModifiedDate": 1_795_262_400.0,
            "EmailConfiguration": { "EmailSendingAccount": "COGNITO_DEFAULT" },
            "UserPoolTier": "ESSENTIALS",
            "VerificationMessageTemplate": { "DefaultEmailOption": "CONFIRM_WITH_CODE" }
        })
    );
}

// K07: each pool has its own keys, issuer and clients.
story!(a_pool_that_was_just_made_serves_on_every_replica);
async fn a_pool_that_was_just_made_serves_on_every_replica(app: TestApp) {
    let id = id(&make(&app, json!({ "PoolName": "shop" })).await);
    let body = json!({ "UserPoolId": id, "ClientName": "web", "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"] });
    let made = app.cognito_admin("CreateUserPoolClient", body).await.json();
    let client = made["UserPoolClient"]["ClientId"].as_str().unwrap().to_owned();
    let user = json!({ "UserPoolId": id, "Username": "ann", "TemporaryPassword": "Quiet-lamp-1" });
    assert_eq!(app.cognito_admin("AdminCreateUser", user).await.status, 200);
    let set = json!({ "UserPoolId": id, "Username": "ann", "Password": "Quiet-lamp-2", "Permanent": true });
    assert_eq!(app.cognito_admin("AdminSetUserPassword", set).await.whole(), (200, "{}"));
    let sign_in = |client: &str| {
        json!({ "ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH",
                "AuthParameters": { "USERNAME": "ann", "PASSWORD": "Quiet-lamp-2" } })
    };
    for _ in 0..2 {
        let answer = app.cognito("InitiateAuth", sign_in(&client)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = answer.json()["AuthenticationResult"]["AccessToken"].as_str().unwrap().to_owned();
        assert!(crate::app::claims(&token)["iss"].as_str().unwrap().ends_with(&id));
        // K07: at another pool's API it is nothing.
        assert!(!app.accepts(&token).await);
    }
    let elsewhere = app.cognito("InitiateAuth", sign_in(&app.client().id)).await;
    assert_eq!(refused(&elsewhere), "NotAuthorizedException: Incorrect username or password.");
}

story!(an_update_puts_back_what_it_does_not_name);
async fn an_update_puts_back_what_it_does_not_name(app: TestApp) {
    let rules = json!({
        "PoolName": "shop", "DeletionProtection": "ACTIVE",
        "Policies": { "PasswordPolicy": { "MinimumLength": 12, "RequireSymbols": false } },
        "AdminCreateUserConfig": { "AllowAdminCreateUserOnly": true }, "UserPoolTags": { "team": "a" },
        "AliasAttributes": ["email"], "UsernameConfiguration": { "CaseSensitive": false },
        "Schema": [{ "Name": "team", "AttributeDataType": "String" }]
    });
    let id = id(&make(&app, rules).await);
    let mfa = json!({ "UserPoolId": id, "MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": { "Enabled": true } });
    assert_eq!(app.cognito_admin("SetUserPoolMfaConfig", mfa).await.status, 200);
    assert_eq!(describe(&app, &id).await["MfaConfiguration"], "OPTIONAL");
    app.clock.advance_seconds(60);
    let update = json!({ "UserPoolId": id, "PoolName": "shop two", "AutoVerifiedAttributes": ["email"] });
    assert_eq!(app.cognito_admin("UpdateUserPool", update).await.whole(), (200, "{}"));
    let pool = describe(&app, &id).await;
    assert_eq!(pool["Name"], "shop two");
    assert_eq!(pool["MfaConfiguration"], "OFF");
    assert_eq!(pool["DeletionProtection"], "INACTIVE");
    assert_eq!(pool["Policies"]["PasswordPolicy"]["MinimumLength"], 8);
    assert_eq!(pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], false);
    assert_eq!(pool["UserPoolTags"], json!({}));
    assert_eq!(pool["AutoVerifiedAttributes"], json!(["email"]));
    // What is fixed at birth stays.
    assert_eq!(pool["AliasAttributes"], json!(["email"]));
    assert_eq!(pool["UsernameConfiguration"], json!({ "CaseSensitive": false }));
    assert_eq!(pool["SchemaAttributes"][20]["Name"], "custom:team");
    assert_eq!(
        (pool["CreationDate"].clone(), pool["LastModifiedDate"].clone()),
        (json!(1_795_262_400.0), json!(1_795_262_460.0))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reading_from_before_a_change_takes_the_place_of_the_one_after_it() {
    let app = TestApp::start().await;
    let pools = &app.api.pools;
    let id = app.pool().id().to_owned();
    let reading = tokio::spawn({
        let api = app.api.clone();
        async move {
            loop {
                futures_util::future::join_all((0..4).map(|_| api.pools.reload())).await;
            }
        }
    });
    for size in (0..=24).cycle().take(300) {
        pools.update_pool(&id, |pool| pool.password_history = size).await.unwrap();
        pools.reload().await.unwrap();
        tokio::task::yield_now().await;
        assert_eq!(pools.find(&id).unwrap().settings.password_history, size);
    }
    reading.abort();
}

story!(a_deleted_pool_is_gone_with_all_that_is_in_it);
async fn a_deleted_pool_is_gone_with_all_that_is_in_it(app: TestApp) {
    let id = id(&make(&app, json!({ "PoolName": "shop", "DeletionProtection": "ACTIVE" })).await);
    let user = json!({ "UserPoolId": id, "Username": "ann" });
    assert_eq!(app.cognito_admin("AdminCreateUser", user.clone()).await.status, 200);
    let group = json!({ "UserPoolId": id, "GroupName": "staff" });
    assert_eq!(app.cognito_admin("CreateGroup", group).await.status, 200);
    let delete = json!({ "UserPoolId": id });
    let protected = "InvalidParameterException: The user pool cannot be deleted because deletion protection is activated. \
                     Deletion protection must be inactivated first.";
    assert_eq!(refused(&app.cognito_admin("DeleteUserPool", delete.clone()).await), protected);
    assert_eq!(app.cognito_admin("UpdateUserPool", delete.clone()).await.status, 200);
    assert_eq!(app.cognito_admin("DeleteUserPool", delete.clone()).await.whole(), (200, "{}"));
    let gone = format!("ResourceNotFoundException: User pool {id} does not exist.");
    for _ in 0..2 {
        assert_eq!(refused(&app.cognito_admin("DescribeUserPool", delete.clone()).await), gone);
        assert_eq!(refused(&app.cognito_admin("DeleteUserPool", delete.clone()).await), gone);
    }
    let first = json!({ "UserPoolId": app.pool().id() });
    let born = "InvalidParameterException: The user pool is the one that this deployment was born with; it can not be deleted.";
    assert_eq!(refused(&app.cognito_admin("DeleteUserPool", first).await), born);
}

// P02
story!(pools_are_listed_in_pages);
async fn pools_are_listed_in_pages(app: TestApp) {
    for name in ["one", "two", "three"] {
        app.clock.advance_seconds(1);
        make(&app, json!({ "PoolName": name })).await;
    }
    let first = app.cognito_admin("ListUserPools", json!({ "MaxResults": 3 })).await.json();
    let names = |page: &Value| -> Vec<String> {
        page["UserPools"].as_array().unwrap().iter().map(|pool| pool["Name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first)[1..], ["one", "two"]);
    let token = first["NextToken"].as_str().unwrap();
    let last = app.cognito_admin("ListUserPools", json!({ "MaxResults": 3, "NextToken": token })).await.json();
    assert_eq!((names(&last), last.get("NextToken")), (vec!["three".to_owned()], None));
    let forged = format!("{token}x");
    let body = json!({ "UserPoolId": app.pool().id(), "NextToken": token });
    for (operation, body) in
        [("ListUserPools", json!({ "MaxResults": 3, "NextToken": forged })), ("ListUserPoolClients", body)]
    {
        let words = "InvalidParameterException: Token is not one of this list";
        assert_eq!(refused(&app.cognito_admin(operation, body).await), words, "{operation}");
    }
}

story!(custom_attributes_are_added_and_never_twice);
async fn custom_attributes_are_added_and_never_twice(app: TestApp) {
    let id = id(&make(&app, json!({ "PoolName": "shop" })).await);
    let limits = json!({ "MinValue": "1", "MaxValue": "9" });
    let level = json!({ "Name": "level", "AttributeDataType": "Number", "NumberAttributeConstraints": limits });
    let body = json!({ "UserPoolId": id, "CustomAttributes": [level] });
    assert_eq!(app.cognito_admin("AddCustomAttributes", body.clone()).await.whole(), (200, "{}"));
    assert_eq!(
        describe(&app, &id).await["SchemaAttributes"][20],
        json!({ "Name": "custom:level", "AttributeDataType": "Number", "DeveloperOnlyAttribute": false, "Mutable": true,
                "Required": false, "NumberAttributeConstraints": limits })
    );
    let again = "InvalidParameterException: custom:level: Existing attribute already has name custom:level.";
    assert_eq!(refused(&app.cognito_admin("AddCustomAttributes", body).await), again);
}

story!(tags_are_put_on_a_pool_and_taken_off);
async fn tags_are_put_on_a_pool_and_taken_off(app: TestApp) {
    let arn = make(&app, json!({ "PoolName": "shop", "UserPoolTags": { "team": "a" } })).await["Arn"].clone();
    let body = json!({ "ResourceArn": arn, "Tags": { "stage": "live" } });
    assert_eq!(app.cognito_admin("TagResource", body).await.whole(), (200, "{}"));
    let body = json!({ "ResourceArn": arn, "TagKeys": ["team"] });
    assert_eq!(app.cognito_admin("UntagResource", body).await.whole(), (200, "{}"));
    let tags = app.cognito_admin("ListTagsForResource", json!({ "ResourceArn": arn })).await;
    assert_eq!(tags.json(), json!({ "Tags": { "stage": "live" } }));
    let strange = json!({ "ResourceArn": "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc" });
    let words = "ResourceNotFoundException: User pool does not exist.";
    assert_eq!(refused(&app.cognito_admin("ListTagsForResource", strange).await), words);
}

story!(what_a_pool_can_not_have_is_refused_by_name);
async fn what_a_pool_can_not_have_is_refused_by_name(app: TestApp) {
    let string = |name: &str, constraints: Value| json!([{ "Name": name, "AttributeDataType": "String", "StringAttributeConstraints": constraints }]);
    for (member, value, words) in [
        (
            "LambdaConfig",
            json!({ "PreSignUp": "arn:aws:lambda:us-east-1:1:function:x" }),
            "LambdaConfig.PreSignUp names arn:aws:lambda:us-east-1:1:function:x, which has no URL on this server: add it to \
             the setting hooks.functions.",
        ),
        (
            "AutoVerifiedAttributes",
            json!(["phone_number"]),
            "AutoVerifiedAttributes phone_number is not available on this server.",
        ),
        (
            "Schema",
            json!([{ "Name": "email", "AttributeDataType": "Number" }]),
            "You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute email",
        ),
        (
            "Schema",
            json!([{ "Name": "team", "AttributeDataType": "String", "Required": true }]),
            "Required custom attributes are not supported currently.",
        ),
        (
            "Schema",
            json!([{ "Name": "team" }]),
            "Invalid AttributeDataType input, consider using the provided AttributeDataType enum.",
        ),
        (
            "Schema",
            string("team", json!({ "MinLength": "x" })),
            "Invalid StringAttributeConstraints for schema attribute team",
        ),
        (
            "Schema",
            string("team", json!({ "MaxLength": "2049" })),
            "user.team: String attributes cannot have a length of more than 2048",
        ),
        (
            "Schema",
            string("team", json!({ "MinLength": "9", "MaxLength": "1" })),
            "user.team: Max length cannot be less than min length.",
        ),
        (
            "UsernameAttributes",
            json!(["email"]),
            "Only one of the aliasAttributes or usernameAttributes can be set in a user pool.",
        ),
    ] {
        let mut body = json!({ "PoolName": "shop" });
        body[member] = value;
        if member == "UsernameAttributes" {
            body["AliasAttributes"] = json!(["email"]);
        }
        let answer = app.cognito_admin("CreateUserPool", body).await;
        assert_eq!(refused(&answer), format!("InvalidParameterException: {words}"), "{member}");
    }
    let listed = app.cognito_admin("ListUserPools", json!({ "MaxResults": 60 })).await.json();
    assert_eq!(listed["UserPools"].as_array().unwrap().len(), 1, "a refused pool leaves nothing behind");
}

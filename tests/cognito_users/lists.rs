//! Users and groups in pages.

use serde_json::{Value, json};

use super::refused;
use crate::app::{Answer, TestApp, story};

const DONE: (u16, &str) = (200, "{}");
const FOREIGN: &str = "InvalidParameterException: Token is not one of this list";

async fn call(app: &TestApp, operation: &str, rest: Value) -> Answer {
    let mut body = json!({ "UserPoolId": app.pool().id() });
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    app.cognito_admin(operation, body).await
}

fn names(answer: &Answer) -> Vec<String> {
    let users = answer.json()["Users"].as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone();
    users.iter().map(|user| user["Username"].as_str().unwrap().to_owned()).collect()
}

async fn found(app: &TestApp, filter: &str) -> Vec<String> {
    names(&call(app, "ListUsers", json!({ "Filter": filter })).await)
}

// P02
story!(users_are_listed_in_pages_whose_tokens_are_good_for_that_list_only);
async fn users_are_listed_in_pages_whose_tokens_are_good_for_that_list_only(app: TestApp) {
    for name in ["ann", "bob", "carol"] {
        app.user(name).await;
    }
    let first = call(&app, "ListUsers", json!({ "Limit": 2 })).await;
    assert_eq!(names(&first), ["ann", "bob"]);
    let token = first.field("PaginationToken");
    let second = call(&app, "ListUsers", json!({ "Limit": 2, "PaginationToken": token })).await;
    assert_eq!(names(&second), ["carol"]);
    assert_eq!(second.json().get("PaginationToken"), None);
    for rest in [json!({}), json!({ "Limit": 0 }), json!({ "Limit": 60 })] {
        assert_eq!(names(&call(&app, "ListUsers", rest).await).len(), 3);
    }
    let (place, tag) = token.split_once('.').unwrap();
    let forged = [
        json!({ "PaginationToken": token, "Filter": "email ^= \"a\"" }),
        json!({ "PaginationToken": format!("MA.{tag}") }),
        json!({ "PaginationToken": place }),
        json!({ "PaginationToken": "x' OR 1=1--" .replace(' ', "") }),
    ];
    for rest in forged {
        assert_eq!(refused(&call(&app, "ListUsers", rest.clone()).await), FOREIGN, "{rest}");
    }
    let words = "InvalidParameterException: 1 validation error detected: Value '61' at 'limit' failed to satisfy \
                 constraint: Member must have value less than or equal to 60";
    assert_eq!(refused(&call(&app, "ListUsers", json!({ "Limit": 61 })).await), words);
    app.pool().create_group(cognate::pool::NewGroup { name: "g".to_owned(), ..Default::default() }).await.unwrap();
    let other = call(&app, "ListUsersInGroup", json!({ "GroupName": "g", "NextToken": token })).await;
    assert_eq!(refused(&other), FOREIGN);
}

story!(users_are_found_by_a_filter);
async fn users_are_found_by_a_filter(app: TestApp) {
    for name in ["Ann", "anna", "bob"] {
        app.user(name).await;
    }
    app.pool().disable_user("bob").await.unwrap();
    let ann = app.pool().find_user("ann").await.unwrap();
    for (filter, wanted) in [
        ("username = \"ANN\"".to_owned(), &["Ann"][..]),
        ("username ^= \"An\"".to_owned(), &["Ann", "anna"]),
        ("email = \"ann@EXAMPLE.test\"".to_owned(), &["Ann"]),
        (format!("sub = \"{}\"", ann.sub), &["Ann"]),
        ("status = \"Disabled\"".to_owned(), &["bob"]),
        ("cognito:user_status = \"confirmed\"".to_owned(), &["Ann", "anna", "bob"]),
        ("phone_number = \"+49\"".to_owned(), &[]),
        ("name ^= \"%\"".to_owned(), &[]),
        ("username = \"' OR 1=1 --\"".to_owned(), &[]),
        ("username = \"a\u{0}\"".to_owned(), &[]),
    ] {
        assert_eq!(found(&app, &filter).await, wanted, "{filter}");
    }
    let refuse = async |filter: &str| refused(&call(&app, "ListUsers", json!({ "Filter": filter })).await);
    assert_eq!(refuse("username").await, "InvalidParameterException: Error while parsing filter.");
    assert_eq!(refuse("custom:x = \"1\"").await, "InvalidParameterException: Invalid search attribute: custom:x");
    let rest = json!({ "Filter": "username = \"ann\"", "AttributesToGet": ["email"] });
    let body = r#"{"Users":[{"Username":"Ann","Attributes":[{"Name":"email","Value":"Ann@example.test"}],"UserCreateDate":1795262400.0,"UserLastModifiedDate":1795262400.0,"Enabled":true,"UserStatus":"CONFIRMED"}]}"#;
    assert_eq!(call(&app, "ListUsers", rest).await.whole(), (200, body));
}

story!(a_group_is_made_changed_listed_and_deleted);
async fn a_group_is_made_changed_listed_and_deleted(app: TestApp) {
    let pool = app.pool().id().to_owned();
    let staff = json!({ "GroupName": "staff", "Description": "Those who work", "Precedence": 5,
        "RoleArn": "arn:aws:iam::123456789012:role/staff" });
    let whole = |precedence: u32, changed: &str| {
        format!(
            r#"{{"Group":{{"GroupName":"staff","UserPoolId":"{pool}","Description":"Those who work","RoleArn":"arn:aws:iam::123456789012:role/staff","Precedence":{precedence},"LastModifiedDate":{changed},"CreationDate":1795262400.0}}}}"#
        )
    };
    assert_eq!(call(&app, "CreateGroup", staff.clone()).await.whole(), (200, whole(5, "1795262400.0").as_str()));
    let words = "GroupExistsException: A group with the name already exists.";
    assert_eq!(refused(&call(&app, "CreateGroup", staff).await), words);
    app.clock.advance(std::time::Duration::from_millis(1500));
    let changed = call(&app, "UpdateGroup", json!({ "GroupName": "staff", "Precedence": 1 })).await;
    assert_eq!(changed.whole(), (200, whole(1, "1795262401.5").as_str()));
    let read = call(&app, "GetGroup", json!({ "GroupName": "staff" })).await;
    assert_eq!(read.whole(), (200, whole(1, "1795262401.5").as_str()));
    assert_eq!(call(&app, "CreateGroup", json!({ "GroupName": "b" })).await.status, 200);
    assert_eq!(call(&app, "CreateGroup", json!({ "GroupName": "a" })).await.status, 200);
    let first = call(&app, "ListGroups", json!({ "Limit": 2 })).await;
    let listed = |answer: &Answer| {
        let groups = answer.json()["Groups"].as_array().unwrap().clone();
        groups.iter().map(|group| group["GroupName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(&first), ["staff", "a"]);
    let second = call(&app, "ListGroups", json!({ "Limit": 2, "NextToken": first.field("NextToken") })).await;
    assert_eq!(listed(&second), ["b"]);
    assert_eq!(second.json().get("NextToken"), None);
    assert_eq!(call(&app, "DeleteGroup", json!({ "GroupName": "staff" })).await.whole(), DONE);
    let missing = "ResourceNotFoundException: Group not found.";
    for operation in ["GetGroup", "UpdateGroup", "DeleteGroup", "ListUsersInGroup"] {
        assert_eq!(refused(&call(&app, operation, json!({ "GroupName": "staff" })).await), missing, "{operation}");
    }
}

story!(members_come_and_go);
async fn members_come_and_go(app: TestApp) {
    for name in ["ann", "bob", "carol"] {
        app.user(name).await;
    }
    call(&app, "CreateGroup", json!({ "GroupName": "staff" })).await;
    let member = async |operation: &str, name: &str, group: &str| {
        call(&app, operation, json!({ "Username": name, "GroupName": group })).await
    };
    for name in ["ann", "bob@example.test", "ann"] {
        assert_eq!(member("AdminAddUserToGroup", name, "staff").await.whole(), DONE, "{name}");
    }
    let first = call(&app, "ListUsersInGroup", json!({ "GroupName": "staff", "Limit": 1 })).await;
    assert_eq!(names(&first), ["ann"]);
    let rest = json!({ "GroupName": "staff", "NextToken": first.field("NextToken") });
    assert_eq!(names(&call(&app, "ListUsersInGroup", rest).await), ["bob"]);
    let groups = call(&app, "AdminListGroupsForUser", json!({ "Username": "ann" })).await.json();
    assert_eq!((groups["Groups"].as_array().unwrap().len(), &groups["Groups"][0]["GroupName"]), (1, &json!("staff")));
    let none = call(&app, "AdminListGroupsForUser", json!({ "Username": "carol" })).await;
    assert_eq!(none.whole(), (200, r#"{"Groups":[]}"#));
    for _ in 0..2 {
        assert_eq!(member("AdminRemoveUserFromGroup", "ann", "staff").await.whole(), DONE);
    }
    assert_eq!(names(&call(&app, "ListUsersInGroup", json!({ "GroupName": "staff" })).await), ["bob"]);
    for operation in ["AdminAddUserToGroup", "AdminRemoveUserFromGroup"] {
        let words = "UserNotFoundException: User does not exist.";
        assert_eq!(refused(&member(operation, "nobody", "staff").await), words);
        assert_eq!(refused(&member(operation, "ann", "nowhere").await), "ResourceNotFoundException: Group not found.");
    }
}

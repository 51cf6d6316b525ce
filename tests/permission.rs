//! P01: who may call what. The matrix is made from openapi.yaml: each operation says in `x-permission` whom it is for,
//! and is called with every kind of credential there is.

mod people;
mod plan;

use std::collections::BTreeSet;

use crate::app::{Answer, TestApp, story};
use people::{People, Rank};
use plan::{Call, Permission, calls, operations};

#[test]
fn every_operation_says_whom_it_is_for_and_how_he_proves_it() {
    for operation in operations() {
        let name = &operation.name;
        let needed: BTreeSet<Permission> = operation.permissions().into_iter().collect();
        assert!(!needed.is_empty(), "{name} has no x-permission");
        let security = operation.body["security"].as_sequence();
        let schemes = operation.schemes();
        assert!(security.is_some(), "{name} has no security");
        let open = needed.contains(&Permission::Public);
        assert_eq!(open || operation.takes_token_in_body(), operation.is_open(), "{name}: security and x-permission");
        let closed = needed.iter().any(|permission| *permission != Permission::Public);
        assert_eq!(closed && !operation.takes_token_in_body(), schemes.contains("accessToken"), "{name}");
        let documents = |status: &str| operation.body["responses"][status].is_mapping();
        assert!(!closed || documents("401"), "{name} does not say when it is 401");
        let above = needed.iter().any(|permission| *permission > Permission::User);
        assert!(!above || documents("403"), "{name} does not say when it is 403");
        assert!(!schemes.contains("apiKey") || schemes.contains("accessToken"), "{name}");
    }
}

story!(every_operation_opens_to_whom_it_is_for_and_to_nobody_else, super::plenty);
async fn every_operation_opens_to_whom_it_is_for_and_to_nobody_else(app: TestApp) {
    let people = People::gather(&app).await;
    let mut seen = BTreeSet::new();
    for call in calls().filter(|call| call.permission != Permission::Public) {
        for (kind, token) in people.strangers() {
            let answer = call.send(&app, &people, token, None).await;
            // Two of the originals say of who is known and disabled that he may not.
            let disabled = kind.contains("disabled") && answer.status == 403;
            assert!(disabled || answer.status == 401, "{call} with {kind}: {} {}", answer.status, answer.text);
        }
        for rank in Rank::ALL {
            let person = people.another(&app, rank).await;
            let answer = call.send(&app, &people, Some(&person.access_token), Some(&person.email)).await;
            assert_admission(&call, call.permission.admits(rank), &answer, &format!("{rank:?}"));
            let person = people.another(&app, rank).await;
            let answer = call.send(&app, &people, Some(&person.api_key), Some(&person.email)).await;
            if call.takes_api_key {
                assert_admission(&call, call.permission.admits(rank), &answer, &format!("API key of {rank:?}"));
            } else {
                assert_eq!(answer.status, 401, "{call} with an API key: {}", answer.text);
            }
        }
        seen.insert(call.permission);
    }
    assert!(seen.contains(&Permission::User) && seen.contains(&Permission::Admin), "the matrix is empty");
}

fn assert_admission(call: &Call, admitted: bool, answer: &Answer, who: &str) {
    let said = format!("{call} by {who}: {} {}", answer.status, answer.text);
    if admitted {
        assert!(![401, 403].contains(&answer.status) && !is_fault(answer), "{said}");
    } else {
        assert_eq!(answer.status, 403, "{said}");
    }
}

/// No foreign directory is there, which is a 501 and nobody's fault.
fn is_fault(answer: &Answer) -> bool {
    answer.status >= 500 && answer.status != 501
}

story!(a_credential_changes_nothing_where_none_is_asked_for, super::plenty);
async fn a_credential_changes_nothing_where_none_is_asked_for(app: TestApp) {
    let people = People::gather(&app).await;
    let admin = people.another(&app, Rank::Admin).await;
    let public = calls().filter(|call| call.permission == Permission::Public);
    let public = public.filter(|call| !call.reads_authorization && !call.signed_address);
    for call in public {
        let bare = call.send(&app, &people, None, None).await;
        assert!(!is_fault(&bare) && bare.status != 403, "{call}: {} {}", bare.status, bare.text);
        for (kind, token) in people.strangers().chain([("an administrator", Some(admin.access_token.as_str()))]) {
            let answer = call.send(&app, &people, token, None).await;
            assert_eq!(answer.status, bare.status, "{call} with {kind}: {}", answer.text);
        }
    }
}

story!(no_other_method_of_a_path_is_answered_to_anybody);
async fn no_other_method_of_a_path_is_answered_to_anybody(app: TestApp) {
    let people = People::gather(&app).await;
    let admin = people.another(&app, Rank::Admin).await;
    let described: BTreeSet<String> = operations().map(|operation| operation.name).collect();
    let paths: BTreeSet<&str> = described.iter().map(|name| name.split_once(' ').unwrap().1).collect();
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if described.contains(&format!("{method} {path}")) {
                continue;
            }
            let request = app.to(method, &people.fill(path)).bearer_auth(&admin.access_token);
            let answer = app.request(request.json(&serde_json::json!({}))).await;
            assert!([404, 405].contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
        }
    }
}

story!(a_pool_that_is_not_there_is_not_found);
async fn a_pool_that_is_not_there_is_not_found(app: TestApp) {
    for operation in operations().filter(|operation| operation.name.contains("{pool}")) {
        let (method, path) = operation.name.split_once(' ').unwrap();
        for pool in ["us-east-1_000000000", "..", "%2e%2e", "us-east-1_", "*", "null"] {
            let answer = app.request(app.to(method, &path.replace("{pool}", pool))).await;
            assert_eq!(answer.status, 404, "{method} {path} of {pool}: {}", answer.text);
        }
    }
}

/// One machine plays everybody here.
fn plenty(config: &mut cognate::config::Config) {
    config.limits.source_failures = 1_000_000;
    config.limits.account_failures = 1_000_000;
    config.limits.mails = 1_000_000;
}

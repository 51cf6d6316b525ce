//! The OpenAPI document describes every route of the service and no other; the service hands it out.

use std::collections::BTreeSet;

use cognate::api;
use serde_norway::Value;

use crate::app::TestApp;

const DOCUMENT: &str = include_str!("../openapi.yaml");

#[tokio::test]
async fn the_document_and_the_service_have_the_same_routes() {
    let app = TestApp::start().await;
    let routes = api::dialects(&app.api).iter().flat_map(|dialect| dialect.routes()).collect::<Vec<_>>();
    let served: BTreeSet<String> = routes.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described(), served);
    assert_eq!(served.len(), routes.len(), "a route is mounted twice");
}

#[tokio::test]
async fn the_service_hands_out_its_document_and_a_page_for_it() {
    let app = TestApp::start().await;
    let document = app.get("/openapi.yaml").await;
    assert_eq!((document.status, document.header("content-type")), (200, Some("application/yaml")));
    assert_eq!(document.text, DOCUMENT);
    let page = app.get("/docs").await;
    assert_eq!((page.status, page.header("location")), (308, Some("/docs/")));
    assert_eq!(app.get("/docs/").await.status, 200);
}

#[test]
fn every_operation_of_v1_documents_every_error() {
    let always = ["408", "413", "422", "429", "500", "503"];
    for (path, operation) in operations().filter(|(path, _)| path.starts_with("POST /v1/")) {
        for status in always.iter().chain(["401"].iter()) {
            assert!(operation["responses"][*status].is_mapping(), "{path} does not say when it is {status}");
        }
    }
}

fn described() -> BTreeSet<String> {
    operations().map(|(route, _)| route).collect()
}

/// `METHOD /path` and the operation.
fn operations() -> impl Iterator<Item = (String, Value)> {
    let document: Value = serde_norway::from_str(DOCUMENT).expect("openapi.yaml is YAML");
    let paths = document["paths"].as_mapping().expect("openapi.yaml has paths").clone();
    paths.into_iter().flat_map(|(path, methods)| {
        let path = path.as_str().expect("a path is text").to_owned();
        let methods = methods.as_mapping().expect("a path has methods").clone();
        methods.into_iter().map(move |(method, operation)| {
            (format!("{} {path}", method.as_str().expect("a method is text").to_uppercase()), operation)
        })
    })
}

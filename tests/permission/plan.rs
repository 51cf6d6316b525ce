//! What the document says of every operation, and the calls that are made of it.

use std::collections::BTreeSet;
use std::fmt::{Display, Formatter};

use serde_norway::Value;

use super::people::{People, Rank};
use crate::app::{Answer, PASSWORD, TestApp};

const DOCUMENT: &str = include_str!("../../openapi.yaml");

/// Whom an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Anybody.
    Public,
    /// Whoever is signed in, for himself.
    User,
    /// Administrators.
    Admin,
    /// Administrators, and those of the organization that is named in the path.
    OrganizationAdmin,
}

impl Permission {
    fn parse(text: &str) -> Self {
        match text {
            "public" => Self::Public,
            "user" => Self::User,
            "admin" => Self::Admin,
            "organization-admin" => Self::OrganizationAdmin,
            other => panic!("no permission is called {other}"),
        }
    }

    pub fn admits(self, rank: Rank) -> bool {
        match self {
            Self::Public | Self::User => true,
            Self::Admin => rank == Rank::Admin,
            Self::OrganizationAdmin => [Rank::Admin, Rank::OrganizationAdmin].contains(&rank),
        }
    }
}

/// An operation of the document.
pub struct Operation {
    /// `METHOD /path`.
    pub name: String,
    pub body: Value,
}

/// Every operation.
pub fn operations() -> impl Iterator<Item = Operation> {
    let paths = document()["paths"].as_mapping().unwrap().clone();
    paths.into_iter().flat_map(|(path, methods)| {
        let path = path.as_str().unwrap().to_owned();
        methods.as_mapping().unwrap().clone().into_iter().map(move |(method, body)| Operation {
            name: format!("{} {path}", method.as_str().unwrap().to_uppercase()),
            body,
        })
    })
}

fn document() -> &'static Value {
    static DOCUMENT_READ: std::sync::LazyLock<Value> =
        std::sync::LazyLock::new(|| serde_norway::from_str(DOCUMENT).unwrap());
    &DOCUMENT_READ
}

/// Follows a reference inside the document.
fn resolve(node: &Value) -> &Value {
    let Some(reference) = node["$ref"].as_str() else { return node };
    reference.trim_start_matches("#/").split('/').fold(document(), |node, part| &node[part])
}

impl Operation {
    /// One for all, or one for each example of the body, where two APIs share a path.
    pub fn permissions(&self) -> Vec<Permission> {
        let said = &self.body["x-permission"];
        let each = said.as_mapping().into_iter().flat_map(|each| each.values());
        each.chain(said.is_string().then_some(said)).map(|one| Permission::parse(one.as_str().unwrap())).collect()
    }

    fn permission(&self, example: &str) -> Permission {
        let said = &self.body["x-permission"];
        let of_example = said[example].as_str().or(said.as_str());
        Permission::parse(of_example.unwrap_or_else(|| panic!("{}: no x-permission of {example}", self.name)))
    }

    /// Names of the security schemes.
    pub fn schemes(&self) -> BTreeSet<&str> {
        let ways = self.body["security"].as_sequence().into_iter().flatten();
        ways.flat_map(|way| way.as_mapping().unwrap().keys()).map(|scheme| scheme.as_str().unwrap()).collect()
    }

    /// Whether a call without any credential is well formed.
    pub fn is_open(&self) -> bool {
        let ways = self.body["security"].as_sequence().unwrap();
        ways.is_empty() || ways.iter().any(|way| way.as_mapping().unwrap().is_empty())
    }

    /// Whether the access token is a field of the body, as the native API has it.
    pub fn takes_token_in_body(&self) -> bool {
        self.examples().iter().any(|(_, _, value)| value["access_token"].is_string())
    }

    /// Content type, name and value of the examples of the body: of JSON where it is read, else of the first type.
    fn examples(&self) -> Vec<(String, String, Value)> {
        let Some(content) = self.body["requestBody"]["content"].as_mapping() else { return Vec::new() };
        let json = content.iter().find(|(kind, _)| kind.as_str() == Some("application/json"));
        let (kind, body) = json.or_else(|| content.iter().next()).unwrap();
        let examples = body["examples"].as_mapping().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        examples.map(|(name, example)| (text(kind), text(name), resolve(example)["value"].clone())).collect()
    }

    fn query(&self) -> Vec<(String, String)> {
        let parameters = self.body["parameters"].as_sequence().into_iter().flatten().map(resolve);
        let in_query = parameters.filter(|parameter| parameter["in"].as_str() == Some("query"));
        in_query
            .map(|parameter| {
                let listed = parameter["examples"].as_mapping().and_then(|examples| examples.values().next());
                let value = listed.map_or(&parameter["example"], |example| &resolve(example)["value"]);
                (parameter["name"].as_str().unwrap().to_owned(), value.as_str().unwrap_or("example").to_owned())
            })
            .collect()
    }
}

/// A call that an example of the document stands for.
pub struct Call {
    name: String,
    example: String,
    pub permission: Permission,
    pub takes_api_key: bool,
    /// Whether the Authorization header names a client.
    pub reads_authorization: bool,
    /// Whether the address itself is the credential, and the one of the example is nobody's.
    pub signed_address: bool,
    token_in_body: bool,
    query: Vec<(String, String)>,
    kind: String,
    body: Option<Value>,
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.example)
    }
}

/// Every call.
pub fn calls() -> impl Iterator<Item = Call> {
    operations().flat_map(|operation| {
        let mut examples: Vec<_> =
            operation.examples().into_iter().map(|(kind, name, body)| (kind, name, Some(body))).collect();
        if examples.is_empty() {
            examples.push((String::new(), String::new(), None));
        }
        let schemes = operation.schemes();
        let call = |(kind, example, body): (String, String, Option<Value>)| Call {
            permission: operation.permission(&example),
            takes_api_key: schemes.contains("apiKey"),
            reads_authorization: schemes.contains("clientBasic"),
            signed_address: operation.query().iter().any(|(name, _)| name == "signature"),
            token_in_body: operation.takes_token_in_body(),
            query: operation.query(),
            name: operation.name.clone(),
            example,
            kind,
            body,
        };
        examples.into_iter().map(call).collect::<Vec<_>>()
    })
}

impl Call {
    /// Makes the call with a token, as the person with this address.
    pub async fn send(&self, app: &TestApp, people: &People, token: Option<&str>, email: Option<&str>) -> Answer {
        let (method, path) = self.name.split_once(' ').unwrap();
        let query = serde_urlencoded::to_string(&self.query).unwrap();
        let mut request = app.to(method, &format!("{}?{query}", people.fill(path)));
        if let Some(token) = token.filter(|_| !self.token_in_body) {
            request = request.bearer_auth(token);
        }
        let Some(body) = self.filled(token, email) else { return app.request(request).await };
        let is_form = self.kind == "application/x-www-form-urlencoded";
        app.request(if is_form { request.form(&body) } else { request.json(&body) }).await
    }

    /// The example with the caller's own name, password and token in it.
    fn filled(&self, token: Option<&str>, email: Option<&str>) -> Option<serde_json::Value> {
        let mut body = serde_json::to_value(self.body.as_ref()?).unwrap();
        for (name, value) in body.as_object_mut().unwrap() {
            let own = match name.to_lowercase().as_str() {
                "access_token" => Some(token.unwrap_or("none")),
                "email" | "user" | "username" => email,
                "previous_password" | "oldpassword" | "currentpassword" => Some(PASSWORD),
                _ => None,
            };
            if let Some(own) = own {
                *value = own.into();
            }
        }
        Some(body)
    }
}

//! The dialects: languages the outside speaks. Each knows HTTP and nothing of storage; [`mount`] is the table of them.

pub mod account;
pub mod amadis;
pub mod cognito;
mod field;
pub mod http;
pub mod member;
pub mod oauth;
pub mod oidc;
pub mod ops;
pub mod v1;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix_web::web::ServiceConfig;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::config::{AccountApi, Config};
use crate::pool::{Pools, Ports};

/// What every dialect is given.
pub struct Api {
    /// The pools.
    pub pools: Arc<Pools>,
    /// The ports, for readiness and measurements.
    pub ports: Arc<Ports>,
    /// The settings.
    pub config: Config,
    /// Set when the process is about to stop: readiness says so and connections are closed after their answer.
    pub draining: AtomicBool,
    /// The measurements.
    pub measurements: PrometheusHandle,
}

/// A language the outside speaks.
pub trait Dialect {
    /// Its name in logs and metrics.
    fn name(&self) -> &'static str;
    /// Its routes: method, path template, and the operation's name in logs and metrics.
    fn routes(&self) -> Vec<Route>;
    /// Adds its routes, with its own words for a path it does not know.
    fn mount(&self, app: &mut ServiceConfig);
}

/// One route of a dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path as `openapi.yaml` has it.
    pub path: &'static str,
    /// The operation.
    pub operation: &'static str,
}

impl Route {
    /// A route of the method GET.
    pub const fn get(path: &'static str, operation: &'static str) -> Self {
        Self { method: "GET", path, operation }
    }

    /// A route of the method POST.
    pub const fn post(path: &'static str, operation: &'static str) -> Self {
        Self { method: "POST", path, operation }
    }

    /// A route of the method PATCH.
    pub const fn patch(path: &'static str, operation: &'static str) -> Self {
        Self { method: "PATCH", path, operation }
    }
}

/// Every dialect that the settings let speak; one line each.
pub fn dialects(api: &Arc<Api>) -> Vec<Box<dyn Dialect>> {
    let served = &api.config.compat;
    let mut dialects: Vec<Box<dyn Dialect>> = Vec::new();
    if served.v1 {
        dialects.push(Box::new(v1::V1::new(api.clone())));
    }
    if served.amadis {
        dialects.push(Box::new(amadis::Amadis::new(api.clone())));
    }
    // Astera has no refresh of its own: what rememberMe gives is taken there, and so are the secrets of app clients.
    if served.amadis || served.cognito || matches!(served.account, AccountApi::Auto | AccountApi::Astera) {
        dialects.push(Box::new(oauth::OAuth::new(api.clone())));
    }
    if served.account != AccountApi::Off {
        dialects.push(Box::new(account::Account::new(api.clone())));
    }
    if matches!(served.account, AccountApi::Auto | AccountApi::Pm415) {
        dialects.push(Box::new(member::Member::new(api.clone())));
    }
    if served.cognito {
        dialects.push(Box::new(cognito::Cognito::new(api.clone())));
    }
    dialects.push(Box::new(ops::Ops::new(api.clone())));
    dialects.push(Box::new(oidc::Oidc::new(api.clone())));
    dialects
}

/// Adds all dialects to an application.
pub fn mount(api: &Arc<Api>, app: &mut ServiceConfig) {
    for dialect in dialects(api) {
        dialect.mount(app);
    }
    app.default_service(actix_web::web::to(ops::unknown_path));
}

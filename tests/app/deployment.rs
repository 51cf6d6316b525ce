//! The deployments that every story is told on, and the macro that does so.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use cognate::config::{Config, Period, Secret};

use crate::servers::postgres;
use crate::servers::redis::Server;

/// A deployment on several machines brings its master key.
const MASTER_KEY: &str = "rmVZc3KS1Wx7bVJib2P8GXO/Ep0KZwJONKGnvT62HrI=";
const DATABASES: u32 = 4096;

/// What the service stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deployment {
    /// One process on one SQLite file.
    Embedded,
    /// Two processes on PostgreSQL and Redis that take turns, request by request.
    PostgresAndRedis,
}

impl Deployment {
    /// Gives `config` stores that no other test has.
    pub async fn prepare(self, config: &mut Config) {
        if self == Self::PostgresAndRedis {
            config.master_key = Some(Secret::new(MASTER_KEY));
            config.directory.url = Some(Secret::new(postgres::database().await));
            config.directory.connections = 5;
            config.tokens.url = Secret::new(redis_database());
            // What is tested is not how fast a busy machine is.
            config.tokens.connect_timeout = Period::seconds(5);
            config.tokens.timeout = Period::seconds(5);
        }
    }
}

/// The address of an empty database on the Redis that all stories share.
fn redis_database() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.get_or_init(|| Server::start(&["--databases", &DATABASES.to_string()]));
    format!("{}/{}", server.url(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Tells a story, `async fn name(app: TestApp)`, on both deployments; settings of its own may follow the name.
macro_rules! story {
    ($name:ident) => {
        $crate::app::story!($name, |_| {});
    };
    ($name:ident, $settings:expr) => {
        mod $name {
            #[tokio::test]
            async fn embedded() {
                super::$name($crate::app::TestApp::start_on($crate::app::Deployment::Embedded, $settings).await).await;
            }

            #[tokio::test]
            async fn postgres_and_redis() {
                let deployment = $crate::app::Deployment::PostgresAndRedis;
                super::$name($crate::app::TestApp::start_on(deployment, $settings).await).await;
            }
        }
    };
}
pub(crate) use story;

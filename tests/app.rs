//! The service in this process, on a port of its own: own stores, a clock that moves, mail in a folder.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use cognate::api::Api;
use cognate::clock::{Clock, Timestamp};
use cognate::config::{Config, Period, Secret};
use cognate::pool::{Client, NewUser, Pool};
use cognate::server::{Assembled, assemble_on, listen};
use cognate::store;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;

/// 2026-11-21T12:00:00Z, where every test begins.
pub const START: Timestamp = Timestamp(1_795_262_400_000);
pub const PASSWORD: &str = "correct horse battery";

/// A clock that only a test moves.
pub struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl MovedClock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|fault| panic!("{fault} in {}", self.text))
    }

    pub fn field(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.text)).to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status and body together, for comparing with a literal.
    pub fn whole(&self) -> (u16, &str) {
        (self.status, &self.text)
    }
}

pub struct TestApp {
    pub url: String,
    pub api: Arc<Api>,
    pub clock: Arc<MovedClock>,
    pub config: Config,
    http: reqwest::Client,
    server: ServerHandle,
    folder: Arc<TempDir>,
}

impl TestApp {
    /// On an embedded store, with the defaults.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// On an embedded store, with settings of the test's own.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = Arc::new(MovedClock(AtomicI64::new(START.0)));
        Self::start_in(folder, clock, change).await
    }

    /// A second replica on the same stores and clock.
    pub async fn replica(&self) -> Self {
        let config = self.config.clone();
        let url = self.config.public_url();
        let replica = Self::start_in(self.folder.clone(), self.clock.clone(), move |own| {
            let listen = own.http.listen;
            *own = config;
            own.http.listen = listen;
            own.http.public_url = Some(url.parse().unwrap());
        });
        replica.await
    }

    async fn start_in(folder: Arc<TempDir>, clock: Arc<MovedClock>, change: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut config = Config { data: folder.path().to_owned(), ..Config::default() };
        config.http.listen = listener.local_addr().unwrap();
        config.http.workers = 1;
        // The cheapest hash there is: what is tested here is everything around it.
        config.password.memory_kib = 8;
        config.password.iterations = 1;
        config.directory.timeout = Period::seconds(5);
        change(&mut config);
        let url = format!("http://{}", config.http.listen);
        let stores = store::open(&config).await.unwrap();
        let Assembled { ports, pools } = assemble_on(&config, stores, clock.clone()).await.unwrap();
        pools.reload().await.unwrap();
        let measurements = PrometheusBuilder::new().build_recorder().handle();
        let api =
            Arc::new(Api { pools, ports, config: config.clone(), draining: AtomicBool::new(false), measurements });
        let server = listen(api.clone(), listener).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { url, api, clock, config, http, server: handle, folder }
    }

    pub fn pool(&self) -> Arc<Pool> {
        self.api.pools.first().unwrap()
    }

    pub fn client(&self) -> Client {
        self.pool().client(&self.api.pools.first_client().unwrap()).unwrap().clone()
    }

    /// Changes the client that `/v1` speaks for.
    pub async fn change_client(&self, change: impl Fn(&mut Client) + Send + Sync) {
        self.api.pools.update_client(&self.pool(), &self.client().id, change).await.unwrap();
        self.api.pools.reload().await.unwrap();
    }

    /// A confirmed user with [`PASSWORD`] and the address NAME@example.test.
    pub async fn user(&self, name: &str) {
        let email = Some(format!("{name}@example.test"));
        self.pool().create_user(NewUser { email, ..NewUser::new(name, PASSWORD) }).await.unwrap();
    }

    pub async fn request(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request(self.http.post(format!("{}{path}", self.url)).json(&body)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(self.http.get(format!("{}{path}", self.url))).await
    }

    pub async fn login(&self, username: &str, password: &str) -> Answer {
        self.post("/v1/login", json!({ "username": username, "password": password })).await
    }

    pub async fn refresh(&self, username: &str, refresh_token: &str) -> Answer {
        self.post("/v1/token-refresh", json!({ "username": username, "refresh_token": refresh_token })).await
    }

    pub async fn revoke(&self, refresh_token: &str) -> Answer {
        self.post("/v1/token-revoke", json!({ "refresh_token": refresh_token })).await
    }

    /// Delivers what is in the outbox and answers the mails of this test, oldest first.
    pub async fn mails(&self) -> Vec<String> {
        self.api.pools.outbox().unwrap().deliver_due().await.unwrap();
        let mut files: Vec<_> = std::fs::read_dir(self.folder.path().join("mail"))
            .map(|files| files.map(|file| file.unwrap().path()).collect())
            .unwrap_or_default();
        files.sort_by_key(|file| std::fs::metadata(file).unwrap().modified().unwrap());
        files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
    }

    /// The stores of this test by URL, for replicas of another kind.
    pub fn tokens_on(url: String) -> impl FnOnce(&mut Config) {
        move |config| config.tokens.url = Secret::new(url)
    }

    pub async fn stop(self) {
        self.server.stop(true).await;
    }
}

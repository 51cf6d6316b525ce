//! The service in this process, on a port of its own: own stores, a clock that moves, mail in a folder.

mod answer;
mod cognito;
mod deployment;
mod mailed;

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use cognate::api::Api;
use cognate::clock::{Clock, Timestamp};
use cognate::config::{Config, Period};
use cognate::error::Error;
use cognate::pool::{Client, NewUser, Pool, PoolSettings, Surface};
use cognate::server::{Assembled, assemble_on, listen};
use cognate::{store, telemetry};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use tempfile::TempDir;

pub use answer::{Answer, claims, part};
pub use cognito::Signer;
pub use deployment::Deployment;
pub(crate) use deployment::story;
pub use mailed::token_in;

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

    pub fn advance_seconds(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds));
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
    others: Vec<TestApp>,
    turn: AtomicUsize,
}

impl Drop for TestApp {
    fn drop(&mut self) {
        // Told now, done by the server's own thread.
        drop(self.server.stop(false));
    }
}

impl TestApp {
    /// On an embedded store, with the defaults.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// On an embedded store, with settings of the test's own.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_on(Deployment::Embedded, change).await
    }

    /// On one of the deployments, with settings of the test's own.
    pub async fn start_on(deployment: Deployment, change: impl FnOnce(&mut Config)) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = Arc::new(MovedClock(AtomicI64::new(START.0)));
        let mut config = Config { data: folder.path().to_owned(), ..Config::default() };
        config.http.workers = 1;
        // The cheapest hash there is: what is tested here is everything around it.
        config.password.memory_kib = 8;
        config.password.iterations = 1;
        config.password.queue_wait = Period::seconds(20);
        config.directory.timeout = Period::seconds(20);
        deployment.prepare(&mut config).await;
        change(&mut config);
        let app = Self::start_in(folder, clock, config).await;
        if deployment == Deployment::PostgresAndRedis { app.doubled().await } else { app }
    }

    /// A second replica on the same stores and clock.
    pub async fn replica(&self) -> Self {
        self.replica_with(self.config.clone()).await
    }

    /// The same with settings of its own.
    pub async fn replica_with(&self, mut config: Config) -> Self {
        config.http.public_url = Some(self.config.public_url().parse().unwrap());
        Self::start_in(self.folder.clone(), self.clock.clone(), config).await
    }

    /// The same with at least two replicas, which take turns.
    pub async fn doubled(mut self) -> Self {
        if self.others.is_empty() {
            let other = self.replica().await;
            self.others.push(other);
        }
        self
    }

    async fn start_in(folder: Arc<TempDir>, clock: Arc<MovedClock>, mut config: Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        config.http.listen = listener.local_addr().unwrap();
        let url = format!("http://{}", config.http.listen);
        let stores = store::open(&config).await.unwrap();
        let Assembled { ports, pools } = assemble_on(&config, stores, clock.clone()).await.unwrap();
        match pools.reload().await {
            // As the service starts: a Directory that is down is waited for.
            Ok(()) | Err(Error::Unavailable { .. }) => {}
            Err(error) => panic!("{}", cognate::error::chain(&error)),
        }
        let draining = AtomicBool::new(false);
        let api = Arc::new(Api { pools, ports, config: config.clone(), draining, measurements: measurements() });
        let server = serve(api.clone(), listener);
        let http = reqwest::Client::builder().tls_certs_only([]).redirect(reqwest::redirect::Policy::none());
        let http = http.build().unwrap();
        Self { url, api, clock, config, http, server, folder, others: Vec::new(), turn: AtomicUsize::new(0) }
    }

    pub fn pool(&self) -> Arc<Pool> {
        self.api.pools.first().unwrap()
    }

    pub fn client(&self) -> Client {
        self.api.pools.surface(Surface::V1).unwrap().1
    }

    /// Every replica.
    pub fn replicas(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.others)
    }

    /// Lets every replica read pools, clients and keys again.
    pub async fn reload(&self) {
        for replica in self.replicas() {
            replica.api.pools.reload().await.unwrap();
        }
    }

    /// Changes the client that `/v1` speaks for.
    pub async fn change_client(&self, change: impl Fn(&mut Client) + Send + Sync) {
        self.api.pools.update_client(&self.pool(), &self.client().id, change).await.unwrap();
        self.reload().await;
    }

    /// Changes the pool.
    pub async fn change_pool(&self, change: impl Fn(&mut PoolSettings) + Send + Sync) {
        self.api.pools.update_pool(self.pool().id(), change).await.unwrap();
        self.reload().await;
    }

    /// A confirmed user with [`PASSWORD`] and the address NAME@example.test.
    pub async fn user(&self, name: &str) {
        let email = Some(format!("{name}@example.test"));
        self.pool().create_user(NewUser { email, ..NewUser::new(name, PASSWORD) }).await.unwrap();
    }

    /// The same, signed in.
    pub async fn signed_in(&self, name: &str) -> Answer {
        self.user(name).await;
        let answer = self.login(name, PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    pub async fn request(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    /// A request to the replica whose turn it is.
    pub fn to(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % (1 + self.others.len());
        let url = &self.replicas().nth(turn).unwrap().url;
        self.http.request(method.parse().unwrap(), format!("{url}{path}"))
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request(self.to("POST", path).json(&body)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(self.to("GET", path)).await
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

    pub async fn new_password(&self, username: &str, session: &str, new_password: &str) -> Answer {
        let body = json!({ "username": username, "session": session, "new_password": new_password });
        self.post("/v1/new-password-required", body).await
    }

    pub async fn change_password(&self, access_token: &str, previous: &str, proposed: &str) -> Answer {
        let body =
            json!({ "access_token": access_token, "previous_password": previous, "proposed_password": proposed });
        self.post("/v1/change-password", body).await
    }

    /// Whether the access token opens what a token opens; every replica must think the same.
    pub async fn accepts(&self, access_token: &str) -> bool {
        let mut thoughts = Vec::new();
        for replica in self.replicas() {
            thoughts.push(match replica.pool().authenticate(access_token).await {
                Ok(_) => true,
                Err(Error::TokenInvalid | Error::TokenExpired | Error::TokenRevoked | Error::UserDisabled) => false,
                Err(error) => panic!("{}", cognate::error::chain(&error)),
            });
        }
        thoughts.dedup();
        let [thought] = thoughts.as_slice() else { panic!("the replicas disagree") };
        *thought
    }

    pub async fn forgot(&self, username: &str) -> Answer {
        self.post("/v1/forgot-password", json!({ "username": username })).await
    }

    pub async fn confirm(&self, username: &str, code: &str, password: &str) -> Answer {
        let body = json!({ "username": username, "confirmation_code": code, "password": password });
        self.post("/v1/forgot-password-confirm", body).await
    }

    /// Delivers what is in the outbox and takes the mails out of their folder.
    pub async fn mails(&self) -> Vec<String> {
        self.api.pools.outbox().unwrap().deliver_due().await.unwrap();
        let files = std::fs::read_dir(self.folder.path().join("mail")).unwrap().map(|file| file.unwrap().path());
        let taken = files.map(|file| (std::fs::read_to_string(&file).unwrap(), std::fs::remove_file(file).unwrap()));
        taken.map(|(mail, ())| mail).collect()
    }

    /// The code in the one mail that is waiting.
    pub async fn mailed_code(&self) -> String {
        let mails = self.mails().await;
        let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
        let is_code = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
        mail.lines().map(str::trim).find(is_code).unwrap().to_owned()
    }
}

/// One recorder for the whole process: the measurements are those of all tests in it.
fn measurements() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| telemetry::start_measuring().unwrap()).clone()
}

/// Serves on a thread of its own, so that the server outlives the test's runtime long enough to stop.
fn serve(api: Arc<Api>, listener: TcpListener) -> ServerHandle {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = listen(api, listener).unwrap();
            tell.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    told.recv().unwrap()
}

//! The connection to one server: made when first needed, made again when lost, every wait bounded.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, RedisError, RedisResult, Value, from_redis_value};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout};

use super::address::Server;
use super::call::Call;
use super::fault::{Outcome, may_be_sent_again, outcome, silent, stopping, unavailable, unreplicated};
use crate::clock::millis;
use crate::config::{Durability, Tokens};
use crate::crypto::Random;
use crate::error::Error;

/// Finding a master takes several steps, so connecting may outlast the call that began it.
pub const CONNECT_AT_MOST: Duration = Duration::from_secs(3);

/// Connections follow each other no faster than this, however many calls fail.
const SPACING: Duration = Duration::from_millis(20);

/// A step, whole, within the deadline of the settings.
pub async fn within(settings: &Tokens, step: impl Future<Output = RedisResult<Value>>) -> Result<Value, Error> {
    match timeout(settings.connect_timeout.saturating_add(*settings.timeout), step).await {
        Ok(answer) => answer.map_err(|fault| unavailable(&fault)),
        Err(_) => Err(silent()),
    }
}

/// What many calls share.
struct Link(MultiplexedConnection);

impl Link {
    /// `command`, and on the same connection right before it `ASKING` where that is needed, and right behind it the
    /// question whether a replica has all that was written there.
    async fn query(&self, command: Cmd, asking: bool, wait: Option<Duration>) -> RedisResult<Value> {
        let mut connection = self.0.clone();
        if !asking && wait.is_none() {
            return command.query_async(&mut connection).await;
        }
        let mut steps = redis::pipe();
        if asking {
            steps.cmd("ASKING").ignore();
        }
        steps.add_command(command);
        if let Some(wait) = wait {
            steps.cmd("WAIT").arg(1).arg(millis(wait));
        }
        let answers: Vec<RedisResult<Value>> = steps.ignore_errors().query_async(&mut connection).await?;
        let mut answers = answers.into_iter();
        let answer = answers.next().ok_or((ErrorKind::UnexpectedReturnType, "no answer to a step"))??;
        match answers.next().transpose()?.map(from_redis_value::<u32>).transpose()? {
            Some(0) => Err(unreplicated()),
            Some(_) | None => Ok(answer),
        }
    }

    /// A server that forgot its scripts is told again.
    async fn send(&self, call: &Call, wait: Option<Duration>) -> RedisResult<Value> {
        let wait = wait.filter(|_| call.is_replicated());
        match self.query(call.short(), call.is_asking(), wait).await {
            Err(fault) if fault.code() == Some("NOSCRIPT") => self.query(call.whole(), call.is_asking(), wait).await,
            answer => answer,
        }
    }
}

/// Whoever connects holds this.
struct Dialer {
    server: Server,
    config: AsyncConnectionConfig,
    random: Random,
    failures: u32,
    fault: Option<RedisError>,
    not_before: Instant,
}

/// One link for all that runs on a runtime, and the way to a new one.
pub struct Connection {
    link: ArcSwapOption<Link>,
    dialer: Mutex<Dialer>,
    runtime: Handle,
    /// How long a replica may take, where one has to have what is written.
    wait: Option<Duration>,
}

impl Connection {
    /// Prepares without connecting. The connection is to live on `runtime`.
    pub fn new(server: Server, settings: &Tokens, runtime: Handle) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(*settings.connect_timeout))
            .set_response_timeout(Some(*settings.timeout));
        let dialer =
            Dialer { server, config, random: Random::default(), failures: 0, fault: None, not_before: Instant::now() };
        Self {
            link: ArcSwapOption::empty(),
            dialer: Mutex::new(dialer),
            runtime,
            // Twice within the deadline: a server that has forgotten its scripts is asked again, and that no replica has
            // it is a better answer than none.
            wait: (settings.durability == Durability::Replicated).then(|| settings.timeout.mul_f32(0.4)),
        }
    }

    /// Takes one step. Repeats at once, and once, what was certainly not done or may be done twice.
    pub async fn send(self: &Arc<Self>, call: &Call) -> RedisResult<Value> {
        let link = self.link().await?;
        let fault = match link.send(call, self.wait).await {
            Ok(answer) => return Ok(answer),
            Err(fault) => fault,
        };
        if outcome(&fault) != Outcome::Refused {
            self.give_up(&link);
        }
        if !may_be_sent_again(&fault, call) {
            return Err(fault);
        }
        self.link().await?.send(call, self.wait).await.inspect_err(|_| self.give_up(&link))
    }

    fn give_up(&self, failed: &Arc<Link>) {
        self.link.compare_and_swap(&Some(Arc::clone(failed)), None);
    }

    /// Connects in a task of its own: a call that gives up leaves the next one a connection.
    async fn link(self: &Arc<Self>) -> RedisResult<Arc<Link>> {
        if let Some(link) = self.link.load_full() {
            return Ok(link);
        }
        let connection = Arc::clone(self);
        let dialing = self.runtime.spawn(async move { connection.dial().await });
        dialing.await.unwrap_or_else(|_| Err(stopping()))
    }

    async fn dial(&self) -> RedisResult<Arc<Link>> {
        let mut dialer = self.dialer.lock().await;
        match self.link.load_full() {
            Some(link) => Ok(link),
            None => dialer.dial(&self.link).await,
        }
    }
}

impl Dialer {
    /// Connects unless the last failure is too fresh: then everybody is told at once that it failed.
    async fn dial(&mut self, link: &ArcSwapOption<Link>) -> RedisResult<Arc<Link>> {
        match &self.fault {
            Some(fault) if Instant::now() < self.not_before => return Err(fault.clone()),
            Some(_) => {}
            None => sleep_until(self.not_before).await,
        }
        let connected = match timeout(CONNECT_AT_MOST, self.connect()).await {
            Ok(connected) => connected,
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        };
        match connected {
            Ok(fresh) => Ok(self.succeeded(fresh, link)),
            Err(fault) => Err(self.failed(fault)),
        }
    }

    async fn connect(&mut self) -> RedisResult<Link> {
        match &mut self.server {
            Server::Single(client) => client.get_multiplexed_async_connection_with_config(&self.config).await,
            Server::Sentinel(client) => client.get_async_connection_with_config(&self.config).await,
        }
        .map(Link)
    }

    fn succeeded(&mut self, fresh: Link, link: &ArcSwapOption<Link>) -> Arc<Link> {
        (self.failures, self.fault, self.not_before) = (0, None, Instant::now() + SPACING);
        let fresh = Arc::new(fresh);
        link.store(Some(Arc::clone(&fresh)));
        fresh
    }

    /// Pauses 50 to 400 ms, less a random part so that replicas do not knock together.
    fn failed(&mut self, fault: RedisError) -> RedisError {
        let pause = Duration::from_millis(50 << self.failures.min(3));
        let [share] = self.random.bytes().unwrap_or([255]);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Instant::now() + pause.mul_f32(0.5 + f32::from(share) / 510.0);
        self.fault = Some(fault.clone());
        fault
    }
}

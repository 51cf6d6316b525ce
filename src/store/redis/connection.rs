//! The connection to Redis, whatever kind: made when first needed, made again when lost, every wait bounded.
//! The one place that knows a Cluster from a single server.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, RedisError, RedisResult, Value};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout};

use super::address::Target;
use super::call::Call;
use super::fault::{Outcome, outcome, silent, unavailable, unreplicated};
use crate::clock::millis;
use crate::config::{Durability, Tokens};
use crate::crypto::Random;
use crate::error::Error;

/// Finding a master or all nodes of a Cluster takes several steps, so connecting may outlast the call that began it.
const CONNECT_AT_MOST: Duration = Duration::from_secs(3);

/// Connections follow each other no faster than this, however many calls fail.
const SPACING: Duration = Duration::from_millis(20);

/// The same for a Cluster, where one silent node says nothing about the others.
const CLUSTER_SPACING: Duration = Duration::from_secs(1);

/// A connection that many calls share.
enum Link {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Link {
    async fn query(&self, command: Cmd, wait: Option<Duration>) -> RedisResult<Value> {
        match (self, wait) {
            (_, Some(wait)) => self.query_replicated(command, wait).await,
            (Self::Server(connection), None) => command.query_async(&mut connection.clone()).await,
            (Self::Cluster(connection), None) => command.query_async(&mut connection.clone()).await,
        }
    }

    /// The command, and right behind it on the same connection the question whether a replica has all that was written
    /// there. A Cluster's link sends both to the node of the command's key.
    async fn query_replicated(&self, command: Cmd, wait: Duration) -> RedisResult<Value> {
        let mut both = redis::pipe();
        both.add_command(command).cmd("WAIT").arg(1).arg(millis(wait)).ignore_errors();
        let (answer, replicas): (RedisResult<Value>, RedisResult<u32>) = match self {
            Self::Server(connection) => both.query_async(&mut connection.clone()).await?,
            Self::Cluster(connection) => both.query_async(&mut connection.clone()).await?,
        };
        match (answer?, replicas?) {
            (_, 0) => Err(unreplicated()),
            (answer, _) => Ok(answer),
        }
    }

    /// A server that forgot its scripts is told again.
    async fn send(&self, call: &Call, wait: Option<Duration>) -> RedisResult<Value> {
        let wait = wait.filter(|_| call.is_replicated());
        match self.query(call.short(), wait).await {
            Err(fault) if fault.code() == Some("NOSCRIPT") => self.query(call.whole(), wait).await,
            answer => answer,
        }
    }
}

/// Whoever connects holds this.
struct Dialer {
    target: Target,
    config: AsyncConnectionConfig,
    random: Random,
    failures: u32,
    fault: Option<RedisError>,
    not_before: Instant,
}

/// One link for all that runs on a runtime, and the way to a new one.
pub struct Connections {
    link: ArcSwapOption<Link>,
    dialer: Mutex<Dialer>,
    runtime: Handle,
    deadline: Duration,
    /// How long a replica may take, where one has to have what is written.
    wait: Option<Duration>,
}

impl Connections {
    /// Prepares without connecting. The connection is to live on `runtime`.
    pub fn new(target: Target, settings: &Tokens, runtime: Handle) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(*settings.connect_timeout))
            .set_response_timeout(Some(*settings.timeout));
        let dialer =
            Dialer { target, config, random: Random::default(), failures: 0, fault: None, not_before: Instant::now() };
        Self {
            link: ArcSwapOption::empty(),
            dialer: Mutex::new(dialer),
            runtime,
            deadline: settings.connect_timeout.saturating_add(*settings.timeout),
            // Twice within the deadline: a server that has forgotten its scripts is asked again, and that no replica has
            // it is a better answer than none.
            wait: (settings.durability == Durability::Replicated).then(|| settings.timeout.mul_f32(0.4)),
        }
    }

    /// Takes one step, whole, within the deadline.
    pub async fn run(self: &Arc<Self>, call: Call) -> Result<Value, Error> {
        match timeout(self.deadline, self.attempt(&call)).await {
            Ok(answer) => answer.map_err(|fault| unavailable(&fault)),
            Err(_) => Err(silent()),
        }
    }

    /// Repeats at once, and once, what was certainly not done or may be done twice.
    async fn attempt(self: &Arc<Self>, call: &Call) -> RedisResult<Value> {
        let link = self.link().await?;
        let fault = match link.send(call, self.wait).await {
            Ok(answer) => return Ok(answer),
            Err(fault) => fault,
        };
        let outcome = outcome(&fault);
        if outcome != Outcome::Refused {
            self.replace(&link);
        }
        let again = match outcome {
            Outcome::Elsewhere => true,
            // After silence the deadline leaves no time to ask again.
            Outcome::Lost => call.is_repeatable() && !fault.is_timeout(),
            Outcome::Refused => false,
        };
        if !again {
            return Err(fault);
        }
        self.link().await?.send(call, self.wait).await.inspect_err(|_| self.replace(&link))
    }

    /// Connects in a task of its own: a call that gives up leaves the next one a connection.
    async fn link(self: &Arc<Self>) -> RedisResult<Arc<Link>> {
        if let Some(link) = self.link.load_full() {
            return Ok(link);
        }
        let connections = Arc::clone(self);
        let dialing = self.runtime.spawn(async move { connections.dial().await });
        dialing.await.unwrap_or_else(|_| Err((ErrorKind::Io, "the process is stopping").into()))
    }

    async fn dial(&self) -> RedisResult<Arc<Link>> {
        let mut dialer = self.dialer.lock().await;
        match self.link.load_full() {
            Some(link) => Ok(link),
            None => dialer.dial(&self.link).await,
        }
    }

    /// Gives up a link that failed. A Cluster's serves its other nodes until there is a better one.
    fn replace(self: &Arc<Self>, failed: &Arc<Link>) {
        match **failed {
            Link::Server(_) => {
                self.link.compare_and_swap(&Some(Arc::clone(failed)), None);
            }
            Link::Cluster(_) => {
                let (connections, failed) = (Arc::clone(self), Arc::clone(failed));
                self.runtime.spawn(async move { connections.follow(&failed).await });
            }
        }
    }

    async fn follow(&self, failed: &Arc<Link>) {
        // Somebody is at it already.
        let Ok(mut dialer) = self.dialer.try_lock() else { return };
        let current = self.link.load_full().is_some_and(|link| Arc::ptr_eq(&link, failed));
        if current && Instant::now() >= dialer.not_before {
            // What went wrong is seen by the next call that needs that node.
            let _ = dialer.dial(&self.link).await;
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
        match &mut self.target {
            Target::Single(client) => {
                client.get_multiplexed_async_connection_with_config(&self.config).await.map(Link::Server)
            }
            Target::Sentinel(client) => client.get_async_connection_with_config(&self.config).await.map(Link::Server),
            Target::Cluster(client) => client.get_async_connection().await.map(Link::Cluster),
        }
    }

    fn succeeded(&mut self, fresh: Link, link: &ArcSwapOption<Link>) -> Arc<Link> {
        let spacing = match fresh {
            Link::Server(_) => SPACING,
            Link::Cluster(_) => CLUSTER_SPACING,
        };
        (self.failures, self.fault, self.not_before) = (0, None, Instant::now() + spacing);
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

//! A Redis Cluster: every step goes to the master that has its key's slot, and follows when slots move or masters fail.
//! Each node has a connection of its own, so that a silent one takes its own keys away and nobody else's. (The Cluster
//! client of the `redis` crate holds everybody up while it asks for the slots anew.)

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::{select_ok, try_join_all};
use redis::{RedisError, RedisResult, Value};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::call::Call;
use super::connection::{CONNECT_AT_MOST, Connection};
use super::fault::{Outcome, may_be_sent_again, outcome, stopping, unserved, unsettled};
use super::node::{Address, Nodes, address};
use super::once_per::OncePer;
use super::slots::{Slots, slot};
use crate::config::Tokens;

/// A key that moves is two steps away at most.
const REDIRECTS: usize = 4;

/// The slots are asked for no faster than this, however many calls fail.
const SPACING: Duration = Duration::from_millis(100);

/// So many masters are asked for the slots at once, and the first answer counts.
const ASKED_AT_ONCE: usize = 4;

/// When the slots may be asked for again, and what went wrong the last time.
struct Asked {
    not_before: Instant,
    fault: Option<RedisError>,
}

/// The masters of a Cluster, and who of them has what.
pub struct Cluster {
    nodes: Nodes,
    settings: Tokens,
    runtime: Handle,
    slots: ArcSwap<Slots>,
    connections: OncePer<Address, Connection>,
    asked: Mutex<Asked>,
    turn: AtomicUsize,
}

impl Cluster {
    /// Prepares without connecting. The connections are to live on `runtime`.
    pub fn new(nodes: Nodes, settings: &Tokens, runtime: Handle) -> Self {
        Self {
            nodes,
            settings: settings.clone(),
            runtime,
            slots: ArcSwap::default(),
            connections: OncePer::default(),
            asked: Mutex::new(Asked { not_before: Instant::now(), fault: None }),
            turn: AtomicUsize::new(0),
        }
    }

    /// Takes one step, on its key's master or, without a key, on every master.
    pub async fn send(self: &Arc<Self>, call: &Call) -> RedisResult<Value> {
        let slots = self.slots().await?;
        match call.key() {
            Some(key) => self.send_to_master(slot(key), &slots, call).await,
            None => self.send_to_all(&slots, call).await,
        }
    }

    /// Repeats once, at whoever took over, what was certainly not done or may be done twice.
    async fn send_to_master(self: &Arc<Self>, slot: u16, slots: &Arc<Slots>, call: &Call) -> RedisResult<Value> {
        let master = slots.master(slot);
        let fault = match self.follow(master, slots, call).await {
            Err(fault) if outcome(&fault) != Outcome::Refused => fault,
            answer => return answer,
        };
        let refreshed = self.refresh(slots, master);
        if !may_be_sent_again(&fault, call) {
            return Err(fault);
        }
        refreshed.await.unwrap_or_else(|_| Err(stopping()))?;
        let slots = self.slots.load_full();
        match slots.master(slot) {
            successor if successor == master => Err(fault),
            successor => self.follow(successor, &slots, call).await,
        }
    }

    /// Goes where the nodes point: for good (`MOVED`), or for this once (`ASK`).
    async fn follow(self: &Arc<Self>, first: Option<&Address>, slots: &Arc<Slots>, call: &Call) -> RedisResult<Value> {
        let mut node = first.ok_or_else(unserved)?.clone();
        let mut asking = None;
        for _ in 0..REDIRECTS {
            let fault = match self.connection(&node)?.send(asking.as_ref().unwrap_or(call)).await {
                Err(fault) => fault,
                answer => return answer,
            };
            let Some(next) = fault.redirect_node().and_then(|(written, _)| address(written, &node)) else {
                return Err(fault);
            };
            asking = (fault.code() == Some("ASK")).then(|| call.asking());
            if asking.is_none() {
                self.refresh(slots, None);
            }
            node = next;
        }
        Err(unsettled())
    }

    async fn send_to_all(self: &Arc<Self>, slots: &Arc<Slots>, call: &Call) -> RedisResult<Value> {
        let answers = slots.masters().into_iter().map(|node| async move {
            let answer = self.connection(node)?.send(call).await.inspect_err(|_| {
                self.refresh(slots, Some(node));
            })?;
            Ok((Value::SimpleString(node.0.clone()), answer))
        });
        try_join_all(answers).await.map(Value::Map)
    }

    fn connection(&self, node: &Address) -> RedisResult<Arc<Connection>> {
        self.connections
            .get(node.clone(), || Ok(Connection::new(self.nodes.server(node)?, &self.settings, self.runtime.clone())))
    }

    async fn slots(self: &Arc<Self>) -> RedisResult<Arc<Slots>> {
        let slots = self.slots.load_full();
        if slots.is_empty() {
            self.refresh(&slots, None).await.unwrap_or_else(|_| Err(stopping()))?;
        }
        Ok(self.slots.load_full())
    }

    /// Asks who has what, in a task of its own: a call that gives up leaves the next one the answer. `seen` is what
    /// turned out to be wrong, `failed` whom not to ask.
    fn refresh(self: &Arc<Self>, seen: &Arc<Slots>, failed: Option<&Address>) -> JoinHandle<RedisResult<()>> {
        let (cluster, seen, failed) = (Arc::clone(self), Arc::clone(seen), failed.cloned());
        self.runtime.spawn(async move { cluster.refresh_now(&seen, failed.as_ref()).await })
    }

    async fn refresh_now(self: &Arc<Self>, seen: &Arc<Slots>, failed: Option<&Address>) -> RedisResult<()> {
        let mut asked = self.asked.lock().await;
        if !Arc::ptr_eq(seen, &self.slots.load()) {
            return Ok(());
        }
        if Instant::now() >= asked.not_before {
            let told = timeout(CONNECT_AT_MOST, self.ask(failed)).await;
            let told = told.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()));
            asked.not_before = Instant::now() + SPACING;
            asked.fault = told.map(|slots| self.adopt(slots)).err();
        }
        asked.fault.clone().map_or(Ok(()), Err)
    }

    fn adopt(&self, slots: Slots) {
        let masters = slots.masters();
        self.connections.retain(|node| masters.contains(node) || self.nodes.named().contains(node));
        drop(masters);
        self.slots.store(Arc::new(slots));
    }

    /// Masters first: a node that left the Cluster may still be named in the settings, and tells what was.
    async fn ask(self: &Arc<Self>, failed: Option<&Address>) -> RedisResult<Slots> {
        let slots = self.slots.load_full();
        let mut masters: Vec<&Address> = slots.masters().into_iter().filter(|node| Some(*node) != failed).collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(masters.len());
        masters.rotate_left(turn.unwrap_or_default());
        masters.truncate(ASKED_AT_ONCE);
        match self.first_told_by(masters).await {
            Ok(slots) => Ok(slots),
            Err(_) => self.first_told_by(self.nodes.named().iter().collect()).await,
        }
    }

    async fn first_told_by(self: &Arc<Self>, nodes: Vec<&Address>) -> RedisResult<Slots> {
        if nodes.is_empty() {
            return Err(unserved());
        }
        select_ok(nodes.into_iter().map(|node| Box::pin(self.told_by(node)))).await.map(|(slots, _)| slots)
    }

    async fn told_by(self: &Arc<Self>, node: &Address) -> RedisResult<Slots> {
        let question = Call::keyless("CLUSTER").arg("SLOTS").repeatable();
        let slots = Slots::read(self.connection(node)?.send(&question).await?, node)?;
        if slots.is_empty() { Err(unserved()) } else { Ok(slots) }
    }
}

//! A network between us and Redis that cuts, swallows and delays: a proxy that does as told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use cognate::store::tokens::Verdict;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{BOUND, ready, unavailable};
use crate::servers::redis::{Server, open, settings};
use crate::store::tokens::challenges::{challenge, key as challenge_key};
use crate::store::tokens::{ROTATING, Store, at, opened, session};

const PASS: u8 = 0;
/// Cuts the connection in place of the next answer, then passes.
const CUT_ONCE: u8 = 1;
/// Accepts and forwards nothing.
const SWALLOW: u8 = 2;

struct Proxy {
    manner: Arc<AtomicU8>,
    url: String,
}

impl Proxy {
    async fn start(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let (manner, port) = (Arc::new(AtomicU8::new(PASS)), server.port);
        let told = manner.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(forward(client, server, told.clone()));
            }
        });
        Self { manner, url }
    }

    fn set(&self, manner: u8) {
        self.manner.store(manner, Ordering::SeqCst);
    }
}

async fn forward(mut client: TcpStream, mut server: TcpStream, manner: Arc<AtomicU8>) -> std::io::Result<()> {
    let (mut asked, mut answered) = ([0; 4_096], [0; 4_096]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read? {
                0 => return Ok(()),
                _ if manner.load(Ordering::SeqCst) == SWALLOW => {}
                count => server.write_all(&asked[..count]).await?,
            },
            read = server.read(&mut answered) => match read? {
                0 => return Ok(()),
                _ if manner.compare_exchange(CUT_ONCE, PASS, Ordering::SeqCst, Ordering::SeqCst).is_ok() => return Ok(()),
                count => client.write_all(&answered[..count]).await?,
            },
        }
    }
}

async fn behind_a_proxy() -> (Server, Proxy, Store) {
    let server = Server::start(&[]);
    let proxy = Proxy::start(&server).await;
    let store = open(&settings(&proxy.url));
    ready(&store).await;
    (server, proxy, store)
}

// R22, R04: the one step that was done is not done again, its answer is given again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_whose_answer_was_lost_is_asked_again() {
    let (_server, proxy, store) = behind_a_proxy().await;
    // A server that has not seen a script yet would answer that first.
    store.refresh(&session().key(), 0, ROTATING, at(0)).await.unwrap();
    let (_, key) = opened(&store, |_| ()).await;
    proxy.set(CUT_ONCE);
    let verdict = store.refresh(&key, 0, ROTATING, at(0)).await.unwrap();
    assert!(matches!(&verdict, Verdict::Retry(it) if it.generation == 1 && it.refreshes == 2), "{verdict:?}");
    let verdict = store.refresh(&key, 1, ROTATING, at(0)).await.unwrap();
    assert!(matches!(verdict, Verdict::Rotated(it) if it.generation == 2));
}

// R04: consuming is not repeatable; nobody wins rather than two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumption_whose_answer_was_lost_is_not_asked_again() {
    let (_server, proxy, store) = behind_a_proxy().await;
    let key = challenge_key();
    assert!(!store.consume_challenge(&key, at(0)).await.unwrap());
    store.put_challenge(&key, &challenge()).await.unwrap();
    proxy.set(CUT_ONCE);
    unavailable(store.consume_challenge(&key, at(0)).await);
    assert!(!store.consume_challenge(&key, at(0)).await.unwrap());
}

// R03, R04
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_black_hole_is_unavailable_in_time_and_forgotten_when_it_opens() {
    let (_server, proxy, store) = behind_a_proxy().await;
    let (_, key) = opened(&store, |_| ()).await;
    proxy.set(SWALLOW);
    for _ in 0..5 {
        let started = Instant::now();
        unavailable(store.refresh(&key, 0, ROTATING, at(0)).await);
        assert!(started.elapsed() < BOUND);
    }
    proxy.set(PASS);
    assert!(ready(&store).await < Duration::from_secs(2));
    assert!(matches!(store.refresh(&key, 0, ROTATING, at(0)).await.unwrap(), Verdict::Rotated(_)));
}

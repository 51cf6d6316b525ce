//! Work beside the requests: reading pools and keys again, delivering mail, forgetting what has expired.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::greet;
use crate::api::Api;
use crate::error::{Error, chain};
use crate::pool::user_import::Importer;

const LOOK_FOR_IMPORTS_EVERY: Duration = Duration::from_secs(1);
const PURGE_EVERY: Duration = Duration::from_secs(60);
const COMPARE_CLOCKS_EVERY: Duration = Duration::from_secs(60);
/// After a jump of the clock. A machine that slept is behind until then.
const COMPARE_IN_DOUBT_EVERY: Duration = Duration::from_secs(2);
/// Until the Directory was read once nothing works, so it is asked more often.
const FIRST_READ_EVERY: Duration = Duration::from_millis(500);

/// The tasks, until stopped.
pub struct Background {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Background {
    /// Starts them.
    pub fn start(api: Arc<Api>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(until(stopped.clone(), keep_reading(api.clone(), stopped.clone())));
        tasks.spawn(until(stopped.clone(), keep_purging(api.clone())));
        tasks.spawn(until(stopped.clone(), keep_importing(api.clone())));
        tasks.spawn(until(stopped, keep_time(api)));
        Self { stop, tasks }
    }

    /// Tells them to end and waits until they have.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn until(mut stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

/// Reads pools, clients and keys again and again; after the first time it also makes the first administrator and
/// starts the delivery of mail.
async fn keep_reading(api: Arc<Api>, stopped: watch::Receiver<bool>) {
    while !api.pools.is_loaded() {
        report(api.pools.reload().await);
        if !api.pools.is_loaded() {
            tokio::time::sleep(FIRST_READ_EVERY).await;
        }
    }
    let Ok(outbox) = api.pools.outbox() else { return };
    let mail = tokio::spawn(outbox.run(stopped));
    let mut admin_made = false;
    loop {
        if !admin_made {
            admin_made = make_admin(&api).await;
        }
        tokio::time::sleep(*api.config.keys.reload).await;
        report(api.pools.reload().await);
        if mail.is_finished() {
            return;
        }
    }
}

async fn make_admin(api: &Api) -> bool {
    match api.pools.first_admin().await {
        Ok(Some(admin)) => greet(&admin, &api.config.public_url()),
        Ok(None) => {}
        Err(error) => {
            report(Err(error));
            return false;
        }
    }
    true
}

fn report(outcome: Result<(), Error>) {
    if let Err(error) = outcome {
        tracing::warn!(cause = chain(&error), "the pools could not be read again; the last reading stays in force");
    }
}

async fn keep_purging(api: Arc<Api>) {
    loop {
        tokio::time::sleep(PURGE_EVERY).await;
        let now = api.ports.clock.now();
        for done in [api.ports.directory.purge(now).await, api.ports.tokens.purge(now).await] {
            if let Err(error) = done {
                tracing::warn!(cause = chain(&error), "what has expired is not removed yet");
            }
        }
    }
}

/// Takes users over from the files of import jobs. A job that stops here with the process goes on elsewhere.
async fn keep_importing(api: Arc<Api>) {
    let Ok(mut importer) = Importer::new(api.pools.clone()) else { return };
    let mut waits = false;
    loop {
        tokio::time::sleep(LOOK_FOR_IMPORTS_EVERY).await;
        if !api.pools.is_loaded() {
            continue;
        }
        let outcome = importer.turn().await;
        if let Err(error) = outcome.as_ref()
            && !waits
        {
            tracing::warn!(cause = chain(error), "import jobs wait: the directory does not answer");
        }
        waits = outcome.is_err();
    }
}

/// Asks the stores whether the clock is right, sooner when it seems to have jumped.
async fn keep_time(api: Arc<Api>) {
    let (mut compared, mut bridged) = (Instant::now(), false);
    loop {
        tokio::time::sleep(COMPARE_IN_DOUBT_EVERY).await;
        if !api.ports.clock.is_in_doubt() && !bridged && compared.elapsed() < COMPARE_CLOCKS_EVERY {
            continue;
        }
        compared = Instant::now();
        let off = api.ports.compare_clocks().await.unwrap_or_default();
        if let Some(off) = off.filter(|_| !bridged) {
            let seconds = off.as_secs();
            tracing::warn!(seconds, "the clock is not that of the stores any more; time goes on from when it was");
        }
        bridged = off.is_some();
    }
}

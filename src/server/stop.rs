//! Stopping without a failed request (R27): readiness flips, answers close their connections, running requests finish.

use std::sync::atomic::Ordering;

use actix_web::dev::Server;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Background;
use crate::api::Api;

/// Runs until SIGTERM or SIGINT, drains, and stops; a second signal stops at once.
pub(super) async fn run(server: Server, api: &Api, background: Background) -> Result<(), String> {
    let mut terminate = signal(SignalKind::terminate()).map_err(|fault| fault.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|fault| fault.to_string())?;
    let handle = server.handle();
    let mut running = tokio::spawn(server);
    tokio::select! {
        ended = &mut running => return ended.map_err(|fault| fault.to_string())?.map_err(|fault| fault.to_string()),
        () = told(&mut terminate, &mut interrupt) => {}
    }
    api.draining.store(true, Ordering::Relaxed);
    tracing::info!("draining: not ready any more, running requests finish");
    tokio::select! {
        () = tokio::time::sleep(*api.config.http.drain) => {}
        () = told(&mut terminate, &mut interrupt) => {}
    }
    let graceful = async {
        handle.stop(true).await;
        background.stop().await;
    };
    tokio::select! {
        () = graceful => tracing::info!("stopped"),
        () = told(&mut terminate, &mut interrupt) => tracing::warn!("stopped at once by a second signal"),
    }
    Ok(())
}

async fn told(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

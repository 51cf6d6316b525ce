//! The running service: settings → stores → pools → actix, the work in the background, and a stop that loses nothing.

mod assemble;
mod background;
mod check;
mod crowd;
mod level;
mod master;
mod room;
mod stop;
mod tls;
mod unread;

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer, middleware};
use tokio::net::TcpSocket;

use crate::api::{self, Api};
use crate::config::{Config, Source};
use crate::error::{Error, chain};
use crate::pool::FirstAdmin;
use crate::telemetry;

pub use assemble::{Assembled, assemble, assemble_on};
pub use background::Background;
pub use check::{Finding, check, check_seals};
pub use master::place as master_key_place;
use room::Room;

/// Runs the service until it is told to stop; `source` is where the settings are read again.
pub async fn serve(config: Config, source: Source) -> Result<(), String> {
    let logging = telemetry::start_logging(&config.log)?;
    let measurements = telemetry::start_measuring()?;
    telemetry::describe();
    // Refused before anything is made.
    Room::find(&config)?;
    let Assembled { ports, pools } = assemble(&config).await?;
    let listener = bind(config.http.listen)
        .map_err(|fault| format!("cannot listen on {}: {fault}; choose another with --listen", config.http.listen))?;
    let address = listener.local_addr().map_err(|fault| fault.to_string())?;
    let api = Arc::new(Api { pools, ports, config, draining: AtomicBool::new(false), measurements });
    match api.pools.reload().await {
        Ok(()) => {}
        Err(error @ Error::Unavailable { .. }) => {
            tracing::warn!(cause = chain(&error), "the directory is not there yet; /readyz says so until it is");
        }
        Err(error) => return Err(chain(&error)),
    }
    let background = Background::start(api.clone());
    let server = listen(api.clone(), listener)?;
    tokio::spawn(master::follow(api.ports.clone()));
    tokio::spawn(level::follow(source, api.config.log.clone(), logging.level.clone()));
    say(format_args!("Cognate {} listens on {address} as {}", env!("CARGO_PKG_VERSION"), api.config.public_url()));
    stop::run(server, &api, background).await
}

/// The standard library lets 128 connections wait to be accepted, and one that comes when there is no room comes again
/// only after a second.
const BACKLOG: u32 = 4096;

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// The HTTP server on an open socket; it runs when awaited.
pub fn listen(api: Arc<Api>, listener: TcpListener) -> Result<Server, String> {
    let http = api.config.http.clone();
    let tls = tls::settings(&http)?;
    let Room { workers, per_worker, per_source, narrowed } = Room::find(&api.config)?;
    if narrowed {
        let connections = workers * per_worker;
        tracing::info!(connections, per_source, "there is room for fewer connections than the settings allow");
    }
    let server = HttpServer::new(move || {
        let api = api.clone();
        let routes = Arc::new(named_routes(&api));
        let observed = api.clone();
        App::new()
            .wrap(middleware::from_fn(move |request, next| {
                telemetry::observe(observed.clone(), routes.clone(), request, next)
            }))
            .wrap(middleware::from_fn(unread::close_unread))
            .wrap(middleware::from_fn(api::http::plain_path))
            .configure(move |app| api::mount(&api, app))
    })
    .workers(workers)
    .disable_signals()
    .client_request_timeout(*http.head_timeout)
    .client_disconnect_timeout(Duration::from_secs(1))
    .keep_alive(Duration::from_secs(75))
    .max_connections(per_worker)
    .on_connect(crowd::thin_out(per_source, &http.trusted_proxies))
    .shutdown_timeout(http.shutdown.as_secs().max(1));
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls),
        None => server.listen(listener),
    };
    server.map(HttpServer::run).map_err(|fault| fault.to_string())
}

fn named_routes(api: &Arc<Api>) -> Vec<(&'static str, api::Route)> {
    let of = |dialect: &dyn api::Dialect| {
        let name = dialect.name();
        dialect.routes().into_iter().map(move |route| (name, route)).collect::<Vec<_>>()
    };
    api::dialects(api).iter().flat_map(|dialect| of(&**dialect)).collect()
}

/// What the first start shows once: how to sign in as the first administrator.
pub(crate) fn greet(admin: &FirstAdmin, public_url: &str) {
    let FirstAdmin { username, temporary_password } = admin;
    say(format_args!(
        "\nFirst start. User {username}, temporary password (shown only now): {temporary_password}\n\
         Sign in with it; the answer asks for a new password:\n\n  \
         curl -s {public_url}/v1/login -H 'Content-Type: application/json' \\\n    \
         -d '{{\"username\":\"{username}\",\"password\":\"{temporary_password}\"}}'\n"
    ));
}

/// A line for whoever started the service. Nobody has to read it: a closed pipe stops nothing.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

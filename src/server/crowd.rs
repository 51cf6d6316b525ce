//! One address must not take all connections there are (R25): those beyond its share are closed as they come.

use std::any::Any;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, Shutdown, TcpStream as Socket};
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, PoisonError};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use ipnet::IpNet;

use crate::config::List;

/// Connections by source.
type Crowd = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// A connection that counts for as long as it lives.
struct Seat {
    crowd: Crowd,
    source: IpAddr,
}

impl Seat {
    /// None when the source has as many as it may.
    fn take(crowd: &Crowd, source: IpAddr, limit: usize) -> Option<Self> {
        let mut counts = crowd.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(source).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Self { crowd: crowd.clone(), source })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.source);
            }
        }
    }
}

/// What is to be done with every new connection.
pub(super) fn thin_out(
    limit: usize,
    proxies: &List<IpNet>,
) -> impl Fn(&dyn Any, &mut Extensions) + Send + Sync + 'static {
    let (proxies, crowd) = (proxies.clone(), Crowd::default());
    move |connection, extensions| {
        let Some(stream) = socket(connection) else { return };
        let Ok(peer) = stream.peer_addr() else { return };
        let address = peer.ip().to_canonical();
        if limit == 0 || proxies.iter().any(|network| network.contains(&address)) {
            return;
        }
        match Seat::take(&crowd, share(address), limit) {
            Some(seat) => drop(extensions.insert(seat)),
            None => close(stream),
        }
    }
}

fn socket(connection: &dyn Any) -> Option<&TcpStream> {
    let secured = || connection.downcast_ref::<TlsStream<TcpStream>>().map(|secured| secured.get_ref().0);
    connection.downcast_ref::<TcpStream>().or_else(secured)
}

/// One IPv6 customer holds a whole /64, so its addresses count as one.
fn share(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
    }
}

fn close(stream: &TcpStream) {
    if let Ok(socket) = stream.as_fd().try_clone_to_owned() {
        metrics::counter!("cognate_connections_refused_total").increment(1);
        let _ = Socket::from(socket).shutdown(Shutdown::Both);
    }
}

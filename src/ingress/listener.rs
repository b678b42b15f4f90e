//! Opens a door and accepts connections, no more at a time than the settings say.
#![expect(clippy::disallowed_methods, reason = "door: listens")]

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Settings;
use super::callers::{Call, Callers, TooMany};
use super::holder::{Holder, holder};
use crate::facts::Door;

/// A door that is open.
#[derive(Debug)]
pub struct Listener {
    door: Door,
    address: SocketAddr,
    socket: TcpListener,
    slots: Arc<Semaphore>,
    callers: Arc<Callers>,
}

/// A connection that came in.
#[derive(Debug)]
pub struct Accepted {
    /// The connection; Nagle's algorithm is off, and a client that vanished without a word is found out.
    pub stream: TcpStream,
    /// The other end.
    pub peer: SocketAddr,
    /// Keep it as long as the connection lives: it counts towards the limit.
    pub slot: Slot,
}

/// One of the connections that a door serves at a time, and that its client may have; given back on drop.
#[derive(Debug)]
pub struct Slot {
    place: OwnedSemaphorePermit,
    call: Option<Call>,
}

impl Slot {
    /// One more for the same client at the same door, for what its connection carries beside something else.
    pub fn another(&self) -> Result<Self, Full> {
        let place = Arc::clone(self.place.semaphore()).try_acquire_owned();
        let place = place.map_err(|_| Full::Door)?;
        let call = self.call.as_ref().map_or(Ok(None), Call::another);
        let call = call.map_err(|_| Full::Client)?;
        Ok(Self { place, call })
    }
}

/// Why there is no further slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// The door serves as many as it may.
    #[error("this gateway carries as many connections as it may: `ingress.max_connections`")]
    Door,
    /// The client has as many as it may.
    #[error("your address has as many connections as it may: `ingress.max_connections_per_client`")]
    Client,
}

/// Why a door cannot be opened.
#[derive(Debug)]
pub struct BindError {
    /// Where it should have been.
    pub address: SocketAddr,
    /// Who is there already, where the system tells.
    pub holder: Option<Holder>,
    /// What the system says.
    pub cause: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address;
        match (self.cause.kind(), &self.holder) {
            (io::ErrorKind::AddrInUse, Some(holder)) => write!(out, "`{address}` is taken by {holder}: stop it"),
            (io::ErrorKind::AddrInUse, None) => write!(out, "`{address}` is taken by another process: stop it"),
            (io::ErrorKind::PermissionDenied, _) => {
                return write!(
                    out,
                    "no permission to listen on `{address}`: choose a port from 1024 on with `--port-base`"
                );
            }
            (io::ErrorKind::AddrNotAvailable, _) => {
                return write!(
                    out,
                    "this machine has no address `{}`: correct it in the settings",
                    address.ip()
                );
            }
            _ => return write!(out, "cannot listen on `{address}`: {}", self.cause),
        }?;
        write!(out, ", or choose other ports with `--port-base`")
    }
}

impl std::error::Error for BindError {}

/// How long to wait after the system ran out of something, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// When a silent client is first asked whether it is still there, and how often after that (RFC 9293 §3.8.4); the
/// system's own two hours are long for a descriptor.
const KEEPALIVE: (Duration, Duration) = (Duration::from_mins(2), Duration::from_secs(30));

impl Listener {
    /// Opens `door` where the settings say.
    pub fn bind(door: Door, settings: &Settings) -> Result<Self, BindError> {
        let address = match door {
            Door::Plain => settings.plain,
            Door::Tls => settings.tls,
        };
        Self::bind_to(door, address, settings)
    }

    /// Opens `door` at `address`, with the limits of the settings.
    pub fn bind_to(door: Door, address: SocketAddr, settings: &Settings) -> Result<Self, BindError> {
        let failed = |cause: io::Error| BindError {
            address,
            holder: (cause.kind() == io::ErrorKind::AddrInUse)
                .then(|| holder(address))
                .flatten(),
            cause,
        };
        let socket = listen(address, settings.backlog).map_err(failed)?;
        let size = usize::try_from(settings.max_connections.max(1)).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self {
            door,
            address: socket.local_addr().map_err(failed)?,
            socket,
            slots: Arc::new(Semaphore::new(size)),
            callers: Callers::new(settings.max_connections_per_client),
        })
    }

    /// Which door it is.
    pub fn door(&self) -> Door {
        self.door
    }

    /// Where it is; tells the port that the system chose for port 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The next connection. While all slots are taken nothing is accepted, and the kernel lets others wait. A client that
    /// has as many as it may is not let in.
    ///
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> Accepted {
        let place = match Arc::clone(&self.slots).acquire_owned().await {
            Ok(permit) => permit,
            Err(_closed) => std::future::pending().await, // nobody closes it
        };
        let mut pause = PAUSE.0;
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => match self.callers.enter(peer.ip()) {
                    Ok(call) => {
                        prepare(&stream);
                        let slot = Slot { place, call };
                        return Accepted { stream, peer, slot };
                    }
                    Err(too_many) => self.tell(&too_many),
                },
                Err(gone) if is_about_the_peer(&gone) => {}
                Err(cause) => {
                    // Out of descriptors or memory: accepting at full speed would only burn a core.
                    tracing::warn!(address = %self.address, %cause, "cannot accept connections");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE.1);
                }
            }
        }
    }

    /// One line for many: each is for twice as many refusals as the one before.
    fn tell(&self, too_many: &TooMany) {
        let TooMany {
            client,
            connections,
            refused,
        } = too_many;
        if refused.is_power_of_two() {
            tracing::warn!(address = %self.address, %client, connections, refused, "a client has too many connections");
        }
    }
}

/// Only latency, or a connection that nobody holds any more, is the price where this fails, as it may for a peer that
/// has already gone.
fn prepare(stream: &TcpStream) {
    let alive = TcpKeepalive::new().with_time(KEEPALIVE.0).with_interval(KEEPALIVE.1);
    drop(stream.set_nodelay(true));
    drop(SockRef::from(stream).set_tcp_keepalive(&alive));
}

fn listen(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // So that a restart need not wait for old connections in TIME_WAIT; two listeners are still impossible.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    TcpListener::from_std(socket.into())
}

/// accept(2): errors that belong to the connection which was about to be accepted.
fn is_about_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn settings(max_connections: u32) -> Settings {
        Settings {
            plain: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            max_connections,
            ..Settings::default()
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_reported_with_its_holder_and_a_way_out() {
        let first = Listener::bind(Door::Plain, &settings(1)).unwrap();
        let error = Listener::bind_to(Door::Plain, first.local_addr(), &settings(1)).unwrap_err();
        let text = error.to_string();
        let me = std::process::id();
        assert_eq!(error.holder.unwrap().pid, me);
        assert!(
            text.contains(&format!("(process {me})")) && text.contains("`--port-base`"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn an_address_that_is_not_ours_is_reported_as_such() {
        let elsewhere = "192.0.2.1:3128".parse().unwrap();
        let error = Listener::bind_to(Door::Plain, elsewhere, &settings(1)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "this machine has no address `192.0.2.1`: correct it in the settings"
        );
    }

    #[tokio::test]
    async fn accepted_connections_do_not_wait_for_full_packets_and_find_out_who_vanished() {
        let door = Listener::bind(Door::Plain, &settings(1)).unwrap();
        let client = TcpStream::connect(door.local_addr());
        let (accepted, client) = tokio::join!(door.accept(), client);
        assert!(accepted.stream.nodelay().unwrap());
        assert!(SockRef::from(&accepted.stream).keepalive().unwrap());
        assert_eq!(accepted.peer, client.unwrap().local_addr().unwrap());
    }

    #[tokio::test]
    async fn when_all_slots_are_taken_the_next_connection_waits_for_one() {
        let door = Listener::bind(Door::Plain, &settings(1)).unwrap();
        let mut first = TcpStream::connect(door.local_addr()).await.unwrap();
        let accepted = door.accept().await;
        let _second = TcpStream::connect(door.local_addr()).await.unwrap();
        let mut next = std::pin::pin!(door.accept());
        assert!(futures_util::poll!(next.as_mut()).is_pending());
        drop(accepted);
        let _accepted = next.await;
        assert_eq!(first.read(&mut [0; 1]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_client_that_has_as_many_connections_as_it_may_is_turned_away() {
        let limits = Settings {
            max_connections_per_client: 1,
            ..settings(9)
        };
        let door = Listener::bind(Door::Plain, &limits).unwrap();
        let _first = TcpStream::connect(door.local_addr()).await.unwrap();
        let accepted = door.accept().await;
        let mut second = TcpStream::connect(door.local_addr()).await.unwrap();
        let mut next = std::pin::pin!(door.accept());
        let mut byte = [0];
        let turned_away = second.read(&mut byte);
        tokio::select! {
            biased;
            read = turned_away => assert_eq!(read.unwrap_or(0), 0),
            _ = next.as_mut() => panic!("nobody may come in"),
        }
        assert_eq!(accepted.slot.another().unwrap_err(), Full::Client);
        drop(accepted);
        let _third = TcpStream::connect(door.local_addr()).await.unwrap();
        next.await;
    }

    #[tokio::test]
    async fn what_a_connection_carries_beside_something_else_counts_like_a_connection() {
        let limits = Settings {
            max_connections_per_client: 2,
            ..settings(3)
        };
        let door = Listener::bind(Door::Plain, &limits).unwrap();
        let _client = TcpStream::connect(door.local_addr()).await.unwrap();
        let first = door.accept().await.slot;
        let second = first.another().unwrap();
        assert_eq!(second.another().unwrap_err(), Full::Client);
        drop(first);
        let third = second.another().unwrap();
        drop((second, third));
        assert_eq!((door.slots.available_permits(), door.callers.known()), (3, 0));

        let unlimited = Settings {
            max_connections_per_client: 0,
            ..limits
        };
        let door = Listener::bind(Door::Plain, &unlimited).unwrap();
        let _client = TcpStream::connect(door.local_addr()).await.unwrap();
        let first = door.accept().await.slot;
        let _two = [first.another().unwrap(), first.another().unwrap()];
        assert_eq!(first.another().unwrap_err(), Full::Door);
    }
}

//! Origins that a test plays by hand: it bound the port before the gateway opened, and speaks every byte itself.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::origin::{Authority, acceptor, acceptor_for};
use super::wire::{ACK, SETTINGS, Wire, frame};

/// A port where a test is the origin.
pub struct Scripted {
    listener: TcpListener,
    pub address: SocketAddr,
}

impl Scripted {
    pub async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    /// The next connection.
    pub async fn accept(&self) -> TcpStream {
        let accepted = tokio::time::timeout(Duration::from_secs(30), self.listener.accept());
        accepted.await.expect("nobody comes").unwrap().0
    }

    /// The next connection, in clear.
    pub async fn clear(&self) -> Wire {
        Wire::on(self.accept().await)
    }

    /// The next connection, over TLS with good papers for `name`, for HTTP/1.1.
    pub async fn tls(&self, authority: &Authority, name: &str) -> Wire {
        let stream = self.accept().await;
        Wire::on(acceptor(authority, name).accept(stream).await.unwrap())
    }

    /// The same for HTTP/2: what follows are the gateway's frames.
    pub async fn http2(&self, authority: &Authority, name: &str) -> Wire {
        let stream = self.accept().await;
        let acceptor = acceptor_for(authority, name, &[b"h2"]);
        let mut wire = Wire::on(acceptor.accept(stream).await.unwrap());
        assert_eq!(wire.exactly(24).await, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        wire.say(frame(SETTINGS, 0, 0, &[])).await;
        wire.next(SETTINGS).await;
        wire.say(frame(SETTINGS, ACK, 0, &[])).await;
        wire
    }
}

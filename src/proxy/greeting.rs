//! What a server says before its client has spoken (SSH, SMTP), its farewell included, passed on in pieces. Dropping a
//! step loses no byte.

use std::io;
use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::audit::Counters;
use crate::upstream::Side;

/// A greeting is a line or two.
const PIECE: usize = 2048;

/// A greeting on its way.
#[derive(Default)]
pub(super) struct Greeting {
    /// What was read and not yet written.
    said: BytesMut,
    stage: Stage,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Open,
    /// The server has ended its half.
    Ended,
    /// And the client knows.
    Told,
}

impl Greeting {
    /// Whether the client is still to be told something, or may be.
    pub(super) fn goes_on(&self) -> bool {
        self.stage != Stage::Told
    }

    /// Moves what can be moved next: a piece from `origin`, or what is left of it to the client, or its end. Fails with
    /// the side that broke.
    pub(super) async fn step<W>(
        &mut self,
        origin: &TcpStream,
        to_client: &mut W,
        counters: &Counters,
    ) -> Result<(), (Side, io::Error)>
    where
        W: AsyncWrite + Unpin,
    {
        let of = |side| move |error| (side, error);
        if !self.said.is_empty() {
            return self.tell(to_client, counters).await.map_err(of(Side::Client));
        }
        if self.stage == Stage::Open {
            return self.hear(origin).await.map_err(of(Side::Origin));
        }
        to_client.shutdown().await.map_err(of(Side::Client))?;
        self.stage = Stage::Told;
        Ok(())
    }

    async fn hear(&mut self, origin: &TcpStream) -> io::Result<()> {
        origin.readable().await?;
        self.said.reserve(PIECE);
        match origin.try_read_buf(&mut self.said) {
            Ok(0) => self.stage = Stage::Ended,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn tell<W: AsyncWrite + Unpin>(&mut self, to_client: &mut W, counters: &Counters) -> io::Result<()> {
        let told = to_client.write_buf(&mut self.said).await?;
        if told == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        counters.down.fetch_add(told as u64, Ordering::Relaxed);
        to_client.flush().await // where this is dropped, the relay flushes
    }

    /// What was heard and has not been told yet.
    pub(super) fn rest(self) -> Bytes {
        self.said.freeze()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "the server of the test listens")]

    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn a_step_that_is_dropped_while_the_client_does_not_read_loses_nothing() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        server.write_all(b"220 hello\r\n").await.unwrap();
        let (mut to_client, mut client) = tokio::io::duplex(4);
        let (mut greeting, counters) = (Greeting::default(), Counters::default());
        for _ in 0..2 {
            greeting.step(&origin, &mut to_client, &counters).await.unwrap();
        }
        {
            // the client's side is full now
            let stuck = std::pin::pin!(greeting.step(&origin, &mut to_client, &counters));
            assert!(futures_util::poll!(stuck).is_pending());
        }
        let mut told = [0; 4];
        client.read_exact(&mut told).await.unwrap();
        assert_eq!((&told, counters.down.load(Ordering::Relaxed)), (b"220 ", 4));
        assert!(greeting.goes_on());
        assert_eq!(&greeting.rest()[..], b"hello\r\n");
    }
}

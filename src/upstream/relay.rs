//! Copies bytes both ways until both sides have finished, somebody cuts it, or nothing moves any more.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Which way bytes flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the origin.
    Up,
    /// From the origin to the client.
    Down,
}

/// Which end of a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client.
    Client,
    /// The origin.
    Origin,
}

/// How a relay ended.
#[derive(Debug)]
pub enum RelayEnd<C> {
    /// Both sides have said all they had to say.
    Completed,
    /// It was cut, for this reason.
    Cut(C),
    /// Nothing moved for too long.
    Idle,
    /// This side's connection broke.
    Broken(Side, io::Error),
}

/// What a quiet direction needs: thousands of tunnels are idle most of their life.
const SMALL: usize = 8 * 1024;
/// What a busy one is worth: three times less processor time a gigabyte than with small buffers.
const LARGE: usize = 64 * 1024;
/// The idle time is measured in so many parts.
const PARTS: u32 = 4;

/// Relays between `client` and `origin`; a side that ends its half leaves the other half open.
///
/// `count` hears of every piece that was handed on. Ends early when `cut` is ready, or when nothing has moved for
/// `idle`; both streams are dropped at the end.
pub async fn relay<A, B, C>(
    client: A,
    origin: B,
    count: impl Fn(Way, u64),
    cut: impl Future<Output = C>,
    idle: Duration,
) -> RelayEnd<C>
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let (mut up, mut down) = (Half::new(), Half::new());
    relay_with((&mut up, &mut down), client, origin, count, cut, idle).await
}

async fn relay_with<A, B, C>(
    (up, down): (&mut Half, &mut Half),
    mut client: A,
    mut origin: B,
    count: impl Fn(Way, u64),
    cut: impl Future<Output = C>,
    idle: Duration,
) -> RelayEnd<C>
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let mut cut = std::pin::pin!(cut);
    let part = (idle / PARTS).max(Duration::from_millis(1));
    let mut quiet = 0;
    loop {
        let before = (up.moved, down.moved);
        let both = std::future::poll_fn(|cx| {
            let up = up.poll(cx, &mut client, &mut origin, &|n| count(Way::Up, n));
            let up = named(up, Side::Client, Side::Origin)?;
            let down = down.poll(cx, &mut origin, &mut client, &|n| count(Way::Down, n));
            let down = named(down, Side::Origin, Side::Client)?;
            if up.is_ready() && down.is_ready() {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            }
        });
        tokio::select! {
            biased;
            why = &mut cut => return RelayEnd::Cut(why),
            done = both => return match done {
                Ok(()) => RelayEnd::Completed,
                Err((side, error)) => RelayEnd::Broken(side, error),
            },
            () = tokio::time::sleep(part) => {}
        }
        quiet = if before == (up.moved, down.moved) { quiet + 1 } else { 0 };
        if quiet >= PARTS {
            return RelayEnd::Idle;
        }
        (up.resting, down.resting) = (quiet > 0, quiet > 0);
    }
}

/// Tells which side an error belongs to.
fn named(polled: Poll<Result<(), Failed>>, reader: Side, writer: Side) -> Result<Poll<()>, (Side, io::Error)> {
    match polled {
        Poll::Pending => Ok(Poll::Pending),
        Poll::Ready(Ok(())) => Ok(Poll::Ready(())),
        Poll::Ready(Err(Failed::Reading(error))) => Err((reader, error)),
        Poll::Ready(Err(Failed::Writing(error))) => Err((writer, error)),
    }
}

enum Failed {
    Reading(io::Error),
    Writing(io::Error),
}

/// One direction.
struct Half {
    buffer: Vec<u8>,
    /// What of the buffer has been read and not yet written.
    pending: std::ops::Range<usize>,
    moved: u64,
    /// Nothing has moved for a while: the buffer goes as soon as there is nothing to read into it.
    resting: bool,
    unflushed: bool,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Flowing,
    Ending,
    Ended,
}

impl Half {
    fn new() -> Self {
        Self {
            buffer: Vec::new(),
            pending: 0..0,
            moved: 0,
            resting: false,
            unflushed: true, // by whoever wrote before
            state: State::Flowing,
        }
    }

    /// Moves what can be moved now; ready when the reader has ended and the writer has been told.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        count: &impl Fn(u64),
    ) -> Poll<Result<(), Failed>> {
        loop {
            match self.state {
                State::Ended => return Poll::Ready(Ok(())),
                State::Ending => {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx)).map_err(Failed::Writing)?;
                    self.state = State::Ended;
                }
                State::Flowing => {
                    ready!(self.poll_write(cx, to, count)).map_err(Failed::Writing)?;
                    let read = self.poll_read(cx, from).map_err(Failed::Reading)?;
                    if read.is_pending() {
                        ready!(self.poll_flush(cx, to)).map_err(Failed::Writing)?;
                        return Poll::Pending;
                    }
                    if self.pending.is_empty() {
                        self.state = State::Ending;
                    }
                }
            }
        }
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut (impl AsyncWrite + Unpin),
        count: &impl Fn(u64),
    ) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let waiting = self.buffer.get(self.pending.clone()).unwrap_or_default();
            let written = ready!(Pin::new(&mut *to).poll_write(cx, waiting))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.start += written;
            self.unflushed = true;
            let written = u64::try_from(written).unwrap_or(u64::MAX);
            self.moved = self.moved.saturating_add(written);
            count(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads into the empty buffer, which grows when it was filled to the brim.
    fn poll_read(&mut self, cx: &mut Context<'_>, from: &mut (impl AsyncRead + Unpin)) -> Poll<io::Result<()>> {
        let size = match self.buffer.len() {
            0 => SMALL,
            size if self.pending.end == size => (size * 2).min(LARGE),
            size => size,
        };
        self.buffer.resize(size, 0);
        let mut space = ReadBuf::new(&mut self.buffer);
        match Pin::new(from).poll_read(cx, &mut space) {
            Poll::Pending => {
                self.pending = 0..0;
                if self.resting {
                    self.buffer = Vec::new();
                }
                Poll::Pending
            }
            Poll::Ready(read) => {
                self.pending = 0..space.filled().len();
                Poll::Ready(read)
            }
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>, to: &mut (impl AsyncWrite + Unpin)) -> Poll<io::Result<()>> {
        if self.unflushed {
            ready!(Pin::new(to).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "looks at the paused clock")]
mod tests {
    use std::cell::Cell;
    use std::future::pending;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    /// A relay's two streams, and the ends in the hands of a client and an origin.
    fn wires() -> ((DuplexStream, DuplexStream), (DuplexStream, DuplexStream)) {
        let (client, near) = duplex(16 * 1024);
        let (far, origin) = duplex(16 * 1024);
        ((near, far), (client, origin))
    }

    #[tokio::test]
    async fn bytes_flow_both_ways_and_are_counted_and_a_closed_half_leaves_the_other_open() {
        let ((near, far), (mut client, mut origin)) = wires();
        let (up, down) = (Cell::new(0), Cell::new(0));
        let count = |way, n| match way {
            Way::Up => up.set(up.get() + n),
            Way::Down => down.set(down.get() + n),
        };
        let relayed = relay(near, far, count, pending::<()>(), LONG);
        let talk = async {
            let large = vec![7; 1_000_000];
            let (sent, asked) = tokio::join!(
                async {
                    client.write_all(&large).await.unwrap();
                    client.shutdown().await.unwrap();
                },
                async {
                    let mut asked = Vec::new();
                    origin.read_to_end(&mut asked).await.unwrap();
                    asked
                }
            );
            let () = sent;
            assert!(asked == large);
            origin.write_all(b"answer after the end").await.unwrap();
            drop(origin);
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            assert_eq!(answer, b"answer after the end");
        };
        let (end, ()) = tokio::join!(relayed, talk);
        assert!(matches!(end, RelayEnd::Completed), "{end:?}");
        assert_eq!((up.get(), down.get()), (1_000_000, 20));
    }

    #[tokio::test]
    async fn a_cut_ends_it_with_its_reason() {
        let ((near, far), (mut client, _origin)) = wires();
        let end = relay(near, far, |_, _| {}, async { "the rules changed" }, LONG).await;
        assert!(matches!(end, RelayEnd::Cut("the rules changed")), "{end:?}");
        assert_eq!(client.read(&mut [0; 1]).await.unwrap(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_it_and_a_byte_now_and_then_does_not() {
        let ((near, far), (mut client, mut origin)) = wires();
        let began = tokio::time::Instant::now();
        let relayed = relay(near, far, |_, _| {}, pending::<()>(), Duration::from_secs(40));
        let talk = async {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(25)).await;
                client.write_all(b".").await.unwrap();
                origin.read_u8().await.unwrap();
            }
        };
        let (end, ()) = tokio::join!(relayed, talk);
        assert!(matches!(end, RelayEnd::Idle), "{end:?}");
        let lasted = began.elapsed().as_secs();
        assert!((165..=175).contains(&lasted), "{lasted}");
    }

    #[tokio::test]
    async fn the_side_that_broke_is_named() {
        struct Breaks;
        impl AsyncRead for Breaks {
            fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
        }
        impl AsyncWrite for Breaks {
            fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
                Poll::Pending
            }
            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Pending
            }
            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Pending
            }
        }
        let (_client, near) = duplex(64);
        let end = relay(near, Breaks, |_, _| {}, pending::<()>(), LONG).await;
        assert!(matches!(end, RelayEnd::Broken(Side::Origin, _)), "{end:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn buffers_grow_under_load_and_are_given_back_in_silence() {
        let ((near, far), (mut client, mut origin)) = wires();
        let (mut up, mut down) = (Half::new(), Half::new());
        let large = vec![7; 1_000_000];
        let grown = async {
            let mut got = vec![0; large.len()];
            let (sent, read) = tokio::join!(client.write_all(&large), origin.read_exact(&mut got));
            sent.and(read).unwrap();
        };
        let end = relay_with((&mut up, &mut down), near, far, |_, _| {}, grown, LONG).await;
        assert!(matches!(end, RelayEnd::Cut(())), "{end:?}");
        assert!(up.buffer.len() > SMALL);

        let ((near, far), _ends) = wires();
        let silence = tokio::time::sleep(LONG / 2);
        let end = relay_with((&mut up, &mut down), near, far, |_, _| {}, silence, LONG).await;
        assert!(matches!(end, RelayEnd::Cut(())), "{end:?}");
        assert_eq!((up.buffer.capacity(), down.buffer.capacity()), (0, 0));
    }
}

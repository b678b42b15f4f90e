//! How a connection is closed on a client that may still be sending (RFC 9112 §9.6). Closing it on bytes that nobody has
//! read resets it, and takes an answer with it that the client has not read yet: so our half is closed first, and what
//! still comes is read and forgotten, for a while.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// For how long a client may be silent once our half is closed, and how long it may go on.
const SILENCE: Duration = Duration::from_secs(2);
const ALTOGETHER: Duration = Duration::from_secs(30);

/// A stream that hears the other side out when it is shut down, if that `talks`.
pub(super) struct Lingering<I> {
    io: I,
    talks: Arc<AtomicBool>,
    stage: Stage,
}

enum Stage {
    Open,
    /// Until the other side is silent for too long, or goes on for too long.
    HearsOut(Pin<Box<Sleep>>, Pin<Box<Sleep>>),
    Over,
}

impl<I> Lingering<I> {
    /// `talks` is looked at when `io` is shut down.
    pub(super) fn new(io: I, talks: Arc<AtomicBool>) -> Self {
        let stage = Stage::Open;
        Self { io, talks, stage }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<I> {
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Open => {
                    ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
                    this.stage = if this.talks.load(Ordering::Relaxed) {
                        Stage::HearsOut(Box::pin(sleep(SILENCE)), Box::pin(sleep(ALTOGETHER)))
                    } else {
                        Stage::Over
                    };
                }
                Stage::HearsOut(silence, altogether) => {
                    let mut space = [0; 8192];
                    let mut space = ReadBuf::new(&mut space);
                    match Pin::new(&mut this.io).poll_read(cx, &mut space) {
                        Poll::Ready(Ok(()))
                            if !space.filled().is_empty() && altogether.as_mut().poll(cx).is_pending() =>
                        {
                            silence.set(sleep(SILENCE));
                        }
                        Poll::Pending if silence.as_mut().poll(cx).is_pending() => return Poll::Pending,
                        // it is done, gone, or was heard for long enough
                        Poll::Ready(_) | Poll::Pending => this.stage = Stage::Over,
                    }
                }
                Stage::Over => return Poll::Ready(Ok(())),
            }
        }
    }

    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Lingering<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn pair(talks: bool) -> (tokio::io::DuplexStream, Lingering<tokio::io::DuplexStream>) {
        let (client, io) = duplex(64);
        (client, Lingering::new(io, Arc::new(AtomicBool::new(talks))))
    }

    #[tokio::test]
    async fn who_talks_is_heard_out_after_our_last_word() {
        let (mut client, mut server) = pair(true);
        server.write_all(b"no").await.unwrap();
        let (closed, ()) = tokio::join!(server.shutdown(), async {
            client.write_all(&vec![b'x'; 100_000]).await.unwrap();
            let mut said = Vec::new();
            client.read_to_end(&mut said).await.unwrap();
            assert_eq!(said, b"no");
            drop(client);
        });
        closed.unwrap();
    }

    #[tokio::test]
    async fn who_does_not_talk_is_not_waited_for() {
        let (_client, mut server) = pair(false);
        server.shutdown().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_heard_for_ever() {
        let (_silent, mut server) = pair(true);
        server.shutdown().await.unwrap();

        let (mut client, mut server) = pair(true);
        let goes_on = async {
            while client.write_all(b"and another thing").await.is_ok() {
                sleep(SILENCE / 2).await;
            }
        };
        tokio::select! {
            closed = server.shutdown() => closed.unwrap(),
            () = goes_on => panic!("it still listens"),
        }
    }
}

//! How a connection is closed on a client that may still be sending (RFC 9112 §9.6). Closing it on bytes that nobody has
//! read resets it, and takes an answer with it that the client has not read yet: so our half is closed first, and what
//! still comes is read and forgotten, for a while.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Method, Request, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// For how long a client may be silent once our half is closed, and how long it may go on.
const SILENCE: Duration = Duration::from_secs(2);
const ALTOGETHER: Duration = Duration::from_secs(30);

/// Whether the other side of a connection may be in the middle of saying something to us; clones know the same.
#[derive(Clone, Default)]
pub(super) struct Talk(Arc<State>);

#[derive(Default)]
struct State {
    is_unfinished: AtomicBool,
    /// Whether what comes is for somebody else: a tunnel is closed by those who carry it.
    is_handed_over: AtomicBool,
    in_vain: Mutex<Option<OnUpgrade>>,
}

impl Talk {
    /// Somebody who is always in the middle of something.
    pub(super) fn without_end() -> Self {
        let talk = Self::default();
        talk.hears();
        talk
    }

    /// Something is heard, which is the beginning of a request if nobody says otherwise.
    fn hears(&self) {
        self.0.is_unfinished.store(true, Ordering::Relaxed);
    }

    /// The head of a request was heard, with which its body begins.
    pub(super) fn heard(&self, request: &Request<Incoming>) -> Heard {
        let has_body = !request.body().is_end_stream();
        self.0.is_unfinished.store(has_body, Ordering::Relaxed);
        Heard {
            talk: self.clone(),
            method: request.method().clone(),
            asks: request.extensions().get().cloned(),
        }
    }

    /// What the library means to hand over though nobody takes it; then our half is still open when it is done.
    pub(super) fn in_vain(&self) -> Option<OnUpgrade> {
        self.0.in_vain.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn is_in_the_middle(&self) -> bool {
        self.0.is_unfinished.load(Ordering::Relaxed) && !self.0.is_handed_over.load(Ordering::Relaxed)
    }
}

/// A request whose head was heard, until it is answered.
pub(super) struct Heard {
    talk: Talk,
    method: Method,
    /// The connection itself, where it asks for a tunnel or for another protocol.
    asks: Option<OnUpgrade>,
}

impl Heard {
    /// The answer is known: only now is it clear to whom the rest is said (RFC 9110 §9.3.6, §15.2.2).
    pub(super) fn answered(self, status: StatusCode) {
        let is_tunnel = self.method == Method::CONNECT && status.is_success();
        let is_handed_over = is_tunnel || status == StatusCode::SWITCHING_PROTOCOLS;
        let state = &self.talk.0;
        state.is_handed_over.store(is_handed_over, Ordering::Relaxed);
        if self.asks.is_some() {
            let in_vain = self.asks.filter(|_| !is_handed_over);
            *state.in_vain.lock().unwrap_or_else(PoisonError::into_inner) = in_vain;
        }
    }
}

/// A stream that hears the other side out when it is shut down in the middle of what that says.
pub(super) struct Lingering<I> {
    io: I,
    talk: Talk,
    stage: Stage,
}

enum Stage {
    Open,
    /// Until the other side is silent for too long, or goes on for too long.
    HearsOut(Pin<Box<Sleep>>, Pin<Box<Sleep>>),
    Over,
}

impl<I> Lingering<I> {
    /// `talk` is looked at when `io` is shut down.
    pub(super) fn new(io: I, talk: Talk) -> Self {
        let stage = Stage::Open;
        Self { io, talk, stage }
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<I> {
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match &mut this.stage {
                Stage::Open => {
                    ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
                    this.stage = if this.talk.is_in_the_middle() {
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
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.talk.hears();
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn pair(talk: Talk) -> (tokio::io::DuplexStream, Lingering<tokio::io::DuplexStream>) {
        let (client, io) = duplex(64);
        (client, Lingering::new(io, talk))
    }

    async fn is_heard_out(server: &mut Lingering<tokio::io::DuplexStream>) -> bool {
        futures_util::poll!(std::pin::pin!(server.shutdown())).is_pending()
    }

    #[tokio::test]
    async fn whoever_began_what_nobody_understood_is_heard_out() {
        let (mut client, mut server) = pair(Talk::default());
        client.write_all(b"GE").await.unwrap();
        server.read_u16().await.unwrap();
        assert!(is_heard_out(&mut server).await);
    }

    #[tokio::test]
    async fn what_is_said_to_somebody_else_is_not_ours_to_hear_out() {
        let talk = Talk::default();
        for (method, status, is_ours) in [
            (Method::CONNECT, StatusCode::OK, false),
            (Method::CONNECT, StatusCode::PROXY_AUTHENTICATION_REQUIRED, true),
            (Method::GET, StatusCode::SWITCHING_PROTOCOLS, false),
            (Method::GET, StatusCode::OK, true),
        ] {
            let heard = Heard {
                talk: talk.clone(),
                method: method.clone(),
                asks: None,
            };
            heard.answered(status);
            let (mut client, mut server) = pair(talk.clone());
            client.write_all(b"hi").await.unwrap();
            server.read_u16().await.unwrap();
            assert_eq!(is_heard_out(&mut server).await, is_ours, "{method} {status}");
        }
    }

    #[tokio::test]
    async fn who_talks_is_heard_out_after_our_last_word() {
        let (mut client, mut server) = pair(Talk::without_end());
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
        let (_client, mut server) = pair(Talk::default());
        server.shutdown().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_heard_for_ever() {
        let (_silent, mut server) = pair(Talk::without_end());
        server.shutdown().await.unwrap();

        let (mut client, mut server) = pair(Talk::without_end());
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

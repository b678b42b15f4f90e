//! A stream that first gives back what was peeked from it. Pure: it only forwards.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream with the bytes that were already read from it in front again.
#[derive(Debug)]
pub struct Rewound<S> {
    first: Bytes,
    stream: S,
    /// Whether our half has ended: not every stream can be told so twice.
    shut: bool,
}

impl<S> Rewound<S> {
    /// `stream`, whose readers see `first` before anything else.
    pub fn new(first: Bytes, stream: S) -> Self {
        let shut = false;
        Self { first, stream, shut }
    }

    /// The same, whose writing half was shut down before.
    #[must_use]
    pub fn shut(self) -> Self {
        Self { shut: true, ..self }
    }

    /// What was peeked and nobody has read yet, and the stream behind it: for those who move bytes by themselves.
    pub fn into_parts(self) -> (Bytes, S) {
        (self.first, self.stream)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let length = self.first.len().min(buf.remaining());
        buf.put_slice(self.first.get(..length).unwrap_or_default());
        self.first.advance(length);
        if self.first.is_empty() {
            self.first = Bytes::new(); // a tunnel may live for hours: let the peeked memory go
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewound<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.shut {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.shut = true;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_reader_sees_the_peeked_bytes_and_then_the_rest_however_small_its_buffer() {
        let (mut near, far) = tokio::io::duplex(64);
        near.write_all(b" world").await.unwrap();
        drop(near);
        let mut stream = Rewound::new(Bytes::from_static(b"hello"), far);
        let mut seen = Vec::new();
        let mut small = [0; 2];
        loop {
            match stream.read(&mut small).await.unwrap() {
                0 => break,
                n => seen.extend_from_slice(&small[..n]),
            }
        }
        assert_eq!(seen, b"hello world");
    }

    #[test]
    fn taking_it_apart_gives_back_only_what_nobody_read() {
        let (first, ()) = Rewound::new(Bytes::from_static(b"rest"), ()).into_parts();
        assert_eq!(&first[..], b"rest");
    }
}

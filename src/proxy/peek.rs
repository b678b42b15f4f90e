//! A bounded look at a body: at most so many bytes, for at most so long, and every byte is given back.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt;

/// What was taken from the front of a body.
pub(super) struct Peeked {
    /// What came, to be sent first: all data in one frame, and the trailers.
    pub(super) frames: Vec<Frame<Bytes>>,
    /// The data, no more of it than was to be looked at.
    pub(super) bytes: Bytes,
    /// Whether the body ended within the peek.
    pub(super) complete: bool,
}

impl Peeked {
    /// Nobody looked.
    pub(super) fn nothing() -> Self {
        Self {
            frames: Vec::new(),
            bytes: Bytes::new(),
            complete: false,
        }
    }
}

/// Takes frames until the body ends, `limit` bytes are there, or `patience` runs out: a body that drips is not waited
/// for, and an unfinished peek counts as unreadable.
pub(super) async fn peek<B>(body: &mut B, limit: usize, patience: Duration) -> Result<Peeked, B::Error>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut data = Gathered::default();
    let mut trailers = None;
    let mut complete = false;
    let gather = async {
        while data.len() <= limit {
            let Some(frame) = body.frame().await else {
                complete = true;
                break;
            };
            match frame?.into_data() {
                Ok(more) => data.add(more),
                Err(other) => trailers = Some(other),
            }
        }
        Ok(())
    };
    if let Ok(gathered) = tokio::time::timeout(patience, gather).await {
        gathered?;
    }
    let whole = data.whole();
    Ok(Peeked {
        bytes: whole.slice(..limit.min(whole.len())),
        complete: complete && whole.len() <= limit,
        frames: (!whole.is_empty())
            .then(|| Frame::data(whole))
            .into_iter()
            .chain(trailers)
            .collect(),
    })
}

/// Data that is copied only where it comes in several pieces. They are not kept as they came: a client may cut a body into
/// single bytes, and each piece takes a hundred.
#[derive(Default)]
struct Gathered {
    only: Bytes,
    joined: BytesMut,
}

impl Gathered {
    fn len(&self) -> usize {
        self.only.len() + self.joined.len()
    }

    fn add(&mut self, more: Bytes) {
        if self.len() == 0 {
            self.only = more;
        } else {
            self.joined.extend_from_slice(&std::mem::take(&mut self.only));
            self.joined.extend_from_slice(&more);
        }
    }

    fn whole(self) -> Bytes {
        if self.joined.is_empty() {
            self.only
        } else {
            self.joined.freeze()
        }
    }
}

/// Reads a body to its end and forgets it; tells whether that came within `limit` bytes and `patience`.
pub(super) async fn drain<B>(body: &mut B, limit: u64, patience: Duration) -> bool
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut left = limit;
    let read = async {
        while let Some(frame) = body.frame().await {
            let length = frame.ok()?.data_ref().map_or(0, |data| data.len() as u64);
            left = left.checked_sub(length)?;
        }
        Some(())
    };
    tokio::time::timeout(patience, read).await.ok().flatten().is_some()
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full, StreamBody};

    use super::*;

    #[tokio::test]
    async fn a_short_body_is_read_whole_and_given_back() {
        let mut body = Full::new(Bytes::from_static(b"a=1"));
        let peeked = peek(&mut body, 16, Duration::from_secs(9)).await.unwrap();
        assert!(peeked.complete);
        assert_eq!(&peeked.bytes[..], b"a=1");
        assert_eq!(peeked.frames.len(), 1);
    }

    #[tokio::test]
    async fn several_frames_are_read_as_one_and_given_back_as_one() {
        let data = ["a=", "", "1&b", "=2"].map(|data| Frame::data(Bytes::from(data)));
        let trailers = Frame::trailers(http::HeaderMap::from_iter([(http::header::ETAG, "x".parse().unwrap())]));
        let frames = data
            .into_iter()
            .chain([trailers])
            .map(Ok::<_, std::convert::Infallible>);
        let mut body = StreamBody::new(futures_util::stream::iter(frames));
        let peeked = peek(&mut body, 16, Duration::from_secs(9)).await.unwrap();
        assert_eq!((&peeked.bytes[..], peeked.complete), (&b"a=1&b=2"[..], true));
        assert_eq!(peeked.frames.len(), 2);
        assert_eq!(peeked.frames[0].data_ref().unwrap(), "a=1&b=2");
        assert_eq!(peeked.frames[1].trailers_ref().unwrap()["etag"], "x");
    }

    #[tokio::test]
    async fn a_body_in_single_bytes_takes_no_more_room_than_in_one_piece() {
        let bytes = std::iter::repeat_n(Bytes::from_static(b"x"), 60_000).map(Frame::data);
        let frames = bytes.map(Ok::<_, std::convert::Infallible>);
        let mut body = StreamBody::new(futures_util::stream::iter(frames));
        let peeked = peek(&mut body, 50_000, Duration::from_secs(9)).await.unwrap();
        assert_eq!((peeked.bytes.len(), peeked.complete), (50_000, false));
        assert_eq!(peeked.frames.len(), 1);
        assert_eq!(peeked.frames[0].data_ref().unwrap().len(), 50_001, "no byte is lost");
        let rest = body.collect().await.unwrap().to_bytes();
        assert_eq!(rest.len(), 9_999);
    }

    #[tokio::test]
    async fn padding_past_the_limit_leaves_the_peek_incomplete() {
        let mut body = Full::new(Bytes::from(vec![b'x'; 17]));
        let peeked = peek(&mut body, 16, Duration::from_secs(9)).await.unwrap();
        assert!(!peeked.complete);
        assert_eq!(peeked.bytes.len(), 16);
        assert_eq!(peeked.frames[0].data_ref().unwrap().len(), 17, "no byte is lost");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dripping_body_is_not_waited_for() {
        let first =
            futures_util::stream::iter([Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from_static(b"a")))]);
        let never = futures_util::stream::pending();
        let mut body = StreamBody::new(futures_util::StreamExt::chain(first, never)).boxed();
        let peeked = peek(&mut body, 16, Duration::from_secs(9)).await.unwrap();
        assert!(!peeked.complete);
        assert_eq!(peeked.frames.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_drained_to_its_end_and_neither_for_ever_nor_for_too_long() {
        let patience = Duration::from_secs(9);
        assert!(drain(&mut Full::new(Bytes::from(vec![b'x'; 16])), 16, patience).await);
        assert!(!drain(&mut Full::new(Bytes::from(vec![b'x'; 17])), 16, patience).await);
        let never = futures_util::stream::pending::<Result<Frame<Bytes>, std::convert::Infallible>>();
        assert!(!drain(&mut StreamBody::new(never), 16, patience).await);
    }
}

//! Does a client ask for another name later on? A server may answer a hello with a request for another one
//! (`HelloRetryRequest`, RFC 8446 §4.1.4), and choose its certificate by the name in that. It must be the name in the first;
//! not every server compares.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::client_hello::{self, Parsed};

/// Early data may stand between the two hellos (RFC 8446 §4.2.10); servers take far less of it.
const MOST: usize = 1 << 20;

const HEADER: usize = 5;
const CLIENT_HELLO: u8 = 1;

/// The second hello names another host than the first, or cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a second TLS handshake message names another host than the first")]
pub struct AnotherName;

/// Follows the records that a client sends, from its first on. Pure.
#[derive(Debug)]
struct Records {
    sni: Option<String>,
    state: State,
    left: usize,
}

#[derive(Debug)]
enum State {
    /// Between two records, with so much of a header, or of records that may be a hello.
    Gathering(Gathered),
    /// So many bytes of a record are of no interest.
    Passing(usize),
    /// Nothing of interest can come any more.
    Done,
}

/// The beginning of a record, behind those that hold the beginning of the same hello.
#[derive(Debug, Default)]
struct Gathered {
    bytes: Vec<u8>,
    /// Where the last record begins.
    last: usize,
}

impl Gathered {
    fn record(&self) -> &[u8] {
        self.bytes.get(self.last..).unwrap_or_default()
    }

    /// How many bytes of the last record are not there yet, once its header is.
    fn missing(&self) -> Option<usize> {
        let whole = HEADER + length(self.record())?;
        Some(whole.saturating_sub(self.record().len()))
    }

    /// After how many more bytes there is something to see. INVARIANT: of the content of a hello, that is its end: looking
    /// means reading all of it again.
    fn wanted(&self) -> usize {
        match self.missing() {
            Some(missing) if self.bytes.len() > HEADER => missing.max(1),
            Some(_) | None => 1,
        }
    }
}

/// What a record's header says of its length.
fn length(record: &[u8]) -> Option<usize> {
    let length = record.get(3..HEADER)?;
    Some(length.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte)))
}

impl Records {
    fn see(&mut self, mut bytes: &[u8]) -> Result<(), AnotherName> {
        match self.left.checked_sub(bytes.len()) {
            Some(left) => self.left = left,
            None => self.state = State::Done,
        }
        while !bytes.is_empty() {
            match &mut self.state {
                State::Done => return Ok(()),
                State::Passing(length) => {
                    let passed = bytes.len().min(*length);
                    bytes = bytes.get(passed..).unwrap_or_default();
                    *length -= passed;
                    if *length == 0 {
                        self.state = State::Gathering(Gathered::default());
                    }
                }
                State::Gathering(gathered) => {
                    let wanted = gathered.wanted();
                    let Some((part, rest)) = bytes.split_at_checked(wanted) else {
                        gathered.bytes.extend_from_slice(bytes);
                        return Ok(());
                    };
                    gathered.bytes.extend_from_slice(part);
                    bytes = rest;
                    let gathered = std::mem::take(gathered);
                    self.state = self.after(gathered)?;
                }
            }
        }
        Ok(())
    }

    /// What to do with these bytes, the beginning of a record.
    fn after(&self, mut gathered: Gathered) -> Result<State, AnotherName> {
        let (Some(kind), Some(length)) = (gathered.bytes.first(), length(&gathered.bytes)) else {
            return Ok(State::Gathering(gathered));
        };
        match (kind, gathered.bytes.get(HEADER)) {
            // RFC 8446 §5.1 forbids it, servers pass over it, and what follows is not what it seems
            (&client_hello::HANDSHAKE, _) if length == 0 => Err(AnotherName),
            (&client_hello::HANDSHAKE, None) => Ok(State::Gathering(gathered)),
            (&client_hello::HANDSHAKE, Some(&CLIENT_HELLO)) => match client_hello::parse(&gathered.bytes) {
                Parsed::NeedMore => {
                    if gathered.missing() == Some(0) {
                        gathered.last = gathered.bytes.len();
                    }
                    Ok(State::Gathering(gathered))
                }
                Parsed::Hello(hello) if hello.sni == self.sni => Ok(State::Gathering(Gathered::default())),
                Parsed::Hello(_) | Parsed::Malformed(_) => Err(AnotherName),
            },
            // TLS 1.2 goes on in clear with other messages, and has no second hello before it is sealed
            (&client_hello::HANDSHAKE, Some(_)) => Ok(State::Done),
            _ if length == 0 => Ok(State::Gathering(Gathered::default())),
            _ => Ok(State::Passing(length)),
        }
    }
}

/// A client's stream that fails as soon as it asks for another name than at first.
#[derive(Debug)]
pub struct SameName<S> {
    stream: S,
    /// None where the stream does not begin with TLS.
    records: Option<Records>,
}

impl<S> SameName<S> {
    /// `stream`, to be read from its first byte on, which began with a hello for `sni`.
    pub fn after_hello(stream: S, sni: Option<String>) -> Self {
        Self {
            stream,
            records: Some(Records {
                sni,
                state: State::Gathering(Gathered::default()),
                left: MOST,
            }),
        }
    }

    /// `stream`, which speaks something else.
    pub fn unchecked(stream: S) -> Self {
        Self { stream, records: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for SameName<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if let Some(records) = &mut self.records {
            let read = buf.filled().get(before..).unwrap_or_default();
            records.see(read).map_err(io::Error::other)?;
            if matches!(records.state, State::Done) {
                self.records = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for SameName<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn record(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[kind, 3, 3], &length[..], content].concat()
    }

    /// A hello for this host.
    fn hello(host: &str) -> Vec<u8> {
        let sized = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
        let name = sized(&[&[0], &sized(host.as_bytes())[..]].concat());
        let extensions = sized(&[&[0, 0], &sized(&name)[..]].concat());
        let body = [&[3, 3], &[7; 32][..], &[0, 0, 2, 0x13, 1, 1, 0], &extensions].concat();
        let length = u8::try_from(body.len()).unwrap();
        record(22, &[&[1, 0, 0, length], &body[..]].concat())
    }

    /// How much of what a client says comes through, in pieces of this size.
    async fn heard(said: &[u8], piece: usize) -> Result<usize, String> {
        let (mut client, stream) = tokio::io::duplex(1 << 22);
        client.write_all(said).await.unwrap();
        drop(client);
        let mut stream = SameName::after_hello(stream, Some("a.example".to_owned()));
        let (mut buffer, mut all) = (vec![0; piece], 0);
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => return Ok(all),
                Ok(read) => all += read,
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    #[tokio::test]
    async fn a_second_hello_for_another_host_is_stopped_wherever_it_hides() {
        let first = hello("a.example");
        let change = record(20, &[1]);
        let early = record(23, &[1; 600]);
        let cut = |hello: Vec<u8>| [record(22, &hello[5..20]), record(22, &hello[20..])].concat();
        for piece in [1, 7, 4096] {
            for between in [
                vec![],
                change.clone(),
                early.clone(),
                [early.clone(), change.clone()].concat(),
            ] {
                for second in [
                    hello("x.com"),
                    cut(hello("x.com")),
                    [record(22, &[]), hello("x.com")].concat(),
                    record(22, &[1, 0, 0, 4, 9, 9, 9, 9]),
                ] {
                    let said = [first.clone(), between.clone(), second].concat();
                    assert!(heard(&said, piece).await.unwrap_err().contains("another host"));
                }
                for second in [hello("a.example"), cut(hello("a.example")), record(23, &[22; 40])] {
                    let said = [first.clone(), between.clone(), second, early.clone()].concat();
                    assert_eq!(heard(&said, piece).await, Ok(said.len()));
                }
            }
        }
    }

    #[tokio::test]
    async fn a_handshake_of_tls_1_2_is_none_of_it() {
        // ClientKeyExchange, ChangeCipherSpec, and a sealed record that could look like anything
        let said = [
            hello("a.example"),
            record(22, &[16, 0, 0, 1, 0]),
            record(20, &[1]),
            hello("x.com"),
        ]
        .concat();
        for piece in [1, 4096] {
            assert_eq!(heard(&said, piece).await, Ok(said.len()));
        }
    }

    #[test]
    fn of_a_hello_only_whole_records_are_looked_at() {
        // a hello of 16 KiB, in records of 8, 4 and 4 KiB
        let content = [&[1, 0, 0x3f, 0xfc][..], &[0; 16380]].concat();
        let records = [&content[..8192], &content[8192..12288], &content[12288..]].map(|part| record(22, part));
        let mut seen = Records {
            sni: None,
            state: State::Gathering(Gathered::default()),
            left: MOST,
        };
        let wanted = |seen: &Records| match &seen.state {
            State::Gathering(gathered) => gathered.wanted(),
            State::Passing(_) | State::Done => 0,
        };
        for (at, record) in records.iter().enumerate() {
            let (begin, rest) = record.split_at(6); // its header, and the first byte that tells a hello
            for byte in begin {
                seen.see(&[*byte]).unwrap();
            }
            assert_eq!(wanted(&seen), rest.len(), "{at}");
            let (all_but_one, one) = rest.split_at(rest.len() - 1);
            seen.see(all_but_one).unwrap();
            assert_eq!(wanted(&seen), 1, "{at}");
            assert_eq!(seen.see(one).is_ok(), at < 2, "such a hello cannot be read");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(proptest::prop_oneof![
            proptest::arbitrary::any::<u8>(),
            proptest::sample::select(vec![22_u8, 20, 23, 3, 0, 1]),
        ], 0..200)) {
            let mut records = Records { sni: None, state: State::Gathering(Gathered::default()), left: 100 };
            let _ = bytes.chunks(3).try_for_each(|piece| records.see(piece));
        }
    }
}

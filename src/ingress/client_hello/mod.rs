//! Which name does the client ask TLS for? Reads a `ClientHello` (RFC 8446 §4.1.2) from raw bytes. Pure.
//!
//! A hello with post-quantum key shares is larger than a TCP segment, and clients that avoid broken middle boxes cut
//! it into several records: [`parse`] is called with everything read so far until it answers something else than
//! [`Parsed::NeedMore`].

/// What a `ClientHello` says about where it wants to go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The host name of the `server_name` extension (RFC 6066 §3), as sent; addresses have none.
    pub sni: Option<String>,
}

/// What the bytes so far amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A whole hello.
    Hello(ClientHello),
    /// A good beginning.
    NeedMore,
    /// Not a hello, and more bytes will not make it one.
    Malformed(&'static str),
}

/// Largest handshake message that counts as a hello; browsers send 0.5 to 2 KiB.
pub const LARGEST_HELLO: usize = 16 * 1024;
/// Most records that a hello may be spread over.
const MOST_RECORDS: usize = 64;
/// Largest plaintext of one record (RFC 8446 §5.1).
const LARGEST_RECORD: usize = 1 << 14;

pub(super) const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_NAME: u16 = 0;

/// Reads the hello that `bytes`, the beginning of a stream, hold.
///
/// Once it answers something else than `NeedMore`, more bytes do not change the answer.
pub fn parse(bytes: &[u8]) -> Parsed {
    match message(bytes).and_then(|body| hello(&body)) {
        Ok(hello) => Parsed::Hello(hello),
        Err(Stop::NeedMore) => Parsed::NeedMore,
        Err(Stop::Malformed(why)) => Parsed::Malformed(why),
    }
}

enum Stop {
    NeedMore,
    Malformed(&'static str),
}

type Step<T> = Result<T, Stop>;

fn malformed<T>(why: &'static str) -> Step<T> {
    Err(Stop::Malformed(why))
}

/// Joins the fragments of the first handshake message, without its header.
fn message(bytes: &[u8]) -> Step<Vec<u8>> {
    let mut rest = Reader(bytes);
    let mut joined = Vec::new();
    for _ in 0..MOST_RECORDS {
        joined.extend_from_slice(fragment(&mut rest)?);
        let mut whole = Reader(&joined);
        match whole.u8() {
            Some(CLIENT_HELLO) | None => {}
            Some(_) => return malformed("the first handshake message is not a client hello"),
        }
        let Some(length) = whole.u24() else { continue };
        if length > LARGEST_HELLO {
            return malformed("the client hello is longer than 16 KiB");
        }
        if whole.0.len() > length {
            // The client has nothing to say before it has seen an answer; this also bounds what we buffer.
            return malformed("something follows the client hello in its record");
        }
        if whole.0.len() == length {
            return Ok(whole.0.to_vec());
        }
    }
    malformed("the client hello is cut into too many records")
}

/// The next record's content; its header is judged as soon as it is there.
fn fragment<'a>(rest: &mut Reader<'a>) -> Step<&'a [u8]> {
    match rest.0 {
        [kind, ..] if *kind != HANDSHAKE => return malformed("a record is not of type handshake"),
        [_, major, ..] if *major != 3 => return malformed("a record is not of TLS 1.x"),
        _ => {}
    }
    let (Some(_), Some(length)) = (rest.take(3), rest.u16()) else {
        return Err(Stop::NeedMore);
    };
    match usize::from(length) {
        0 => malformed("a handshake record is empty"),
        length if length > LARGEST_RECORD => malformed("a record is longer than 16 KiB"),
        length => rest.take(length).ok_or(Stop::NeedMore),
    }
}

/// Reads the body of a whole message.
fn hello(body: &[u8]) -> Step<ClientHello> {
    let short = Stop::Malformed("the client hello ends early");
    let mut body = Reader(body);
    let fixed = (|| {
        body.take(2 + 32)?; // legacy_version, random
        let session = body.vector8()?;
        let ciphers = body.vector16()?;
        let compression = body.vector8()?;
        Some((session.len(), ciphers.len(), compression.len()))
    })();
    match fixed {
        None => return Err(short),
        Some((session, ciphers, compression)) => {
            if session > 32 || ciphers == 0 || ciphers % 2 == 1 || compression == 0 {
                return malformed("a field of the client hello has an impossible length");
            }
        }
    }
    if body.0.is_empty() {
        return Ok(ClientHello::default()); // TLS 1.2 and older may come without extensions (RFC 5246 §7.4.1.2)
    }
    let extensions = body.vector16().ok_or(short)?;
    if !body.0.is_empty() {
        return malformed("something follows the extensions of the client hello");
    }
    read_extensions(Reader(extensions))
}

fn read_extensions(mut extensions: Reader<'_>) -> Step<ClientHello> {
    let mut hello = ClientHello::default();
    let mut seen = std::collections::BTreeSet::new();
    while !extensions.0.is_empty() {
        let (Some(kind), Some(data)) = (extensions.u16(), extensions.vector16()) else {
            return malformed("an extension ends early");
        };
        // RFC 8446 §4.2. Two server names would be two answers to "where to".
        if !seen.insert(kind) {
            return malformed("an extension comes twice");
        }
        if kind == SERVER_NAME {
            hello.sni = Some(server_name(Reader(data))?);
        }
    }
    Ok(hello)
}

/// RFC 6066 §3: a list that in practice holds exactly one `host_name`.
fn server_name(mut data: Reader<'_>) -> Step<String> {
    let bad = "the server name extension is malformed";
    let mut list = match data.vector16() {
        Some(list) if data.0.is_empty() => Reader(list),
        _ => return malformed(bad),
    };
    match (list.u8(), list.vector16(), list.0) {
        (Some(0), Some(name), []) if !name.is_empty() && name.iter().all(u8::is_ascii_graphic) => {
            Ok(name.iter().copied().map(char::from).collect())
        }
        _ => malformed(bad),
    }
}

/// Takes from the front; `None` leaves nothing half-taken that anybody would look at.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, bytes: usize) -> Option<usize> {
        Some(self.take(bytes)?.iter().fold(0, |sum, b| (sum << 8) | usize::from(*b)))
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        u16::try_from(self.number(2)?).ok()
    }

    fn u24(&mut self) -> Option<usize> {
        self.number(3)
    }

    fn vector8(&mut self) -> Option<&'a [u8]> {
        let length = self.number(1)?;
        self.take(length)
    }

    fn vector16(&mut self) -> Option<&'a [u8]> {
        let length = self.number(2)?;
        self.take(length)
    }
}

#[cfg(test)]
mod tests;

//! What is said to a mail server (RFC 5321; STARTTLS: RFC 3207; AUTH PLAIN: RFC 4954, RFC 4616), over whatever carries it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};

use crate::facts::{Mailbox, Secret};

/// The longest line of a reply that is read (RFC 5321 §4.5.3.1.5 has 512), and how many lines one may have.
const LINE: u64 = 2048;
const LINES: usize = 100;
/// How much of what a server says is told.
const TOLD: usize = 200;

/// Why a letter was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// It may be taken another time.
    ForNow(String),
    /// The server will never take it.
    ForGood(String),
}

/// A conversation.
pub(super) struct Talk<S> {
    stream: BufReader<S>,
    /// What the server offers beyond the least, in capitals.
    offers: Vec<String>,
}

/// What the server said.
#[derive(Debug)]
struct Reply {
    code: u16,
    lines: Vec<String>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    /// Hears the greeting of a server, and greets it as `name`.
    pub(super) async fn begun(stream: S, name: &str) -> Result<Self, Failed> {
        let mut talk = Self::over(stream);
        let greeting = talk.hear().await?;
        greeting.is(220).map_err(|why| Failed::for_now("the greeting", &why))?;
        talk.greet(name).await?;
        Ok(talk)
    }

    fn over(stream: S) -> Self {
        Self {
            stream: BufReader::new(stream),
            offers: Vec::new(),
        }
    }

    /// The same over what is encrypted now: all that was said before counts no more (RFC 3207 §4.2).
    pub(super) async fn begun_again(stream: S, name: &str) -> Result<Self, Failed> {
        let mut talk = Self::over(stream);
        talk.greet(name).await?;
        Ok(talk)
    }

    async fn greet(&mut self, name: &str) -> Result<(), Failed> {
        let reply = self.ask("EHLO", &format!("EHLO {name}\r\n")).await?;
        reply.is(250).map_err(|why| Failed::for_now("EHLO", &why))?;
        let offers = reply.lines.iter().skip(1);
        self.offers = offers.map(|line| line.to_ascii_uppercase()).collect();
        Ok(())
    }

    /// Asks for encryption, and gives back what is to be encrypted. INVARIANT: a server that does not offer it, or has said more
    /// than its consent, is told nothing: somebody in between would have added that.
    pub(super) async fn starts_tls(mut self) -> Result<S, Failed> {
        if !self.offers.iter().any(|offer| offer == "STARTTLS") {
            let why = "the server offers no encryption (STARTTLS), without which nothing is sent";
            return Err(Failed::ForNow(why.to_owned()));
        }
        let reply = self.ask("STARTTLS", "STARTTLS\r\n").await?;
        reply.is(220).map_err(|why| Failed::for_now("STARTTLS", &why))?;
        if !self.stream.buffer().is_empty() {
            let why = "the server said something in clear that it should have said encrypted";
            return Err(Failed::ForNow(why.to_owned()));
        }
        Ok(self.stream.into_inner())
    }

    /// Signs in. Whoever runs the gateway can mend what is wrong with that, so nothing is lost by it.
    pub(super) async fn sign_in(&mut self, user: &str, password: &Secret) -> Result<(), Failed> {
        let offers_plain = |offer: &String| {
            let mut words = offer.split([' ', '=']);
            words.next() == Some("AUTH") && words.any(|word| word == "PLAIN")
        };
        if !self.offers.iter().any(offers_plain) {
            let why = "the server does not offer to sign in with a password (AUTH PLAIN)";
            return Err(Failed::ForNow(why.to_owned()));
        }
        let proof = Secret::new(format!("\0{user}\0{}", password.reveal()));
        let line = Secret::new(format!("AUTH PLAIN {}\r\n", STANDARD.encode(proof.reveal())));
        let reply = self.ask("AUTH", line.reveal()).await?;
        reply.is(235).map_err(|why| Failed::for_now("signing in", &why))
    }

    /// Asks whether a message would be taken from and for these. Whoever runs the gateway can mend what is wrong with its own
    /// address, so nothing is lost by that.
    pub(super) async fn offer(&mut self, from: &Mailbox, to: &Mailbox) -> Result<(), Failed> {
        let reply = self.ask("MAIL FROM", &format!("MAIL FROM:<{from}>\r\n")).await?;
        reply.is(250).map_err(|why| Failed::for_now("MAIL FROM", &why))?;
        self.step("RCPT TO", &format!("RCPT TO:<{to}>\r\n"), 250).await?;
        self.step("DATA", "DATA\r\n", 354).await
    }

    /// Hands over the message that was offered.
    pub(super) async fn hand_over(&mut self, message: &str) -> Result<(), Failed> {
        let mut stuffed = String::with_capacity(message.len() + 8);
        for line in message.split_inclusive("\r\n") {
            if line.starts_with('.') {
                stuffed.push('.'); // RFC 5321 §4.5.2
            }
            stuffed.push_str(line);
        }
        stuffed.push_str(".\r\n");
        self.step("the message", &stuffed, 250).await
    }

    /// Says goodbye; what is handed over is, whatever comes of that.
    pub(super) async fn leave(mut self) {
        let _ = self.ask("QUIT", "QUIT\r\n").await;
        let _ = self.stream.get_mut().shutdown().await;
    }

    /// Says something that is about this message alone: a server that refuses it for good refuses the message.
    async fn step(&mut self, what: &str, line: &str, wanted: u16) -> Result<(), Failed> {
        let reply = self.ask(what, line).await?;
        let Err(why) = reply.is(wanted) else {
            return Ok(());
        };
        // who must sign in first (530), or differently (534, 535, 538), is not refused for good: settings can be mended
        if (500..600).contains(&reply.code) && ![530, 534, 535, 538].contains(&reply.code) {
            Err(Failed::ForGood(format!("the server refuses {what}: {why}")))
        } else {
            Err(Failed::for_now(what, &why))
        }
    }

    async fn ask(&mut self, what: &str, line: &str) -> Result<Reply, Failed> {
        let broke = |error: std::io::Error| Failed::for_now(what, &error);
        let stream = self.stream.get_mut();
        stream.write_all(line.as_bytes()).await.map_err(broke)?;
        stream.flush().await.map_err(broke)?;
        self.hear().await
    }

    async fn hear(&mut self) -> Result<Reply, Failed> {
        let odd = || Failed::ForNow("the server does not speak SMTP".to_owned());
        let mut lines = Vec::new();
        while lines.len() < LINES {
            let mut line = Vec::new();
            let mut limited = (&mut self.stream).take(LINE);
            let read = limited.read_until(b'\n', &mut line).await;
            read.map_err(|error| Failed::for_now("reading a reply", &error))?;
            if line.is_empty() {
                return Err(Failed::ForNow("the server closed the connection".to_owned()));
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.strip_suffix('\n').ok_or_else(odd)?.trim_end_matches('\r');
            let code: u16 = text.get(..3).and_then(|code| code.parse().ok()).ok_or_else(odd)?;
            let is_last = !text.get(3..).is_some_and(|rest| rest.starts_with('-'));
            lines.push(text.get(4..).unwrap_or_default().to_owned());
            if is_last {
                return Ok(Reply { code, lines });
            }
        }
        Err(odd())
    }
}

impl Reply {
    /// Whether the server said what was hoped for; if not, what.
    fn is(&self, wanted: u16) -> Result<(), String> {
        if self.code == wanted || (wanted == 250 && self.code == 251) {
            return Ok(());
        }
        let text: String = self.lines.join(" ").chars().take(TOLD).collect();
        Err(format!("{} {}", self.code, text.escape_debug()))
    }
}

impl Failed {
    fn for_now(what: &str, why: &impl fmt::Display) -> Self {
        Self::ForNow(format!("{what} failed: {why}"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use tokio::io::duplex;

    use super::*;

    /// A server that hears these lines, whatever they hold, and answers each so; what it heard.
    pub(in crate::notices) async fn plays(
        script: &'static [&'static str],
        stream: tokio::io::DuplexStream,
    ) -> Vec<String> {
        let mut stream = BufReader::new(stream);
        let mut heard = Vec::new();
        for said in script {
            stream.get_mut().write_all(said.as_bytes()).await.unwrap();
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                break;
            }
            heard.push(line.trim_end().to_owned());
        }
        heard
    }

    async fn begins(script: &'static [&'static str]) -> (Result<(), Failed>, Vec<String>) {
        let (ours, theirs) = duplex(4096);
        let talks = async {
            let talk = Talk::begun(ours, "[192.0.2.1]").await?;
            talk.starts_tls().await.map(drop)
        };
        tokio::join!(talks, plays(script, theirs))
    }

    #[tokio::test]
    async fn a_server_without_encryption_is_told_nothing() {
        let (ended, heard) = begins(&["220 hi\r\n", "250-mail\r\n250 SIZE 100\r\n", ""]).await;
        assert!(matches!(ended, Err(Failed::ForNow(why)) if why.contains("offers no encryption")));
        assert_eq!(heard, ["EHLO [192.0.2.1]"]);
    }

    #[tokio::test]
    async fn what_somebody_slipped_in_before_encryption_began_is_noticed() {
        let (ended, _) = begins(&["220 hi\r\n", "250-mail\r\n250 starttls\r\n", "220 go\r\n250 evil\r\n"]).await;
        assert!(matches!(ended, Err(Failed::ForNow(why)) if why.contains("in clear")));
    }

    #[tokio::test]
    async fn what_is_no_mail_server_is_told_so() {
        for odd in ["HTTP/1.1 400 Bad Request\r\n", "\u{fffd}\u{fffd}\r\n", "220", ""] {
            let (ours, mut theirs) = duplex(4096);
            theirs.write_all(odd.as_bytes()).await.unwrap();
            drop(theirs);
            let failed = Talk::begun(ours, "[192.0.2.1]").await.err();
            assert!(matches!(failed, Some(Failed::ForNow(_))), "{odd:?}: {failed:?}");
        }
        let (ours, mut theirs) = duplex(1 << 20);
        theirs.write_all(&b"220-x\r\n".repeat(LINES)).await.unwrap();
        let failed = Talk::begun(ours, "[192.0.2.1]").await.err();
        assert!(matches!(failed, Some(Failed::ForNow(_))), "without end: {failed:?}");
    }

    #[tokio::test]
    async fn a_server_that_refuses_our_own_address_may_think_better_of_it_and_of_theirs_does_not() {
        let mailbox = Mailbox::parse("a@example.org").unwrap();
        let offered = async |script| {
            let (ours, theirs) = duplex(4096);
            let offers = async {
                let mut talk = Talk::begun(ours, "[192.0.2.1]").await.unwrap();
                talk.offer(&mailbox, &mailbox).await.unwrap_err()
            };
            tokio::join!(offers, plays(script, theirs)).0
        };
        let ours = offered(&["220 hi\r\n", "250 mail\r\n", "550 5.7.1 no such sender\r\n"]).await;
        assert!(
            matches!(&ours, Failed::ForNow(why) if why.contains("no such sender")),
            "{ours:?}"
        );
        let theirs = offered(&["220 hi\r\n", "250 mail\r\n", "250 ok\r\n", "550 nobody\r\n"]).await;
        assert!(
            matches!(&theirs, Failed::ForGood(why) if why.contains("nobody")),
            "{theirs:?}"
        );
    }

    #[tokio::test]
    async fn no_line_of_a_message_ends_it_early() {
        let (ours, theirs) = duplex(4096);
        let mailbox = Mailbox::parse("a@example.org").unwrap();
        let hands = async {
            let mut talk = Talk::begun(ours, "[192.0.2.1]").await.unwrap();
            talk.offer(&mailbox, &mailbox).await.unwrap();
            talk.hand_over("one\r\n.\r\n..two\r\n").await.unwrap();
            talk.leave().await;
        };
        let script: &[&str] = &[
            "220 hi\r\n",
            "250 mail\r\n",
            "250 ok\r\n",
            "251 ok\r\n",
            "354 go\r\n",
            "",
            "",
            "",
            "250 ok\r\n",
        ];
        let ((), heard) = tokio::join!(hands, plays(script, theirs));
        assert_eq!(heard[4..], ["one", "..", "...two", ".", "QUIT"]);
    }
}

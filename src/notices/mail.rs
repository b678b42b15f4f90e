//! Letters by e-mail.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::message::{self, Head};
use super::secrets::read;
use super::settings::{BadSetting, Security, Smtp};
use super::smtp::{Failed, Talk};
use super::words::{self, View};
use super::{Went, whom};
use crate::clock::Timestamp;
use crate::facts::{Authority, Mailbox, Secret, SubjectId, hex};
use crate::ledger::{Letter, Notice};
use crate::upstream::Errands;

/// How long it may take until a message is asked for; from then on until the server says that it has it (RFC 5321 §4.5.3.2.6);
/// and how long goodbye may.
const PATIENCE: Duration = Duration::from_mins(1);
const TAKEN_WITHIN: Duration = Duration::from_mins(10);
const GOODBYE: Duration = Duration::from_secs(2);
/// How long all of a delivery takes at most.
pub(super) const LONGEST: Duration = Duration::from_mins(12);

/// The way to the mail server.
pub(super) struct Mail {
    to: Authority,
    tls: Security,
    from: Mailbox,
    account: Option<(String, Secret)>,
    errands: Errands,
}

/// What carries a conversation.
trait Carrier: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Carrier for S {}

impl Mail {
    /// The way that the settings name; none where they name none. Reads the password.
    pub(super) fn of(smtp: &Smtp, errands: Errands) -> Result<Option<Self>, BadSetting> {
        let (Some(host), Some(from)) = (&smtp.host, &smtp.from) else {
            return Ok(None);
        };
        let account = match (&smtp.user, &smtp.password_file) {
            (Some(user), Some(path)) => {
                let password = read(path).map_err(|message| BadSetting {
                    field: "smtp.password_file".to_owned(),
                    message,
                    help: "check the path, and that the file belongs to the user that runs wayleave",
                })?;
                Some((user.clone(), password))
            }
            (Some(_) | None, _) => None,
        };
        let to = Authority {
            host: host.clone(),
            port: smtp.port(),
        };
        Ok(Some(Self {
            to,
            tls: smtp.tls,
            from: from.clone(),
            account,
            errands,
        }))
    }

    /// Writes to somebody.
    pub(super) async fn send(&self, (notice, letter): (&Notice, &Letter), view: &View<'_>, at: Timestamp) -> Went {
        let directory = &view.in_force.directory;
        let Some(to) = whom::mailbox(&letter.to, directory) else {
            return Went::Never("no address of theirs is known any more".to_owned());
        };
        let reader = SubjectId::parse(&letter.to).ok();
        let language = whom::language(&letter.to, directory).unwrap_or(view.language);
        let zone = reader.and_then(|id| Some(directory.person(&id)?.time_zone.clone()));
        let view = View { language, ..*view };
        let said = words::say(notice, &view, zone.as_deref());
        let head = Head {
            from: &self.from,
            to: &to,
            subject: &said.title,
            language: language.as_str(),
            id: &name(notice, letter),
            at,
        };
        let message = message::compose(&head, &said.text(language));
        match handed_over(self.offered(&to), &message).await {
            Ok(()) => Went::Sent,
            Err(Failed::ForNow(why)) => Went::Later(why, None),
            Err(Failed::ForGood(why)) => Went::Unfit(why),
        }
    }

    /// A conversation in which the server waits for the message.
    async fn offered(&self, to: &Mailbox) -> Result<Talk<Box<dyn Carrier>>, Failed> {
        let unreached = |fault: crate::facts::Fault| Failed::ForNow(fault.to_string());
        let stream = self.errands.connect(&self.to).await.map_err(unreached)?;
        let address = stream.local_addr().map(|local| local.ip());
        let name = match address {
            Ok(std::net::IpAddr::V6(address)) => format!("[IPv6:{address}]"),
            Ok(std::net::IpAddr::V4(address)) => format!("[{address}]"),
            Err(_) => self.from.domain().to_owned(),
        };
        let stream: Box<dyn Carrier> = match self.tls {
            Security::Off => Box::new(stream),
            Security::Implicit => Box::new(self.errands.secured(&self.to, stream).await.map_err(unreached)?),
            Security::Required => {
                let stream = Talk::begun(stream, &name).await?.starts_tls().await?;
                Box::new(self.errands.secured(&self.to, stream).await.map_err(unreached)?)
            }
        };
        let mut talk = match self.tls {
            Security::Required => Talk::begun_again(stream, &name).await?,
            Security::Off | Security::Implicit => Talk::begun(stream, &name).await?,
        };
        if let Some((user, password)) = &self.account {
            talk.sign_in(user, password).await?;
        }
        talk.offer(&self.from, to).await?;
        Ok(talk)
    }
}

/// Hands a message over where it is waited for.
async fn handed_over<S: Carrier>(
    offered: impl Future<Output = Result<Talk<S>, Failed>>,
    message: &str,
) -> Result<(), Failed> {
    let late = |limit: Duration| Failed::ForNow(format!("the server did not take it within {} s", limit.as_secs()));
    let mut talk = timeout(PATIENCE, offered).await.map_err(|_| late(PATIENCE))??;
    let handed = timeout(TAKEN_WITHIN, talk.hand_over(message)).await;
    handed.map_err(|_| late(TAKEN_WITHIN))??;
    // it is the server's from here on: whatever becomes of goodbye, nobody sends it again
    let _ = timeout(GOODBYE, talk.leave()).await;
    Ok(())
}

/// A name for a letter, the same whenever it is sent: another one where the same happens once more.
pub(super) fn name(notice: &Notice, letter: &Letter) -> String {
    let [way, to] = [letter.way.as_str(), letter.to.as_str()];
    let since = notice.since.as_millis();
    let whom = hex(digest(&SHA256, format!("{way} {to} {since}").as_bytes()).as_ref());
    let whom: String = whom.chars().take(12).collect();
    format!("{}.{}.{whom}", notice.about, notice.about.occasion().as_str())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, duplex};

    use super::*;
    use crate::notices::smtp::tests::plays;

    async fn offered(stream: DuplexStream) -> Result<Talk<DuplexStream>, Failed> {
        let mailbox = Mailbox::parse("a@example.org").unwrap();
        let mut talk = Talk::begun(stream, "[192.0.2.1]").await?;
        talk.offer(&mailbox, &mailbox).await?;
        Ok(talk)
    }

    /// A server that takes a message of one line after that time, and says nothing from then on.
    async fn takes_after(time: Duration, stream: DuplexStream) {
        let mut stream = BufReader::new(stream);
        for said in ["220 hi\r\n", "250 mail\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"] {
            stream.get_mut().write_all(said.as_bytes()).await.unwrap();
            stream.read_line(&mut String::new()).await.unwrap();
        }
        tokio::time::sleep(time).await;
        stream.get_mut().write_all(b"250 ok\r\n").await.unwrap();
        std::future::pending::<()>().await;
    }

    async fn delivered(time: Duration) -> Result<(), Failed> {
        let (ours, theirs) = duplex(4096);
        tokio::select! {
            delivered = handed_over(offered(ours), "one\r\n") => delivered,
            () = takes_after(time, theirs) => unreachable!(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_server_took_is_sent_although_it_took_its_time_and_says_no_goodbye() {
        for minutes in [0, 1, 9] {
            assert_eq!(delivered(Duration::from_mins(minutes)).await, Ok(()), "{minutes}");
        }
        assert!(matches!(delivered(Duration::from_mins(11)).await, Err(Failed::ForNow(why)) if why.contains("600 s")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_not_waited_for_that_long() {
        let (ours, theirs) = duplex(4096);
        let silent = async {
            plays(&["220 hi\r\n", ""], theirs).await;
            std::future::pending::<()>().await;
        };
        let failed = tokio::select! {
            delivered = handed_over(offered(ours), "one\r\n") => delivered.unwrap_err(),
            () = silent => unreachable!(),
        };
        assert!(matches!(failed, Failed::ForNow(why) if why.contains("60 s")));
    }
}

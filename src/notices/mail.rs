//! Letters by e-mail.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use tokio::io::{AsyncRead, AsyncWrite};

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

/// How long all of a delivery may take.
const PATIENCE: Duration = Duration::from_mins(1);

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
        let listed = reader.as_ref().and_then(|id| directory.listed(id));
        let language = listed.and_then(|listed| listed.language).unwrap_or(view.language);
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
        let delivered = tokio::time::timeout(PATIENCE, self.deliver(&to, &message)).await;
        match delivered {
            Ok(Ok(())) => Went::Sent,
            Ok(Err(Failed::ForNow(why))) => Went::Later(why, None),
            Ok(Err(Failed::ForGood(why))) => Went::Never(why),
            Err(_) => Went::Later(
                format!("`{}` did not take it within {} s", self.to, PATIENCE.as_secs()),
                None,
            ),
        }
    }

    async fn deliver(&self, to: &Mailbox, message: &str) -> Result<(), Failed> {
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
        talk.hand_over(&self.from, to, message).await?;
        talk.leave().await;
        Ok(())
    }
}

/// A name for a letter, the same whenever it is sent: another one where the same happens once more.
pub(super) fn name(notice: &Notice, letter: &Letter) -> String {
    let [way, to] = [letter.way.as_str(), letter.to.as_str()];
    let since = notice.since.as_millis();
    let whom = hex(digest(&SHA256, format!("{way} {to} {since}").as_bytes()).as_ref());
    let whom: String = whom.chars().take(12).collect();
    format!("{}.{}.{whom}", notice.grant.id, notice.event.as_str())
}

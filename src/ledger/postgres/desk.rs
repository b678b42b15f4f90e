//! Where portals ask: a connection and a thread of their own, so that whoever looks at a page never holds up a change, nor
//! what is heard of other gateways' changes.
#![expect(clippy::disallowed_methods, reason = "door: speaks with the database of the ledger")]

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Trouble;
use super::counter::Asks;
use super::line::{Line, SESSION, alone, patiently};
use crate::ledger::counter::{Apart, Ask};
use crate::ledger::error::LedgerError;

/// How many may wait.
const WAITING: usize = 256;

/// How long a connection may take to be there.
const CONNECT: Duration = Duration::from_secs(3);

/// For how long those who ask do not wait again for one that did not come.
const PAUSE: Duration = Duration::from_secs(2);

/// Whoever waits here is a person: nothing that is asked takes longer, unless something is wrong.
const BRIEF: &str = "SET statement_timeout = '3s'; SET lock_timeout = '1s'";

/// The place where portals ask.
pub(super) struct Desk {
    runtime: Runtime,
    config: Config,
    tls: MakeRustlsConnect,
    /// It knows whether the database is out of reach, and tells people.
    line: Arc<Line>,
    own: Option<Connected>,
    /// When it could not connect last.
    refused: Option<Instant>,
}

/// A connection; it ends when this is dropped.
struct Connected {
    client: Arc<Client>,
    driver: JoinHandle<()>,
    /// The line as it was when this was made: another one may lead to another server.
    beside: Arc<Client>,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Opens it; its thread ends when nobody can ask any more. It connects when it is asked first.
pub(super) fn open(config: Config, tls: MakeRustlsConnect, line: Arc<Line>) -> Result<Apart, LedgerError> {
    let mut desk = Desk {
        runtime: alone("ledger-desk")?,
        config,
        tls,
        line,
        own: None,
        refused: None,
    };
    let (asks, mut inbox) = mpsc::channel::<Box<Ask>>(WAITING);
    std::thread::Builder::new()
        .name("ledger-counter".to_owned())
        .spawn(move || {
            while let Some(ask) = inbox.blocking_recv() {
                ask(&mut desk);
            }
            desk.own = None;
            desk.runtime.shutdown_background();
        })
        .map_err(|error| LedgerError::Unavailable(error.to_string()))?;
    Ok(Apart::There(asks))
}

impl Desk {
    async fn connect(&self, beside: Arc<Client>) -> Result<Connected, Trouble> {
        let connecting = async {
            let (client, connection) = self.config.connect(self.tls.clone()).await?;
            let driver = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection to the database of the ledger has ended");
                }
            });
            let connected = Connected {
                client: Arc::new(client),
                driver,
                beside,
            };
            connected.client.batch_execute(SESSION).await?;
            connected.client.batch_execute(BRIEF).await?;
            Ok(connected)
        };
        let connected = tokio::time::timeout(CONNECT, connecting).await;
        connected.unwrap_or(Err(Trouble::Silent(CONNECT)))
    }
}

impl Asks for Desk {
    fn client(&mut self) -> Result<Arc<Client>, LedgerError> {
        // where that is lost, nobody waits for another
        let line = self.line.client()?;
        let is_good = |own: &&Connected| !own.client.is_closed() && Arc::ptr_eq(&own.beside, &line);
        if let Some(own) = self.own.as_ref().filter(is_good) {
            return Ok(Arc::clone(&own.client));
        }
        if self.refused.is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(LedgerError::Lost(
                "no connection for portals was made a moment ago".to_owned(),
            ));
        }
        let connected = self.runtime.block_on(self.connect(line));
        let connected = connected.map_err(|trouble| {
            if self.refused.replace(Instant::now()).is_none() {
                tracing::warn!(%trouble, "the database of the ledger takes no connection for portals beside the one it has");
            }
            LedgerError::Lost(trouble.to_string())
        })?;
        self.refused = None;
        let client = Arc::clone(&connected.client);
        self.own = Some(connected);
        Ok(client)
    }

    fn answer<T>(
        &mut self,
        client: &Arc<Client>,
        what: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, LedgerError> {
        let answer = patiently(&self.runtime, what);
        answer.map_err(|trouble| {
            let is_lost = trouble.is_loss() || client.is_closed();
            if is_lost {
                self.own = None;
            }
            trouble.told_of(is_lost)
        })
    }
}

//! The line to the database: one connection, made again whenever it is lost, on which other gateways are heard, too.
#![expect(clippy::disallowed_methods, reason = "door: speaks with the database of the ledger")]

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::task::{AbortHandle, JoinHandle};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{PATIENCE, Trouble};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Bell, Place};

/// How long a connection may take to be there.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a gateway of this name that has just ended may still be connected.
const AFTERGLOW: Duration = Duration::from_secs(2);

/// How long the first attempt at a lost connection waits, and how long the later ones wait at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often is looked for what others changed, though nobody told: a line that is dead in silence is found out so.
const BEAT: Duration = Duration::from_secs(1);

/// After how long without hearing of others nobody relies on it that nothing has changed: longer than any answer is waited
/// for.
const DEAF: Duration = Duration::from_secs(10);

/// What every session begins with. No statement, no wait and no open change of a gateway holds up the others for long, also
/// where the gateway is cut off in the middle.
pub(super) const SESSION: &str = "\
    SET statement_timeout = '4s'; SET lock_timeout = '3s'; SET idle_in_transaction_session_timeout = '5s'; \
    SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; \
    SET default_transaction_isolation = 'read committed'; \
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// What a line that hears others begins with, too.
const HEARS: &str = "LISTEN wayleave_ledger";

/// How to connect, and as which gateway.
pub(super) struct How {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
    pub(super) gateway: String,
    pub(super) bell: Bell,
}

/// A connection, and its driver, which says in the end why it ended.
pub(super) struct Connected {
    client: Client,
    driver: JoinHandle<String>,
}

impl Connected {
    pub(super) fn client(&self) -> &Client {
        &self.client
    }
}

impl How {
    /// The first connection; a gateway of the same name that has just ended is waited for.
    pub(super) async fn connect_first(&self) -> Result<Connected, Trouble> {
        let until = Instant::now() + AFTERGLOW;
        loop {
            match self.connect().await {
                Err(Trouble::Taken(_)) if Instant::now() < until => tokio::time::sleep(AFTERGLOW / 20).await,
                connected => return connected,
            }
        }
    }

    /// Connects, and takes the name of this gateway, which no other may bear at the same time.
    async fn connect(&self) -> Result<Connected, Trouble> {
        let connecting = tokio::time::timeout(CONNECT, self.config.connect(self.tls.clone()));
        let (client, connection) = connecting.await.map_err(|_| Trouble::Silent(CONNECT))??;
        let driver = tokio::spawn(drive(connection, self.bell.clone()));
        let connected = Connected { client, driver };
        let began = tokio::time::timeout(CONNECT, self.begin(&connected.client)).await;
        let begun = began.unwrap_or(Err(Trouble::Silent(CONNECT)));
        begun.inspect_err(|_| connected.driver.abort())?;
        Ok(connected)
    }

    async fn begin(&self, client: &Client) -> Result<(), Trouble> {
        let take = "SELECT pg_try_advisory_lock(hashtext('wayleave gateway'), hashtext($1))";
        if !client.query_one(take, &[&self.gateway]).await?.try_get::<_, bool>(0)? {
            return Err(Trouble::Taken(self.gateway.clone()));
        }
        client.batch_execute(SESSION).await?;
        Ok(client.batch_execute(HEARS).await?)
    }
}

/// Carries a connection until it ends, and rings when others have changed something.
async fn drive<T>(mut connection: Connection<Socket, T>, bell: Bell) -> String
where
    T: tokio_postgres::tls::TlsStream + Unpin + Send + 'static,
{
    loop {
        match poll_fn(|cx| connection.poll_message(cx)).await {
            Some(Ok(message)) => {
                if let AsyncMessage::Notification(_) = message {
                    bell.ring();
                }
            }
            Some(Err(error)) => return super::told(&error),
            None => return "the connection was closed".to_owned(),
        }
    }
}

/// What carries a connection.
pub(super) fn alone(name: &str) -> Result<Runtime, LedgerError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(name)
        .enable_all()
        .build();
    runtime.map_err(|error| LedgerError::Unavailable(error.to_string()))
}

/// Waits for an answer for as long as anybody may.
pub(super) fn patiently<T>(on: &Runtime, what: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let answer = on.block_on(async { tokio::time::timeout(PATIENCE, what).await });
    answer.unwrap_or(Err(Trouble::Silent(PATIENCE)))
}

/// The line as it is now.
pub(super) struct Line(Mutex<State>);

struct State {
    client: Option<Arc<Client>>,
    driver: AbortHandle,
    /// When everything was known that others had changed by then.
    contact: Instant,
    /// Why that is not known any more.
    lost: Option<String>,
}

impl State {
    /// What is said first of a loss is why.
    fn is_lost(&mut self, why: String) {
        self.client = None;
        if self.lost.is_none() {
            tracing::error!("{}", LedgerError::Lost(why.clone()));
            self.lost = Some(why);
        }
    }

    /// For how long what others changed has not been heard, where that is too long: whatever the cause, and though there is
    /// a connection.
    fn deaf(&self) -> Option<Duration> {
        Some(self.contact.elapsed()).filter(|unheard| *unheard > DEAF)
    }

    /// Whether this is the connection of now.
    fn is_by(&self, client: &Arc<Client>) -> bool {
        self.client.as_ref().is_some_and(|now| Arc::ptr_eq(now, client))
    }
}

impl Line {
    /// A line that is connected, and connects again on this runtime whenever it is lost.
    pub(super) fn kept_up(connected: Connected, how: How, on: &Runtime) -> Arc<Self> {
        let state = State {
            client: Some(Arc::new(connected.client)),
            driver: connected.driver.abort_handle(),
            contact: Instant::now(),
            lost: None,
        };
        let line = Arc::new(Self(Mutex::new(state)));
        let (kept_up, bell) = (Arc::clone(&line), how.bell.clone());
        on.spawn(async move { kept_up.keep_up(connected.driver, &how).await });
        on.spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
                bell.ring();
            }
        });
        line
    }

    async fn keep_up(&self, mut driver: JoinHandle<String>, how: &How) {
        loop {
            let why = (&mut driver).await;
            self.lock().is_lost(why.unwrap_or_else(|_| "it was hung up".to_owned()));
            how.bell.ring();
            let mut pause = FIRST_PAUSE;
            driver = loop {
                tokio::time::sleep(pause).await;
                match how.connect().await {
                    Ok(connected) => break self.is_connected(connected),
                    Err(trouble) => self.lock().is_lost(trouble.to_string()),
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            };
            how.bell.ring();
        }
    }

    fn is_connected(&self, connected: Connected) -> JoinHandle<String> {
        let mut state = self.lock();
        state.client = Some(Arc::new(connected.client));
        state.driver = connected.driver.abort_handle();
        connected.driver
    }

    /// Gives up a connection that does not answer, or not as it should; another one is made, unless it was already.
    pub(super) fn hang_up(&self, client: &Arc<Client>, why: String) {
        let mut state = self.lock();
        if state.is_by(client) {
            state.driver.abort();
            state.is_lost(why);
        }
    }

    /// Everything is known that others had changed by then, as heard by this connection. It says nothing where that has been
    /// lost meanwhile.
    pub(super) fn in_touch(&self, client: &Arc<Client>, since: Instant) {
        let mut state = self.lock();
        if !state.is_by(client) {
            return;
        }
        state.contact = since;
        if state.lost.take().is_some() {
            tracing::info!("the database that holds the ledger is back, and what others changed is known again");
        }
    }

    pub(super) fn client(&self) -> Result<Arc<Client>, LedgerError> {
        let state = self.lock();
        let why = || state.lost.clone().unwrap_or_default();
        state.client.clone().ok_or_else(|| LedgerError::Lost(why()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place for Line {
    fn in_place(&self) -> Result<(), LedgerError> {
        let state = self.lock();
        let deaf = || {
            let seconds = state.deaf()?.as_secs();
            Some(format!("what other gateways change has not been heard for {seconds} s"))
        };
        let trouble = state.lost.clone().or_else(deaf);
        trouble.map_or(Ok(()), |why| Err(LedgerError::Lost(why)))
    }

    fn out_of_touch(&self) -> Option<Duration> {
        let state = self.lock();
        let lost = state.lost.as_ref().map(|_| state.contact.elapsed());
        lost.or_else(|| state.deaf())
    }
}

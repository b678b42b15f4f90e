//! The ledger in a `PostgreSQL` database that several gateways share.
//!
//! ```text
//!  writer thread ── BEGIN; count the change on ── read, write ── NOTIFY; COMMIT ──> the other gateways look
//!        ^
//!        └── look: what has changed after the last change that is shown <── NOTIFY, every second, a new connection
//! ```
//!
//! INVARIANT: one change at a time, whichever gateway makes it: each begins with counting on the one row of `changes`, which
//! stays locked until it ends. So what is decided on what was read holds when it is written, and changes are seen in the
//! order of their numbers, without a gap. A promise belongs to the gateway that made it, whose book speaks of it.
#![expect(clippy::disallowed_methods, reason = "door: measures since when nothing was heard")]

mod access;
mod counter;
mod desk;
mod line;
mod migrate;
mod notices;
mod once;
mod rows;
mod tokens;
mod trouble;
mod usage;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_postgres::{Client, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::counter::{Apart, AtCounter};
use super::ending::{OnRecord, Untold};
use super::error::LedgerError;
use super::figures::Figure;
use super::outbox::{Claim, Letter, Notice};
use super::promise::Leftover;
use super::store::{Bell, Change, Held, News, Place, Store};
use super::usage::Week;
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantAct, GrantId, NoticeEvent, PurposeId, SubjectId};
use access::named;
pub(super) use access::{Access, parsed};
use line::{How, Line, alone, patiently};
use trouble::{Trouble, told};

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many rows are written with one question: so that its answer comes long before anybody loses patience.
const AT_ONCE: usize = 500;

/// How long it may take to bring its tables up to date, and to read what people hold.
const LONG_PATIENCE: Duration = Duration::from_mins(2);

/// An open database.
pub(super) struct Postgres {
    /// Carries the line; none only while this is dropped.
    runtime: Option<Runtime>,
    line: Arc<Line>,
    /// Where portals ask.
    desk: Apart,
    gateway: String,
    /// What was found at the start, until it is asked for.
    held: Option<Held>,
    /// The number of the last change that is shown.
    seen: i64,
}

impl Postgres {
    /// Connects, and brings the tables up to date. To be called from a thread that may wait.
    pub(super) fn open(access: &Access, bell: Bell) -> Result<Self, LedgerError> {
        let runtime = alone("ledger-line")?;
        let config = access.config()?;
        let database = named(&config);
        let tls = MakeRustlsConnect::new(access.tls.clone());
        let how = How {
            config: config.clone(),
            tls: tls.clone(),
            gateway: access.gateway.clone(),
            bell,
        };
        let found = runtime.block_on(async {
            let connected = how
                .connect_first()
                .await
                .map_err(|trouble| trouble.at_start(&database))?;
            let opening = tokio::time::timeout(LONG_PATIENCE, migrate::begin(connected.client(), &database));
            let silent = |_| Trouble::Silent(LONG_PATIENCE).at_start(&database);
            let (held, seen) = opening.await.map_err(silent)??;
            Ok((connected, held, seen))
        });
        let (connected, held, seen) = found?;
        let line = Line::kept_up(connected, how, &runtime);
        Ok(Self {
            desk: desk::open(config, tls, Arc::clone(&line))?,
            line,
            runtime: Some(runtime),
            gateway: access.gateway.clone(),
            held: Some(held),
            seen,
        })
    }

    /// Asks the database something, and waits for the answer for as long as anybody may.
    fn ask<T>(&self, client: &Arc<Client>, what: impl Future<Output = Result<T, Trouble>>) -> Result<T, LedgerError> {
        let Some(runtime) = &self.runtime else {
            return Err(LedgerError::Lost("the gateway is stopping".to_owned()));
        };
        patiently(runtime, what).map_err(|trouble| {
            let is_lost = trouble.is_loss() || client.is_closed();
            if is_lost {
                self.line.hang_up(client, trouble.to_string());
            }
            trouble.told_of(is_lost)
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Store for Postgres {
    type Change<'a> = InDatabase<'a>;

    const SHARED: bool = true;

    fn held(&mut self) -> Result<Held, LedgerError> {
        let stopped = || LedgerError::Lost("what it holds was read already".to_owned());
        self.held.take().ok_or_else(stopped)
    }

    fn promises(&mut self) -> Result<Vec<Leftover>, LedgerError> {
        // while nobody changes anything: what the life before this one was just keeping is kept by now, or never
        let change = self.begin()?;
        let promises = rows::promises(&change.client, &change.store.gateway);
        change.store.ask(&change.client, promises)
    }

    fn untold(&mut self) -> Result<Vec<Untold>, LedgerError> {
        let client = self.line.client()?;
        let untold = rows::untold(&client, &self.gateway);
        self.ask(&client, untold)
    }

    fn unclaim(&mut self) -> Result<(), LedgerError> {
        let client = self.line.client()?;
        self.ask(&client, notices::unclaim(&client, &self.gateway))
    }

    fn outlook(&mut self, claim: &Claim) -> Result<(u64, bool), LedgerError> {
        let client = self.line.client()?;
        self.ask(&client, notices::outlook(&client, claim))
    }

    fn figures(&mut self, of: &PurposeId, weeks: &RangeInclusive<Week>) -> Result<Vec<Figure>, LedgerError> {
        let client = self.line.client()?;
        self.ask(&client, usage::figures(&client, of, weeks))
    }

    fn begin(&mut self) -> Result<InDatabase<'_>, LedgerError> {
        let client = self.line.client()?;
        let mut change = InDatabase {
            store: self,
            client,
            number: 0,
            is_news: false,
            is_open: true,
        };
        change.number = self.ask(&change.client, count_on(&change.client))?;
        Ok(change)
    }

    fn news(&mut self) -> Result<Vec<News>, LedgerError> {
        let since = Instant::now();
        let client = self.line.client()?;
        let last = self.ask(&client, rows::last(&client))?;
        let news = if last == self.seen {
            Vec::new()
        } else {
            let (news, last) = self.ask(&client, after(&client, self.seen))?;
            if last < self.seen {
                let why = "it is older than what this gateway has seen of it, restart the gateway".to_owned();
                self.line.hang_up(&client, why.clone());
                return Err(LedgerError::Lost(why));
            }
            self.seen = last;
            news
        };
        self.line.in_touch(&client, since);
        Ok(news)
    }

    fn counter(&mut self, ask: &mut dyn FnMut(&mut dyn AtCounter)) {
        ask(self);
    }

    fn apart(&self) -> Apart {
        self.desk.clone()
    }

    fn place(&self) -> Arc<dyn Place> {
        self.line.clone()
    }
}

/// Begins a change, and waits until it is the only one.
async fn count_on(client: &Client) -> Result<i64, Trouble> {
    let ask = "BEGIN; UPDATE changes SET last = last + 1 RETURNING last";
    let number = client.simple_query(ask).await?.into_iter().find_map(|message| {
        if let SimpleQueryMessage::Row(row) = message {
            row.get(0)?.parse().ok()
        } else {
            None
        }
    });
    number.ok_or_else(|| Trouble::Unreadable("the table `changes` is empty".to_owned()))
}

/// What has changed after the change of that number, as of one moment.
async fn after(client: &Client, seen: i64) -> Result<(Vec<News>, i64), Trouble> {
    client
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    let news = rows::news(client, seen).await;
    client.batch_execute("COMMIT").await?;
    news
}

/// A transaction, the only one that changes the ledger.
pub(super) struct InDatabase<'a> {
    store: &'a Postgres,
    client: Arc<Client>,
    /// The number of this change.
    number: i64,
    /// Whether others should hear of it.
    is_news: bool,
    is_open: bool,
}

impl InDatabase<'_> {
    /// Asks about each, so many at once.
    fn each<'a, T, F>(&self, all: &'a [T], what: impl Fn(&'a [T]) -> F) -> Result<(), LedgerError>
    where
        F: Future<Output = Result<(), Trouble>>,
    {
        let mut some = all.chunks(AT_ONCE);
        some.try_for_each(|some| self.store.ask(&self.client, what(some)))
    }
}

impl Drop for InDatabase<'_> {
    fn drop(&mut self) {
        if self.is_open {
            let undo = async { Ok(self.client.batch_execute("ROLLBACK").await?) };
            // where that fails the connection is given up, and the change with it
            let _ = self.store.ask(&self.client, undo);
        }
    }
}

impl Change for InDatabase<'_> {
    fn find(&mut self, id: &GrantId) -> Result<Option<Grant>, LedgerError> {
        self.store.ask(&self.client, rows::find(&self.client, id))
    }

    fn find_each(&mut self, ids: &[&GrantId]) -> Result<Vec<Grant>, LedgerError> {
        self.store.ask(&self.client, rows::find_each(&self.client, ids))
    }

    fn beside(&mut self, grant: &Grant) -> Result<usize, LedgerError> {
        self.store.ask(&self.client, rows::beside(&self.client, grant))
    }

    fn asked_alike(&mut self, request: &Grant) -> Result<Vec<Grant>, LedgerError> {
        self.store.ask(&self.client, rows::asked_alike(&self.client, request))
    }

    fn renewals(&mut self, subject: &SubjectId, of: &GrantId) -> Result<Vec<Grant>, LedgerError> {
        self.store.ask(&self.client, rows::renewals(&self.client, subject, of))
    }

    fn unreviewed(&mut self, subject: &SubjectId) -> Result<usize, LedgerError> {
        self.store.ask(&self.client, rows::unreviewed(&self.client, subject))
    }

    fn write(&mut self, grant: &Grant) -> Result<(), LedgerError> {
        self.is_news = true;
        self.store
            .ask(&self.client, rows::write(&self.client, grant, self.number))
    }

    fn write_each(&mut self, grants: &[&Grant]) -> Result<(), LedgerError> {
        self.is_news = true;
        self.each(grants, |some| rows::write_each(&self.client, some, self.number))
    }

    fn used(&mut self, uses: &[(GrantId, Timestamp)]) -> Result<(), LedgerError> {
        self.is_news = true;
        self.each(uses, |some| rows::used(&self.client, some, self.number))
    }

    fn take_back(&mut self, written: &Grant, was: Option<&Grant>, untold: Option<GrantAct>) -> Result<(), LedgerError> {
        self.is_news = true;
        let whose = (&*self.client, self.store.gateway.as_str());
        let take_back = rows::take_back(whose, written, (was, untold), self.number);
        self.store.ask(&self.client, take_back)
    }

    fn is_promised(&mut self, id: &GrantId) -> Result<bool, LedgerError> {
        self.store.ask(&self.client, rows::is_promised(&self.client, id))
    }

    fn promise(&mut self, grant: &Grant, segment: u64) -> Result<(), LedgerError> {
        let promise = rows::promise(&self.client, &self.store.gateway, grant, segment);
        self.store.ask(&self.client, promise)
    }

    fn forget(&mut self, ids: &[&GrantId]) -> Result<(), LedgerError> {
        self.each(ids, |some| rows::forget(&self.client, &self.store.gateway, some))
    }

    fn ends(&mut self, ends: &[(&GrantId, &OnRecord)]) -> Result<(), LedgerError> {
        self.each(ends, |some| rows::ends(&self.client, &self.store.gateway, some))
    }

    fn told(&mut self, told: &[(&GrantId, GrantAct)]) -> Result<(), LedgerError> {
        self.each(told, |some| rows::told(&self.client, &self.store.gateway, some))
    }

    fn is_untold(&mut self, id: &GrantId, act: GrantAct) -> Result<bool, LedgerError> {
        self.store.ask(&self.client, rows::is_untold(&self.client, id, act))
    }

    fn owe_each(&mut self, owed: &[(&GrantId, NoticeEvent, Timestamp)]) -> Result<(), LedgerError> {
        self.each(owed, |some| notices::owe_each(&self.client, some))
    }

    fn claim(&mut self, claim: &Claim) -> Result<Vec<Notice>, LedgerError> {
        let claimed = notices::claim((&self.client, &self.store.gateway), claim);
        self.store.ask(&self.client, claimed)
    }

    fn address(&mut self, notice: &Notice, letter: &Letter) -> Result<(), LedgerError> {
        let addressed = notices::address(&self.client, notice, letter);
        self.store.ask(&self.client, addressed)
    }

    fn done(&mut self, notice: &Notice) -> Result<(), LedgerError> {
        self.store.ask(&self.client, notices::done(&self.client, notice))
    }

    fn again(&mut self, notice: &Notice, due: Timestamp) -> Result<(), LedgerError> {
        self.store.ask(&self.client, notices::again(&self.client, notice, due))
    }

    fn release(&mut self, notice: &Notice) -> Result<(), LedgerError> {
        let whose = (&*self.client, self.store.gateway.as_str());
        self.store.ask(&self.client, notices::release(whose, notice))
    }

    fn commit(mut self) -> Result<(), LedgerError> {
        let end = if self.is_news {
            "NOTIFY wayleave_ledger; COMMIT"
        } else {
            "COMMIT"
        };
        let kept = async { Ok(self.client.batch_execute(end).await?) };
        self.store.ask(&self.client, kept)?;
        self.is_open = false;
        Ok(())
    }
}

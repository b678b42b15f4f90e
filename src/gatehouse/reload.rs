//! New rules: read → assemble → run the cases → swap → record. A rulebook that fails its own cases never rules; the
//! old one stays, and `/readyz`, a metric and the log say why.
#![expect(
    clippy::disallowed_methods,
    reason = "door: assembles rules off the workers' threads"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::health::Health;
use super::open::labels;
use super::sources::read_folder;
use crate::audit::Book;
use crate::clock::Clock;
use crate::facts::{Act, GatewayAct, Problem, Record, RecordId};
use crate::metrics::Metrics;
use crate::rulebook::{Assembled, LiveDirectory, LiveRulebook, Rulebook, Sources};

/// Editors write a file in several steps: wait until the folder has been quiet for so long.
const QUIET: Duration = Duration::from_millis(150);
/// … but not longer than this, so that an edit rules within a second.
const PATIENCE: Duration = Duration::from_millis(500);

/// Reads a folder of policies, assembles it, and runs its cases.
pub fn assemble(folder: &Path) -> Result<Assembled, Vec<Problem>> {
    assemble_sources(&Sources::from_files(read_folder(folder)?)?)
}

/// Assembles `sources` and runs their cases: what fails its own cases never rules.
pub fn assemble_sources(sources: &Sources) -> Result<Assembled, Vec<Problem>> {
    let assembled = Rulebook::assemble(sources)?;
    let report = assembled.rulebook.run_cases(&assembled.directory, &sources.cases);
    if report.is_green() {
        Ok(assembled)
    } else {
        Err(report.into_problems())
    }
}

/// Watches the policies and puts new ones in force.
pub(super) struct Reload {
    pub(super) folder: PathBuf,
    pub(super) rules: Arc<LiveRulebook>,
    pub(super) directory: Arc<LiveDirectory>,
    pub(super) book: Book,
    pub(super) metrics: Metrics,
    pub(super) health: Arc<Health>,
    pub(super) clock: Clock,
}

/// A folder under watch: what changes from now on is not missed.
pub(super) struct Watch {
    pokes: mpsc::UnboundedReceiver<()>,
    _watcher: notify::RecommendedWatcher,
}

/// Begins to watch `folder`; before it is read for the first time, so that no edit falls in between.
pub(super) fn watch(folder: &Path) -> notify::Result<Watch> {
    let (poke, pokes) = mpsc::unbounded_channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let read_only = event.as_ref().is_ok_and(|event| event.kind.is_access());
        if !read_only && poke.send(()).is_err() {
            tracing::debug!("the folder changed after the watch ended");
        }
    })?;
    watcher.watch(folder, RecursiveMode::Recursive)?;
    Ok(Watch {
        pokes,
        _watcher: watcher,
    })
}

impl Reload {
    /// Follows the folder until the task is dropped.
    pub(super) async fn follow(self, mut watch: Watch) {
        while watch.pokes.recv().await.is_some() {
            settle(&mut watch.pokes).await;
            self.reload().await;
        }
    }

    /// Reads the folder once and puts it in force if it may rule.
    async fn reload(&self) {
        let folder = self.folder.clone();
        let assembled = match tokio::task::spawn_blocking(move || assemble(&folder)).await {
            Ok(assembled) => assembled,
            Err(error) => return tracing::error!(%error, "assembling the policies broke off"),
        };
        match assembled {
            Ok(assembled) => self.put_in_force(assembled).await,
            Err(problems) => self.refuse(problems).await,
        }
    }

    async fn put_in_force(&self, assembled: Assembled) {
        for warning in &assembled.warnings {
            tracing::warn!(%warning, "policies");
        }
        let (from, to) = (self.rules.load().id().clone(), assembled.rulebook.id().clone());
        self.directory.replace(Arc::new(assembled.directory));
        self.metrics.relabel(&labels(&assembled.rulebook));
        let changed = from != to;
        if changed {
            self.rules.replace(Arc::new(assembled.rulebook));
            tracing::info!(%from, %to, "new policies rule");
        }
        let was_refused = self.health.rules_changed(&self.rules.load());
        if changed {
            for problem in self.health.authority() {
                tracing::error!(%problem, "the certificate authority");
            }
        }
        if changed || was_refused {
            // A mistake that was taken back leaves the rules as they were: that ends the refusal on record, too.
            self.record(GatewayAct::RulebookChanged { from }).await;
        }
    }

    async fn refuse(&self, problems: Vec<Problem>) {
        for problem in &problems {
            tracing::error!(%problem, "policies were refused, the old ones rule");
        }
        let lines = problems.iter().map(ToString::to_string).collect();
        self.health.rules_refused(problems);
        self.record(GatewayAct::RulebookRefused { problems: lines }).await;
    }

    async fn record(&self, act: GatewayAct) {
        record(&self.book, &self.clock, &self.rules, act).await;
    }
}

/// Writes what the gateway did by itself.
pub(super) async fn record(book: &Book, clock: &Clock, rules: &LiveRulebook, act: GatewayAct) {
    let act = Act::Gateway {
        act,
        rulebook: rules.load().id().clone(),
    };
    let record = Record {
        id: RecordId::new(uuid::Uuid::now_v7().to_string()),
        at: clock.now(),
        act,
    };
    if let Err(error) = book.write(record).await {
        tracing::error!(%error, "the book does not take a record of the gateway itself");
    }
}

/// Waits until nothing has been poked for a moment.
async fn settle(pokes: &mut mpsc::UnboundedReceiver<()>) {
    let quiet = async { while let Ok(Some(())) = tokio::time::timeout(QUIET, pokes.recv()).await {} };
    if tokio::time::timeout(PATIENCE, quiet).await.is_err() {
        tracing::debug!("the policies are still being written");
    }
}

//! How often, how fast.
//!
//! [`names`] is the table of every metric. [`Metrics::observe`] draws all decision metrics from the records, so that
//! they cannot disagree with the book; [`Metrics::resources`] takes gauges of things alive; [`Metrics::text`] is the
//! exposition. Labels come from closed lists (the rulebook's activities, platforms and purposes); anything else is
//! `other`. Handles are resolved once and found by number on the hot path.
//!
//! Never: put a user, a host, a path or free text into a label, or count anything a second time beside the records.

mod flows;
pub mod names;
mod resources;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests run promtool")]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::process_collector::ProcessCollector;
use prometheus::{Registry, TextEncoder};

use self::flows::Flows;
use self::resources::Gauges;
pub use self::resources::{Alive, Resources};
use crate::facts::{Activity, PlatformId, PurposeId, Record, RulebookId};

/// The closed label sets, from the rulebook in force.
#[derive(Clone, Debug)]
pub struct Labels {
    /// Every activity that a decision may be about.
    pub activities: Vec<Activity>,
    /// Every platform of the catalogue.
    pub platforms: Vec<PlatformId>,
    /// Every purpose of the catalogue.
    pub purposes: Vec<PurposeId>,
    /// The rulebook they come from.
    pub rulebook: RulebookId,
}

/// A metric that cannot be made: a mistake in the table of names.
#[derive(Debug, thiserror::Error)]
#[error("the metrics cannot be set up: {0}")]
pub struct BadMetric(#[from] prometheus::Error);

/// All metrics of one gateway; clones share them.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    flows: Flows,
    gauges: Gauges,
    /// Held while a set of gauges is replaced and while the text is made, so that nobody reads half a set.
    page: Mutex<()>,
}

impl Metrics {
    /// Metrics for a gateway that starts with these labels.
    pub fn new(labels: &Labels) -> Result<Self, BadMetric> {
        let registry = Registry::new();
        let flows = Flows::new(&registry, labels)?;
        let gauges = Gauges::new(&registry)?;
        registry.register(Box::new(ProcessCollector::for_self()))?;
        Ok(Self(Arc::new(Inner {
            registry,
            flows,
            gauges,
            page: Mutex::new(()),
        })))
    }

    /// Takes the labels of new rules. Nothing that was counted is lost.
    pub fn relabel(&self, labels: &Labels) {
        let _page = self.0.page.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.flows.relabel(labels);
    }

    /// Counts one record.
    pub fn observe(&self, record: &Record) {
        self.0.flows.observe(record);
    }

    /// Takes the state of things alive, as sampled just before [`Metrics::text`].
    pub fn resources(&self, resources: &Resources) {
        let _page = self.0.page.lock().unwrap_or_else(PoisonError::into_inner);
        let labels = self.0.flows.labels();
        self.0.gauges.set(resources, |purpose| labels.purpose(Some(purpose)).1);
    }

    /// Counts what came of one letter to somebody.
    pub fn notice(&self, channel: &'static str, outcome: &'static str) {
        self.0.gauges.notice(channel, outcome);
    }

    /// Counts one open tunnel for as long as the answer lives.
    pub fn tunnel(&self) -> Alive {
        self.0.gauges.tunnel()
    }

    /// Counts one open connection from a client for as long as the answer lives.
    pub fn connection(&self) -> Alive {
        self.0.gauges.connection()
    }

    /// How many tunnels and connections are open.
    pub fn alive(&self) -> [u64; 2] {
        self.0.gauges.alive()
    }

    /// The Prometheus text format, version 0.0.4 (content type [`CONTENT_TYPE`]). Takes milliseconds: call it on a
    /// blocking thread.
    pub fn text(&self) -> Result<String, BadMetric> {
        let _page = self.0.page.lock().unwrap_or_else(PoisonError::into_inner);
        let families = self.0.registry.gather();
        Ok(TextEncoder::new().encode_to_string(&families)?)
    }
}

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

//! Every decision metric, from the records.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use prometheus::{Gauge, Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry};

use super::{BadMetric, Labels, names};
use crate::clock::Timestamp;
use crate::facts::{
    Act, Activity, Ask, Blame, DecisionNote, End, Ending, FaultCode, GatewayAct, Observation, Outcome, PlatformId,
    PurposeId, Record, RulebookId, Stage,
};

/// Stands for a platform or purpose that a flow does not have.
const NONE: &str = "none";
/// Stands for everything outside the closed lists.
const OTHER: &str = "other";

/// From 25 microseconds to a quarter of a second: a judgement is meant to take well below a millisecond.
const DECISION_BUCKETS: [f64; 13] = [
    0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
];
/// From 5 milliseconds to five minutes: uploads are requests, too.
const REQUEST_BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];

#[derive(Debug)]
pub(super) struct Flows {
    table: ArcSwap<Table>,
    decisions: IntCounterVec,
    purpose_decisions: IntCounterVec,
    prompts: IntCounterVec,
    tls_rejections: IntCounterVec,
    decrypt_forbidden: IntCounter,
    decision_duration: Histogram,
    request_duration: Histogram,
    bytes_up: IntCounter,
    bytes_down: IntCounter,
    faults: IntCounterVec,
    challenges: IntCounter,
    reload_success: IntGauge,
    reload_timestamp: Gauge,
    policy_info: IntGaugeVec,
    policy_errors: IntCounter,
    would_deny: IntCounterVec,
}

impl Flows {
    pub(super) fn new(registry: &Registry, labels: &Labels) -> Result<Self, BadMetric> {
        let bytes = names::BYTES.counters(registry)?;
        let flows = Self {
            table: ArcSwap::from_pointee(Table::new(labels)),
            decisions: names::DECISIONS.counters(registry)?,
            purpose_decisions: names::PURPOSE_DECISIONS.counters(registry)?,
            prompts: names::PROMPTS.counters(registry)?,
            tls_rejections: names::TLS_REJECTIONS.counters(registry)?,
            decrypt_forbidden: names::DECRYPT_FORBIDDEN.counter(registry)?,
            decision_duration: names::DECISION_DURATION.histogram(registry, &DECISION_BUCKETS)?,
            request_duration: names::REQUEST_DURATION.histogram(registry, &REQUEST_BUCKETS)?,
            bytes_up: bytes.get_metric_with_label_values(&["up"])?,
            bytes_down: bytes.get_metric_with_label_values(&["down"])?,
            faults: names::FAULTS.counters(registry)?,
            challenges: names::CHALLENGES.counter(registry)?,
            reload_success: names::RELOAD_SUCCESS.gauge(registry)?,
            reload_timestamp: names::RELOAD_TIMESTAMP.moment(registry)?,
            policy_info: names::POLICY_INFO.gauges(registry)?,
            policy_errors: names::POLICY_ERRORS.counter(registry)?,
            would_deny: names::WOULD_DENY.counters(registry)?,
        };
        flows.show_revision(&labels.rulebook);
        Ok(flows)
    }

    /// Takes new closed lists. The families stay, and with them everything that was counted.
    pub(super) fn relabel(&self, labels: &Labels) {
        self.table.store(Arc::new(Table::new(labels)));
        self.show_revision(&labels.rulebook);
    }

    pub(super) fn labels(&self) -> Arc<Table> {
        self.table.load_full()
    }

    fn show_revision(&self, rulebook: &RulebookId) {
        self.policy_info.reset();
        if let Ok(gauge) = self.policy_info.get_metric_with_label_values(&[rulebook.as_str()]) {
            gauge.set(1);
        }
    }

    pub(super) fn observe(&self, record: &Record) {
        match &record.act {
            Act::Closing { seen, decided, ended } => self.closed(seen, decided.as_deref(), ended),
            Act::Stray { client: _, ended } => self.ended(ended),
            Act::Gateway { act, rulebook: _ } => self.gateway(act, record.at),
            // The closing line of the same flow will be counted; grants are counted in the ledger.
            Act::Opening { .. } | Act::Grant { .. } | Act::Token { .. } | Act::Access { .. } => {}
        }
    }

    fn closed(&self, seen: &Observation, decided: Option<&DecisionNote>, ended: &Ending) {
        if let Some(note) = decided {
            self.decided(note);
            self.decision_duration.observe(seconds(ended.judged_us, 1_000_000.0));
            self.met(seen, note, ended);
        }
        let switched = ended.status == Some(101);
        if matches!(seen.ask, Ask::Request(..)) && !switched {
            self.request_duration.observe(seconds(ended.duration_ms, 1_000.0));
        }
        self.bytes_up.inc_by(ended.bytes_up);
        self.bytes_down.inc_by(ended.bytes_down);
        self.ended(ended);
    }

    /// What is rare, and told by how a flow was judged and how it ended together.
    fn met(&self, seen: &Observation, note: &DecisionNote, ended: &Ending) {
        if is_prompt(seen, ended) {
            self.prompts.with_label_values(&[note.outcome.as_str()]).inc();
        }
        if is_distrust(&ended.end) {
            let table = self.table.load();
            let (_, platform) = table.platform(note.platform.as_ref());
            self.tls_rejections.with_label_values(&[platform]).inc();
        }
        // rules that failed, or do not know the person, say nothing about reading: what is read then is refused
        let in_doubt = !note.errors.is_empty() || seen.person.is_none();
        if ended.decrypted && !note.inspect && !in_doubt {
            self.decrypt_forbidden.inc();
        }
    }

    fn decided(&self, note: &DecisionNote) {
        let table = self.table.load();
        let (activity, activity_label) = table.activity(&note.activity);
        let (platform, platform_label) = table.platform(note.platform.as_ref());
        let (purpose, purpose_label) = table.purpose(note.purpose.as_ref());
        let outcome = note.outcome;
        if let Some(cell) = table.decisions.cell([number(outcome), activity, platform]) {
            let labels = [outcome.as_str(), activity_label, platform_label];
            cell.get_or_init(|| self.decisions.with_label_values(&labels)).inc();
        }
        if let Some(cell) = table.purposes.cell([number(outcome), 0, purpose]) {
            let labels = [outcome.as_str(), purpose_label];
            cell.get_or_init(|| self.purpose_decisions.with_label_values(&labels))
                .inc();
        }
        self.policy_errors.inc_by(note.errors.len() as u64);
        if let Some((mode, cause)) = note.would_be_denied() {
            // Few rules are on probation: looking them up is cheap enough.
            let labels = [mode.as_str(), cause, platform_label];
            self.would_deny.with_label_values(&labels).inc();
        }
    }

    fn ended(&self, ended: &Ending) {
        match &ended.end {
            End::Challenged => self.challenges.inc(),
            End::Failed { blame, stage, code } => {
                let labels = [blame_label(*blame), stage_label(*stage), code.as_str()];
                // Faults are rare and their labels are enums: looking them up is cheap enough.
                self.faults.with_label_values(&labels).inc();
            }
            End::Completed | End::Refused | End::Cut(_) | End::Abandoned => {}
        }
    }

    fn gateway(&self, act: &GatewayAct, at: Timestamp) {
        match act {
            GatewayAct::Started { .. } | GatewayAct::RulebookChanged { .. } => {
                self.reload_success.set(1);
                self.reload_timestamp.set(at.calendar().as_duration().as_secs_f64());
            }
            GatewayAct::RulebookRefused { .. } => self.reload_success.set(0),
            GatewayAct::UnprovenSummed { challenges, .. } => self.challenges.inc_by(*challenges),
            GatewayAct::Stopped | GatewayAct::Repaired { .. } | GatewayAct::RecordsInterrupted { .. } => {}
        }
    }
}

/// Whether a person met a refusal: they were sent to the portal, or shown a page in place of the answer.
fn is_prompt(seen: &Observation, ended: &Ending) -> bool {
    let hints = seen.ask.head().map(|head| &head.hints);
    let navigates = hints.is_some_and(|hints| {
        hints.fetch_mode.as_deref() == Some("navigate") && hints.fetch_dest.as_deref() == Some("document")
    });
    // who says nothing of what a request is for is taken for a browser by what it accepts, and sent on
    let sent_on = ended.status == Some(303);
    ended.end == End::Refused && (navigates || sent_on)
}

fn is_distrust(end: &End) -> bool {
    match end {
        End::Failed { code, .. } => *code == FaultCode::ClientDistrusts,
        End::Completed | End::Refused | End::Challenged | End::Cut(_) | End::Abandoned => false,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a duration beyond 2^53 microseconds is 285 years"
)]
fn seconds(count: u64, per_second: f64) -> f64 {
    count as f64 / per_second
}

fn number(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Allow => 0,
        Outcome::Declare => 1,
        Outcome::Request => 2,
        Outcome::Deny => 3,
    }
}

fn blame_label(blame: Blame) -> &'static str {
    match blame {
        Blame::Client => "client",
        Blame::House => "house",
        Blame::Origin => "origin",
    }
}

fn stage_label(stage: Stage) -> &'static str {
    match stage {
        Stage::Arrive => "arrive",
        Stage::Identify => "identify",
        Stage::Judge => "judge",
        Stage::Intercept => "intercept",
        Stage::Resolve => "resolve",
        Stage::Dial => "dial",
        Stage::Forward => "forward",
        Stage::Record => "record",
    }
}

/// The closed lists of one rulebook, and the handles found so far. A series appears when it is first counted: four
/// outcomes times every activity on every platform would be thousands of zeros.
#[derive(Debug)]
pub(super) struct Table {
    activities: HashMap<Activity, usize>,
    platforms: HashMap<PlatformId, usize>,
    known_purposes: HashMap<PurposeId, usize>,
    decisions: Cells,
    purposes: Cells,
}

impl Table {
    fn new(labels: &Labels) -> Self {
        // A flow that is not read is judged by `connect` alone, which no signature recognises.
        let connect = Activity::new("connect");
        let activities = numbered(labels.activities.iter().chain([&connect]), 1);
        let platforms = numbered(&labels.platforms, 2);
        let known_purposes = numbered(&labels.purposes, 2);
        Self {
            decisions: Cells::new([4, activities.len() + 1, platforms.len() + 2]),
            purposes: Cells::new([4, 1, known_purposes.len() + 2]),
            activities,
            platforms,
            known_purposes,
        }
    }

    fn activity<'a>(&self, activity: &'a Activity) -> (usize, &'a str) {
        match self.activities.get(activity) {
            Some(at) => (*at, activity.as_str()),
            None => (0, OTHER),
        }
    }

    fn platform<'a>(&self, platform: Option<&'a PlatformId>) -> (usize, &'a str) {
        let Some(platform) = platform else {
            return (1, NONE);
        };
        match self.platforms.get(platform) {
            Some(at) => (*at, platform.as_str()),
            None => (0, OTHER),
        }
    }

    pub(super) fn purpose<'a>(&self, purpose: Option<&'a PurposeId>) -> (usize, &'a str) {
        let Some(purpose) = purpose else {
            return (1, NONE);
        };
        match self.known_purposes.get(purpose) {
            Some(at) => (*at, purpose.as_str()),
            None => (0, OTHER),
        }
    }
}

/// Numbers names from `first` on; a name that comes twice keeps one number.
fn numbered<'a, T: Clone + Eq + Hash + 'a>(names: impl IntoIterator<Item = &'a T>, first: usize) -> HashMap<T, usize> {
    let mut numbers = HashMap::new();
    for name in names {
        let next = first + numbers.len();
        numbers.entry(name.clone()).or_insert(next);
    }
    numbers
}

/// A box of handles, found by three numbers.
#[derive(Debug)]
struct Cells {
    size: [usize; 3],
    cells: Vec<OnceLock<IntCounter>>,
}

impl Cells {
    fn new(size: [usize; 3]) -> Self {
        let count = size.iter().product();
        Self {
            size,
            cells: (0..count).map(|_| OnceLock::new()).collect(),
        }
    }

    fn cell(&self, [a, b, c]: [usize; 3]) -> Option<&OnceLock<IntCounter>> {
        let [_, rows, columns] = self.size;
        self.cells.get((a * rows + b) * columns + c)
    }
}

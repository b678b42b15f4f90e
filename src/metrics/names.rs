//! Every metric, once: its name, its labels, its help. The README's table is checked against this one.

use prometheus::core::Collector;
use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use super::BadMetric;

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// The name on the page.
    pub name: &'static str,
    /// The labels.
    pub labels: &'static [&'static str],
    /// What it tells, in a sentence.
    pub help: &'static str,
}

const fn name(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Name {
    Name { name, labels, help }
}

pub(super) const DECISIONS: Name = name(
    "wayleave_decisions_total",
    &["outcome", "activity", "platform"],
    "Judged flows by outcome (allow, declare, request, deny), activity and platform (none: not in the catalogue).",
);
pub(super) const PURPOSE_DECISIONS: Name = name(
    "wayleave_purpose_decisions_total",
    &["outcome", "purpose"],
    "Judged flows by outcome and the purpose they passed under (none: no purpose was needed or held).",
);
pub(super) const PROMPTS: Name = name(
    "wayleave_prompts_total",
    &["outcome"],
    "Refusals that somebody met in a browser, by outcome: they were asked for a purpose (declare) or to have one approved (request), or told why not (deny). Each try counts.",
);
pub(super) const DECISION_DURATION: Name = name(
    "wayleave_decision_duration_seconds",
    &[],
    "Time from the arrival of a request to its judgement.",
);
pub(super) const REQUEST_DURATION: Name = name(
    "wayleave_request_duration_seconds",
    &[],
    "Time from the arrival of a request to the end of its answer; tunnels and WebSockets are left out.",
);
pub(super) const BYTES: Name = name(
    "wayleave_bytes_total",
    &["direction"],
    "Content bytes carried, up (client to origin) and down (origin to client).",
);
pub(super) const FAULTS: Name = name(
    "wayleave_faults_total",
    &["blame", "stage", "code"],
    "Flows that failed, by whose fault it was (client, house, origin), where on the way, and what it was.",
);
pub(super) const TLS_REJECTIONS: Name = name(
    "wayleave_tls_client_rejections_total",
    &["platform"],
    "Tunnels that ended, or were not opened, as their program does not trust the certificates of this gateway, by platform (none: not in the catalogue).",
);
pub(super) const CHALLENGES: Name = name(
    "wayleave_challenges_total",
    &[],
    "Requests of somebody who is not known: asked to prove who they are (407), or told why that cannot be done now (403, 429, 503).",
);
pub(super) const SIGN_IN_FAILURES: Name = name(
    "wayleave_sign_in_failures_total",
    &[],
    "Proofs of identity that were wrong.",
);
pub(super) const RELOAD_SUCCESS: Name = name(
    "wayleave_policy_reload_success",
    &[],
    "Whether the last reading of the policies took effect (1) or was refused and the rules before it stay (0).",
);
pub(super) const RELOAD_TIMESTAMP: Name = name(
    "wayleave_policy_reload_success_timestamp_seconds",
    &[],
    "When policies last took effect, in seconds since 1970.",
);
pub(super) const POLICY_INFO: Name = name(
    "wayleave_policy_info",
    &["revision"],
    "The rules in force, by the digest of their texts; always 1.",
);
pub(super) const POLICY_ERRORS: Name = name(
    "wayleave_policy_errors_total",
    &[],
    "Policies that failed to evaluate; each such flow was denied.",
);
pub(super) const WOULD_DENY: Name = name(
    "wayleave_would_deny_total",
    &["mode", "cause", "platform"],
    "Flows that passed and would not have, had rules or the gateway (cause) enforced instead of observed or coached (mode).",
);
pub(super) const DECRYPT_FORBIDDEN: Name = name(
    "wayleave_decrypt_forbidden_total",
    &[],
    "Flows that were read although the rules that judged them forbid that: 0, or something is wrong with the gateway.",
);
pub(super) const RECORDS_DROPPED: Name = name(
    "wayleave_decision_log_dropped_total",
    &[],
    "Records that could not be kept; their flows were refused.",
);
pub(super) const RECORD_QUEUE: Name = name("wayleave_record_queue", &[], "Records that wait for the disk.");
pub(super) const RECORDS_HEALTHY: Name = name(
    "wayleave_records_healthy",
    &[],
    "Whether records can be kept (1) or not (0): without a record there is no access.",
);
pub(super) const LEDGER_IN_TOUCH: Name = name(
    "wayleave_ledger_in_touch",
    &[],
    "Whether it is known what other gateways change in the ledger (1) or not (0): then no grant is given or ended, and those that are known count for a while.",
);
pub(super) const PORTAL_KEY_CURRENT: Name = name(
    "wayleave_portal_key_current",
    &[],
    "Whether links, forms and envelopes are sealed with the key that the ledger has now (1) or with one from before (0): then this gateway is to be restarted.",
);
pub(super) const UNREADABLE_TOKENS: Name = name(
    "wayleave_unreadable_tokens",
    &[],
    "Tokens for tools whose rows in the ledger cannot be read: they open nothing, and the log names them.",
);
pub(super) const TUNNELS: Name = name(
    "wayleave_tunnels",
    &[],
    "Open tunnels that are carried unread, and open WebSockets.",
);
pub(super) const CONNECTIONS: Name = name("wayleave_connections", &[], "Open connections from clients.");
pub(super) const GRANTS: Name = name(
    "wayleave_grants",
    &["purpose", "state"],
    "Grants in the ledger, by purpose and state (requested, approved, active, expired, withdrawn, revoked, declined, lapsed).",
);
pub(super) const REVIEWS: Name = name(
    "wayleave_break_glass_reviews",
    &["state"],
    "Grants that were taken by break-glass and wait for a review: waiting, or overdue, which keeps their holders from more.",
);
pub(super) const NOTICES: Name = name(
    "wayleave_notices_total",
    &["channel", "outcome"],
    "Letters to people, by channel (email, teams, slack, generic, connections, jive, socialtext, sharepoint, igloo; other: no longer set) and what came of them: sent, put-off (tried again later), refused, given-up (too old), moot (nobody needs to hear of it any more).",
);
pub(super) const NOTICES_WAITING: Name = name(
    "wayleave_notices_waiting",
    &[],
    "Letters that wait to be sent, those included that are due later; but for what is asked of each grant once it expires.",
);
pub(super) const NOTICES_SHUT_OUT: Name = name(
    "wayleave_notices_shut_out",
    &[],
    "Web hooks that are not let in, as what has to be fetched first is refused, or not taken: nothing is posted there, and /readyz says why.",
);
pub(super) const MINTED: Name = name(
    "wayleave_minted_certificates",
    &[],
    "Certificates minted for sites that are kept in memory.",
);
pub(super) const BUILD_INFO: Name = name(
    "wayleave_build_info",
    &["version"],
    "The version of the program; always 1.",
);

/// The whole table. Metrics of the process itself (`process_…`) stand beside it, as every Prometheus client has them.
pub const ALL: [Name; 31] = [
    DECISIONS,
    PURPOSE_DECISIONS,
    PROMPTS,
    DECISION_DURATION,
    REQUEST_DURATION,
    BYTES,
    FAULTS,
    TLS_REJECTIONS,
    CHALLENGES,
    SIGN_IN_FAILURES,
    RELOAD_SUCCESS,
    RELOAD_TIMESTAMP,
    POLICY_INFO,
    POLICY_ERRORS,
    WOULD_DENY,
    DECRYPT_FORBIDDEN,
    RECORDS_DROPPED,
    RECORD_QUEUE,
    RECORDS_HEALTHY,
    LEDGER_IN_TOUCH,
    PORTAL_KEY_CURRENT,
    UNREADABLE_TOKENS,
    TUNNELS,
    CONNECTIONS,
    GRANTS,
    REVIEWS,
    NOTICES,
    NOTICES_WAITING,
    NOTICES_SHUT_OUT,
    MINTED,
    BUILD_INFO,
];

/// Makes metrics of the table and puts them into a registry.
impl Name {
    fn opts(&self) -> Opts {
        Opts::new(self.name, self.help)
    }

    pub(super) fn counter(&self, registry: &Registry) -> Result<IntCounter, BadMetric> {
        register(registry, IntCounter::with_opts(self.opts())?)
    }

    pub(super) fn counters(&self, registry: &Registry) -> Result<IntCounterVec, BadMetric> {
        register(registry, IntCounterVec::new(self.opts(), self.labels)?)
    }

    pub(super) fn gauge(&self, registry: &Registry) -> Result<IntGauge, BadMetric> {
        register(registry, IntGauge::with_opts(self.opts())?)
    }

    pub(super) fn gauges(&self, registry: &Registry) -> Result<IntGaugeVec, BadMetric> {
        register(registry, IntGaugeVec::new(self.opts(), self.labels)?)
    }

    pub(super) fn moment(&self, registry: &Registry) -> Result<Gauge, BadMetric> {
        register(registry, Gauge::with_opts(self.opts())?)
    }

    pub(super) fn histogram(&self, registry: &Registry, buckets: &[f64]) -> Result<Histogram, BadMetric> {
        let opts = HistogramOpts::new(self.name, self.help).buckets(buckets.to_vec());
        register(registry, Histogram::with_opts(opts)?)
    }
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, metric: C) -> Result<C, BadMetric> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

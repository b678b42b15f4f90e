//! What is said of how the gateway is.

/// The words of health.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct HealthWords {
    pub see: &'static str,
    pub title: &'static str,
    pub ready: &'static str,
    pub not_ready: &'static str,
    pub problems: &'static str,
    pub parts: &'static str,
    pub look: &'static str,
    pub now: &'static str,
    pub records: &'static str,
    pub records_are: fn(well: bool, waiting: &str, turned_away: &str) -> String,
    pub ledger: &'static str,
    pub ledger_is: fn(well: bool) -> &'static str,
    pub certificates: &'static str,
    pub certificates_are: fn(until: &str, minted: &str) -> String,
    pub notices: &'static str,
    pub no_notices: &'static str,
    pub notices_are: fn(waiting: &str) -> String,
    pub traffic: &'static str,
    pub traffic_is: fn(connections: &str, tunnels: &str) -> String,
}

//! End to end: a real gateway, real sockets, a clock that stands still, names that lead to loopback.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    clippy::format_push_string,
    clippy::items_after_statements,
    clippy::string_slice,
    clippy::too_many_lines,
    clippy::unnecessary_wraps,
    unreachable_pub,
    reason = "tests and their helpers touch the world and may fail loudly"
)]

#[cfg(feature = "postgres")]
#[path = "../../src/ledger/tests/server.rs"]
mod database;
mod harness;

#[cfg(feature = "postgres")]
mod anywhere;
#[cfg(feature = "postgres")]
mod apart;
mod approvals;
mod arrivals;
mod attacks;
mod audit;
mod authority;
mod book;
mod break_glass;
mod chains;
mod coach;
mod crashes;
mod cut;
mod decisions;
mod delegations;
mod digest;
mod documented;
mod endings;
#[cfg(feature = "postgres")]
mod gateways;
mod guard;
mod headers;
mod how_fast;
mod http2;
mod identity;
mod idle;
mod in_force;
mod inbox;
mod intercept;
mod invisible;
mod kept;
mod languages;
mod limits;
mod metrics;
mod modes;
mod notices;
mod outcomes;
mod portal;
mod pressure;
mod privacy;
mod purposes;
mod recognition;
mod refusals;
mod reload;
mod renewals;
mod repeated;
mod revocations;
mod settings;
mod stating;
mod steady;
mod tokens;
mod tunnel;
mod unmixed;
mod value;
mod walks;
mod websocket;

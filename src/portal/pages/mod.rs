//! What people and tools are shown: pure functions from data to answers.
//!
//! Two kinds of page. Those of the portal's own host ([`counter`]) hold forms. Those shown in place of a site's answer
//! ([`refusal()`], [`fault()`], [`challenge`] and its kin) stand in that site's origin, beside its cookies and scripts: they
//! hold no form and no script, are sandboxed, and link to the portal. Whoever cannot read pages gets the same as
//! `application/problem+json` (RFC 9457). No page loads anything from elsewhere.

mod answer;
pub(super) mod beside;
pub(super) mod book;
pub(super) mod chart;
pub mod counter;
pub(super) mod decisions;
pub(super) mod delegations;
pub(super) mod explained;
mod fault;
pub(super) mod grant;
pub(super) mod health;
pub(super) mod open;
pub(super) mod privacy;
mod problem;
mod refusal;
pub(super) mod rulebook;
mod sign_in;
pub(super) mod stating;
#[cfg(test)]
mod tests;
pub(super) mod tokens;
pub(super) mod value;

pub use answer::{Audience, Page};
pub(super) use answer::{download, in_language, json, plain, see_other, with_charts, with_script};
pub use fault::fault;
pub(super) use problem::{Problem, TYPES, field, retry_after};
pub use refusal::{Cause, Pending, Told, problem, redirect, refusal};
pub use sign_in::{another_name, busy, challenge, out_of_scope, wait};

/// The style of every page, inlined, so that a page needs nothing but itself.
pub const CSS: &str = include_str!("wayleave.css");

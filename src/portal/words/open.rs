//! What is said of what is open now.

use std::time::Duration;

use crate::audit::Lasting;

/// The words of what is open.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct OpenWords {
    pub see: &'static str,
    pub title: &'static str,
    pub what: &'static str,
    pub count: fn(usize) -> String,
    pub since: &'static str,
    pub lasts: fn(Duration) -> String,
    pub kind: fn(Lasting) -> &'static str,
    pub no_purpose: &'static str,
}

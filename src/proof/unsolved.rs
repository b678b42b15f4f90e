//! Stands in for the solver where the program is built without the feature `prove`.

use std::sync::Arc;
use std::time::Duration;

use cedar_policy::{RequestEnv, Schema};

use super::{Ask, Effort, Missing, Outcome};

/// A solver that there is not.
#[derive(Debug)]
pub struct Solver(());

impl Solver {
    /// There is nothing to wait for.
    pub(super) fn left(&self, limit: Duration) -> Result<Duration, Outcome> {
        Ok(limit)
    }

    /// Answers nothing.
    pub fn ask(&mut self, _env: &RequestEnv, _ask: &Ask, _limit: Duration) -> (Outcome, Duration) {
        (Outcome::Undecided(Missing::NotBuiltIn.to_string()), Duration::ZERO)
    }
}

/// Says that there is no solver, unless there is nothing to do.
pub fn crew(
    _schema: &Schema,
    _effort: &Arc<Effort>,
    many: usize,
    _work: &(dyn Fn(&mut Solver, usize) + Sync),
) -> Result<(), Missing> {
    if many == 0 { Ok(()) } else { Err(Missing::NotBuiltIn) }
}

/// There is none.
pub fn version() -> Option<String> {
    None
}

//! Stands in for the solver where the program is built without the feature `prove`.

use std::time::Duration;

use cedar_policy::RequestEnv;

use super::{Ask, Check, Missing, Outcome, Theory};

/// A solver that there is not.
#[derive(Debug)]
pub struct Solver(());

impl Solver {
    /// Says that there is none.
    pub fn start(_theory: &Theory, _limit: Duration) -> Result<Self, Missing> {
        Err(Missing::NotBuiltIn)
    }

    /// Answers nothing.
    pub fn ask(&mut self, _theory: &Theory, _env: &RequestEnv, _ask: &Ask) -> Outcome {
        Outcome::Undecided(Missing::NotBuiltIn.to_string())
    }
}

/// Says that nothing can be proved.
pub fn prove(
    _theory: &Theory,
    _checks: &[Check],
    _limit: Duration,
    _told: &(dyn Fn(usize, &Outcome) + Sync),
) -> Result<Vec<Outcome>, Missing> {
    Err(Missing::NotBuiltIn)
}

//! What is true of every request there can be, not only of those that somebody thought of.
//!
//! A [`Property`] is a sentence of `properties/*.toml` with a Cedar expression; a [`Theory`] is the rules with what is
//! known of every request (a week has seven days, what is in `banking` is in `sensitive`); a [`Check`] is what to prove
//! of them, as questions to a solver. All of that is pure. [`solver`] puts the questions to cvc5 by way of Cedar's
//! symbolic compiler, and [`shelf`] remembers what has been proved: these are the doors. [`findings`] is what was found, written down for a
//! gateway to tell people. What fails is an [`Example`],
//! [`Told`] in words, and put to the engine that judges traffic before anybody believes it.

pub mod case;
mod cause;
pub mod claim;
mod counting;
mod difference;
mod draft;
mod effect;
mod effort;
pub mod findings;
mod form;
mod found;
mod idle;
mod ladders;
mod language;
mod looks;
mod places;
mod polish;
mod premise;
pub mod property;
mod question;
mod rewrite;
mod settle;
pub mod shelf;
#[cfg_attr(not(feature = "prove"), path = "unsolved.rs")]
pub mod solver;
mod sound;
mod statement;
#[cfg(test)]
#[cfg(feature = "prove")]
mod tests;
pub mod theory;
mod unnoticed;
mod unread;
mod value;
mod watch;
pub mod words;
mod work;

pub use case::{Asking, CaseFiles, unsaid};
pub use claim::{About, Ask, Check, Example};
pub use difference::{Comparison, Difference, Found, Way, classes};
pub use effect::Scope;
pub use effort::Effort;
pub use findings::{Board, Findings, Promise, Promises, Prover, Verdict};
pub use idle::{Idle, idle};
pub use language::Language;
pub use premise::Premise;
pub use property::{Claim, Property};
pub use settle::prove;
pub use shelf::Shelf;
pub use solver::Solver;
pub use statement::Statement;
pub use theory::Theory;
pub use unread::UNREAD;
pub use watch::Watch;
pub use words::Told;
pub use work::{Work, mistakes};

/// What became of a check.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It holds of every request.
    Proved,
    /// It does not; for this request, where one shows it.
    Failed(Option<Box<Example>>),
    /// Nobody knows: the time was up, or the solver gave up.
    Undecided(String),
}

/// Why nothing can be proved.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    /// The program was built without the feature.
    #[error("this program was built without proofs")]
    NotBuiltIn,
    /// There is no solver.
    #[error("the solver `{program}` cannot be started: {why}")]
    NoSolver {
        /// The program.
        program: String,
        /// What the system said.
        why: String,
    },
    /// There is one, and it cannot be worked with.
    #[error("the solver cannot be worked with: {0}")]
    Unfit(String),
}

impl Missing {
    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotBuiltIn => "build it with `cargo build --features prove`",
            Self::NoSolver { .. } | Self::Unfit(_) => {
                "install cvc5 (Debian and Ubuntu: `apt-get install cvc5`; macOS: `brew install cvc5`), or name it in the environment: `CVC5=/path/to/cvc5`"
            }
        }
    }
}

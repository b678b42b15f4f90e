//! What was answered, kept for questions of the same form: of thousands of rules alike, one is asked about.
//!
//! INVARIANT: one schema, as a crew of solvers has. What holds of a question holds of every one of its form (see
//! [`super::form`]); an example is told with the names of the other question, and is held against it before it counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cedar_policy::EntityUid;

use super::draft::Draft;
use super::form::{Form, renaming};
use super::{Ask, Example, Outcome};

/// What is known of a form.
#[derive(Debug)]
enum Known {
    Proved,
    /// The names in the question, and what shows that it does not hold.
    Failed(Vec<EntityUid>, Box<Example>),
}

/// Answers, by the forms of questions.
#[derive(Debug, Default)]
pub(super) struct Found(Mutex<HashMap<String, Arc<Known>>>);

impl Found {
    /// The answer to a question of the form, where one of that form has been answered.
    pub(super) fn answer(&self, form: &Form, ask: &Ask) -> Option<Outcome> {
        let known = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.get(form.digest()).cloned()?
        };
        match &*known {
            Known::Proved => Some(Outcome::Proved),
            Known::Failed(names, example) => {
                let draft = Draft::of(example)?.renamed(&renaming(names, form.names()));
                let example = draft.example().filter(|example| ask.is_shown_by(example))?;
                Some(Outcome::Failed(Some(Box::new(example))))
            }
        }
    }

    /// Keeps an answer for others.
    pub(super) fn keep(&self, form: Form, outcome: &Outcome) {
        let (digest, names) = form.into_parts();
        let known = match outcome {
            Outcome::Proved => Known::Proved,
            Outcome::Failed(Some(example)) => Known::Failed(names, example.clone()),
            Outcome::Failed(None) | Outcome::Undecided(_) => return,
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(digest).or_insert_with(|| Arc::new(known));
    }
}

//! Purposes that tools stated on the way and were not given: a tool states its purpose with every call, and what stays refused
//! is not weighed with each of them.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::facts::{Channel, Person, PlatformId, PurposeId, RulebookId, SubjectId};

/// How many statements are remembered.
const REMEMBERED: u64 = 10_000;
/// For how long: what was refused at one time of the day may be given at another.
pub(super) const LASTS: Duration = Duration::from_mins(1);

/// What somebody stated and how, under the rules of then: what opens nothing one way may be refused the other, and that is
/// recorded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Statement {
    pub(super) who: SubjectId,
    pub(super) purpose: PurposeId,
    pub(super) platform: PlatformId,
    pub(super) channel: Channel,
    pub(super) rulebook: RulebookId,
}

/// As whom they were refused, and when.
#[derive(Clone)]
struct Refused {
    person: Arc<Person>,
    at: Timestamp,
}

/// The statements that came to nothing lately.
pub(super) struct Fruitless(moka::future::Cache<Statement, Refused>);

impl Default for Fruitless {
    fn default() -> Self {
        let cache = moka::future::Cache::builder();
        Self(cache.max_capacity(REMEMBERED).time_to_live(LASTS).build())
    }
}

impl Fruitless {
    /// Whether the same came to nothing a moment ago, and nothing has changed about the person since.
    pub(super) async fn knows(&self, statement: &Statement, person: &Person, now: Timestamp) -> bool {
        let known = self.0.get(statement).await;
        known.is_some_and(|refused| now.since(refused.at) < LASTS && *refused.person == *person)
    }

    pub(super) async fn learn(&self, statement: Statement, person: &Arc<Person>, at: Timestamp) {
        let person = Arc::clone(person);
        self.0.insert(statement, Refused { person, at }).await;
    }
}

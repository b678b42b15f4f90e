//! What a record keeps of what was seen: enough to judge it again, and no more.

use super::Rulebook;
use crate::facts::{Ask, Grant, Head, Hints, Observation, Peek, Standing};

impl Rulebook {
    /// The observation without what is not judged: `judge(redact(x)) == judge(x)`.
    ///
    /// Statements of grants go; of a request that is read, the catalogue keeps what its signatures look at; of one that
    /// is not read, only the method stays.
    pub fn redact(&self, seen: &Observation) -> Observation {
        let judgement = self.judge(seen);
        let ask = match &seen.ask {
            Ask::Connect(authority) => Ask::Connect(authority.clone()),
            Ask::Request(authority, head) => {
                let kept = match judgement.reading() {
                    Some(_) => self.catalog.redact(judgement.place(), head),
                    None => unread(head),
                };
                Ask::Request(authority.clone(), Box::new(kept))
            }
        };
        Observation {
            ask,
            standing: silent(seen),
            ..seen.clone()
        }
    }
}

fn unread(head: &Head) -> Head {
    Head {
        method: head.method.clone(),
        path: String::new(),
        query: Vec::new(),
        hints: Hints::default(),
        peek: Peek::NotTaken,
    }
}

fn silent(seen: &Observation) -> Standing {
    let silent = |grant: &Grant| Grant {
        statement: String::new(),
        ..grant.clone()
    };
    Standing::new(seen.standing.grants().iter().map(silent), seen.at)
}

//! What a record keeps of what was seen: enough to judge it again, and no more.

use super::{Judgement, Rulebook};
use crate::facts::{Ask, Grant, Head, Hints, Observation, Peek, Standing};

impl Rulebook {
    /// The observation without what is not judged: `judge(redact(x)) == judge(x)`.
    ///
    /// Statements of grants go; of a request that is read, the catalogue keeps what its signatures look at; of one that
    /// is not read, only the method stays.
    pub fn redact(&self, seen: &Observation) -> Observation {
        match &seen.ask {
            Ask::Connect(_) => kept(seen, seen.ask.clone()),
            Ask::Request(..) => self.redact_judged(seen, &self.judge(seen)),
        }
    }

    /// The same of what nobody looks into, whether or not the rules would let it be read.
    pub fn redact_unread(&self, seen: &Observation) -> Observation {
        let ask = match &seen.ask {
            Ask::Connect(_) => seen.ask.clone(),
            Ask::Request(authority, head) => Ask::Request(authority.clone(), Box::new(unread(head))),
        };
        kept(seen, ask)
    }

    /// The same, for what was already judged.
    pub fn redact_judged(&self, seen: &Observation, judgement: &Judgement) -> Observation {
        let ask = match &seen.ask {
            Ask::Connect(_) => seen.ask.clone(),
            Ask::Request(authority, head) => {
                let kept = match judgement.reading() {
                    Some(_) => self.catalog.redact(judgement.place(), head),
                    None => unread(head),
                };
                Ask::Request(authority.clone(), Box::new(kept))
            }
        };
        kept(seen, ask)
    }
}

fn kept(seen: &Observation, ask: Ask) -> Observation {
    Observation {
        arrival: seen.arrival.clone(),
        subject: seen.subject.clone(),
        person: seen.person.clone(),
        ask,
        standing: silent(seen),
        selected: seen.selected.clone(),
        at: seen.at,
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
    Standing::new(seen.standing.grants().iter().map(Grant::silent), seen.at)
}

//! How many records a client may cause that asks nothing, or proves nobody: what comes beyond them is counted, and told in
//! one record. Otherwise anybody who reaches a door could fill the disk, and without records nothing passes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::audit::Book;
use crate::facts::{Act, GatewayAct, RulebookId, one_client};

/// After which time every client may cause as many again.
pub(super) const WINDOW: Duration = Duration::from_mins(1);

/// What is recorded of those whom nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unproven {
    /// A connection that came to nothing.
    Stray,
    /// A request that was asked who sends it.
    Challenge,
}

/// What each client has caused in this window.
pub(super) struct Budget {
    /// How many records each may cause; none: as many as they like.
    most: Option<u32>,
    clients: Mutex<BTreeMap<IpAddr, Spent>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Spent {
    records: u32,
    strays: u64,
    challenges: u64,
}

impl Budget {
    /// Each client may cause `most` records in a window; 0: as many as they like.
    pub(super) fn new(most: u32) -> Self {
        Self {
            most: (most > 0).then_some(most),
            clients: Mutex::default(),
        }
    }

    /// Whether something of `client` is recorded by itself; otherwise it has been counted.
    pub(super) fn records(&self, client: IpAddr, what: Unproven) -> bool {
        let Some(most) = self.most else { return true };
        let mut clients = self.lock();
        let spent = clients.entry(one_client(client)).or_default();
        if spent.records < most {
            spent.records += 1;
            return true;
        }
        match what {
            Unproven::Stray => spent.strays += 1,
            Unproven::Challenge => spent.challenges += 1,
        }
        false
    }

    /// Begins a new window; what went beyond the last one is told in one record for each client.
    pub(super) fn renew(&self, book: &Book, rulebook: &RulebookId) {
        let before = std::mem::take(&mut *self.lock());
        for (client, spent) in before {
            if spent.strays + spent.challenges > 0 {
                let act = GatewayAct::UnprovenSummed {
                    client,
                    strays: spent.strays,
                    challenges: spent.challenges,
                };
                let rulebook = rulebook.clone();
                book.note(&book.record(Act::Gateway { act, rulebook }));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Spent>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_beyond_a_clients_budget_is_counted_and_concerns_nobody_else() {
        let budget = Budget::new(2);
        let from = |address: &str, what| budget.records(address.parse().unwrap(), what);
        assert!(from("192.0.2.1", Unproven::Stray) && from("::ffff:192.0.2.1", Unproven::Challenge));
        assert!(!from("192.0.2.1", Unproven::Stray) && !from("192.0.2.1", Unproven::Challenge));
        assert!(!from("192.0.2.1", Unproven::Challenge));
        assert!(from("192.0.2.2", Unproven::Stray));
        let spent = budget.lock()[&"192.0.2.1".parse::<IpAddr>().unwrap()];
        assert_eq!((spent.strays, spent.challenges), (1, 2));
        let unlimited = Budget::new(0);
        assert!((0..100).all(|_| unlimited.records(IpAddr::from([192, 0, 2, 1]), Unproven::Stray)));
    }
}

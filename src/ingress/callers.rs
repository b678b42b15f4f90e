//! How many connections each client has at a door, so that nobody takes all of its places.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::facts::one_client;

/// Who has how many connections.
#[derive(Debug)]
pub(super) struct Callers {
    /// The most that one may have; 0: no limit.
    most: u32,
    at_the_door: Mutex<HashMap<IpAddr, Caller>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Caller {
    connections: u32,
    refused: u64,
}

/// One of a client's connections, until it is dropped.
#[derive(Debug)]
pub(super) struct Call {
    callers: Arc<Callers>,
    client: IpAddr,
}

/// A client has too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany {
    /// The client's address, or its network.
    pub(super) client: IpAddr,
    /// How many connections it has.
    pub(super) connections: u32,
    /// How many were refused since it last had none, with this one.
    pub(super) refused: u64,
}

impl Callers {
    pub(super) fn new(most: u32) -> Arc<Self> {
        Arc::new(Self {
            most,
            at_the_door: Mutex::default(),
        })
    }

    /// Lets one more connection of `client` in.
    pub(super) fn enter(self: &Arc<Self>, client: IpAddr) -> Result<Option<Call>, TooMany> {
        if self.most == 0 {
            return Ok(None);
        }
        let client = one_client(client);
        let mut callers = self.lock();
        let caller = callers.entry(client).or_default();
        if caller.connections >= self.most {
            caller.refused = caller.refused.saturating_add(1);
            return Err(TooMany {
                client,
                connections: caller.connections,
                refused: caller.refused,
            });
        }
        caller.connections += 1;
        Ok(Some(Call {
            callers: self.clone(),
            client,
        }))
    }

    /// How many clients are at the door.
    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Caller>> {
        self.at_the_door.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call {
    /// One more of the same client's.
    pub(super) fn another(&self) -> Result<Option<Self>, TooMany> {
        self.callers.enter(self.client)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut callers = self.callers.lock();
        let Some(caller) = callers.get_mut(&self.client) else {
            return;
        };
        caller.connections = caller.connections.saturating_sub(1);
        if caller.connections == 0 {
            callers.remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    #[test]
    fn a_client_has_no_more_connections_than_it_may_and_others_are_not_concerned() {
        let callers = Callers::new(2);
        let from = |address: &str| callers.enter(address.parse().unwrap());
        let _first = from("192.0.2.1").unwrap();
        let second = from("::ffff:192.0.2.1").unwrap();
        for refused in [1, 2] {
            let too_many = from("192.0.2.1").unwrap_err();
            assert_eq!((too_many.connections, too_many.refused), (2, refused));
        }
        let _other = from("192.0.2.2").unwrap();
        let _six = (from("2001:db8::1").unwrap(), from("2001:db8::2").unwrap());
        assert!(from("2001:db8::3").is_err());
        let _neighbour = from("2001:db8:0:1::1").unwrap();
        drop(second);
        let _again = from("192.0.2.1").unwrap();
    }

    #[test]
    fn nothing_is_kept_of_clients_that_have_left_and_zero_is_no_limit() {
        let callers = Callers::new(1);
        drop(callers.enter(IpAddr::V6(Ipv6Addr::LOCALHOST)).unwrap());
        assert!(callers.lock().is_empty());
        let unlimited = Callers::new(0);
        let calls: Vec<_> = (0..10)
            .map(|_| unlimited.enter(IpAddr::V6(Ipv6Addr::LOCALHOST)))
            .collect();
        assert!(calls.iter().all(Result::is_ok));
    }
}

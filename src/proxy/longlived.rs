//! Flows that outlive their judgement: tunnels and sockets are judged again whenever something changes.

use std::time::Duration;

use tokio::sync::watch;

use super::Proxy;
use super::plan::{self, ConnectStep, RequestStep};
use super::visitor::Visitor;
use crate::facts::{Ask, Observation, RulebookId, Standing};
use crate::identity::SignIn;
use crate::rulebook::Rulebook;

/// A clock that stands still never reaches an expiry; look again now and then.
const LONGEST_NAP: Duration = Duration::from_mins(1);

/// Tells of whatever can take back a permission: new rules, given and ended grants, changed
/// people and accounts.
pub(super) struct Changes {
    rules: watch::Receiver<RulebookId>,
    grants: watch::Receiver<u64>,
    people: watch::Receiver<u64>,
    sign_in: SignIn,
}

impl Changes {
    /// The same, and the end of what the visitor's being known rests on.
    pub(super) fn of(self, visitor: &Visitor) -> Self {
        Self {
            sign_in: visitor.sign_in.clone(),
            ..self
        }
    }
}

/// Why flows end whose account is gone.
pub(super) const SIGNED_OUT: &str = "the account that signed in was removed, or its password changed";

/// Why flows are cut when the gateway stops.
pub(super) const STOPPING: &str = "the gateway is stopping";

impl Proxy {
    /// Everything that changes from now on. INVARIANT: taken before the judgement whose flow it guards, so that nothing
    /// falls between the two.
    pub(super) fn changes(&self) -> Changes {
        Changes {
            rules: self.house.rules.changes(),
            grants: self.house.ledger.changes(),
            people: self.house.directory.changes(),
            sign_in: SignIn::default(),
        }
    }

    /// Returns, with the reason, once the flow that was let pass as `seen` may no longer go on: new rules, an ended or
    /// expired grant, a changed person or account, or the gateway stopping.
    pub(super) async fn until_it_must_end(&self, mut seen: Observation, changes: Changes) -> String {
        let Changes {
            mut rules,
            mut grants,
            mut people,
            sign_in,
        } = changes;
        loop {
            let nap = self.nap(&seen);
            tokio::select! {
                () = self.house.stop.cancelled() => return STOPPING.to_owned(),
                () = sign_in.ended() => return SIGNED_OUT.to_owned(),
                _ = rules.changed() => {}
                _ = grants.changed() => {}
                _ = people.changed() => {}
                () = tokio::time::sleep(nap) => {}
            }
            self.refresh(&mut seen);
            if !self.still_passes(&self.house.rules.load(), &seen) {
                return "the rules or the grant that let it pass no longer do".to_owned();
            }
        }
    }

    fn nap(&self, seen: &Observation) -> Duration {
        let now = self.house.clock.now();
        let expiries = seen.standing.grants().iter().map(|grant| grant.expires.since(now));
        expiries
            .min()
            .unwrap_or(LONGEST_NAP)
            .min(LONGEST_NAP)
            .max(Duration::from_millis(10))
    }

    fn refresh(&self, seen: &mut Observation) {
        seen.at = self.house.clock.now();
        let Some(subject) = &seen.subject else { return };
        seen.person = self.house.directory.load().person(&subject.id);
        let all = self.house.ledger.standing(&subject.id, seen.at);
        seen.standing = match (&seen.selected, &seen.person) {
            (Some(purpose), Some(_)) => all.only(purpose),
            (None, Some(_)) => all,
            (Some(_) | None, None) => Standing::default(),
        };
    }

    /// Whether the plan for `seen` would today be the same kind of passage. A tunnel that rules now want to read may
    /// not stay unread.
    fn still_passes(&self, rules: &Rulebook, seen: &Observation) -> bool {
        match &seen.ask {
            Ask::Connect(_) => {
                matches!(
                    plan::on_connect(rules, &self.house.portal_host, seen).step,
                    ConnectStep::Tunnel(_)
                )
            }
            Ask::Request(..) => matches!(
                plan::on_request(rules, &self.house.portal_host, seen).step,
                RequestStep::Upgrade(_) | RequestStep::Forward(_)
            ),
        }
    }
}

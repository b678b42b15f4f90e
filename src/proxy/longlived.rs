//! Flows that outlive their judgement: tunnels, sockets, uploads and answers that take their time are judged again
//! whenever something changes, and end, with the reason, once they would no longer pass.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

use super::Proxy;
use super::plan::{self, ConnectStep, Planned, RequestStep};
use crate::audit::{Counters, Entry};
use crate::clock::Timestamp;
use crate::facts::{Ask, Blame, Fault, FaultCode, GrantId, Observation, PurposeId, RulebookId, Stage, Standing};
use crate::identity::SignIn;
use crate::ledger::{InUse, Life, Vouched};
use crate::policy::Permit;
use crate::rulebook::{InForce, Judgement, Rulebook};

/// How long a flow runs before anybody asks whether it still may; most are over by then.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long it runs beyond that before it is told among what is open.
const AGES: Duration = Duration::from_millis(4_500);

/// Rules may ask for the hour, and a clock that stands still never reaches an expiry: look again now and then.
const LONGEST_NAP: Duration = Duration::from_mins(1);

/// Why flows end whose account is gone.
pub(super) const SIGNED_OUT: &str = "the account that signed in was removed, or its password changed";

/// Why flows end, or do not begin, whose grant nobody can vouch for.
const UNKNOWN: &str = "the database that holds the ledger has been out of reach for so long that nobody can tell whether the grant is still in force";

/// Why flows are cut when the gateway stops.
pub const STOPPING: &str = "the gateway is stopping";

/// Comes, with the reason, once a flow may no longer go on.
pub(super) type MayNotGoOn = Pin<Box<dyn Future<Output = String> + Send + Sync>>;

/// The names on the certificate of what an unread tunnel leads to, once they are known.
pub(super) type Covers = OnceLock<Arc<[String]>>;

impl Proxy {
    /// Returns, with the reason, once the flow that was let pass as `seen` must end: it may no longer go on, or the
    /// gateway stops.
    pub(super) async fn until_it_must_end(
        &self,
        seen: Observation,
        sign_in: &SignIn,
        (covers, counters): (&Covers, &Counters),
    ) -> String {
        tokio::select! {
            () = self.house.tasks.stopping().cancelled() => STOPPING.to_owned(),
            why = self.until_it_may_not(seen, sign_in, (covers, counters)) => why,
        }
    }

    /// The same for what may end by itself when the gateway stops. Boxed, because few flows live to need it.
    pub(super) fn watch(self: &Arc<Self>, seen: Observation, sign_in: SignIn, counters: Arc<Counters>) -> MayNotGoOn {
        let proxy = Arc::clone(self);
        Box::pin(async move {
            let beside = (&Covers::default(), &*counters);
            proxy.until_it_may_not(seen, &sign_in, beside).await
        })
    }

    /// Notes that the grant is used that a flow passes under.
    pub(super) fn uses(&self, permit: &Permit) -> Option<InUse> {
        let in_use = self.house.ledger.in_use(permit.grant()?)?;
        in_use.touch(self.house.clock.now());
        Some(in_use)
    }

    /// Returns, with the reason, once the flow that was let pass as `seen` would no longer: new rules, an ended or
    /// expired grant, one that goes unused though the flow is there, a changed person, an account that is gone.
    async fn until_it_may_not(
        &self,
        mut seen: Observation,
        sign_in: &SignIn,
        (covers, counters): (&Covers, &Counters),
    ) -> String {
        tokio::time::sleep(PATIENCE).await;
        let mut carried = Carried::by(counters);
        let mut in_use: Option<InUse> = None;
        let mut judged: Option<RulebookId> = None;
        let mut was_in_touch = true;
        let mut alarm = Alarm::ringing();
        let mut ages = pin!(tokio::time::sleep(AGES));
        loop {
            // INVARIANT: listened for before it is judged, so that nothing falls between the two.
            let mut rules_and_people = self.house.live.changes();
            let mut grants = self.house.ledger.changes();
            let now = self.house.live.load();
            let renewed = self.renewed(&now, &seen);
            let in_touch = self.house.ledger.vouches(false) == Vouched::Now;
            let same = renewed.person == seen.person && renewed.standing == seen.standing && in_touch == was_in_touch;
            // somebody else's grant wakes everybody
            if !same || alarm.rang || judged.as_ref() != Some(now.rulebook.id()) {
                let Some((permit, publishes)) = self.still_passes(&now.rulebook, &renewed, covers) else {
                    return self.why_not(&now.rulebook, &seen, covers).to_owned();
                };
                let Ok(vouched) = self.vouch(&permit, publishes) else {
                    return UNKNOWN.to_owned();
                };
                counters.rests_on(self.grant_of(&permit));
                in_use = permit.grant().and_then(|grant| self.house.ledger.in_use(grant));
                let idle = in_use.as_ref().map(InUse::until);
                let until = permit.until().into_iter().chain(idle).min();
                let until = nap(until, self.house.clock.now());
                alarm.set(vouched.map_or(until, |left| until.min(left)));
                judged = Some(now.rulebook.id().clone());
            }
            was_in_touch = in_touch;
            seen = renewed;
            let woken = async {
                tokio::select! {
                    _ = rules_and_people.changed() => {}
                    _ = grants.changed() => {}
                }
            };
            // looked at with every look at the flow, and first: what it carries is a use of its grant
            let carries = poll_fn(|_| {
                if carried.more()
                    && let Some(in_use) = &in_use
                {
                    in_use.touch(self.house.clock.now());
                }
                Poll::<Infallible>::Pending
            });
            tokio::select! {
                biased;
                never = carries => match never {},
                () = sign_in.ended() => return SIGNED_OUT.to_owned(),
                () = &mut ages, if !counters.has_gone_on() => counters.goes_on(),
                () = alarm.unless(woken) => {}
            }
        }
    }

    /// The grant that a flow passes under, with its purpose.
    fn grant_of(&self, permit: &Permit) -> Option<(GrantId, PurposeId)> {
        let grant = self.house.ledger.get(permit.grant()?)?;
        Some((grant.id, grant.purpose))
    }

    /// Why a flow may not go on that could when it was `seen` last.
    fn why_not(&self, rules: &Rulebook, seen: &Observation, covers: &Covers) -> &'static str {
        // what these rules would still let pass ends with what has become of its grant
        let permit = self.still_passes(rules, seen, covers);
        let (grant, now) = (
            permit.and_then(|(permit, _)| self.house.ledger.get(permit.grant()?)),
            self.house.clock.now(),
        );
        if grant.as_ref().is_some_and(|grant| grant.fell_idle(now)) {
            return "the grant that let it pass went unused for too long";
        }
        match grant.map(|grant| Life::of(&grant, now)) {
            Some(Life::Revoked) => "the grant that let it pass was revoked",
            Some(Life::Withdrawn) => "the grant that let it pass was ended by its holder",
            Some(Life::Expired) => "the grant that let it pass has expired",
            Some(Life::Requested | Life::Approved | Life::Active | Life::Declined | Life::Lapsed) | None => {
                "the rules or the grant that let it pass no longer do"
            }
        }
    }

    /// What was seen, as it would be now.
    pub(super) fn renewed(&self, in_force: &InForce, seen: &Observation) -> Observation {
        let at = self.house.clock.now();
        let id = seen.subject.as_ref().map(|subject| &subject.id);
        let person = id.and_then(|id| in_force.directory.person(id));
        let standing = match (id, &person) {
            (Some(id), Some(_)) => self.house.ledger.standing(id, at),
            (_, None) | (None, _) => Standing::default(),
        };
        Observation {
            person,
            standing,
            at,
            ..seen.clone()
        }
    }

    /// Fails where a flow passes under a grant of which nobody can tell any more whether it is in force; otherwise says for
    /// how long that can be told yet, where there is an end to it.
    pub(super) fn vouch(&self, permit: &Permit, publishes: bool) -> Result<Option<Duration>, Fault> {
        if permit.grant().is_none() {
            return Ok(None);
        }
        match self.house.ledger.vouches(publishes) {
            Vouched::Now => Ok(None),
            Vouched::For(left) => Ok(Some(left)),
            Vouched::NoMore => Err(Fault::new(
                Blame::House,
                Stage::Judge,
                FaultCode::GrantsUnknown,
                UNKNOWN,
            )),
        }
    }

    /// The permit for `seen`, if its plan would today be the same kind of passage, and whether it publishes. A tunnel that
    /// rules now want to read may not stay unread.
    fn still_passes(&self, rules: &Rulebook, seen: &Observation, covers: &Covers) -> Option<(Permit, bool)> {
        let portal = &self.house.portal_host;
        let publishes = |judgement: Option<Judgement>| judgement.as_ref().is_some_and(Judgement::publishes);
        match &seen.ask {
            Ask::Connect(_) => {
                let Planned { step, judgement } = plan::on_connect(rules, portal, seen);
                match step {
                    ConnectStep::Tunnel(permit) => {
                        let other = covers
                            .get()
                            .and_then(|names| plan::on_certificate(rules, portal, seen, names));
                        other.is_none().then(|| (permit, publishes(judgement)))
                    }
                    ConnectStep::Challenge | ConnectStep::Portal | ConnectStep::Intercept | ConnectStep::Refuse(_) => {
                        None
                    }
                }
            }
            Ask::Request(..) => {
                let Planned { step, judgement } = plan::on_request(rules, portal, seen);
                match step {
                    RequestStep::Upgrade(permit) | RequestStep::Forward(permit) => Some((permit, publishes(judgement))),
                    RequestStep::Challenge | RequestStep::Portal | RequestStep::Refuse(_) => None,
                }
            }
        }
    }
}

/// What a flow has carried, as far as it was looked at.
struct Carried<'a> {
    counters: &'a Counters,
    known: u64,
}

impl<'a> Carried<'a> {
    fn by(counters: &'a Counters) -> Self {
        Self { counters, known: 0 }
    }

    /// Whether it has carried more since the last look.
    fn more(&mut self) -> bool {
        let [up, down] = [&self.counters.up, &self.counters.down].map(|way| way.load(Ordering::Relaxed));
        let now = up.wrapping_add(down);
        std::mem::replace(&mut self.known, now) != now
    }
}

/// How long a flow that may go on `until` then is left alone.
fn nap(until: Option<Timestamp>, now: Timestamp) -> Duration {
    let left = until.map_or(LONGEST_NAP, |until| until.since(now));
    left.clamp(Duration::from_millis(10), LONGEST_NAP)
}

/// When to judge again though nothing has changed.
///
/// INVARIANT: set anew only after a judgement: whatever else wakes the flow does not put off its end.
struct Alarm {
    sleep: Pin<Box<Sleep>>,
    rang: bool,
}

impl Alarm {
    fn ringing() -> Self {
        Self {
            sleep: Box::pin(tokio::time::sleep(Duration::ZERO)),
            rang: true,
        }
    }

    fn set(&mut self, nap: Duration) {
        self.sleep.set(tokio::time::sleep(nap));
        self.rang = false;
    }

    /// Returns once it rings, or when `woken` does.
    async fn unless(&mut self, woken: impl Future<Output = ()>) {
        tokio::select! {
            () = woken => {}
            () = &mut self.sleep => self.rang = true,
        }
    }
}

/// What comes of an exchange, or why it may not go on. It is told among what is open once it has gone on for some time.
pub(super) async fn unless_it_may_not<T>(
    mut exchange: Pin<&mut impl Future<Output = T>>,
    may_not: &mut MayNotGoOn,
    entry: &mut Entry,
) -> Result<T, String> {
    let (counters, mut is_young) = (entry.counters(), true);
    // noted by the one that is asked before it, so nothing else need wake anybody
    let goes_on = || {
        poll_fn(|_| {
            if counters.has_gone_on() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
    };
    loop {
        tokio::select! {
            biased;
            done = &mut exchange => return Ok(done),
            why = &mut *may_not => return Err(why),
            () = goes_on(), if is_young => is_young = false,
        }
        entry.lasts_if_it_goes_on();
    }
}

/// The flow was let pass, and then something took that back.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoLonger(pub(super) String);

/// Asks, as the frames of a body pass, whether its flow may still go on.
pub(super) struct Watch {
    may_not: MayNotGoOn,
    frames: u32,
}

/// A body that never pauses is looked at every so many frames.
const FRAMES: u32 = 16;

impl Watch {
    pub(super) fn new(may_not: MayNotGoOn) -> Self {
        Self { may_not, frames: 0 }
    }

    /// Ready, with the reason, where the body must end; asked for each frame, and when there is none.
    pub(super) fn poll(&mut self, pauses: bool, cx: &mut Context<'_>) -> Poll<String> {
        self.frames = self.frames.wrapping_add(1);
        if pauses || self.frames.is_multiple_of(FRAMES) {
            self.may_not.as_mut().poll(cx)
        } else {
            Poll::Pending
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::task::Waker;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_wakes_a_flow_for_nothing_does_not_put_off_its_next_judgement() {
        let mut alarm = Alarm::ringing();
        assert!(alarm.rang, "the first judgement waits for nothing");
        alarm.set(Duration::from_mins(1));
        let mut woken = 0;
        while !alarm.rang {
            // somebody else's grants, one every seven seconds
            alarm.unless(tokio::time::sleep(Duration::from_secs(7))).await;
            woken += 1;
        }
        assert_eq!(woken, 9, "eight times by them, then by the alarm");
        alarm.set(Duration::from_mins(1));
        assert!(!alarm.rang);
        alarm.unless(pending()).await;
        assert!(alarm.rang);
    }

    #[test]
    fn a_flow_is_looked_at_when_its_permit_ends_and_at_least_once_a_minute() {
        let now = Timestamp::from_millis(1_000_000);
        let until = |millis: i64| Some(Timestamp::from_millis(1_000_000 + millis));
        assert_eq!(nap(None, now), LONGEST_NAP);
        assert_eq!(nap(until(3_600_000), now), LONGEST_NAP);
        assert_eq!(nap(until(5_000), now), Duration::from_secs(5));
        assert_eq!(nap(until(0), now), Duration::from_millis(10), "it does not spin");
        assert_eq!(nap(until(-5_000), now), Duration::from_millis(10));
    }

    #[test]
    fn a_flow_uses_its_grant_while_it_carries_something_either_way() {
        let counters = Counters::default();
        let mut carried = Carried::by(&counters);
        assert!(!carried.more());
        counters.up.fetch_add(5, Ordering::Relaxed);
        assert!(carried.more() && !carried.more());
        counters.down.fetch_add(1, Ordering::Relaxed);
        assert!(carried.more() && !carried.more());
    }

    #[test]
    fn a_body_that_never_pauses_is_asked_every_so_many_frames_and_one_that_pauses_at_once() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut watch = Watch::new(Box::pin(ready("enough".to_owned())));
        let frames = (1..100).find(|_| watch.poll(false, &mut cx).is_ready());
        assert_eq!(frames, Some(FRAMES));
        let mut watch = Watch::new(Box::pin(ready("enough".to_owned())));
        assert_eq!(watch.poll(true, &mut cx), Poll::Ready("enough".to_owned()));
        let mut watch = Watch::new(Box::pin(pending()));
        assert!((0..100).all(|_| watch.poll(true, &mut cx).is_pending()));
    }
}

//! Flows that outlive their judgement: tunnels, sockets, uploads and answers that take their time are judged again
//! whenever something changes, and end, with the reason, once they would no longer pass.

use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::Proxy;
use super::body::BoxError;
use super::plan::{self, ConnectStep, RequestStep};
use crate::clock::Timestamp;
use crate::facts::{Ask, Observation, RulebookId, Standing};
use crate::identity::SignIn;
use crate::policy::Permit;
use crate::rulebook::Rulebook;

/// How long a flow runs before anybody asks whether it still may; most are over by then.
const PATIENCE: Duration = Duration::from_millis(500);

/// Rules may ask for the hour, and a clock that stands still never reaches an expiry: look again now and then.
const LONGEST_NAP: Duration = Duration::from_mins(1);

/// Why flows end whose account is gone.
pub(super) const SIGNED_OUT: &str = "the account that signed in was removed, or its password changed";

/// Why flows are cut when the gateway stops.
pub const STOPPING: &str = "the gateway is stopping";

/// Comes, with the reason, once a flow may no longer go on.
pub(super) type MayNotGoOn = Pin<Box<dyn Future<Output = String> + Send + Sync>>;

/// The names on the certificate of what an unread tunnel leads to, once they are known.
pub(super) type Covers = OnceLock<Arc<[String]>>;

impl Proxy {
    /// Returns, with the reason, once the flow that was let pass as `seen` must end: it may no longer go on, or the
    /// gateway stops.
    pub(super) async fn until_it_must_end(&self, seen: Observation, sign_in: &SignIn, covers: &Covers) -> String {
        tokio::select! {
            () = self.house.tasks.stopping().cancelled() => STOPPING.to_owned(),
            why = self.until_it_may_not(seen, sign_in, covers) => why,
        }
    }

    /// The same for what may end by itself when the gateway stops. Boxed, because few flows live to need it.
    pub(super) fn watch(self: &Arc<Self>, seen: Observation, sign_in: SignIn) -> MayNotGoOn {
        let proxy = Arc::clone(self);
        Box::pin(async move { proxy.until_it_may_not(seen, &sign_in, &Covers::default()).await })
    }

    /// Returns, with the reason, once the flow that was let pass as `seen` would no longer: new rules, an ended or
    /// expired grant, a changed person, an account that is gone.
    async fn until_it_may_not(&self, mut seen: Observation, sign_in: &SignIn, covers: &Covers) -> String {
        tokio::time::sleep(PATIENCE).await;
        let mut judged: Option<RulebookId> = None;
        // INVARIANT: set anew only after a judgement: whatever else wakes the flow must not put off its end.
        let mut alarm = pin!(tokio::time::sleep(Duration::ZERO));
        let mut is_due = true;
        loop {
            // INVARIANT: listened for before it is judged, so that nothing falls between the two.
            let mut rules = self.house.rules.changes();
            let mut grants = self.house.ledger.changes();
            let mut people = self.house.directory.changes();
            let now = self.house.rules.load();
            let renewed = self.renewed(&seen);
            let same = renewed.person == seen.person && renewed.standing == seen.standing;
            seen = renewed;
            // somebody else's grant wakes everybody
            if !same || is_due || judged.as_ref() != Some(now.id()) {
                let Some(permit) = self.still_passes(&now, &seen, covers) else {
                    return "the rules or the grant that let it pass no longer do".to_owned();
                };
                alarm.set(tokio::time::sleep(self.nap(permit.until())));
                is_due = false;
                judged = Some(now.id().clone());
            }
            tokio::select! {
                () = sign_in.ended() => return SIGNED_OUT.to_owned(),
                _ = rules.changed() => {}
                _ = grants.changed() => {}
                _ = people.changed() => {}
                () = &mut alarm => is_due = true,
            }
        }
    }

    fn nap(&self, until: Option<Timestamp>) -> Duration {
        let now = self.house.clock.now();
        let left = until.map_or(LONGEST_NAP, |until| until.since(now));
        left.clamp(Duration::from_millis(10), LONGEST_NAP)
    }

    /// What was seen, as it would be now.
    pub(super) fn renewed(&self, seen: &Observation) -> Observation {
        let at = self.house.clock.now();
        let id = seen.subject.as_ref().map(|subject| &subject.id);
        let person = id.and_then(|id| self.house.directory.load().person(id));
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

    /// The permit for `seen`, if its plan would today be the same kind of passage. A tunnel that rules now want to read
    /// may not stay unread.
    fn still_passes(&self, rules: &Rulebook, seen: &Observation, covers: &Covers) -> Option<Permit> {
        let portal = &self.house.portal_host;
        match &seen.ask {
            Ask::Connect(_) => match plan::on_connect(rules, portal, seen).step {
                ConnectStep::Tunnel(permit) => {
                    let other = covers
                        .get()
                        .and_then(|names| plan::on_certificate(rules, portal, seen, names));
                    other.is_none().then_some(permit)
                }
                ConnectStep::Challenge | ConnectStep::Portal | ConnectStep::Intercept | ConnectStep::Refuse(_) => None,
            },
            Ask::Request(..) => match plan::on_request(rules, portal, seen).step {
                RequestStep::Upgrade(permit) | RequestStep::Forward(permit) => Some(permit),
                RequestStep::Challenge | RequestStep::Portal | RequestStep::Refuse(_) => None,
            },
        }
    }
}

/// The flow was let pass, and then something took that back.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoLonger(pub(super) String);

/// An answer that ends, with an error, once its flow may no longer go on.
pub(super) struct Watched<B> {
    inner: B,
    may_not: MayNotGoOn,
    frames: u32,
}

impl<B> Watched<B> {
    pub(super) fn new(inner: B, may_not: MayNotGoOn) -> Self {
        Self {
            inner,
            may_not,
            frames: 0,
        }
    }
}

/// An answer that never pauses is looked at every so many frames.
const FRAMES: u32 = 16;

impl<B> HttpBody for Watched<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx).map_err(Into::into);
        self.frames = self.frames.wrapping_add(1);
        let due = frame.is_pending() || self.frames.is_multiple_of(FRAMES);
        if due && let Poll::Ready(why) = self.may_not.as_mut().poll(cx) {
            return Poll::Ready(Some(Err(NoLonger(why).into())));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

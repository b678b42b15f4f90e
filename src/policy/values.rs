//! The facts of a flow as Cedar's values, each made when a rule first looks at it. Cedar's own way to a datetime, a
//! duration or an address is through text, which costs more than a decision: here a text is parsed once for each second,
//! and what is finer is added to it.
//!
//! `Nouns::about_site` spells the same out for Cedar to evaluate; the tests hold one against the other.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;

use cedar_policy_core::ast::Value;

use super::engine::functions::{self, DATETIME, DURATION, IP, OFFSET, TO_TIME};
use super::engine::{Doubt, Held, Leaves, Measure};
use super::memo::Memo;
use super::question::RequestFacts;
use super::request::GRANT;
use crate::clock::Timestamp;
use crate::facts::{Arrival, Subject};

/// What rules find in the context of a flow. The order is that of [`leaf`](Values::leaf)'s arms.
pub(super) const LEAVES: Leaves = Leaves(&[
    &["now"],
    &["local", "time"],
    &["local", "weekday"],
    &["client", "ip"],
    &["client", "network"],
    &["proof", "method"],
    &["proof", "strong"],
    &["request", "method"],
    &["request", "host"],
    &["request", "path"],
    &["request", "bytes"],
    &["request", "contentType"],
    &["namedAs"],
    &["behalfOf"],
    &["channel"],
    &[GRANT],
]);

/// How many there are.
pub(super) const COUNT: usize = LEAVES.0.len();

/// The leaf that holds where the flow comes from.
pub(super) const ADDRESS: usize = 3;

/// The leaf that there is only where somebody answers whom the terms of a purpose name.
pub(super) const NAMED_AS: usize = COUNT - 4;

/// The leaf that there is only where somebody answers for somebody else.
pub(super) const BEHALF_OF: usize = COUNT - 3;

/// The leaf that there is only where a power over a grant is asked about.
pub(super) const CHANNEL: usize = COUNT - 2;

/// The leaf that holds the grant that is judged under.
pub(super) const CLAIM: usize = COUNT - 1;

/// The leaves that there are only where there is a request.
pub(super) const REQUEST: std::ops::Range<usize> = 7..12;

/// What contexts are made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances<'a> {
    pub(super) subject: &'a Subject,
    pub(super) arrival: &'a Arrival,
    pub(super) request: Option<RequestFacts<'a>>,
    pub(super) at: Timestamp,
}

/// The present, what the wall clock shows, and which day of the week.
pub(super) const NOW: usize = 0;
pub(super) const TIME: usize = 1;
pub(super) const WEEKDAY: usize = 2;

thread_local! {
    /// The latest moment that this thread asked for, and the latest time of day: they are the same under all rules.
    static LATEST: RefCell<[Option<(i64, Value)>; 2]> = const { RefCell::new([None, None]) };
}

/// What is remembered of texts that were parsed.
#[derive(Debug, Default)]
pub(super) struct Values {
    seconds: Memo<i64, (), Value>,
    milliseconds: Memo<i64, (), Value>,
    addresses: Memo<IpAddr, (), Held>,
}

type Made<T> = Result<T, Doubt>;

impl Values {
    /// The leaf of this number, below the last ones and not the address; none where the context does not have it. `shown` is what the person's
    /// wall clock shows.
    pub(super) fn leaf(
        &self,
        number: usize,
        here: &Circumstances<'_>,
        shown: impl FnOnce() -> (i64, i64),
    ) -> Made<Option<Value>> {
        let request = here.request.as_ref().ok_or(Doubt);
        let method = here.subject.method;
        Ok(Some(match number {
            NOW => Self::latest(0, here.at.as_millis(), |at| self.moment(at))?,
            TIME => Self::latest(1, shown().0, |day| self.time_of_day(day))?,
            WEEKDAY => shown().1.into(),
            4 => here.arrival.network.as_str().into(),
            5 => method.as_str().into(),
            6 => method.is_strong().into(),
            7 => request?.method.into(),
            8 => request?.host.as_str().into(),
            9 => request?.path.into(),
            10 => length_of(*request?).into(),
            11 => return Ok(request?.content_type.map(Value::from)),
            _ => return Err(Doubt),
        }))
    }

    /// The leaf of this number as a number, where it is one. `shown` is what the person's wall clock shows.
    pub(super) fn measure(
        number: usize,
        here: &Circumstances<'_>,
        shown: impl FnOnce() -> (i64, i64),
    ) -> Option<Measure> {
        match number {
            NOW => Some(Measure::Moment(here.at.as_millis())),
            TIME => Some(Measure::Span(shown().0)),
            WEEKDAY => Some(Measure::Number(shown().1)),
            10 => here.request.map(|request| Measure::Number(length_of(request))),
            _ => None,
        }
    }

    /// What `make` makes of `millis`, or made of it before: many ask within one millisecond.
    fn latest(which: usize, millis: i64, make: impl FnOnce(i64) -> Made<Value>) -> Made<Value> {
        let known = LATEST.with_borrow(|latest| {
            let latest = latest.get(which)?.as_ref();
            latest.filter(|known| known.0 == millis).map(|known| known.1.clone())
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let made = make(millis)?;
        LATEST.with_borrow_mut(|latest| {
            if let Some(latest) = latest.get_mut(which) {
                *latest = Some((millis, made.clone()));
            }
        });
        Ok(made)
    }

    /// So much time since midnight.
    pub(super) fn time_of_day(&self, since_midnight: i64) -> Made<Value> {
        TO_TIME.of(&[self.moment(since_midnight)?])
    }

    pub(super) fn moment(&self, millis: i64) -> Made<Value> {
        let (second, rest) = (millis.div_euclid(1000), millis.rem_euclid(1000));
        let whole = self.seconds.of(&second, &(), || {
            let text = Timestamp::from_millis(second * 1000).to_string();
            DATETIME.of(&[text.as_str().into()])
        })?;
        if rest == 0 {
            return Ok((*whole).clone());
        }
        let length = self
            .milliseconds
            .of(&rest, &(), || DURATION.of(&[format!("{rest}ms").as_str().into()]))?;
        OFFSET.of(&[(*whole).clone(), (*length).clone()])
    }

    /// The leaf [`ADDRESS`], remembered.
    pub(super) fn address(&self, ip: IpAddr, held: impl FnOnce(Value) -> Held) -> Made<Arc<Held>> {
        self.addresses
            .of(&ip, &(), || IP.of(&[ip.to_string().as_str().into()]).map(held))
    }
}

fn length_of(request: RequestFacts<'_>) -> i64 {
    i64::try_from(request.bytes).unwrap_or(i64::MAX)
}

/// How long a duration is, as rules write it (`1d2h30m`).
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    functions::length(&DURATION.of(&[text.into()]).ok()?)
}

/// The moment that a datetime is.
pub(super) fn instant(value: &Value) -> Option<Timestamp> {
    functions::instant(value).map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;

    use super::*;
    use crate::facts::{Door, Host, MethodName, NetworkName, SubjectId};

    proptest! {
        #[test]
        fn a_leaf_that_is_a_number_is_the_same_as_a_value(
            at in 0_i64..4_000_000_000_000,
            shown in (0_i64..86_400_000, 1_i64..8),
            bytes in prop_oneof![Just(u64::MAX), 0_u64..100_000],
        ) {
            let subject = Subject {
                id: SubjectId::parse("ada").unwrap(),
                method: MethodName::Basic,
            };
            let arrival = Arrival {
                door: Door::Plain,
                client: SocketAddr::from(([10, 0, 0, 7], 40_000)),
                network: NetworkName::new("office"),
            };
            let host = Host::parse("x.com").unwrap();
            let request = RequestFacts {
                method: "GET",
                host: &host,
                path: "/",
                bytes,
                content_type: None,
            };
            let here = Circumstances {
                subject: &subject,
                arrival: &arrival,
                request: Some(request),
                at: Timestamp::from_millis(at),
            };
            let values = Values::default();
            let mut found = Vec::new();
            for number in (0..REQUEST.end).filter(|number| *number != ADDRESS) {
                let value = values.leaf(number, &here, || shown).unwrap();
                let measure = Values::measure(number, &here, || shown);
                if measure.is_some() {
                    prop_assert_eq!(measure, value.as_ref().and_then(Measure::of), "leaf {}", number);
                    found.push(LEAVES.0[number].join("."));
                }
            }
            prop_assert_eq!(found, ["now", "local.time", "local.weekday", "request.bytes"]);
        }
    }
}

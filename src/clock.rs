//! What time is it? The only place that asks.
//!
//! Everything that judges, plans or parses takes a [`Timestamp`] as an argument; only the doors hold a [`Clock`].
//! Tests and the demo may fix the clock, so a rule about the lunch break can be tried at midnight.
#![expect(clippy::disallowed_methods, reason = "door: the only reader of the system clock")]

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in time, to the millisecond; written as RFC 3339 in UTC (`2026-11-22T10:15:30.123Z`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment that lies `millis` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment `span` later; stays at the end of time instead of overflowing.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// The moment `span` earlier; stays at the beginning of time instead of overflowing.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long after `earlier` this moment lies; zero if it does not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// A name that nothing else has, and that sorts by this moment (UUID version 7, RFC 9562 §5.7).
    pub fn fresh_name(self) -> String {
        let millis = u64::try_from(self.0).unwrap_or(0);
        let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
        let moment = uuid::Timestamp::from_unix(uuid::NoContext, millis / 1000, nanos);
        uuid::Uuid::new_v7(moment).to_string()
    }

    /// The moment by which a name sorts; none where it is no such name.
    pub fn named(name: &str) -> Option<Self> {
        let name = uuid::Uuid::try_parse(name).ok()?;
        let (seconds, nanos) = name.get_timestamp()?.to_unix();
        let millis = seconds.checked_mul(1000)?.checked_add(u64::from(nanos / 1_000_000))?;
        i64::try_from(millis).ok().map(Self)
    }

    /// A name of this kind as it is kept, however it is written: with capitals, in braces, without hyphens.
    pub fn spelt(name: &str) -> Option<String> {
        Self::named(name)?;
        Some(uuid::Uuid::try_parse(name).ok()?.to_string())
    }

    /// The moment that somebody means: itself (`2026-11-22T10:00:00Z`), a day (`2026-11-22`, UTC), or how long ago (`2h`, `7d`).
    pub fn meant(text: &str, now: Self) -> Result<Self, NoMoment> {
        if let Ok(moment) = text.parse::<Self>() {
            return Ok(moment);
        }
        let utc = jiff::tz::TimeZone::UTC;
        if let Ok(day) = text.parse::<jiff::civil::Date>() {
            return day
                .to_zoned(utc)
                .map(|day| day.timestamp().into())
                .map_err(|_| NoMoment);
        }
        let span = text.parse::<jiff::Span>().map_err(|_| NoMoment)?;
        let then = now.calendar().to_zoned(utc).checked_sub(span.abs());
        then.map(|then| then.timestamp().into()).map_err(|_| NoMoment)
    }

    /// The same moment for calendar questions; the range of `jiff` is wider than any file we read.
    pub fn calendar(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX)
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(moment: jiff::Timestamp) -> Self {
        Self(moment.as_millisecond())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.3}", self.calendar())
    }
}

/// A text that means no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use a moment (2026-11-22T10:00:00Z), a day (2026-11-22), or how long ago (2h, 7d)")]
pub struct NoMoment;

/// A text that says no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a moment: write date, time and zone, e.g. `2026-11-24T12:30:00Z` or `2026-11-24T12:30:00+01:00`")]
pub struct BadMoment(String);

impl FromStr for Timestamp {
    type Err = BadMoment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let moment: Result<jiff::Timestamp, _> = text.parse();
        moment.map(Self::from).map_err(|_| BadMoment(text.to_owned()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Tells the time: the system's, or one that stands still until it is moved.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that shows `start` until [`Clock::advance`] moves it; clones move together.
    pub fn fixed(start: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicI64::new(start.as_millis()))))
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            None => jiff::Timestamp::now().into(),
            Some(hands) => Timestamp(hands.load(Ordering::Relaxed)),
        }
    }

    /// Moves a fixed clock forward; the system's clock is not ours to move.
    pub fn advance(&self, span: Duration) {
        if let Some(hands) = &self.0 {
            let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
            hands.fetch_add(millis, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_writing_and_reading() {
        let moment: Timestamp = "2026-11-22T10:15:30.125Z".parse().unwrap();
        assert_eq!(moment.to_string(), "2026-11-22T10:15:30.125Z");
        let json = serde_json::to_string(&moment).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), moment);
    }

    #[test]
    fn a_name_tells_the_moment_by_which_it_sorts() {
        let moment = Timestamp::from_millis(1_780_000_000_123);
        assert_eq!(Timestamp::named(&moment.fresh_name()), Some(moment));
        assert_eq!(Timestamp::named("6fa459ea-ee8a-3ca4-894e-db77e160355e"), None);
        assert_eq!(Timestamp::named("one"), None);
    }

    #[test]
    fn a_fixed_clock_moves_only_when_told_and_its_clones_move_with_it() {
        let clock = Clock::fixed(Timestamp::from_millis(1_000));
        let other = clock.clone();
        assert_eq!(clock.now(), Timestamp::from_millis(1_000));
        other.advance(Duration::from_millis(5));
        assert_eq!(clock.now(), Timestamp::from_millis(1_005));
    }

    #[test]
    fn time_never_runs_backwards_in_a_difference() {
        let (early, late) = (Timestamp::from_millis(10), Timestamp::from_millis(30));
        assert_eq!(late.since(early), Duration::from_millis(20));
        assert_eq!(late.minus(Duration::from_millis(20)), early);
        assert_eq!(early.since(late), Duration::ZERO);
    }
}

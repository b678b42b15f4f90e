//! What somebody's clock on the wall shows. A zone tells its offset by the rules of its summer time, which takes as long as
//! some conditions; within a quarter of an hour it stays what it is, and is told once.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::tz::TimeZone;

use super::request::wall_clock;
use crate::clock::Timestamp;

const DAY: i64 = 86_400_000;
const QUARTER: i64 = 900_000;
/// So many bits hold an offset in seconds; no zone is a day away.
const OFFSET_BITS: u32 = 20;
const NO_OFFSET: u64 = 1 << (OFFSET_BITS - 1);

/// A clock on the wall.
#[derive(Debug)]
pub(super) struct Wall {
    zone: TimeZone,
    /// The latest quarter of an hour since 1970 that was asked for, from 1, and the offset in it.
    latest: AtomicU64,
}

impl Wall {
    pub(super) fn new(zone: TimeZone) -> Self {
        let latest = AtomicU64::new(0);
        Self { zone, latest }
    }

    /// Milliseconds since midnight, and the day of the week; Monday is 1.
    pub(super) fn shows(&self, at: Timestamp) -> (i64, i64) {
        let Some(offset) = self.offset(at) else {
            return wall_clock(&self.zone, at);
        };
        let here = at.as_millis() + offset * 1000;
        // 1970 began on a Thursday
        (here.rem_euclid(DAY), (here.div_euclid(DAY) + 3).rem_euclid(7) + 1)
    }

    /// The seconds that the clock is ahead; none where that changes within the quarter of an hour, and for moments that no
    /// gateway sees.
    fn offset(&self, at: Timestamp) -> Option<i64> {
        let quarter = at.as_millis().div_euclid(QUARTER);
        let number = u64::try_from(quarter + 1)
            .ok()
            .filter(|number| (1..1 << 32).contains(number))?;
        let latest = self.latest.load(Ordering::Relaxed);
        let offset = if latest >> OFFSET_BITS == number {
            latest & (2 * NO_OFFSET - 1)
        } else {
            let offset = |millis: i64| {
                let at = Timestamp::from_millis(millis).calendar();
                i64::from(self.zone.to_offset(at).seconds())
            };
            let (first, last) = (offset(quarter * QUARTER), offset((quarter + 1) * QUARTER - 1));
            let offset = u64::try_from(first + NO_OFFSET.cast_signed())
                .ok()
                .filter(|_| first == last)?;
            self.latest.store(number << OFFSET_BITS | offset, Ordering::Relaxed);
            offset
        };
        Some(offset.cast_signed() - NO_OFFSET.cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZoneDatabase;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const ZONES: [&str; 8] = [
        "UTC",
        "Europe/Paris",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "Africa/Monrovia",
        "Pacific/Kiritimati",
    ];

    fn zone(name: &str) -> TimeZone {
        TimeZoneDatabase::bundled().get(name).unwrap()
    }

    proptest! {
        #[test]
        fn it_shows_what_the_zone_says_whatever_it_showed_before(
            name in select(ZONES.to_vec()),
            moments in prop::collection::vec((-200_000_000_000_i64..8_000_000_000_000, 0_i64..2_000_000), 1..8),
        ) {
            let wall = Wall::new(zone(name));
            for (moment, later) in moments {
                for at in [moment, moment + later, moment].map(Timestamp::from_millis) {
                    prop_assert_eq!(wall.shows(at), wall_clock(&wall.zone, at), "{} {}", name, at);
                }
            }
        }
    }

    #[test]
    fn it_changes_to_summer_time_and_back_to_the_millisecond() {
        for name in ZONES {
            let wall = Wall::new(zone(name));
            let since = "1965-01-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap();
            let changes = wall.zone.following(since).take(200);
            for change in changes.map(|change| change.timestamp().as_millisecond()) {
                for at in [-900_000, -1, 0, 1, 899_999, 900_000].map(|by| Timestamp::from_millis(change + by)) {
                    assert_eq!(wall.shows(at), wall_clock(&wall.zone, at), "{name} {at}");
                }
            }
        }
    }
}

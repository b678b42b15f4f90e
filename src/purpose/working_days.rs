//! Time that people work in: what is due on a working day, and what waits only then. Saturdays and Sundays are none, by the
//! clock of the person; where there is no such time zone, in UTC.

use std::time::Duration;

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::clock::Timestamp;

/// One working day after `at`: the same time of the next day that is no Saturday and no Sunday, in that time zone.
pub fn one_working_day_after(at: Timestamp, time_zone: &str) -> Timestamp {
    let mut day = local(at, time_zone);
    loop {
        let Ok(next) = day.tomorrow() else {
            return at; // at the end of time
        };
        day = next;
        if is_working_day(&day) {
            return day.timestamp().into();
        }
    }
}

/// When so much time has passed after `at`, Saturdays and Sundays in that time zone not counted: until then somebody may
/// answer who is there on working days.
pub fn working_time_after(at: Timestamp, span: Duration, time_zone: &str) -> Timestamp {
    let mut left = span;
    let mut from = local(at, time_zone);
    loop {
        let next = from.tomorrow().and_then(|day| day.start_of_day());
        let Ok(next) = next else {
            return at.plus(span); // at the end of time
        };
        if is_working_day(&from) {
            let (start, end): (Timestamp, Timestamp) = (from.timestamp().into(), next.timestamp().into());
            let today = end.since(start);
            if left <= today {
                return start.plus(left);
            }
            left = left.saturating_sub(today);
        }
        from = next;
    }
}

fn local(at: Timestamp, time_zone: &str) -> Zoned {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    at.calendar().to_zoned(zone)
}

/// Whether it is no Saturday and no Sunday.
pub fn is_working_day(day: &Zoned) -> bool {
    day.weekday().to_monday_one_offset() <= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_is_due_at_the_same_time_of_the_next_working_day_of_the_persons_own_clock() {
        for (at, zone, due) in [
            ("2026-11-24T09:30:00Z", "Europe/Paris", "2026-11-25T09:30:00Z"),
            ("2026-11-27T15:00:00Z", "Europe/Paris", "2026-11-30T15:00:00Z"),
            ("2026-11-28T15:00:00Z", "Europe/Paris", "2026-11-30T15:00:00Z"),
            ("2026-11-29T15:00:00Z", "Europe/Paris", "2026-11-30T15:00:00Z"),
            // still Thursday in New York
            ("2026-11-27T02:00:00Z", "America/New_York", "2026-11-28T02:00:00Z"),
            // the clocks change on the Sunday between
            ("2026-10-23T10:00:00Z", "Europe/Paris", "2026-10-26T11:00:00Z"),
            ("2026-11-27T15:00:00Z", "Nowhere/Land", "2026-11-30T15:00:00Z"),
        ] {
            let (at, due): (Timestamp, Timestamp) = (at.parse().unwrap(), due.parse().unwrap());
            assert_eq!(one_working_day_after(at, zone), due, "{at} {zone}");
        }
    }

    #[test]
    fn who_is_asked_on_friday_may_answer_on_tuesday() {
        let days = |days: u64| Duration::from_hours(24 * days);
        for (at, span, zone, until) in [
            ("2026-11-24T09:30:00Z", days(2), "Europe/Paris", "2026-11-26T09:30:00Z"),
            ("2026-11-27T15:00:00Z", days(2), "Europe/Paris", "2026-12-01T15:00:00Z"),
            ("2026-11-28T00:52:00Z", days(2), "Europe/Paris", "2026-12-01T23:00:00Z"),
            (
                "2026-11-27T15:00:00Z",
                Duration::from_mins(5),
                "Europe/Paris",
                "2026-11-27T15:05:00Z",
            ),
            // midnight from Friday to Saturday belongs to Friday
            (
                "2026-11-27T22:00:00Z",
                Duration::from_hours(1),
                "Europe/Paris",
                "2026-11-27T23:00:00Z",
            ),
            (
                "2026-11-29T12:00:00Z",
                Duration::from_hours(1),
                "Europe/Paris",
                "2026-11-30T00:00:00Z",
            ),
            // still Friday in New York
            (
                "2026-11-28T02:00:00Z",
                Duration::from_hours(2),
                "America/New_York",
                "2026-11-28T04:00:00Z",
            ),
            ("2026-11-27T15:00:00Z", days(30), "Europe/Paris", "2027-01-08T15:00:00Z"),
            // the clocks change on the Sunday between, whose hours do not count
            ("2026-10-23T10:00:00Z", days(1), "Europe/Paris", "2026-10-26T11:00:00Z"),
            ("2026-11-27T15:00:00Z", days(1), "Nowhere/Land", "2026-11-30T15:00:00Z"),
        ] {
            let (at, until): (Timestamp, Timestamp) = (at.parse().unwrap(), until.parse().unwrap());
            assert_eq!(working_time_after(at, span, zone), until, "{at} {span:?} {zone}");
        }
    }
}

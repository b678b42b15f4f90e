//! Moments as the person's own clock shows them. Pure.

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::words::Words;
use crate::clock::Timestamp;
use crate::facts::Person;

/// `16:05`, or `Mon 23 Nov, 16:05` where it is not the day of `now`, as the language writes it; in UTC, and saying so, where
/// the person's time zone is unknown.
pub(super) fn local(words: &Words, moment: Timestamp, now: Timestamp, person: &Person) -> String {
    let zone = TimeZone::get(&person.time_zone);
    let suffix = if zone.is_ok() { "" } else { " UTC" };
    let zone = zone.unwrap_or(TimeZone::UTC);
    let [moment, now]: [Zoned; 2] = [moment, now].map(|at| at.calendar().to_zoned(zone.clone()));
    let written = if moment.date() == now.date() {
        (words.clock)(&moment)
    } else {
        (words.calendar)(&moment)
    };
    format!("{written}{suffix}")
}

/// The same to the second.
pub(super) fn exact(words: &Words, moment: Timestamp, now: Timestamp, person: &Person) -> String {
    let minutes = local(words, moment, now, person);
    let seconds = moment.calendar().to_zoned(TimeZone::UTC).second();
    match minutes.strip_suffix(" UTC") {
        Some(minutes) => format!("{} UTC", (words.decisions.seconds)(minutes, seconds)),
        None => (words.decisions.seconds)(&minutes, seconds),
    }
}

//! Moments as the person's own clock shows them. Pure.

use crate::clock::Timestamp;
use crate::facts::Person;

/// `16:05`, or `Mon 23 Nov, 16:05` where it is not the day of `now`; in UTC, and saying so, where the person's time
/// zone is unknown.
pub(super) fn local(moment: Timestamp, now: Timestamp, person: &Person) -> String {
    let zone = jiff::tz::TimeZone::get(&person.time_zone);
    let suffix = if zone.is_ok() { "" } else { " UTC" };
    let zone = zone.unwrap_or(jiff::tz::TimeZone::UTC);
    let (moment, now) = (moment.calendar().to_zoned(zone.clone()), now.calendar().to_zoned(zone));
    let form = if moment.date() == now.date() {
        "%H:%M"
    } else {
        "%a %-d %b, %H:%M"
    };
    format!("{}{suffix}", moment.strftime(form))
}

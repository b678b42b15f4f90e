//! When what was in vain is tried again. Pure.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::ledger::Notice;

/// The first pause, which doubles each time, and the longest.
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_hours(1);
/// Nobody is left alone for longer than that, whatever they ask for.
const MOST_ASKED: Duration = Duration::from_hours(24);

/// When a notice that was tried once more in vain at `now` is to be tried again; none where it is older than `age` by then:
/// it is given up. Whoever asks to be left alone for longer is.
pub(super) fn next(notice: &Notice, now: Timestamp, asked: Option<Duration>, age: Duration) -> Option<Timestamp> {
    let doubled = FIRST.saturating_mul(1 << notice.tries.min(16)).min(LONGEST);
    let pause = spread(notice, doubled).max(asked.unwrap_or_default().min(MOST_ASKED));
    let due = now.plus(pause);
    (due.since(notice.since) <= age).then_some(due)
}

/// Between half of it and all: a server that comes back is not met by all at once. It hangs on the letter and the try alone.
fn spread(notice: &Notice, pause: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    let (of, occasion) = (notice.about.to_string(), notice.about.occasion());
    (of, occasion, notice.tries).hash(&mut hasher);
    let letter = notice.letter.as_ref();
    letter.map(|letter| (&letter.way, &letter.to)).hash(&mut hasher);
    let share = u32::try_from(hasher.finish() % 1000).unwrap_or(0);
    pause / 2 + (pause / 2) * share / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::NoticeEvent;
    use crate::notices::tests::notice;

    #[test]
    fn pauses_double_up_to_an_hour_and_differ_from_letter_to_letter() {
        let now = Timestamp::from_millis(1_000_000);
        let pause = |tries: u32, to: &str| {
            let tried = Notice {
                tries,
                since: now,
                ..notice(NoticeEvent::Approved, to)
            };
            next(&tried, now, None, Duration::from_hours(72)).unwrap().since(now)
        };
        for (tries, most) in [(0, 30), (1, 60), (2, 120), (6, 1920), (7, 3600), (40, 3600)] {
            let most = Duration::from_secs(most);
            assert!((most / 2..=most).contains(&pause(tries, "ada")), "{tries}");
        }
        assert_ne!(pause(7, "ada"), pause(7, "ben"));
    }

    #[test]
    fn whoever_asks_to_be_left_alone_is_and_what_is_too_old_is_given_up() {
        let now = Timestamp::from_millis(1_000_000);
        let tried = Notice {
            since: now,
            ..notice(NoticeEvent::Approved, "ada")
        };
        let day = Duration::from_hours(24);
        let when = |asked: u64, age| next(&tried, now, Some(Duration::from_secs(asked)), age);
        assert_eq!(when(900, day), Some(now.plus(Duration::from_mins(15))));
        assert_eq!(when(u64::MAX, day), Some(now.plus(day)));
        assert_eq!(when(901, Duration::from_mins(15)), None);
    }
}

//! The digest of a week, wherever it is kept.

use super::conformance::{came_to, days, flows, monday};
use super::outbox::due;
use super::*;

/// So long after a Monday began people are told of weeks.
const AFTER: Duration = Duration::from_hours(7);

fn telling(home: &dyn Home) -> Ledger {
    let ledger = home.open().unwrap();
    ledger.tells_weeks(AFTER);
    ledger
}

async fn adds(ledger: &Ledger, at: Timestamp) {
    ledger.add_up(&Usage::default(), at).await.unwrap();
}

/// The weeks of which people are to be told at that moment.
async fn weeks(ledger: &Ledger, at: Timestamp) -> Vec<Brought> {
    let notices = due(ledger, at.as_millis()).await.into_iter();
    let of = notices.map(|notice| match notice.about {
        About::Week(brought) => brought,
        About::Grant(grant, event) => panic!("{event:?} of {grant:?}"),
    });
    of.collect()
}

fn told(brought: &Brought) -> Vec<(String, Measure, Option<u64>, u64)> {
    let told = brought.figures.iter().map(|figure| {
        assert_eq!(figure.part, Part::Whole);
        (
            figure.week.to_string(),
            figure.measure,
            figure.people,
            figure.sums.count,
        )
    });
    told.collect()
}

pub(super) async fn a_week_is_told_once_when_all_of_it_is_settled_with_the_one_before_and_survives_a_crash(
    home: &dyn Home,
) {
    let ledger = telling(home);
    let week = Week::of(monday());
    ledger.add_up(&flows(6, 1, week.before(1)), days(1)).await.unwrap();
    ledger.add_up(&flows(5, 2, week), days(1)).await.unwrap();
    for nth in 0..5 {
        let mut terms = terms(&format!("p{nth}"), "recruiting", 1_000, 9_000);
        (terms.declared_at, terms.not_before, terms.expires) = (days(1), days(1), days(2));
        let grant = ledger.give(terms).await.unwrap();
        let reported = ledger.report(&grant.id, came_to(10, days(2).as_millis()), |_, _| ());
        reported.await.unwrap();
    }
    adds(&ledger, days(8)).await;
    // what was used in the week is told by now, and what came of it can still be corrected
    let before = due(&ledger, days(8).as_millis()).await.remove(0);
    assert_eq!(before.about.to_string(), "2026-11-16");
    ledger.fare(vec![(before, Fate::Done)]).await.unwrap();
    adds(&ledger, days(14)).await;
    assert_eq!(weeks(&ledger, days(14)).await, [], "it is early in the morning");
    drop(ledger);
    let ledger = telling(home);
    adds(&ledger, days(14).plus(AFTER)).await;
    let brought = weeks(&ledger, days(14).plus(AFTER)).await;
    let of = |week: &str, measure, people, count| (week.to_owned(), measure, Some(people), count);
    // what came of the week before nobody said
    let figures = [
        of("2026-11-16", Measure::Flows, 6, 6),
        of("2026-11-23", Measure::Flows, 5, 10),
        of("2026-11-23", Measure::Value, 5, 50),
    ];
    let [last] = brought.as_slice() else {
        panic!("{brought:?}")
    };
    assert_eq!((last.week, told(last)), (week, figures.to_vec()));
    assert!(last.is_latest(days(20)) && !last.is_latest(days(21)));
    let late = days(15);
    for notice in due(&ledger, late.as_millis()).await {
        ledger.fare(vec![(notice, Fate::Done)]).await.unwrap();
    }
    drop(ledger);
    let ledger = telling(home);
    for at in [days(15), days(16), days(20)] {
        adds(&ledger, at).await;
        assert_eq!(weeks(&ledger, at).await, [], "once");
    }
}

pub(super) async fn of_weeks_in_which_a_gateway_was_off_the_last_is_told_alone(home: &dyn Home) {
    let week = Week::of(monday());
    {
        let ledger = telling(home);
        for back in (0..3).rev() {
            let tuesday = week.before(back).begins().plus(Duration::from_hours(24));
            ledger.add_up(&flows(5, 1, week.before(back)), tuesday).await.unwrap();
        }
    }
    let ledger = telling(home);
    let late = days(17);
    adds(&ledger, late).await;
    let found = weeks(&ledger, late).await;
    // beside what was written while it was on, and that it was off for too long to send
    let of: Vec<(Week, bool)> = found
        .iter()
        .map(|brought| (brought.week, brought.is_latest(late)))
        .collect();
    assert_eq!(of, [(week.before(2), false), (week, true)]);
    let again = due(&ledger, late.plus(AFTER).as_millis()).await;
    assert_eq!(again[1].since, late, "it is tried from now on");
}

pub(super) async fn a_week_of_which_nothing_is_told_is_no_news_and_nobody_hears_of_weeks_where_nobody_is_told_of_them(
    home: &dyn Home,
) {
    let week = Week::of(monday());
    let ledger = telling(home);
    ledger.add_up(&flows(4, 9, week), days(1)).await.unwrap();
    adds(&ledger, days(15)).await;
    assert_eq!(weeks(&ledger, days(15)).await, []);
    drop(ledger);
    let ledger = home.open().unwrap();
    let next = week.next().next();
    ledger.add_up(&flows(5, 1, next), days(15)).await.unwrap();
    adds(&ledger, days(29)).await;
    assert_eq!(weeks(&ledger, days(29)).await, []);
    // from now on they are told
    ledger.tells_weeks(AFTER);
    adds(&ledger, days(36)).await;
    assert_eq!(
        weeks(&ledger, days(36)).await,
        [],
        "of the week after that nothing is told"
    );
}

pub(super) async fn a_clock_that_was_ahead_for_a_moment_costs_nobody_a_week(home: &dyn Home) {
    let ledger = telling(home);
    let week = Week::of(monday());
    adds(&ledger, days(22)).await;
    assert_eq!(weeks(&ledger, days(22)).await, [], "nothing is told of any week yet");
    // and right again: what is used this week counts in the next
    ledger.add_up(&flows(5, 1, week), days(1)).await.unwrap();
    adds(&ledger, days(22)).await;
    let found = weeks(&ledger, days(22)).await;
    let of: Vec<Week> = found.iter().map(|brought| brought.week).collect();
    assert_eq!(of, [week.next()]);
}

pub(super) async fn what_is_to_be_told_of_a_week_becomes_letters_each_of_which_fares_by_itself(home: &dyn Home) {
    let ledger = telling(home);
    ledger.add_up(&flows(5, 1, Week::of(monday())), days(1)).await.unwrap();
    adds(&ledger, days(15)).await;
    let at = days(15).as_millis();
    let notice = due(&ledger, at).await.remove(0);
    assert_eq!(notice.letter, None);
    let letter = |way: &str| Letter {
        way: way.to_owned(),
        to: "mia".to_owned(),
    };
    let addressed = Fate::Addressed(vec![letter("bell"), letter("email")], None);
    ledger.fare(vec![(notice.clone(), addressed.clone())]).await.unwrap();
    let both = due(&ledger, at).await;
    let ways = |notices: &[Notice]| -> Vec<String> {
        let letters = notices.iter().map(|notice| notice.letter.clone().unwrap().way);
        letters.collect()
    };
    assert_eq!(ways(&both), ["bell", "email"]);
    assert!(both.iter().all(|letter| letter.about == notice.about));
    let fates = [Fate::Done, Fate::Again(moment(at + 10_000))];
    ledger.fare(both.into_iter().zip(fates).collect()).await.unwrap();
    assert_eq!(due(&ledger, at + 9_999).await, []);
    let again = due(&ledger, at + 10_000).await;
    assert_eq!((ways(&again), again[0].tries), (vec!["email".to_owned()], 1));
    ledger.fare(vec![(again[0].clone(), Fate::Untried)]).await.unwrap();
    assert_eq!(due(&ledger, at + 10_000).await, again);
    ledger
        .fare(vec![(again[0].clone(), Fate::Done), (notice, addressed)])
        .await
        .unwrap();
    assert_eq!(ledger.due(outbox::claim(at * 2)).await.unwrap(), Due::default());
}

pub(super) async fn a_week_that_nobody_can_name_is_put_off(home: &dyn Home) {
    let ledger = telling(home);
    ledger.add_up(&flows(5, 1, Week::of(monday())), days(1)).await.unwrap();
    adds(&ledger, days(15)).await;
    drop(ledger);
    home.runs("UPDATE notices SET id = 'someday'");
    let ledger = telling(home);
    let found = ledger.due(outbox::claim(days(15).as_millis())).await.unwrap();
    assert_eq!((found.waiting, found.notices), (1, Vec::new()));
}

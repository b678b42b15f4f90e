//! Looking through the book from its end, a piece at a time.

use std::time::Duration;

use super::*;
use crate::audit::{Bookmark, Bounds, Filter, Found, decisions, line_at, lines_of};
use crate::facts::SubjectId;

/// Flows of several people, an hour apart, across segments, with lines between them that decide nothing.
async fn book(folder: &Path, flows: u64) -> Vec<RecordId> {
    let clock = Clock::fixed(noon());
    let small = Settings {
        segment_bytes: 6000,
        ..settings(folder)
    };
    let (book, _) = Book::open(&small, clock.clone(), Vec::new()).unwrap();
    let mut ids = Vec::new();
    for number in 0..flows {
        let mut entry = book.enter(clock.now(), peer()).await.unwrap();
        ids.push(entry.id().clone());
        entry.saw(seen(if number % 2 == 0 { "ada" } else { "bob" }, "/feed/"));
        entry.decided(decided(if number % 3 == 0 { Outcome::Deny } else { Outcome::Allow }));
        if number % 5 == 0 {
            entry.commit().await.unwrap();
        }
        entry.close(completed());
        drop(book.enter(clock.now(), peer()).await.unwrap());
        book.write(book.record(started())).await.unwrap();
        clock.advance(Duration::from_hours(1));
    }
    book.close().await.unwrap();
    ids
}

fn found(folder: &Path, filter: &Filter, from: Option<Bookmark>, bounds: Bounds) -> Found {
    decisions(folder, (filter, from), bounds, |_| true).unwrap()
}

/// All that is found, one bounded piece after the other, and how many pieces it took.
fn all_found(folder: &Path, filter: &Filter, bounds: Bounds) -> (Vec<RecordId>, usize) {
    let (mut ids, mut from, mut pieces) = (Vec::new(), None, 0);
    loop {
        let piece = found(folder, filter, from, bounds);
        assert!(piece.records.len() <= bounds.records);
        ids.extend(piece.records.into_iter().map(|record| record.id));
        pieces += 1;
        from = piece.next;
        if from.is_none() {
            return (ids, pieces);
        }
    }
}

const MUCH: Bounds = Bounds {
    records: 1000,
    bytes: u64::MAX,
};

#[tokio::test]
async fn the_newest_decisions_come_first_and_pages_neither_repeat_nor_leave_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut ids = book(folder.path(), 60).await;
    ids.reverse();
    assert!(verify(folder.path()).unwrap().segments > 5);
    let filter = Filter::default();
    assert_eq!(all_found(folder.path(), &filter, MUCH), (ids.clone(), 1));
    for records in [1, 7, 60] {
        let (came, pieces) = all_found(folder.path(), &filter, Bounds { records, ..MUCH });
        assert_eq!((came, pieces >= 60 / records), (ids.clone(), true), "{records}");
    }
    // however little one call may read, the next goes on where it stopped
    let (came, pieces) = all_found(folder.path(), &filter, Bounds { bytes: 1, ..MUCH });
    assert_eq!(came, ids);
    assert!(pieces > 5, "{pieces}");
}

#[tokio::test]
async fn what_is_written_between_two_pages_is_on_neither() {
    let folder = tempfile::tempdir().unwrap();
    let ids = book(folder.path(), 6).await;
    let two = Bounds { records: 2, ..MUCH };
    let first = found(folder.path(), &Filter::default(), None, two);
    let (other, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    flow(&other, false).await;
    other.close().await.unwrap();
    let second = found(folder.path(), &Filter::default(), first.next, two);
    let came: Vec<&RecordId> = second.records.iter().map(|record| &record.id).collect();
    assert_eq!(came, [&ids[3], &ids[2]]);
}

#[tokio::test]
async fn a_time_is_found_without_reading_what_is_far_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let ids = book(folder.path(), 60).await;
    let at = |hours: u64| Some(noon().plus(Duration::from_hours(hours)));
    let filter = Filter {
        since: at(20),
        until: at(23),
        ..Filter::default()
    };
    let expected: Vec<RecordId> = ids[20..23].iter().rev().cloned().collect();
    let piece = found(folder.path(), &filter, None, MUCH);
    let came: Vec<RecordId> = piece.records.into_iter().map(|record| record.id).collect();
    assert_eq!((came, piece.next), (expected, None));
    // it stopped where everything older had ended before
    let reached = piece.reached.unwrap();
    assert!(reached >= noon().plus(Duration::from_hours(18)), "{reached}");
    for (filter, count) in [
        (
            Filter {
                until: at(0),
                ..Filter::default()
            },
            0,
        ),
        (
            Filter {
                since: at(100),
                ..Filter::default()
            },
            0,
        ),
        (
            Filter {
                until: at(100),
                ..Filter::default()
            },
            60,
        ),
        (
            Filter {
                since: at(59),
                ..Filter::default()
            },
            1,
        ),
    ] {
        assert_eq!(
            found(folder.path(), &filter, None, MUCH).records.len(),
            count,
            "{filter:?}"
        );
    }
}

#[tokio::test]
async fn whom_the_caller_does_not_admit_is_left_out_before_it_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    book(folder.path(), 20).await;
    let of_bob = |record: &Record| match &record.act {
        Act::Closing { seen, .. } => seen
            .subject
            .as_ref()
            .is_some_and(|who| who.id == SubjectId::parse("bob").unwrap()),
        Act::Opening { .. }
        | Act::Stray { .. }
        | Act::Grant { .. }
        | Act::Token { .. }
        | Act::Access { .. }
        | Act::Gateway { .. } => false,
    };
    let five = Bounds { records: 5, ..MUCH };
    let filter = Filter {
        outcome: Some(Outcome::Allow),
        ..Filter::default()
    };
    let piece = decisions(folder.path(), (&filter, None), five, of_bob).unwrap();
    assert_eq!(piece.records.len(), 5);
    assert!(piece.records.iter().all(of_bob));
}

#[tokio::test]
async fn all_lines_of_a_flow_are_found_by_its_name_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let ids = book(folder.path(), 60).await;
    for (number, id) in ids.iter().enumerate() {
        let lines = lines_of(folder.path(), id, u64::MAX).unwrap().records;
        let kinds: Vec<&str> = lines.iter().map(kind).collect();
        let expected: &[&str] = if number % 5 == 0 {
            &["opening", "closing"]
        } else {
            &["closing"]
        };
        assert_eq!(kinds, expected);
        assert!(lines.iter().all(|record| record.id == *id));
    }
    for name in [
        "one",
        &noon().fresh_name(),
        &noon().plus(Duration::from_hours(500)).fresh_name(),
    ] {
        assert!(
            lines_of(folder.path(), &RecordId::new(name), u64::MAX)
                .unwrap()
                .records
                .is_empty()
        );
    }
    // no more is read than that, and that is told
    let none = lines_of(folder.path(), &ids[40], 0).unwrap();
    assert!(none.records.is_empty() && none.cut_short);
    assert!(!lines_of(folder.path(), &ids[40], u64::MAX).unwrap().cut_short);
}

#[tokio::test]
async fn a_line_that_was_found_is_found_again_where_it_is_however_far_its_flow_began() {
    let folder = tempfile::tempdir().unwrap();
    book(folder.path(), 60).await;
    let mut from = None;
    loop {
        let piece = found(folder.path(), &Filter::default(), from, Bounds { records: 7, ..MUCH });
        assert_eq!(piece.records.len(), piece.lines.len());
        for (record, line) in piece.records.iter().zip(&piece.lines) {
            let there = line_at(folder.path(), &record.id, *line).unwrap();
            assert_eq!(there.as_ref(), Some(record));
            assert_eq!(line_at(folder.path(), &RecordId::new("other"), *line).unwrap(), None);
        }
        from = piece.next;
        if from.is_none() {
            break;
        }
    }
    let nowhere = line_at(folder.path(), &RecordId::new("x"), "99-0".parse().unwrap());
    assert_eq!(nowhere.unwrap(), None);
}

#[tokio::test]
async fn a_line_that_cannot_be_read_is_counted_and_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let ids = book(folder.path(), 3).await;
    let file = folder.path().join("records-00000001.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let broken = text.replacen(&format!("\"id\":\"{}\"", ids[1]), "\"id\":", 1);
    std::fs::write(&file, format!("{broken}{{\"seq\":9")).unwrap();
    let piece = found(folder.path(), &Filter::default(), None, MUCH);
    assert_eq!((piece.records.len(), piece.unreadable), (2, 1));
}

#[test]
fn a_bookmark_is_read_as_it_was_written_and_nothing_else_is_one() {
    for text in ["1-0", "12-3456"] {
        assert_eq!(text.parse::<Bookmark>().unwrap().to_string(), text);
    }
    for text in ["", "1", "-", "1-", "+1-2", "01-2", "1-2-3", "one-two"] {
        assert!(text.parse::<Bookmark>().is_err(), "{text}");
    }
}

/// A flow of Bob's.
async fn one(book: &Book, clock: &Clock) -> RecordId {
    let mut entry = book.enter(clock.now(), peer()).await.unwrap();
    let id = entry.id().clone();
    entry.saw(seen("bob", "/feed/"));
    entry.decided(decided(Outcome::Allow));
    entry.close(completed());
    id
}

#[tokio::test]
async fn what_a_start_says_of_flows_that_a_crash_left_open_ends_no_search() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::fixed(noon());
    let (book, _) = Book::open(&settings(folder.path()), clock.clone(), Vec::new()).unwrap();
    // as a crash leaves them: openings without closings, more than what is read without halving
    let many = 100;
    for _ in 0..many {
        let opening = book.record(Act::Opening {
            seen: Box::new(seen("ada", "/feed/")),
            decided: Box::new(decided(Outcome::Allow)),
        });
        book.note(&opening);
    }
    let mut ids = Vec::new();
    for _ in 0..5 {
        clock.advance(Duration::from_mins(30));
        ids.push(one(&book, &clock).await);
    }
    book.close().await.unwrap();
    let (book, repairs) = Book::open(&settings(folder.path()), clock.clone(), Vec::new()).unwrap();
    assert_eq!(repairs.len(), many);
    book.close().await.unwrap();
    // one is found by its name, though most that stands behind it seems to be from before it
    assert_eq!(lines_of(folder.path(), &ids[4], u64::MAX).unwrap().records.len(), 1);
    let (book, _) = Book::open(&settings(folder.path()), clock.clone(), Vec::new()).unwrap();
    clock.advance(Duration::from_mins(30));
    ids.push(one(&book, &clock).await);
    book.close().await.unwrap();
    // and all since an hour after the openings: the second to the sixth of Bob's
    let filter = Filter {
        since: Some(noon().plus(Duration::from_hours(1))),
        ..Filter::default()
    };
    let piece = found(folder.path(), &filter, None, MUCH);
    let came: Vec<RecordId> = piece.records.into_iter().map(|record| record.id).collect();
    let expected: Vec<RecordId> = ids[1..].iter().rev().cloned().collect();
    assert_eq!((came, piece.next.is_none()), (expected, true));
}

/// Six days of which each has a segment, with one flow of Bob's a day: but all that stands in one of them is that Ada's flow
/// began, which is over on the next day. And the days on which the flows began.
async fn with_a_quiet_day(folder: &Path, quiet: u64) -> (Vec<RecordId>, Vec<u64>) {
    let clock = Clock::fixed(noon());
    let (book, _) = Book::open(&settings(folder), clock.clone(), Vec::new()).unwrap();
    let (mut ids, mut days) = (Vec::new(), Vec::new());
    let mut long = None;
    for day in 0..6 {
        if day == quiet {
            let mut entry = book.enter(clock.now(), peer()).await.unwrap();
            entry.saw(seen("ada", "/feed/"));
            entry.decided(decided(Outcome::Allow));
            entry.commit().await.unwrap();
            ids.push(entry.id().clone());
            long = Some(entry);
        } else if let Some(entry) = long.take() {
            entry.close(completed());
        } else {
            ids.push(one(&book, &clock).await);
        }
        if day != quiet {
            // all of this day is written before the next one
            book.write(book.record(started())).await.unwrap();
        }
        if ids.len() > days.len() {
            days.push(day);
        }
        clock.advance(Duration::from_hours(24));
    }
    book.close().await.unwrap();
    assert_eq!(verify(folder).unwrap().segments, 6);
    (ids, days)
}

#[tokio::test]
async fn a_day_of_which_nothing_but_a_beginning_is_known_hides_no_other_from_a_search() {
    // halving looks at one of them at least
    for quiet in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let (ids, days) = with_a_quiet_day(folder.path(), quiet).await;
        for until in 0..9 {
            let filter = Filter {
                until: Some(noon().plus(Duration::from_hours(24 * until + 1))),
                ..Filter::default()
            };
            let (mut came, _) = all_found(folder.path(), &filter, MUCH);
            came.reverse();
            let expected = days.iter().filter(|day| **day <= until).count();
            assert_eq!(came, ids[..expected], "{quiet} is quiet, until {until}");
        }
        for id in &ids {
            assert!(!lines_of(folder.path(), id, u64::MAX).unwrap().records.is_empty());
        }
    }
}

#[tokio::test]
async fn how_long_a_flow_took_begins_where_its_client_began_to_wait_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let one_line = Settings {
        queue: 1,
        sync_ms: 200,
        ..settings(folder.path())
    };
    let (book, _) = Book::open(&one_line, clock(), Vec::new()).unwrap();
    // this line waits for company, and the next flow for its place
    book.note(&book.record(started()));
    let began = std::time::Instant::now();
    let mut entry = book.enter(noon(), peer()).await.unwrap();
    let waited = u64::try_from(began.elapsed().as_millis()).unwrap();
    entry.saw(seen("bob", "/feed/"));
    entry.decided(decided(Outcome::Allow));
    entry.close(completed());
    book.close().await.unwrap();
    let piece = found(folder.path(), &Filter::default(), None, MUCH);
    let Act::Closing { ended, .. } = &piece.records[0].act else {
        panic!("{:?}", piece.records)
    };
    assert!(
        ended.duration_ms >= waited.saturating_sub(1),
        "{} of {waited}",
        ended.duration_ms
    );
}

//! Reading the book back, also while it is being written.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn whoever_follows_sees_new_lines_also_across_segments() {
    let folder = tempfile::tempdir().unwrap();
    let small = Settings {
        segment_bytes: 3000,
        ..settings(folder.path())
    };
    let (book, _) = Book::open(&small, clock(), Vec::new()).unwrap();
    let mut follower = read(folder.path()).unwrap();
    assert!(follower.next().is_none());
    for _ in 0..10 {
        let id = flow(&book, true).await;
        book.flush().await.unwrap();
        let ids: Vec<RecordId> = follower.by_ref().map(|found| found.unwrap().1.id).collect();
        assert_eq!(ids, [id.clone(), id]);
    }
    assert!(verify(folder.path()).unwrap().segments > 2);
}

#[tokio::test]
async fn whoever_follows_waits_for_the_rest_of_an_unfinished_line() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    flow(&book, false).await;
    book.close().await.unwrap();
    let file = folder.path().join("records-00000001.jsonl");
    let whole = std::fs::read(&file).unwrap();
    let mut follower = read(folder.path()).unwrap();
    for half in 1..whole.len() {
        std::fs::write(&file, &whole[..half]).unwrap();
        assert!(follower.next().is_none(), "{half}");
    }
    std::fs::write(&file, &whole).unwrap();
    let (position, _) = follower.next().unwrap().unwrap();
    assert_eq!((position.line, position.seq), (1, 1));
}

#[tokio::test]
async fn a_filter_admits_what_fits_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    flow(&book, false).await;
    book.close().await.unwrap();
    let record = all(folder.path()).remove(0);
    let fits = |filter: Filter| filter.admits(&record);
    assert!(fits(Filter::default()));
    assert!(fits(Filter {
        user: Some("ada".to_owned()),
        outcome: Some(Outcome::Allow),
        platform: Some("linkedin".to_owned()),
        since: Some(noon()),
        until: Some(noon().plus(Duration::from_millis(1))),
        activity: Some("post".to_owned()),
        purpose: None,
    }));
    for misfit in [
        Filter {
            user: Some("bob".to_owned()),
            ..Filter::default()
        },
        Filter {
            outcome: Some(Outcome::Deny),
            ..Filter::default()
        },
        Filter {
            platform: Some("x".to_owned()),
            ..Filter::default()
        },
        Filter {
            since: Some(noon().plus(Duration::from_millis(1))),
            ..Filter::default()
        },
        Filter {
            until: Some(noon()),
            ..Filter::default()
        },
        Filter {
            activity: Some("browse".to_owned()),
            ..Filter::default()
        },
        Filter {
            purpose: Some("recruiting".to_owned()),
            ..Filter::default()
        },
    ] {
        assert!(!fits(misfit.clone()), "{misfit:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_book_that_is_being_written_can_be_read_and_holds_at_every_moment() {
    let folder = tempfile::tempdir().unwrap();
    let small = Settings {
        segment_bytes: 3000,
        ..settings(folder.path())
    };
    let (book, _) = Book::open(&small, clock(), Vec::new()).unwrap();
    let mut follower = read(folder.path()).unwrap();
    let mut writing = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let book = book.clone();
        writing.spawn(async move {
            for _ in 0..50 {
                flow(&book, true).await;
            }
        });
    }
    let mut given = 0;
    while writing.try_join_next().is_none_or(|done| done.is_ok()) && !writing.is_empty() {
        verify(folder.path()).unwrap();
        given += follower.by_ref().map(Result::unwrap).count();
    }
    book.close().await.unwrap();
    given += follower.by_ref().map(Result::unwrap).count();
    assert_eq!(given, 4 * 50 * 2);
    assert_eq!(verify(folder.path()).unwrap().lines, 4 * 50 * 2);
}

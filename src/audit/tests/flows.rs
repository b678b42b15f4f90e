//! What happens to a flow's record while nothing goes wrong, and how the book grows.

use std::future::{Future, ready};
use std::os::unix::fs::PermissionsExt as _;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::*;
use crate::facts::{Blame, FaultCode, GrantId, PurposeId, Stage};

/// Whether a future would wait now.
pub(super) async fn waits<F: Future>(future: Pin<&mut F>) -> bool {
    tokio::select! {
        biased;
        _ = future => false,
        () = ready(()) => true,
    }
}

#[tokio::test]
async fn a_flow_leaves_one_line_that_tells_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (book, repairs) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    assert_eq!(repairs, []);
    let mut entry = book.enter(noon(), peer()).await.unwrap();
    let id = entry.id().clone();
    entry.saw(seen("ada", "/feed/"));
    entry.decided(decided(Outcome::Allow));
    entry.counters().up.fetch_add(10, Ordering::Relaxed);
    entry.counters().down.fetch_add(2000, Ordering::Relaxed);
    entry.close(completed());
    book.close().await.unwrap();

    let records = all(folder.path());
    let [record] = records.as_slice() else {
        panic!("one record, not {}", records.len())
    };
    assert_eq!((&record.id, record.at), (&id, noon()));
    let Act::Closing {
        seen: recorded,
        decided: note,
        ended,
    } = &record.act
    else {
        panic!("{record:?}")
    };
    assert_eq!(**recorded, seen("ada", "/feed/"));
    assert_eq!(note.as_deref(), Some(&decided(Outcome::Allow)));
    assert_eq!((ended.end.clone(), ended.status), (End::Completed, Some(200)));
    assert_eq!((ended.bytes_up, ended.bytes_down, ended.decrypted), (10, 2000, true));
    assert_eq!(verify(folder.path()).unwrap().lines, 1);
}

#[tokio::test]
async fn a_line_begins_with_its_place_in_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    flow(&book, true).await;
    book.close().await.unwrap();
    let text = std::fs::read_to_string(folder.path().join("records-00000001.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let zeros = "0".repeat(64);
    assert!(lines[0].starts_with(&format!(r#"{{"seq":1,"prev":"{zeros}","id":""#)));
    let hash = chain::Hash::of(lines[0].as_bytes());
    assert!(lines[1].starts_with(&format!(r#"{{"seq":2,"prev":"{hash}","id":""#)));
    assert!(text.ends_with('\n'));
}

#[tokio::test]
async fn an_opening_is_on_disk_when_its_flow_may_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    let mut entry = book.enter(noon(), peer()).await.unwrap();
    entry.saw(seen("ada", "/feed/"));
    entry.decided(decided(Outcome::Allow));
    entry.commit().await.unwrap();
    entry.commit().await.unwrap();
    assert_eq!(kinds(folder.path()), ["opening"]);
    let id = entry.id().clone();
    entry.close(completed());
    book.close().await.unwrap();
    assert_eq!(kinds(folder.path()), ["opening", "closing"]);
    assert!(all(folder.path()).iter().all(|record| record.id == id));
    assert_eq!(find(folder.path(), &id).unwrap().len(), 2);
}

#[tokio::test]
async fn a_flow_that_was_not_judged_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    let mut entry = book.enter(noon(), peer()).await.unwrap();
    assert!(entry.commit().await.is_err());
    entry.saw(seen("ada", "/feed/"));
    assert!(entry.commit().await.is_err());
}

#[tokio::test]
async fn a_dropped_entry_is_recorded_as_abandoned_with_what_was_known() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    let mut entry = book.enter(noon(), peer()).await.unwrap();
    entry.saw(seen("ada", "/feed/"));
    entry.counters().reads_content();
    drop(entry);
    book.close().await.unwrap();
    let records = all(folder.path());
    assert_eq!(records.len(), 1);
    let Act::Closing { decided, ended, .. } = &records[0].act else {
        panic!("{records:?}")
    };
    assert_eq!(
        (&ended.end, ended.status, ended.decrypted),
        (&End::Abandoned, None, true)
    );
    assert_eq!(*decided, None);
}

#[tokio::test]
async fn a_flow_that_is_cut_is_recorded_as_it_stood_and_one_that_says_its_end_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    for told in [false, true] {
        let mut entry = book.enter(noon(), peer()).await.unwrap();
        entry.saw(seen("ada", "/feed/"));
        entry.stands(200);
        entry.counters().reads_content();
        if told {
            entry.close(Closing {
                end: End::Completed,
                status: None,
                decrypted: false,
            });
        }
    }
    book.close().await.unwrap();
    let ends = all(folder.path()).into_iter().map(|record| {
        let Act::Closing { ended, .. } = record.act else {
            panic!("{record:?}")
        };
        (ended.end, ended.status, ended.decrypted)
    });
    assert_eq!(
        ends.collect::<Vec<_>>(),
        [(End::Abandoned, Some(200), true), (End::Completed, None, true)]
    );
}

#[tokio::test]
async fn a_task_that_is_aborted_still_leaves_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    let mut entry = book.enter(noon(), peer()).await.unwrap();
    entry.saw(seen("ada", "/feed/"));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        std::future::pending::<()>().await;
        drop(entry);
    });
    tasks.shutdown().await;
    book.close().await.unwrap();
    assert_eq!(kinds(folder.path()), ["closing"]);
}

#[tokio::test]
async fn a_connection_that_never_asked_is_a_stray() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    let end = End::Failed {
        blame: Blame::Client,
        stage: Stage::Arrive,
        code: FaultCode::BadRequest,
    };
    book.enter(noon(), peer()).await.unwrap().close(Closing {
        end: end.clone(),
        status: Some(400),
        decrypted: false,
    });
    book.close().await.unwrap();
    let records = all(folder.path());
    let Act::Stray { client, ended } = &records[0].act else {
        panic!("{records:?}")
    };
    assert_eq!((*client, &ended.end), (peer(), &end));
}

#[tokio::test]
async fn readers_see_every_ending_and_act_once_and_no_opening() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, shown) = remembering();
    let (book, _) = Book::open(&settings(folder.path()), clock(), vec![reader]).unwrap();
    book.write(book.record(started())).await.unwrap();
    flow(&book, true).await;
    drop(book.enter(noon(), peer()).await.unwrap());
    book.note(&book.record(started()));
    book.close().await.unwrap();
    let shown: Vec<&str> = shown.lock().unwrap().iter().map(kind).collect();
    assert_eq!(shown, ["gateway", "closing", "stray", "gateway"]);
    assert_eq!(
        kinds(folder.path()),
        ["gateway", "opening", "closing", "stray", "gateway"]
    );
}

#[tokio::test]
async fn an_act_is_on_disk_when_it_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    book.write(book.record(started())).await.unwrap();
    assert_eq!(kinds(folder.path()), ["gateway"]);
}

#[tokio::test]
async fn reading_flows_are_on_disk_after_a_flush_though_nobody_waited_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let patient = Settings {
        sync_ms: 3_600_000,
        ..settings(folder.path())
    };
    let (book, _) = Book::open(&patient, clock(), Vec::new()).unwrap();
    for _ in 0..5 {
        flow(&book, false).await;
    }
    assert!(book.queue_len() > 0, "an hour's linger");
    book.flush().await.unwrap();
    assert_eq!(book.queue_len(), 0);
    assert_eq!(kinds(folder.path()).len(), 5);
}

#[tokio::test]
async fn the_book_waits_for_open_entries_before_it_closes_and_admits_no_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    let entry = book.enter(noon(), peer()).await.unwrap();
    let mut closing = pin!(book.clone().close());
    assert!(waits(closing.as_mut()).await);
    assert!(book.enter(noon(), peer()).await.is_err());
    drop(entry);
    closing.await.unwrap();
    assert_eq!(kinds(folder.path()), ["stray"]);
    assert!(book.write(book.record(started())).await.is_err());
    assert!(book.flush().await.is_err());
    assert!(book.healthy().is_err());
}

#[tokio::test]
async fn dropping_the_last_handle_writes_everything_too() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    let entry = book.enter(noon(), peer()).await.unwrap();
    flow(&book, false).await;
    drop(book);
    drop(entry);
    assert_eq!(kinds(folder.path()), ["closing", "stray"]);
    assert_eq!(verify(folder.path()).unwrap().lines, 2);
}

#[tokio::test]
async fn a_book_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let (book, repairs) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
        assert_eq!(repairs, []);
        flow(&book, true).await;
        book.close().await.unwrap();
    }
    let verified = verify(folder.path()).unwrap();
    assert_eq!((verified.segments, verified.first, verified.last()), (1, 1, 6));
}

#[tokio::test]
async fn a_full_segment_is_sealed_and_the_chain_goes_on_in_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let small = Settings {
        segment_bytes: 3000,
        ..settings(folder.path())
    };
    let (book, _) = Book::open(&small, clock(), Vec::new()).unwrap();
    for _ in 0..20 {
        flow(&book, false).await;
    }
    book.close().await.unwrap();
    let verified = verify(folder.path()).unwrap();
    assert!(verified.segments > 3, "{verified:?}");
    assert_eq!((verified.sealed, verified.lines), (verified.segments - 1, 20));
    for n in 1..=verified.sealed {
        let size = std::fs::metadata(folder.path().join(format!("records-{n:08}.jsonl")))
            .unwrap()
            .len();
        assert!(size <= 3000, "{size}");
    }
    // the same book, reopened, holds and goes on
    let (book, _) = Book::open(&small, clock(), Vec::new()).unwrap();
    flow(&book, true).await;
    book.close().await.unwrap();
    assert_eq!(verify(folder.path()).unwrap().lines, 22);
}

#[tokio::test]
async fn a_line_longer_than_a_segment_has_one_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = Settings {
        segment_bytes: 1,
        ..settings(folder.path())
    };
    let (book, _) = Book::open(&tiny, clock(), Vec::new()).unwrap();
    for _ in 0..3 {
        flow(&book, false).await;
    }
    book.close().await.unwrap();
    let verified = verify(folder.path()).unwrap();
    assert_eq!((verified.segments, verified.lines), (3, 3));
}

#[tokio::test]
async fn a_record_that_nobody_could_read_back_is_not_taken_and_the_book_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |bytes: usize| Act::Gateway {
        act: GatewayAct::RulebookRefused {
            problems: vec!["x".repeat(bytes)],
        },
        rulebook: RulebookId::new("sha256:1"),
    };
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    let longest = book.write(book.record(refused(15 * 1024 * 1024 - 1_000))).await;
    longest.unwrap();
    let longer = book.write(book.record(refused(15 * 1024 * 1024))).await;
    let longer = longer.unwrap_err().to_string();
    assert!(longer.contains("is longer than 15728640"), "{longer}");
    flow(&book, true).await;
    book.close().await.unwrap();
    assert_eq!(verify(folder.path()).unwrap().lines, 3);
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    book.close().await.unwrap();
}

#[tokio::test]
async fn every_day_has_its_own_segment_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let clock = clock();
    let (book, _) = Book::open(&settings(folder.path()), clock.clone(), Vec::new()).unwrap();
    flow(&book, true).await;
    flow(&book, true).await;
    assert_eq!(verify(folder.path()).unwrap().segments, 1);
    clock.advance(Duration::from_hours(24));
    flow(&book, true).await;
    assert_eq!(verify(folder.path()).unwrap().segments, 2);
    book.close().await.unwrap();
    clock.advance(Duration::from_hours(24));
    let (book, _) = Book::open(&settings(folder.path()), clock.clone(), Vec::new()).unwrap();
    flow(&book, true).await;
    book.close().await.unwrap();
    let verified = verify(folder.path()).unwrap();
    assert_eq!((verified.segments, verified.sealed, verified.lines), (3, 2, 8));
}

#[tokio::test]
async fn two_gateways_cannot_write_into_one_book() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    let second = Book::open(&settings(folder.path()), clock(), Vec::new());
    assert!(matches!(second, Err(BookError::InUse(_))));
    book.close().await.unwrap();
    assert!(Book::open(&settings(folder.path()), clock(), Vec::new()).is_ok());
}

#[test]
fn records_and_keys_are_for_their_owner_only() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("state/records");
    let (book, _) = Book::open(&settings(&folder), clock(), Vec::new()).unwrap();
    drop(book);
    let mode = |name: &str| std::fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("."), 0o700);
    assert_eq!(mode("seal.key"), 0o600);
    assert_eq!(mode("records-00000001.jsonl"), 0o600);
}

#[test]
fn settings_have_one_spelling() {
    let read: Settings = toml::from_str("folder = \"x\"\non_full = \"refuse\"\n").unwrap();
    assert_eq!((read.on_full, read.queue), (OnFull::Refuse, 8192));
    assert_eq!(Settings::default().folder, PathBuf::from("state/records"));
    assert_eq!(
        Settings::default().sync_ms,
        100,
        "no reading flow waits longer for the disk"
    );
    assert!(toml::from_str::<Settings>("fodler = \"x\"").is_err());
}

#[tokio::test]
async fn what_lasts_is_found_until_it_ends_also_where_it_turns_into_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    let mut entry = book.enter(noon(), peer()).await.unwrap();
    entry.lasts(Lasting::Tunnel);
    assert_eq!(book.open_flows().len(), 0, "nobody judged it");
    let mut observed = seen("ada", "/feed/");
    let grant = serde_json::json!({
        "id": "g", "subject": "ada", "purpose": "recruiting", "platforms": ["linkedin"], "covers": ["read"],
        "channel": "portal", "declared_at": noon(), "not_before": noon(), "state": "active",
        "expires": noon().plus(Duration::from_hours(1)), "statement": "A nurse for Ghent",
    });
    observed.standing = Standing::new([serde_json::from_value(grant).unwrap()], noon());
    assert_eq!(observed.standing.grants().len(), 1);
    entry.saw(observed);
    entry.decided(decided(Outcome::Allow));
    for kind in [Lasting::Tunnel, Lasting::Socket] {
        entry.lasts(kind);
        let open = book.open_flows();
        assert_eq!(open.iter().map(|flow| flow.kind).collect::<Vec<_>>(), [kind]);
        let (seen, _) = open[0].judged().unwrap();
        assert!(
            seen.standing.grants().is_empty(),
            "what people wrote is not kept for as long as it lasts"
        );
    }
    let under = |grant: &str| Filter {
        grant: Some(GrantId::new(grant)),
        ..Filter::default()
    };
    let found = |grant: &str| {
        book.open_flows()
            .iter()
            .filter(|flow| under(grant).admits(&flow.record))
            .count()
    };
    assert_eq!([found("g"), found("h")], [0, 0], "it passed under none");
    for grant in ["g", "h"] {
        let purpose = PurposeId::new("recruiting");
        entry.counters().rests_on(Some((GrantId::new(grant), purpose.clone())));
        let open = book.open_flows();
        let (_, note) = open[0].judged().unwrap();
        assert_eq!(
            (&note.grant, &note.purpose),
            (&Some(GrantId::new(grant)), &Some(purpose))
        );
    }
    assert_eq!([found("g"), found("h")], [0, 1], "the one on which it rests by now");
    entry.close(completed());
    assert_eq!(book.open_flows().len(), 0);
    book.close().await.unwrap();
}

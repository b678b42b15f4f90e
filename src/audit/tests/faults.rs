//! What the book does while the disk fails: no record, no access; nothing accepted is lost.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::pin;
use std::sync::Condvar;
use std::time::Duration;

use super::flows::waits;
use super::*;
use crate::audit::folder::{Folder, Medium};
use crate::audit::opening::open_on;

/// What a test does to the disk.
#[derive(Default)]
struct Weather {
    /// How many more bytes fit; none is no limit.
    room: Option<usize>,
    sync_fails: bool,
    place_fails: bool,
    /// While set, a sync does not return.
    held: bool,
    syncs: usize,
}

#[derive(Clone, Default)]
struct Forecast(Arc<(Mutex<Weather>, Condvar)>);

impl Forecast {
    fn set(&self, change: impl FnOnce(&mut Weather)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }
}

/// The real folder, in bad weather.
struct Flaky {
    folder: Folder,
    forecast: Forecast,
}

/// A real `ENOSPC`.
fn no_space() -> io::Error {
    let full = File::options().write(true).open("/dev/full").unwrap();
    full.write_all_at(b"x", 0).unwrap_err()
}

impl Medium for Flaky {
    fn create(&mut self, name: &str) -> io::Result<()> {
        self.folder.create(name)
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut weather = self.forecast.0.0.lock().unwrap();
        match &mut weather.room {
            Some(room) if *room < bytes.len() => {
                // as a real disk does: what fits is written
                self.folder.write(at, &bytes[..*room])?;
                Err(no_space())
            }
            Some(room) => {
                *room -= bytes.len();
                self.folder.write(at, bytes)
            }
            None => self.folder.write(at, bytes),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let weather = self.forecast.0.0.lock().unwrap();
        let mut weather = self.forecast.0.1.wait_while(weather, |weather| weather.held).unwrap();
        weather.syncs += 1;
        if weather.sync_fails {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.folder.sync()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.folder.truncate(len)
    }

    fn place(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if self.forecast.0.0.lock().unwrap().place_fails {
            return Err(no_space());
        }
        self.folder.place(name, bytes)
    }
}

fn flaky(settings: &Settings) -> (Book, Forecast, Arc<Mutex<Vec<Record>>>) {
    let forecast = Forecast::default();
    let medium_forecast = forecast.clone();
    let (reader, shown) = remembering();
    let (book, _) = open_on(settings, clock(), vec![reader], Duration::from_millis(5), |folder| {
        Box::new(Flaky {
            folder,
            forecast: medium_forecast,
        })
    })
    .unwrap();
    (book, forecast, shown)
}

/// Waits until the writer has found that the disk works again.
async fn recovery(book: &Book) {
    while book.healthy().is_err() {
        tokio::task::yield_now().await;
    }
    book.flush().await.unwrap();
}

async fn judged(book: &Book) -> Entry {
    let mut entry = book.enter(noon(), peer()).await.unwrap();
    entry.saw(seen("ada", "/feed/"));
    entry.decided(decided(Outcome::Allow));
    entry
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_opened_and_everything_accepted_is_written_later() {
    let folder = tempfile::tempdir().unwrap();
    let (book, forecast, shown) = flaky(&settings(folder.path()));
    let before = flow(&book, true).await;
    book.flush().await.unwrap();

    let mut publishing = judged(&book).await;
    let reading = judged(&book).await;
    let late = judged(&book).await;
    forecast.set(|weather| weather.room = Some(100));
    let error = publishing.commit().await.unwrap_err();
    assert!(error.is_kept());
    assert!(error.to_string().contains("No space left on device"), "{error}");
    assert!(error.to_string().contains("records-00000001.jsonl"), "{error}");
    assert!(book.healthy().unwrap_err().contains("No space left"));

    // while it lasts, nobody enters, nothing is acknowledged, and what is open can close
    let refused = book.enter(noon(), peer()).await.err().unwrap();
    assert!(!refused.is_kept());
    assert!(book.write(book.record(started())).await.is_err());
    assert!(book.flush().await.is_err());
    assert!(publishing.commit().await.is_err());
    let ids = [publishing.id().clone(), reading.id().clone(), late.id().clone()];
    publishing.close(completed());
    reading.close(completed());
    assert_eq!(
        verify(folder.path()).unwrap().lines,
        2,
        "no acknowledged line is touched"
    );

    forecast.set(|weather| weather.room = None);
    recovery(&book).await;
    assert_eq!(book.healthy(), Ok(()));
    late.close(completed());
    let after = flow(&book, true).await;
    book.close().await.unwrap();

    let records = all(folder.path());
    for id in ids.iter().chain([&before, &after]) {
        let closings = records
            .iter()
            .filter(|record| record.id == *id && kind(record) == "closing");
        assert_eq!(closings.count(), 1, "{id}");
    }
    assert_eq!(verify(folder.path()).unwrap().unfinished_bytes, 0);
    let told: Vec<(u64, &str)> = records.iter().filter_map(interrupted).collect();
    let [(1, why)] = told.as_slice() else {
        panic!("one gap, with one flow refused, not {told:?}")
    };
    assert!(why.contains("No space left"));
    let shown = shown.lock().unwrap();
    assert_eq!(shown.iter().filter_map(interrupted).count(), 1, "readers see it too");
    assert_eq!(shown.len(), 5 + 1);
}

fn interrupted(record: &Record) -> Option<(u64, &str)> {
    match &record.act {
        Act::Gateway {
            act: GatewayAct::RecordsInterrupted { why, refused, .. },
            ..
        } => Some((*refused, why)),
        Act::Gateway { .. }
        | Act::Grant { .. }
        | Act::Token { .. }
        | Act::Access { .. }
        | Act::Opening { .. }
        | Act::Closing { .. }
        | Act::Stray { .. } => None,
    }
}

#[tokio::test]
async fn a_failed_sync_is_no_acknowledgement_and_the_lines_are_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let (book, forecast, _) = flaky(&settings(folder.path()));
    let mut entry = judged(&book).await;
    forecast.set(|weather| weather.sync_fails = true);
    let error = entry.commit().await.unwrap_err();
    assert!(error.to_string().contains("Input/output error"), "{error}");
    forecast.set(|weather| weather.sync_fails = false);
    recovery(&book).await;
    entry.commit().await.unwrap();
    drop(entry);
    book.close().await.unwrap();
    // the first attempt was accepted and is kept, the second was acknowledged
    assert_eq!(
        kinds(folder.path()).iter().filter(|kind| **kind == "opening").count(),
        2
    );
    verify(folder.path()).unwrap();
}

#[tokio::test]
async fn a_segment_that_cannot_be_sealed_keeps_its_lines_until_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let small = Settings {
        segment_bytes: 3000,
        ..settings(folder.path())
    };
    let (book, forecast, _) = flaky(&small);
    forecast.set(|weather| weather.place_fails = true);
    let mut failed = false;
    for _ in 0..50 {
        // one line may rotate the segment before anybody waits: then the next one does not come in
        let Ok(mut entry) = book.enter(noon(), peer()).await else {
            failed = true;
            break;
        };
        entry.saw(seen("ada", "/feed/"));
        entry.decided(decided(Outcome::Allow));
        if entry.commit().await.is_err() {
            failed = true;
            break;
        }
    }
    assert!(failed);
    forecast.set(|weather| weather.place_fails = false);
    recovery(&book).await;
    flow(&book, true).await;
    book.close().await.unwrap();
    assert!(verify(folder.path()).unwrap().sealed > 0);
}

#[tokio::test]
async fn a_file_of_somebody_else_in_the_place_of_the_next_segment_stays_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = Settings {
        segment_bytes: 1,
        ..settings(folder.path())
    };
    let (book, _, _) = flaky(&tiny);
    flow(&book, true).await;
    book.flush().await.unwrap();
    let next = verify(folder.path()).unwrap().segments + 1;
    let next = folder.path().join(format!("records-{next:08}.jsonl"));
    std::fs::write(&next, "somebody else's").unwrap();
    let refused = judged(&book).await.commit().await.unwrap_err().to_string();
    assert!(refused.contains("is there already"), "{refused}");
    assert_eq!(std::fs::read_to_string(&next).unwrap(), "somebody else's");
    std::fs::remove_file(&next).unwrap();
    recovery(&book).await;
    book.close().await.unwrap();
    verify(folder.path()).unwrap();
}

#[tokio::test]
async fn flows_that_are_turned_away_unrecorded_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (book, forecast, _) = flaky(&settings(folder.path()));
    assert_eq!(book.turned_away(), 0);
    forecast.set(|weather| weather.sync_fails = true);
    judged(&book).await.commit().await.unwrap_err();
    for _ in 0..2 {
        assert!(book.enter(noon(), peer()).await.is_err());
    }
    assert_eq!(book.turned_away(), 2);
    forecast.set(|weather| weather.sync_fails = false);
    recovery(&book).await;
    assert_eq!(book.turned_away(), 2, "it is a count of all times");
    book.close().await.unwrap();
}

#[test]
fn that_records_are_missing_is_logged_when_it_begins_and_when_it_is_over() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(Mutex::new(log.reopen().unwrap()))
        .finish();
    // where there is one alone, what another thread would log first is asked of that thread, which has none
    let _other = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    tracing::subscriber::with_default(subscriber, || {
        let desk = Desk::new(8, OnFull::Block, Clock::system());
        for _ in 0..2 {
            desk.stuck("no room");
            for _ in 0..5 {
                assert!(futures_util::FutureExt::now_or_never(desk.admit()).unwrap().is_err());
                desk.stuck("no room");
            }
            desk.written(0);
            desk.written(0);
        }
    });
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert_eq!(log.lines().count(), 4, "{log}");
    assert_eq!(log.matches("ERROR").count(), 2, "{log}");
    assert_eq!(log.matches("records are kept again").count(), 2, "{log}");
    assert_eq!(log.matches("refused=5").count(), 2, "{log}");
}

#[tokio::test]
async fn everybody_who_waits_is_served_by_one_sync() {
    let folder = tempfile::tempdir().unwrap();
    let patient = Settings {
        sync_ms: 3_600_000,
        ..settings(folder.path())
    };
    let (book, forecast, _) = flaky(&patient);
    forecast.set(|weather| weather.held = true);
    let mut entries = Vec::new();
    for _ in 0..50 {
        entries.push(judged(&book).await);
    }
    let commits = entries.into_iter().map(|mut entry| async move {
        let committed = entry.commit().await;
        drop(entry);
        committed
    });
    let mut commits = pin!(futures_util::future::join_all(commits));
    assert!(waits(commits.as_mut()).await);
    forecast.set(|weather| weather.held = false);
    for committed in commits.await {
        committed.unwrap();
    }
    let syncs = forecast.0.0.lock().unwrap().syncs;
    // the first may have gone alone
    assert!(syncs <= 2, "{syncs} syncs for 50 flows");
}

#[tokio::test]
async fn a_flow_waits_at_the_gate_while_the_disk_is_behind_and_closing_never_waits() {
    let folder = tempfile::tempdir().unwrap();
    let narrow = Settings {
        queue: 4,
        ..settings(folder.path())
    };
    let (book, forecast, _) = flaky(&narrow);
    forecast.set(|weather| weather.held = true);
    let mut entries = Vec::new();
    for _ in 0..10 {
        entries.push(judged(&book).await);
    }
    // more entries are open than lines may wait: all of them can close, and nobody new comes in
    for entry in entries {
        entry.close(completed());
    }
    assert_eq!(book.queue_len(), 10);
    let mut entering = pin!(book.enter(noon(), peer()));
    assert!(waits(entering.as_mut()).await);
    forecast.set(|weather| weather.held = false);
    drop(entering.await.unwrap());
    book.clone().close().await.unwrap();
    assert_eq!(kinds(folder.path()).len(), 11);
}

#[tokio::test]
async fn where_the_settings_say_so_a_flow_is_refused_instead_and_the_book_says_how_many() {
    let folder = tempfile::tempdir().unwrap();
    let narrow = Settings {
        queue: 1,
        on_full: OnFull::Refuse,
        ..settings(folder.path())
    };
    let (book, forecast, _) = flaky(&narrow);
    forecast.set(|weather| weather.held = true);
    judged(&book).await.close(completed());
    for _ in 0..3 {
        let refused = book.enter(noon(), peer()).await.err().unwrap();
        assert!(refused.to_string().contains("wait for the disk"), "{refused}");
    }
    forecast.set(|weather| weather.held = false);
    book.flush().await.unwrap();
    assert_eq!(book.healthy(), Ok(()));
    book.close().await.unwrap();
    let records = all(folder.path());
    assert_eq!(records.iter().filter_map(interrupted).map(|(n, _)| n).sum::<u64>(), 3);
}

#[tokio::test]
async fn a_flow_that_waits_at_the_gate_is_refused_when_the_disk_fails() {
    let folder = tempfile::tempdir().unwrap();
    let narrow = Settings {
        queue: 1,
        ..settings(folder.path())
    };
    let (book, forecast, _) = flaky(&narrow);
    forecast.set(|weather| weather.held = true);
    judged(&book).await.close(completed());
    let mut entering = pin!(book.enter(noon(), peer()));
    assert!(waits(entering.as_mut()).await);
    forecast.set(|weather| {
        weather.sync_fails = true;
        weather.held = false;
    });
    assert!(entering.await.is_err());
}

#[tokio::test]
async fn a_book_that_is_closed_while_the_disk_fails_says_how_many_records_are_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (book, forecast, _) = flaky(&settings(folder.path()));
    flow(&book, true).await;
    book.flush().await.unwrap();
    let flows = [judged(&book).await, judged(&book).await];
    forecast.set(|weather| weather.room = Some(0));
    for entry in flows {
        entry.close(completed());
    }
    let error = book.close().await.unwrap_err();
    assert!(error.to_string().contains("2 records are lost"), "{error}");
    assert!(error.to_string().contains("No space left"), "{error}");
    assert_eq!(verify(folder.path()).unwrap().lines, 2);
}

#[tokio::test]
async fn a_removed_file_is_noticed_before_anything_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _, _) = flaky(&settings(folder.path()));
    let mut entry = judged(&book).await;
    std::fs::remove_file(folder.path().join("records-00000001.jsonl")).unwrap();
    let error = entry.commit().await.unwrap_err();
    assert!(error.to_string().contains("was removed"), "{error}");
    assert!(book.healthy().is_err());
}

#[tokio::test]
async fn a_file_that_somebody_cut_is_noticed_and_goes_on_once_it_is_whole_again() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _, _) = flaky(&settings(folder.path()));
    flow(&book, true).await;
    book.flush().await.unwrap();
    let file = folder.path().join("records-00000001.jsonl");
    let whole = std::fs::read(&file).unwrap();
    File::options().write(true).open(&file).unwrap().set_len(0).unwrap();
    let mut entry = judged(&book).await;
    let error = entry.commit().await.unwrap_err().to_string();
    assert!(
        error.contains(&format!("cut it to 0 of {} bytes", whole.len())),
        "{error}"
    );
    assert!(book.healthy().is_err());
    assert_eq!(std::fs::read(&file).unwrap(), b"", "no line stands behind a hole");
    std::fs::write(&file, &whole).unwrap();
    while book.healthy().is_err() {
        tokio::task::yield_now().await;
    }
    entry.close(completed());
    book.close().await.unwrap();
    assert!(std::fs::read(&file).unwrap().starts_with(&whole));
    verify(folder.path()).unwrap();
}

#[tokio::test]
async fn a_book_whose_file_was_cut_goes_on_after_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _, _) = flaky(&settings(folder.path()));
    for _ in 0..2 {
        flow(&book, true).await;
    }
    book.flush().await.unwrap();
    let file = folder.path().join("records-00000001.jsonl");
    let cut = std::fs::metadata(&file).unwrap().len() - 10;
    File::options().write(true).open(&file).unwrap().set_len(cut).unwrap();
    let mut entry = judged(&book).await;
    entry.commit().await.unwrap_err();
    drop(entry);
    book.close().await.unwrap_err();
    let (book, _, _) = flaky(&settings(folder.path()));
    assert!(folder.path().join("records-00000001.torn").exists());
    flow(&book, true).await;
    book.close().await.unwrap();
    verify(folder.path()).unwrap();
}

#[tokio::test]
async fn a_writer_that_dies_leaves_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let (book, forecast, _) = flaky(&settings(folder.path()));
    let poison = forecast.clone();
    // a panic in the medium stands for any bug of the writer
    std::thread::spawn(move || {
        let _guard = poison.0.0.lock().unwrap();
        panic!("this poisons the lock that the medium takes");
    })
    .join()
    .unwrap_err();
    let mut entry = judged(&book).await;
    assert!(entry.commit().await.is_err());
    while book.healthy().is_ok() {
        tokio::task::yield_now().await;
    }
    drop(entry);
    assert!(book.enter(noon(), peer()).await.is_err());
    assert!(book.close().await.is_err());
}

//! What a start repairs, and what `verify` finds.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::facts::{Ending, GatewayAct};

fn lines_of(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("records-{segment:08}.jsonl"))
}

fn seal_of(folder: &Path, segment: u64) -> PathBuf {
    folder.join(format!("records-{segment:08}.seal"))
}

fn small(folder: &Path) -> Settings {
    Settings {
        segment_bytes: 5000,
        ..settings(folder)
    }
}

/// A closed book of several segments.
fn written() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (book, _) = Book::open(&small(folder.path()), clock(), Vec::new()).unwrap();
        for _ in 0..16 {
            flow(&book, false).await;
        }
        book.close().await.unwrap();
    });
    assert!(verify(folder.path()).unwrap().segments >= 4);
    folder
}

fn broken(folder: &Path) -> (String, u64, String) {
    let broken = verify(folder).unwrap_err();
    (broken.file, broken.line, broken.why)
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_torn_end_is_set_aside_said_and_recorded() {
    let folder = written();
    let last = verify(folder.path()).unwrap();
    let newest = lines_of(folder.path(), last.segments);
    change(&newest, |bytes| bytes.extend_from_slice(br#"{"seq":17,"prev":"#));
    assert_eq!(verify(folder.path()).unwrap().unfinished_bytes, 17);

    let (reader, shown) = remembering();
    let (book, repairs) = Book::open(&small(folder.path()), clock(), vec![reader]).unwrap();
    drop(book);
    let [
        Repair::TornEnd {
            file,
            bytes: 17,
            kept_in,
        },
    ] = repairs.as_slice()
    else {
        panic!("{repairs:?}")
    };
    assert!(newest.ends_with(file));
    assert_eq!(fs::read(folder.path().join(kept_in)).unwrap(), br#"{"seq":17,"prev":"#);
    let verified = verify(folder.path()).unwrap();
    assert_eq!((verified.lines, verified.unfinished_bytes, verified.torn), (17, 0, 1));
    let records = all(folder.path());
    let repaired = records.last().unwrap();
    assert!(matches!(
        &repaired.act,
        Act::Gateway {
            act: GatewayAct::Repaired { bytes: 17, .. },
            ..
        }
    ));
    assert_eq!(shown.lock().unwrap().as_slice(), std::slice::from_ref(repaired));
}

#[test]
fn a_book_torn_at_any_byte_opens_again_with_every_whole_line() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
        flow(&book, false).await;
        flow(&book, false).await;
        book.close().await.unwrap();
    });
    let whole = fs::read(lines_of(folder.path(), 1)).unwrap();
    for cut in (0..whole.len()).step_by(7) {
        fs::write(lines_of(folder.path(), 1), &whole[..cut]).unwrap();
        let lines = newlines(&whole[..cut]);
        let (book, repairs) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
        drop(book);
        let torn = usize::from(!whole[..cut].ends_with(b"\n") && cut > 0);
        assert_eq!(repairs.len(), torn, "cut at {cut}");
        assert_eq!(all(folder.path()).len(), lines + torn, "cut at {cut}");
        verify(folder.path()).unwrap();
    }
}

#[tokio::test]
async fn a_publishing_flow_that_a_crash_cut_off_is_closed_at_the_next_start_also_across_a_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    let seen = Box::new(seen("ada", "/feed/"));
    let decided = Box::new(decided(Outcome::Allow));
    // as a crash leaves it: an opening, and later lines, but no closing
    let opening = book.record(Act::Opening {
        seen: seen.clone(),
        decided: decided.clone(),
    });
    book.write(opening.clone()).await.unwrap();
    book.close().await.unwrap();
    let tiny = Settings {
        segment_bytes: 1,
        ..settings(folder.path())
    };

    let (reader, shown) = remembering();
    let (book, repairs) = Book::open(&tiny, clock(), vec![reader]).unwrap();
    assert_eq!(repairs, [Repair::NeverClosed(opening.id.clone())]);
    book.close().await.unwrap();
    assert_eq!(verify(folder.path()).unwrap().segments, 2);
    let records = all(folder.path());
    let ended = Ending {
        end: End::Abandoned,
        status: None,
        decrypted: true,
        bytes_up: 0,
        bytes_down: 0,
        duration_ms: 0,
        judged_us: 0,
    };
    let closing = Record {
        act: Act::Closing {
            seen,
            decided: Some(decided),
            ended,
        },
        ..opening.clone()
    };
    assert_eq!(records, [opening, closing.clone()]);
    assert_eq!(shown.lock().unwrap().as_slice(), [closing]);

    let (_book, repairs) = Book::open(&tiny, clock(), Vec::new()).unwrap();
    assert_eq!(repairs, [], "once");
}

#[tokio::test]
async fn a_flow_that_outlives_many_segments_is_closed_after_a_crash_and_one_that_ended_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&small(folder.path()), clock(), Vec::new()).unwrap();
    let mut entries = Vec::new();
    for _ in 0..2 {
        let mut entry = book.enter(noon(), peer()).await.unwrap();
        entry.saw(seen("ada", "/feed/"));
        entry.decided(decided(Outcome::Allow));
        entry.commit().await.unwrap();
        entries.push(entry);
    }
    for _ in 0..16 {
        flow(&book, false).await;
    }
    entries.pop().unwrap().close(completed());
    for _ in 0..16 {
        flow(&book, true).await;
    }
    book.flush().await.unwrap();
    let lost = entries.pop().unwrap();
    assert!(verify(folder.path()).unwrap().segments > 6);
    // what a kill would leave behind
    let left = copy_of(folder.path());
    let (again, repairs) = Book::open(&small(left.path()), clock(), Vec::new()).unwrap();
    assert_eq!(repairs, [Repair::NeverClosed(lost.id().clone())]);
    again.close().await.unwrap();
    verify(left.path()).unwrap();
    let (again, repairs) = Book::open(&small(left.path()), clock(), Vec::new()).unwrap();
    assert_eq!(repairs, [], "once");
    again.close().await.unwrap();
    lost.close(completed());
    book.close().await.unwrap();
}

#[tokio::test]
async fn a_hole_that_a_power_loss_left_is_set_aside_with_what_follows_it() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    for _ in 0..5 {
        flow(&book, true).await;
    }
    book.close().await.unwrap();
    let newest = lines_of(folder.path(), 1);
    let whole = fs::read(&newest).unwrap();
    let third = whole
        .split_inclusive(|byte| *byte == b'\n')
        .take(3)
        .map(<[u8]>::len)
        .sum::<usize>();
    // as of a disk that got the rest of the file and not the block in which the last write began
    let block_end = third.next_multiple_of(512);
    change(&newest, |bytes| bytes[third..block_end].fill(0));
    let (book, repairs) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    let said = repairs[0].to_string();
    assert!(said.contains("has a hole before its last"), "{said}");
    flow(&book, true).await;
    book.close().await.unwrap();
    // three lines, the repair, the close of what the third had opened, and a flow of two
    assert_eq!(verify(folder.path()).unwrap().lines, 7);
    let aside = fs::read(folder.path().join("records-00000001.torn")).unwrap();
    assert_eq!(aside.len(), whole.len() - third);
}

#[test]
fn a_nul_that_no_power_loss_leaves_is_damage_and_not_a_hole() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
        for _ in 0..5 {
            flow(&book, true).await;
        }
        book.close().await.unwrap();
    });
    let newest = lines_of(folder.path(), 1);
    let whole = fs::read(&newest).unwrap();
    let second = 1 + whole.iter().position(|byte| *byte == b'\n').unwrap();
    let block = second.next_multiple_of(512);
    for zeroed in [
        second + 20..second + 21,
        second..second + 1,
        block..block + 100,
        second + 1..block,
    ] {
        change(&newest, |bytes| bytes[zeroed.clone()].fill(0));
        let Err(BookError::Broken(named)) = Book::open(&settings(folder.path()), clock(), Vec::new()) else {
            panic!("a damaged book opened: {zeroed:?}")
        };
        assert_eq!(
            (named.line, Some(named)),
            (2, verify(folder.path()).err()),
            "{zeroed:?}"
        );
        assert_eq!(
            fs::read_dir(folder.path())
                .unwrap()
                .filter(|entry| { entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".torn") })
                .count(),
            0
        );
        fs::write(&newest, &whole).unwrap();
    }
}

#[test]
fn a_line_without_end_is_named_and_neither_read_whole_nor_cut_off() {
    let folder = written();
    let last = verify(folder.path()).unwrap();
    let newest = lines_of(folder.path(), last.segments);
    let file = fs::File::options().append(true).open(&newest).unwrap();
    let length = file.metadata().unwrap().len();
    // as large as anybody likes, without a byte on disk
    file.set_len(length + (1 << 40)).unwrap();
    let (name, _, why) = broken(folder.path());
    assert!(newest.ends_with(name));
    assert!(why.contains("longer than"), "{why}");
    assert!(Book::open(&small(folder.path()), clock(), Vec::new()).is_err());
}

#[test]
fn a_book_whose_newest_lines_were_changed_is_not_written_on() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
        for _ in 0..3 {
            flow(&book, false).await;
        }
        book.close().await.unwrap();
    });
    change(&lines_of(folder.path(), 1), |bytes| bytes[200] ^= 1);
    let Err(BookError::Broken(broken)) = Book::open(&settings(folder.path()), clock(), Vec::new()) else {
        panic!("a broken book opened")
    };
    assert!(broken.line == 1 || broken.line == 2);
}

#[test]
fn a_crash_between_seal_and_next_segment_is_no_damage() {
    let folder = written();
    let verified = verify(folder.path()).unwrap();
    fs::remove_file(lines_of(folder.path(), verified.segments)).unwrap();
    let (book, repairs) = Book::open(&small(folder.path()), clock(), Vec::new()).unwrap();
    drop(book);
    assert_eq!(repairs, []);
    assert!(verify(folder.path()).unwrap().lines < verified.lines);
}

#[test]
fn keys_that_do_not_fit_are_refused_with_a_way_out() {
    let folder = written();
    let key = fs::read(folder.path().join("seal.key")).unwrap();
    fs::remove_file(folder.path().join("seal.key")).unwrap();
    let error = Book::open(&small(folder.path()), clock(), Vec::new()).err().unwrap();
    assert!(error.to_string().contains("put your copy back"), "{error}");
    fs::write(folder.path().join("seal.key"), &key).unwrap();
    // the public half can be made again
    fs::remove_file(folder.path().join("seal.pub")).unwrap();
    assert_eq!(broken(folder.path()).0, "seal.pub");
    drop(Book::open(&small(folder.path()), clock(), Vec::new()).unwrap());
    verify(folder.path()).unwrap();
    // another key is noticed by both
    let other = written();
    fs::copy(other.path().join("seal.pub"), folder.path().join("seal.pub")).unwrap();
    assert_eq!(broken(folder.path()).0, "records-00000001.seal");
    assert!(Book::open(&small(folder.path()), clock(), Vec::new()).is_err());
}

#[test]
fn a_missing_segment_is_named() {
    let folder = written();
    fs::remove_file(lines_of(folder.path(), 2)).unwrap();
    assert_eq!(broken(folder.path()).0, "records-00000002.jsonl");
    fs::remove_file(seal_of(folder.path(), 2)).unwrap();
    assert_eq!(broken(folder.path()).0, "records-00000002.jsonl");
}

#[test]
fn an_empty_segment_that_follows_none_is_not_written_on() {
    let folder = written();
    let stray = lines_of(folder.path(), 99_999_999);
    fs::write(&stray, "").unwrap();
    let Err(BookError::Broken(broken)) = Book::open(&small(folder.path()), clock(), Vec::new()) else {
        panic!("the book goes on in a file that is not part of it")
    };
    assert_eq!(broken.file, "records-99999999.jsonl");
    fs::remove_file(&stray).unwrap();
    drop(Book::open(&small(folder.path()), clock(), Vec::new()).unwrap());
    verify(folder.path()).unwrap();
}

#[test]
fn the_oldest_segments_may_go_with_or_without_their_seals() {
    let folder = written();
    let whole = verify(folder.path()).unwrap();
    fs::remove_file(lines_of(folder.path(), 1)).unwrap();
    let with_seal = verify(folder.path()).unwrap();
    fs::remove_file(seal_of(folder.path(), 1)).unwrap();
    let without = verify(folder.path()).unwrap();
    assert_eq!(with_seal, without);
    assert!(without.first > 1);
    assert_eq!(without.head, whole.head);
}

#[test]
fn the_oldest_lines_may_be_archived_with_all_seals_kept_while_these_hold_together() {
    let folder = written();
    let whole = verify(folder.path()).unwrap();
    for segment in 1..=2 {
        fs::remove_file(lines_of(folder.path(), segment)).unwrap();
    }
    let thinned = verify(folder.path()).unwrap();
    assert_eq!((thinned.segments, &thinned.head), (whole.segments - 2, &whole.head));
    let (book, _) = Book::open(&small(folder.path()), clock(), Vec::new()).unwrap();
    drop(book);
    // a gap, in the lines or in the seals, is no archive
    let gap = copy_of(folder.path());
    fs::remove_file(seal_of(gap.path(), 2)).unwrap();
    assert_eq!(broken(gap.path()).0, "records-00000002.jsonl");
    let gap = copy_of(folder.path());
    fs::copy(seal_of(gap.path(), 1), seal_of(gap.path(), 2)).unwrap();
    assert_eq!(broken(gap.path()).0, "records-00000002.seal");
    let gap = written();
    fs::remove_file(lines_of(gap.path(), 2)).unwrap();
    assert_eq!(broken(gap.path()).0, "records-00000002.jsonl");
}

#[test]
fn a_book_that_was_emptied_or_put_in_the_place_of_another_is_not_the_one_that_is_known() {
    let folder = written();
    let whole = verify(folder.path()).unwrap();
    let key = fs::read_to_string(folder.path().join("seal.pub")).unwrap();
    let known = |key: Option<&str>, head: Option<&Landmark>| Known {
        key: key.map(str::to_owned),
        head: head.cloned(),
    };
    let head = whole.head.as_ref().unwrap();
    let told: Landmark = head.to_string().parse().unwrap();
    assert_eq!(
        verify_known(folder.path(), &known(Some(&key), Some(&told))).unwrap(),
        whole
    );
    // another book, whole in itself
    let other = written();
    let by_key = verify_known(other.path(), &known(Some(&key), None)).unwrap_err();
    assert_eq!(by_key.file, "seal.pub");
    fs::remove_file(other.path().join("seal.pub")).unwrap();
    let by_key = verify_known(other.path(), &known(Some(&key), None)).unwrap_err();
    assert_eq!(by_key.file, "records-00000001.seal");
    let by_head = verify_known(written().path(), &known(None, Some(head))).unwrap_err();
    assert!(
        by_head.why.contains("is not the one that was noted elsewhere"),
        "{by_head}"
    );
    // a tail cut off together with its seals, and all of it
    let last = whole.segments;
    fs::remove_file(lines_of(folder.path(), last)).unwrap();
    fs::remove_file(seal_of(folder.path(), last - 1)).unwrap();
    assert!(verify(folder.path()).is_ok(), "a chain alone cannot show it");
    let cut = verify_known(folder.path(), &known(None, Some(head))).unwrap_err();
    assert!(cut.why.starts_with("the end is missing"), "{cut}");
    for segment in 1..last {
        fs::remove_file(lines_of(folder.path(), segment)).unwrap();
        fs::remove_file(seal_of(folder.path(), segment)).ok();
    }
    assert_eq!(broken(folder.path()).0, "records-00000001.jsonl");
    assert!("7".parse::<Landmark>().is_err() && "0:x".parse::<Landmark>().is_err());
}

#[test]
fn a_missing_seal_is_named() {
    let folder = written();
    fs::remove_file(seal_of(folder.path(), 2)).unwrap();
    let (file, _, why) = broken(folder.path());
    assert_eq!(file, "records-00000002.seal");
    assert!(why.contains("missing"));
}

#[test]
fn a_sealed_segment_without_its_end_is_named_with_the_line_that_is_missing() {
    let folder = written();
    let path = lines_of(folder.path(), 2);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let kept = lines.len() - 1;
    fs::write(&path, lines[..kept].join("\n") + "\n").unwrap();
    let (file, line, why) = broken(folder.path());
    assert_eq!((file.as_str(), line), ("records-00000002.jsonl", kept as u64 + 1));
    assert!(why.contains("the end is missing"), "{why}");
}

#[test]
fn a_sealed_segment_cannot_be_written_on() {
    let folder = written();
    change(&lines_of(folder.path(), 2), |bytes| bytes.extend_from_slice(b"{}"));
    let (file, _, why) = broken(folder.path());
    assert_eq!(file, "records-00000002.jsonl");
    assert!(why.contains("after the segment was sealed"), "{why}");
}

#[test]
fn swapped_segments_are_named() {
    let folder = written();
    let spare = folder.path().join("spare");
    for (from, to) in [
        (lines_of(folder.path(), 1), spare.clone()),
        (lines_of(folder.path(), 2), lines_of(folder.path(), 1)),
        (spare, lines_of(folder.path(), 2)),
    ] {
        fs::rename(from, to).unwrap();
    }
    let (file, line, _) = broken(folder.path());
    assert_eq!((file.as_str(), line), ("records-00000001.jsonl", 1));
}

#[test]
fn a_folder_that_is_no_book_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(verify(folder.path()).unwrap().lines, 0);
    assert!(verify(&folder.path().join("nowhere")).is_err());
}

#[test]
fn what_is_not_a_file_is_said_and_not_read_for_ever() {
    let name = |at: &Path, name: &str| at.join(name);
    let pipe =
        |path: &Path| rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    for taken in ["records-00000001.jsonl", "records-00000001.seal", "seal.pub"] {
        let endless = written();
        fs::remove_file(name(endless.path(), taken)).unwrap();
        std::os::unix::fs::symlink("/dev/zero", name(endless.path(), taken)).unwrap();
        let silent = written();
        fs::remove_file(name(silent.path(), taken)).unwrap();
        pipe(&name(silent.path(), taken));
        for folder in [endless, silent] {
            let (file, line, why) = broken(folder.path());
            assert_eq!((file.as_str(), line), (taken, 0));
            assert!(why.contains("not a regular file"), "{why}");
            assert!(taken != "seal.pub" || Book::open(&small(folder.path()), clock(), Vec::new()).is_err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_changed_byte_of_a_sealed_segment_is_found_at_its_line_or_the_next(
        at in any::<prop::sample::Index>(), mask in 1u8..,
    ) {
        let folder = sealed_book();
        let path = lines_of(folder, 2);
        let whole = fs::read(&path).unwrap();
        let at = at.index(whole.len());
        let mut bytes = whole.clone();
        bytes[at] ^= mask;
        let scratch = copy_of(folder);
        fs::write(lines_of(scratch.path(), 2), &bytes).unwrap();
        let line = 1 + newlines(&whole[..at]) as u64;
        let (file, found, _) = broken(scratch.path());
        prop_assert_eq!(file, "records-00000002.jsonl");
        prop_assert!(found == line || found == line + 1, "line {}, found {}", line, found);
    }

    #[test]
    fn any_changed_byte_of_a_seal_is_found(at in any::<prop::sample::Index>(), mask in 1u8..) {
        let folder = sealed_book();
        let whole = fs::read(seal_of(folder, 2)).unwrap();
        let mut bytes = whole.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        let scratch = copy_of(folder);
        fs::write(seal_of(scratch.path(), 2), &bytes).unwrap();
        prop_assert!(verify(scratch.path()).is_err());
    }

    #[test]
    fn a_sealed_segment_cut_anywhere_is_found(at in any::<prop::sample::Index>()) {
        let folder = sealed_book();
        let whole = fs::read(lines_of(folder, 2)).unwrap();
        let scratch = copy_of(folder);
        fs::write(lines_of(scratch.path(), 2), &whole[..at.index(whole.len())]).unwrap();
        prop_assert_eq!(broken(scratch.path()).0, "records-00000002.jsonl");
    }
}

/// A book of several segments that is only read.
fn sealed_book() -> &'static Path {
    static BOOK: OnceLock<tempfile::TempDir> = OnceLock::new();
    BOOK.get_or_init(written).path()
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

fn copy_of(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

//! The engine answers Cedar's own tests as Cedar does.
#![expect(
    clippy::disallowed_methods,
    reason = "a test may panic, and unpacks its fixture with tar"
)]

#[path = "../examples/cedar_corpus.rs"]
#[expect(dead_code, reason = "its main is not called")]
mod example;

use std::path::Path;
use std::process::Command;

#[test]
fn a_sample_of_cedars_corpus_is_answered_as_expected() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cedar-corpus/sample.tar.gz");
    let folder = tempfile::tempdir().unwrap();
    let unpacked = Command::new("tar")
        .arg("xzf")
        .arg(sample)
        .arg("-C")
        .arg(folder.path())
        .status();
    assert!(unpacked.unwrap().success());
    let score = example::score(folder.path()).unwrap();
    assert_eq!((score.passed, score.failed), (3128, 0));
    assert!(score.left_to_cedar < 250, "translated, and not passed on: {score:?}");
}

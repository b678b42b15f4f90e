//! Rules change again and again while people work: nothing fails, and no answer is made by two sets of rules.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use http::StatusCode;
use wayleave::facts::{Act, DecisionNote, Observation, Outcome, RulebookId};
use wayleave::gatehouse::sources::read_folder;
use wayleave::rulebook::{Rulebook, Sources};

use crate::harness::client::Client;
use crate::harness::{World, copy};

const CHANGES: usize = 10;
const CONNECTIONS: usize = 20;
const SETS: [&str; 2] = ["first", "second"];

/// The first set closes this corner, the second does not.
const CLOSED: &str = r#"@id("first.corner") @title("Closed") @reason("This corner is closed.") @owner("IT")
forbid (principal, action in Action::"activity", resource in Category::"social-media")
when { context.request.path like "/corner/*" };
"#;

/// Two folders beside the policies. Each rule's name begins with the set's, so that every answer tells who gave it.
fn two_sets(policies: &Path) -> BTreeMap<RulebookId, &'static str> {
    let set = |set: &'static str| {
        let folder = policies.with_file_name(set);
        copy(policies, &folder);
        // cases name rules as they are shipped
        std::fs::remove_dir_all(folder.join("cases")).unwrap();
        std::fs::create_dir(folder.join("cases")).unwrap();
        std::fs::write(folder.join("cases/none.toml"), "").unwrap();
        for file in std::fs::read_dir(folder.join("rules")).unwrap() {
            let file = file.unwrap().path();
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, text.replace("@id(\"", &format!("@id(\"{set}."))).unwrap();
        }
        if set == SETS[0] {
            std::fs::write(folder.join("rules/90-corner.cedar"), CLOSED).unwrap();
        }
        let sources = Sources::from_files(read_folder(&folder).unwrap()).unwrap();
        (Rulebook::assemble(&sources).unwrap().rulebook.id().clone(), set)
    };
    SETS.map(set).into()
}

/// Puts a set in the place of the policies, at once.
fn put(policies: &Path, set: &str) {
    let link = policies.with_file_name("next");
    std::os::unix::fs::symlink(set, &link).unwrap();
    std::fs::rename(link, policies).unwrap();
}

/// What the connections have in common.
#[derive(Default)]
struct Work {
    answered: AtomicUsize,
    is_over: AtomicBool,
}

/// Asks again and again on one connection; what fails, panics.
async fn works(dan: Client, work: Arc<Work>) {
    let mut kept = dan.keep("x.com").await;
    while !work.is_over.load(Ordering::SeqCst) {
        let home = kept.get("/home").await;
        assert_eq!(home.status, StatusCode::OK, "{}", home.text());
        let corner = kept.get("/corner/1").await;
        // what was on its way when the corner closed, under rules that had let it pass, is told that they have changed
        let why = ["This corner is closed.", "the rules have changed"];
        let is_closed = corner.status == StatusCode::FORBIDDEN && why.iter().any(|why| corner.text().contains(why));
        assert!(is_closed || corner.status == StatusCode::OK, "{}", corner.text());
        work.answered.fetch_add(2, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_rules_change_nothing_fails_and_each_answer_comes_from_one_set_of_rules() {
    let mut sets = BTreeMap::new();
    let world = World::planned(|plan| {
        let policies: PathBuf = plan.folder.join("policies");
        sets = two_sets(&policies);
        std::fs::remove_dir_all(&policies).unwrap();
        put(&policies, SETS[0]);
    })
    .await;
    world.grant("dan", "market-research", &["x"], &["read"]).await;
    let work = Arc::new(Work::default());
    let working: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::spawn(works(world.client("dan"), work.clone())))
        .collect();
    for change in 1..=CHANGES {
        let mut changes = world.gate().live().changes();
        changes.borrow_and_update();
        put(&world.policies(), SETS[change % 2]);
        let before = work.answered.load(Ordering::SeqCst);
        let changed = tokio::time::timeout(std::time::Duration::from_mins(1), changes.changed()).await;
        changed.expect("the rules did not change").unwrap();
        world
            .until("people go on", async |_| {
                work.answered.load(Ordering::SeqCst) > before + CONNECTIONS
                    || working.iter().any(tokio::task::JoinHandle::is_finished)
            })
            .await;
    }
    work.is_over.store(true, Ordering::SeqCst);
    for connection in working {
        connection.await.expect("no request fails");
    }
    let mut answers = BTreeMap::new();
    for record in world.close().await {
        if let Act::Closing {
            seen,
            decided: Some(note),
            ..
        } = &record.act
        {
            let set = sets[&note.rulebook];
            is_of_one(set, seen, note);
            *answers.entry(set).or_insert(0) += 1;
        }
    }
    assert!(SETS.iter().all(|set| answers[set] > CONNECTIONS), "{answers:?}");
}

/// The rules that determined it, and what they came to, are those of `set`.
fn is_of_one(set: &str, seen: &Observation, note: &DecisionNote) {
    assert!(!note.policies.is_empty(), "{note:?}");
    for policy in &note.policies {
        assert!(
            policy.as_str().starts_with(set),
            "{policy} under the {set} set: {note:?}"
        );
    }
    let path = seen.ask.head().map_or("", |head| head.path.as_str());
    let refused = note.outcome != Outcome::Allow;
    assert_eq!(
        refused,
        set == SETS[0] && path.starts_with("/corner/"),
        "{path}: {note:?}"
    );
}

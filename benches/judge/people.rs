//! How long it takes until a change of one person among a hundred thousand is in force, and whether readers notice.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use wayleave::facts::{Mode, SourceText, SubjectId};
use wayleave::rulebook::{Directory, Live, Rulebook, Sources};

use crate::scale::at;
use crate::world;

const PEOPLE: usize = 100_000;
const PEOPLE_IN_A_FILE: usize = 1_000;
const ROUNDS: usize = 5;
/// Whose region changes, beside that of one who is alone in a file.
const WHO: usize = 4_711;

/// What is timed.
const STEPS: [&str; 5] = [
    "from all texts to the person as changed, in force",
    "of it: everything assembled, the directory included",
    "of it: cases run",
    "beside it: the directory, one file of a thousand people read",
    "beside it: the directory, one file read with nobody else in it",
];

/// Prints the middle of some rounds.
pub(crate) fn run() {
    let texts = ["eu-west", "eu-east"].map(sources);
    let [before, _] = &texts;
    let live = Live::new(Rulebook::assemble(before).unwrap().in_mode(Mode::Enforce));
    let is_over = AtomicBool::new(false);
    let (mut rounds, mut waited) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| read(&live, &is_over));
        let both = texts.iter().zip(texts.iter().rev()).cycle();
        let rounds: Vec<_> = both.take(ROUNDS).map(|(old, new)| change(&live, old, new)).collect();
        is_over.store(true, Ordering::Relaxed);
        (rounds, reader.join().unwrap())
    });
    rounds.sort();
    println!("one of {PEOPLE} people changes, {PEOPLE_IN_A_FILE} in a file; the middle of {ROUNDS} rounds, in ms");
    for (what, spent) in STEPS.iter().zip(rounds.get(ROUNDS / 2).unwrap()) {
        println!("| {:.2} | {what} |", spent.as_secs_f64() * 1000.0);
    }
    let (half, most) = (at(&mut waited, 50), at(&mut waited, 99));
    println!(
        "meanwhile somebody asked for a person {} times: p50 {half} ns, p99 {most} ns",
        waited.len()
    );
}

fn change(live: &Live, old: &Sources, new: &Sources) -> [Duration; 5] {
    let began = Instant::now();
    let ruling = live.load();
    let assembled = Rulebook::assemble_after(Some(&ruling), new).unwrap();
    let made = began.elapsed();
    let asked = Instant::now();
    let report = assembled.rulebook.run_cases(&assembled.directory, &new.cases);
    assert!(report.is_green());
    let ran = asked.elapsed();
    live.replace(assembled.in_mode(Mode::Enforce));
    let whole = began.elapsed();
    let alone = |file: &str| {
        let with = |texts: &Sources| texts.people.iter().find(|text| text.name == file).unwrap().clone();
        let mut people = new.people.clone();
        *people.iter_mut().find(|text| text.name == file).unwrap() = with(old);
        let ruling = live.load();
        let began = Instant::now();
        let directory = Directory::parse_after(Some(&ruling.directory), &people)
            .whole()
            .unwrap();
        assert!(directory.person(&who()).is_some());
        began.elapsed()
    };
    [whole, made, ran, alone("people/p004.toml"), alone("people/one.toml")]
}

fn who() -> SubjectId {
    SubjectId::parse(&format!("user-{WHO}")).unwrap()
}

/// How long each of many looks at the directory took.
fn read(live: &Live, is_over: &AtomicBool) -> Vec<u128> {
    let who = who();
    let mut waited = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        assert!(live.load().directory.person(&who).is_some());
        waited.push(began.elapsed().as_nanos());
        std::thread::sleep(Duration::from_micros(100));
    }
    waited
}

/// The shipped folder with a hundred thousand people more; one of them in this region.
fn sources(region: &str) -> Sources {
    let shipped = Sources::embedded();
    let files = (0..PEOPLE / PEOPLE_IN_A_FILE).map(|file| {
        let these = file * PEOPLE_IN_A_FILE..(file + 1) * PEOPLE_IN_A_FILE;
        people(&format!("people/p{file:03}.toml"), these, region)
    });
    let one = people("people/one.toml", PEOPLE..PEOPLE + 1, region);
    let shipped_people = shipped.people.iter().cloned();
    Sources {
        people: shipped_people.chain([units(), one]).chain(files).collect(),
        ..shipped
    }
}

fn units() -> SourceText {
    let mut text = String::new();
    for role in 0..world::ROLES {
        let _ = writeln!(text, "[[role]]\nid = \"role-{role}\"\nin = [\"staff\"]\n");
    }
    for department in 0..world::DEPARTMENTS {
        let _ = writeln!(text, "[[department]]\nid = \"dept-{department}\"\nin = [\"company\"]\n");
    }
    SourceText::new("people/units.toml", text)
}

fn people(name: &str, these: Range<usize>, region: &str) -> SourceText {
    let mut text = String::new();
    for person in these {
        let (role, department) = (person % world::ROLES, person % world::DEPARTMENTS);
        let region = if [WHO, PEOPLE].contains(&person) {
            region
        } else {
            "eu-west"
        };
        let _ = writeln!(
            text,
            "[[person]]\nid = \"user-{person}\"\nname = \"User {person}\"\nroles = [\"role-{role}\"]\ndepartment = \"dept-{department}\"\n\
             employment = \"employee\"\nregion = \"{region}\"\ntime-zone = \"Europe/Paris\"\nmanager = \"user-{}\"\n",
            person / 10
        );
    }
    SourceText::new(name, text)
}

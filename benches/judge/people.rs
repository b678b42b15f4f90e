//! How long it takes until a change of one person among a hundred thousand is in force, and whether readers notice.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use wayleave::facts::{Mode, SourceText, SubjectId};
use wayleave::rulebook::{Live, Rulebook, Sources};

use crate::scale::at;
use crate::world;

const PEOPLE: usize = 100_000;
const PEOPLE_IN_A_FILE: usize = 1_000;
const ROUNDS: usize = 5;
/// Whose region changes, beside that of one who is alone in a file.
const WHO: usize = 4_711;

/// What is timed.
const STEPS: [&str; 5] = [
    "from all texts to the person as changed in a file of their own, in force",
    "the same in a file of a thousand",
    "the same of somebody whom a case names: all of it is read and tried",
    "of it: everything assembled, the directory included",
    "of it: cases run",
];

/// Prints the middle of some rounds.
pub(crate) fn run() {
    let mut texts = sources("eu-west");
    let live = Live::new(Rulebook::tried_after(None, &texts).unwrap().in_mode(Mode::Enforce));
    let is_over = AtomicBool::new(false);
    let (rounds, mut waited) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| read(&live, &is_over));
        let regions = ["eu-east", "eu-west"].into_iter().cycle();
        let rounds: Vec<_> = regions
            .take(ROUNDS)
            .map(|region| change(&live, &mut texts, region))
            .collect();
        is_over.store(true, Ordering::Relaxed);
        (rounds, reader.join().unwrap())
    });
    println!("one of {PEOPLE} people changes, {PEOPLE_IN_A_FILE} in a file; the middle of {ROUNDS} rounds, in ms");
    for (number, what) in STEPS.iter().enumerate() {
        let mut spent: Vec<&Duration> = rounds.iter().filter_map(|round| round.get(number)).collect();
        spent.sort_unstable();
        let middle = spent.get(ROUNDS / 2).unwrap().as_secs_f64();
        println!("| {:.2} | {what} |", middle * 1000.0);
    }
    let (half, most) = (at(&mut waited, 50), at(&mut waited, 99));
    println!(
        "meanwhile somebody asked for a person {} times: p50 {half} ns, p99 {most} ns",
        waited.len()
    );
}

/// Changes somebody in each of three files, one after the other: what each took, and the parts of the last. What other files
/// say is not read again, as the gateway does not.
fn change(live: &Live, now: &mut Sources, region: &str) -> [Duration; 5] {
    let mut change = |file: &str, text: Arc<str>| {
        now.people.iter_mut().find(|one| one.name == file).unwrap().text = text;
        let began = Instant::now();
        let ruling = live.load();
        let rules_on = ruling.with_people_of(now);
        let is_short = rules_on.is_some();
        live.replace(rules_on.unwrap_or_else(|| {
            let assembled = Rulebook::tried_after(Some(&ruling), now).unwrap();
            assembled.in_mode(Mode::Enforce)
        }));
        (began.elapsed(), is_short)
    };
    let alone = change("people/one.toml", people("", PEOPLE..PEOPLE + 1, region).text);
    let first = WHO / PEOPLE_IN_A_FILE * PEOPLE_IN_A_FILE;
    let among = people("", first..first + PEOPLE_IN_A_FILE, region).text;
    let among = change(&format!("people/p{:03}.toml", WHO / PEOPLE_IN_A_FILE), among);
    let shipped = Sources::embedded();
    let known = shipped
        .people
        .iter()
        .find(|file| file.text.contains("id = \"ada\""))
        .unwrap();
    let met = change(&known.name, known.text.replacen("eu-west", region, 1).into());
    assert!(alone.1 && among.1, "the rules rule on");
    let began = Instant::now();
    let assembled = Rulebook::assemble_after(Some(&live.load()), now).unwrap();
    let made = began.elapsed();
    let began = Instant::now();
    assert!(
        assembled
            .rulebook
            .run_cases(&assembled.directory, &now.cases)
            .is_green()
    );
    [alone.0, among.0, met.0, made, began.elapsed()]
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

//! How long it takes until a change of one person among a hundred thousand is in force, and whether readers notice.

use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use wayleave::facts::{Mode, SourceText, SubjectId};
use wayleave::gatehouse::kept::Kept;
use wayleave::gatehouse::sources::{Library, Look};
use wayleave::rulebook::{Directory, Live, Rulebook, Sources};

use crate::scale::at;
use crate::world;

const PEOPLE: usize = 100_000;
const PEOPLE_IN_A_FILE: usize = 1_000;
const ROUNDS: usize = 9;
/// Whose region changes, beside that of one who is alone in a file.
const WHO: usize = 4_711;
/// After so long a file that looks the same is the same.
const SETTLED: Duration = Duration::from_millis(3_500);

/// Who changes.
const WHOM: [&str; 4] = [
    "somebody in a file of their own",
    "one of a file of a thousand",
    "somebody who comes, or goes",
    "somebody whom cases name",
];

/// What is timed.
const PARTS: [&str; 7] = [
    "before: the folder looked at, as five times a second",
    "**until they are in force**",
    "what changed read from the folder",
    "texts sorted",
    "what is said of them read, the directory made",
    "cases that name them tried again, owners looked for, swapped",
    "afterwards: kept on disk",
];

/// A folder on disk that changes, and what a gateway has of it.
struct Company<'a> {
    folder: &'a Path,
    library: Library,
    live: &'a Live,
    kept: Kept,
}

/// Prints the middle of some rounds.
pub(crate) fn run() {
    let (folder, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for file in sources("eu-west").files() {
        write(folder.path(), &file.name, &file.text);
    }
    std::thread::sleep(SETTLED);
    let mut library = Library::default();
    let texts = Sources::from_files(library.read(&Look::at(folder.path())).unwrap()).unwrap();
    let live = Live::new(Rulebook::tried_after(None, &texts).unwrap().in_mode(Mode::Enforce));
    let kept = Kept::at(state.path());
    kept.keep(live.load().rulebook.id(), &texts).unwrap();
    let is_over = AtomicBool::new(false);
    let (rounds, mut waited) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| read(&live, &is_over));
        let mut company = Company {
            folder: folder.path(),
            library,
            live: &live,
            kept,
        };
        let regions = ["eu-east", "eu-west"].into_iter().cycle();
        let rounds: Vec<_> = regions.take(ROUNDS).map(|region| company.change(region)).collect();
        is_over.store(true, Ordering::Relaxed);
        (rounds, reader.join().unwrap())
    });
    println!("one of {PEOPLE} people changes, {PEOPLE_IN_A_FILE} in a file; the middle of {ROUNDS} rounds, in ms");
    println!("| | {} |", WHOM.join(" | "));
    println!("|---|{}", "--:|".repeat(WHOM.len()));
    for (part, what) in PARTS.iter().enumerate() {
        let middles = (0..WHOM.len()).map(|whom| {
            let of_round = |round: &[[Duration; 7]; 4]| round.get(whom)?.get(part).copied();
            let mut spent: Vec<Duration> = rounds.iter().filter_map(of_round).collect();
            spent.sort_unstable();
            format!(" {:.3} |", spent.get(ROUNDS / 2).unwrap().as_secs_f64() * 1000.0)
        });
        println!("| {what} |{}", middles.collect::<String>());
    }
    let began = Instant::now();
    drop(Rulebook::tried_after(Some(&live.load()), &texts).unwrap());
    println!(
        "all of it assembled and tried instead: {} ms",
        began.elapsed().as_millis()
    );
    let (half, most) = (at(&mut waited, 50), at(&mut waited, 99));
    println!(
        "meanwhile somebody asked for a person {} times: p50 {half} ns, p99 {most} ns",
        waited.len()
    );
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

impl Company<'_> {
    /// Changes each of [`WHOM`], one after the other: the [`PARTS`] of each.
    fn change(&mut self, region: &str) -> [[Duration; 7]; 4] {
        let alone = people("", PEOPLE..PEOPLE + 1, region).text;
        let alone = self.put_in_force("people/one.toml", &alone);
        let first = WHO / PEOPLE_IN_A_FILE * PEOPLE_IN_A_FILE;
        let among = people("", first..first + PEOPLE_IN_A_FILE, region).text;
        let among = self.put_in_force(&format!("people/p{:03}.toml", WHO / PEOPLE_IN_A_FILE), &among);
        let count = usize::from(region == "eu-east");
        let newcomer = people("", PEOPLE + 1..PEOPLE + 1 + count, region).text;
        let newcomer = self.put_in_force("people/two.toml", &newcomer);
        let shipped = Sources::embedded();
        let mut files = shipped.people.iter();
        let known = files.find(|file| file.text.contains("id = \"ada\"")).unwrap();
        let met = self.put_in_force(&known.name, &known.text.replacen("eu-west", region, 1));
        [alone, among, newcomer, met]
    }

    /// As a gateway does it.
    fn put_in_force(&mut self, name: &str, text: &str) -> [Duration; 7] {
        write(self.folder, name, text);
        let began = Instant::now();
        let look = Look::at(self.folder);
        let looked = began.elapsed();
        let began = Instant::now();
        let files = self.library.read(&look).unwrap();
        let read = began.elapsed();
        let sources = Sources::from_files(files).unwrap();
        let sorted = began.elapsed();
        let before = self.live.load();
        self.live.replace(before.with_people_of(&sources).unwrap());
        let in_force = began.elapsed();
        let began = Instant::now();
        self.kept.keep(before.rulebook.id(), &sources).unwrap();
        let kept = began.elapsed();
        let began = Instant::now();
        let directory = Directory::parse_after(Some(&before.directory), &sources.people);
        let made = began.elapsed();
        assert!(directory.problems().is_empty());
        let rest = in_force.saturating_sub(sorted).saturating_sub(made);
        [looked, in_force, read, sorted.saturating_sub(read), made, rest, kept]
    }
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
    let two = people("people/two.toml", 0..0, region);
    let shipped_people = shipped.people.iter().cloned();
    Sources {
        people: shipped_people.chain([units(), one, two]).chain(files).collect(),
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

//! How long it takes until a folder of ten thousand rules may rule: read, assembled, its cases run, for the first time and
//! after one file of it changed; and how much of that Cedar takes.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use cedar_policy::{PolicyId, PolicySet, Schema, ValidationMode, Validator};
use wayleave::facts::{Mode, SourceText};
use wayleave::gatehouse::sources::read_folder;
use wayleave::policy::engine::{Engine, Leaves};
use wayleave::rulebook::{InForce, Rulebook, Sources};

use super::cpu::OWN;
use crate::world;

const RULES: usize = 10_000;
const RULES_IN_A_FILE: usize = 100;
const ROUNDS: usize = 5;

/// Prints the middle of some rounds.
pub(crate) fn run() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let mut rounds: Vec<Vec<Spent>> = (0..ROUNDS).map(|_| round(folder.path())).collect();
    rounds.sort_by_key(|steps| steps.first().map(|whole| whole.wall));
    println!("a folder of {RULES} rules beside the shipped ones; the middle of {ROUNDS} rounds");
    println!("| ms | ms of CPU | |");
    println!("|--:|--:|---|");
    for (what, spent) in STEPS.iter().zip(rounds.get(ROUNDS / 2).unwrap()) {
        println!("| {} | {} | {what} |", spent.wall.as_millis(), spent.cpu);
    }
}

/// The whole, its steps, and what Cedar alone takes for parts of one of them.
const STEPS: [&str; 11] = [
    "from the folder to rules that may rule, the first time",
    "of it: read from the disk",
    "of it: assembled",
    "of it: cases run",
    "again, after one file of rules changed",
    "of it: read from the disk",
    "of it: assembled",
    "of it: cases run",
    "beside it: Cedar parses the rules, on one thread",
    "beside it: Cedar validates them, on one thread",
    "beside it: they are indexed and translated, on one thread",
];

#[derive(Clone, Copy)]
struct Spent {
    wall: Duration,
    /// Milliseconds of all threads.
    cpu: u64,
}

/// What something took.
fn took<T>(work: impl FnOnce() -> T) -> (T, Spent) {
    let (began, before) = (Instant::now(), super::cpu::millis(OWN));
    let done = work();
    let spent = Spent {
        wall: began.elapsed(),
        cpu: super::cpu::millis(OWN) - before,
    };
    (done, spent)
}

/// From the folder to rules that may rule, beside those that rule already; the whole first, then its steps.
fn load(folder: &Path, ruling: Option<&InForce>) -> (Sources, InForce, [Spent; 4]) {
    let ((sources, rules, steps), whole) = took(|| {
        let (sources, read) = took(|| Sources::from_files(read_folder(folder).unwrap()).unwrap());
        let (rules, assembled) = took(|| Rulebook::assemble_after(ruling, &sources).unwrap());
        let (report, ran) = took(|| rules.rulebook.run_cases(&rules.directory, &sources.cases));
        assert!(report.is_green(), "{:?}", report.into_problems().first());
        assert!(rules.rulebook.policy().rules().count() > RULES);
        (sources, rules.in_mode(Mode::Enforce), [read, assembled, ran])
    });
    let [read, assembled, ran] = steps;
    (sources, rules, [whole, read, assembled, ran])
}

fn round(folder: &Path) -> Vec<Spent> {
    let (sources, ruling, first) = load(folder, None);
    let file = folder.join("rules/bench-7.cedar");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("// changed\n{text}")).unwrap();
    let (_, changed, again) = load(folder, Some(&ruling));
    assert_ne!(changed.rulebook.id(), ruling.rulebook.id());
    std::fs::write(&file, text).unwrap();
    let schema: Schema = sources.schema.text.parse().unwrap();
    let (sets, parsed) =
        took(|| -> Vec<PolicySet> { sources.rules.iter().map(|file| file.text.parse().unwrap()).collect() });
    let validator = Validator::new(schema.clone());
    let ((), validated) = took(|| {
        let sound = |set| validator.validate(set, ValidationMode::Strict).validation_passed();
        assert!(sets.iter().all(sound));
    });
    // two files call their rules alike until they are told apart
    let policies = sets.iter().flat_map(PolicySet::policies).enumerate();
    let policies = policies
        .map(|(number, policy)| policy.new_id(PolicyId::new(number.to_string())))
        .collect();
    let actions = schema.action_entities().unwrap();
    let (_, indexed) = took(|| Engine::new(policies, &schema, &actions, Leaves(&[])));
    let steps = first.into_iter().chain(again);
    steps.chain([parsed, validated, indexed]).collect()
}

/// The shipped folder, with a company of a thousand people, its platforms, and its rules.
fn write(folder: &Path) {
    let shipped = Sources::embedded();
    let more = platforms().into_iter().chain([people()]).chain(rules());
    for file in shipped.files().cloned().chain(more) {
        let path = folder.join(&file.name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut text = file.text.to_string();
        if file.name == "catalog/categories.toml" {
            for number in 0..world::CATEGORIES {
                let _ = writeln!(
                    text,
                    "\n[[category]]\nid = \"cat-{number}\"\ntitle = \"Category {number}\"\nparent = \"social-media\""
                );
            }
        }
        std::fs::write(path, text).unwrap();
    }
}

fn platforms() -> Vec<SourceText> {
    let platform = |number: usize| {
        let mut text = format!(
            "id = \"platform-{number}\"\nname = \"Platform {number}\"\nowner = \"Nobody\"\ncategory = \"cat-{}\"\n\
             family = \"platform-{number}\"\ncontrol = \"request\"\nstatus = \"active\"\nnotes = \"For a bench.\"\ndomains = [\n",
            number % world::CATEGORIES
        );
        for host in (number..world::HOSTS).step_by(world::PLATFORMS) {
            let _ = writeln!(
                text,
                "  {{ host = \"www.{host}.example\", match = \"exact\", roles = [\"site\"] }},"
            );
        }
        SourceText::new(format!("catalog/platform-{number}.toml"), text + "]\n")
    };
    (0..world::PLATFORMS).map(platform).collect()
}

fn people() -> SourceText {
    let mut text = String::new();
    let mut unit = |kind: &str, id: String, within: String| {
        let _ = writeln!(
            text,
            "[[{kind}]]\nid = \"{id}\"\ntitle = \"{id}\"\nin = [\"{within}\"]\n"
        );
    };
    for family in 0..8 {
        unit("role", format!("family-{family}"), "staff".to_owned());
    }
    for role in 0..world::ROLES {
        unit("role", format!("role-{role}"), format!("family-{}", role % 8));
    }
    for division in 0..4 {
        unit("department", format!("division-{division}"), "company".to_owned());
    }
    for department in 0..world::DEPARTMENTS {
        let division = format!("division-{}", department % 4);
        unit("department", format!("dept-{department}"), division);
    }
    for person in 0..1_000 {
        let (role, department) = (person % world::ROLES, person % world::DEPARTMENTS);
        let _ = writeln!(
            text,
            "[[person]]\nid = \"user-{person}\"\nname = \"User {person}\"\nroles = [\"role-{role}\"]\ndepartment = \"dept-{department}\"\n\
             employment = \"employee\"\nregion = \"eu-west\"\ntime-zone = \"Europe/Paris\"\n"
        );
    }
    SourceText::new("people/bench.toml", text)
}

/// The rules without those for everybody, which the shipped cases would meet.
fn rules() -> Vec<SourceText> {
    let all = world::rules(RULES + world::FOR_EVERYBODY).text;
    let lines: Vec<&str> = all.lines().skip(2 * world::FOR_EVERYBODY).collect();
    let files = lines.chunks(2 * RULES_IN_A_FILE).enumerate();
    let file =
        |(number, lines): (usize, &[&str])| SourceText::new(format!("rules/bench-{number}.cedar"), lines.join("\n"));
    files.map(file).collect()
}

//! The law of the stairs: who may import whom, which files are doors, how large things may grow.
//!
//! A module imports only from lower floors; siblings on floor 2 never meet; on floor 1 only `rulebook` knows the
//! others. A file that touches the world is a door, and a new door is a visible line in this list.
#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "test helpers outside #[test] functions"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each room may import, beside itself.
fn stairs() -> BTreeMap<&'static str, Vec<&'static str>> {
    let nouns = vec!["facts", "clock"];
    let rules = ["facts", "clock", "policy", "catalog", "purpose", "rulebook"];
    let world = [
        "ingress", "identity", "tls", "upstream", "ledger", "audit", "metrics", "proof",
    ];
    let with = |more: &[&'static str]| rules.iter().chain(more).copied().collect::<Vec<_>>();
    let mut stairs = BTreeMap::from([
        ("clock", vec![]),
        ("facts", vec!["clock"]),
        ("policy", nouns.clone()),
        ("catalog", nouns.clone()),
        ("purpose", nouns),
        ("rulebook", vec!["facts", "clock", "policy", "catalog", "purpose"]),
        ("portal", with(&world)),
        ("proxy", with(&[&world[..], &["portal"]].concat())),
        ("notices", with(&[&world[..], &["portal"]].concat())),
        ("config", with(&[&world[..], &["portal", "proxy", "notices"]].concat())),
        (
            "gatehouse",
            with(&[&world[..], &["portal", "proxy", "notices", "config"]].concat()),
        ),
        (
            "cli",
            with(&[&world[..], &["portal", "proxy", "notices", "config", "gatehouse"]].concat()),
        ),
        ("main", vec!["cli"]),
    ]);
    for room in world {
        stairs.insert(room, with(&[]));
    }
    stairs
}

/// The files that may touch the world, each with the reason in its first lines.
const DOORS: &[&str] = &[
    "src/audit/entry.rs",
    "src/audit/folder.rs",
    "src/cli/check/place.rs",
    "src/cli/counter.rs",
    "src/cli/demo/mod.rs",
    "src/cli/demo/stand_ins.rs",
    "src/cli/diff/revision.rs",
    "src/cli/fmt.rs",
    "src/cli/prove/out.rs",
    "src/cli/run.rs",
    "src/cli/settings.rs",
    "src/cli/test/mod.rs",
    "src/cli/user.rs",
    "src/cli/way.rs",
    "src/clock.rs",
    "src/config/load.rs",
    "src/gatehouse/findings.rs",
    "src/gatehouse/kept.rs",
    "src/gatehouse/passing.rs",
    "src/gatehouse/reload.rs",
    "src/gatehouse/sources.rs",
    "src/identity/methods/basic.rs",
    "src/identity/users/file.rs",
    "src/ingress/holder.rs",
    "src/ingress/listener.rs",
    "src/ledger/postgres/access.rs",
    "src/ledger/postgres/desk.rs",
    "src/ledger/postgres/line.rs",
    "src/ledger/postgres/mod.rs",
    "src/ledger/sqlite/files.rs",
    "src/ledger/sqlite/mod.rs",
    "src/notices/secrets.rs",
    "src/portal/searches.rs",
    "src/proof/effort.rs",
    "src/proof/shelf.rs",
    "src/proof/solver.rs",
    "src/tls/files.rs",
    "src/tls/mint.rs",
    "src/upstream/dial/mod.rs",
    "src/upstream/pool.rs",
    "src/upstream/resolve.rs",
];

struct Source {
    path: String,
    room: String,
    production: String,
    whole: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(&root.join("src"), &mut files);
    files
        .iter()
        .map(|file| {
            let path = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let whole = std::fs::read_to_string(file).unwrap().replace(
                "#![expect(\n    clippy::disallowed_methods,\n    reason = \"door: ",
                "#![expect(clippy::disallowed_methods, reason = \"door: ",
            );
            let room = path.split('/').nth(1).unwrap().trim_end_matches(".rs").to_owned();
            let production = whole.split("\n#[cfg(test)]\nmod ").next().unwrap().to_owned();
            Source {
                path,
                room,
                production,
                whole,
            }
        })
        .collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for entry in entries {
        let tests = entry.file_stem().is_some_and(|stem| stem == "tests");
        if tests {
            continue; // rooms whose tests are too many for the file they test keep them beside it
        }
        if entry.is_dir() {
            walk(&entry, files);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            files.push(entry);
        }
    }
}

/// The rooms that a text names as `crate::room`, also inside `use crate::{a::B, c::D}`.
fn imports(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => {
                        rooms.insert(first_word(&item));
                        item.clear();
                        continue;
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                item.push(c);
            }
            rooms.insert(first_word(&item));
        } else {
            rooms.insert(first_word(rest));
        }
    }
    rooms.remove("");
    rooms
}

fn first_word(text: &str) -> String {
    text.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

#[test]
fn imports_go_down_the_stairs() {
    let stairs = stairs();
    let mut broken = Vec::new();
    for source in sources().iter().filter(|source| source.room != "lib") {
        let allowed = stairs
            .get(source.room.as_str())
            .unwrap_or_else(|| panic!("`{}` has no floor", source.room));
        for import in imports(&source.production) {
            if import != source.room && !allowed.contains(&import.as_str()) && stairs.contains_key(import.as_str()) {
                broken.push(format!("{} imports `{import}`", source.path));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "a module imports only from lower floors:\n{}",
        broken.join("\n")
    );
}

#[test]
fn every_door_is_listed_and_says_why() {
    let marked: BTreeSet<String> = sources()
        .iter()
        .filter(|source| {
            source
                .whole
                .contains("#![expect(clippy::disallowed_methods, reason = \"door: ")
        })
        .map(|source| source.path.clone())
        .collect();
    let listed: BTreeSet<String> = DOORS.iter().map(|door| (*door).to_owned()).collect();
    assert_eq!(
        marked, listed,
        "left: files marked as doors; right: the list in tests/layers.rs"
    );
}

#[test]
fn floors_zero_and_one_have_no_doors_but_the_clock() {
    for door in DOORS {
        let room = door.split('/').nth(1).unwrap();
        assert!(
            !["facts", "policy", "catalog", "purpose", "rulebook"].contains(&room),
            "`{door}` must stay pure"
        );
    }
}

#[test]
fn no_file_grows_past_its_idea() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|source| source.production.lines().count() > 400)
        .map(|source| format!("{}: {} lines", source.path, source.production.lines().count()))
        .collect();
    assert!(
        long.is_empty(),
        "files have at most 400 production lines:\n{}",
        long.join("\n")
    );
}

#[test]
fn only_upstream_connects() {
    let mut found = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| !source.path.starts_with("src/upstream/"))
    {
        for way in ["TcpStream::connect", "TcpSocket::new", "connect_timeout("] {
            if source.production.contains(way) && !source.path.starts_with("src/cli/") {
                found.push(format!("{}: {way}", source.path));
            }
        }
    }
    assert!(
        found.is_empty(),
        "no permit, no packet: only src/upstream dials:\n{}",
        found.join("\n")
    );
}

#[test]
fn the_parser_of_imports_sees_groups() {
    let found = imports("use crate::{facts::Host, policy::{A, B}, audit};\nlet x = crate::clock::Clock::system();");
    let expected: BTreeSet<String> = ["facts", "policy", "audit", "clock"].map(str::to_owned).into();
    assert_eq!(found, expected);
}

//! The two scripts of the repository: what the tests need is installed, and everything runs in its order. Both run in a copy,
//! among stand-ins that write down how they are called.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::desk::{Desk, shipped};

/// What the scripts themselves are made of.
const TOOLS: [&str; 9] = ["bash", "sh", "dirname", "cmp", "id", "env", "mkdir", "rm", "cp"];

/// Programs that tests start, and the packages that bring them.
const NEEDS: [(&str, &str); 9] = [
    ("curl", "curl"),
    ("openssl", "openssl"),
    ("chromium", "chromium"),
    ("certutil", "libnss3-tools"),
    ("chromedriver", "chromium-driver"),
    ("promtool", "prometheus"),
    ("node", "nodejs"),
    ("git", "git"),
    ("cvc5", "cvc5"),
];

/// Where `name` is on this machine.
fn whereabouts(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name));
    found.into_iter().find(|file| file.is_file()).unwrap()
}

fn executable(desk: &Desk, name: &str, text: &str) {
    desk.write(name, text);
    std::fs::set_permissions(desk.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A copy of the repository's scripts, on a machine that has these programs.
fn machine(programs: &[&str]) -> Desk {
    let desk = Desk::empty();
    for script in ["tests/run", ".ci/run"] {
        executable(&desk, script, &std::fs::read_to_string(shipped(script)).unwrap());
    }
    // what is fetched by its version is there
    for (list, folder) in [
        ("tests/schemathesis.txt", "schemathesis"),
        ("tests/axe-core.txt", "axe-core"),
    ] {
        let list_is = std::fs::read_to_string(shipped(list)).unwrap();
        desk.write(list, &list_is);
        desk.write(&format!("target/{folder}/installed.txt"), &list_is);
    }
    for name in ["cargo", "apt-get"] {
        let refuses = "[ \"$1\" != \"$REFUSES\" ] || exit 1";
        executable(
            &desk,
            &format!("bin/{name}"),
            &format!("#!/bin/sh\necho \"{name} $*\" >> called\n{refuses}\n"),
        );
    }
    executable(&desk, "bin/sudo", "#!/bin/sh\nexec \"$@\"\n");
    for program in programs {
        executable(&desk, &format!("bin/{program}"), "#!/bin/sh\n");
    }
    for tool in TOOLS {
        symlink(whereabouts(tool), desk.path("bin").join(tool)).unwrap();
    }
    desk
}

/// How the stand-ins were called, after `line` ended with `code`.
fn calls(desk: &Desk, line: &str, code: i32) -> Vec<String> {
    let told = desk.types(&format!("PATH=$PWD/bin {line}"));
    assert!(told.starts_with(&format!("exit {code}\n")), "{line}: {told}");
    desk.read("called").lines().map(str::to_owned).collect()
}

fn all_programs() -> Vec<&'static str> {
    NEEDS.iter().map(|(program, _)| *program).collect()
}

#[test]
fn what_the_tests_need_is_installed_where_it_is_missing_and_then_they_all_run() {
    let desk = machine(&["git"]);
    let calls = calls(&desk, "tests/run --test e2e", 0);
    let [update, install, test] = &calls[..] else {
        panic!("{calls:?}")
    };
    assert_eq!(update, "apt-get -qq update");
    let words: Vec<&str> = install.split(' ').collect();
    assert!(install.starts_with("apt-get -qq install -y "), "{install}");
    for (program, package) in NEEDS {
        assert_eq!(words.contains(&package), program != "git", "{package}: {install}");
    }
    assert_eq!(test, "cargo test --locked --features postgres --test e2e");
}

#[test]
fn every_program_that_a_test_asks_for_by_its_package_is_installed() {
    let script = std::fs::read_to_string(shipped("tests/run")).unwrap();
    let asked = regex::Regex::new(r"(?:apt-get install|apt install|Debian's package) `?([a-z][a-z0-9-]*)").unwrap();
    let mut packages = std::collections::BTreeSet::new();
    for folder in ["src", "tests"] {
        sources(&shipped(folder), &mut |text| {
            packages.extend(asked.captures_iter(text).map(|found| found[1].to_owned()));
        });
    }
    assert!(packages.len() >= 5, "{packages:?}");
    for package in packages {
        assert!(script.contains(&package), "tests/run does not install `{package}`");
    }
}

fn sources(folder: &Path, look: &mut dyn FnMut(&str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn before_a_change_lands_it_is_laid_out_and_linted_and_then_all_tests_run() {
    let desk = machine(&all_programs());
    let calls_of = |line: &str, code: i32| {
        std::fs::remove_file(desk.path("called")).ok();
        // what Debian brings beside programs may be missing here
        let calls = calls(&desk, line, code).into_iter();
        calls.filter(|call| call.starts_with("cargo ")).collect::<Vec<_>>()
    };
    let calls = calls_of(".ci/run", 0);
    let at = |start: &str| {
        calls
            .iter()
            .position(|call| call.starts_with(start))
            .unwrap_or_else(|| panic!("{calls:?}"))
    };
    assert!(
        calls[at("cargo clippy")].ends_with("--all-targets -- -D warnings"),
        "{calls:?}"
    );
    assert!(at("cargo fmt --check") < at("cargo clippy") && at("cargo clippy") < at("cargo test"));
    assert_eq!(calls.last().unwrap(), "cargo test --locked --features postgres");
    for (refuses, last) in [("fmt", "cargo fmt"), ("clippy", "cargo clippy")] {
        let calls = calls_of(&format!("REFUSES={refuses} .ci/run"), 1);
        assert!(calls.last().unwrap().starts_with(last), "{calls:?}");
    }
}

use std::path::{Path, PathBuf};

use super::shape::{self, Shape};
use super::*;
use crate::facts::Problem;

const SHIPPED: &str = include_str!("../../deploy/wayleave.toml");

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn read(text: &str, env: &[(&str, &str)], overrides: &[(&str, &str)]) -> Result<File, Vec<Problem>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wayleave.toml");
    std::fs::write(&path, text).unwrap();
    load(Some(&path), pairs(env), pairs(overrides)).map_err(|mut problems| {
        for problem in &mut problems {
            problem.file = problem.file.replace(&path.display().to_string(), "wayleave.toml");
        }
        problems
    })
}

fn complaints(text: &str, env: &[(&str, &str)]) -> Vec<String> {
    let problems = read(text, env, &[]).map(drop).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

fn as_value(file: &File) -> toml::Value {
    toml::Value::try_from(file).unwrap()
}

#[test]
fn the_shipped_file_shows_every_setting_with_its_default() {
    let shipped: toml::Table = SHIPPED.parse().unwrap();
    let missing: Vec<String> = shape::values::<File>()
        .into_iter()
        .filter(|path| {
            let found = path.iter().try_fold(None, |at: Option<&toml::Value>, key| match at {
                None => shipped.get(*key).map(Some),
                Some(value) => value.get(key).map(Some),
            });
            // What is not set by default stands there as a comment.
            let commented = SHIPPED.contains(&format!("\n# {} = ", path.last().unwrap()));
            found.is_none() && !commented
        })
        .map(|path| path.join("."))
        .collect();
    assert_eq!(missing, [""; 0]);
    let parsed: File = toml::from_str(SHIPPED).unwrap();
    assert_eq!(as_value(&parsed), as_value(&File::default()));
}

#[test]
fn a_client_may_have_all_connections_but_a_door_not_none() {
    let all = read("[ingress]\nmax_connections_per_client = 0", &[], &[]).unwrap();
    assert_eq!(all.ingress.max_connections_per_client, 0);
    let none = complaints("[ingress]\nmax_connections = 0", &[]);
    assert!(
        none[0].contains("`max_connections` of 0 would let nothing through"),
        "{none:?}"
    );
}

#[test]
fn what_makes_no_sense_is_refused_with_what_would() {
    let text = "\
[ingress]
max_header_bytes = 10
networks = { office = ['10.1.0.0/16'], site = ['10.1.0.0/16'] }

[upstream]
allow = ['10.0.0.1/8']

[proxy]
via = 'a b'

[audit]
sync_ms = 999999999

[portal]
ticket_s = 0
";
    let said = complaints(text, &[]);
    for part in [
        "no browser's head fits into 10 bytes (use at least 1024)",
        "`10.1.0.0/16` belongs to `ingress.networks.office` already (name each network once)",
        "`10.0.0.1/8` is an address inside of a network (write `10.0.0.0/8` for all of it, or `10.0.0.1/32` for the address alone)",
        "`a b` cannot stand in `Via`",
        "a crash would lose lines of up to 999999999 milliseconds (use at most 60000, which is a minute)",
        "`ticket_s` of 0 would let nothing through",
    ] {
        assert!(said.iter().any(|line| line.contains(part)), "{part}: {said:#?}");
    }
    assert_eq!(said.len(), 6, "{said:#?}");
}

#[test]
fn a_variable_that_is_nearly_a_setting_is_told_which() {
    for (name, meant) in [
        ("WAYLEAVE_INGRESS_PLAIN", "WAYLEAVE__INGRESS__PLAIN"),
        ("WAYLEAVE_MODE", "WAYLEAVE__MODE"),
        ("wayleave__mode", "WAYLEAVE__MODE"),
    ] {
        let said = complaints("", &[(name, "observe")]);
        assert!(said.iter().any(|line| line.contains(meant)), "{name}: {said:?}");
    }
    assert!(read("", &[("WAYLEAVE_LOG", "debug"), ("WAYLEAVE_PASSWORD", "x")], &[]).is_ok());
}

#[test]
fn every_setting_of_the_shipped_file_has_a_word_about_it() {
    let mut explained = false;
    for line in SHIPPED.lines() {
        if line.starts_with('#') {
            explained = true;
        } else if line.is_empty() {
            explained = false;
        } else if !line.starts_with('[') {
            // A group of settings may share one comment, or speak for itself below one that has it.
            assert!(explained, "{line}");
        }
    }
}

#[test]
fn nothing_and_an_empty_file_mean_the_defaults() {
    let nothing = load(None, [], []).unwrap();
    assert_eq!(nothing.ingress.plain.to_string(), "127.0.0.1:3128");
    assert_eq!(nothing.ingress.tls.to_string(), "127.0.0.1:3129");
    assert_eq!(nothing.admin.listen.to_string(), "127.0.0.1:9128");
    assert_eq!(nothing.policies.folder, Path::new("policies"));
    assert_eq!(nothing.portal.host.as_str(), "wayleave.internal");
    let empty = read("", &[], &[]).unwrap();
    assert_eq!(empty.ingress.plain, nothing.ingress.plain);
}

#[test]
fn a_gateway_has_one_of_three_modes_and_whoever_continues_is_told_again() {
    assert_eq!(read("", &[], &[]).unwrap().mode, Mode::Enforce);
    assert_eq!(read("mode = \"observe\"", &[], &[]).unwrap().mode, Mode::Observe);
    assert_eq!(read("mode = \"coach\"", &[], &[]).unwrap().mode, Mode::Coach);
    let problems = read("mode = \"report\"", &[], &[]).unwrap_err();
    assert_eq!(problems[0].message, "`mode` cannot be `report`");
    assert_eq!(problems[0].help.as_deref(), Some("use one of: observe, coach, enforce"));
    for minutes in [0, 1441] {
        let problems = read(&format!("[portal]\ncontinue_minutes = {minutes}"), &[], &[]).unwrap_err();
        assert_eq!(problems[0].help.as_deref(), Some("use 1 to 1440, which is a day"));
    }
    let problems = read("[portal]\ndelegation_days = 367", &[], &[]).unwrap_err();
    assert_eq!(problems[0].help.as_deref(), Some("use 1 to 366, or 0 for not at all"));
    for (section, key) in [
        ("proxy", "distrust_s"),
        ("upstream", "names_kept_s"),
        ("upstream", "resolve_timeout_s"),
        ("ingress", "header_timeout_s"),
        ("identity", "basic_remember_s"),
    ] {
        let setting = |seconds: u64| read(&format!("[{section}]\n{key} = {seconds}"), &[], &[]);
        assert!(setting(86_400).is_ok(), "{key}");
        // a cache or a clock panics on some, and nothing takes or lasts for so long
        for seconds in [86_401, 100_000_000_000, i64::MAX as u64] {
            let help = setting(seconds).unwrap_err().remove(0).help;
            assert_eq!(help.as_deref(), Some("use at most 86400, which is a day"), "{key}");
        }
    }
}

#[test]
fn nothing_listens_beyond_this_machine_until_somebody_says_so() {
    let file = File::default();
    for address in [file.ingress.plain, file.ingress.tls, file.admin.listen] {
        assert!(address.ip().is_loopback(), "{address}");
    }
}

#[test]
fn relative_paths_start_at_home_as_seen_from_the_file() {
    let file = File {
        home: PathBuf::from(".."),
        tls: tls::Settings {
            extra_roots: vec![PathBuf::from("./a.pem"), PathBuf::from("/b.pem")],
            ..tls::Settings::default()
        },
        ..File::default()
    };
    let file = file.anchored(Path::new("/srv/gate/deploy"));
    assert_eq!(file.home, Path::new("/srv/gate"));
    assert_eq!(file.identity.users, Path::new("/srv/gate/state/users.toml"));
    assert_eq!(file.audit.folder, Path::new("/srv/gate/state/records"));
    assert_eq!(
        file.tls.extra_roots,
        [Path::new("/srv/gate/a.pem"), Path::new("/b.pem")]
    );
    let moved = File {
        home: PathBuf::from("/var/lib/wayleave"),
        ..File::default()
    };
    let moved = moved.anchored(Path::new("/etc/wayleave"));
    assert_eq!(moved.ledger.file, Path::new("/var/lib/wayleave/state/ledger.db"));
    assert_eq!(
        File::default().anchored(Path::new("deploy")).tls.folder,
        Path::new("certs")
    );
}

#[test]
fn no_path_is_left_behind_when_paths_are_anchored() {
    let anchored = as_value(&File::default().anchored(Path::new("/srv/deploy")));
    let plain = as_value(&File::default());
    for path in shape::values::<File>() {
        let at = |root: &toml::Value| path.iter().try_fold(root.clone(), |at, key| at.get(key).cloned());
        if let Some(toml::Value::String(text)) = at(&plain) {
            let looks_like_a_path = text.contains('/') || text == "policies" || text == "certs";
            let moved = at(&anchored) != at(&plain);
            assert_eq!(looks_like_a_path, moved && path != ["home"], "{path:?} = {text}");
        }
    }
}

#[test]
fn all_problems_are_named_at_once_with_their_places() {
    let text = "\
[ingres]
plain = '127.0.0.1:1'

[ingress]
plian = '127.0.0.1:1'
tls = 'nowhere'
backlog = 'many'
max_headers = -1

[audit]
on_full = 'bloc'
listen = 1

[upstream]
allow = '10.0.0.0/8'
map = 3
tls = 1

[[identity]]
";
    assert_eq!(
        complaints(text, &[]),
        [
            "wayleave.toml:1:2: there is no section or setting `ingres` (did you mean `ingress`?)",
            "wayleave.toml:5:1: there is no setting `plian` in `[ingress]` (did you mean `plain`?)",
            "wayleave.toml:6:7: `ingress.tls` must be an address and a port, not `nowhere` (write e.g. `127.0.0.1:3128` or `[::1]:3128`)",
            "wayleave.toml:7:11: `ingress.backlog` must be a whole number from 0 up, not string `many`",
            "wayleave.toml:8:15: `ingress.max_headers` must be a whole number from 0 up, not integer `-1`",
            "wayleave.toml:11:11: `audit.on_full` cannot be `bloc` (did you mean `block`?)",
            "wayleave.toml:12:1: there is no setting `listen` in `[audit]` (there is a setting `admin.listen`)",
            "wayleave.toml:15:9: `upstream.allow` must be a list in brackets, not string `10.0.0.0/8`",
            "wayleave.toml:16:7: `upstream.map` must be a table `{ name = value }`, not integer `3`",
            "wayleave.toml:17:1: there is no setting `tls` in `[upstream]` (there is a setting `ingress.tls`)",
            "wayleave.toml:19:1: `identity` is a section, not a value (write `[identity]` and its settings below)",
        ]
    );
}

#[test]
fn a_text_that_is_not_toml_is_refused_with_the_place_of_its_first_mistake() {
    let found = complaints("[ingress]\nplain = \ntls = '\n", &[]);
    let lines: Vec<Option<&str>> = found.iter().map(|line| line.split(':').nth(1)).collect();
    assert_eq!(lines, [Some("2")], "{found:?}");
    let missing = load(Some(Path::new("/nowhere/wayleave.toml")), [], []).unwrap_err();
    assert!(
        missing[0].to_string().contains("cannot read the settings"),
        "{missing:?}"
    );
}

#[test]
fn the_environment_wins_over_the_file_and_the_command_line_over_both() {
    let text = "[ingress]\nplain = '127.0.0.1:1'\ntls = '127.0.0.1:2'\nbacklog = 1\n";
    let env = [
        ("WAYLEAVE__INGRESS__TLS", "127.0.0.1:20"),
        ("WAYLEAVE__INGRESS__BACKLOG", "20"),
        ("WAYLEAVE__TLS__USE_SYSTEM_ROOTS", "false"),
        ("WAYLEAVE__PAC__DIRECT", "['corp.example']"),
        ("WAYLEAVE__UPSTREAM__MAP", "{ '*' = '127.0.0.1:8443' }"),
        ("WAYLEAVE__CLOCK__FIXED_AT", "2026-11-23T09:30:00Z"),
        ("WAYLEAVE__POLICIES__FOLDER", "\"quoted\""),
        ("WAYLEAVE__AUDIT__FOLDER", "/123"),
        ("WAYLEAVE_LOG", "debug"),
        ("PATH", "/bin"),
    ];
    let file = read(text, &env, &[("ingress.backlog", "300"), ("portal.host", "gate.corp")]).unwrap();
    assert_eq!(file.ingress.plain.port(), 1);
    assert_eq!(file.ingress.tls.port(), 20);
    assert_eq!(file.ingress.backlog, 300);
    assert!(!file.tls.use_system_roots);
    assert_eq!(file.pac.direct[0].as_str(), "corp.example");
    assert_eq!(file.upstream.map["*"], "127.0.0.1:8443");
    assert_eq!(file.clock.fixed_at.unwrap().to_string(), "2026-11-23T09:30:00.000Z");
    assert!(file.policies.folder.ends_with("quoted"));
    assert_eq!(file.audit.folder, Path::new("/123"));
    assert_eq!(file.portal.host.as_str(), "gate.corp");
}

#[test]
fn a_wrong_name_or_value_in_the_environment_is_refused_with_a_hint() {
    let env = [
        ("WAYLEAVE__ADMIN__LISTEN", "9128"),
        ("WAYLEAVE__INGRES__PLAIN", "x"),
        ("WAYLEAVE__INGRESS", "x"),
        ("WAYLEAVE__INGRESS__BACKLOG", "1\nplain = 3"),
        ("WAYLEAVE__INGRESS__PLIAN", "x"),
        ("WAYLEAVE__PORTAL__HOST__NAME", "x"),
    ];
    assert_eq!(
        complaints("", &env),
        [
            "WAYLEAVE__ADMIN__LISTEN:1:1: `admin.listen` must be an address and a port, not `9128` (write e.g. `127.0.0.1:3128` or `[::1]:3128`)",
            "WAYLEAVE__INGRESS:1:1: `ingress` is a section, not a value (name one setting of it)",
            "WAYLEAVE__INGRESS__BACKLOG:1:1: `ingress.backlog` must be a whole number from 0 up, not string `1\\nplain = 3`",
            "WAYLEAVE__INGRESS__PLIAN:1:1: there is no setting `plian` in `[ingress]` (did you mean `plain`?)",
            "WAYLEAVE__INGRES__PLAIN:1:1: there is no section or setting `ingres` (did you mean `ingress`?)",
            "WAYLEAVE__PORTAL__HOST__NAME:1:1: `portal.host` has no settings below it (give it a whole TOML value, e.g. `{ name = \"value\" }`)",
        ]
    );
}

#[test]
fn values_that_make_no_sense_are_refused_where_they_stand() {
    let text = "\
[ingress]
plain = '0.0.0.0:3129'
max_headers = 0

[identity]
methods = ['basik']

[tls]
leaf_days = 365

[portal]
host = 'gate'
";
    assert_eq!(
        complaints(text, &[]),
        [
            "wayleave.toml:6:11: there is no method `basik` (did you mean `basic`?)",
            "`ingress.tls`: `127.0.0.1:3129` overlaps with `0.0.0.0:3129` of `ingress.plain` (give each listener its own port)",
            "wayleave.toml:3:15: `max_headers` of 0 would let nothing through (use at least 1)",
            "wayleave.toml:9:13: a minted certificate cannot be valid for 365 days (use 1 to 90)",
            "wayleave.toml:12:8: `gate` cannot be the portal's name (use a name with a dot that no server has, e.g. `wayleave.internal`)",
        ]
    );
    assert!(read("[ingress]\nplain = '127.0.0.1:0'\ntls = '127.0.0.1:0'\n", &[], &[]).is_ok());
}

#[test]
fn moments_and_networks_that_cannot_be_read_are_answered_with_an_example() {
    let text = "\
[ingress]
basic_networks = ['10.0.0.0/8', '10.0.0.0/99']
networks = { office = ['10.1.2.3'] }

[upstream]
allow = 'intranet'

[clock]
fixed_at = 'yesterday'

[portal]
host = 'bad host'
";
    let said = complaints(text, &[]);
    let example = "(write an address and a length, e.g. `10.0.0.0/8` or `2001:db8::/32`; `10.1.2.3/32` is one address)";
    for part in [
        &format!("`ingress.basic_networks` cannot hold `10.0.0.0/99`, which is not a network {example}"),
        &format!("cannot hold `10.1.2.3`, which is not a network {example}"),
        "`yesterday` is not a moment: write date, time and zone, e.g. `2026-11-24T12:30:00Z`",
        "`portal.host` cannot be used: `bad host` is not a host name or an IP address",
    ] {
        assert!(said.iter().any(|line| line.contains(part)), "{part} in {said:#?}");
    }
    assert_eq!(said.len(), 5, "{said:#?}");
}

#[test]
fn every_section_knows_its_shape() {
    assert!(matches!(shape::at::<File>(&["ingress"]), Some(Shape::Section(_))));
    assert_eq!(shape::at::<File>(&["ingress", "networks"]), Some(Shape::Names));
    assert!(shape::values::<File>().len() > 50);
}

#[test]
fn a_shared_ledger_needs_a_database_without_a_password_in_its_name_and_a_name_for_the_gateway() {
    let of = |lines: &str| complaints(&format!("[ledger]\nstore = \"postgresql\"\n{lines}"), &[]).join("\n");
    if !cfg!(feature = "postgres") {
        assert!(
            of("").contains("this program was built without PostgreSQL"),
            "{}",
            of("")
        );
        return;
    }
    let nothing = of("");
    assert!(
        nothing.contains("needs `ledger.url`") && nothing.contains("needs `ledger.gateway`"),
        "{nothing}"
    );
    let open = of("url = \"postgresql://wayleave:tiger@db/wayleave\"\ngateway = \"east\"");
    assert!(open.contains("holds a password") && !open.contains("tiger"), "{open}");
    let nonsense = of("url = \"mysql://tiger\"\ngateway = \"east of the river\"");
    assert!(
        nonsense.contains("it is not the URL of a PostgreSQL database"),
        "{nonsense}"
    );
    assert!(nonsense.contains("it is no name for a gateway"), "{nonsense}");
    let patience = of("url = \"postgresql://wayleave@db/wayleave\"\ngateway = \"east\"\ngrant_patience_s = 30");
    assert!(patience.contains("it cannot go on for longer than that"), "{patience}");
    let good = "[ledger]\nstore = \"postgresql\"\nurl = \"postgresql://wayleave@db/wayleave\"\ngateway = \"east-1\"\npassword_file = \"password\"";
    let read = read(good, &[], &[]).unwrap();
    assert!(read.ledger.password_file.unwrap().is_absolute());
}

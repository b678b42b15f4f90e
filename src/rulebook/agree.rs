//! Where one text says what another must say, too: purposes and the schema's list of them, what requests are recognised as
//! and the actions that rules can name, what purposes name of catalogue and directory. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use super::words::{Rules, Words};
use super::{Directory, Sources};
use crate::clock::Timestamp;
use crate::facts::{Activity, Answer, Category, Problem, PurposeId, SourceText, SubjectId, did_you_mean};
use crate::policy::{NamedKind, Policy, Vocabulary};
use crate::purpose::{Approver, Purpose, Purposes};

/// Everything that one text says and another does not, as far as both could be read.
pub(super) fn disagreements(words: &Words<'_>, sources: &Sources) -> Vec<Problem> {
    let mut problems = named_by_purposes(words, sources);
    if let Some(vocabulary) = words.vocabulary {
        problems.extend(listed(words, vocabulary, sources));
        problems.extend(activities(words, vocabulary, sources));
    }
    if let Rules::Of(policy) = words.rules {
        problems.extend(opened(sources, words.purposes, policy));
    }
    problems
}

/// What `purposes.toml` says of catalogue and directory.
fn named_by_purposes(words: &Words<'_>, sources: &Sources) -> Vec<Problem> {
    let Words { catalog, directory, .. } = words;
    let platforms: Vec<&str> = catalog.platforms().map(|platform| platform.id.as_str()).collect();
    let categories: Vec<&str> = catalog.categories().ids().map(Category::as_str).collect();
    let roles: Vec<&str> = directory.roles().iter().map(String::as_str).collect();
    let departments: Vec<&str> = directory.departments().iter().map(String::as_str).collect();
    let shelves = [
        (
            NamedKind::Platform,
            "platforms",
            "platform of the catalogue",
            &platforms,
        ),
        (
            NamedKind::Category,
            "categories",
            "category of the catalogue",
            &categories,
        ),
        (NamedKind::Role, "roles", "role of the directory", &roles),
        (
            NamedKind::Department,
            "departments",
            "department of the directory",
            &departments,
        ),
    ];
    let mut problems = Vec::new();
    for purpose in words.purposes.iter() {
        for (_, key, kind, known) in shelves.iter().filter(|(kind, ..)| words.has_all(*kind)) {
            let unknown = purpose
                .spans
                .iter()
                .filter(|((of, word), _)| of == key && !known.contains(&word.as_str()));
            for ((_, word), span) in unknown {
                problems.push(stranger(&sources.purposes, word, *span, kind, known.iter().copied()));
            }
        }
        if words.has_all(NamedKind::Role) && words.has_all(NamedKind::Department) {
            problems.extend(unknown_groups(purpose, directory, &sources.purposes));
        }
        if words.has_all(NamedKind::Person) {
            problems.extend(too_few(purpose, directory, &sources.purposes));
            for (word, span) in unknown_people(purpose, directory) {
                let known = directory.people().map(|person| person.id.as_str());
                problems.push(stranger(
                    &sources.purposes,
                    word,
                    span,
                    "person of the directory",
                    known,
                ));
            }
        }
    }
    problems
}

/// Whoever owns a purpose, or is named to approve it, is somebody whom the directory knows.
pub(super) fn owners_are_known(purposes: &Purposes, directory: &Directory) -> bool {
    purposes
        .iter()
        .all(|purpose| unknown_people(purpose, directory).next().is_none())
}

fn unknown_people<'p>(purpose: &'p Purpose, directory: &Directory) -> impl Iterator<Item = (&'p str, (usize, usize))> {
    let people = ["owner", "approver"];
    let owners = purpose
        .spans
        .iter()
        .filter(move |((of, _), _)| people.contains(&of.as_str()));
    let is_known =
        |word: &str| SubjectId::parse(word).is_ok_and(|id| id.as_str() == word && directory.person(&id).is_some());
    owners
        .map(|((_, word), span)| (word.as_str(), *span))
        .filter(move |(word, _)| !is_known(word))
}

/// Groups of approvers are roles or departments.
fn unknown_groups(purpose: &Purpose, directory: &Directory, file: &SourceText) -> Vec<Problem> {
    let groups = || {
        directory
            .roles()
            .iter()
            .chain(directory.departments())
            .map(String::as_str)
    };
    let named = purpose.spans.iter().filter(|((of, _), _)| of == "approver-group");
    let unknown = named.filter(|((_, word), _)| groups().all(|known| known != word));
    unknown
        .map(|((_, word), span)| stranger(file, word, *span, "role or department of the directory", groups()))
        .collect()
}

/// As many people as must approve are there to do so.
fn too_few(purpose: &Purpose, directory: &Directory, file: &SourceText) -> Option<Problem> {
    let nobody = SubjectId::nobody();
    let approval = |id: &SubjectId, seats| Answer {
        seats,
        ..Answer::approval(id.clone(), Timestamp::from_millis(0))
    };
    // whoever asks has some manager
    let manager = approval(&nobody, BTreeSet::from([Approver::Manager.to_string()]));
    let seating = purpose.seating((&nobody, None), Duration::ZERO);
    let everybody = directory
        .people()
        .map(|person| approval(&person.id, seating.seats(person)));
    let everybody = everybody.chain([manager]);
    let needed = purpose.approval.how_many();
    let missing = if needed > 1 {
        purpose.approval.missing(&everybody.collect::<Vec<_>>())
    } else {
        0
    };
    (missing > 0).then(|| {
        let there = needed - missing;
        let message = format!("`{}` takes {needed} approvals, and {there} can be given", purpose.id);
        let problem = Problem::error(
            "wayleave::purposes::too-few-approvers",
            file,
            place_of(purpose),
            message,
        );
        problem.with_help("name more people, or groups with more of them")
    })
}

fn stranger<'k>(
    file: &SourceText,
    word: &str,
    span: (usize, usize),
    kind: &str,
    known: impl Iterator<Item = &'k str>,
) -> Problem {
    let help = match did_you_mean(word, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("name a {kind}"),
    };
    let message = format!("`{word}` is not a {kind}");
    Problem::error("wayleave::purposes::unknown-name", file, span, message).with_help(help)
}

/// The schema's list of purposes and `purposes.toml` must be the same.
fn listed(words: &Words<'_>, vocabulary: &Vocabulary, sources: &Sources) -> Vec<Problem> {
    let (listed, purposes) = (vocabulary.purposes(), words.purposes);
    let described: BTreeSet<&PurposeId> = purposes.iter().map(|purpose| &purpose.id).collect();
    let mut problems = Vec::new();
    for purpose in purposes.iter().filter(|purpose| !listed.contains(&purpose.id)) {
        problems.push(unlisted(&sources.purposes, purpose, listed));
    }
    // one that is described under a name like it is told once
    let unlisted = purposes.iter().filter(|purpose| !listed.contains(&purpose.id));
    let meant = unlisted.filter_map(|purpose| did_you_mean(purpose.id.as_str(), listed.iter().map(PurposeId::as_str)));
    let meant: BTreeSet<&str> = meant.collect();
    let is_missing =
        |id: &&PurposeId| words.has_all(NamedKind::Purpose) && !described.contains(id) && !meant.contains(id.as_str());
    for id in listed.iter().filter(is_missing) {
        let quoted = format!("\"{id}\"");
        let at = sources.schema.text.find(&quoted).unwrap_or(0);
        let message = format!("the purpose `{id}` has no terms");
        let problem = Problem::error(
            "wayleave::purposes::no-terms",
            &sources.schema,
            (at, quoted.len()),
            message,
        );
        problems.push(problem.with_help("describe it in `purposes.toml`, or remove it from the list"));
    }
    problems
}

fn unlisted(file: &SourceText, purpose: &Purpose, listed: &BTreeSet<PurposeId>) -> Problem {
    let id = purpose.id.as_str();
    let span = place_of(purpose);
    let help = match did_you_mean(id, listed.iter().map(PurposeId::as_str)) {
        Some(near) => format!("did you mean `{near}`? otherwise add it to `PurposeKind` in the schema"),
        None => "add it to `PurposeKind` in the schema".to_owned(),
    };
    let message = format!("the schema does not list the purpose `{id}`");
    Problem::error("wayleave::purposes::not-listed", file, span, message).with_help(help)
}

/// A purpose that opens nothing is declared in vain.
fn opened(sources: &Sources, purposes: &Purposes, policy: &Policy) -> Vec<Problem> {
    let listed = policy.vocabulary().purposes();
    let idle = purposes
        .iter()
        .filter(|purpose| listed.contains(&purpose.id) && !policy.opens(&purpose.id));
    idle.map(|purpose| {
        let message = format!("no rule opens anything for the purpose `{}`", purpose.id);
        let span = place_of(purpose);
        let problem = Problem::error("wayleave::purposes::opens-nothing", &sources.purposes, span, message);
        let help = "write a rule that names it in `rules/`; until then nobody can declare it";
        problem.as_warning().with_help(help)
    })
    .collect()
}

fn place_of(purpose: &Purpose) -> (usize, usize) {
    let id = purpose.id.as_str();
    purpose
        .spans
        .get(&("id".to_owned(), id.to_owned()))
        .copied()
        .unwrap_or((0, 0))
}

/// What requests are recognised as must be actions of the schema; the reverse is worth a look.
fn activities(words: &Words<'_>, vocabulary: &Vocabulary, sources: &Sources) -> Vec<Problem> {
    let (declared, catalog) = (vocabulary.activities(), words.catalog);
    let known = catalog.activities();
    let mut problems = Vec::new();
    for activity in known.filter(|one| !declared.contains_key(one)) {
        let help = match did_you_mean(activity.as_str(), declared.keys().map(Activity::as_str)) {
            Some(_) | None if Vocabulary::is_apart(activity.as_str()) => {
                "give it another name: this is what the gateway asks of a flow or a grant, and not what a request does"
                    .to_owned()
            }
            Some(near) => format!("did you mean `{near}`? otherwise declare the action in the schema"),
            None => "declare the action in the schema".to_owned(),
        };
        let quoted = format!("\"{activity}\"");
        let found = sources
            .catalog
            .iter()
            .find_map(|file| Some((file, file.text.find(&quoted)?)));
        let code = "wayleave::catalog::activity-not-declared";
        let message = format!("requests are recognised as `{activity}`, which the schema does not declare");
        let problem = match found {
            Some((file, at)) => Problem::error(code, file, (at, quoted.len()), message),
            None => Problem::of_file(code, "catalog/activities.toml", message),
        };
        problems.push(problem.with_help(help));
    }
    let recognised = catalog.recognised();
    let is_idle = |one: &&Activity| !recognised.contains(one) && !COMPUTED.contains(&one.as_str());
    for activity in declared.keys().filter(|one| words.has_every_signature && is_idle(one)) {
        let code = "wayleave::catalog::activity-never-recognised";
        let message = format!("no platform has a request that is recognised as `{activity}`");
        let problem = match place_of_action(&sources.schema.text, activity.as_str()) {
            Some(span) => Problem::error(code, &sources.schema, span, message),
            None => Problem::of_file(code, &sources.schema.name, message),
        };
        let help = "add a signature to the platforms that have it, or remove the action";
        problems.push(problem.as_warning().with_help(help));
    }
    problems
}

/// Activities that requests are read as without a signature, and `realtime`, which rules name ahead of the signatures.
const COMPUTED: [&str; 6] = [
    "browse",
    "view-media",
    "embed",
    "telemetry",
    "unknown-write",
    "realtime",
];

/// Where the schema declares an action.
fn place_of_action(schema: &str, name: &str) -> Option<(usize, usize)> {
    let mut start = 0;
    for line in schema.split_inclusive('\n') {
        let code = line.split("//").next().unwrap_or(line);
        let words = code.split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_'));
        let mut place = 0;
        for word in words.filter(|_| code.starts_with("action ")) {
            if word == name {
                return Some((start + place, name.len()));
            }
            place += word.len() + 1;
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::Rulebook;

    #[test]
    fn no_request_is_read_as_what_the_gateway_asks_before_there_is_one() {
        for name in ["connect", "inspect", "archive", "revoke"] {
            let mut sources = Sources::embedded();
            let listed = format!("[[activity]]\nid = \"{name}\"\nrank = 35\nkind = \"write\"\ntitle = \"X\"\n\n");
            for file in &mut sources.catalog {
                let text = match file.name.as_str() {
                    "catalog/activities.toml" => format!("{listed}{}", file.text),
                    "catalog/gab.toml" => file.text.replacen("\"post\"", &format!("\"{name}\""), 1),
                    _ => continue,
                };
                file.text = text.into();
            }
            let problems = Rulebook::assemble(&sources).err().unwrap_or_default();
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let [only] = &told[..] else { panic!("{name} {told:#?}") };
            assert!(
                only.starts_with("catalog/activities.toml:2:") && only.contains(&format!("recognised as `{name}`")),
                "{only}"
            );
        }
    }

    /// What the activities of the catalogue come to with other texts of it.
    fn of_activities(sources: &Sources) -> Vec<String> {
        let found = match Rulebook::assemble(sources) {
            Ok(assembled) => assembled.warnings,
            Err(problems) => problems,
        };
        found.iter().map(ToString::to_string).collect()
    }

    fn edited(sources: &mut Sources, file: &str, from: &str, to: &str) {
        let file = sources.catalog.iter_mut().find(|one| one.name == file).unwrap();
        assert!(file.text.contains(from), "{from}");
        file.text = file.text.replace(from, to).into();
    }

    #[test]
    fn an_activity_that_no_signature_has_is_told_also_where_a_comment_names_it() {
        let mut sources = Sources::embedded();
        assert_eq!(of_activities(&sources), [""; 0]);
        edited(
            &mut sources,
            "catalog/facebook.toml",
            "activity = \"sell\"",
            "activity = \"post\"\n# activity = \"sell\"",
        );
        let told = of_activities(&sources);
        let [told] = &told[..] else { panic!("{told:?}") };
        assert!(told.starts_with("wayleave.cedarschema:"), "{told}");
        assert!(
            told.contains("no platform has a request that is recognised as `sell`"),
            "{told}"
        );
    }

    #[test]
    fn an_activity_that_the_schema_lacks_is_told_where_the_catalogue_has_it() {
        let mut sources = Sources::embedded();
        edited(&mut sources, "catalog/activities.toml", "id = \"sell\"", "id = \"sel\"");
        edited(
            &mut sources,
            "catalog/facebook.toml",
            "activity = \"sell\"",
            "activity = \"sel\"",
        );
        let told = of_activities(&sources);
        let said = "requests are recognised as `sel`, which the schema does not declare (did you mean `sell`?";
        assert!(
            told.iter()
                .any(|one| one.starts_with("catalog/activities.toml:148:") && one.contains(said)),
            "{told:?}"
        );
    }
}

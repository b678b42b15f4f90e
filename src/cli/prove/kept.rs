//! A counterexample as a case to keep: one that fails today, and passes where what the property says is a rule. Pure.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use cedar_policy::ActionConstraint;

use crate::facts::SourceText;
use crate::proof::{Asking, CaseFiles, Check, Claim, Property, Told, UNREAD, unsaid};
use crate::rulebook::{Assembled, Directory, Rulebook, Sources};

/// Why a property that speaks of a purpose keeps nobody from anything.
const WITHOUT: &str = "without its purpose it passes, too, and of that the property says nothing";

/// A folder of policies, read.
#[derive(Clone, Copy)]
pub(super) struct Folder<'a> {
    pub(super) sources: &'a Sources,
    pub(super) assembled: &'a Assembled,
}

/// What a case must pass that is to keep a property.
struct Trial<'a> {
    folder: Folder<'a>,
    /// The property, and the check of it.
    property: &'a Property,
    check: &'a Check,
    /// Whether the case is about what passes unread.
    is_unread: bool,
    /// The rules under which it holds.
    kept: OnceCell<Option<Rulebook>>,
}

/// A case of what a counterexample tells; `read` is what the property and the rules that decide look at. Or why none can be
/// made.
pub(super) fn case_of(
    told: &Told,
    (property, check): (&Property, &Check),
    read: &BTreeSet<String>,
    folder: Folder<'_>,
) -> Result<CaseFiles, String> {
    let trial = Trial {
        folder,
        property,
        check,
        is_unread: told.action == UNREAD,
        kept: OnceCell::new(),
    };
    let mut why = "a case asks the whole gateway, which answers it otherwise";
    // a rule that does not decide may still hang on a fact
    let all = told.names();
    for asking in [Asking::Whole, Asking::Alone] {
        for said in [read, &all] {
            match trial.case(told, asking, said) {
                Ok(files) if trial.is_passed_by(&files) => return Ok(files),
                Ok(_) if trial.passes_without(told, asking) => why = WITHOUT,
                Ok(_) => {}
                Err(missing) => why = missing,
            }
        }
    }
    let unsaid = unsaid(told, read);
    let beyond = unsayable(read);
    Err(match (unsaid.is_empty(), beyond.is_empty()) {
        (false, _) => format!("no case says {}", unsaid.join(", or ")),
        (true, false) if why != WITHOUT => {
            format!("it hangs on {}, of which no case says anything", beyond.join(", and "))
        }
        (true, _) => why.to_owned(),
    })
}

/// The attributes among `read` for which a case has no word.
fn unsayable(read: &BTreeSet<String>) -> Vec<String> {
    let has_no_word = |name: &&String| {
        let of_declarer = name.strip_prefix("resource.declarer.");
        of_declarer.is_some() || ["context.namedAs", "principal.manager"].contains(&name.as_str())
    };
    read.iter()
        .filter(has_no_word)
        .map(|name| format!("`{name}`"))
        .collect()
}

impl Trial<'_> {
    fn case(&self, told: &Told, asking: Asking, said: &BTreeSet<String>) -> Result<CaseFiles, &'static str> {
        let it = format!("keeps the property {}", self.property.name);
        let wanted = self.property.claim == Claim::Always;
        CaseFiles::of(told, &it, wanted, asking, said, self.folder.assembled)
    }

    /// Whether the same passes without its purpose, and would if the property were a rule: the gateway asks that, too.
    fn passes_without(&self, told: &Told, asking: Asking) -> bool {
        let Some(without) = told.without_purpose() else {
            return false;
        };
        let case = self.case(&without, asking, &without.names());
        self.property.claim == Claim::Never
            && !self.is_unread
            && case.is_ok_and(|files| self.fails_when_kept(&files) == Some(true))
    }

    fn fails_when_kept(&self, files: &CaseFiles) -> Option<bool> {
        let kept = self.kept.get_or_init(|| self.rules()).as_ref();
        fails(files, kept?, &self.folder.assembled.directory)
    }

    /// Whether the gateway, asked the whole case, does today what the example says, and would not if the property were a
    /// rule: a case that is about something else would ask of sound rules what nobody wants.
    fn is_passed_by(&self, files: &CaseFiles) -> bool {
        let Assembled {
            rulebook, directory, ..
        } = self.folder.assembled;
        fails(files, rulebook, directory) == Some(true) && self.fails_when_kept(files) == Some(false)
    }

    /// The rules with what must never be as a `forbid`; or the one that permits what must always be, and of all else nothing
    /// that is forbidden; of what passes unread, that all is read.
    fn rules(&self) -> Option<Rulebook> {
        let ActionConstraint::In(actions) = self.check.policy.policy().action_constraint() else {
            return None;
        };
        let actions: Vec<String> = actions.iter().map(ToString::to_string).collect();
        let actions = actions.join(", ");
        let rule =
            |id: &str, text: String| format!("@id(\"{id}\")\n@title(\"T\")\n@reason(\"R\")\n@owner(\"O\")\n{text}\n");
        let said = |effect: &str| {
            let when = &self.property.when;
            let text = format!("{effect} (principal, action in [{actions}], resource) when {{ {when} }};");
            rule("the-property", text)
        };
        let mut sources = self.folder.sources.clone();
        let text = match self.property.claim {
            Claim::Never if self.is_unread => {
                sources.rules.clear();
                let both = "[Action::\"connect\", Action::\"inspect\"]";
                rule(
                    "all-is-read",
                    format!("permit (principal, action in {both}, resource);"),
                )
            }
            Claim::Never => said("forbid"),
            Claim::Always => {
                sources.rules.clear();
                let others = format!("permit (principal, action, resource) unless {{ action in [{actions}] }};");
                [said("permit"), rule("the-others", others)].join("\n")
            }
        };
        sources.rules.push(SourceText::new("rules/the-property.cedar", text));
        Rulebook::assemble(&sources).ok().map(|assembled| assembled.rulebook)
    }
}

/// Whether the case fails by these rules; none where it cannot be read.
fn fails(files: &CaseFiles, rules: &Rulebook, directory: &Directory) -> Option<bool> {
    let case = SourceText::new("cases/somebody.toml", files.case.as_str());
    let run = |people: &Directory| {
        let report = rules.run_cases(people, &[case]);
        report.problems.is_empty().then(|| report.failures().next().is_some())
    };
    let Some(person) = &files.person else {
        return run(directory);
    };
    let known = Directory::parse(&[
        SourceText::new("people/units.toml", units(directory)),
        SourceText::new("people/somebody.toml", person.as_str()),
    ]);
    known.whole().ok().and_then(|people| run(&people))
}

/// The roles and departments of a directory, without its people.
fn units(directory: &Directory) -> String {
    let mut text = String::new();
    for (kind, units) in [
        ("role", directory.roles_above()),
        ("department", directory.departments_above()),
    ] {
        for (name, above) in units {
            let above: Vec<String> = above
                .iter()
                .filter(|one| *one != name)
                .map(|one| format!("{one:?}"))
                .collect();
            let _ = write!(text, "[[{kind}]]\nid = {name:?}\nin = [{}]\n", above.join(", "));
        }
    }
    text
}

//! What no types tell of a rule: that it has a name and a reason, and that it keeps what it promises.

use std::collections::BTreeMap;
use std::time::Duration;

use cedar_policy::EntityUid;

use super::owners::Owners;
use super::rule::{Rule, Written, find, mode, moment, without_comments};
use crate::clock::Timestamp;
use crate::facts::{Effect, Mode, Problem, SourceText, did_you_mean};

/// The annotations that mean something here. Others are the author's own, unless one looks like a slip.
const KNOWN: [&str; 11] = [
    "id",
    "title",
    "title_fr",
    "reason",
    "reason_fr",
    "fix",
    "fix_fr",
    "owner",
    "expires",
    "mode",
    "untested",
];

/// What people read of a rule in other languages, and what in the first.
const TRANSLATED: [(&str, &str); 3] = [("title_fr", "title"), ("reason_fr", "reason"), ("fix_fr", "fix")];

/// Checks names, reasons and other annotations. A rule that has no usable id keeps a made-up one, so that everything
/// else that is wrong with it is told, too.
pub(super) fn annotations(
    written: &mut [(&SourceText, Written)],
    owners: Option<&Owners>,
    problems: &mut Vec<Problem>,
) {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (place, (source, written)) in written.iter_mut().enumerate() {
        let at = Spot::new(source, &written.rule);
        id(written, &at, problems);
        reason(&written.rule, &at, problems);
        translations(&written.rule, &at, problems);
        owner(&mut written.rule, owners, &at, problems);
        expires(&written.rule, &at, problems);
        modes(&written.rule, &at, problems);
        unknown(&written.rule, &at, problems);
        archive(written, &at, problems);
        let id = written.rule.id.as_str().to_owned();
        let here = format!("{}:{}", source.name, written.rule.line);
        if let Some(first) = seen.get(&id) {
            let message = format!("two rules are called `{id}`");
            let help = format!("give this one a name of its own; the other is at {first}");
            problems.push(
                at.error("wayleave::policy::duplicate-id", "@id", message)
                    .with_help(help),
            );
            let other = cedar_policy::PolicyId::new(format!("{id}#{place}"));
            written.cedar = written.cedar.new_id(other);
        } else {
            seen.insert(id, here);
        }
    }
}

fn id(written: &Written, at: &Spot<'_>, problems: &mut Vec<Problem>) {
    if !written.has_id {
        let problem = at.error("wayleave::policy::no-id", "@id", "this rule has no `@id`");
        problems.push(problem.with_help("write `@id(\"area.what\")` above it: records and explanations name it so"));
        return;
    }
    let id = written.rule.id.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !id.chars().all(plain) || id.len() > 100 {
        let message = format!(
            "`{}` is not a name for a rule",
            id.escape_debug().take(100).collect::<String>()
        );
        let problem = at.error("wayleave::policy::bad-id", "@id", message);
        problems.push(problem.with_help("use up to 100 letters, digits, `.`, `-` and `_`"));
    }
}

fn reason(rule: &Rule, at: &Spot<'_>, problems: &mut Vec<Problem>) {
    if rule.reason.is_empty() {
        let message = format!("rule `{}` has no `@reason`", rule.id);
        // where there is none, `@reason_fr` is not it
        let part = rule.annotations.get("reason").map_or("", |_| "@reason");
        let problem = at.error("wayleave::policy::no-reason", part, message);
        problems.push(problem.with_help("write `@reason(\"…\")`: the sentence that people read when it decides"));
    }
}

/// A rule that says nothing in a language falls back on the first; one that says an empty text in it would say nothing.
fn translations(rule: &Rule, at: &Spot<'_>, problems: &mut Vec<Problem>) {
    const CODE: &str = "wayleave::policy::translation";
    for (name, first) in TRANSLATED {
        let Some(text) = rule.annotations.get(name) else {
            continue;
        };
        let what = format!("@{name}");
        if text.trim().is_empty() {
            let problem = at.error(CODE, &what, format!("`{what}` of the rule `{}` says nothing", rule.id));
            problems.push(problem.with_help(format!(
                "write what people are to read, or remove it: then `@{first}` is read"
            )));
        } else if first != "reason" && !rule.annotations.contains_key(first) {
            // (that a rule has no reason is told in any case)
            let message = format!("`{what}` of the rule `{}` translates nothing", rule.id);
            problems.push(
                at.error(CODE, &what, message)
                    .with_help(format!("write `@{first}(\"…\")`, too")),
            );
        }
    }
}

/// Somebody answers for each rule: who it names, else the owner of its file or folder.
fn owner(rule: &mut Rule, owners: Option<&Owners>, at: &Spot<'_>, problems: &mut Vec<Problem>) {
    let Some(owners) = owners else { return };
    let own = rule.annotations.get("owner").filter(|owner| !owner.trim().is_empty());
    rule.owner = own
        .map(String::as_str)
        .or_else(|| owners.of(&rule.file))
        .map(str::to_owned);
    if rule.owner.is_none() {
        let message = format!("nobody answers for the rule `{}`", rule.id);
        let problem = at.error("wayleave::policy::no-owner", "@owner", message);
        problems.push(problem.with_help("write `@owner(\"…\")`, or name an owner of its file in `owners.toml`"));
    }
}

fn expires(rule: &Rule, at: &Spot<'_>, problems: &mut Vec<Problem>) {
    const CODE: &str = "wayleave::policy::expires";
    let Some(text) = rule.annotations.get("expires") else {
        return;
    };
    if rule.effect == Effect::Forbid {
        let problem = at.error(
            CODE,
            "@expires",
            format!("rule `{}` is a forbid and cannot expire", rule.id),
        );
        problems
            .push(problem.with_help("an expired forbid would widen access unseen: delete it when its time has come"));
    } else if moment(text).is_none() {
        let problem = at.error(CODE, "@expires", format!("`{text}` is not a date"));
        problems.push(problem.with_help("write `2027-01-31`, its first moment in UTC, or `2027-01-31T18:00:00Z`"));
    }
}

fn modes(rule: &Rule, at: &Spot<'_>, problems: &mut Vec<Problem>) {
    let Some(text) = rule.annotations.get("mode").filter(|text| mode(text).is_none()) else {
        return;
    };
    let message = format!("`{}` is not a mode", text.escape_debug().take(100).collect::<String>());
    let help = match did_you_mean(text, Mode::ALL.map(Mode::as_str)) {
        Some(meant) => format!("did you mean `@mode(\"{meant}\")`?"),
        None => "write `@mode(\"observe\")` while the rule is on probation, `@mode(\"coach\")` while whoever was told why may \
                 continue; without `@mode` it counts"
            .to_owned(),
    };
    problems.push(at.error("wayleave::policy::mode", "@mode", message).with_help(help));
}

fn unknown(rule: &Rule, at: &Spot<'_>, problems: &mut Vec<Problem>) {
    const CODE: &str = "wayleave::policy::annotation";
    for name in rule.annotations.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
        let what = format!("@{name}");
        if let Some(meant) = did_you_mean(name, KNOWN) {
            let problem = at.error(CODE, &what, format!("`{what}` means nothing"));
            problems.push(problem.with_help(format!("did you mean `@{meant}`?")));
        }
    }
}

/// A rule must not promise retention that nothing provides.
fn archive(written: &Written, at: &Spot<'_>, problems: &mut Vec<Problem>) {
    let names = |uid: &EntityUid| uid.type_name().basename() == "Action" && uid.id().unescaped() == "archive";
    if written.cedar.entity_literals().iter().any(names) {
        let message = format!(
            "rule `{}` promises retention, and nothing retains content yet",
            written.rule.id
        );
        let problem = at.error("wayleave::policy::archive", "Action::\"archive\"", message);
        problems
            .push(problem.with_help("remove the rule until there is an archive: nobody may rely on what is not kept"));
    }
}

/// So long before a permit expires, its owner is warned.
pub(super) const SOON: Duration = Duration::from_hours(30 * 24);

/// Warns of a permit that has expired at `now`, or will.
pub(super) fn expiring(rule: &Rule, now: Timestamp) -> Problem {
    let end = rule.annotations.get("expires").map_or("", String::as_str);
    let message = if rule.has_expired(now) {
        format!("rule `{}` expired on {end} and permits nothing any more", rule.id)
    } else {
        format!("rule `{}` expires on {end} and permits nothing from then on", rule.id)
    };
    at(rule, "@expires", "wayleave::policy::expired", message)
        .as_warning()
        .with_help("remove it, or renew its `@expires` with its owner")
}

/// Warns of a rule that no case reaches, and that does not say why.
pub(super) fn unreached(rule: &Rule) -> Problem {
    let message = format!("no case reaches the rule `{}`", rule.id);
    let help = "describe a request that it decides in `cases/`, or say why none can: `@untested(\"…\")`";
    at(rule, "@id", "wayleave::policy::unreached", message)
        .as_warning()
        .with_help(help)
}

/// A problem at `part` of a rule, whose file is no longer at hand.
pub(super) fn at(rule: &Rule, part: &str, code: &str, message: String) -> Problem {
    let source = SourceText::new(rule.file.as_str(), rule.text.as_str());
    let found = find(&without_comments(&rule.text), part, 0);
    let span = found.map_or((0, rule.span.1.min(1)), |at| (at, part.len()));
    let mut problem = Problem::error(code, &source, span, message);
    if problem.line == 1 {
        problem.column += rule.column - 1;
    }
    problem.line += rule.line - 1;
    problem.span.0 += rule.span.0;
    problem
}

/// Where in a file a rule stands, to point at its parts.
pub(super) struct Spot<'a> {
    source: &'a SourceText,
    span: (usize, usize),
    code: String,
}

impl<'a> Spot<'a> {
    pub(super) fn new(source: &'a SourceText, rule: &Rule) -> Self {
        Self {
            source,
            span: rule.span,
            code: without_comments(&rule.text),
        }
    }

    /// The place of `part` within the rule, or of the rule's beginning.
    pub(super) fn of(&self, part: &str) -> (usize, usize) {
        match find(&self.code, part, 0) {
            Some(at) => (self.span.0 + at, part.len()),
            None => (self.span.0, self.span.1.min(1)),
        }
    }

    pub(super) fn error(&self, code: &str, part: &str, message: impl Into<String>) -> Problem {
        Problem::error(code, self.source, self.of(part), message)
    }
}

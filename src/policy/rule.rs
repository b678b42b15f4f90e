//! One rule as somebody wrote it: its text, its place, and what its annotations say.

use std::collections::BTreeMap;

use cedar_policy::PolicySet;

use super::diagnose::problem;
use super::nesting::{Cedar, too_deep};
use crate::clock::Timestamp;
use crate::facts::{Effect, Language, Mode, PolicyId, Problem, SourceText, Wording};

/// One policy of the rule files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// `@id`
    pub id: PolicyId,
    /// Permit or forbid.
    pub effect: Effect,
    /// `@title`: what it is about, for those who read rules.
    pub title: Option<String>,
    /// `@reason`: a sentence for the employee.
    pub reason: String,
    /// `@fix`: what would help beside a purpose.
    pub fix: Option<String>,
    /// `@owner`, or the owner of its file or folder: who answers for it.
    pub owner: Option<String>,
    /// `@expires`: a permit counts until this moment, which is no longer part of it.
    pub expires: Option<Timestamp>,
    /// `@mode`: whether it counts, is on probation, or lets whoever was told why continue.
    pub mode: Mode,
    /// All annotations, those above included.
    pub annotations: BTreeMap<String, String>,
    /// The whole policy as written, with its annotations.
    pub text: String,
    /// The file it stands in.
    pub file: String,
    /// Where in the file: byte offset and length.
    pub span: (usize, usize),
    /// The line it begins on, from 1.
    pub line: usize,
    /// The column it begins at, from 1.
    pub column: usize,
}

impl Rule {
    /// `@title`, in the languages in which it is said.
    pub fn title_said(&self) -> Option<Wording> {
        Some(self.wording("title", self.title.as_deref()?))
    }

    /// `@reason`, in the languages in which it is said.
    pub fn reason_said(&self) -> Wording {
        self.wording("reason", &self.reason)
    }

    /// What the annotation `key` says, as `said` has it, with what `@key_fr` and its like make of it in other languages.
    pub(super) fn wording(&self, key: &str, said: &str) -> Wording {
        let others = Language::ALL.into_iter().filter_map(|language| {
            let text = self.annotations.get(&format!("{key}_{}", language.as_str()))?;
            (!text.trim().is_empty()).then_some((language, text))
        });
        others.fold(Wording::from(said), |wording, (language, text)| {
            wording.with(language, text)
        })
    }

    /// Whether the rule counts at `at`, for whoever has not continued past anything.
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.counts(RuleSet::InEffect, at)
    }

    /// Whether the rule has ended at `at`. Only permits expire: an expired forbid would widen access.
    pub fn has_expired(&self, at: Timestamp) -> bool {
        self.validity().has_expired(at)
    }

    /// Whether the rule is one of `set` at `at`.
    pub(super) fn counts(&self, set: RuleSet, at: Timestamp) -> bool {
        self.is_in(set) && !self.has_expired(at)
    }

    /// Whether the rule is one of `set`, its end aside. What is proved and compared speaks of [`RuleSet::Continued`]: all
    /// that can pass.
    pub fn is_in(&self, set: RuleSet) -> bool {
        self.validity().is_in(set)
    }

    /// When and for whom it counts.
    pub(super) fn validity(&self) -> Validity {
        Validity {
            effect: self.effect,
            mode: self.mode,
            expires: self.expires,
        }
    }
}

/// What is asked of a rule before its condition: apart from its words, thousands of them stay at a processor's hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validity {
    effect: Effect,
    pub(super) mode: Mode,
    pub(super) expires: Option<Timestamp>,
}

impl Validity {
    /// See [`Rule::has_expired`].
    pub(super) fn has_expired(self, at: Timestamp) -> bool {
        match self.effect {
            Effect::Forbid => false,
            Effect::Permit => self.expires.is_some_and(|end| end <= at),
        }
    }

    /// See [`Rule::is_in`].
    pub(super) fn is_in(self, set: RuleSet) -> bool {
        match (self.mode, set) {
            (Mode::Enforce, RuleSet::InEffect | RuleSet::WithObserved | RuleSet::Continued) => true,
            (Mode::Observe, set) => set == RuleSet::WithObserved,
            (Mode::Coach, RuleSet::InEffect | RuleSet::WithObserved) => self.effect == Effect::Forbid,
            (Mode::Enforce, RuleSet::Permits) | (Mode::Coach, RuleSet::Continued) => self.effect == Effect::Permit,
            (Mode::Coach, RuleSet::Permits) => false,
        }
    }
}

/// Which rules are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleSet {
    /// Those that count.
    InEffect,
    /// Those that are on probation, too, as if they counted.
    WithObserved,
    /// Those that count for whoever was told why not and continued: what rules in mode `coach` forbid is open, and so is
    /// what they permit.
    Continued,
    /// The permits among those that count: whether forbids are all that refuses something.
    Permits,
}

/// Which rules of another mode than `enforce` may apply where something is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trials {
    /// One on probation: with all rules in force it could come out otherwise.
    pub observed: bool,
    /// One in mode `coach`: it could for whoever continues.
    pub coached: bool,
}

impl std::ops::BitOrAssign for Trials {
    fn bitor_assign(&mut self, other: Self) {
        self.observed |= other.observed;
        self.coached |= other.coached;
    }
}

/// A rule with what Cedar made of it; both go by the same id.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) rule: Rule,
    pub(super) cedar: cedar_policy::Policy,
    /// Whether the id is the author's: a rule without one is called by its file and place, so that its other problems
    /// can be told.
    pub(super) has_id: bool,
    /// Whether the rule was found in order before, as far as that hangs on it and the schema alone.
    pub(super) is_known: bool,
}

/// Reads one file of rules, in the order in which they stand.
pub(super) fn read(source: &SourceText) -> Result<Vec<Written>, Vec<Problem>> {
    if let Some(deep) = too_deep(&source.text, Cedar::Rules) {
        return Err(vec![deep.problem("wayleave::policy::syntax", source)]);
    }
    let set: PolicySet = source.text.parse().map_err(|e: cedar_policy::ParseErrors| {
        let errors = e.iter();
        errors
            .map(|e| problem("wayleave::policy::syntax", source, e, (0, 0)))
            .collect::<Vec<_>>()
    })?;
    let templates: Vec<Problem> = set
        .templates()
        .map(|template| refuse_template(source, template))
        .collect();
    if !templates.is_empty() {
        return Err(templates);
    }
    // Cedar numbers the policies of a text `policy0`, `policy1`, … and hands them out in any order.
    let mut found: Vec<&cedar_policy::Policy> = set.policies().collect();
    found.sort_by_key(|policy| {
        let number = policy.id().to_string();
        number.trim_start_matches("policy").parse().unwrap_or(usize::MAX)
    });
    let code = without_comments(&source.text);
    let (mut from, mut line) = (0, (0, 1));
    let mut rules = Vec::new();
    for (place, policy) in found.into_iter().enumerate() {
        let text = policy.to_cedar().unwrap_or_default();
        let span = find(&code, &without_comments(&text), from).map_or((0, 0), |at| (at, text.len()));
        from = from.max(span.0 + span.1);
        // counted on from the rule before: from the start each time, a long file would take a while
        if let Some(between) = source.text.get(line.0..span.0) {
            line = (span.0, line.1 + between.matches('\n').count());
        }
        let before = source.text.get(..span.0).unwrap_or_default();
        let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
        rules.push(written(source, place, policy, text, (span, line.1, column)));
    }
    Ok(rules)
}

fn written(
    source: &SourceText,
    place: usize,
    policy: &cedar_policy::Policy,
    text: String,
    (span, line, column): ((usize, usize), usize, usize),
) -> Written {
    let annotations: BTreeMap<String, String> = policy
        .annotations()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let note = |name: &str| annotations.get(name).filter(|value| !value.trim().is_empty()).cloned();
    let own = note("id");
    let id = own.clone().unwrap_or_else(|| format!("{}#{}", source.name, place + 1));
    let rule = Rule {
        id: PolicyId::new(id.as_str()),
        effect: match policy.effect() {
            cedar_policy::Effect::Permit => Effect::Permit,
            cedar_policy::Effect::Forbid => Effect::Forbid,
        },
        title: note("title"),
        reason: note("reason").unwrap_or_default(),
        fix: note("fix"),
        owner: note("owner"),
        expires: note("expires").and_then(|text| moment(&text)),
        text,
        file: source.name.clone(),
        span,
        line,
        column,
        mode: note("mode").and_then(|text| mode(&text)).unwrap_or_default(),
        annotations,
    };
    let cedar = policy.new_id(cedar_policy::PolicyId::new(id));
    let has_id = own.is_some();
    Written {
        rule,
        cedar,
        has_id,
        is_known: false,
    }
}

fn refuse_template(source: &SourceText, template: &cedar_policy::Template) -> Problem {
    let at = source.text.find(&template.to_cedar()).unwrap_or(0);
    let message = "this rule has a slot (`?principal` or `?resource`) that nothing fills";
    Problem::error("wayleave::policy::template", source, (at, 1), message).with_help("name who or what is meant")
}

/// The moment that `@expires` names: a date is its first moment in UTC, as Cedar's `datetime("2027-01-31")` is.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let date: jiff::civil::Date = text.parse().ok()?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(midnight.timestamp().into())
}

/// The mode that `@mode` names.
pub(super) fn mode(text: &str) -> Option<Mode> {
    Mode::ALL.into_iter().find(|mode| mode.as_str() == text)
}

/// The text with every comment blanked out, byte for byte, so that a search finds code and offsets stay.
pub(super) fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quoted, mut comment, mut escaped) = (false, false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => comment = false,
            '/' if !quoted && !comment && chars.peek() == Some(&'/') => comment = true,
            '"' if !comment && !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
        if comment {
            out.extend(std::iter::repeat_n(' ', c.len_utf8()));
        } else {
            out.push(c);
        }
    }
    out
}

/// Where `needle` begins in `text`, at `from` or later.
pub(super) fn find(text: &str, needle: &str, from: usize) -> Option<usize> {
    if needle.is_empty() {
        return None;
    }
    text.get(from..)?.find(needle).map(|at| from + at)
}

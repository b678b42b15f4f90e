//! Texts in, rules out; and where rules rule already, only what changed of their texts is read and checked again.
//!
//! What is found in a file of rules by itself hangs on its name, its text and the schema's, and on nothing else. So where all
//! three are the same to the letter, what was found before is found again: [`Policy::parse_after`] takes it from the rules
//! that it is given, which have been found in order. What a rule says of others (its name, its owner, the words of the
//! [`World`]) is checked every time.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::engine::Number;
use super::names::Named;
use super::request::Nouns;
use super::rule::{self, Written};
use super::schema::{self, Book};
use super::{Policy, Unfit, WORTH_A_THREAD, World, depth, diagnose, fit, lint, names, shares, sight, validate};
use crate::facts::{Problem, Severity, SourceText};

/// The texts that rules were read from.
#[derive(Debug, Default)]
pub(super) struct Read {
    schema: Option<SourceText>,
    /// The files of rules, by name and text, each with the numbers of its rules.
    files: BTreeMap<(String, Arc<str>), Range<Number>>,
}

impl Read {
    fn new(schema: &SourceText, written: &[(&SourceText, Written)]) -> Self {
        let mut files: BTreeMap<(String, Arc<str>), Range<Number>> = BTreeMap::new();
        for (number, (source, _)) in written.iter().enumerate() {
            let file = files.entry(named(source)).or_insert(number..number);
            file.end = number + 1;
        }
        Self {
            schema: Some(schema.clone()),
            files,
        }
    }
}

fn named(file: &SourceText) -> (String, Arc<str>) {
    (file.name.clone(), Arc::clone(&file.text))
}

/// So many bytes of rules are worth a thread of their own.
const BYTES_WORTH_A_THREAD: usize = 1 << 18;

impl Policy {
    /// Reads schema and rules, and checks them against each other and against `world`: the policy with its warnings, or all
    /// problems at once.
    pub fn parse(schema: &SourceText, rules: &[SourceText], world: &World) -> Result<(Self, Vec<Problem>), Unfit> {
        Self::parse_after(None, schema, rules, world)
    }

    /// The same, for less, where `before` was made of some of the same texts.
    pub fn parse_after(
        before: Option<&Self>,
        schema: &SourceText,
        rules: &[SourceText],
        world: &World,
    ) -> Result<(Self, Vec<Problem>), Unfit> {
        // INVARIANT: under another schema nothing stands that was found before
        let before = before.filter(|before| before.read.schema.as_ref() == Some(schema));
        let read = depth::with_room(schema, || Self::read(before, schema, rules, world));
        read.unwrap_or_else(|problem| Err(Unfit::unread(problem)))
    }

    fn read(
        before: Option<&Self>,
        schema: &SourceText,
        rules: &[SourceText],
        world: &World,
    ) -> Result<(Self, Vec<Problem>), Unfit> {
        let (mut problems, mut written) = (Vec::new(), Vec::new());
        for (source, read) in rules.iter().zip(read(rules, before)) {
            match read {
                Ok(read) => written.extend(read.into_iter().filter_map(|rule| {
                    let rule = depth::check(source, rule).map_err(|problem| problems.push(problem));
                    Some((source, rule.ok()?))
                })),
                Err(found) => problems.extend(found),
            }
        }
        let has_every_rule = problems.is_empty();
        lint::annotations(&mut written, world.owners.as_ref(), &mut problems);
        let names = |some: &[(&SourceText, Written)]| -> Vec<Named> {
            let named = some.iter().flat_map(|(source, rule)| names::read(source, rule));
            named.collect()
        };
        let named = shares::each(&written, WORTH_A_THREAD, names).concat();
        let (book, nouns) = words(schema, before, &mut problems);
        let listed = book.as_ref().map(|book| book.words.purposes());
        names::check(&written, &named, (world, listed), &mut problems);
        let unknown: Vec<&(&SourceText, Written)> = written.iter().filter(|(_, rule)| !rule.is_known).collect();
        sight::check(&unknown, &mut problems);
        if let (Some(book), Some(_)) = (&book, &nouns) {
            validate::check(book, &unknown, &mut problems);
        }
        let is_error = |problem: &Problem| problem.severity == Severity::Error;
        let (Some(book), Some(nouns), false) = (&book, nouns, problems.iter().any(is_error)) else {
            let vocabulary = book.map(|book| book.words.clone());
            return Err(Unfit::of(problems, &written, vocabulary, has_every_rule));
        };
        let read = Read::new(schema, &written);
        let written = written.into_iter().map(|(_, written)| written).collect();
        let policy = Self {
            named,
            read,
            ..Self::of(written, Arc::clone(book), nouns)
        };
        Ok((policy, problems))
    }

    /// The rules of a file whose very text was read before.
    pub(super) fn read_before(&self, file: &SourceText) -> Option<Vec<Written>> {
        let numbers = self.read.files.get(&named(file))?;
        let rules = self.rules.get(numbers.clone())?.iter();
        let rules = rules.zip(self.engine.policies().get(numbers.clone())?);
        let known = rules.map(|(rule, cedar)| Written {
            rule: rule.clone(),
            cedar: cedar.clone(),
            has_id: true,
            is_known: true,
        });
        Some(known.collect())
    }
}

/// The rules of each file, or what is wrong with it.
fn read(files: &[SourceText], before: Option<&Policy>) -> Vec<Result<Vec<Written>, Vec<Problem>>> {
    let bytes: usize = files.iter().map(|file| file.text.len()).sum();
    let least = files.len() * BYTES_WORTH_A_THREAD / bytes.max(1);
    let one = |file: &SourceText| {
        before
            .and_then(|before| before.read_before(file))
            .map_or_else(|| rule::read(file), Ok)
    };
    let read = |some: &[SourceText]| -> Vec<_> { some.iter().map(one).collect() };
    shares::each(files, least, read).into_iter().flatten().collect()
}

/// The words of a schema, and what fills them; what is wrong with it is said, and there is less of it then.
fn words(
    schema: &SourceText,
    before: Option<&Policy>,
    problems: &mut Vec<Problem>,
) -> (Option<Arc<Book>>, Option<Arc<Nouns>>) {
    if let Some(before) = before {
        return (Some(Arc::clone(&before.book)), Some(Arc::clone(&before.nouns)));
    }
    let book = match schema::read(schema) {
        Ok(book) => book,
        Err(found) => {
            problems.splice(0..0, found);
            return (None, None);
        }
    };
    let nouns = match Nouns::new(book.actions.clone()) {
        Ok(nouns) => nouns,
        Err(error) => {
            let problem = diagnose::problem("wayleave::schema::names", schema, error.as_ref(), (0, 0));
            problems.push(problem);
            return (Some(Arc::new(book)), None);
        }
    };
    problems.extend(fit::check(schema, &book, &nouns));
    (Some(Arc::new(book)), Some(Arc::new(nouns)))
}

//! Texts in, a catalogue and every problem out.
//!
//! Order matters only between kinds of files: categories and activities first, since platforms name them, and
//! `local.toml` last, since it names platforms.

mod lists;
mod platform;
mod signature;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::Catalog;
use super::host::{Cover, Domain, DomainTable};
use super::index::Index;
use super::recognise::OVERRIDE_HEADERS;
use super::secrets::Secret;
use super::signature::{Embed, Mark, Signature};
use super::tree::{ActivityTable, CategoryTree, Platform};
use crate::facts::fields::{Fields, Reader};
use crate::facts::{Category, Partial, PlatformId, Problem, SourceText};

/// What is collected while files are read.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) categories: CategoryTree,
    pub(super) category_names: Vec<(Box<str>, BTreeSet<Category>)>,
    pub(super) activities: ActivityTable,
    pub(super) platforms: BTreeMap<PlatformId, Platform>,
    pub(super) domains: Vec<Domain>,
    /// Which platform took a name first.
    pub(super) taken: BTreeMap<String, (PlatformId, Vec<Cover>)>,
    pub(super) signatures: Vec<Signature>,
    pub(super) embeds: Vec<Embed>,
    pub(super) ids: BTreeSet<String>,
    pub(super) marks: HashMap<PlatformId, Vec<Mark>>,
    pub(super) secrets: Vec<Secret>,
}

const CATEGORIES: &str = "categories";
const ACTIVITIES: &str = "activities";
const LOCAL: &str = "local";

pub(super) fn catalog(files: &[SourceText]) -> Partial<Catalog> {
    let mut draft = Draft::default();
    let named = |wanted: &'static str| files.iter().filter(move |file| stem(file) == wanted);
    let mut categories: Vec<Problem> = missing(files, CATEGORIES).into_iter().collect();
    let mut has_every_category = categories.is_empty();
    for file in named(CATEGORIES) {
        let (found, has_every_name) = one(file, lists::CATEGORIES, |fields| {
            lists::categories(fields, &mut draft);
        });
        categories.extend(found);
        has_every_category &= has_every_name;
    }
    let mut activities: Vec<Problem> = missing(files, ACTIVITIES).into_iter().collect();
    for file in named(ACTIVITIES) {
        let (found, _) = one(file, lists::ACTIVITIES, |fields| {
            lists::activities(fields, &mut draft);
        });
        activities.extend(found);
    }
    let mut platforms = Vec::new();
    for file in files {
        let name = stem(file);
        if ![CATEGORIES, ACTIVITIES, LOCAL].contains(&name) {
            let homes = |id: &str| files.iter().find(|other| stem(other) == id && id != name);
            let (found, _) = one(file, platform::PLATFORM, |fields| {
                platform::platform(fields, name, homes, &mut draft);
            });
            platforms.extend(told_once(found));
        }
    }
    let mut local = Vec::new();
    for file in named(LOCAL) {
        local.extend(one(file, platform::LOCAL, |fields| platform::local(fields, &mut draft)).0);
    }
    // A name that is not listed is no mistake of whoever uses it where the list is not all there.
    let mut without = |code: &str| platforms.retain(|problem: &Problem| problem.code != code);
    if !has_every_category {
        without("wayleave::catalog::unknown-category");
    }
    if !activities.is_empty() {
        without("wayleave::catalog::unknown-activity");
    }
    let problems = [categories, activities, platforms, local].concat();
    // platforms are called like their files, whatever stands in these
    Partial::new(draft.finish(), problems, has_every_category)
}

fn missing(files: &[SourceText], needed: &str) -> Option<Problem> {
    if files.iter().any(|file| stem(file) == needed) {
        return None;
    }
    let file = SourceText::new(format!("catalog/{needed}.toml"), "");
    let problem = Problem::error("wayleave::catalog::missing-file", &file, (0, 0), "the file is missing");
    Some(problem.with_help("restore it from the shipped `policies/catalog`"))
}

/// What is wrong with a file, and whether every name that it lists could be read.
fn one(file: &SourceText, known: &[&str], read: impl FnOnce(&Fields<'_, '_>)) -> (Vec<Problem>, bool) {
    let reader = Reader::new(file, "catalog");
    reader.read(known, read);
    let has_every_name = reader.has_every_name();
    (reader.into_problems(), has_every_name)
}

/// Of a file that takes the hosts of another platform, the first: all the others, and its signatures, go with it where it
/// began as a copy.
fn told_once(mut problems: Vec<Problem>) -> Vec<Problem> {
    let takes = |problem: &Problem| problem.code == "wayleave::catalog::overlap";
    let more = problems.iter().filter(|problem| takes(problem)).count();
    let Some(first) = problems.iter_mut().find(|problem| takes(problem)).filter(|_| more > 1) else {
        return problems;
    };
    first.message = format!("{}, as are {} more of its hosts", first.message, more - 1);
    let first = first.clone();
    problems.retain(|problem| {
        let follows = takes(problem) || problem.code == "wayleave::catalog::duplicate";
        *problem == first || !follows
    });
    problems
}

fn stem(file: &SourceText) -> &str {
    let name = file.name.rsplit('/').next().unwrap_or_default();
    name.strip_suffix(".toml").unwrap_or(name)
}

impl Draft {
    fn finish(self) -> Catalog {
        let closures = self.platforms.values().map(|platform| {
            let closure = self.categories.closure(&platform.category);
            (platform.id.clone(), Arc::new(closure))
        });
        let operations = self
            .signatures
            .iter()
            .filter_map(|signature| signature.operation.as_ref());
        let headers = operations.flat_map(|operation| &operation.places.headers);
        let label_headers = headers
            .map(ToString::to_string)
            .chain(OVERRIDE_HEADERS.map(str::to_owned))
            .collect();
        Catalog {
            closures: closures.collect(),
            label_headers,
            domains: DomainTable::new(self.domains, self.category_names),
            secrets: self.secrets,
            index: Index::new(self.signatures, self.embeds, self.marks),
            platforms: self.platforms,
            categories: self.categories,
            activities: self.activities,
        }
    }
}

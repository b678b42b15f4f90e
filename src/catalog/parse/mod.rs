//! Texts in, a catalogue and every problem out.
//!
//! Order matters only between kinds of files: categories and activities first, since platforms name them, and
//! `local.toml` last, since it names platforms.

mod lists;
mod platform;
mod signature;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Catalog;
use super::host::{Cover, Domain, DomainTable};
use super::index::Index;
use super::marks::Mark;
use super::recognise::OVERRIDE_HEADERS;
use super::secrets::Secret;
use super::shared::SharedHosts;
use super::signature::{Embed, Reads, Signature};
use super::tree::{ActivityTable, CategoryTree, Platform};
use crate::facts::fields::{Fields, Reader};
use crate::facts::syntax::parsed;
use crate::facts::{Category, Partial, PlatformId, Problem, SourceText};

/// What is collected while files are read.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) categories: CategoryTree,
    pub(super) category_names: Vec<(Box<str>, BTreeSet<Category>)>,
    pub(super) activities: ActivityTable,
    /// The activities that are listed, whatever is wrong with them.
    pub(super) listed_activities: BTreeSet<String>,
    pub(super) platforms: BTreeMap<PlatformId, Platform>,
    pub(super) domains: Vec<Domain>,
    pub(super) shared: SharedHosts,
    /// Which platform took a name first.
    pub(super) taken: BTreeMap<String, (PlatformId, Vec<Cover>)>,
    pub(super) signatures: Vec<Signature>,
    pub(super) embeds: Vec<Embed>,
    pub(super) ids: BTreeSet<String>,
    pub(super) marks: Vec<Mark>,
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
    let mut has_every_activity = activities.is_empty();
    for file in named(ACTIVITIES) {
        let (found, has_every_name) = one(file, lists::ACTIVITIES, |fields| {
            lists::activities(fields, &mut draft);
        });
        activities.extend(found);
        has_every_activity &= has_every_name;
    }
    let mut platforms = Vec::new();
    for file in files {
        let name = stem(file);
        if ![CATEGORIES, ACTIVITIES, LOCAL].contains(&name) {
            let home = |id: &str| {
                files
                    .iter()
                    .find(|other| stem(other) == id && id != name && declares(other, id))
            };
            let (found, _) = one(file, platform::PLATFORM, |fields| {
                platform::platform(fields, name, home, &mut draft);
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
    if !has_every_activity {
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

/// Whether a file says that it is about the platform `id`; not if it says nothing of it.
fn declares(file: &SourceText, id: &str) -> bool {
    let (table, _) = parsed(file);
    table.get_ref().get("id").and_then(|id| id.get_ref().as_str()) == Some(id)
}

/// Of a file that takes the hosts of another platform, the first of them: all the others, and its signatures, go with it
/// where it began as a copy.
fn told_once(problems: Vec<Problem>) -> Vec<Problem> {
    let takes = |problem: &Problem| problem.code == "wayleave::catalog::overlap";
    // the help names the other platform
    let mut taken: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for problem in problems.iter().filter(|problem| takes(problem)) {
        *taken.entry(problem.help.clone()).or_default() += 1;
    }
    let is_a_copy = taken.values().any(|hosts| *hosts > 1);
    let told = problems.into_iter().filter_map(|mut problem| {
        if !takes(&problem) {
            return Some(problem).filter(|one| !is_a_copy || one.code != "wayleave::catalog::duplicate");
        }
        match taken.remove(&problem.help)? {
            1 => {}
            2 => problem.message.push_str(", as is 1 more of its hosts"),
            hosts => {
                let more = format!(", as are {} more of its hosts", hosts - 1);
                problem.message.push_str(&more);
            }
        }
        Some(problem)
    });
    told.collect()
}

fn stem(file: &SourceText) -> &str {
    let name = file.name.rsplit('/').next().unwrap_or_default();
    name.strip_suffix(".toml").unwrap_or(name)
}

impl Draft {
    /// A mark that names no paths counts wherever the platform has a name believed.
    fn place_marks(&mut self) {
        for mark in self.marks.iter_mut().filter(|mark| mark.paths.is_empty()) {
            let of_platform = |signature: &&Signature| signature.platform.as_ref() == Some(&mark.platform);
            let own = self.signatures.iter().filter(of_platform);
            let believed = own.filter(|signature| signature.reads == Reads::Label);
            for path in believed.flat_map(|signature| &signature.paths) {
                if !mark.paths.contains(path) {
                    mark.paths.push(path.clone());
                }
            }
        }
    }

    fn finish(mut self) -> Catalog {
        self.place_marks();
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
            shared: self.shared,
            index: Index::new(self.signatures, self.embeds, self.secrets, self.marks),
            platforms: self.platforms,
            categories: self.categories,
            activities: self.activities,
        }
    }
}

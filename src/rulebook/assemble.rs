//! Texts in, rules out: everything is read, and everything that one file says about another is checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lc_rs::digest;

use super::{Directory, InForce, Rulebook, Sources, agree, grammar, strangers};
use crate::catalog::Catalog;
use crate::facts::{Category, Mode, PlatformId, Problem, PurposeId, RulebookId, Severity, SourceText, hex};
use crate::policy::{Owners, PlatformFacts, Policy, World};
use crate::purpose::{GROUPS, Purposes};

/// What assembling gives: the rules, the people, and what somebody should look at.
#[derive(Debug)]
pub struct Assembled {
    /// The rules.
    pub rulebook: Rulebook,
    /// The people: not part of the rules, and in force together with them.
    pub directory: Directory,
    /// What does not keep the rules from ruling, but should not stay.
    pub warnings: Vec<Problem>,
}

impl Rulebook {
    /// Reads and checks everything; all problems at once.
    pub fn assemble(sources: &Sources) -> Result<Assembled, Vec<Problem>> {
        let mut problems = Vec::new();
        let catalog = kept(Catalog::parse(&sources.catalog), &mut problems);
        let purposes = kept(Purposes::parse(&sources.purposes), &mut problems);
        let directory = kept(Directory::parse(&sources.people), &mut problems);
        let owners = kept(sources.owners(), &mut problems);
        let (Some(catalog), Some(purposes), Some(directory)) = (catalog, purposes, directory) else {
            // Without the words that rules may use, only the rules' own grammar can be checked.
            problems.extend(grammar::of_rules(sources, owners));
            return Err(sorted(problems));
        };
        let world = World {
            owners,
            ..world(&catalog, &purposes, &directory)
        };
        let policy = match Policy::parse(&sources.schema, &sources.rules, &world) {
            Ok((policy, warnings)) => {
                problems.extend(warnings);
                Some(policy)
            }
            Err(found) => {
                problems.extend(found);
                None
            }
        };
        problems.extend(agree::purposes(sources, &purposes, &catalog, &directory));
        if let Some(policy) = &policy {
            problems.extend(agree::listed(sources, &purposes, policy));
            problems.extend(agree::opened(sources, &purposes, policy));
            problems.extend(agree::activities(sources, &catalog, policy));
        }
        let is_error = |problem: &Problem| problem.severity == Severity::Error;
        let Some(policy) = policy.filter(|_| !problems.iter().any(is_error)) else {
            return Err(sorted(problems));
        };
        let purposes = purposes.spelt_out(|category| within(&catalog, category));
        let rulebook = Self {
            policy,
            catalog: Arc::new(catalog),
            purposes: Arc::new(purposes),
            id: digest_of(sources),
        };
        Ok(Assembled {
            rulebook,
            directory,
            warnings: sorted(problems),
        })
    }
}

impl Sources {
    /// Who answers for files and folders.
    pub fn owners(&self) -> Result<Owners, Vec<Problem>> {
        let names: Vec<&str> = self.files().map(|file| file.name.as_str()).collect();
        let parsed = self.owners.as_ref().map(|file| Owners::parse(file, &names));
        parsed.unwrap_or_else(|| Ok(Owners::default()))
    }
}

impl Assembled {
    /// What this puts in force in a gateway of this mode.
    pub fn in_mode(self, mode: Mode) -> InForce {
        InForce {
            rulebook: self.rulebook.in_mode(mode),
            directory: self.directory,
        }
    }

    /// Warns of rules that surely say nothing beside the others.
    pub fn overlaps(&self) -> Vec<Problem> {
        self.rulebook.policy.overlaps(&self.world())
    }

    /// Warns of permits that name a purpose whose terms cover nothing of what they permit.
    pub fn unused_purposes(&self) -> Vec<Problem> {
        let purposes = &self.rulebook.purposes;
        let uncovered = |purpose: &PurposeId, groups: &BTreeSet<String>| match purposes.get(purpose) {
            Some(purpose) => {
                let asked = groups.iter().filter(|group| GROUPS.contains(&group.as_str()));
                asked
                    .filter(|group| !purpose.covers.contains(*group))
                    .cloned()
                    .collect()
            }
            None => BTreeSet::new(),
        };
        self.rulebook.policy.unused_purposes(uncovered)
    }

    /// Warns of hosts in rules that no platform has, and that are written almost like one that some platform does have; and
    /// of people and courses in rules that are nowhere else.
    pub fn slips(&self, sources: &Sources) -> Vec<Problem> {
        let mut slips = strangers::hosts(self, sources);
        slips.extend(strangers::people(self, sources));
        slips.extend(strangers::courses(self, sources));
        slips
    }

    /// What rules may name.
    pub(super) fn world(&self) -> World {
        world(&self.rulebook.catalog, &self.rulebook.purposes, &self.directory)
    }
}

fn kept<T>(parsed: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    parsed.map_err(|found| problems.extend(found)).ok()
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| (a.severity, &a.file, a.span).cmp(&(b.severity, &b.file, b.span)));
    problems
}

fn world(catalog: &Catalog, purposes: &Purposes, directory: &Directory) -> World {
    let tree = catalog.categories();
    let platform = |platform: &crate::catalog::Platform| PlatformFacts {
        id: platform.id.clone(),
        categories: tree.closure(&platform.category),
    };
    let parents = |id: &Category| {
        let mut above = tree.closure(id);
        above.remove(id);
        (id.clone(), above)
    };
    World {
        platforms: catalog.platforms().map(platform).collect(),
        categories: tree.ids().map(parents).collect(),
        purposes: purposes.iter().map(|purpose| purpose.id.clone()).collect(),
        roles: directory.roles().clone(),
        departments: directory.departments().clone(),
        owners: Some(Owners::default()),
    }
}

/// The platforms of a category and of all categories in it.
fn within(catalog: &Catalog, category: &Category) -> BTreeSet<PlatformId> {
    let inside =
        |platform: &&crate::catalog::Platform| catalog.categories().closure(&platform.category).contains(category);
    catalog
        .platforms()
        .filter(inside)
        .map(|platform| platform.id.clone())
        .collect()
}

/// SHA-256 over names and exact texts, each with its length before it, so that no two folders read the same.
fn digest_of(sources: &Sources) -> RulebookId {
    let one = [&sources.schema, &sources.purposes].into_iter();
    let mut files: Vec<&SourceText> = one.chain(&sources.rules).chain(&sources.catalog).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let mut hash = digest::Context::new(&digest::SHA256);
    for text in files.iter().flat_map(|file| [file.name.as_str(), &*file.text]) {
        hash.update(&text.len().to_be_bytes());
        hash.update(text.as_bytes());
    }
    RulebookId::new(format!("sha256:{}", hex(hash.finish().as_ref())))
}

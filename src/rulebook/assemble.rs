//! Texts in, rules out: everything is read, and everything that one file says about another is checked.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest;

use super::members::Members;
use super::tried::Tried;
use super::words::{Rules, Words};
use super::{Directory, InForce, Rulebook, Sources, agree, cases, strangers};
use crate::catalog::Catalog;
use crate::clock::Timestamp;
use crate::facts::{
    Category, Host, Mode, Partial, PlatformId, Problem, PurposeId, RulebookId, Severity, SourceText, SubjectId, hex,
};
use crate::policy::{NamedKind, Owners, PlatformFacts, Policy, Unfit, World};
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
    /// What it was tried with, if it was.
    pub(super) tried: Option<Arc<Tried>>,
}

/// A folder as far as it could be read, and everything that is wrong with it.
///
/// INVARIANT: it is looked at and never ruled by. What rules is made of parts that are handed out whole, and only then.
#[derive(Debug)]
pub struct Draft<'s> {
    sources: &'s Sources,
    catalog: Partial<Catalog>,
    purposes: Partial<Purposes>,
    directory: Partial<Directory>,
    policy: Result<Policy, Unfit>,
    /// The kinds of names of which not all could be read.
    unread: BTreeSet<NamedKind>,
    /// What is wrong with owners, and with what one text says of another; and warnings.
    beside: Vec<Problem>,
}

impl Rulebook {
    /// Reads and checks everything; all problems at once.
    pub fn assemble(sources: &Sources) -> Result<Assembled, Vec<Problem>> {
        Self::assemble_after(None, sources)
    }

    /// The same, for less, where what is in force was made of some of the same texts.
    pub fn assemble_after(before: Option<&InForce>, sources: &Sources) -> Result<Assembled, Vec<Problem>> {
        Draft::read(before, sources, BTreeSet::new()).assembled()
    }
}

impl<'s> Draft<'s> {
    /// Reads a folder.
    pub fn of(sources: &'s Sources) -> Self {
        Self::read(None, sources, BTreeSet::new())
    }

    /// Reads what there is of a folder of which some is missing: a name that nothing lists may stand there.
    pub fn of_rest(sources: &'s Sources) -> Self {
        Self::read(None, sources, NamedKind::LISTED.into())
    }

    fn read(before: Option<&InForce>, sources: &'s Sources, mut unread: BTreeSet<NamedKind>) -> Self {
        let catalog = Catalog::parse(&sources.catalog);
        let purposes = Purposes::parse(&sources.purposes);
        let directory = Directory::parse_after(before.map(|before| &before.directory), &sources.people);
        let (owners, mut beside) = match sources.owners() {
            Ok(owners) => (Some(owners), Vec::new()),
            Err(problems) => (None, problems),
        };
        let lists: [(bool, &[NamedKind]); 3] = [
            (catalog.has_every_name(), &[NamedKind::Category]),
            (purposes.has_every_name(), &[NamedKind::Purpose]),
            (
                directory.has_every_name(),
                &[NamedKind::Role, NamedKind::Department, NamedKind::Person],
            ),
        ];
        for (_, kinds) in lists.iter().filter(|(has_every_name, _)| !has_every_name) {
            unread.extend(*kinds);
        }
        let world = World {
            owners,
            unread: unread.clone(),
            ..world(catalog.so_far(), purposes.so_far(), directory.so_far())
        };
        let before = before.map(|before| &before.rulebook.policy);
        let policy = match Policy::parse_after(before, &sources.schema, &sources.rules, &world) {
            Ok((policy, warnings)) => {
                beside.extend(warnings);
                Ok(policy)
            }
            Err(unfit) => Err(unfit),
        };
        let mut draft = Self {
            sources,
            catalog,
            purposes,
            directory,
            policy,
            unread,
            beside,
        };
        let told = agree::disagreements(&draft.words(), sources);
        draft.beside.extend(told);
        draft
    }

    /// What is in force with this folder, or all that is wrong with it.
    pub fn assembled(self) -> Result<Assembled, Vec<Problem>> {
        let mut problems = self.beside;
        let catalog = kept(self.catalog.whole(), &mut problems);
        let purposes = kept(self.purposes.whole(), &mut problems);
        let directory = kept(self.directory.whole(), &mut problems);
        let policy = kept(self.policy.map_err(|unfit| unfit.problems), &mut problems);
        let is_sound = self.unread.is_empty() && !problems.iter().any(is_error);
        let (Some(catalog), Some(purposes), Some(directory), Some(policy), true) =
            (catalog, purposes, directory, policy, is_sound)
        else {
            return Err(sorted(problems));
        };
        let purposes = purposes.spelt_out(|category| within(&catalog, category));
        let rulebook = Rulebook {
            policy,
            catalog: Arc::new(catalog),
            purposes: Arc::new(purposes),
            id: digest_of(self.sources),
            doors: OnceLock::new(),
            spots: OnceLock::new(),
        };
        Ok(Assembled {
            rulebook,
            directory,
            warnings: sorted(problems),
            tried: None,
        })
    }

    /// Whether it can rule.
    pub fn is_sound(&self) -> bool {
        self.unread.is_empty() && self.policy.is_ok() && !self.problems().iter().any(is_error)
    }

    /// Everything that is wrong with it.
    pub fn problems(&self) -> Vec<Problem> {
        let of_policy = self.policy.as_ref().err().map_or(&[][..], |unfit| &unfit.problems);
        let parts = [
            self.catalog.problems(),
            self.purposes.problems(),
            self.directory.problems(),
            of_policy,
            &self.beside,
        ];
        sorted(parts.concat())
    }

    /// What is wrong with the cases, as far as it can be told without judging any.
    pub fn mistakes_of_cases(&self) -> Vec<Problem> {
        cases::mistakes(&self.words(), &self.sources.cases)
    }

    /// The texts.
    pub fn sources(&self) -> &'s Sources {
        self.sources
    }

    /// The schema, where it can be read.
    pub fn schema(&self) -> Option<&'s SourceText> {
        self.words().vocabulary.map(|_| &self.sources.schema)
    }

    /// The catalogue, as far as it could be read.
    pub fn catalog(&self) -> &Catalog {
        self.catalog.so_far()
    }

    /// The people, as far as they could be read.
    pub fn directory(&self) -> &Directory {
        self.directory.so_far()
    }

    /// The kinds of names of which not all could be read.
    pub fn unread(&self) -> &BTreeSet<NamedKind> {
        &self.unread
    }

    /// What others may say of it.
    pub(super) fn words(&self) -> Words<'_> {
        let (vocabulary, rules) = match &self.policy {
            Ok(policy) => (Some(policy.vocabulary()), Rules::Of(policy)),
            Err(unfit) => (unfit.vocabulary.as_ref(), Rules::Found(unfit.rules.as_ref())),
        };
        Words {
            catalog: self.catalog.so_far(),
            purposes: self.purposes.so_far(),
            directory: self.directory.so_far(),
            vocabulary,
            rules,
            unread: &self.unread,
            has_every_signature: self.catalog.problems().is_empty() && !self.unread.contains(&NamedKind::Platform),
        }
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
            rulebook: Arc::new(self.rulebook.in_mode(mode)),
            directory: self.directory,
            tried: self.tried,
            members: Members::default(),
            kinds: OnceLock::new(),
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

    /// Warns of purposes whose owners were to look at them again before that moment.
    pub fn past_review(&self, sources: &Sources, at: Timestamp) -> Vec<Problem> {
        let late = self
            .rulebook
            .purposes
            .iter()
            .filter(|purpose| purpose.is_past_review(at));
        let told = late.map(|purpose| {
            let review = &purpose.review;
            let message = format!(
                "the purpose `{}` was to be looked at again by {review}, and its date is still that",
                purpose.id
            );
            let help = format!(
                "let `{}`, who owns it, look at it again, and write the day of the next review",
                purpose.business_owner
            );
            let span = purpose.spans.get(&("review".to_owned(), review.clone()));
            let span = span.copied().unwrap_or_default();
            let problem = Problem::error("wayleave::purposes::past-review", &sources.purposes, span, message);
            problem.as_warning().with_help(help)
        });
        told.collect()
    }

    /// Warns of hosts in rules that no platform has, and that are written almost like one that some platform does have; and
    /// of people and courses in rules that are nowhere else.
    pub fn slips(&self, sources: &Sources) -> Vec<Problem> {
        let mut slips = strangers::hosts(self, sources);
        slips.extend(strangers::signatures(self, sources));
        slips.extend(strangers::people(self, sources));
        slips.extend(strangers::courses(self, sources));
        slips
    }

    /// What rules may name, and what is known of that.
    pub(super) fn world(&self) -> World {
        self.rulebook.world(&self.directory)
    }
}

impl Rulebook {
    /// What rules may name, and what is known of that, with these people.
    pub(super) fn world(&self, directory: &Directory) -> World {
        let Self {
            policy,
            catalog,
            purposes,
            ..
        } = self;
        let sites = policy.names_of(NamedKind::Site).into_iter();
        // what a shared host is in hangs on the path
        let hosts = sites.filter_map(|name| Host::parse(name).ok());
        let sites = hosts
            .filter(|host| !catalog.is_shared(host))
            .map(|host| catalog.place(&host));
        let people = policy.names_of(NamedKind::Person).into_iter();
        let people = people.filter_map(|name| directory.person(&SubjectId::parse(name).ok()?));
        World {
            sites: sites.collect(),
            people: people.collect(),
            places: catalog.places(),
            ..world(catalog, purposes, directory)
        }
    }
}

fn kept<T>(parsed: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    parsed.map_err(|found| problems.extend(found)).ok()
}

fn is_error(problem: &Problem) -> bool {
    problem.severity == Severity::Error
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
        ..World::default()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of rules about hosts and people beside the shipped ones: each by its name.
    fn overlaps(rules: &[(&str, &str)]) -> Vec<String> {
        let mut sources = Sources::embedded();
        let rule = |(id, rule): &(&str, &str)| format!("@id(\"{id}\") @reason(\"R.\") @owner(\"IT\")\n{rule}\n");
        let text: String = rules.iter().map(rule).collect();
        sources.rules.push(SourceText::new("rules/99-test.cedar", text));
        let found = Rulebook::assemble(&sources).unwrap().overlaps();
        found.iter().map(|problem| problem.message.clone()).collect()
    }

    #[test]
    fn hosts_and_people_in_rules_are_held_against_what_is_known_of_them() {
        let told = overlaps(&[
            (
                "a",
                r#"permit (principal in Role::"staff", action == Action::"connect", resource == Site::"www.tinder.com");"#,
            ),
            (
                "b",
                r#"forbid (principal, action == Action::"connect", resource == Site::"www.tinder.com");"#,
            ),
            (
                "c",
                r#"permit (principal, action == Action::"connect", resource) when { resource == Site::"tinder.com" };"#,
            ),
            (
                "d",
                r#"permit (principal == User::"eve", action == Action::"share", resource in Platform::"linkedin");"#,
            ),
            (
                "e",
                r#"permit (principal == User::"ada", action == Action::"connect", resource in Platform::"linkedin");"#,
            ),
            (
                "f",
                r#"permit (principal in Role::"tool", action == Action::"connect", resource == Site::"www.linkedin.com") unless { resource.classified };"#,
            ),
            (
                "g",
                r#"permit (principal in Role::"tool", action == Action::"connect", resource == Site::"www.example.org");"#,
            ),
            (
                "h",
                r#"permit (principal in Role::"tool", action == Action::"connect", resource in Platform::"linkedin") when { resource in Category::"dating" };"#,
            ),
        ]);
        assert_eq!(
            told,
            [
                "rule `a` never permits anything: `connect.not-at-work` forbids all of it",
                "rule `b` says nothing that `connect.not-at-work` does not say already",
                "rule `c` never permits anything: `connect.not-at-work` forbids all of it",
                "rule `d` never permits anything: `guard.interns-never-publish` forbids all of it",
                "rule `e` says nothing that `connect.social` does not say already",
                "rule `f` never applies: `unless { resource.classified }` keeps it from `www.linkedin.com`",
                "rule `g` says nothing that `connect.open-web` does not say already",
                "rule `h` never applies: `when { resource in Category::\"dating\" }` keeps it from `linkedin`",
            ]
        );
    }

    #[test]
    fn nothing_is_said_of_hosts_and_people_that_is_not_sure() {
        let fine = overlaps(&[
            (
                "a",
                r#"forbid (principal, action == Action::"connect", resource == Site::"www.example.org");"#,
            ),
            (
                "b",
                r#"permit (principal == User::"ada", action == Action::"share", resource == Site::"www.linkedin.com");"#,
            ),
            (
                "c",
                r#"forbid (principal == User::"ada", action == Action::"connect", resource in Platform::"linkedin");"#,
            ),
            (
                "d",
                r#"permit (principal == User::"nobody", action == Action::"connect", resource in Platform::"linkedin");"#,
            ),
            (
                "e",
                r#"permit (principal in Role::"tool", action == Action::"connect", resource) when { resource.host == "www.tinder.com" };"#,
            ),
            (
                "f",
                r#"forbid (principal, action == Action::"connect", resource in Category::"social-media") when { resource in Platform::"facebook" };"#,
            ),
            // one host of a platform, whatever says so, is neither all of it nor nothing of it
            (
                "g",
                r#"forbid (principal, action == Action::"connect", resource in Platform::"linkedin") when { resource in [Site::"www.linkedin.com", Site::"example.org"] };"#,
            ),
            (
                "h",
                r#"forbid (principal, action in Action::"publish", resource in Platform::"linkedin") unless { resource in [Site::"www.linkedin.com"] };"#,
            ),
            (
                "i",
                r#"forbid (principal, action == Action::"post", resource in Platform::"linkedin");"#,
            ),
            (
                "j",
                r#"permit (principal, action == Action::"inspect", resource is Site in Site::"app.slack.com");"#,
            ),
            (
                "k",
                r#"forbid (principal, action == Action::"upload", resource in Platform::"slack");"#,
            ),
            (
                "l",
                r#"permit (principal, action == Action::"inspect", resource) when { resource in [Site::"teams.microsoft.com"] };"#,
            ),
            (
                "m",
                r#"forbid (principal, action == Action::"upload", resource in Platform::"teams");"#,
            ),
        ]);
        assert_eq!(fine, [""; 0]);
    }

    #[test]
    fn a_rule_about_what_is_done_where_nothing_is_read_never_counts() {
        let told = overlaps(&[
            (
                "a",
                r#"forbid (principal, action == Action::"upload", resource in Platform::"slack");"#,
            ),
            (
                "b",
                r#"forbid (principal, action in Action::"publish", resource == Site::"app.slack.com");"#,
            ),
            (
                "c",
                r#"permit (principal in Role::"staff", action in Action::"read", resource) when { resource in Category::"banking" || resource in Platform::"teams" };"#,
            ),
        ]);
        assert_eq!(
            told,
            [
                "rule `a` never counts: no rule lets the gateway read what is done on `slack`, so only the host is judged there",
                "rule `b` never counts: no rule lets the gateway read what is done on `app.slack.com`, so only the host is judged there",
                "rule `c` never counts: no rule lets the gateway read what is done on `banking`, `teams`, so only the host is judged there",
            ]
        );
        let fine = overlaps(&[
            (
                "a",
                r#"forbid (principal, action == Action::"upload", resource in Platform::"slack");"#,
            ),
            (
                "b",
                r#"permit (principal, action == Action::"inspect", resource in Platform::"slack") when { context.client.network == "office" };"#,
            ),
            (
                "c",
                r#"forbid (principal, action == Action::"upload", resource) when { resource in Category::"banking" || resource in Platform::"x" };"#,
            ),
            (
                "d",
                r#"forbid (principal, action in [Action::"connect", Action::"upload"], resource in Platform::"teams");"#,
            ),
            (
                "e",
                r#"forbid (principal, action == Action::"upload", resource) when { resource.host == "files.example.org" };"#,
            ),
        ]);
        assert_eq!(fine, [""; 0]);
        // what is never read stays unread, whatever permits it
        let told = overlaps(&[
            (
                "a",
                r#"permit (principal, action == Action::"inspect", resource in Category::"banking") when { context.client.network == "office" };"#,
            ),
            (
                "b",
                r#"forbid (principal, action == Action::"upload", resource in Category::"banking");"#,
            ),
        ]);
        assert!(
            told.iter().any(|one| one.starts_with("rule `b` never counts")),
            "{told:?}"
        );
    }
}

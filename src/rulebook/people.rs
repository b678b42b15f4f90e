//! What the files of `people/` say, before it is joined, and what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::directory::{Directory, Known, Listed, Page, Units};
use super::entries;
use super::leads::Leads;
use super::shelves::Shelves;
use crate::clock::Timestamp;
use crate::facts::fields::{At, Fields, Reader};
use crate::facts::{
    BadMailbox, BadName, Employment, Language, Mailbox, Person, Problem, SourceText, SubjectId, did_you_mean,
};

const FILE: &[&str] = &["role", "department", "person"];
const UNIT: &[&str] = &["id", "title", "in"];
const PERSON: &[&str] = &[
    "id",
    "name",
    "roles",
    "department",
    "employment",
    "region",
    "time-zone",
    "manager",
    "legal-hold",
    "training",
    "email",
    "language",
];

/// So many units one may be part of, directly or not: as deep as categories go. Every person and every unit keeps all that
/// is above it.
const MOST_ABOVE: usize = 16;

/// A word and where it stands: file, place.
type Word = (String, usize, (usize, usize));

/// What the files say, before it is joined.
#[derive(Default)]
pub(super) struct Draft {
    roles: Tree,
    departments: Tree,
    pub(super) people: BTreeMap<SubjectId, Entry>,
    /// The files that describe roles or departments.
    pub(super) with_units: BTreeSet<usize>,
}

/// Units that are part of others.
#[derive(Default)]
struct Tree {
    parents: BTreeMap<String, Vec<Word>>,
}

/// What a file says of somebody.
pub(super) struct Entry {
    file: usize,
    person: Person,
    roles: Vec<Word>,
    departments: Vec<Word>,
    manager: Option<Word>,
    email: Option<Mailbox>,
    language: Option<Language>,
}

impl Draft {
    /// Adds what a file says, and gives what is wrong with it by itself, and whether it has every name that the file lists.
    pub(super) fn read(&mut self, number: usize, file: &SourceText) -> (Vec<Problem>, bool) {
        let reader = Reader::new(file, "people");
        reader.read(FILE, |fields| self.take(number, fields));
        let has_every_name = reader.has_every_name();
        (reader.into_problems(), has_every_name)
    }

    fn take(&mut self, file: usize, fields: &Fields<'_, '_>) {
        for (key, tree) in [("role", &mut self.roles), ("department", &mut self.departments)] {
            for unit in fields.tables(key, UNIT) {
                self.with_units.insert(file);
                tree.take(file, key, &unit);
            }
        }
        for entry in fields.tables("person", PERSON) {
            let Some(id) = entry.name("id") else { continue };
            match SubjectId::parse(id.value) {
                Ok(name) => {
                    let person = entry_of(file, name.clone(), &entry);
                    if self.people.insert(name, person).is_some() {
                        let message = format!("`{}` is described twice", id.value);
                        entry.report("repeated", id.span, message, "keep one of them");
                    }
                }
                Err(bad) => {
                    entry.report("bad-name", id.span, bad.to_string(), "write the name they sign in with");
                }
            }
        }
    }

    /// The directory, and what is said of names that it does not have.
    pub(super) fn join(self, files: &[SourceText]) -> (Directory, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut complain = |word: &Word, kind: &str, known: &mut dyn Iterator<Item = &str>| {
            let (name, file, span) = word;
            let Some(file) = files.get(*file) else { return };
            let help = match did_you_mean(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add it to `people/`, or remove it: no {kind} is called so"),
            };
            let message = format!("`{name}` is not a {kind} of the directory");
            problems.push(Problem::error("wayleave::people::unknown", file, *span, message).with_help(help));
        };
        for (tree, kind) in [(&self.roles, "role"), (&self.departments, "department")] {
            for word in tree.parents.values().flatten().filter(|word| !tree.has(word)) {
                complain(word, kind, &mut tree.parents.keys().map(String::as_str));
            }
        }
        for entry in self.people.values() {
            for (words, tree, kind) in [
                (&entry.roles, &self.roles, "role"),
                (&entry.departments, &self.departments, "department"),
            ] {
                for word in words.iter().filter(|word| !tree.has(word)) {
                    complain(word, kind, &mut tree.parents.keys().map(String::as_str));
                }
            }
            let known = |name: &str| SubjectId::parse(name).is_ok_and(|id| self.people.contains_key(&id));
            let stranger = |word: &&Word| !known(&word.0);
            if let Some(word) = entry.manager.as_ref().filter(stranger) {
                complain(word, "person", &mut self.people.keys().map(SubjectId::as_str));
            }
        }
        problems.extend(self.roles.too_deep(files, "role"));
        problems.extend(self.departments.too_deep(files, "department"));
        let pages = self.pages(files);
        let units = Units {
            roles_above: self.roles.ladders(),
            departments_above: self.departments.ladders(),
            roles: self.roles.parents.into_keys().collect(),
            departments: self.departments.parents.into_keys().collect(),
        };
        let everybody = Shelves::of(self.people.into_values().map(|entry| entry.known(&units)));
        let directory = Directory {
            leads: Leads::of(everybody.iter().map(|known| &*known.person)),
            everybody,
            units: Arc::new(units),
            pages,
        };
        (directory, problems)
    }

    /// The files that it was read from.
    pub(super) fn pages(&self, files: &[SourceText]) -> Vec<Arc<Page>> {
        let mut people: BTreeMap<usize, Vec<SubjectId>> = BTreeMap::new();
        for (id, entry) in &self.people {
            people.entry(entry.file).or_default().push(id.clone());
        }
        let page = |(file, text): (usize, &SourceText)| Page {
            text: text.clone(),
            people: people.remove(&file).unwrap_or_default(),
            has_units: self.with_units.contains(&file),
            has_lines: entries::are_told_by_lines(&text.text),
        };
        files.iter().enumerate().map(page).map(Arc::new).collect()
    }
}

impl Entry {
    /// The person with all that they are part of.
    pub(super) fn known(self, units: &Units) -> Known {
        let plain = |words: &[Word]| words.iter().map(|word| word.0.clone()).collect::<Vec<_>>();
        let listed = Listed {
            roles: plain(&self.roles),
            department: plain(&self.departments).concat(),
            email: self.email,
            language: self.language,
        };
        let closure = |words: &[Word], above: &BTreeMap<String, BTreeSet<String>>| {
            let above = words.iter().filter_map(|word| above.get(&word.0));
            above.flatten().cloned().collect()
        };
        let person = Person {
            roles: closure(&self.roles, &units.roles_above),
            departments: closure(&self.departments, &units.departments_above),
            ..self.person
        };
        Known {
            person: Arc::new(person),
            listed: Arc::new(listed),
        }
    }

    /// The manager, where one is named.
    pub(super) fn manager(&self) -> Result<Option<SubjectId>, BadName> {
        let name = self.manager.as_ref().map(|(name, ..)| SubjectId::parse(name));
        name.transpose()
    }

    /// Whether all that the entry names is there, its manager aside.
    pub(super) fn fits(&self, units: &Units) -> bool {
        let all = |words: &[Word], known: &BTreeSet<String>| words.iter().all(|word| known.contains(&word.0));
        all(&self.roles, &units.roles) && all(&self.departments, &units.departments)
    }
}

impl Tree {
    fn take(&mut self, file: usize, kind: &str, unit: &Fields<'_, '_>) {
        let parents = unit.texts("in").into_iter().map(|text| word(file, text));
        let Some(id) = unit.name("id") else { return };
        if self.parents.insert(id.value.to_owned(), parents.collect()).is_some() {
            let message = format!("the {kind} `{}` is described twice", id.value);
            unit.report("repeated", id.span, message, "keep one of them");
        }
    }

    fn has(&self, word: &Word) -> bool {
        self.parents.contains_key(&word.0)
    }

    /// Each unit with all that it is part of.
    fn ladders(&self) -> BTreeMap<String, BTreeSet<String>> {
        let ladder = |name: &String| (name.clone(), self.above(name));
        self.parents.keys().map(ladder).collect()
    }

    /// A unit and all that it is part of, as far as that may be; a circle ends where it began.
    fn above(&self, name: &str) -> BTreeSet<String> {
        let mut all = BTreeSet::from([name.to_owned()]);
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            for (parent, ..) in self.parents.get(name).into_iter().flatten() {
                if all.len() > MOST_ABOVE + 1 {
                    return all;
                }
                if all.insert(parent.clone()) {
                    open.push(parent);
                }
            }
        }
        all
    }

    /// The first unit that is part of more than may be.
    fn too_deep(&self, files: &[SourceText], kind: &str) -> Option<Problem> {
        let mut units = self.parents.iter();
        let (name, parents) = units.find(|(name, _)| self.above(name).len() > MOST_ABOVE + 1)?;
        let (_, file, span) = parents.first()?;
        let message = format!("`{name}` has more than {MOST_ABOVE} {kind}s above it");
        let problem = Problem::error("wayleave::people::too-deep", files.get(*file)?, *span, message);
        Some(problem.with_help("leave out levels that no rule names"))
    }
}

fn word(file: usize, text: At<&str>) -> Word {
    (text.value.to_owned(), file, text.span)
}

fn entry_of(file: usize, id: SubjectId, entry: &Fields<'_, '_>) -> Entry {
    let kinds = [
        Employment::Employee,
        Employment::Contractor,
        Employment::Intern,
        Employment::Vendor,
    ];
    let kinds = kinds.map(|kind| (kind.as_str(), kind));
    if !entry.has("employment") {
        let help = "add `employment = \"employee\"`";
        entry.report("missing-key", entry.span, "`employment` is missing", help);
    }
    let manager = entry.text("manager");
    let department = entry.needed("department");
    let person = Person {
        name: entry
            .text("name")
            .map_or_else(|| id.to_string(), |name| name.value.to_owned()),
        id,
        roles: BTreeSet::new(),
        departments: BTreeSet::new(),
        // A kind that cannot be read is a problem, so this guess never rules.
        employment: entry.choice("employment", &kinds).unwrap_or(Employment::Vendor),
        region: entry
            .text("region")
            .map_or_else(String::new, |region| region.value.to_owned()),
        time_zone: time_zone(entry),
        manager: manager.as_ref().and_then(|name| SubjectId::parse(name.value).ok()),
        on_legal_hold: entry.flag("legal-hold").unwrap_or(false),
        training: training(entry),
    };
    Entry {
        file,
        person,
        roles: entry.texts("roles").into_iter().map(|text| word(file, text)).collect(),
        departments: if entry.has("department") {
            vec![word(file, department)]
        } else {
            Vec::new()
        },
        manager: manager.map(|text| word(file, text)),
        email: email(entry),
        language: entry.choice("language", &Language::ALL.map(|one| (one.as_str(), one))),
    }
}

fn time_zone(entry: &Fields<'_, '_>) -> String {
    let zone = entry.needed("time-zone");
    let known = jiff::tz::TimeZone::get(zone.value).is_ok();
    if entry.has("time-zone") && !known {
        let message = format!("`{}` is not a time zone", zone.value);
        let help = "write an IANA name such as `Europe/Paris`";
        entry.report("bad-time-zone", zone.span, message, help);
    }
    zone.value.to_owned()
}

fn email(entry: &Fields<'_, '_>) -> Option<Mailbox> {
    let text = entry.text("email")?;
    let parsed = Mailbox::parse(text.value);
    let complain = |bad: &BadMailbox| {
        let help = "correct it, or leave it out: then they are not written to";
        entry.report("bad-email", text.span, bad.to_string(), help);
    };
    parsed.inspect_err(complain).ok()
}

fn training(entry: &Fields<'_, '_>) -> BTreeMap<String, Timestamp> {
    let Some(courses) = entry.table("training", &[]) else {
        return BTreeMap::new();
    };
    let mut passed = BTreeMap::new();
    for (name, _) in courses.keys() {
        let Some(until) = courses.moment(name) else { continue };
        if let Some(moment) = end_of(&until.value) {
            passed.insert(name.to_owned(), moment);
        } else {
            let message = format!("`{}` is not a date", until.value);
            entry.report(
                "bad-date",
                until.span,
                message,
                "write the last valid day: `2027-06-30`",
            );
        }
    }
    passed
}

/// The end of a day (in UTC), or the moment itself.
fn end_of(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let day = text.parse::<jiff::civil::Date>().ok()?.tomorrow().ok()?;
    let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(midnight.timestamp().into())
}

//! The file directory: people, the roles they hold, the departments they are in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::facts::fields::{At, Fields, Reader};
use crate::facts::{Employment, Partial, Person, Problem, SourceText, SubjectId, did_you_mean};

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
];

/// So many units one may be part of, directly or not: as deep as categories go. Every person and every unit keeps all that
/// is above it.
const MOST_ABOVE: usize = 16;

/// The people, each with all roles and departments, closed over what these are part of; immutable.
#[derive(Debug, Default)]
pub struct Directory {
    people: BTreeMap<SubjectId, Arc<Person>>,
    listed: BTreeMap<SubjectId, Listed>,
    roles: BTreeSet<String>,
    departments: BTreeSet<String>,
    roles_above: BTreeMap<String, BTreeSet<String>>,
    departments_above: BTreeMap<String, BTreeSet<String>>,
}

/// What the files say of somebody, before it is closed over what it is part of: how people would say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The roles, as listed.
    pub roles: Vec<String>,
    /// The department.
    pub department: String,
}

impl Directory {
    /// Reads the files of `people/`, which share their roles, departments and people; reports all problems.
    pub fn parse(files: &[SourceText]) -> Partial<Self> {
        let mut draft = Draft::default();
        let (mut problems, mut has_every_name) = (Vec::new(), true);
        for (index, file) in files.iter().enumerate() {
            let reader = Reader::new(file, "people");
            reader.read(FILE, |fields| draft.take(index, fields));
            has_every_name &= reader.has_every_name();
            problems.extend(reader.into_problems());
        }
        let (directory, strangers) = draft.join(files);
        // A name may be listed where the files cannot be read.
        if has_every_name {
            problems.extend(strangers);
        }
        Partial::new(directory, problems, has_every_name)
    }

    /// What the directory knows of somebody.
    pub fn person(&self, id: &SubjectId) -> Option<Arc<Person>> {
        self.people.get(id).cloned()
    }

    /// Everybody, by name.
    pub fn people(&self) -> impl Iterator<Item = &Arc<Person>> {
        self.people.values()
    }

    /// What the files say of somebody in so many words.
    pub fn listed(&self, id: &SubjectId) -> Option<&Listed> {
        self.listed.get(id)
    }

    /// Every role that somebody can have.
    pub fn roles(&self) -> &BTreeSet<String> {
        &self.roles
    }

    /// Every department.
    pub fn departments(&self) -> &BTreeSet<String> {
        &self.departments
    }

    /// Each role with all that it is part of, itself included.
    pub fn roles_above(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.roles_above
    }

    /// Each department with all that it is part of, itself included.
    pub fn departments_above(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.departments_above
    }
}

/// A word and where it stands: file, place.
type Word = (String, usize, (usize, usize));

/// What the files say, before it is joined.
#[derive(Default)]
struct Draft {
    roles: Tree,
    departments: Tree,
    people: BTreeMap<SubjectId, Entry>,
}

/// Units that are part of others.
#[derive(Default)]
struct Tree {
    parents: BTreeMap<String, Vec<Word>>,
}

struct Entry {
    person: Person,
    roles: Vec<Word>,
    departments: Vec<Word>,
    manager: Option<Word>,
}

impl Draft {
    fn take(&mut self, file: usize, fields: &Fields<'_, '_>) {
        for (key, tree) in [("role", &mut self.roles), ("department", &mut self.departments)] {
            for unit in fields.tables(key, UNIT) {
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
    fn join(self, files: &[SourceText]) -> (Directory, Vec<Problem>) {
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
        let plain = |words: &[Word]| words.iter().map(|word| word.0.clone()).collect::<Vec<_>>();
        let listed = self.people.iter().map(|(id, entry)| {
            let listed = Listed {
                roles: plain(&entry.roles),
                department: plain(&entry.departments).concat(),
            };
            (id.clone(), listed)
        });
        let listed = listed.collect();
        let people = self.people.into_iter().map(|(id, entry)| {
            let person = Person {
                roles: self.roles.closure(&entry.roles),
                departments: self.departments.closure(&entry.departments),
                ..entry.person
            };
            (id, Arc::new(person))
        });
        let directory = Directory {
            people: people.collect(),
            listed,
            roles_above: self.roles.ladders(),
            departments_above: self.departments.ladders(),
            roles: self.roles.parents.into_keys().collect(),
            departments: self.departments.parents.into_keys().collect(),
        };
        (directory, problems)
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

    /// The units named, and all that they are part of.
    fn closure(&self, words: &[Word]) -> BTreeSet<String> {
        words.iter().flat_map(|(name, ..)| self.above(name)).collect()
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
        person,
        roles: entry.texts("roles").into_iter().map(|text| word(file, text)).collect(),
        departments: if entry.has("department") {
            vec![word(file, department)]
        } else {
            Vec::new()
        },
        manager: manager.map(|text| word(file, text)),
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

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = r#"
        [[role]]
        id = "staff"
        [[role]]
        id = "hr-staff"
        in = ["staff"]
        [[role]]
        id = "recruiter"
        in = ["hr-staff"]
        [[department]]
        id = "company"
        [[department]]
        id = "hr"
        in = ["company"]
    "#;

    fn parse(text: &str) -> Result<Directory, Vec<String>> {
        let files = [
            SourceText::new("people/roles.toml", TREE),
            SourceText::new("people/people.toml", text),
        ];
        Directory::parse(&files)
            .whole()
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_person_has_every_role_that_a_held_role_is_part_of() {
        let directory = parse(
            r#"
            [[person]]
            id = "ada"
            roles = ["recruiter"]
            department = "hr"
            employment = "employee"
            time-zone = "Europe/Paris"
            training = { social-media = 2027-06-30 }
            "#,
        )
        .unwrap();
        let ada = directory.person(&SubjectId::parse("ada").unwrap()).unwrap();
        assert_eq!(ada.roles, ["hr-staff", "recruiter", "staff"].map(str::to_owned).into());
        assert_eq!(ada.departments, ["company", "hr"].map(str::to_owned).into());
        let listed = directory.listed(&ada.id).unwrap();
        assert_eq!(listed.department, "hr");
        assert_eq!(listed.roles, ["recruiter"]);
        assert_eq!(ada.training["social-media"], "2027-07-01T00:00:00Z".parse().unwrap());
    }

    #[test]
    fn a_misspelt_role_department_manager_and_zone_are_all_reported_at_once() {
        let found = parse(
            "[[person]]\nid = \"ada\"\nroles = [\"recruter\"]\ndepartment = \"hrr\"\nemployment = \"employe\"\n\
             time-zone = \"Europe/Pari\"\nmanager = \"adda\"\n",
        )
        .unwrap_err();
        assert_eq!(
            found,
            [
                "people/people.toml:5:14: `employe` is not a value of `employment` (did you mean `employee`?)",
                "people/people.toml:6:13: `Europe/Pari` is not a time zone (write an IANA name such as `Europe/Paris`)",
                "people/people.toml:3:10: `recruter` is not a role of the directory (did you mean `recruiter`?)",
                "people/people.toml:4:14: `hrr` is not a department of the directory (did you mean `hr`?)",
                "people/people.toml:7:11: `adda` is not a person of the directory (did you mean `ada`?)",
            ]
        );
    }

    #[test]
    fn the_time_zones_are_those_that_rules_are_judged_by_and_not_those_of_the_machine() {
        let database = |zones: &jiff::tz::TimeZoneDatabase| {
            let text = format!("{zones:?}");
            text.split_once('(')
                .map(|(_, kind)| kind.chars().take_while(char::is_ascii_alphabetic).collect::<String>())
        };
        let bundled = jiff::tz::TimeZoneDatabase::bundled();
        assert_eq!(database(jiff::tz::db()), database(&bundled));
    }

    #[test]
    fn roles_that_are_part_of_each_other_do_not_hang() {
        let files = [SourceText::new(
            "people/a.toml",
            "[[role]]\nid = \"a\"\nin = [\"b\"]\n[[role]]\nid = \"b\"\nin = [\"a\"]\n[[department]]\nid = \"d\"\n\
             [[person]]\nid = \"x\"\nroles = [\"a\"]\ndepartment = \"d\"\nemployment = \"intern\"\ntime-zone = \"UTC\"\n",
        )];
        let directory = Directory::parse(&files).whole().unwrap();
        let roles = &directory.people().next().unwrap().roles;
        assert_eq!(roles.len(), 2);
    }

    /// One file with a chain of roles, each in the one before it, and a department.
    fn chain(length: usize) -> String {
        let role = |nth: usize| match nth {
            0 => "[[role]]\nid = \"r00000\"\n".to_owned(),
            _ => format!("[[role]]\nid = \"r{nth:05}\"\nin = [\"r{:05}\"]\n", nth - 1),
        };
        (0..length).map(role).collect()
    }

    #[test]
    fn roles_and_departments_are_no_deeper_than_categories() {
        let told = |text: String| {
            let found = Directory::parse(&[SourceText::new("people/a.toml", text)]).whole();
            found.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let deepest = told(chain(17)).unwrap();
        assert_eq!(deepest.roles_above()["r00016"].len(), 17);
        assert_eq!(
            told(chain(18)).unwrap_err(),
            ["people/a.toml:53:7: `r00017` has more than 16 roles above it (leave out levels that no rule names)"]
        );
        // however long it is, it is told once
        let departments = chain(20_000).replace("[[role]]", "[[department]]");
        let found = told(departments).unwrap_err();
        assert_eq!(
            found,
            [
                "people/a.toml:53:7: `r00017` has more than 16 departments above it (leave out levels that no rule names)"
            ]
        );
    }
}

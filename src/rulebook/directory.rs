//! The file directory: people, the roles they hold, the departments they are in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::entries;
use super::leads::Leads;
use super::people::{Draft, Entry};
use super::shelves::{Named, Shelves};
use crate::facts::{Language, Mailbox, Partial, Person, SourceText, SubjectId};

/// The people, each with all roles and departments, closed over what these are part of; immutable. A copy in which few
/// people differ shares the others.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    pub(super) everybody: Shelves<Known>,
    pub(super) leads: Leads,
    pub(super) units: Arc<Units>,
    pub(super) pages: Vec<Arc<Page>>,
}

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) person: Arc<Person>,
    pub(super) listed: Arc<Listed>,
}

impl Named for Known {
    fn name(&self) -> &SubjectId {
        &self.person.id
    }
}

/// What people are part of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Units {
    pub(super) roles: BTreeSet<String>,
    pub(super) departments: BTreeSet<String>,
    pub(super) roles_above: BTreeMap<String, BTreeSet<String>>,
    pub(super) departments_above: BTreeMap<String, BTreeSet<String>>,
}

/// A file that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) text: SourceText,
    pub(super) people: Vec<SubjectId>,
    /// Whether it describes roles or departments.
    pub(super) has_units: bool,
    /// Whether its entries are told by their lines.
    pub(super) has_lines: bool,
}

/// What is said of people in the place of what was said before.
#[derive(Default)]
struct Change {
    leaving: BTreeSet<SubjectId>,
    people: BTreeMap<SubjectId, Entry>,
}

/// What the files say of somebody, before it is closed over what it is part of: how people would say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The roles, as listed.
    pub roles: Vec<String>,
    /// The department.
    pub department: String,
    /// Where they are written to.
    pub email: Option<Mailbox>,
    /// In which language.
    pub language: Option<Language>,
}

impl Directory {
    /// Reads the files of `people/`, which share their roles, departments and people; reports all problems.
    pub fn parse(files: &[SourceText]) -> Partial<Self> {
        let mut draft = Draft::default();
        let (mut problems, mut has_every_name) = (Vec::new(), true);
        for (index, file) in files.iter().enumerate() {
            let (found, has_all) = draft.read(index, file);
            has_every_name &= has_all;
            problems.extend(found);
        }
        let (directory, strangers) = draft.join(files);
        // A name may be listed where the files cannot be read.
        if has_every_name {
            problems.extend(strangers);
        }
        Partial::new(directory, problems, has_every_name)
    }

    /// The same, for less, where `before` was read from nearly the same files.
    pub fn parse_after(before: Option<&Self>, files: &[SourceText]) -> Partial<Self> {
        let changed = before.and_then(|before| before.changed(files));
        changed.map_or_else(|| Self::parse(files), |whole| Partial::new(whole, Vec::new(), true))
    }

    /// This directory with only those entries read that changed since; none where more than people changed, or anything is
    /// not plainly in order: then all of it is to be read.
    pub(super) fn changed(&self, files: &[SourceText]) -> Option<Self> {
        let mut old: BTreeMap<&str, &Arc<Page>> =
            self.pages.iter().map(|page| (page.text.name.as_str(), page)).collect();
        let (mut pages, mut change) = (Vec::new(), Change::default());
        for file in files {
            let before = old.get(file.name.as_str()).copied();
            if let Some(page) = before.filter(|page| page.text == *file) {
                old.remove(file.name.as_str());
                pages.push(Arc::clone(page));
                continue;
            }
            if let Some(page) = before.and_then(|page| change.take_entries(page, file)) {
                old.remove(file.name.as_str());
                pages.push(Arc::new(page));
                continue;
            }
            let draft = plain(file)?;
            pages.extend(draft.pages(std::slice::from_ref(file)));
            change.take(draft.people)?;
        }
        if old.values().any(|page| page.has_units) {
            return None;
        }
        let gone = old.values().flat_map(|page| &page.people);
        change.leaving.extend(gone.cloned());
        let (everybody, leads) = self.everybody_but(change)?;
        Some(Self {
            everybody,
            leads,
            units: Arc::clone(&self.units),
            pages,
        })
    }

    /// Everybody, with what is said of them now; none where what one entry says of others is not plainly in order.
    fn everybody_but(&self, change: Change) -> Option<(Shelves<Known>, Leads)> {
        let Change { leaving, people } = change;
        let (mut everybody, mut leads) = (self.everybody.clone(), self.leads.clone());
        for known in leaving.iter().filter_map(|id| everybody.get(id)) {
            leads.take(&known.person);
        }
        let gone: BTreeSet<&SubjectId> = leaving.iter().filter(|id| !people.contains_key(id)).collect();
        for id in &gone {
            everybody.remove(id);
        }
        let mut managers = Vec::new();
        for (id, entry) in people {
            let is_elsewhere = !leaving.contains(&id) && everybody.get(&id).is_some();
            if is_elsewhere || !entry.fits(&self.units) {
                return None;
            }
            managers.extend(entry.manager().ok()?);
            let known = entry.known(&self.units);
            leads.add(&known.person);
            everybody.put(known);
        }
        let is_whole = managers.iter().all(|id| everybody.get(id).is_some());
        (is_whole && !gone.iter().any(|id| leads.has(id))).then_some((everybody, leads))
    }

    /// What the directory knows of somebody.
    pub fn person(&self, id: &SubjectId) -> Option<Arc<Person>> {
        self.everybody.get(id).map(|known| Arc::clone(&known.person))
    }

    /// Everybody, by name.
    pub fn people(&self) -> impl Iterator<Item = &Arc<Person>> {
        self.everybody.iter().map(|known| &known.person)
    }

    /// Those of this full name, however it is capitalised.
    pub fn called(&self, name: &str) -> Vec<&Arc<Person>> {
        let name = name.to_lowercase();
        self.people()
            .filter(|person| person.name.to_lowercase() == name)
            .collect()
    }

    /// What the files say of somebody in so many words.
    pub fn listed(&self, id: &SubjectId) -> Option<&Listed> {
        self.everybody.get(id).map(|known| &*known.listed)
    }

    /// Every role that somebody can have.
    pub fn roles(&self) -> &BTreeSet<String> {
        &self.units.roles
    }

    /// Every department.
    pub fn departments(&self) -> &BTreeSet<String> {
        &self.units.departments
    }

    /// Each role with all that it is part of, itself included.
    pub fn roles_above(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.units.roles_above
    }

    /// Each department with all that it is part of, itself included.
    pub fn departments_above(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.units.departments_above
    }
}

/// What a text of people says and nothing else; none where it is not in order.
fn plain(file: &SourceText) -> Option<Draft> {
    let mut draft = Draft::default();
    let is_plain = draft.read(0, file).0.is_empty() && draft.with_units.is_empty();
    is_plain.then_some(draft)
}

impl Change {
    /// Takes what is said of people; none where that was said already.
    fn take(&mut self, people: BTreeMap<SubjectId, Entry>) -> Option<()> {
        for (id, entry) in people {
            if self.people.insert(id, entry).is_some() {
                return None;
            }
        }
        Some(())
    }

    /// Takes what changed of a file, entry by entry; none where that cannot be told, and nothing is taken then.
    fn take_entries(&mut self, before: &Page, file: &SourceText) -> Option<Page> {
        let (old, new) = before
            .has_lines
            .then(|| entries::changed(&before.text.text, &file.text))
            .flatten()?;
        let read = |text: &str| plain(&SourceText::new(file.name.as_str(), text));
        let (left, came) = (read(old)?.people, read(new)?.people);
        if came.keys().any(|id| self.people.contains_key(id)) {
            return None;
        }
        let stay = before.people.iter().filter(|id| !left.contains_key(id));
        let mut people: Vec<SubjectId> = stay.chain(came.keys()).cloned().collect();
        people.sort_unstable();
        self.leaving.extend(left.into_keys());
        self.people.extend(came);
        Some(Page {
            text: file.clone(),
            people,
            has_units: before.has_units,
            has_lines: entries::are_told_by_lines(new),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::leads::Lead;

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
            email = "ada@example.org"
            language = "fr"
            "#,
        )
        .unwrap();
        let ada = directory.person(&SubjectId::parse("ada").unwrap()).unwrap();
        assert_eq!(ada.roles, ["hr-staff", "recruiter", "staff"].map(str::to_owned).into());
        assert_eq!(ada.departments, ["company", "hr"].map(str::to_owned).into());
        let listed = directory.listed(&ada.id).unwrap();
        assert_eq!(listed.department, "hr");
        assert_eq!(listed.roles, ["recruiter"]);
        assert_eq!(listed.email, Some(Mailbox::parse("ada@example.org").unwrap()));
        assert_eq!(listed.language, Some(Language::Fr));
        assert_eq!(ada.training["social-media"], "2027-07-01T00:00:00Z".parse().unwrap());
    }

    #[test]
    fn a_misspelt_role_department_manager_and_zone_are_all_reported_at_once() {
        let found = parse(
            "[[person]]\nid = \"ada\"\nroles = [\"recruter\"]\ndepartment = \"hrr\"\nemployment = \"employe\"\n\
             time-zone = \"Europe/Pari\"\nmanager = \"adda\"\nemail = \"ada\"\nlanguage = \"de\"\n",
        )
        .unwrap_err();
        assert_eq!(
            found,
            [
                "people/people.toml:5:14: `employe` is not a value of `employment` (did you mean `employee`?)",
                "people/people.toml:6:13: `Europe/Pari` is not a time zone (write an IANA name such as `Europe/Paris`)",
                "people/people.toml:8:9: `ada` is not an address for e-mail: write `name@example.org` (correct it, or leave it out: then they are not written to)",
                "people/people.toml:9:12: `de` is not a value of `language` (write one of `en`, `fr`)",
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

    /// The texts of a small company.
    fn company() -> Vec<SourceText> {
        let person = |id: &str, more: &str| {
            format!(
                "[[person]]\nid = \"{id}\"\nroles = [\"recruiter\"]\ndepartment = \"hr\"\nemployment = \"employee\"\n\
                 time-zone = \"UTC\"\n{more}\n"
            )
        };
        [
            ("people/a.toml", person("ada", "") + &person("ben", "manager = \"ada\"")),
            ("people/b.toml", person("cy", "manager = \"ada\"") + &person("di", "")),
            ("people/units.toml", TREE.to_owned()),
        ]
        .map(|(name, text)| SourceText::new(name, text))
        .into()
    }

    fn told(directory: &Directory) -> (Vec<&Known>, Vec<&Lead>, &Units, &[Arc<Page>]) {
        let everybody = directory.everybody.iter().collect();
        (everybody, directory.leads.all(), &directory.units, &directory.pages)
    }

    /// A change: the file, what of it becomes what, and whether only that file is read for it.
    const CHANGES: [(&str, &str, &str, bool); 19] = [
        ("people/a.toml", "UTC", "UTC", true),
        ("people/a.toml", "UTC", "Europe/Paris", true),
        ("people/b.toml", "id = \"di\"", "id = \"eve\"", true),
        (
            "people/b.toml",
            "roles = [\"recruiter\"]",
            "roles = [\"staff\", \"recruiter\"]",
            true,
        ),
        ("people/b.toml", "[\"recruiter\"]", "[\"recruter\"]", false),
        ("people/b.toml", "department = \"hr\"", "department = \"it\"", false),
        ("people/b.toml", "manager = \"ada\"", "manager = \"di\"", true),
        ("people/b.toml", "manager = \"ada\"", "name = \"\"\"Cy\"\"\"", true),
        ("people/b.toml", "manager = \"ada\"", "name = \"\"\"Cy\n", false),
        ("people/b.toml", "manager = \"ada\"", "manager = \"ada\"\n[role]", false),
        ("people/b.toml", "id = \"di\"", "id = \"cy\"", false),
        ("people/b.toml", "id = \"di\"", "id = \"ada\"", false),
        ("people/b.toml", "manager = \"ada\"", "manager = \"dee\"", false),
        ("people/b.toml", "manager = \"ada\"", "manager = \"a:a\"", false),
        ("people/a.toml", "id = \"ada\"", "id = \"eve\"", false),
        ("people/b.toml", "id = \"cy\"", "id = \"ben\"", false),
        ("people/b.toml", "[[person]]", "[person]", false),
        (
            "people/b.toml",
            "[[person]]",
            "[[role]]\nid = \"new\"\n[[person]]",
            false,
        ),
        ("people/units.toml", "\"staff\"", "\"staff-of-ours\"", false),
    ];

    #[test]
    fn whatever_changed_since_a_directory_was_read_is_seen() {
        let before = Directory::parse(&company()).whole().unwrap();
        let seen = |what: &str, files: &[SourceText], is_cheap: bool| {
            let after = Directory::parse_after(Some(&before), files);
            match (after.whole(), Directory::parse(files).whole()) {
                (Ok(after), Ok(alone)) => assert_eq!(told(&after), told(&alone), "{what}"),
                (after, alone) => assert_eq!(after.err(), alone.err(), "{what}"),
            }
            assert_eq!(before.changed(files).is_some(), is_cheap, "{what}");
        };
        for (name, from, to, is_cheap) in CHANGES {
            let mut files = company();
            let file = files.iter_mut().find(|file| file.name == name).unwrap();
            assert!(file.text.contains(from), "{from}");
            file.text = file.text.replace(from, to).into();
            seen(&format!("{name}: {to}"), &files, is_cheap);
        }
        let [a, b, units] = <[SourceText; 3]>::try_from(company()).unwrap();
        let named = |name: &str, file: &SourceText| SourceText::new(name, Arc::clone(&file.text));
        let swapped = [named("people/a.toml", &b), named("people/b.toml", &a), units.clone()];
        seen("two texts, one for the other", &swapped, true);
        seen("a file gone", &[a.clone(), units.clone()], true);
        seen(
            "a file gone with somebody's manager",
            &[b.clone(), units.clone()],
            false,
        );
        seen(
            "another name",
            &[a.clone(), named("people/z.toml", &b), units.clone()],
            true,
        );
        seen(
            "a file twice",
            &[a.clone(), b.clone(), named("people/z.toml", &b), units.clone()],
            false,
        );
        seen(
            "no units",
            &[a, b, named("people/none.toml", &SourceText::new("", ""))],
            false,
        );
    }
}

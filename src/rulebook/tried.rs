//! What the rules in force were tried with: where nothing of it changed, they need not be tried again.
//!
//! A folder is read and checked whole, and its cases are run, before it rules. Of what is said of people that rests on
//! little: on those whom cases and purposes name, and on roles and departments. Whatever else is said of them is looked up
//! as flows are judged. So where nothing but people changed, the rules are as good as they were once those cases came out
//! as expected again that name any of them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::agree::owners_are_known;
use super::members::Members;
use super::{Assembled, Case, Directory, InForce, Rulebook, Sources};
use crate::facts::{Person, Problem, SubjectId};

/// Whom cases asked the directory for.
pub(super) type Met = BTreeMap<SubjectId, Meeting>;

/// What the directory said of somebody, and which cases asked, by their number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meeting {
    person: Option<Arc<Person>>,
    cases: BTreeSet<usize>,
}

/// A directory that notes whom it is asked for.
pub(super) struct Asked<'a> {
    directory: &'a Directory,
    case: Cell<usize>,
    met: RefCell<Met>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(directory: &'a Directory) -> Self {
        Self {
            directory,
            case: Cell::default(),
            met: RefCell::default(),
        }
    }

    /// From now on it is this case that asks.
    pub(super) fn for_case(&self, case: usize) {
        self.case.set(case);
    }

    pub(super) fn person(&self, id: &SubjectId) -> Option<Arc<Person>> {
        let person = self.directory.person(id);
        let mut met = self.met.borrow_mut();
        let meeting = met.entry(id.clone()).or_insert_with(|| Meeting {
            person: person.clone(),
            cases: BTreeSet::new(),
        });
        meeting.cases.insert(self.case.get());
        person
    }

    pub(super) fn into_met(self) -> Met {
        self.met.into_inner()
    }
}

/// What rules were made of and tried with.
#[derive(Debug)]
pub(super) struct Tried {
    texts: Arc<Texts>,
    met: Met,
}

#[derive(Debug)]
struct Texts {
    /// The texts, without those of people.
    sources: Sources,
    /// What the files of people are called.
    people: Vec<String>,
    /// The cases, by their number.
    cases: Vec<Case>,
}

impl Tried {
    fn with(sources: &Sources, cases: Vec<Case>, met: Met) -> Self {
        let texts = Texts {
            people: sources.people.iter().map(|file| file.name.clone()).collect(),
            sources: Sources {
                people: Vec::new(),
                ..sources.clone()
            },
            cases,
        };
        Self {
            texts: Arc::new(texts),
            met,
        }
    }

    /// The same with `rules` and this directory; none where a case that names somebody who changed does not come out as
    /// expected any more, and where somebody whom one names came or went.
    fn again(self: &Arc<Self>, rules: &Rulebook, directory: &Directory) -> Option<Arc<Self>> {
        let changed = self.met.iter().filter_map(|(id, meeting)| {
            let person = directory.person(id);
            (person != meeting.person).then_some((id, meeting, person))
        });
        let changed: Vec<_> = changed.collect();
        if changed.is_empty() {
            return Some(Arc::clone(self));
        }
        let mut met = self.met.clone();
        for (id, meeting, person) in &changed {
            meeting.person.as_ref().and(person.as_ref())?;
            met.get_mut(id)?.person.clone_from(person);
        }
        let cases: BTreeSet<usize> = changed
            .iter()
            .flat_map(|(_, meeting, _)| &meeting.cases)
            .copied()
            .collect();
        let mut cases = cases.iter().filter_map(|number| self.texts.cases.get(*number));
        let come_out = cases.all(|case| rules.run_case(&case.with_people_of(directory)).passed());
        come_out.then(|| {
            Arc::new(Self {
                texts: Arc::clone(&self.texts),
                met,
            })
        })
    }

    /// Whether nothing but people is said otherwise, in files of the same names: by them owners are told.
    fn is_of(&self, others: &Sources) -> bool {
        let Sources {
            schema,
            rules,
            catalog,
            purposes,
            owners,
            people: _,
            cases,
            properties,
        } = &self.texts.sources;
        let of_rules = *schema == others.schema && *rules == others.rules && *owners == others.owners;
        let of_places = *catalog == others.catalog && *purposes == others.purposes;
        let of_trials = *cases == others.cases && *properties == others.properties;
        let of_people = self.texts.people.iter().eq(others.people.iter().map(|file| &file.name));
        of_rules && of_places && of_trials && of_people
    }
}

impl Rulebook {
    /// Assembles `sources`, for less where rules rule already, and runs their cases: what fails its own cases never rules.
    pub fn tried_after(before: Option<&InForce>, sources: &Sources) -> Result<Assembled, Vec<Problem>> {
        let mut assembled = Self::assemble_after(before, sources)?;
        let (report, cases, met) = assembled.rulebook.try_cases(&assembled.directory, &sources.cases);
        if !report.is_green() {
            return Err(report.into_problems());
        }
        assembled.tried = Some(Arc::new(Tried::with(sources, cases, met)));
        Ok(assembled)
    }
}

impl InForce {
    /// The texts that the rules in force were made of and tried with, without those of people; none where nobody tried them.
    pub fn texts(&self) -> Option<&Sources> {
        self.tried.as_ref().map(|tried| &tried.texts.sources)
    }

    /// The same rules with the people of `sources`, where these would rule with them as they do; none where that is not
    /// plain: then all of it is to be read and tried.
    pub fn with_people_of(&self, sources: &Sources) -> Option<Self> {
        let tried = self.tried.as_ref().filter(|tried| tried.is_of(sources))?;
        let directory = self.directory.changed(&sources.people)?;
        if !owners_are_known(self.rulebook.purposes(), &directory) {
            return None;
        }
        let tried = tried.again(&self.rulebook, &directory)?;
        Some(Self {
            rulebook: Arc::clone(&self.rulebook),
            directory,
            tried: Some(tried),
            members: Members::default(),
            kinds: OnceLock::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Mode, SourceText};

    /// The shipped folder with somebody more, whom no case and no purpose names.
    fn folder() -> Sources {
        let mut sources = Sources::embedded();
        let text = "[[person]]\nid = \"zoe\"\nroles = [\"staff\"]\ndepartment = \"company\"\nemployment = \"employee\"\ntime-zone = \"UTC\"\n";
        sources.people.push(SourceText::new("people/zoe.toml", text));
        sources
    }

    fn changed(file: &str, from: &str, to: &str) -> Sources {
        let mut sources = folder();
        let all = [
            &mut sources.people,
            &mut sources.cases,
            &mut sources.rules,
            &mut sources.catalog,
        ];
        let file = all.into_iter().flatten().find(|one| one.name == file).unwrap();
        assert!(file.text.contains(from), "{from}");
        file.text = file.text.replacen(from, to, 1).into();
        sources
    }

    fn in_force() -> InForce {
        Rulebook::tried_after(None, &folder()).unwrap().in_mode(Mode::Observe)
    }

    #[test]
    fn where_only_people_changed_whom_nothing_was_tried_with_the_rules_rule_on() {
        let before = in_force();
        let sources = changed("people/zoe.toml", "employee", "intern");
        let after = before.with_people_of(&sources).unwrap();
        assert!(Arc::ptr_eq(&before.rulebook, &after.rulebook));
        let zoe = SubjectId::parse("zoe").unwrap();
        let whole = Rulebook::tried_after(None, &sources).unwrap();
        assert_eq!(after.directory.person(&zoe), whole.directory.person(&zoe));
        assert_ne!(after.directory.person(&zoe), before.directory.person(&zoe));
        assert_eq!(after.rulebook.id(), whole.rulebook.id());
        // and so on, from there
        assert!(after.with_people_of(&folder()).is_some());
    }

    #[test]
    fn where_anything_else_changed_all_of_it_is_tried() {
        let before = in_force();
        let text = |file: &str| {
            let sources = folder();
            let file = sources.files().find(|one| one.name == file).unwrap().text.clone();
            file.lines().next().unwrap().to_owned()
        };
        for file in ["cases/facebook.toml", "rules/10-reach.cedar", "catalog/linkedin.toml"] {
            let first = text(file);
            let sources = changed(file, &first, &format!("{first} "));
            assert!(before.with_people_of(&sources).is_none(), "{file}");
        }
        let mut renamed = folder();
        renamed.people.last_mut().unwrap().name = "people/zoes.toml".to_owned();
        assert!(before.with_people_of(&renamed).is_none());
        let unknown = changed("people/zoe.toml", "\"staff\"", "\"stuff\"");
        assert!(before.with_people_of(&unknown).is_none());
        assert!(Rulebook::tried_after(Some(&before), &unknown).is_err());
        // rules that nobody tried are tried
        let untried = Rulebook::assemble(&folder()).unwrap().in_mode(Mode::Enforce);
        assert!(untried.with_people_of(&folder()).is_none());
    }

    /// The folder with something of one person said otherwise.
    fn with(id: &SubjectId, change: impl Fn(&str) -> String) -> Sources {
        let mut sources = folder();
        for file in &mut sources.people {
            let entries: Vec<String> = file
                .text
                .split("[[person]]")
                .map(|entry| {
                    if entry.contains(&format!("id = \"{id}\"\n")) {
                        change(entry)
                    } else {
                        entry.to_owned()
                    }
                })
                .collect();
            file.text = entries.join("[[person]]").into();
        }
        assert_ne!(sources, folder(), "{id}");
        sources
    }

    #[test]
    fn where_somebody_changed_whom_cases_name_these_cases_say_whether_the_rules_rule_on() {
        let before = in_force();
        let met = &before.tried.as_ref().unwrap().met;
        let known: Vec<&SubjectId> = met
            .iter()
            .filter(|(_, met)| met.person.is_some())
            .map(|(id, _)| id)
            .collect();
        assert!(known.len() > 3, "{met:?}");
        let (mut rule_on, mut fail) = (0, 0);
        let held = |entry: &str| entry.replacen("id = ", "legal-hold = true\nid = ", 1);
        let stripped = |entry: &str| {
            let lines = entry.lines().map(|line| {
                if line.starts_with("roles = ") {
                    "roles = [\"staff\"]"
                } else {
                    line
                }
            });
            lines.collect::<Vec<_>>().join("\n") + "\n"
        };
        for id in known {
            let mut tried = vec![with(id, held)];
            if before.directory.listed(id).unwrap().roles != ["staff"] {
                tried.push(with(id, stripped));
            }
            for sources in tried {
                let whole = Rulebook::tried_after(Some(&before), &sources);
                match (before.with_people_of(&sources), whole) {
                    (Some(after), Ok(whole)) => {
                        assert_eq!(after.directory.person(id), whole.directory.person(id));
                        // from there it is known who is named where, as if all had been tried
                        assert_eq!(after.tried.unwrap().met, whole.tried.unwrap().met, "{id}");
                        rule_on += 1;
                    }
                    (None, Err(_)) => fail += 1,
                    (after, whole) => panic!("{id}: {} {:?}", after.is_some(), whole.err()),
                }
            }
        }
        assert!(rule_on > 3 && fail > 0, "{rule_on} {fail}");
    }

    #[test]
    fn where_the_owner_of_a_purpose_leaves_all_of_it_is_tried() {
        let before = in_force();
        let owner = before.rulebook.purposes().iter().next().unwrap().business_owner.clone();
        let mut sources = folder();
        for file in &mut sources.people {
            let blocks: Vec<&str> = file.text.split("[[person]]").collect();
            let stay = blocks
                .into_iter()
                .filter(|block| !block.contains(&format!("id = \"{owner}\"\n")));
            file.text = stay.collect::<Vec<_>>().join("[[person]]").into();
        }
        assert!(before.with_people_of(&sources).is_none());
    }
}

//! Who may answer something that is asked for, and whether enough of them could approve it. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use super::chain::{ALTERNATE, Alternates, Approval, Approver};
use super::terms::Purpose;
use crate::clock::Timestamp;
use crate::facts::{Answer, Person, SubjectId};

impl Purpose {
    /// As what people may answer what `who` asks for, whose manager that is, and has waited for so long.
    pub fn seating<'a>(
        &'a self,
        (who, manager): (&'a SubjectId, Option<&'a SubjectId>),
        waited: Duration,
    ) -> Seating<'a> {
        Seating {
            purpose: self,
            chain: self.answering(),
            alternates: self.alternates.as_ref().filter(|alternates| alternates.after <= waited),
            who,
            manager,
        }
    }

    /// Somebody whose approval is supposed where it is tried out what one would do: whom the terms name, or else somebody of a
    /// group that they name, of whom nothing is known here. None where fewer could approve than must, however long it waits.
    pub fn supposed_approver(&self, who: &SubjectId, manager: Option<&SubjectId>) -> Option<SubjectId> {
        let seating = self.seating((who, manager), Duration::MAX);
        let could = seating.could_approve();
        (self.answering().missing(&could) == 0)
            .then(|| could.into_iter().next().map(|first| first.by))
            .flatten()
    }
}

/// As what people may answer something that is asked for: those whom the terms of its purpose name, and once it has waited
/// for long enough alternates.
#[derive(Clone, Debug)]
pub struct Seating<'a> {
    purpose: &'a Purpose,
    chain: Cow<'a, Approval>,
    alternates: Option<&'a Alternates>,
    who: &'a SubjectId,
    manager: Option<&'a SubjectId>,
}

impl<'a> Seating<'a> {
    /// As what `person` may: whoever is named by themselves and an alternate stands in for others too, and still counts once.
    pub fn seats(&self, person: &Person) -> BTreeSet<String> {
        if person.id == *self.who {
            return BTreeSet::new();
        }
        let own = self.chain.of.iter().filter(|one| self.fits(one, person));
        let mut seats: BTreeSet<String> = own.map(ToString::to_string).collect();
        if self.alternates().any(|one| self.fits(one, person)) {
            seats.insert(ALTERNATE.to_owned());
        }
        seats
    }

    /// Those whom it names one by one, never whoever asks: approvers first.
    pub fn people(&self) -> Vec<&SubjectId> {
        let mut people = Vec::new();
        for one in self.all() {
            let named = self.purpose.named(one, self.who, self.manager);
            people.extend(
                named
                    .filter(|id| *id != self.who && !people.contains(id))
                    .into_iter()
                    .collect::<Vec<_>>(),
            );
        }
        people
    }

    /// The approvals of everybody whom it names, as many of each group as are needed of people: how many there are is not
    /// known here. Those who are named one by one come first.
    fn could_approve(&self) -> Vec<Answer> {
        let at = Timestamp::from_millis(0);
        let seats = |is: &dyn Fn(&Approver) -> bool| -> BTreeSet<String> {
            let own = self.chain.of.iter().filter(|one| is(one)).map(ToString::to_string);
            let stands_in = self.alternates().any(is).then(|| ALTERNATE.to_owned());
            own.chain(stands_in).collect()
        };
        let people = self.people().into_iter().map(|id| {
            let is = |one: &Approver| self.purpose.named(one, self.who, self.manager) == Some(id);
            (id.clone(), seats(&is))
        });
        let members = self.groups().enumerate().flat_map(|(number, group)| {
            let seats = seats(&|one| matches!(one, Approver::Group(name) if name == group));
            let somebody =
                move |nth: usize| Some((SubjectId::parse(&format!("({number}.{nth})")).ok()?, seats.clone()));
            (0..self.chain.how_many()).filter_map(somebody)
        });
        let answers = people.chain(members).map(|(id, seats)| Answer {
            seats,
            ..Answer::approval(id, at)
        });
        answers.collect()
    }

    /// The groups that it names.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.all().filter_map(|one| match one {
            Approver::Group(group) => Some(group.as_str()),
            Approver::Owner | Approver::Manager | Approver::Person(_) => None,
        })
    }

    fn all(&self) -> impl Iterator<Item = &Approver> {
        self.chain.of.iter().chain(self.alternates())
    }

    fn alternates(&self) -> impl Iterator<Item = &'a Approver> + use<'a> {
        self.alternates.into_iter().flat_map(|alternates| &alternates.who)
    }

    fn fits(&self, one: &Approver, person: &Person) -> bool {
        match one {
            Approver::Group(group) => is_member(person, group),
            Approver::Owner | Approver::Manager | Approver::Person(_) => {
                let named = self.purpose.named(one, self.who, self.manager);
                named.is_some_and(|id| *id == person.id)
            }
        }
    }
}

/// Whether somebody is in a group: a role or a department.
pub fn is_member(person: &Person, group: &str) -> bool {
    person.roles.contains(group) || person.departments.contains(group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::SourceText;
    use crate::purpose::Purposes;

    #[test]
    fn whose_approval_is_supposed_is_who_could_give_it() {
        // what the terms say, who asks, who leads them, and whose approval opens it
        let legal = Some("(0.0)");
        for (approval, who, manager, expected) in [
            ("\"owner\"", "ben", Some("mia"), Some("sol")),
            ("\"owner\"", "sol", Some("nora"), Some("nora")),
            ("\"owner\"", "sol", None, None),
            ("\"manager\"", "ben", None, Some("sol")),
            ("{ of = [\"manager\"] }", "ben", None, None),
            ("{ of = [\"manager\"] }", "ben", Some("ben"), None),
            ("{ of = [\"group:legal\"] }", "ben", Some("mia"), legal),
            ("{ of = [\"group:legal\"] }", "sol", None, legal),
            ("{ of = [\"group:legal\"], needed = 2 }", "sol", None, legal),
            (
                "{ of = [\"owner\", \"group:legal\"], needed = \"all\" }",
                "sol",
                None,
                None,
            ),
            (
                "{ of = [\"owner\", \"group:legal\"], needed = \"all\" }",
                "ben",
                None,
                Some("sol"),
            ),
            ("{ of = [\"owner\", \"group:legal\"] }", "sol", None, legal),
            ("{ of = [\"owner\", \"mia\"], needed = 2 }", "mia", Some("sol"), None),
            (
                "\"owner\"\nalternates = { after = \"30m\", who = [\"bea\"] }",
                "sol",
                None,
                Some("bea"),
            ),
            (
                "\"owner\"\nalternates = { after = \"30m\", who = [\"group:legal\"] }",
                "sol",
                None,
                legal,
            ),
        ] {
            let text = format!(
                "[defaults]\nlifetime = {{ read = \"8h\" }}\nlongest = {{ read = \"8h\" }}\n[[purpose]]\nid = \"p\"\n\
                 title = \"T\"\ndescription = \"D.\"\nowner = \"sol\"\nbasis = \"B\"\ncategories = [\"social-media\"]\n\
                 covers = [\"read\"]\napproval = {approval}\nvalue-metric = \"none\"\nretention = \"r\"\nreview = 2027-06-30\n"
            );
            let purposes = Purposes::parse(&SourceText::new("purposes.toml", text))
                .whole()
                .unwrap();
            let purpose = purposes.iter().next().unwrap();
            let [who, manager] = [Some(who), manager].map(|name| name.map(|name| SubjectId::parse(name).unwrap()));
            let supposed = purpose.supposed_approver(&who.unwrap(), manager.as_ref());
            assert_eq!(supposed.as_ref().map(SubjectId::as_str), expected, "{approval}");
        }
    }
}

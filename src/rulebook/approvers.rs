//! Who can answer what somebody asks for, as far as that is known before they come: nobody is told to wait for somebody
//! who may not answer, and nothing waits for nobody.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::weigh::named_as;
use super::{InForce, Rulebook};
use crate::clock::Timestamp;
use crate::facts::{Answer, Arrival, Channel, Grant, MethodName, NetworkName, Person, PurposeId, Subject, SubjectId};
use crate::policy::{Answering, GrantQuestion, NamedAs, Power};
use crate::purpose::{ALTERNATE, Lacking};

/// Something that is asked for, or would be.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The purpose.
    pub purpose: &'a PurposeId,
    /// Who asks.
    pub by: &'a SubjectId,
    /// For how long it would be given.
    pub lasts: Duration,
    /// From where they ask.
    pub arrival: &'a Arrival,
    /// When it is looked at.
    pub at: Timestamp,
    /// Until when it can be answered.
    pub until: Timestamp,
    /// For how long it has waited.
    pub waited: Duration,
}

/// One way in which somebody might come to answer.
#[derive(Clone, Copy)]
struct Coming<'a> {
    arrival: &'a Arrival,
    method: MethodName,
    channel: Channel,
    at: Timestamp,
}

/// So many ways to come are tried for one person: those who ask wait for it.
const MOST_COMINGS: usize = 2048;
/// So many members of a group are told of those who may answer, where no more are needed: nobody reads a longer list.
const MOST_MEMBERS: usize = 64;
/// So many members of a group are tried out: those who ask wait for it.
const MOST_TRIED: usize = 256;
const METHODS: [MethodName; 2] = [MethodName::Basic, MethodName::Certificate];
const CHANNELS: [Channel; 3] = [Channel::Portal, Channel::Cli, Channel::Api];

impl<'a> Asking<'a> {
    /// A grant that was asked for, looked at by somebody who came as `arrival` says.
    pub fn of(grant: &'a Grant, arrival: &'a Arrival, at: Timestamp) -> Self {
        Self {
            purpose: &grant.purpose,
            by: &grant.subject,
            lasts: grant.expires.since(grant.not_before),
            arrival,
            at,
            until: grant.answer_by.unwrap_or(at),
            // of what was taken in an emergency nobody was asked, so nobody is late
            waited: grant.answer_by.map_or(Duration::ZERO, |_| at.since(grant.declared_at)),
        }
    }
}

impl InForce {
    /// Who can answer what is asked for: those whom the terms of its purpose name, whom the directory lists, and whom the
    /// rules let answer while it waits.
    ///
    /// How they will come is not known: whoever the rules let answer from some network, signed in somehow, at some moment
    /// until then, counts; and so does everybody where that hangs on more than can be tried in advance, as on an address.
    /// Nothing opens by that: whoever answers is judged as they come.
    pub fn who_may_answer(&self, asking: &Asking<'_>) -> Vec<Arc<Person>> {
        let holder = self.directory.person(asking.by);
        let could = |person: &Arc<Person>| self.rulebook.could_answer(person, None, asking, holder.as_deref());
        self.named((asking.purpose, asking.by), asking.waited, could)
    }

    /// Whether anybody can answer it: as soon as one is found nobody else is looked at.
    pub fn is_answerable(&self, asking: &Asking<'_>) -> bool {
        let holder = self.directory.person(asking.by);
        let found = Cell::new(false);
        let could = |person: &Arc<Person>| {
            let may = !found.get() && self.rulebook.could_answer(person, None, asking, holder.as_deref());
            found.set(found.get() || may);
            may
        };
        !self.named((asking.purpose, asking.by), asking.waited, could).is_empty()
    }

    /// Those whom the terms of a purpose name to answer what somebody took of it, whatever the rules say, and its owner.
    pub fn named_for(&self, grant: &Grant) -> Vec<Arc<Person>> {
        let mut named = self.named((&grant.purpose, &grant.subject), Duration::ZERO, |_| true);
        let owner = self
            .rulebook
            .purposes
            .get(&grant.purpose)
            .map(|purpose| &purpose.business_owner);
        let is_new = |id: &&SubjectId| **id != grant.subject && named.iter().all(|person| person.id != **id);
        let owner = owner.filter(is_new).and_then(|id| self.directory.person(id));
        named.extend(owner);
        named
    }

    /// Those whom the terms of a purpose name and who `could`: first those whom they name one by one, then the members of
    /// groups, of each by name. Of a group of which many are tried in vain, the others could.
    fn named(
        &self,
        (purpose, by): (&PurposeId, &SubjectId),
        waited: Duration,
        could: impl Fn(&Arc<Person>) -> bool,
    ) -> Vec<Arc<Person>> {
        let holder = self.directory.person(by);
        let manager = holder.as_deref().and_then(|holder| holder.manager.as_ref());
        let Some(purpose) = self.rulebook.purposes.get(purpose) else {
            // nobody owns a purpose that is gone, and somebody must be able to decline
            let manager = manager.filter(|manager| *manager != by);
            let manager = manager.and_then(|id| self.directory.person(id));
            return manager.into_iter().filter(could).collect();
        };
        let seating = purpose.seating((by, manager), waited);
        let one_by_one = seating.people().into_iter().filter_map(|id| self.directory.person(id));
        let one_by_one: Vec<Arc<Person>> = one_by_one.collect();
        let mut known: BTreeSet<SubjectId> = one_by_one.iter().map(|person| person.id.clone()).collect();
        known.insert(by.clone());
        let mut named: Vec<Arc<Person>> = one_by_one.into_iter().filter(&could).collect();
        let most = MOST_MEMBERS.max(purpose.answering().how_many());
        for group in seating.groups() {
            let members = self.members(group).iter().filter(|person| !known.contains(&person.id));
            let tried = members.clone().take(MOST_TRIED).filter(|person| could(person));
            let members: Vec<_> = tried.chain(members.skip(MOST_TRIED)).take(most).cloned().collect();
            known.extend(members.iter().map(|person| person.id.clone()));
            named.extend(members);
        }
        named
    }

    /// Whose approval a request lacks that waits, of those who can answer it.
    pub fn who_still_may(&self, grant: &Grant, arrival: &Arrival, at: Timestamp) -> Vec<Arc<Person>> {
        let may = self.who_may_answer(&Asking::of(grant, arrival, at)).into_iter();
        may.filter(|person| self.lacks(grant, person, at)).collect()
    }

    /// Whether somebody may answer a request only because it has waited for some time.
    pub fn is_alternate(&self, grant: &Grant, person: &Person, at: Timestamp) -> bool {
        let holder = self.directory.person(&grant.subject);
        let seats = self.rulebook.seats(person, grant, holder.as_deref(), at);
        seats.contains(ALTERNATE)
    }

    /// Which approvals a request lacks that waits, and who could give each.
    pub fn lacking(&self, grant: &Grant, arrival: &Arrival, at: Timestamp) -> Vec<Lacking> {
        let holder = self.directory.person(&grant.subject);
        let may = self.who_still_may(grant, arrival, at).into_iter();
        let may = may.map(|person| {
            let seats = self.rulebook.seats(&person, grant, holder.as_deref(), at);
            (person.id.clone(), seats)
        });
        let chain = self.rulebook.chain(&grant.purpose);
        chain.lacking(&grant.answers, &may.collect::<Vec<_>>())
    }

    /// Whether a request lacks the approval of somebody who may give it: they did not, and nobody else did as what they are.
    pub fn lacks(&self, grant: &Grant, person: &Person, at: Timestamp) -> bool {
        let holder = self.directory.person(&grant.subject);
        let seats = self.rulebook.seats(person, grant, holder.as_deref(), at);
        self.rulebook.lacks_answer(
            grant,
            Answer {
                seats,
                ..Answer::approval(person.id.clone(), at)
            },
        )
    }

    /// Whether as many as must could approve what is asked for.
    pub fn enough_may_answer(&self, asking: &Asking<'_>) -> bool {
        self.are_enough(asking, &self.who_may_answer(asking))
    }

    /// Whether these, who may answer what is asked for, are as many as must approve it.
    pub(super) fn are_enough(&self, asking: &Asking<'_>, may: &[Arc<Person>]) -> bool {
        let holder = self.directory.person(asking.by);
        let manager = holder.as_deref().and_then(|holder| holder.manager.as_ref());
        let Some(purpose) = self.rulebook.purposes.get(asking.purpose) else {
            return false;
        };
        let seating = purpose.seating((asking.by, manager), asking.waited);
        let approving = may.iter().map(|person| Answer {
            seats: seating.seats(person),
            ..Answer::approval(person.id.clone(), asking.at)
        });
        purpose.answering().missing(&approving.collect::<Vec<_>>()) == 0
    }
}

impl Rulebook {
    /// Whether a request lacks an approval like this one.
    pub fn lacks_answer(&self, grant: &Grant, answer: Answer) -> bool {
        let chain = self.chain(&grant.purpose);
        let before = chain.missing(&grant.answers);
        let mut answers = grant.answers.clone();
        answers.push(answer);
        let after = chain.missing(&answers);
        after < before || after == 0
    }

    /// Whether somebody could answer in some way, themselves or for somebody else.
    pub(super) fn could_answer(
        &self,
        person: &Person,
        behalf_of: Option<&Arc<Person>>,
        asking: &Asking<'_>,
        holder: Option<&Person>,
    ) -> bool {
        let Some(approving) = self.policy.approving(person, asking.at, asking.until) else {
            return true;
        };
        let named = approving.networks.iter().map(NetworkName::new);
        let others = named.chain([NetworkName::default()]).map(|network| Arrival {
            network,
            ..asking.arrival.clone()
        });
        let arrivals: Vec<Arrival> = std::iter::once(asking.arrival.clone()).chain(others).collect();
        let ways = || {
            METHODS
                .into_iter()
                .flat_map(|method| CHANNELS.map(|channel| (method, channel)))
        };
        let moments = std::iter::once(asking.at).chain(approving.moments);
        let mut comings = moments.flat_map(|at| {
            let arrivals = arrivals.iter();
            arrivals.flat_map(move |arrival| {
                ways().map(move |(method, channel)| Coming {
                    arrival,
                    method,
                    channel,
                    at,
                })
            })
        });
        let tried = comings.by_ref().take(MOST_COMINGS);
        let behalf_of = behalf_of.map(|whom| &**whom);
        { tried }.any(|coming| self.lets_answer((person, behalf_of), asking, holder, coming))
            || comings.next().is_some()
    }

    fn lets_answer(
        &self,
        (person, behalf_of): (&Person, Option<&Person>),
        asking: &Asking<'_>,
        holder: Option<&Person>,
        coming: Coming<'_>,
    ) -> bool {
        let owner = self.purposes.get(asking.purpose);
        let manager = holder.and_then(|holder| holder.manager.as_ref());
        let named = behalf_of.unwrap_or(person);
        let seats = owner.map(|purpose| purpose.seating((asking.by, manager), asking.waited).seats(named));
        let subject = Subject {
            id: person.id.clone(),
            method: coming.method,
        };
        let decision = self.policy.decide_on_grant(&GrantQuestion {
            person,
            subject: &subject,
            arrival: coming.arrival,
            power: Power::Approve,
            purpose: asking.purpose,
            declarer: asking.by,
            declarer_person: holder,
            business_owner: owner.map_or(asking.by, |purpose| &purpose.business_owner),
            longest_for: asking.lasts,
            channel: coming.channel,
            answering: Answering {
                named_as: seats.map_or(Some(NamedAs::Approver), |seats| named_as(&seats)),
                behalf_of: behalf_of.map(|whom| &whom.id),
            },
            at: coming.at,
        });
        decision.is_allowed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;
    use crate::facts::{Door, Mode, SourceText};
    use crate::rulebook::members::Members;
    use crate::rulebook::{Directory, Sources};

    /// The shipped rules with one more.
    fn house(rule: &str) -> InForce {
        let mut sources = Sources::embedded();
        sources.rules.push(SourceText::new("rules/99-test.cedar", rule));
        Rulebook::assemble(&sources).unwrap().in_mode(Mode::Enforce)
    }

    /// Who may answer what Ben, whose manager is Mia, asks for at noon as a guest, by their ids.
    fn answering(house: &InForce, purpose: &str) -> Vec<String> {
        let arrival = Arrival {
            door: Door::Tls,
            client: "192.0.2.7:50000".parse().unwrap(),
            network: NetworkName::new("guest"),
        };
        let (purpose, by) = (PurposeId::new(purpose), SubjectId::parse("ben").unwrap());
        let at: Timestamp = "2026-11-24T11:30:00Z".parse().unwrap();
        let asking = Asking {
            purpose: &purpose,
            by: &by,
            lasts: Duration::from_hours(1),
            arrival: &arrival,
            at,
            until: at.plus(Duration::from_hours(48)),
            waited: Duration::ZERO,
        };
        let may = house.who_may_answer(&asking);
        may.iter().map(|person| person.id.to_string()).collect()
    }

    #[test]
    fn only_whom_terms_and_rules_both_let_may_answer() {
        assert_eq!(answering(&house(""), "brand-publishing"), ["mia"]);
        let never = r#"
            @id("approve.not-mia") @reason("Mia is on leave.") @owner("HR")
            forbid (principal == User::"mia", action == Action::"approve", resource);
        "#;
        let house = house(never);
        assert_eq!(answering(&house, "brand-publishing"), [""; 0]);
        assert_eq!(
            answering(&house, "executive-communication"),
            ["nora", "lea"],
            "the owner and the lawyers, not the manager"
        );
        let nobody_there = InForce {
            directory: Directory::default(),
            members: Members::default(),
            kinds: OnceLock::new(),
            ..house
        };
        assert_eq!(answering(&nobody_there, "executive-communication"), [""; 0]);
    }

    #[test]
    fn whoever_may_answer_from_elsewhere_otherwise_or_later_is_asked() {
        for when in [
            "context.client.network == \"office\"",
            "context.proof.strong",
            "context.channel == \"api\"",
            "context.local.time >= duration(\"20h\")",
            "context.client.network like \"corp-*\"",
            "context.client.ip.isInRange(ip(\"10.0.0.0/8\"))",
            "context.local.time.toHours() >= 22",
        ] {
            let rule = format!(
                "@id(\"approve.only\") @reason(\"Not so.\") @owner(\"HR\")\n\
                 forbid (principal, action == Action::\"approve\", resource) unless {{ {when} }};"
            );
            let house = house(&rule);
            assert_eq!(answering(&house, "brand-publishing"), ["mia"], "{when}");
        }
        let too_late = r#"
            @id("approve.only") @reason("Not so.") @owner("HR")
            forbid (principal, action == Action::"approve", resource)
            unless { context.now >= datetime("2026-12-24T00:00:00Z") };
        "#;
        let house = house(too_late);
        assert_eq!(answering(&house, "brand-publishing"), [""; 0]);
    }

    #[test]
    fn what_rules_on_other_actions_look_at_does_not_make_anybody_an_approver() {
        let rules = r#"
            @id("approve.never") @reason("Not so.") @owner("HR")
            forbid (principal, action == Action::"approve", resource);
            @id("post.from-here") @reason("Not so.") @owner("HR")
            forbid (principal, action in Action::"publish", resource)
            unless { context.client.ip.isInRange(ip("10.0.0.0/8")) && context.local.time.toHours() >= 22 };
        "#;
        assert_eq!(answering(&house(rules), "brand-publishing"), [""; 0]);
    }

    #[test]
    fn where_there_are_too_many_ways_to_come_to_try_them_all_whom_the_terms_name_is_asked() {
        let hours = (0..150).map(|minute| format!("context.local.time == duration(\"{minute}m\")"));
        let rule = format!(
            "@id(\"approve.never\") @reason(\"Not so.\") @owner(\"HR\")\n\
             forbid (principal, action == Action::\"approve\", resource) unless {{ context.channel == \"fax\" && ({}) }};",
            hours.collect::<Vec<_>>().join(" || ")
        );
        assert_eq!(answering(&house(&rule), "brand-publishing"), ["mia"]);
    }

    const CHAIN: &str = "approval = { of = [\"owner\", \"group:legal\"], needed = \"all\" }";

    /// The shipped folder, with other terms of what takes two approvals, and more people.
    fn company(terms: &str, people: &str) -> InForce {
        let mut sources = Sources::embedded();
        assert!(sources.purposes.text.contains(CHAIN));
        sources.purposes.text = sources.purposes.text.replace(CHAIN, terms).into();
        sources.people.push(SourceText::new("people/more.toml", people));
        Rulebook::assemble(&sources).unwrap().in_mode(Mode::Enforce)
    }

    fn person(id: &str, role: &str) -> String {
        format!(
            "[[person]]\nid = \"{id}\"\nroles = [\"{role}\"]\ndepartment = \"engineering\"\nemployment = \"employee\"\n\
             time-zone = \"Europe/Paris\"\n"
        )
    }

    #[test]
    fn a_large_group_hides_nobody_of_a_small_one_nor_those_of_it_who_may() {
        let engineers: String = (0..300).map(|one| person(&format!("aa{one:03}"), "engineer")).collect();
        let both = "approval = { of = [\"group:engineering\", \"group:legal\"], needed = \"all\" }";
        let large = company(both, &engineers);
        let enough = |house: &InForce| {
            let asking = |asking: &Asking<'_>| (house.enough_may_answer(asking), house.who_may_answer(asking).len());
            asked_by_pia(asking)
        };
        let may = answering(&large, "executive-communication");
        assert!(may.contains(&"lea".to_owned()), "{may:?}");
        let (is_enough, told) = enough(&large);
        assert!(is_enough && told < 100, "{told}");

        let mut sources = Sources::embedded();
        sources.purposes.text = sources.purposes.text.replace(CHAIN, both).into();
        sources.people.push(SourceText::new("people/more.toml", engineers));
        let never: String = (0..100)
            .map(|one| {
                format!(
                    "@id(\"never.{one}\") @reason(\"Not so.\") @owner(\"HR\")\n\
                     forbid (principal == User::\"aa{one:03}\", action == Action::\"approve\", resource);\n"
                )
            })
            .collect();
        sources.rules.push(SourceText::new("rules/99-test.cedar", never));
        let house = Rulebook::assemble(&sources).unwrap().in_mode(Mode::Enforce);
        assert!(enough(&house).0, "the hundred and first may");
        assert_eq!(answering(&house, "executive-communication")[0], "aa100");
    }

    #[test]
    fn who_is_named_and_an_alternate_may_stand_in_for_whom_nobody_else_can() {
        let alternates = format!("{CHAIN}\nalternates = {{ after = \"30m\", who = [\"group:legal\"] }}");
        let house = company(&alternates, &person("luc", "legal"));
        let purpose = house
            .rulebook
            .purposes
            .get(&PurposeId::new("executive-communication"))
            .unwrap();
        let pia = SubjectId::parse("pia").unwrap();
        let seats = |name: &str, minutes: u64| {
            let person = house.directory.person(&SubjectId::parse(name).unwrap()).unwrap();
            purpose
                .seating((&pia, None), Duration::from_mins(minutes))
                .seats(&person)
        };
        let approved = |name: &str, minutes: u64| Answer {
            seats: seats(name, minutes),
            ..Answer::approval(SubjectId::parse(name).unwrap(), Timestamp::from_millis(0))
        };
        let lea = approved("lea", 10);
        assert_eq!(purpose.answering().missing(&[lea.clone(), approved("luc", 20)]), 1);
        assert_eq!(purpose.answering().missing(&[lea, approved("luc", 40)]), 0);
        assert_eq!(named_as(&seats("luc", 40)), Some(NamedAs::Approver));
    }

    #[test]
    fn who_could_answer_is_told_at_once_and_later_and_nobody_where_fewer_could_than_must() {
        let two = "approval = { of = [\"owner\", \"pia\"], needed = \"all\" }";
        let alternates = "alternates = { after = \"30m\", who = [\"sol\", \"nora\"] }";
        for (terms, at_once, later) in [
            ("approval = \"owner\"".to_owned(), vec!["nora"], None),
            (
                format!("approval = \"owner\"\n{alternates}"),
                vec!["nora"],
                Some(vec!["sol"]),
            ),
            (
                format!("approval = {{ of = [\"pia\"] }}\n{alternates}"),
                vec![],
                Some(vec!["sol", "nora"]),
            ),
            // whoever asks is one of the two
            (two.to_owned(), vec![], None),
            (format!("{two}\n{alternates}"), vec!["nora"], Some(vec!["sol"])),
        ] {
            let house = company(&terms, "");
            let told = asked_by_pia(|asking| house.answerers(asking));
            let names =
                |people: &[Arc<Person>]| -> Vec<String> { people.iter().map(|person| person.id.to_string()).collect() };
            assert_eq!(names(&told.at_once), at_once, "{terms}");
            let half_an_hour = Duration::from_mins(30);
            let told = told.later.map(|(after, people)| (after, names(&people)));
            let later = later.map(|later| (half_an_hour, later.into_iter().map(str::to_owned).collect::<Vec<_>>()));
            assert_eq!(told, later, "{terms}");
        }
    }

    fn asked_by_pia<T>(ask: impl FnOnce(&Asking<'_>) -> T) -> T {
        let arrival = Arrival {
            door: Door::Tls,
            client: "192.0.2.7:50000".parse().unwrap(),
            network: NetworkName::new("guest"),
        };
        let at: Timestamp = "2026-11-24T11:30:00Z".parse().unwrap();
        ask(&Asking {
            purpose: &PurposeId::new("executive-communication"),
            by: &SubjectId::parse("pia").unwrap(),
            lasts: Duration::from_hours(1),
            arrival: &arrival,
            at,
            until: at.plus(Duration::from_hours(48)),
            waited: Duration::ZERO,
        })
    }
}

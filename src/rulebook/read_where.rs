//! Where does the gateway read what people do, and of whom? `inspect` is asked for each role, at a host of each kind that the
//! catalogue knows; and where surely no rule can permit it, whoever asks and however, that is told from the rules
//! themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::{InForce, Visitor};
use crate::clock::Timestamp;
use crate::facts::{Authority, Category, Employment, Host, Person, Place, PlatformId, Reason, Subject, SubjectId};
use crate::policy::{Decision, NamedKind, Question, World};

/// Of whom something is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Of nobody: no rule can permit it, whoever asks and however.
    Never,
    /// Of nobody for the role that they have, but maybe of some people by name or by department, or under conditions: of
    /// the network, the hour, a purpose.
    Conditionally,
    /// Of whoever has one of these roles, and not of those who have another one alone.
    Of(BTreeSet<String>),
    /// Of everybody.
    Everybody,
}

/// What is read somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct There {
    /// Of whom.
    pub reads: Reads,
    /// Whether some of the hosts are read, and others are not.
    pub partly: bool,
    /// Whether it is read of whoever asks, as they are and where they are.
    pub of_you: bool,
    /// Why it is not, or why it is; where it may be, the rules that may let it.
    pub reasons: Vec<Reason>,
    /// Where it is read of some, or at some of the hosts: the rules that may let it of others, by name or by department or
    /// under conditions, or at other ones.
    pub others: Vec<Reason>,
}

/// Somebody who looks at what the rules let the gateway read.
pub struct Sight<'a> {
    in_force: &'a InForce,
    who: Visitor<'a>,
    at: Timestamp,
    kinds: &'a Kinds,
    /// Somebody in each role, and in nothing else.
    probes: Vec<(String, Arc<Person>)>,
    /// Whoever looks, as they are.
    you: Arc<Person>,
    /// What the rules say of as many of the probes as were asked about, and then of whoever looks, at each place.
    asked: Vec<Vec<Decision>>,
}

/// Where to look, found out once for each change of people or rules, and only then when somebody looks.
#[derive(Debug)]
pub(super) struct Kinds {
    world: World,
    may_let: Mutex<MayLet>,
    /// A host of each kind that there is, and those that a rule names.
    places: Vec<Place>,
    /// Those at which surely nothing is read.
    never: BTreeSet<Host>,
}

/// The rules that may let the gateway read at places, by their numbers.
type MayLet = BTreeMap<Vec<usize>, Vec<Reason>>;

/// Stands for the hosts that no catalogue lists: the name is kept free (RFC 2606 §2).
const UNLISTED: &str = "unlisted.invalid";
/// Where TLS is spoken.
const HTTPS: u16 = 443;

impl InForce {
    /// What the rules let the gateway read, as they are asked where `who` is, at this moment.
    pub fn sight<'a>(&'a self, who: Visitor<'a>, at: Timestamp) -> Sight<'a> {
        Sight {
            kinds: self.kinds.get_or_init(|| self.find_kinds()),
            probes: self.probes(who.person),
            you: Arc::new(who.person.clone()),
            asked: Vec::new(),
            in_force: self,
            who,
            at,
        }
    }

    fn find_kinds(&self) -> Kinds {
        let mut world = self.rulebook.world(&self.directory);
        world.places.append(&mut world.sites.clone());
        let unlisted = Host::parse(UNLISTED).map(|host| self.rulebook.catalog().place(&host));
        world.places.extend(unlisted);
        let never = self.rulebook.policy.never_read(&world).into_iter();
        Kinds {
            never: never.map(|place| place.host.clone()).collect(),
            places: self.places(&world),
            may_let: Mutex::default(),
            world,
        }
    }

    /// Somebody in each role, who is else as this person: the roles alone make a difference.
    fn probes(&self, like: &Person) -> Vec<(String, Arc<Person>)> {
        let roles = self.directory.roles_above().iter();
        let probe = |(role, above): (&String, &BTreeSet<String>)| (role.clone(), Arc::new(in_roles(like, above)));
        roles.map(probe).collect()
    }

    /// One host of each kind, and those that rules name, which may be something else to them.
    fn places(&self, world: &World) -> Vec<Place> {
        let policy = &self.rulebook.policy;
        let (named, asks_what_is_served) = (policy.names_of(NamedKind::Site), policy.asks_what_is_served("inspect"));
        let mut kinds = BTreeSet::new();
        let is_wanted = |place: &&Place| {
            let serves = asks_what_is_served.then(|| place.roles.clone());
            let kind = (place.platform.clone(), place.categories.clone(), serves);
            kinds.insert(kind) || named.contains(place.host.as_str())
        };
        world.places.iter().filter(is_wanted).cloned().collect()
    }
}

/// Somebody in these roles, and in nothing else, who is else as `like`.
pub(super) fn in_roles(like: &Person, roles: &BTreeSet<String>) -> Person {
    Person {
        id: SubjectId::nobody(),
        name: String::new(),
        roles: roles.clone(),
        departments: BTreeSet::new(),
        employment: Employment::Employee,
        region: like.region.clone(),
        time_zone: like.time_zone.clone(),
        manager: None,
        on_legal_hold: false,
        training: BTreeMap::new(),
    }
}

impl Sight<'_> {
    /// Asks about somebody in the next role, and last about whoever looks, which takes a moment; false where all are asked
    /// about. Only then is there something to tell.
    pub fn look(&mut self) -> bool {
        let person = match self.probes.get(self.asked.len()) {
            Some((_, person)) => person,
            None if self.asked.len() == self.probes.len() => &self.you,
            None => return false,
        };
        let subject = Subject {
            id: person.id.clone(),
            method: self.who.subject.method,
        };
        let places = self.kinds.places.iter();
        let asked = places.map(|place| self.inspects(place, (person, &subject))).collect();
        self.asked.push(asked);
        true
    }

    /// What is read on a platform; none where the catalogue lists no host of it.
    pub fn on(&self, platform: &PlatformId) -> Option<There> {
        self.there(|place| place.platform.as_ref() == Some(platform))
    }

    /// What is read at the hosts of a category.
    pub fn within(&self, category: &Category) -> Option<There> {
        self.there(|place| place.categories.contains(category))
    }

    /// What is read at hosts that no catalogue lists.
    pub fn elsewhere(&self) -> Option<There> {
        self.there(|place| place.platform.is_none() && place.categories.is_empty())
    }

    fn there(&self, is_there: impl Fn(&Place) -> bool) -> Option<There> {
        let places = self.kinds.places.iter().enumerate();
        let here: Vec<(usize, &Place)> = places.filter(|(_, place)| is_there(place)).collect();
        let (first, _) = here.first()?;
        if here.iter().all(|(_, place)| self.kinds.never.contains(&place.host)) {
            let why = self.asked.first().and_then(|asked| asked.get(*first));
            return Some(There {
                reads: Reads::Never,
                partly: false,
                of_you: false,
                reasons: why.map(|why| why.reasons().to_vec()).unwrap_or_default(),
                others: Vec::new(),
            });
        }
        let policy = &self.in_force.rulebook.policy;
        let (mut roles, mut partly, mut may_let_more) = (BTreeSet::new(), false, false);
        let mut why: Vec<Reason> = Vec::new();
        for ((role, _), asked) in self.probes.iter().zip(&self.asked) {
            let answers = || here.iter().filter_map(|(number, _)| asked.get(*number));
            let read = answers().filter(|answer| is_read(answer)).count();
            partly |= read > 0 && read < here.len();
            if read > 0 {
                roles.insert(role.clone());
            } else {
                may_let_more |= policy.may_yet_let(answers());
            }
            for reason in answers().filter(|answer| is_read(answer)).flat_map(Decision::reasons) {
                if !why.iter().any(|other| other.policy == reason.policy) {
                    why.push(reason.clone());
                }
            }
        }
        let reads = match roles.len() {
            0 => Reads::Conditionally,
            many if many == self.probes.len() => Reads::Everybody,
            _ => Reads::Of(roles),
        };
        let others = match reads {
            Reads::Conditionally => {
                why = self.may_let(&here);
                Vec::new()
            }
            Reads::Everybody if !partly => Vec::new(),
            Reads::Never | Reads::Of(_) | Reads::Everybody => self.others(&here, (&why, may_let_more)),
        };
        let yours = self.asked.get(self.probes.len());
        let of_you = |number: &usize| yours.and_then(|asked| asked.get(*number)).is_some_and(is_read);
        Some(There {
            reads,
            partly,
            of_you: here.iter().any(|(number, _)| of_you(number)),
            reasons: why,
            others,
        })
    }

    /// The rules that may let the gateway read at these places, beside those that were found to let it of people in a role;
    /// and those of them for which there are other ways, all of them where they may let more than they were seen to.
    fn others(&self, here: &[(usize, &Place)], (found, may_let_more): (&[Reason], bool)) -> Vec<Reason> {
        let policy = &self.in_force.rulebook.policy;
        let mut rules = self.may_let(here);
        let is_found = |rule: &Reason| found.iter().any(|one| one.policy == rule.policy);
        rules.retain(|rule| may_let_more || !is_found(rule) || policy.may_let_others(&rule.policy));
        rules
    }

    /// The rules that may let the gateway read at these places, whoever asks; looked for once.
    fn may_let(&self, here: &[(usize, &Place)]) -> Vec<Reason> {
        let Kinds { world, may_let, .. } = self.kinds;
        let numbers: Vec<usize> = here.iter().map(|(number, _)| *number).collect();
        let found = |known: &MayLet| known.get(&numbers).cloned();
        if let Some(known) = found(&may_let.lock().unwrap_or_else(PoisonError::into_inner)) {
            return known;
        }
        let places: Vec<&Place> = here.iter().map(|(_, place)| *place).collect();
        let rules = self.in_force.rulebook.policy.may_let_read(world, &places);
        let mut known = may_let.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(numbers, rules.clone());
        rules
    }

    /// Whether the rules let the gateway read what this person does there, and why, or why not.
    fn inspects(&self, place: &Place, (person, subject): (&Arc<Person>, &Subject)) -> Decision {
        let authority = Authority {
            host: place.host.clone(),
            port: HTTPS,
        };
        self.in_force.rulebook.policy.decide(&Question {
            person,
            subject,
            arrival: self.who.arrival,
            place,
            authority: &authority,
            actions: &["inspect"],
            request: None,
            grant: None,
            at: self.at,
        })
    }
}

fn is_read(inspects: &Decision) -> bool {
    inspects.is_allowed() && inspects.errors().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Mode, SourceText};
    use crate::rulebook::tests::{Guest, noon};
    use crate::rulebook::{Rulebook, Sources};

    /// The shipped rules and these.
    fn house(rules: &str) -> InForce {
        let mut sources = Sources::embedded();
        sources.rules.push(SourceText::new("rules/99-test.cedar", rules));
        Rulebook::assemble(&sources).unwrap().in_mode(Mode::Enforce)
    }

    fn rule(id: &str, text: &str) -> String {
        format!("@id(\"{id}\") @reason(\"R.\") @owner(\"IT\")\n{text}\n")
    }

    /// What somebody who looks is told of these places: platforms, categories after a `#`, all else for `elsewhere`.
    fn told(house: &InForce, places: &[&str]) -> Vec<There> {
        let ada = Guest::of(house, "ada");
        let mut sight = house.sight(ada.visitor(), noon());
        while sight.look() {}
        let one = |name: &&str| match (name.strip_prefix('#'), *name) {
            (Some(category), _) => sight.within(&Category::new(category)).unwrap(),
            (None, "elsewhere") => sight.elsewhere().unwrap(),
            (None, platform) => sight.on(&PlatformId::new(platform)).unwrap(),
        };
        places.iter().map(one).collect()
    }

    #[test]
    fn the_shipped_rules_read_social_media_and_nothing_else() {
        let house = house("");
        for there in told(&house, &["linkedin", "x", "#social-media"]) {
            assert_eq!(there.reads, Reads::Everybody);
            assert_eq!(there.reasons[0].policy.as_str(), "inspect.social");
        }
        for there in told(
            &house,
            &["#sensitive", "#banking", "#health", "#unions", "slack", "elsewhere"],
        ) {
            assert_eq!((there.reads, there.partly), (Reads::Never, false));
        }
        let banking = &told(&house, &["#banking"])[0];
        assert_eq!(banking.reasons[0].policy.as_str(), "inspect.never");
    }

    #[test]
    fn a_role_of_which_more_is_read_is_named_and_a_condition_is_not_taken_for_never() {
        let more = rule(
            "some",
            "permit (principal in Role::\"recruiter\", action == Action::\"inspect\", resource in Platform::\"slack\");",
        );
        let later = rule(
            "later",
            "permit (principal, action == Action::\"inspect\", resource in Platform::\"teams\") when { context.client.network == \"guest\" };",
        );
        let private = rule(
            "private",
            "permit (principal, action == Action::\"inspect\", resource in Category::\"banking\");",
        );
        let told = told(
            &house(&format!("{more}{later}{private}")),
            &["slack", "teams", "#banking"],
        );
        let Reads::Of(roles) = &told[0].reads else {
            panic!("{told:?}")
        };
        assert!(roles.contains("recruiter") && !roles.contains("staff"), "{roles:?}");
        assert_eq!(told[1].reads, Reads::Conditionally);
        assert_eq!(told[1].reasons[0].policy.as_str(), "later");
        assert_eq!(told[2].reads, Reads::Never, "one forbid wins");
    }

    #[test]
    fn what_is_read_of_somebody_by_name_or_department_is_not_told_as_never() {
        let one = rule(
            "one",
            "permit (principal == User::\"ada\", action == Action::\"inspect\", resource in Platform::\"slack\");",
        );
        let unit = rule(
            "unit",
            "permit (principal in Department::\"hr\", action == Action::\"inspect\", resource in Platform::\"teams\");",
        );
        let other = rule(
            "other",
            "permit (principal == User::\"dan\", action == Action::\"inspect\", resource in Platform::\"zoom\");",
        );
        // it is Ada, of HR, who looks
        let told = told(&house(&format!("{one}{unit}{other}")), &["slack", "teams", "zoom"]);
        for (there, (rule, of_ada)) in told.iter().zip([("one", true), ("unit", true), ("other", false)]) {
            let rules: Vec<&str> = there.reasons.iter().map(|reason| reason.policy.as_str()).collect();
            assert_eq!(
                (&there.reads, there.of_you, &rules[..]),
                (&Reads::Conditionally, of_ada, &[rule][..])
            );
        }
    }

    #[test]
    fn a_role_of_which_something_is_read_hides_no_rule_by_which_it_is_read_of_others() {
        let some = rule(
            "some",
            "permit (principal in Role::\"recruiter\", action == Action::\"inspect\", resource in Platform::\"slack\");",
        );
        let guests = rule(
            "guests",
            "permit (principal, action == Action::\"inspect\", resource in Platform::\"slack\") when { context.client.network == \"guest\" };",
        );
        let dan = rule(
            "dan",
            "permit (principal == User::\"dan\", action == Action::\"inspect\", resource in Platform::\"slack\");",
        );
        let or_dan = rule(
            "or-dan",
            "permit (principal, action == Action::\"inspect\", resource in Platform::\"slack\") when { principal in Role::\"recruiter\" || principal == User::\"dan\" };",
        );
        for (rules, expected) in [
            (some.clone(), &[][..]),
            (format!("{some}{guests}{dan}"), &["guests", "dan"]),
            (or_dan, &["or-dan"]),
        ] {
            let told = &told(&house(&rules), &["slack"])[0];
            let others: Vec<&str> = told.others.iter().map(|rule| rule.policy.as_str()).collect();
            assert_eq!(others, expected, "{rules}");
            assert!(matches!(&told.reads, Reads::Of(roles) if roles.contains("recruiter")));
            assert_eq!(told.reasons.len(), 1, "{rules}");
        }
    }

    #[test]
    fn whoever_is_let_go_of_here_and_now_only_hides_no_rule_by_which_they_are_read_elsewhere() {
        for (but, expected) in [
            ("when { context.client.network == \"office\" }", &["inspect.social"][..]),
            ("", &[]),
        ] {
            let forbid = format!(
                "forbid (principal in Role::\"executive\", action == Action::\"inspect\", resource in Platform::\"linkedin\") {but};"
            );
            let told = &told(&house(&rule("but", &forbid)), &["linkedin"])[0];
            assert!(
                matches!(&told.reads, Reads::Of(roles) if !roles.contains("executive")),
                "{told:?}"
            );
            let others: Vec<&str> = told.others.iter().map(|rule| rule.policy.as_str()).collect();
            assert_eq!(others, expected, "{but}");
        }
    }

    #[test]
    fn where_only_some_hosts_of_a_platform_are_read_it_is_said_whatever_makes_the_difference() {
        let but_sites = rule(
            "but-sites",
            "forbid (principal, action == Action::\"inspect\", resource in Platform::\"linkedin\") unless { resource.serves.contains(\"site\") };",
        );
        let only_sites = rule(
            "only-sites",
            "permit (principal, action == Action::\"inspect\", resource in Platform::\"slack\") when { resource.serves.contains(\"site\") };",
        );
        for there in told(&house(&format!("{but_sites}{only_sites}")), &["linkedin", "slack"]) {
            assert_eq!(
                (&there.reads, there.partly, there.of_you),
                (&Reads::Everybody, true, true),
                "{there:?}"
            );
        }
    }
}

//! Where does the gateway read what people do, and of whom? `inspect` is asked for each role, at a host of each kind that the
//! catalogue knows; and where surely no rule can permit it, whoever asks and however, that is told from the rules
//! themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{InForce, Visitor};
use crate::clock::Timestamp;
use crate::facts::{
    Ask, Authority, Category, Employment, Host, Observation, Person, Place, PlatformId, Reason, Standing, Subject,
    SubjectId,
};
use crate::policy::{NamedKind, World};

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
}

/// Somebody who looks at what the rules let the gateway read.
pub struct Sight<'a> {
    in_force: &'a InForce,
    who: Visitor<'a>,
    at: Timestamp,
    /// Somebody in each role, and in nothing else.
    probes: Vec<(String, Arc<Person>)>,
    /// Whoever looks, as they are.
    you: Arc<Person>,
    world: World,
    /// A host of each kind that there is, and those that a rule names.
    places: Vec<Place>,
    /// Those at which surely nothing is read.
    never: BTreeSet<Host>,
}

/// Stands for the hosts that no catalogue lists: the name is kept free (RFC 2606 §2).
const UNLISTED: &str = "unlisted.invalid";
/// Where TLS is spoken.
const HTTPS: u16 = 443;

impl InForce {
    /// What the rules let the gateway read, as they are asked where `who` is, at this moment.
    pub fn sight<'a>(&'a self, who: Visitor<'a>, at: Timestamp) -> Sight<'a> {
        let mut world = self.rulebook.world(&self.directory);
        world.places.append(&mut world.sites.clone());
        let unlisted = Host::parse(UNLISTED).map(|host| self.rulebook.catalog().place(&host));
        world.places.extend(unlisted);
        let never = self.rulebook.policy.never_read(&world).into_iter();
        Sight {
            never: never.map(|place| place.host.clone()).collect(),
            places: self.kinds(&world),
            probes: self.probes(who.person),
            you: Arc::new(who.person.clone()),
            world,
            in_force: self,
            who,
            at,
        }
    }

    /// Somebody in each role, who is else as this person: the roles alone make a difference.
    fn probes(&self, like: &Person) -> Vec<(String, Arc<Person>)> {
        let roles = self.directory.roles_above().iter();
        let probe = |(role, above): (&String, &BTreeSet<String>)| (role.clone(), Arc::new(in_roles(like, above)));
        roles.map(probe).collect()
    }

    /// One host of each kind, and those that rules name, which may be something else to them.
    fn kinds(&self, world: &World) -> Vec<Place> {
        let named = self.rulebook.policy.names_of(NamedKind::Site);
        let mut kinds = BTreeSet::new();
        let is_wanted = |place: &&Place| {
            let kind = (place.platform.clone(), place.categories.clone());
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
        let here: Vec<&Place> = self.places.iter().filter(|place| is_there(place)).collect();
        let (first, _) = here.split_first()?;
        if here.iter().all(|place| self.never.contains(&place.host)) {
            let why = self.probes.first().map(|(_, person)| self.asked(first, person).1);
            return Some(There {
                reads: Reads::Never,
                partly: false,
                of_you: false,
                reasons: why.unwrap_or_default(),
            });
        }
        let (mut roles, mut partly) = (BTreeSet::new(), false);
        let mut why: Vec<Reason> = Vec::new();
        for (role, person) in &self.probes {
            let answers: Vec<(bool, Vec<Reason>)> = here.iter().map(|place| self.asked(place, person)).collect();
            let read = answers.iter().filter(|(is_read, _)| *is_read).count();
            partly |= read > 0 && read < answers.len();
            if read > 0 {
                roles.insert(role.clone());
            }
            for (_, reasons) in answers.into_iter().filter(|(is_read, _)| *is_read) {
                let is_new = |one: &Reason| !why.iter().any(|other| other.policy == one.policy);
                let new: Vec<Reason> = reasons.into_iter().filter(is_new).collect();
                why.extend(new);
            }
        }
        let reads = match roles.len() {
            0 => Reads::Conditionally,
            many if many == self.probes.len() => Reads::Everybody,
            _ => Reads::Of(roles),
        };
        if reads == Reads::Conditionally {
            why = self.in_force.rulebook.policy.may_let_read(&self.world, &here);
        }
        Some(There {
            reads,
            partly,
            of_you: here.iter().any(|place| self.asked(place, &self.you).0),
            reasons: why,
        })
    }

    /// Whether the rules let the gateway read what this person does there, and why, or why not.
    fn asked(&self, place: &Place, person: &Arc<Person>) -> (bool, Vec<Reason>) {
        let authority = Authority {
            host: place.host.clone(),
            port: HTTPS,
        };
        let seen = Observation {
            arrival: self.who.arrival.clone(),
            subject: Some(Subject {
                id: person.id.clone(),
                method: self.who.subject.method,
            }),
            person: Some(Arc::clone(person)),
            ask: Ask::Connect(authority),
            standing: Standing::default(),
            selected: None,
            at: self.at,
        };
        let part = self.in_force.rulebook.judge_alone(&seen, &["inspect"]);
        let is_read = part.errors.is_empty() && part.decision.is_some_and(|decision| decision.is_allowed());
        (is_read, part.reasons)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::facts::{Arrival, Door, MethodName, Mode, NetworkName, SourceText};
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
        let ada = house.directory.person(&SubjectId::parse("ada").unwrap()).unwrap();
        let subject = Subject {
            id: ada.id.clone(),
            method: MethodName::Basic,
        };
        let arrival = Arrival {
            door: Door::Tls,
            client: SocketAddr::from(([10, 0, 0, 7], 40_000)),
            network: NetworkName::new("office"),
        };
        let who = Visitor {
            person: &ada,
            subject: &subject,
            arrival: &arrival,
        };
        let sight = house.sight(who, "2026-11-24T11:30:00Z".parse().unwrap());
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
}

//! Who may do what: every answer of the rules for people, platforms, activities and purposes, side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::judge::Held;
use super::{Described, Judgement, Rulebook};
use crate::clock::Timestamp;
use crate::facts::{
    Activity, Arrival, Ask, Channel, Host, MethodName, Observation, Person, PlatformId, PurposeId, Reading, SiteRole,
    Standing, Subject,
};
use crate::purpose::Purpose;
use crate::rulebook::Visitor;

/// What is asked of everybody, everywhere.
#[derive(Clone, Debug)]
pub struct MatrixQuestion {
    /// From where.
    pub arrival: Arrival,
    /// How they prove who they are.
    pub method: MethodName,
    /// When.
    pub at: Timestamp,
    /// Only these platforms; none: all.
    pub platforms: BTreeSet<PlatformId>,
    /// Only these activities; none: all.
    pub activities: BTreeSet<Activity>,
    /// Only these purposes; none: all.
    pub purposes: BTreeSet<PurposeId>,
}

/// What one person may do on one platform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// It cannot be reached.
    Closed,
    /// What reaches it; nobody reads what is done there.
    Unread(Cell),
    /// Each activity is decided.
    Read(BTreeMap<Activity, Cell>),
}

/// What opens one activity, or a platform that is not read.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cell {
    /// What opens it.
    pub open: Ways,
    /// What else opens it to whoever is told why not and continues: rules that coach refuse it, and no others.
    pub coached: Ways,
}

/// What opens an activity.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Ways {
    /// It is open without a purpose.
    pub free: bool,
    /// The purposes that open it once they are declared.
    pub declared: BTreeSet<PurposeId>,
    /// The purposes that open it once somebody has approved them.
    pub approved: BTreeSet<PurposeId>,
}

/// What one person may do, found out platform by platform.
pub struct Asks<'a> {
    rules: &'a Rulebook,
    person: &'a Arc<Person>,
    question: &'a MatrixQuestion,
    subject: Subject,
    /// The purposes that they may declare.
    purposes: Vec<&'a Purpose>,
}

impl Rulebook {
    /// What `person` may do on each platform. Purposes that the person cannot declare open nothing.
    pub fn matrix(&self, person: &Arc<Person>, question: &MatrixQuestion) -> BTreeMap<PlatformId, Access> {
        let asks = self.asks(person, question);
        let wanted = |id: &&PlatformId| question.platforms.is_empty() || question.platforms.contains(*id);
        let asked = self.front_doors().keys().filter(wanted);
        asked.filter_map(|id| Some((id.clone(), asks.on(id)?))).collect()
    }

    /// The same, one platform after the other, in whatever order, as long as they are wanted.
    pub fn asks<'a>(&'a self, person: &'a Arc<Person>, question: &'a MatrixQuestion) -> Asks<'a> {
        let subject = Subject {
            id: person.id.clone(),
            method: question.method,
        };
        let visitor = Visitor {
            person,
            subject: &subject,
            arrival: &question.arrival,
        };
        let may_declare = |purpose: &&Purpose| {
            (question.purposes.is_empty() || question.purposes.contains(&purpose.id))
                && purpose.is_open_to(person, question.at)
                && self.may_declare(visitor, &purpose.id, Channel::Portal, question.at)
        };
        Asks {
            purposes: self.purposes.iter().filter(may_declare).collect(),
            rules: self,
            person,
            question,
            subject,
        }
    }

    /// One host for each platform: where people go.
    fn front_doors(&self) -> &BTreeMap<PlatformId, Host> {
        self.doors.get_or_init(|| {
            let mut doors: BTreeMap<PlatformId, (bool, Host)> = BTreeMap::new();
            for host in self.catalog.domains() {
                let place = self.catalog.place(&host);
                let is_site = place.roles.contains(&SiteRole::Site);
                let Some(platform) = place.platform else { continue };
                match doors.get_mut(&platform) {
                    Some(door) if is_site && !door.0 => *door = (true, host),
                    Some(_) => {}
                    None => drop(doors.insert(platform, (is_site, host))),
                }
            }
            doors.into_iter().map(|(id, (_, host))| (id, host)).collect()
        })
    }

    fn door(&self, to: String) -> Option<Ask> {
        let described = Described {
            to,
            ..Described::default()
        };
        self.ask_of(&described).ok()
    }

    /// The same, under a grant of `purpose`, approved where it takes that; none where nobody could approve it.
    fn holding(&self, bare: &Observation, purpose: &Purpose) -> Option<Observation> {
        let approver = if purpose.approval.is_needed() {
            let person = bare.person.as_deref()?;
            Some(purpose.supposed_approver(&person.id, person.manager.as_ref())?)
        } else {
            None
        };
        let grant = self.suppose(purpose, bare, approver.as_ref())?;
        Some(Observation {
            standing: Standing::new([grant], bare.at),
            ..bare.clone()
        })
    }
}

impl<'a> Asks<'a> {
    /// What the person may do there; none where no host of the platform is known.
    pub fn on(&self, platform: &PlatformId) -> Option<Access> {
        let host = self.rules.front_doors().get(platform)?;
        let tunnel = self.seen(self.rules.door(format!("{host}:443"))?);
        let bare = self.seen(self.rules.door(format!("https://{host}/"))?);
        let held: Vec<Held<'a>> = self
            .purposes
            .iter()
            .filter(|purpose| purpose.platforms.contains(platform))
            .filter_map(|purpose| Some((*purpose, self.rules.holding(&bare, purpose)?)))
            .collect();
        // what is read is opened and shut by its requests, so a purpose may open what cannot be reached without one
        let under = |(purpose, holding): &Held<'a>| {
            let standing = holding.standing.clone();
            let tunnel = Observation {
                standing,
                ..tunnel.clone()
            };
            (*purpose, tunnel)
        };
        let tunnels: Vec<Held<'a>> = held.iter().map(under).collect();
        let place = self.rules.catalog.place(tunnel.ask.host());
        let Some(mut sitting) = self.rules.sitting(&tunnel, (&place, "")) else {
            return Some(Access::Closed);
        };
        let helping = sitting.helping(None, &tunnels);
        let free = sitting.judge(&tunnel, None);
        let reached = Cell::of(&free, &helping, |seen| sitting.judge(seen, None));
        if reached == Cell::default() {
            return Some(Access::Closed);
        }
        let passes_unread = (reached.open.free || reached.coached.free) && !free.inspect();
        let mut is_read = || helping.iter().any(|(_, tunnel)| sitting.judge(tunnel, None).inspect());
        if passes_unread || !(free.inspect() || is_read()) {
            return Some(Access::Unread(reached));
        }
        Some(Access::Read(self.cells(&bare, &held)))
    }

    /// What opens each activity.
    fn cells(&self, bare: &Observation, held: &[Held<'a>]) -> BTreeMap<Activity, Cell> {
        let place = self.rules.catalog.place(bare.ask.host());
        let head = bare.ask.head();
        let path = head.map(|head| self.rules.catalog.path_for_rules(&place, &head.path));
        let path = path.unwrap_or_default();
        let Some(mut sitting) = self.rules.sitting(bare, (&place, &path)) else {
            return BTreeMap::new();
        };
        let (activities, asked) = (self.rules.policy.vocabulary().activities(), &self.question.activities);
        let asked = activities.keys().filter(|one| asked.is_empty() || asked.contains(one));
        let cells = asked.map(|activity| {
            let reading = Reading {
                activity: activity.clone(),
                activities: [activity.clone()].into(),
                signatures: BTreeSet::new(),
            };
            let helping = sitting.helping(Some(activity), held);
            let free = sitting.judge(bare, Some(&reading));
            let cell = Cell::of(&free, &helping, |seen| sitting.judge(seen, Some(&reading)));
            (activity.clone(), cell)
        });
        cells.collect()
    }

    fn seen(&self, ask: Ask) -> Observation {
        Observation {
            arrival: self.question.arrival.clone(),
            subject: Some(self.subject.clone()),
            person: Some(Arc::clone(self.person)),
            ask,
            standing: Standing::default(),
            selected: None,
            at: self.question.at,
        }
    }
}

impl Cell {
    /// What opens what is judged `bare` under no purpose: nothing, or those purposes that are held and may help.
    fn of<'h>(bare: &Judgement, helping: &[&'h Held<'_>], mut judge: impl FnMut(&'h Observation) -> Judgement) -> Self {
        let mut cell = Self::default();
        if let Some(ways) = cell.opened(bare) {
            ways.free = true;
        }
        if cell.open.free {
            return cell;
        }
        for (purpose, holding) in helping {
            let judgement = judge(holding);
            // what is coached without a purpose is not worth one that is coached as well
            if cell.coached.free && !judgement.is_allowed() {
                continue;
            }
            if let Some(ways) = cell.opened(&judgement) {
                let opening = if purpose.approval.is_needed() {
                    &mut ways.approved
                } else {
                    &mut ways.declared
                };
                opening.insert(purpose.id.clone());
            }
        }
        cell
    }

    /// Where a judgement belongs: among what is open, or what is coached; nowhere where it is refused.
    fn opened(&mut self, judgement: &Judgement) -> Option<&mut Ways> {
        match (judgement.is_allowed(), judgement.coach()) {
            (true, _) => Some(&mut self.open),
            (false, Some(_)) => Some(&mut self.coached),
            (false, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;
    use crate::facts::{Door, NetworkName, SourceText, SubjectId};
    use crate::rulebook::{Assembled, Sources};

    fn access(who: &str, platform: &str, network: &str) -> Access {
        access_by(&Sources::embedded(), who, platform, network)
    }

    fn access_by(sources: &Sources, who: &str, platform: &str, network: &str) -> Access {
        let Assembled {
            rulebook, directory, ..
        } = Rulebook::assemble(sources).unwrap();
        let question = MatrixQuestion {
            arrival: Arrival {
                door: Door::Plain,
                client: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                network: NetworkName::new(network),
            },
            method: MethodName::Basic,
            at: "2026-11-24T09:30:00Z".parse().unwrap(),
            platforms: [PlatformId::new(platform)].into(),
            activities: BTreeSet::new(),
            purposes: BTreeSet::new(),
        };
        let person = directory.person(&SubjectId::parse(who).unwrap()).unwrap();
        let mut found = rulebook.matrix(&person, &question);
        found.remove(&PlatformId::new(platform)).unwrap()
    }

    fn cell(access: &Access, activity: &str) -> Cell {
        match access {
            Access::Read(cells) => cells[&Activity::new(activity)].clone(),
            Access::Closed | Access::Unread(_) => panic!("{access:?}"),
        }
    }

    fn purposes(names: &[&str]) -> BTreeSet<PurposeId> {
        names.iter().map(|name| PurposeId::new(*name)).collect()
    }

    #[test]
    fn each_cell_says_what_opens_it_as_the_gateway_would() {
        let ada = access("ada", "linkedin", "office");
        assert_eq!(cell(&ada, "post").open.declared, purposes(&["recruiting"]));
        assert!(
            cell(&ada, "browse")
                .open
                .declared
                .is_superset(&purposes(&["recruiting", "market-research"]))
        );
        assert_eq!(cell(&ada, "profile-edit"), Cell::default());
        assert!(cell(&ada, "telemetry").open.free);
        let ben = access("ben", "x", "office");
        assert!(cell(&ben, "post").open.declared.is_empty());
        assert!(
            cell(&ben, "post")
                .open
                .approved
                .contains(&PurposeId::new("brand-publishing"))
        );
    }

    #[test]
    fn platforms_that_are_closed_or_pass_unread_are_told_apart() {
        assert_eq!(access("dan", "tinder", "office"), Access::Closed);
        assert_eq!(access("vic", "linkedin", "office"), Access::Closed);
        let Access::Unread(reached) = access("dan", "slack", "office") else {
            panic!("read")
        };
        assert!(reached.open.free);
    }

    #[test]
    fn what_only_a_purpose_reaches_is_open_under_it() {
        let mut sources = Sources::embedded();
        let rule = r#"
            @id("only-with-a-purpose") @reason("R.") @owner("IT")
            forbid (principal, action == Action::"connect", resource in Platform::"linkedin") unless { context has purpose };
        "#;
        sources.rules.push(SourceText::new("rules/99-test.cedar", rule));
        let ada = access_by(&sources, "ada", "linkedin", "office");
        assert_eq!(cell(&ada, "post").open.declared, purposes(&["recruiting"]));
        assert!(!cell(&ada, "telemetry").open.free);
        assert_eq!(access_by(&sources, "vic", "linkedin", "office"), Access::Closed);
        // and so it is where nothing is read
        let rule = rule
            .replace("only-with-a-purpose", "slack")
            .replace("linkedin", "slack");
        sources.rules.push(SourceText::new("rules/98-test.cedar", rule));
        let meant = ["id = \"competitor-research\"", "categories = [\"social-media\"]"];
        let text = sources.purposes.text.to_string();
        let (before, after) = text.split_once(meant[0]).unwrap();
        let after = after.replacen(meant[1], &format!("{}\nplatforms = [\"slack\"]", meant[1]), 1);
        sources.purposes = SourceText::new("purposes.toml", format!("{before}{}{after}", meant[0]));
        let Access::Unread(reached) = access_by(&sources, "ada", "slack", "office") else {
            panic!("read")
        };
        assert_eq!(
            (reached.open.free, reached.open.declared),
            (false, purposes(&["competitor-research"]))
        );
    }

    #[test]
    fn a_purpose_that_may_be_declared_for_a_short_time_only_opens_what_it_opens() {
        let mut sources = Sources::embedded();
        let rule = r#"
            @id("short") @reason("R.") @owner("IT")
            forbid (principal, action == Action::"declare", resource)
            when { resource.kind == PurposeKind::"recruiting" && resource.maxDuration > duration("1h") };
        "#;
        sources.rules.push(SourceText::new("rules/99-test.cedar", rule));
        let ada = access_by(&sources, "ada", "linkedin", "office");
        assert_eq!(cell(&ada, "post").open.declared, purposes(&["recruiting"]));
        let closed = rule.replace("duration(\"1h\")", "duration(\"1s\")");
        sources.rules.pop();
        sources.rules.push(SourceText::new("rules/99-test.cedar", closed));
        let ada = access_by(&sources, "ada", "linkedin", "office");
        assert_eq!(cell(&ada, "post").open, Ways::default());
    }

    #[test]
    fn the_network_that_people_are_in_counts() {
        assert_eq!(cell(&access("ada", "linkedin", "guest"), "post"), Cell::default());
    }

    #[test]
    fn what_a_rule_only_coaches_is_apart_from_what_never_opens() {
        let with = |rule: &str| {
            let mut sources = Sources::embedded();
            let rule = format!("@id(\"test\") @reason(\"R.\") @owner(\"IT\") @mode(\"coach\")\n{rule}");
            sources.rules.push(SourceText::new("rules/99-test.cedar", rule));
            access_by(&sources, "ada", "linkedin", "office")
        };
        let purposes = with("forbid (principal, action == Action::\"post\", resource in Platform::\"linkedin\");");
        let post = cell(&purposes, "post");
        assert_eq!(
            (post.open, post.coached.declared),
            (Ways::default(), self::purposes(&["recruiting"]))
        );
        assert_eq!(cell(&purposes, "comment").coached, Ways::default());
        let all = with("forbid (principal, action == Action::\"connect\", resource in Platform::\"linkedin\");");
        let telemetry = cell(&all, "telemetry");
        assert!(telemetry.coached.free && !telemetry.open.free);
        assert_eq!(cell(&all, "profile-edit"), Cell::default());
        let permit = with("permit (principal, action == Action::\"browse\", resource in Platform::\"linkedin\");");
        let browse = cell(&permit, "browse");
        assert!(browse.coached.free && browse.open.declared.contains(&PurposeId::new("recruiting")));
        let rule = "forbid (principal, action == Action::\"connect\", resource in Platform::\"slack\");";
        let rule = format!("@id(\"test\") @reason(\"R.\") @owner(\"IT\") @mode(\"coach\")\n{rule}");
        let mut sources = Sources::embedded();
        sources.rules.push(SourceText::new("rules/99-test.cedar", rule));
        let Access::Unread(reached) = access_by(&sources, "dan", "slack", "office") else {
            panic!("read")
        };
        assert!(reached.coached.free && !reached.open.free);
    }
}

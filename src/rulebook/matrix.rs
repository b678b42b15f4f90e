//! Who may do what: every answer of the rules for people, platforms, activities and purposes, side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::brief::{Doing, Passage, Sitting, Stand};
use super::{Described, Rulebook};
use crate::clock::Timestamp;
use crate::facts::{
    Activity, Arrival, Ask, Channel, Host, MethodName, Observation, Person, PlatformId, PurposeId, SiteRole, Standing,
    Subject,
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

/// A purpose, and what a flow is under a grant of it.
type Held<'a> = (&'a Purpose, Observation);

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
    pub(super) fn front_doors(&self) -> &BTreeMap<PlatformId, Host> {
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

    pub(super) fn door(&self, to: String) -> Option<Ask> {
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
        let place = self.rules.catalog.place_of(&tunnel.ask);
        let Some(sitting) = self.rules.sitting(&tunnel, (&place, "")) else {
            return Some(Access::Closed);
        };
        let through = sitting.doing(None);
        let tunnels = stands(&sitting, &tunnels);
        let (free, helping) = (through.free(), through.helping(&tunnels));
        let reached = Cell::of(&through, &helping);
        if reached == Cell::default() {
            return Some(Access::Closed);
        }
        let passes_unread = (reached.open.free || reached.coached.free) && !free.inspect;
        let mut is_read = helping.iter().map(|(_, stand)| through.under(stand).inspect);
        if passes_unread || !(free.inspect || is_read.any(|is_read| is_read)) {
            return Some(Access::Unread(reached));
        }
        Some(Access::Read(self.cells(&bare, &held)))
    }

    /// What opens each activity.
    fn cells(&self, bare: &Observation, held: &[Held<'a>]) -> BTreeMap<Activity, Cell> {
        let place = self.rules.catalog.place_of(&bare.ask);
        let head = bare.ask.head();
        let path = head.map(|head| self.rules.catalog.path_for_rules(&place, &head.path));
        let path = path.unwrap_or_default();
        let Some(sitting) = self.rules.sitting(bare, (&place, &path)) else {
            return BTreeMap::new();
        };
        let held = stands(&sitting, held);
        let (activities, asked) = (self.rules.policy.vocabulary().activities(), &self.question.activities);
        let asked = activities.keys().filter(|one| asked.is_empty() || asked.contains(one));
        let cells = asked.map(|activity| {
            let doing = sitting.doing(Some(activity));
            (activity.clone(), Cell::of(&doing, &doing.helping(&held)))
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

/// The flow under a grant for each of these purposes.
fn stands<'h>(sitting: &Sitting<'h>, held: &'h [Held<'h>]) -> Vec<(&'h Purpose, Stand<'h>)> {
    let stand = |(purpose, holding): &'h Held<'h>| (*purpose, sitting.holding(holding));
    held.iter().map(stand).collect()
}

impl Cell {
    /// What opens what is done: nothing, or those purposes that may help.
    fn of(doing: &Doing<'_>, helping: &[&(&Purpose, Stand<'_>)]) -> Self {
        let mut cell = Self::default();
        if let Some(ways) = cell.opened(doing.free().passage) {
            ways.free = true;
        }
        if cell.open.free {
            return cell;
        }
        for (purpose, stand) in helping {
            let passage = doing.under(stand).passage;
            // what is coached without a purpose is not worth one that is coached as well
            if cell.coached.free && passage != Passage::Open {
                continue;
            }
            if let Some(ways) = cell.opened(passage) {
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

    /// Where it belongs: among what is open, or what is coached; nowhere where it is refused.
    fn opened(&mut self, passage: Passage) -> Option<&mut Ways> {
        match passage {
            Passage::Open => Some(&mut self.open),
            Passage::Coached => Some(&mut self.coached),
            Passage::Shut => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;
    use crate::facts::{Door, Mode, NetworkName, Reading, SourceText, SubjectId};
    use crate::rulebook::{Assembled, Sources};

    fn access(who: &str, platform: &str, network: &str) -> Access {
        access_by(&Sources::embedded(), who, platform, network)
    }

    fn access_by(sources: &Sources, who: &str, platform: &str, network: &str) -> Access {
        let Assembled {
            rulebook, directory, ..
        } = Rulebook::assemble(sources).unwrap();
        let question = MatrixQuestion {
            platforms: [PlatformId::new(platform)].into(),
            ..asked(network)
        };
        let person = directory.person(&SubjectId::parse(who).unwrap()).unwrap();
        let mut found = rulebook.matrix(&person, &question);
        found.remove(&PlatformId::new(platform)).unwrap()
    }

    fn asked(network: &str) -> MatrixQuestion {
        MatrixQuestion {
            arrival: Arrival {
                door: Door::Plain,
                client: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                network: NetworkName::new(network),
            },
            method: MethodName::Basic,
            at: "2026-11-24T09:30:00Z".parse().unwrap(),
            platforms: BTreeSet::new(),
            activities: BTreeSet::new(),
            purposes: BTreeSet::new(),
        }
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

    /// The same by one judgement for each activity and each purpose.
    fn by_judging(rules: &Rulebook, person: &Arc<Person>, question: &MatrixQuestion, platform: &PlatformId) -> Access {
        let asks = rules.asks(person, question);
        let host = &rules.front_doors()[platform];
        let [tunnel, bare] =
            [format!("{host}:443"), format!("https://{host}/")].map(|to| asks.seen(rules.door(to).unwrap()));
        let meant = asks
            .purposes
            .iter()
            .filter(|purpose| purpose.platforms.contains(platform));
        let held: Vec<Held<'_>> = meant
            .filter_map(|purpose| Some((*purpose, rules.holding(&bare, purpose)?)))
            .collect();
        let under = |flow: &Observation, holding: &Observation| Observation {
            standing: holding.standing.clone(),
            ..flow.clone()
        };
        let cell = |flow: &Observation, reading: Option<&Reading>| {
            let free = rules.judge_as(flow, reading);
            let mut cell = Cell::default();
            cell.open.free = free.is_allowed();
            cell.coached.free = free.coach().is_some();
            for (purpose, holding) in held.iter().filter(|_| !free.is_allowed()) {
                let judged = rules.judge_as(&under(flow, holding), reading);
                let ways = match (judged.is_allowed(), judged.coach()) {
                    (true, _) => &mut cell.open,
                    (false, Some(_)) if free.coach().is_none() => &mut cell.coached,
                    (false, _) => continue,
                };
                let needs_somebody = purpose.approval.is_needed();
                let opening = if needs_somebody {
                    &mut ways.approved
                } else {
                    &mut ways.declared
                };
                opening.insert(purpose.id.clone());
            }
            cell
        };
        let reached = cell(&tunnel, None);
        if reached == Cell::default() {
            return Access::Closed;
        }
        let reads = |flow: &Observation| rules.judge_as(flow, None).inspect();
        let is_read = reads(&tunnel);
        let passes_unread = (reached.open.free || reached.coached.free) && !is_read;
        if passes_unread || !(is_read || held.iter().any(|(_, holding)| reads(&under(&tunnel, holding)))) {
            return Access::Unread(reached);
        }
        let activities = rules.policy.vocabulary().activities().keys().map(|activity| {
            let reading = Reading {
                activity: activity.clone(),
                activities: [activity.clone()].into(),
                signatures: BTreeSet::new(),
            };
            (activity.clone(), cell(&bare, Some(&reading)))
        });
        Access::Read(activities.collect())
    }

    /// Rules of all modes, and one that fails.
    const MORE: &str = r#"
        @id("coached") @reason("R.") @owner("IT") @mode("coach")
        forbid (principal, action in [Action::"post", Action::"browse"], resource in Platform::"linkedin");
        @id("coached.opening") @reason("R.") @owner("IT") @mode("coach")
        permit (principal, action == Action::"browse", resource in Platform::"x") when { context.client.network == "office" };
        @id("observed") @reason("R.") @owner("IT") @mode("observe")
        forbid (principal, action == Action::"connect", resource in Platform::"xing");
        @id("coached.connect") @reason("R.") @owner("IT") @mode("coach")
        forbid (principal, action == Action::"connect", resource in Platform::"reddit");
        @id("only-with-a-purpose") @reason("R.") @owner("IT")
        forbid (principal, action == Action::"connect", resource in Platform::"facebook") unless { context has purpose };
        @id("fails") @reason("R.") @owner("IT")
        forbid (principal, action == Action::"comment", resource in Platform::"linkedin")
        when { context has purpose && (context.request.bytes + 1) * 9223372036854775807 + 9223372036854775807 > 5 };
    "#;

    #[test]
    fn each_cell_is_what_one_judgement_for_it_alone_comes_to() {
        for mode in [Mode::Enforce, Mode::Coach, Mode::Observe] {
            let mut sources = Sources::embedded();
            sources.rules.push(SourceText::new("rules/99-test.cedar", MORE));
            let house = Rulebook::assemble(&sources).unwrap().in_mode(mode);
            for (who, network) in [
                ("ada", "office"),
                ("ben", "office"),
                ("mia", "vpn"),
                ("vic", "office"),
                ("eve", "guest"),
            ] {
                let person = house.directory.person(&SubjectId::parse(who).unwrap()).unwrap();
                let platforms = ["linkedin", "x", "xing", "reddit", "facebook", "slack", "tinder"];
                let question = MatrixQuestion {
                    platforms: platforms.into_iter().map(PlatformId::new).collect(),
                    ..asked(network)
                };
                let found = house.rulebook.matrix(&person, &question);
                assert_eq!(found.len(), platforms.len());
                for (platform, access) in found {
                    let judged = by_judging(&house.rulebook, &person, &question, &platform);
                    assert_eq!(access, judged, "{who} on {platform}, {mode:?}");
                }
            }
        }
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
    fn what_a_group_approves_is_open_also_to_the_owner_whom_nobody_leads() {
        let opens = |approval: &str| {
            let mut sources = Sources::embedded();
            let shipped = "approval = { of = [\"owner\", \"group:legal\"], needed = \"all\" }";
            assert!(sources.purposes.text.contains(shipped));
            let text = sources
                .purposes
                .text
                .replace(shipped, &format!("approval = {approval}"));
            sources.purposes = SourceText::new("purposes.toml", text);
            // nora owns it, and reports to nobody
            let post = cell(&access_by(&sources, "nora", "linkedin", "office"), "post");
            post.open.approved.contains(&PurposeId::new("executive-communication"))
        };
        assert!(opens("{ of = [\"group:legal\"] }"));
        assert!(opens("{ of = [\"owner\", \"group:legal\"] }"));
        assert!(!opens("{ of = [\"owner\", \"group:legal\"], needed = \"all\" }"));
        assert!(!opens("\"owner\""));
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

//! What is declared in vain: where a grant of it would surely open nothing, whoever holds it, so that it is not given, and
//! nobody is asked to approve it.
//!
//! INVARIANT: a purpose that would open something is never refused so, but for what only goes along with other activities, as
//! the catalogue says of each. The rules are read for what they could let pass ([`Outlook`]): whatever they ask of a request
//! that nobody has sent yet may be so. The judgement at the door decides anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::Rulebook;
use super::reach::holding;
use super::remedy::{By, hypothetical};
use super::weigh::{Visitor, Weighing};
use crate::clock::Timestamp;
use crate::facts::{
    Activity, Category, Channel, Grant, Host, Person, Place, PlatformId, Reading, SiteRole, SubjectId, Wording,
};
use crate::policy::{NamedKind, Outlook, There};
use crate::purpose::{Declaration, GROUPS, Purpose, Terms, Unfit, Vain, working_time_after};

/// So many platforms are named where a purpose does open something.
const NAMED: usize = 5;

/// Stands for a host that no catalogue lists (RFC 6761 §6.4).
const UNLISTED: &str = "unlisted.invalid";

/// Hosts that rules cannot tell apart but by their names.
type Kind = (Option<PlatformId>, Arc<BTreeSet<Category>>, Arc<BTreeSet<SiteRole>>);

/// What becomes of a declaration, without the why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It may be granted.
    Granted,
    /// It may be granted once somebody has approved it.
    NeedsApproval,
    /// It does not fit the terms of its purpose, or would open nothing.
    Unfit,
    /// The rules refuse it.
    Refused,
}

/// A declaration that fits otherwise, and whose grant would open nothing on some of its platforms.
#[derive(Debug)]
pub(super) struct InVain<'r> {
    purpose: &'r Purpose,
    /// Who would approve it; none where nobody needs to.
    approver: Option<SubjectId>,
    /// What would be held.
    grant: Grant,
    /// Those platforms.
    shut: BTreeSet<PlatformId>,
}

impl Rulebook {
    /// Whether a declaration that fits otherwise is made in vain, since its grant would surely open nothing on some of its
    /// platforms as long as it may be in force.
    pub(super) fn not_in_vain<'r>(
        &self,
        person: &Person,
        (purpose, terms): (&'r Purpose, &Terms),
        approver: Option<SubjectId>,
        at: Timestamp,
    ) -> Result<(), Box<InVain<'r>>> {
        let by = approver.as_ref().map_or(By::Declaring, By::Approval);
        let grant = Grant {
            ticket: terms.ticket.clone(),
            ..hypothetical(purpose, (&person.id, at), &terms.covers, by, &terms.platforms)
        };
        let lasts = terms.expires.since(terms.not_before);
        let shut = self.shut_under(person, (purpose, &grant), (by, at, lasts));
        let shut: BTreeSet<PlatformId> = shut.into_iter().cloned().collect();
        if shut.is_empty() {
            return Ok(());
        }
        Err(Box::new(InVain {
            purpose,
            approver,
            grant,
            shut,
        }))
    }

    /// What is wrong with what is declared in vain: together what is shut for the same reason.
    pub(super) fn why_vain(&self, who: Visitor<'_>, found: &InVain<'_>, at: Timestamp) -> Vec<Unfit> {
        let InVain {
            purpose, grant, shut, ..
        } = found;
        let by = found.approver.as_ref().map_or(By::Declaring, By::Approval);
        let person = Arc::new(who.person.clone());
        let held = (&*grant.covers, by);
        let elsewhere = self.named_elsewhere((who, &person), purpose, held, (shut, at));
        let mut vain: Vec<Vain> = Vec::new();
        for platform in shut {
            let why = self.why_not((who, &person), purpose, held, (platform, at));
            let one = Vain {
                purpose: purpose.id.clone(),
                platforms: [platform.clone()].into(),
                is_open: why.is_none(),
                why: why.unwrap_or_default(),
                covers: BTreeSet::clone(&grant.covers),
                further: self.further(who.person, (purpose, grant), (by, at), platform),
                elsewhere: elsewhere.clone(),
            };
            match vain.iter_mut().find(|known| known.is_like(&one)) {
                Some(known) => known.platforms.extend(one.platforms),
                None => vain.push(one),
            }
        }
        vain.into_iter().map(Unfit::OpensNothingThere).collect()
    }

    /// What becomes of a declaration, where nobody is told why: that is most of the work where it is made in vain.
    pub fn fate(&self, who: Visitor<'_>, declaration: &Declaration, channel: Channel, at: Timestamp) -> Fate {
        match self.weigh_briefly(who, declaration, channel, at) {
            Ok(Weighing::Granted { .. }) => Fate::Granted,
            Ok(Weighing::NeedsApproval { .. }) => Fate::NeedsApproval,
            Ok(Weighing::Refused(_)) => Fate::Refused,
            Ok(Weighing::Unfit(_)) | Err(_) => Fate::Unfit,
        }
    }

    /// The platforms of a declaration without those on which it would be made in vain; all of them where none is left, so that
    /// whoever makes it is told why.
    pub fn worth_declaring(
        &self,
        who: Visitor<'_>,
        declaration: &Declaration,
        channel: Channel,
        at: Timestamp,
    ) -> BTreeSet<PlatformId> {
        let mut left = declaration.clone();
        // a rule may look at the others that a grant is for
        while let Err(found) = self.weigh_briefly(who, &left, channel, at) {
            left.platforms.retain(|platform| !found.shut.contains(platform));
        }
        if left.platforms.is_empty() {
            declaration.platforms.clone()
        } else {
            left.platforms
        }
    }

    /// Whether a grant of `purpose` that covers no more than this could open something on each of these platforms.
    pub fn is_worth_declaring(
        &self,
        who: Visitor<'_>,
        purpose: &Purpose,
        (covers, platforms): (&BTreeSet<String>, &BTreeSet<PlatformId>),
        at: Timestamp,
    ) -> bool {
        let approver = purpose.supposed_approver(&who.person.id, who.person.manager.as_ref());
        let by = match &approver {
            Some(approver) if purpose.approval.is_needed() => By::Approval(approver),
            Some(_) | None => By::Declaring,
        };
        let grant = hypothetical(purpose, (&who.person.id, at), covers, by, platforms);
        let lasts = (by, at, purpose.default_for(covers));
        self.shut_under(who.person, (purpose, &grant), lasts).is_empty()
    }

    /// The platforms of a grant on which it could open nothing.
    fn shut_under<'g>(
        &self,
        person: &Person,
        (purpose, grant): (&Purpose, &'g Grant),
        lasts: (By<'_>, Timestamp, Duration),
    ) -> Vec<&'g PlatformId> {
        let Some(outlook) = self.outlook(person, (purpose, grant), lasts) else {
            return Vec::new();
        };
        if self.could_beside(&outlook, &|there| self.opens_any(there)) {
            return Vec::new();
        }
        let is_shut = |platform: &&PlatformId| !self.could(&outlook, platform, &|there| self.opens_any(there));
        grant.platforms.iter().filter(is_shut).collect()
    }

    /// The groups beyond those that a grant covers of which it could open something there if it covered all that its purpose
    /// does.
    fn further(
        &self,
        person: &Person,
        (purpose, grant): (&Purpose, &Grant),
        (by, at): (By<'_>, Timestamp),
        platform: &PlatformId,
    ) -> BTreeSet<String> {
        let left: BTreeSet<&String> = purpose.covers.difference(&grant.covers).collect();
        let wide = Grant {
            covers: purpose.covers.clone().into(),
            ..grant.clone()
        };
        let lasts = (by, at, purpose.default_for(&purpose.covers));
        let outlook = (!left.is_empty()).then(|| self.outlook(person, (purpose, &wide), lasts));
        let Some(outlook) = outlook.flatten() else {
            return BTreeSet::new();
        };
        let opens = |group: &&String| {
            let opens = |there: &There<'_>| self.opens_of(there, group);
            self.could(&outlook, platform, &opens) || self.could_beside(&outlook, &opens)
        };
        left.into_iter().filter(opens).cloned().collect()
    }

    /// What a grant that is come by so could open while it is in force; none where that cannot be told.
    pub(super) fn outlook(
        &self,
        person: &Person,
        (purpose, grant): (&Purpose, &Grant),
        (by, at, lasts): (By<'_>, Timestamp, Duration),
    ) -> Option<Outlook<'_>> {
        let given_by = match by {
            By::Approval(_) => working_time_after(at, purpose.answer_within, &person.time_zone),
            By::Declaring | By::Emergency => at,
        };
        self.policy.outlook(person, grant, (at, given_by.plus(lasts)))
    }

    /// Whether a grant could open something on a platform, going by `opens`, or on another of its family. Where no host of it
    /// is known, nobody can tell.
    pub(super) fn could(
        &self,
        outlook: &Outlook<'_>,
        platform: &PlatformId,
        opens: &dyn Fn(&There<'_>) -> bool,
    ) -> bool {
        let mut places = self.spots_of(platform).peekable();
        places.peek().is_none() || places.any(|places| outlook.could(places, opens))
    }

    /// The hosts of a platform, first, and of others of its family; none where none of its own is known.
    fn spots_of<'a>(&'a self, platform: &'a PlatformId) -> impl Iterator<Item = &'a Vec<Place>> {
        let at = |platform: &PlatformId| self.spots().get(&Some(platform.clone()));
        let own = at(platform);
        let family = self.catalog.relatives(platform).filter_map(at);
        own.into_iter().chain(family.filter(move |_| own.is_some()))
    }

    /// The same, one after the other.
    pub(super) fn places_of<'a>(&'a self, platform: &'a PlatformId) -> impl Iterator<Item = &'a Place> {
        self.spots_of(platform).flatten()
    }

    /// The same on hosts that belong to no platform, which are used with any.
    pub(super) fn could_beside(&self, outlook: &Outlook<'_>, opens: &dyn Fn(&There<'_>) -> bool) -> bool {
        let places = self.spots().get(&None);
        places.is_some_and(|places| outlook.could(places, opens))
    }

    /// Whether it opens any activity there that is worth a purpose, or the way where nobody reads.
    pub(super) fn opens_any(&self, there: &There<'_>) -> bool {
        let activities = self.policy.vocabulary().activities().keys();
        let mut worth_it = activities.filter(|activity| !self.catalog.goes_along(activity));
        there.passes_unread() || worth_it.any(|activity| there.opens(activity.as_str()))
    }

    /// Whether it opens an activity of a group there.
    pub(super) fn opens_of(&self, there: &There<'_>, group: &str) -> bool {
        let mut activities = self.policy.vocabulary().activities().iter();
        activities.any(|(activity, groups)| groups.contains(group) && there.opens(activity.as_str()))
    }

    /// Of each platform, and of none, the hosts that rules name, and one of each kind beside.
    fn spots(&self) -> &BTreeMap<Option<PlatformId>, Vec<Place>> {
        self.spots.get_or_init(|| {
            let named = self.policy.names_of(NamedKind::Site).into_iter();
            let named: BTreeSet<Host> = named.filter_map(|name| Host::parse(name).ok()).collect();
            let unlisted = Host::parse(UNLISTED).ok().map(|host| self.catalog.place(&host));
            let listed = self.catalog.places().into_iter().chain(unlisted);
            let mut kinds: BTreeSet<Kind> = BTreeSet::new();
            let of_each_kind = listed.filter(|place| {
                let is_of = (Arc::clone(&place.categories), Arc::clone(&place.roles));
                !named.contains(&place.host) && kinds.insert((place.platform.clone(), is_of.0, is_of.1))
            });
            let mut spots: BTreeMap<Option<PlatformId>, Vec<Place>> = BTreeMap::new();
            for place in of_each_kind.chain(named.iter().map(|host| self.catalog.place(host))) {
                spots.entry(place.platform.clone()).or_default().push(place);
            }
            spots
        })
    }

    /// Some platforms beside these on which it does open something now, those first that are known best.
    fn named_elsewhere(
        &self,
        who: (Visitor<'_>, &Arc<Person>),
        purpose: &Purpose,
        held: (&BTreeSet<String>, By<'_>),
        (vain, at): (&BTreeSet<PlatformId>, Timestamp),
    ) -> BTreeSet<PlatformId> {
        let mut others: Vec<&PlatformId> = purpose.platforms.iter().filter(|id| !vain.contains(*id)).collect();
        others.sort_by_key(|id| std::cmp::Reverse(self.catalog.signatures_of(id)));
        let opens = |platform: &&&PlatformId| {
            let bare = self.at_the_door(who, platform, at);
            bare.is_some_and(|bare| self.opens_something(&bare, purpose, held, (platform, &purpose.covers)))
        };
        others
            .iter()
            .filter(opens)
            .take(NAMED)
            .map(|id| (*id).clone())
            .collect()
    }

    /// What the rules say to whoever holds a grant of `purpose`, and does the mildest that it covers and that is not open
    /// anyway; none where all of that is.
    fn why_not(
        &self,
        who: (Visitor<'_>, &Arc<Person>),
        purpose: &Purpose,
        held: (&BTreeSet<String>, By<'_>),
        (platform, at): (&PlatformId, Timestamp),
    ) -> Option<Vec<Wording>> {
        let Some(bare) = self.at_the_door(who, platform, at) else {
            return Some(Vec::new());
        };
        let covered = GROUPS.iter().filter(|group| held.0.contains(**group));
        let mut mildest_first: Vec<&Activity> = Vec::new();
        for group in covered {
            let activities = self.policy.vocabulary().activities().iter();
            let activities = activities.filter(|(_, groups)| groups.contains(*group));
            mildest_first.extend(activities.map(|(activity, _)| activity));
        }
        let shut = self.in_front(&bare, |front| front.shut(&mildest_first).cloned());
        let shut = reading(shut.flatten()?);
        let judged = self.judge_as(&holding(&bare, purpose, held, platform), Some(&shut));
        let lasting = judged.reasons().iter().filter(|reason| reason.fix.is_none());
        Some(lasting.map(|reason| reason.text.clone()).take(1).collect())
    }
}

fn reading(activity: Activity) -> Reading {
    Reading {
        activities: BTreeSet::from([activity.clone()]),
        activity,
        signatures: BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::OnceLock;

    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};
    use proptest::test_runner::{Config, TestRunner};

    use super::*;
    use crate::facts::{
        Arrival, Ask, Door, GrantId, MethodName, NetworkName, Observation, PurposeId, SourceText, Standing, Subject,
    };
    use crate::policy::Policy;
    use crate::rulebook::{Assembled, Described, Sources};

    fn shipped() -> &'static Assembled {
        static SHIPPED: OnceLock<Assembled> = OnceLock::new();
        SHIPPED.get_or_init(|| Rulebook::assemble(&Sources::embedded()).unwrap())
    }

    /// Staff may reach and have read what they do on one platform, and declare what they like; nothing else is said.
    const BASE: &str = r#"
        @id("test.connect") @reason("R.") @owner("IT")
        permit (principal in Role::"staff", action == Action::"connect", resource in Platform::"linkedin");
        @id("test.inspect") @reason("R.") @owner("IT")
        permit (principal, action == Action::"inspect", resource in Platform::"linkedin");
    "#;

    /// What recruiters do is read under their purpose alone.
    const INSPECT_FOR_RECRUITING: &str = r#"
        @id("test.read-for-recruiting") @reason("R.") @owner("IT")
        permit (principal, action == Action::"inspect", resource in Platform::"linkedin")
        when { context has purpose && context.purpose.kind == PurposeKind::"recruiting" };
    "#;

    /// Whoever looks at the market reads.
    const READ_FOR_MARKET_RESEARCH: &str = r#"
        @id("test.market-research") @reason("R.") @owner("IT")
        permit (principal, action in Action::"read", resource in Platform::"linkedin")
        when { context has purpose && context.purpose.kind == PurposeKind::"market-research" };
    "#;

    fn rulebook(rules: &str) -> Rulebook {
        parsed(rules).unwrap_or_else(|| panic!("the schema does not take {rules}"))
    }

    /// These rules in the shipped world, beside the shipped ones on the portal; none where the schema does not take them.
    fn parsed(rules: &str) -> Option<Rulebook> {
        let mut sources = Sources::embedded();
        sources.rules.retain(|file| file.name.contains("40-portal"));
        sources.rules.push(SourceText::new("rules/99-test.cedar", rules));
        let shipped = shipped();
        let (policy, _) = Policy::parse(&sources.schema, &sources.rules, &shipped.world()).ok()?;
        Some(Rulebook {
            policy,
            catalog: Arc::clone(&shipped.rulebook.catalog),
            purposes: Arc::clone(&shipped.rulebook.purposes),
            id: shipped.rulebook.id.clone(),
            doors: OnceLock::new(),
            spots: OnceLock::new(),
        })
    }

    fn rule(number: usize, text: &str) -> String {
        format!("@id(\"rule.{number}\") @reason(\"R{number}.\") @owner(\"IT\")\n{text}\n")
    }

    /// A permit for whoever states that they look at the market, under one more condition.
    fn reading_where(condition: &str) -> String {
        let states = "context has purpose && context.purpose.kind == PurposeKind::\"market-research\"";
        let scope = "principal, action in Action::\"read\", resource in Platform::\"linkedin\"";
        format!(
            "{BASE}{}",
            rule(1, &format!("permit ({scope}) when {{ {states} && ({condition}) }};"))
        )
    }

    fn arrival(network: &str) -> Arrival {
        Arrival {
            door: Door::Plain,
            client: std::net::SocketAddr::from(([10, 0, 0, 7], 40_000)),
            network: NetworkName::new(network),
        }
    }

    fn weighed(rules: &Rulebook, (who, purpose): (&str, &str), at: &str) -> Weighing {
        let person = shipped().directory.person(&SubjectId::parse(who).unwrap()).unwrap();
        let subject = Subject {
            id: person.id.clone(),
            method: MethodName::Basic,
        };
        let id = PurposeId::new(purpose);
        let ticket = rules.purposes.get(&id).unwrap().ticket.as_ref();
        let declaration = Declaration {
            purpose: id.clone(),
            platforms: [PlatformId::new("linkedin")].into(),
            covers: None,
            statement: "A reason that says something".to_owned(),
            ticket: ticket.map(|rule| rule.example.clone()),
            duration: None,
        };
        let visitor = Visitor {
            person: &person,
            subject: &subject,
            arrival: &arrival("office"),
        };
        rules.weigh(visitor, &declaration, Channel::Portal, at.parse().unwrap())
    }

    /// Why it is refused as declared in vain; none where it is given, or asked for.
    fn vain_by(rules: &Rulebook, who: (&str, &str), at: &str) -> Option<Vain> {
        match weighed(rules, who, at) {
            Weighing::Granted { .. } | Weighing::NeedsApproval { .. } => None,
            Weighing::Unfit(unfit) => match &unfit[..] {
                [Unfit::OpensNothingThere(vain)] => Some(vain.clone()),
                [..] => panic!("{unfit:?}"),
            },
            Weighing::Refused(why) => panic!("{why:?}"),
        }
    }

    /// A Tuesday, 12:30 in Paris; what is declared to read lasts until 20:30.
    const TUESDAY: &str = "2026-11-24T11:30:00Z";

    fn vain(rules: &str) -> Option<Vain> {
        vain_by(&rulebook(rules), ("ada", "market-research"), TUESDAY)
    }

    #[test]
    fn a_purpose_is_given_whatever_the_rules_ask_of_those_who_use_it() {
        for condition in [
            r#"resource == Site::"learning.linkedin.com""#,
            r#"resource == Site::"nobody.lists.it.linkedin.com""#,
            r#"resource.host == "touch.linkedin.com""#,
            r#"resource.host like "*.licdn.com""#,
            r#"resource.serves.contains("media")"#,
            r#"resource.serves.contains("login") && !resource.serves.contains("media")"#,
            r#"context.proof.method == "certificate""#,
            "context.proof.strong",
            r#"context.client.network == "vpn""#,
            r#"context.client.ip.isInRange(ip("192.0.2.0/24"))"#,
            r#"context.request.method == "POST" && context.request.path like "/deep/*""#,
            r#"context.request has contentType && context.request.contentType == "text/csv""#,
            "context.request.bytes > 1000",
            r#"context.local.time >= duration("20h")"#,
            r#"context.local.weekday == 2 && context.local.time > duration("12h30m")"#,
            r#"context.now >= datetime("2026-11-24T19:00:00Z")"#,
            "context.local.weekday == 6 || context.proof.strong",
            r#"context.purpose.id like "0*""#,
            "context.purpose.expiresAt > context.now && !context.purpose.emergency",
            r#"context.purpose.covers == ["read"] && context.purpose.platforms == [Platform::"linkedin"]"#,
            r#"if context.proof.strong then context.local.time > duration("18h") else false"#,
            r#"principal in Role::"recruiter" && principal.employment == Employment::"employee""#,
        ] {
            assert_eq!(vain(&reading_where(condition)), None, "{condition}");
        }
        let states = "when { context has purpose && context.purpose.kind == PurposeKind::\"market-research\" };";
        for scope in [
            "principal, action in Action::\"read\", resource == Site::\"api.linkedin.com\"",
            "principal, action == Action::\"call\", resource in Platform::\"linkedin\"",
            "principal, action == Action::\"oauth\", resource == Site::\"www.linkedin.com\"",
            "principal == User::\"ada\", action == Action::\"download\", resource",
        ] {
            let rules = format!("{BASE}{}", rule(1, &format!("permit ({scope}) {states}")));
            assert_eq!(vain(&rules), None, "{scope}");
        }
    }

    #[test]
    fn a_purpose_is_refused_where_the_rules_surely_open_nothing() {
        for condition in [
            r#"context.local.time < duration("12h")"#,
            r#"context.local.time >= duration("20h30m")"#,
            "context.local.weekday >= 6",
            r#"context.now < datetime("2026-11-24T11:30:00Z") || context.now > datetime("2026-11-24T19:30:00Z")"#,
            r#"principal in Role::"engineer""#,
            r#"principal.employment == Employment::"intern" && context.proof.strong"#,
            r#"context.proof.strong && principal.region == "us""#,
            r#"resource in Category::"dating""#,
            r#"resource == Site::"x.com""#,
            r#"resource.serves.contains("ads") && resource.serves.contains("media")"#,
            "context.purpose has approvedBy",
            "context.purpose has ticket",
            "context.purpose.emergency",
            r#"context.purpose.covers.contains("publish")"#,
            r#"if context.proof.strong then principal in Role::"engineer" else false"#,
        ] {
            let found = vain(&reading_where(condition));
            assert!(found.is_some_and(|vain| !vain.is_open), "{condition}");
        }
        let states = "when { context has purpose && context.purpose.kind == PurposeKind::\"market-research\" };";
        for scope in [
            "principal, action in Action::\"read\", resource == Site::\"x.com\"",
            "principal, action in [Action::\"login\", Action::\"realtime\"], resource in Platform::\"linkedin\"",
            "principal == User::\"ben\", action in Action::\"read\", resource in Platform::\"linkedin\"",
        ] {
            let rules = format!("{BASE}{}", rule(1, &format!("permit ({scope}) {states}")));
            assert!(vain(&rules).is_some(), "{scope}");
        }
    }

    #[test]
    fn a_purpose_is_refused_that_opens_only_what_goes_along_with_other_activities() {
        let states = "when { context has purpose && context.purpose.kind == PurposeKind::\"market-research\" };";
        let activities = shipped().rulebook.policy.vocabulary().activities().keys();
        let opens_nothing = activities.filter(|activity| {
            let scope = format!("principal, action == Action::\"{activity}\", resource in Platform::\"linkedin\"");
            vain(&format!("{BASE}{}", rule(1, &format!("permit ({scope}) {states}")))).is_some()
        });
        let opens_nothing: Vec<&str> = opens_nothing.map(Activity::as_str).collect();
        assert_eq!(opens_nothing, ["embed", "login", "logout", "realtime", "telemetry"]);
    }

    #[test]
    fn what_forbids_it_for_good_is_why_and_what_can_be_mended_or_continued_past_is_no_reason() {
        let forbid = |with: &str, when: &str| {
            let text = "forbid (principal, action in Action::\"read\", resource in Platform::\"linkedin\")";
            let rules = reading_where("context.proof.strong || true");
            vain(&format!("{rules}{with}{}", rule(2, &format!("{text} {when};"))))
        };
        let found = forbid("", "when { principal in Role::\"recruiter\" }").unwrap();
        assert_eq!(found.why, ["R2.".into()]);
        assert!(found.elsewhere.is_empty());
        assert_eq!(forbid("", "when { context.client.network == \"guest\" }"), None);
        assert_eq!(forbid("", "unless { context.proof.strong }"), None);
        assert_eq!(forbid("@mode(\"coach\")", ""), None);
        assert_eq!(forbid("@mode(\"observe\")", ""), None);
        let untrained = "unless { principal.hasTag(\"data\") && principal.getTag(\"data\") > context.now }";
        assert_eq!(forbid("@fix(\"training:data\")", untrained), None);
    }

    #[test]
    fn what_must_be_approved_is_looked_at_until_it_ends_after_the_latest_answer() {
        let rules = |condition: &str| {
            let states = "context has purpose && context.purpose.kind == PurposeKind::\"brand-publishing\"";
            let scope = "principal, action in Action::\"publish\", resource in Platform::\"linkedin\"";
            let text = format!("permit ({scope}) when {{ {states} && {condition} }};");
            rulebook(&format!("{BASE}{}", rule(1, &text)))
        };
        // asked on Friday at 17:00, answered on Tuesday at 17:00 at the latest, and good for an hour
        let asked = |condition: &str| vain_by(&rules(condition), ("ben", "brand-publishing"), "2026-11-27T16:00:00Z");
        for condition in [
            "context.local.weekday == 1",
            r#"context.local.weekday == 2 && context.local.time >= duration("17h30m")"#,
            r#"context.purpose has approvedBy && context.purpose.approvedBy == User::"nora""#,
            "context.purpose has approvedBy && context.purpose.approvedBy != principal",
            r#"context.purpose.declaredAt > datetime("2026-11-30")"#,
        ] {
            assert_eq!(asked(condition), None, "{condition}");
        }
        for condition in [
            "context.local.weekday == 3",
            r#"context.local.weekday == 2 && context.local.time > duration("18h")"#,
            r#"!(context.purpose has approvedBy) && context.purpose.covers.contains("publish")"#,
        ] {
            assert!(asked(condition).is_some(), "{condition}");
        }
    }

    #[test]
    fn what_is_open_anyway_is_opened_by_no_purpose() {
        let free = |text: &str| {
            let rules = reading_where("context.purpose.covers.contains(\"read\")");
            vain(&format!("{rules}{}", rule(2, text)))
        };
        let scope = "principal, action in Action::\"read\", resource in Platform::\"linkedin\"";
        assert!(free(&format!("permit ({scope});")).unwrap().is_open);
        for condition in [
            "context.proof.strong",
            r#"context.client.network == "office""#,
            r#"context.local.time < duration("20h")"#,
            r#"resource.serves.contains("site")"#,
            r#"resource == Site::"www.linkedin.com""#,
        ] {
            let text = format!("permit ({scope}) when {{ {condition} }};");
            assert_eq!(free(&text), None, "{condition}");
        }
        // nobody reads what is done, and the way is open
        let unread = "forbid (principal, action == Action::\"inspect\", resource in Platform::\"linkedin\");";
        assert!(free(unread).unwrap().is_open);
        let way = |when: &str| {
            let states = "context has purpose && context.purpose.kind == PurposeKind::\"market-research\"";
            let scope = "principal, action == Action::\"connect\", resource in Platform::\"linkedin\"";
            vain(&rule(1, &format!("permit ({scope}) when {{ {states} && {when} }};")))
        };
        assert_eq!(way("context.proof.strong"), None);
        assert!(!way("principal in Role::\"engineer\"").unwrap().is_open);
    }

    #[test]
    fn a_purpose_is_given_where_another_grant_is_why_what_is_done_is_read() {
        let (connect, _) = BASE.split_once("@id(\"test.inspect\")").unwrap();
        let states = "context has purpose && context.purpose.kind == PurposeKind::\"market-research\"";
        let scope = "principal, action in Action::\"read\", resource in Platform::\"linkedin\"";
        let permit = rule(1, &format!("permit ({scope}) when {{ {states} }};"));
        let text = format!("{connect}{INSPECT_FOR_RECRUITING}{permit}");
        assert_eq!(vain(&text), None);
        // what is read for recruiters is shut to them, and open to those who state both
        let (rules, at) = (rulebook(&text), TUESDAY.parse().unwrap());
        let person = shipped().directory.person(&SubjectId::parse("ada").unwrap()).unwrap();
        let tried = Tried {
            url: "https://www.linkedin.com/feed/x",
            post: false,
            method: MethodName::Basic,
            network: "office",
            activity: Activity::new("browse"),
            minutes: 0,
            approver: "mia",
            beside: ("recruiting", ["read".to_owned()].into()),
        };
        let (grant, _) = given(&rules, (&person.id, "market-research"), &tried);
        let other = beside(&rules, &person.id, &tried, at);
        assert!(opened(&rules, &person, &tried, (&grant, Some(&other), at)));
        assert!(!opened(&rules, &person, &tried, (&grant, None, at)));
        // nobody reads it under any grant: the way is open, and that is all
        assert!(vain(&format!("{connect}{permit}")).unwrap().is_open);
    }

    #[test]
    fn a_purpose_is_given_where_what_is_open_anyway_fails_to_be_read_under_another_grant() {
        let (connect, _) = BASE.split_once("@id(\"test.inspect\")").unwrap();
        let read = |unless: &str| {
            let known = "context.purpose.kind == PurposeKind::\"market-research\"";
            let scope = "principal, action == Action::\"inspect\", resource in Platform::\"linkedin\"";
            format!("permit ({scope}) when {{ context has purpose && ({known} || {unless}) }};")
        };
        let free = "permit (principal, action in Action::\"read\", resource in Platform::\"linkedin\");";
        let rules = |unless: &str| format!("{connect}{}{}", rule(1, &read(unless)), rule(2, free));
        let failing = rules("context.local.weekday * 9223372036854775807 > 5");
        assert_eq!(vain(&failing), None);
        assert!(vain(&rules("context.local.weekday > 5")).unwrap().is_open);
        // nothing passes under the other one, and what is open anyway passes under both
        let (rules, at) = (rulebook(&failing), TUESDAY.parse().unwrap());
        let person = shipped().directory.person(&SubjectId::parse("ada").unwrap()).unwrap();
        let tried = Tried {
            url: "https://www.linkedin.com/feed/x",
            post: false,
            method: MethodName::Basic,
            network: "office",
            activity: Activity::new("browse"),
            minutes: 0,
            approver: "mia",
            beside: ("recruiting", ["read", "engage", "publish"].map(str::to_owned).into()),
        };
        let (grant, _) = given(&rules, (&person.id, "market-research"), &tried);
        let other = beside(&rules, &person.id, &tried, at);
        assert!(opened(&rules, &person, &tried, (&grant, Some(&other), at)));
    }

    #[test]
    fn a_purpose_is_offered_on_ones_own_page_for_what_it_could_open_and_is_not_open_anyway() {
        let person = shipped().directory.person(&SubjectId::parse("ada").unwrap()).unwrap();
        let subject = Subject {
            id: person.id.clone(),
            method: MethodName::Basic,
        };
        let reach = |text: &str| {
            let rules = rulebook(&format!("{BASE}{text}"));
            let visitor = Visitor {
                person: &person,
                subject: &subject,
                arrival: &arrival("office"),
            };
            let purpose = rules.purposes.get(&PurposeId::new("recruiting")).unwrap().clone();
            let (platforms, groups) = rules.reach(visitor, &purpose, TUESDAY.parse().unwrap());
            let platforms = platforms.iter().map(PlatformId::as_str).collect::<Vec<_>>().join(" ");
            (platforms, groups.into_iter().collect::<Vec<_>>().join(" "))
        };
        let states = "when { context has purpose && context.purpose.kind == PurposeKind::\"recruiting\" };";
        let told = |platforms: &str, groups: &str| (platforms.to_owned(), groups.to_owned());
        let one_host = "permit (principal, action == Action::\"post\", resource == Site::\"touch.linkedin.com\")";
        assert_eq!(
            reach(&rule(1, &format!("{one_host} {states}"))),
            told("linkedin", "publish")
        );
        let all = "permit (principal, action, resource in Platform::\"linkedin\")";
        let all = rule(1, &format!("{all} {states}"));
        assert_eq!(reach(&all), told("linkedin", "engage publish read"));
        let free = rule(
            2,
            "permit (principal, action in [Action::\"read\", Action::\"engage\"], resource in Platform::\"linkedin\");",
        );
        assert_eq!(reach(&format!("{all}{free}")), told("linkedin", "publish"));
        assert_eq!(reach(&free), told("", ""));
    }

    fn as_ada<T>(act: impl FnOnce(Visitor<'_>) -> T) -> T {
        let person = shipped().directory.person(&SubjectId::parse("ada").unwrap()).unwrap();
        let subject = Subject {
            id: person.id.clone(),
            method: MethodName::Basic,
        };
        act(Visitor {
            person: &person,
            subject: &subject,
            arrival: &arrival("office"),
        })
    }

    /// What is found for somebody who may state a purpose, by these rules and what lets everybody reach and read one platform.
    fn reached(text: &str, purpose: &str, at_least: &str) -> (BTreeSet<PlatformId>, BTreeSet<String>) {
        let rules = rulebook(&format!("{at_least}{text}"));
        let purpose = rules.purposes.get(&PurposeId::new(purpose)).unwrap();
        as_ada(|visitor| rules.reach(visitor, purpose, TUESDAY.parse().unwrap()))
    }

    #[test]
    fn a_purpose_is_offered_also_where_a_rule_wants_less_than_all_that_can_be_stated() {
        let states = "context has purpose && context.purpose.kind == PurposeKind::\"recruiting\"";
        let scope = "principal, action in Action::\"read\", resource in Platform::\"linkedin\"";
        let found = |condition: &str| {
            let text = rule(1, &format!("permit ({scope}) when {{ {states} && {condition} }};"));
            let (platforms, groups) = reached(&text, "recruiting", BASE);
            (platforms.len(), groups.into_iter().collect::<Vec<_>>().join(" "))
        };
        for narrow in [
            r#"context.purpose.covers == ["read"]"#,
            r#"!context.purpose.covers.contains("publish")"#,
            r#"context.purpose.platforms == [Platform::"linkedin"]"#,
            r#"!context.purpose.platforms.contains(Platform::"xing")"#,
            r#"context.purpose has ticket && context.purpose.ticket like "HR-9*""#,
            "!(context.purpose has ticket)",
        ] {
            assert_eq!(found(narrow), (1, "read".to_owned()), "{narrow}");
        }
        for never in [
            r#"context.purpose.covers == ["administer"]"#,
            r#"context.purpose.platforms == [Platform::"tinder"]"#,
            r#"context.purpose.covers == ["publish"]"#,
            "context.purpose.emergency",
        ] {
            let (platforms, _) = found(never);
            assert_eq!(platforms, usize::from(never.contains("publish")), "{never}");
        }
    }

    #[test]
    fn in_an_emergency_a_purpose_is_offered_for_what_it_could_open_within_the_hour() {
        let states = "context has purpose && context.purpose.kind == PurposeKind::\"recruiting\"";
        let scope = "principal, action in Action::\"read\", resource in Platform::\"linkedin\"";
        let offered = |condition: &str| {
            let permit = rule(1, &format!("permit ({scope}) when {{ {states} && {condition} }};"));
            let shipped = Sources::embedded();
            let emergencies = shipped
                .rules
                .iter()
                .find(|file| file.name.contains("50-break-glass"))
                .unwrap();
            let (_, hour) = emergencies.text.split_once("@id(\"guard.emergency-hour\")").unwrap();
            let all = "permit (principal, action == Action::\"break-glass\", resource);";
            let rules = rulebook(&format!("{BASE}{permit}{}@id(\"hour\"){hour}", rule(2, all)));
            let purpose = rules.purposes.get(&PurposeId::new("recruiting")).unwrap();
            let (platforms, _) = as_ada(|visitor| rules.reach_in_emergency(visitor, purpose, TUESDAY.parse().unwrap()));
            !platforms.is_empty()
        };
        for condition in [
            "context.purpose.emergency",
            r#"context.local.time >= duration("13h29m")"#,
            r#"context.now >= datetime("2026-11-24T12:29:00Z")"#,
            r#"context.now < context.purpose.declaredAt.offset(duration("10m"))"#,
        ] {
            assert!(offered(condition), "{condition}");
        }
        for condition in [
            r#"context.local.time >= duration("13h30m")"#,
            r#"context.now >= datetime("2026-11-24T12:30:00Z")"#,
            r#"context.now < datetime("2026-11-24T11:30:00Z")"#,
        ] {
            assert!(!offered(condition), "{condition}");
        }
    }

    #[test]
    fn what_is_used_with_a_platform_counts_as_opened_there() {
        let states = "when { context has purpose && context.purpose.kind == PurposeKind::\"market-research\" };";
        let connect = rule(
            1,
            "permit (principal, action in [Action::\"connect\", Action::\"inspect\"], resource);",
        );
        let opened = |resource: &str| {
            let text = format!("permit (principal, action in Action::\"read\", {resource}) {states}");
            vain(&format!("{connect}{}", rule(2, &text)))
        };
        assert!(opened("resource in Platform::\"tinder\"").is_some());
        let own = PlatformId::new("linkedin");
        let family: Vec<&PlatformId> = shipped().rulebook.catalog.relatives(&own).collect();
        assert!(!family.is_empty());
        for relative in family {
            assert_eq!(
                opened(&format!("resource in Platform::\"{relative}\"")),
                None,
                "{relative}"
            );
        }
        assert_eq!(
            opened("resource == Site::\"cdn.example\""),
            None,
            "a host of no platform"
        );
    }

    #[test]
    fn whoever_takes_all_platforms_is_told_only_where_none_is_left() {
        let states = |group: &str| {
            let purpose = "context has purpose && context.purpose.kind == PurposeKind::\"recruiting\"";
            format!("when {{ {purpose} && context.purpose.covers.contains(\"{group}\") }};")
        };
        let permit = |actions: &str, platform: &str| {
            format!("permit (principal, action in {actions}, resource in Platform::\"{platform}\")")
        };
        let reach = "[Action::\"connect\", Action::\"inspect\"]";
        let text = [
            rule(1, &format!("{};", permit(reach, "linkedin"))),
            rule(2, &format!("{};", permit(reach, "xing"))),
            rule(
                3,
                &format!("{} {}", permit("Action::\"read\"", "linkedin"), states("read")),
            ),
            rule(
                4,
                &format!("{} {}", permit("Action::\"post\"", "xing"), states("publish")),
            ),
        ];
        let rules = rulebook(&text.concat());
        let both: BTreeSet<PlatformId> = ["linkedin", "xing"].map(PlatformId::new).into();
        let left = |covers: &str| {
            let declaration = Declaration {
                purpose: PurposeId::new("recruiting"),
                platforms: both.clone(),
                covers: Some(covers.split(' ').map(str::to_owned).collect()),
                statement: "A reason that says something".to_owned(),
                ticket: Some("HR-1".to_owned()),
                duration: None,
            };
            let (at, by) = (TUESDAY.parse().unwrap(), Channel::Portal);
            let left = as_ada(|visitor| rules.worth_declaring(visitor, &declaration, by, at));
            let told = as_ada(|visitor| rules.weigh(visitor, &declaration, by, at));
            let unfit = if let Weighing::Unfit(unfit) = told {
                unfit
            } else {
                Vec::new()
            };
            let names = left.iter().map(PlatformId::as_str).collect::<Vec<_>>().join(" ");
            (names, unfit)
        };
        assert_eq!(left("publish read"), ("linkedin xing".to_owned(), Vec::new()));
        let (names, unfit) = left("read");
        assert_eq!(names, "linkedin");
        let [Unfit::OpensNothingThere(vain)] = &unfit[..] else {
            panic!("{unfit:?}")
        };
        assert_eq!(
            (vain.platforms.len(), &vain.further),
            (1, &["publish".to_owned()].into())
        );
        // together, and each reason once
        let (names, unfit) = left("engage");
        assert_eq!((names.as_str(), unfit.len()), ("linkedin xing", 2), "{unfit:?}");
    }

    /// What a rule may ask, of any flow.
    const ASKED: &[&str] = &[
        r#"(context has purpose && context.purpose.kind == PurposeKind::"market-research")"#,
        r#"(context has purpose && context.purpose.kind != PurposeKind::"recruiting")"#,
        "(context has purpose && context.purpose has approvedBy && context.purpose.approvedBy != principal)",
        r#"(context has purpose && context.purpose has approvedBy && context.purpose.approvedBy == User::"nora")"#,
        r#"(context has purpose && context.purpose.covers.contains("publish"))"#,
        r#"(context has purpose && context.purpose.declaredAt.offset(duration("2h")) > context.now)"#,
        "(context has purpose && context.purpose.emergency)",
        "(context has purpose)",
        r#"resource == Site::"touch.linkedin.com""#,
        r#"resource.host like "*.licdn.com""#,
        r#"resource.serves.contains("media")"#,
        r#"resource in Category::"professional""#,
        r#"resource in Platform::"x""#,
        r#"principal in Role::"recruiter""#,
        r#"principal in Role::"engineer""#,
        r#"principal.hasTag("social-media")"#,
        r#"(principal.hasTag("social-media") && principal.getTag("social-media") > context.now)"#,
        "context.proof.strong",
        r#"context.client.network == "guest""#,
        "context.local.weekday == 2",
        "context.local.weekday >= 6",
        r#"context.local.time < duration("14h")"#,
        r#"context.local.time >= duration("19h")"#,
        r#"context.now < datetime("2026-11-24T13:00:00Z")"#,
        "context.local.weekday * 9223372036854775807 > 5",
    ];

    /// ... and of what is asked about a request.
    const ASKED_OF_REQUESTS: &[&str] = &[
        r#"context.request.method == "POST""#,
        r#"context.request.path like "/feed/*""#,
    ];

    fn some_rule() -> impl Strategy<Value = String> {
        let action = select(vec![
            "action in Action::\"read\"",
            "action in Action::\"activity\"",
            "action == Action::\"post\"",
            "action == Action::\"call\"",
            "action == Action::\"connect\"",
            "action == Action::\"inspect\"",
        ]);
        let place = select(vec![
            "resource in Platform::\"linkedin\"",
            "resource in Category::\"social-media\"",
            "resource == Site::\"api.linkedin.com\"",
        ]);
        let of_request: Vec<&str> = ASKED.iter().chain(ASKED_OF_REQUESTS).copied().collect();
        let atoms = (
            prop::collection::vec(select(ASKED), 1..4),
            prop::collection::vec(select(of_request), 1..4),
        );
        let joined = (
            select(vec![" && ", " && ", " || "]),
            prop::bool::weighted(0.2),
            prop::bool::weighted(0.2),
        );
        let how = (
            prop::bool::weighted(0.25),
            select(vec!["", "", "", "@mode(\"coach\") ", "@mode(\"observe\") "]),
        );
        (action, place, atoms, joined, how).prop_map(|(action, place, atoms, (join, negated, unless), how)| {
            let is_before = action.contains("connect") || action.contains("inspect");
            let (atoms, mode) = if is_before { (atoms.0, "") } else { (atoms.1, how.1) };
            let condition = atoms.join(join);
            let condition = if negated { format!("!({condition})") } else { condition };
            let (word, effect) = (
                if unless { "unless" } else { "when" },
                if how.0 { "forbid" } else { "permit" },
            );
            format!("{mode}{effect} (principal, {action}, {place}) {word} {{ {condition} }};")
        })
    }

    /// A request, under whose approval, and what is held beside.
    #[derive(Clone, Debug)]
    struct Tried {
        url: &'static str,
        post: bool,
        method: MethodName,
        network: &'static str,
        activity: Activity,
        minutes: u64,
        approver: &'static str,
        beside: (&'static str, BTreeSet<String>),
    }

    fn some_request() -> impl Strategy<Value = Tried> {
        let urls = select(vec![
            "https://www.linkedin.com/feed/x",
            "https://touch.linkedin.com/",
            "https://api.linkedin.com/rest/x",
            "https://nobody.lists.it.linkedin.com/feed/x",
            "https://media.licdn.com/a.png",
            "https://px.ads.linkedin.com/",
        ]);
        let rules = &shipped().rulebook;
        let words = rules.policy.vocabulary().activities().keys();
        let worth_it = words.filter(|activity| !rules.catalog.goes_along(activity));
        let activities: Vec<Activity> = worth_it.cloned().collect();
        let proof = select(vec![MethodName::Basic, MethodName::Certificate]);
        let network = select(vec!["office", "guest"]);
        let approver = select(vec!["mia", "nora"]);
        let covers = subsequence(vec!["read", "engage", "publish"], 1..=3);
        let beside = (
            select(vec!["market-research", "recruiting", "brand-publishing"]),
            covers,
        );
        let rest = (select(activities), 0_u64..=1, 0_u64..6 * 24 * 60, approver, beside);
        (urls, proof, network, rest).prop_map(|(url, method, network, rest)| {
            let (activity, post, minutes, approver, (purpose, covers)) = rest;
            Tried {
                url,
                post: post == 1,
                method,
                network,
                activity,
                minutes,
                approver,
                beside: (purpose, covers.into_iter().map(str::to_owned).collect()),
            }
        })
    }

    /// Whether what is tried passes for somebody who holds these; where a rule fails, nothing does.
    fn passes(rules: &Rulebook, person: &Arc<Person>, tried: &Tried, (held, at): (&[&Grant], Timestamp)) -> bool {
        let described = Described {
            to: tried.url.to_owned(),
            method: Some(if tried.post { "POST" } else { "GET" }.to_owned()),
            ..Described::default()
        };
        let seen = Observation {
            arrival: arrival(tried.network),
            subject: Some(Subject {
                id: person.id.clone(),
                method: tried.method,
            }),
            person: Some(Arc::clone(person)),
            ask: rules.ask_of(&described).unwrap(),
            standing: Standing::new(held.iter().copied().cloned(), at),
            selected: None,
            at,
        };
        let mut judged = rules.judge_as(&seen, Some(&reading(tried.activity.clone())));
        if !judged.inspect() && judged.troubles().is_empty() {
            let tunnel = Ask::Connect(seen.ask.authority().clone());
            judged = rules.judge(&Observation { ask: tunnel, ..seen });
        }
        judged.is_allowed()
    }

    /// Whether a grant lets pass what does not pass without it.
    fn opened(
        rules: &Rulebook,
        person: &Arc<Person>,
        tried: &Tried,
        (grant, beside, at): (&Grant, Option<&Grant>, Timestamp),
    ) -> bool {
        let without: Vec<&Grant> = beside.into_iter().collect();
        let with: Vec<&Grant> = beside.into_iter().chain([grant]).collect();
        passes(rules, person, tried, (&with, at)) && !passes(rules, person, tried, (&without, at))
    }

    /// What somebody could be given for a purpose so long after it was stated, and when that would be tried.
    fn given(rules: &Rulebook, (who, purpose): (&SubjectId, &str), tried: &Tried) -> (Grant, Timestamp) {
        let from: Timestamp = TUESDAY.parse().unwrap();
        let terms = rules.purposes.get(&PurposeId::new(purpose)).unwrap();
        let (lasts, approved) = (terms.default_for(&terms.covers), terms.approval.is_needed());
        let within = if approved { terms.answer_within + lasts } else { lasts };
        let later = Duration::from_mins(tried.minutes % (within.as_secs() / 60));
        let at = from.plus(later);
        let given = if approved { at } else { from };
        let approver = SubjectId::parse(tried.approver).unwrap();
        let by = if approved {
            By::Approval(&approver)
        } else {
            By::Declaring
        };
        let linkedin = PlatformId::new("linkedin");
        let grant = Grant {
            id: GrantId::new("0-given"),
            expires: given.plus(lasts),
            ..hypothetical(terms, (who, given), &terms.covers, by, [&linkedin])
        };
        (grant, at)
    }

    /// Another grant that they may hold meanwhile.
    fn beside(rules: &Rulebook, who: &SubjectId, tried: &Tried, at: Timestamp) -> Grant {
        let (purpose, covers) = &tried.beside;
        let terms = rules.purposes.get(&PurposeId::new(*purpose)).unwrap();
        let approver = SubjectId::parse(tried.approver).unwrap();
        let by = if terms.approval.is_needed() {
            By::Approval(&approver)
        } else {
            By::Declaring
        };
        Grant {
            id: GrantId::new("1-beside"),
            ..hypothetical(terms, (who, at), covers, by, [&PlatformId::new("linkedin")])
        }
    }

    #[test]
    fn where_a_purpose_is_refused_as_vain_no_request_passes_under_it_that_would_not_without() {
        let kinds = select(vec![
            ("ada", "market-research"),
            ("ada", "recruiting"),
            ("ben", "brand-publishing"),
        ]);
        let base = vec![
            "test.connect",
            "test.inspect",
            "test.read-for-recruiting",
            "test.market-research",
        ];
        let base = subsequence(base, 0..=4);
        let rules = prop::collection::vec(some_rule(), 1..6);
        let tried = prop::collection::vec(some_request(), 30);
        let (vain, useful) = (Cell::new(0), Cell::new(0));
        let mut runner = TestRunner::new(Config {
            cases: Config::default().cases.max(300),
            max_shrink_iters: 100,
            failure_persistence: None,
            ..Config::default()
        });
        let came_to = runner.run(&(kinds, base, rules, tried), |((who, purpose), base, rules, tried)| {
            let known = format!("{BASE}{INSPECT_FOR_RECRUITING}{READ_FOR_MARKET_RESEARCH}");
            let kept = known
                .split("@id(")
                .filter(|text| base.iter().any(|id| text.contains(id)));
            let kept: String = kept.map(|text| format!("@id({text}")).collect();
            let rules = rules.iter().enumerate().map(|(number, text)| rule(number, text));
            let rules = kept + &rules.collect::<String>();
            let Some(rulebook) = parsed(&rules) else { return Ok(()) };
            match weighed(&rulebook, (who, purpose), TUESDAY) {
                Weighing::Unfit(unfit) if matches!(unfit[..], [Unfit::OpensNothingThere(_)]) => {
                    vain.set(vain.get() + 1);
                }
                Weighing::Granted { .. } | Weighing::NeedsApproval { .. } => {
                    useful.set(useful.get() + 1);
                    return Ok(());
                }
                Weighing::Unfit(_) | Weighing::Refused(_) => return Ok(()),
            }
            let person = shipped().directory.person(&SubjectId::parse(who).unwrap()).unwrap();
            for tried in tried {
                let (grant, at) = given(&rulebook, (&person.id, purpose), &tried);
                let other = beside(&rulebook, &person.id, &tried, at);
                let opened = |beside| opened(&rulebook, &person, &tried, (&grant, beside, at));
                prop_assert!(!opened(None), "{tried:?} at {at}: {rules}");
                prop_assert!(!opened(Some(&other)), "beside another, {tried:?} at {at}: {rules}");
            }
            Ok(())
        });
        if let Err(why) = came_to {
            panic!("{}", why.to_string().lines().take(20).collect::<Vec<_>>().join("\n"));
        }
        let (vain, useful) = (vain.get(), useful.get());
        assert!(vain > 20 && useful > 20, "{vain} refused, {useful} given");
    }
}

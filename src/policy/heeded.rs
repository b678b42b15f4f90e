//! What of the circumstances rules look at: at which moments their answers can change, and which networks and courses
//! they name. For replaying and explaining; a decision never asks for it.

use std::collections::BTreeSet;
use std::time::Duration;

use cedar_policy::ActionConstraint;
use serde_json::Value;

use super::apart::{clauses, path, read, sides};
use super::request::wall_clock;
use super::rule::{Rule, moment};
use super::values::milliseconds;
use super::{Named, NamedKind, Policy, Power};
use crate::clock::Timestamp;
use crate::facts::{Grant, Person};

/// What rules look at.
#[derive(Debug, Default)]
pub(super) struct Heeded {
    /// Times of the day, in milliseconds since midnight, that rules compare the wall clock with.
    pub(super) hours: BTreeSet<i64>,
    pub(super) wall: WallClock,
    /// Moments that rules compare the present with, and those at which they expire.
    pub(super) moments: BTreeSet<Timestamp>,
    /// So long after a grant was declared, or expires, in milliseconds, is what rules compare the present with.
    spans: BTreeSet<i64>,
    /// Whether rules do more with time than to compare it: then no two moments are alike.
    pub(super) opaque: bool,
    /// Whether rules look at the request beyond what it does.
    request: bool,
    origin: Origin,
    /// The courses that the rule asks for that is being read ...
    courses: BTreeSet<String>,
    /// ... and those of all, each with the place of its rule in their order.
    asked: Vec<(usize, String)>,
}

/// What rules look at of the wall clock, beside times of the day.
#[derive(Debug, Default)]
pub(super) struct WallClock {
    /// Whether they look at the day of the week.
    weekday: bool,
    /// Whether they do more with it than to compare it: then no two times of the day are alike.
    pub(super) opaque: bool,
}

/// What rules look at of where somebody comes from.
#[derive(Debug, Default)]
struct Origin {
    /// The networks that they name.
    networks: BTreeSet<String>,
    /// Whether they look further than whether the network is one of those.
    further: bool,
}

/// A stretch of time in which the rules' answers to the same question do not change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stretch(Vec<usize>);

/// What answers about an approval can hang on.
#[derive(Debug)]
pub struct Approving<'a> {
    /// The networks that rules name.
    pub networks: &'a BTreeSet<String>,
    /// When the answers can change, in order.
    pub moments: Vec<Timestamp>,
}

/// So long after a moment the search for what would help supposes a training to be valid.
const SUPPOSED: Duration = Duration::from_hours(24);

impl Policy {
    /// The stretch that `at` is in, for a question about this person under these grants; none where every moment may get
    /// another answer.
    pub fn stretch(&self, person: Option<&Person>, grants: &[Grant], at: Timestamp) -> Option<Stretch> {
        if self.heeded().opaque {
            return None;
        }
        let mut marks = self.sides(person, at)?;
        for grant in grants {
            marks.extend(self.heeded().moments_of(grant).map(|edge| side(edge, at)));
        }
        Some(Stretch(marks))
    }

    /// On which side `at` lies of all that rules compare the time with, for this person.
    pub(super) fn sides(&self, person: Option<&Person>, at: Timestamp) -> Option<Vec<usize>> {
        let heeded = self.heeded();
        let mut marks = vec![rank(&heeded.moments, &at)];
        if let Some(person) = person {
            if heeded.wall.weekday || !heeded.hours.is_empty() {
                let (since_midnight, weekday) = wall_clock(&self.nouns.zone(person).ok()?, at);
                marks.push(rank(&heeded.hours, &since_midnight));
                marks.push(usize::try_from(weekday).ok()?);
            }
            for until in person.training.values() {
                marks.push(side(*until, at));
                marks.push(side(*until, at.plus(SUPPOSED)));
            }
        }
        Some(marks)
    }

    /// Moments after `at` at which the answer to a question about this person can change, within a week and in order;
    /// beyond that, only what does not come round again.
    pub fn edges(&self, person: &Person, grants: &[Grant], at: Timestamp) -> Vec<Timestamp> {
        self.edges_of(self.heeded(), person, grants, at)
    }

    fn edges_of(&self, heeded: &Heeded, person: &Person, grants: &[Grant], at: Timestamp) -> Vec<Timestamp> {
        let mut edges: BTreeSet<Timestamp> = heeded.moments.clone();
        edges.extend(person.training.values());
        edges.extend(grants.iter().flat_map(|grant| heeded.moments_of(grant)));
        if let Ok(zone) = self.nouns.zone(person) {
            let (since_midnight, _) = wall_clock(&zone, at);
            let midnight = at.as_millis() - since_midnight;
            let times: BTreeSet<i64> = heeded.hours.iter().copied().chain([0]).collect();
            let days = 0..=7_i64;
            let daily = days.flat_map(|day| times.iter().map(move |time| midnight + day * DAY + time));
            edges.extend(daily.map(Timestamp::from_millis));
        }
        edges.split_off(&at).into_iter().filter(|edge| *edge != at).collect()
    }

    /// From which networks and at which moments before `until` the rules on approvals may come to different answers to this
    /// person, `at` and none of the networks that they name aside; none where that cannot be told in advance.
    pub fn approving(&self, person: &Person, at: Timestamp, until: Timestamp) -> Option<Approving<'_>> {
        let heeded = self.approvals.get_or_init(|| {
            let approve = self.nouns.action(Power::Approve.as_str());
            self.heeded_by(|scope| match scope {
                ActionConstraint::Any => true,
                ActionConstraint::Eq(named) => named == approve,
                ActionConstraint::In(named) => named
                    .iter()
                    .any(|named| *named == approve || self.book.actions.is_ancestor_of(named, &approve)),
            })
        });
        let edges = || self.edges_of(heeded, person, &[], at).into_iter();
        (!heeded.opaque && !heeded.origin.further).then(|| Approving {
            networks: &heeded.origin.networks,
            moments: edges().take_while(|edge| *edge < until).collect(),
        })
    }

    /// Whether rules look at the request (its method, path, length, type) beyond what it does and where.
    pub fn heeds_requests(&self) -> bool {
        self.heeded().request
    }

    /// The networks that rules name.
    pub fn networks(&self) -> &BTreeSet<String> {
        &self.heeded().origin.networks
    }

    /// The courses that rules ask for.
    pub fn courses(&self) -> BTreeSet<&str> {
        self.courses_of_rules().map(|(_, course)| course).collect()
    }

    /// The same, each with a rule that asks for it.
    pub fn courses_of_rules(&self) -> impl Iterator<Item = (&Rule, &str)> {
        let asked = self.heeded().asked.iter();
        asked.filter_map(|(number, course)| Some((self.rules.get(*number)?, course.as_str())))
    }

    /// The names of one kind that rules mention, each once.
    pub fn names_of(&self, kind: NamedKind) -> BTreeSet<&str> {
        let named = self.named.iter().filter(|named: &&Named| named.kind == kind);
        named.map(|named| named.id.as_str()).collect()
    }

    pub(super) fn heeded(&self) -> &Heeded {
        self.heeded.get_or_init(|| self.heeded_by(|_| true))
    }

    /// What those rules look at that speak of some actions.
    fn heeded_by(&self, speaks: impl Fn(ActionConstraint) -> bool) -> Heeded {
        let mut heeded = Heeded::default();
        let rules = self.engine.policies().iter().zip(&self.rules).enumerate();
        for (number, (policy, rule)) in rules.filter(|(_, (policy, _))| speaks(policy.action_constraint())) {
            heeded.moments.extend(rule.expires);
            if let Ok(json) = read(policy) {
                let bodies = clauses(&json).filter_map(|one| one.get("body"));
                bodies.for_each(|body| heeded.read(body));
                let courses = std::mem::take(&mut heeded.courses);
                heeded.asked.extend(courses.into_iter().map(|course| (number, course)));
            } else {
                (heeded.opaque, heeded.wall.opaque, heeded.request) = (true, true, true);
            }
        }
        heeded
    }
}

const DAY: i64 = 24 * 60 * 60 * 1000;

/// How many marks lie before `value`, and whether it is on one.
fn rank<T: Ord>(marks: &BTreeSet<T>, value: &T) -> usize {
    2 * marks.range(..value).count() + usize::from(marks.contains(value))
}

/// On which side of `at` an edge lies.
fn side(edge: Timestamp, at: Timestamp) -> usize {
    usize::from(edge <= at) + usize::from(edge < at)
}

/// What stands on one side of a comparison.
#[derive(PartialEq)]
enum Side {
    Now,
    WallClock,
    Moment(Option<Timestamp>),
    Span(Option<i64>),
    /// A moment that the person or the grant brings along.
    Brought,
    /// So long after one of the grant's.
    After(i64),
    Other,
}

const COMPARING: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];
/// What tells the time, or holds what does.
const TELLING: [&str; 7] = [
    "context",
    "context.now",
    "context.local",
    "context.local.time",
    "context.purpose",
    "context.purpose.declaredAt",
    "context.purpose.expiresAt",
];
/// Those of them that tell what the wall clock shows.
const TELLING_WALL: [&str; 3] = ["context", "context.local", "context.local.time"];

impl Heeded {
    /// The moments at which a grant can make a difference.
    fn moments_of(&self, grant: &Grant) -> impl Iterator<Item = Timestamp> {
        let (declared, expires) = (grant.declared_at, grant.expires);
        let later = self.spans.iter().flat_map(move |span| {
            let after = |at: Timestamp| Timestamp::from_millis(at.as_millis().saturating_add(*span));
            [declared, expires].map(after)
        });
        [grant.not_before, declared, expires].into_iter().chain(later)
    }

    fn read(&mut self, body: &Value) {
        self.look(body);
        self.name(body);
    }

    /// What it does with time.
    fn look(&mut self, expression: &Value) {
        if let Some((left, right)) = COMPARING.iter().find_map(|operator| sides(expression, operator))
            && self.compared(&side_of(left), &side_of(right))
        {
            return;
        }
        if let Some(path) = path(expression) {
            self.wall.weekday |= path == "context.local.weekday";
            self.request |= path == "context" || path.starts_with("context.request");
            self.opaque |= TELLING.contains(&path.as_str());
            self.wall.opaque |= TELLING_WALL.contains(&path.as_str());
            return;
        }
        if let Some(path) = expression.pointer("/has/left").and_then(path) {
            // whether something is there does not depend on the time
            self.request |= path.starts_with("context.request");
            return;
        }
        match expression {
            Value::Object(members) => members.values().for_each(|inner| self.look(inner)),
            Value::Array(items) => items.iter().for_each(|inner| self.look(inner)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Whether it is a comparison of times that can be told in advance.
    fn compared(&mut self, left: &Side, right: &Side) -> bool {
        match (left, right) {
            (Side::Now, Side::Moment(Some(moment))) | (Side::Moment(Some(moment)), Side::Now) => {
                self.moments.insert(*moment);
                true
            }
            (Side::WallClock, Side::Span(Some(span))) | (Side::Span(Some(span)), Side::WallClock) => {
                self.hours.insert(*span);
                true
            }
            (Side::Now, Side::Brought) | (Side::Brought, Side::Now) => true,
            (Side::Now, Side::After(span)) | (Side::After(span), Side::Now) => {
                self.spans.insert(*span);
                true
            }
            (
                Side::Now
                | Side::WallClock
                | Side::Moment(_)
                | Side::Span(_)
                | Side::Brought
                | Side::After(_)
                | Side::Other,
                Side::Now
                | Side::WallClock
                | Side::Moment(_)
                | Side::Span(_)
                | Side::Brought
                | Side::After(_)
                | Side::Other,
            ) => false,
        }
    }

    /// The networks and courses that it names, and whether where somebody comes from is looked at otherwise.
    fn name(&mut self, expression: &Value) {
        for operator in ["getTag", "hasTag"] {
            let tag = expression.get(operator).and_then(|tag| tag.pointer("/right/Value"));
            self.courses.extend(tag.and_then(Value::as_str).map(str::to_owned));
        }
        for operator in COMPARING.iter().chain(&["contains"]) {
            let Some((left, right)) = sides(expression, operator) else {
                continue;
            };
            let network = |side: &Value| path(side).is_some_and(|path| path == "context.client.network");
            if network(left) || network(right) {
                texts(left, &mut self.origin.networks);
                texts(right, &mut self.origin.networks);
                if is_text(left) || is_text(right) {
                    return;
                }
            }
        }
        if let Some(path) = path(expression) {
            self.origin.further |= path == "context" || path == "context.client" || path.starts_with("context.client.");
            return;
        }
        if expression.pointer("/has/left").and_then(path).is_some() {
            return;
        }
        match expression {
            Value::Object(members) => members.values().for_each(|inner| self.name(inner)),
            Value::Array(items) => items.iter().for_each(|inner| self.name(inner)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

fn side_of(expression: &Value) -> Side {
    match path(expression).as_deref() {
        Some("context.now") => return Side::Now,
        Some("context.local.time") => return Side::WallClock,
        Some("context.purpose.declaredAt" | "context.purpose.expiresAt") => return Side::Brought,
        Some(_) | None => {}
    }
    if let Some(span) = expression.get("offset").and_then(after_one_of_the_grants) {
        return Side::After(span);
    }
    if expression.pointer("/getTag/left/Var").and_then(Value::as_str) == Some("principal") {
        return Side::Brought;
    }
    let literal = |function: &str| expression.get(function)?.pointer("/0/Value")?.as_str();
    if let Some(text) = literal("datetime") {
        return Side::Moment(moment(text));
    }
    match literal("duration") {
        Some(text) => Side::Span(milliseconds(text)),
        None => Side::Other,
    }
}

/// How long after a moment of the grant it is that the parts of an `offset` come to; none where they are of something else.
fn after_one_of_the_grants(parts: &Value) -> Option<i64> {
    let (of, by) = (parts.get(0)?, parts.get(1)?);
    let is_of_grant = side_of(of) == Side::Brought && path(of).is_some();
    let Side::Span(span) = side_of(by) else {
        return None;
    };
    span.filter(|_| is_of_grant)
}

/// The texts that stand in an expression as such.
fn texts(expression: &Value, found: &mut BTreeSet<String>) {
    if let Some(text) = expression.get("Value").and_then(Value::as_str) {
        found.insert(text.to_owned());
    }
    for item in expression.get("Set").and_then(Value::as_array).into_iter().flatten() {
        texts(item, found);
    }
}

/// Whether an expression is a text, or a set of nothing but texts.
fn is_text(expression: &Value) -> bool {
    let text = |one: &Value| one.get("Value").is_some_and(Value::is_string);
    let set = expression.get("Set").and_then(Value::as_array);
    text(expression) || set.is_some_and(|items| items.iter().all(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heeded(condition: &str) -> Heeded {
        let text = format!("permit (principal, action, resource) when {{ {condition} }};");
        let json = read(&cedar_policy::Policy::parse(None, text).unwrap()).unwrap();
        let mut heeded = Heeded::default();
        clauses(&json).for_each(|clause| heeded.read(&clause["body"]));
        heeded
    }

    #[test]
    fn times_that_are_compared_are_known_in_advance() {
        let found = heeded(
            "context.local.weekday <= 5 && context.local.time >= duration(\"12h\") && duration(\"14h30m\") > context.local.time \
             && context.now < datetime(\"2027-01-31\") && principal.getTag(\"course\") > context.now \
             && context.purpose.expiresAt > context.now && context has purpose",
        );
        assert!(!found.opaque && found.wall.weekday);
        assert_eq!(
            found.hours,
            BTreeSet::from([12 * 3_600_000, 14 * 3_600_000 + 1_800_000])
        );
        assert_eq!(found.moments, BTreeSet::from(["2027-01-31T00:00:00Z".parse().unwrap()]));
        assert_eq!(found.courses, BTreeSet::from(["course".to_owned()]));
    }

    #[test]
    fn what_does_more_with_time_than_compare_it_makes_no_two_moments_alike() {
        for condition in [
            "context.now.toDate() == datetime(\"2027-01-31\")",
            "context.now.offset(duration(\"1h\")) > datetime(\"2027-01-31\")",
            "context.local == { time: duration(\"1h\"), weekday: 1 }",
            "context.local.time.toHours() == 12",
            "context.purpose.expiresAt < datetime(\"2027-01-31\")",
            "context.purpose.expiresAt.durationSince(context.now) > duration(\"1h\")",
            "[context].contains({})",
        ] {
            assert!(heeded(condition).opaque, "{condition}");
        }
        for condition in [
            "context.request.path like \"/x*\"",
            "context.client.network == \"guest\"",
            "context has now",
        ] {
            assert!(!heeded(condition).opaque, "{condition}");
        }
    }

    #[test]
    fn how_long_after_a_grant_was_declared_or_ends_is_known_in_advance() {
        let found = heeded(
            "context has purpose && context.now >= context.purpose.declaredAt.offset(duration(\"1h\")) \
             && context.purpose.expiresAt.offset(duration(\"-30m\")) > context.now",
        );
        assert!(!found.opaque);
        assert_eq!(found.spans, BTreeSet::from([3_600_000, -1_800_000]));
        for condition in [
            "context.now >= context.purpose.declaredAt.offset(context.now.toTime())",
            "context.now >= principal.getTag(\"course\").offset(duration(\"1h\"))",
            "datetime(\"2027-01-31\") >= context.purpose.declaredAt.offset(duration(\"1h\"))",
        ] {
            assert!(heeded(condition).opaque, "{condition}");
        }
    }

    #[test]
    fn whether_the_request_is_looked_at_is_known() {
        assert!(heeded("context.request.path like \"/x*\"").request);
        assert!(heeded("context.request has contentType && context.request.contentType == \"x\"").request);
        assert!(heeded("context has request.contentType && context.request.contentType == \"x\"").request);
        assert!(heeded("context has request.contentType").request);
        assert!(heeded("[context].contains({})").request);
        assert!(!heeded("context.client.network == \"x\" && resource.host == \"x\"").request);
    }

    #[test]
    fn networks_are_known_by_name() {
        let found =
            heeded("context.client.network == \"guest\" || [\"vpn\", \"lab\"].contains(context.client.network)");
        assert_eq!(found.origin.networks, ["guest", "lab", "vpn"].map(str::to_owned).into());
        assert!(!found.origin.further);
    }

    #[test]
    fn where_somebody_comes_from_is_foreseen_only_where_networks_are_compared_with_names() {
        for condition in [
            "context.client.network like \"corp-*\"",
            "context.client.ip.isInRange(ip(\"10.0.0.0/8\"))",
            "context.client == { ip: ip(\"10.0.0.1\"), network: \"lab\" }",
            "context.client.network == context.channel",
            "[\"lab\", context.channel].contains(context.client.network)",
            "[context].contains({})",
        ] {
            assert!(heeded(condition).origin.further, "{condition}");
        }
        for condition in [
            "context.client.network != \"lab\"",
            "context has client.network && context.channel == \"api\"",
            "context.now < datetime(\"2027-01-31\")",
        ] {
            assert!(!heeded(condition).origin.further, "{condition}");
        }
    }
}

//! A question, put as Cedar requests. The only file that spells Cedar's names; `Nouns::fit` proves that it spells
//! them as the schema does, attribute by attribute.
//!
//! A person's roles and departments and a host's platform and categories arrive closed, so they are plain parents here
//! and no other entity needs to exist: what a rule may look at is the principal, the resource, and the context.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cedar_policy::{Context, Entities, Entity, EntityTypeName, EntityUid, Request};
use cedar_policy::{ParseErrors, Schema};
use cedar_policy_core::ast::Value;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::decision::Trouble;
use super::engine::Doubt;
use super::express::{Expr, moment, record, serves, span, text, uid, wrong};
use super::question::{GrantQuestion, Power, Question, RequestFacts, check, check_power};
use super::schema::Vocabulary;
use crate::clock::Timestamp;
use crate::facts::{Arrival, Employment, Grant, Person, Place, Subject, SubjectId};

type Pairs = Vec<(String, Expr)>;
type Made = Result<Value, Doubt>;

/// Activities are judged with the request; everything on this list before there is one.
pub(super) const BEFORE_A_REQUEST: [&str; 2] = ["connect", "inspect"];

/// Where a context holds the grant that is judged under.
pub(super) const GRANT: &str = "purpose";

/// The one judged action on a request that is not an activity.
pub(super) const ARCHIVE: &str = "archive";

/// The type names of the schema, parsed once, and the time zones.
#[derive(Debug)]
pub(super) struct Nouns {
    action: EntityTypeName,
    category: EntityTypeName,
    department: EntityTypeName,
    employment: EntityTypeName,
    platform: EntityTypeName,
    purpose: EntityTypeName,
    purpose_kind: EntityTypeName,
    role: EntityTypeName,
    site: EntityTypeName,
    user: EntityTypeName,
    // What an action is in: `action in Action::"read"` asks the entities, not the schema.
    actions: Entities,
    // The data in the binary and not the machine's, so that a record replays to the same answer elsewhere.
    zones: TimeZoneDatabase,
}

/// One question, ready for Cedar: a request for each action.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) entities: Entities,
    pub(super) requests: Vec<Request>,
    /// When: rules that have expired by then have no say.
    pub(super) at: Timestamp,
}

impl Nouns {
    pub(super) fn new(actions: Entities) -> Result<Self, Box<ParseErrors>> {
        Ok(Self {
            action: "Action".parse().map_err(Box::new)?,
            category: "Category".parse().map_err(Box::new)?,
            department: "Department".parse().map_err(Box::new)?,
            employment: "Employment".parse().map_err(Box::new)?,
            platform: "Platform".parse().map_err(Box::new)?,
            purpose: "Purpose".parse().map_err(Box::new)?,
            purpose_kind: "PurposeKind".parse().map_err(Box::new)?,
            role: "Role".parse().map_err(Box::new)?,
            site: "Site".parse().map_err(Box::new)?,
            user: "User".parse().map_err(Box::new)?,
            actions,
            zones: TimeZoneDatabase::bundled(),
        })
    }

    /// The requests that ask a question about a site. A schema, where one is given, checks all that is built.
    pub(super) fn about_site(
        &self,
        question: &Question<'_>,
        words: &Vocabulary,
        schema: Option<&Schema>,
    ) -> Result<Asked, Trouble> {
        check(question, words)?;
        let (principal, person) = self.person(question.person)?;
        let (resource, site) = self.site(question.place)?;
        let entities = self.entities(vec![person, site], question.actions, schema)?;
        let mut contexts = SiteContexts::new(self, question)?;
        let requests = question
            .actions
            .iter()
            .map(|action| {
                let context = contexts.for_action(action, words)?;
                let action = uid(&self.action, action);
                Request::new(principal.clone(), action, resource.clone(), context, schema)
                    .map_err(|e| wrong("request", &e))
            })
            .collect::<Result<_, _>>()?;
        Ok(Asked {
            entities,
            requests,
            at: question.at,
        })
    }

    /// The request that asks about a grant. A schema, where one is given, checks all that is built.
    pub(super) fn about_grant(
        &self,
        question: &GrantQuestion<'_>,
        words: &Vocabulary,
        schema: Option<&Schema>,
    ) -> Result<Asked, Trouble> {
        check_power(question, words)?;
        let (principal, person) = self.person(question.person)?;
        let for_tools = question.power == Power::MakeToken;
        let mut entities = vec![person];
        let resource = if question.power.is_over_purposes() {
            let (resource, purpose) = self.about_purpose(question)?;
            entities.push(purpose);
            resource
        } else if for_tools {
            principal.clone()
        } else {
            uid(&self.user, question.declarer.as_str())
        };
        let other = question.declarer_person.filter(|_| !for_tools);
        if let Some(other) = other.filter(|other| other.id != question.person.id) {
            entities.push(self.person(other)?.1);
        }
        let entities = self.entities(entities, &[question.power.as_str()], schema)?;
        let mut pairs = self.base(question.person, question.subject, question.arrival, question.at)?;
        pairs.push(("channel".to_owned(), text(question.channel.as_str())));
        if for_tools {
            pairs.push(("lasts".to_owned(), span(question.longest_for)));
        }
        let named_as = question
            .answering
            .named_as
            .filter(|_| question.power.is_over_purposes());
        pairs.extend(named_as.map(|named_as| ("namedAs".to_owned(), text(named_as.as_str()))));
        let behalf_of = question.answering.behalf_of;
        let behalf_of = behalf_of.filter(|_| question.power.is_over_purposes());
        let behalf_of = behalf_of.map(|whom| uid(&self.user, whom.as_str()));
        pairs.extend(behalf_of.map(|whom| ("behalfOf".to_owned(), Expr::new_entity_uid(whom))));
        let context = Context::from_pairs(pairs).map_err(|e| wrong("context", &e))?;
        let action = uid(&self.action, question.power.as_str());
        let request = Request::new(principal.clone(), action, resource.clone(), context, schema)
            .map_err(|e| wrong("request", &e))?;
        Ok(Asked {
            entities,
            requests: vec![request],
            at: question.at,
        })
    }

    pub(super) fn action(&self, name: &str) -> EntityUid {
        uid(&self.action, name)
    }

    /// The entities of a question and its actions, each with all that it is in. A schema brings its actions itself.
    fn entities(&self, mut all: Vec<Entity>, actions: &[&str], schema: Option<&Schema>) -> Result<Entities, Trouble> {
        if schema.is_none() {
            let actions: BTreeSet<&str> = actions.iter().copied().collect();
            let known = actions.into_iter().map(|action| uid(&self.action, action));
            all.extend(known.filter_map(|action| self.actions.get(&action).cloned()));
        }
        Entities::from_entities(all, schema).map_err(|e| wrong("entities", &e))
    }

    pub(super) fn person(&self, person: &Person) -> Result<(EntityUid, Entity), Trouble> {
        let roles = person.roles.iter().map(|role| uid(&self.role, role));
        let departments = person.departments.iter().map(|name| uid(&self.department, name));
        let user = uid(&self.user, person.id.as_str());
        let mut attributes = vec![
            ("employment".to_owned(), self.employment(person.employment)),
            ("region".to_owned(), text(&person.region)),
            ("timeZone".to_owned(), text(&person.time_zone)),
            ("onLegalHold".to_owned(), Expr::new_bool(person.on_legal_hold)),
        ];
        if let Some(manager) = &person.manager {
            let manager = Expr::new_entity_uid(uid(&self.user, manager.as_str()));
            attributes.push(("manager".to_owned(), manager));
        }
        let training = person
            .training
            .iter()
            .map(|(course, until)| (course.clone(), moment(*until)));
        let entity = Entity::new_with_tags(user.clone(), attributes, roles.chain(departments), training)
            .map_err(|e| wrong("person", &e))?;
        Ok((user, entity))
    }

    fn employment(&self, kind: Employment) -> Expr {
        Expr::new_entity_uid(uid(&self.employment, kind.as_str()))
    }

    pub(super) fn site(&self, place: &Place) -> Result<(EntityUid, Entity), Trouble> {
        let platform = place.platform.iter().map(|id| uid(&self.platform, id.as_str()));
        let categories = place.categories.iter().map(|id| uid(&self.category, id.as_str()));
        let site = uid(&self.site, place.host.as_str());
        let attributes = HashMap::from([
            ("host".to_owned(), text(place.host.as_str())),
            ("classified".to_owned(), Expr::new_bool(place.is_classified())),
            (
                "serves".to_owned(),
                Expr::new_set(place.roles.iter().map(|role| text(serves(*role)))),
            ),
        ]);
        let parents = platform.chain(categories).collect();
        let entity = Entity::new(site.clone(), attributes, parents).map_err(|e| wrong("site", &e))?;
        Ok((site, entity))
    }

    /// The purpose that a grant is for, with what the question says of the grant.
    pub(super) fn about_purpose(&self, question: &GrantQuestion<'_>) -> Result<(EntityUid, Entity), Trouble> {
        let purpose = uid(&self.purpose, question.purpose.as_str());
        let somebody = |id: &str| Expr::new_entity_uid(uid(&self.user, id));
        let kind = Expr::new_entity_uid(uid(&self.purpose_kind, question.purpose.as_str()));
        let attributes = HashMap::from([
            ("kind".to_owned(), kind),
            ("declarer".to_owned(), somebody(question.declarer.as_str())),
            ("businessOwner".to_owned(), somebody(question.business_owner.as_str())),
            ("maxDuration".to_owned(), span(question.longest_for)),
        ]);
        let entity = Entity::new(purpose.clone(), attributes, HashSet::new()).map_err(|e| wrong("purpose", &e))?;
        Ok((purpose, entity))
    }

    /// What every context holds.
    fn base(&self, person: &Person, subject: &Subject, arrival: &Arrival, at: Timestamp) -> Result<Pairs, Trouble> {
        let client = record([
            ("ip", Expr::new_ip(arrival.client.ip().to_canonical().to_string())),
            ("network", text(arrival.network.as_str())),
        ])?;
        let proof = record([
            ("method", text(subject.method.as_str())),
            ("strong", Expr::new_bool(subject.method.is_strong())),
        ])?;
        Ok(vec![
            ("now".to_owned(), moment(at)),
            ("local".to_owned(), self.local(person, at)?),
            ("client".to_owned(), client),
            ("proof".to_owned(), proof),
        ])
    }

    /// What the person's wall clock shows: hours on the clock and not hours slept through, so that noon is `12h` on
    /// the day on which the clocks change, too.
    fn local(&self, person: &Person, at: Timestamp) -> Result<Expr, Trouble> {
        let (since_midnight, weekday) = wall_clock(&self.zone(person)?, at);
        record([
            ("time", Expr::new_duration(format!("{since_midnight}ms"))),
            ("weekday", Expr::new_long(weekday)),
        ])
    }

    /// Where the person's clock stands.
    pub(super) fn zone(&self, person: &Person) -> Result<TimeZone, Trouble> {
        self.zones.get(&person.time_zone).map_err(|_| {
            let message = format!("`{}` has an unknown time zone `{}`", person.id, person.time_zone);
            Trouble::with_question("time-zone", message)
        })
    }

    /// Somebody as rules compare them.
    pub(super) fn somebody(&self, whom: &SubjectId) -> Value {
        uid(&self.user, whom.as_str()).as_ref().clone().into()
    }

    /// A grant as a rule finds it, evaluated: what Cedar makes of [`Self::claim`], without the text between.
    pub(super) fn claim_value(&self, grant: &Grant, moment: impl Fn(Timestamp) -> Made) -> Made {
        let entity = |kind: &EntityTypeName, id: &str| -> Value { uid(kind, id).as_ref().clone().into() };
        let platforms = grant.platforms.iter().map(|id| entity(&self.platform, id.as_str()));
        let covers = grant.covers.iter().map(|group| Value::from(group.as_str()));
        let mut fields = BTreeMap::from([
            ("id", grant.id.as_str().into()),
            ("kind", entity(&self.purpose_kind, grant.purpose.as_str())),
            ("declaredAt", moment(grant.declared_at)?),
            ("expiresAt", moment(grant.expires)?),
            ("platforms", Value::set(platforms, None)),
            ("covers", Value::set(covers, None)),
            ("emergency", grant.emergency.is_some().into()),
        ]);
        if let Some(approver) = grant.approved_by() {
            fields.insert("approvedBy", entity(&self.user, approver.as_str()));
        }
        if let Some(ticket) = &grant.ticket {
            fields.insert("ticket", ticket.as_str().into());
        }
        Ok(Value::record(fields, None))
    }

    fn claim(&self, grant: &Grant) -> Result<Expr, Trouble> {
        let platforms = grant.platforms.iter().map(|id| uid(&self.platform, id.as_str()));
        let kind = uid(&self.purpose_kind, grant.purpose.as_str());
        let mut pairs = vec![
            ("id", text(grant.id.as_str())),
            ("kind", Expr::new_entity_uid(kind)),
            ("declaredAt", moment(grant.declared_at)),
            ("expiresAt", moment(grant.expires)),
            ("platforms", Expr::new_set(platforms.map(Expr::new_entity_uid))),
            ("covers", Expr::new_set(grant.covers.iter().map(|group| text(group)))),
            ("emergency", Expr::new_bool(grant.emergency.is_some())),
        ];
        if let Some(approver) = grant.approved_by() {
            let approver = uid(&self.user, approver.as_str());
            pairs.push(("approvedBy", Expr::new_entity_uid(approver)));
        }
        if let Some(ticket) = &grant.ticket {
            pairs.push(("ticket", text(ticket)));
        }
        record(pairs)
    }
}

/// Milliseconds since midnight, and the day of the week; Monday is 1.
pub(super) fn wall_clock(zone: &TimeZone, at: Timestamp) -> (i64, i64) {
    let here = at.calendar().to_zoned(zone.clone());
    let since_midnight = here.time().duration_since(jiff::civil::Time::midnight());
    let millis = i64::try_from(since_midnight.as_millis()).unwrap_or(i64::MAX);
    (millis, here.weekday().to_monday_one_offset().into())
}

/// The contexts of one question about a site, each built when it is first needed.
struct SiteContexts<'a> {
    base: Pairs,
    request: Option<RequestFacts<'a>>,
    before: Option<Context>,
    during: Option<Context>,
}

impl<'a> SiteContexts<'a> {
    fn new(nouns: &Nouns, question: &Question<'a>) -> Result<Self, Trouble> {
        let mut base = nouns.base(question.person, question.subject, question.arrival, question.at)?;
        if let Some(grant) = question.grant {
            base.push((GRANT.to_owned(), nouns.claim(grant)?));
        }
        Ok(Self {
            base,
            request: question.request,
            before: None,
            during: None,
        })
    }

    fn for_action(&mut self, action: &str, words: &Vocabulary) -> Result<Context, Trouble> {
        if comes_before(action, words)? {
            return build(&mut self.before, || Ok(self.base.clone()));
        }
        let Some(request) = self.request else {
            let message = format!("`{action}` is asked without a request");
            return Err(Trouble::with_question("request", message));
        };
        build(&mut self.during, || {
            let mut pairs = self.base.clone();
            pairs.push(("request".to_owned(), facts(&request)?));
            Ok(pairs)
        })
    }
}

/// Whether the action is judged before there is a request.
fn comes_before(action: &str, words: &Vocabulary) -> Result<bool, Trouble> {
    if BEFORE_A_REQUEST.contains(&action) {
        return Ok(true);
    }
    if action == ARCHIVE || words.has_activity(action) {
        return Ok(false);
    }
    let message = format!("the schema has no activity `{action}`");
    Err(Trouble::with_question("action", message))
}

fn build(made: &mut Option<Context>, pairs: impl FnOnce() -> Result<Pairs, Trouble>) -> Result<Context, Trouble> {
    if let Some(context) = made {
        return Ok(context.clone());
    }
    let context = Context::from_pairs(pairs()?).map_err(|e| wrong("context", &e))?;
    *made = Some(context.clone());
    Ok(context)
}

fn facts(request: &RequestFacts<'_>) -> Result<Expr, Trouble> {
    let bytes = i64::try_from(request.bytes).unwrap_or(i64::MAX);
    let mut pairs = vec![
        ("method", text(request.method)),
        ("host", text(request.host.as_str())),
        ("path", text(request.path)),
        ("bytes", Expr::new_long(bytes)),
    ];
    if let Some(kind) = request.content_type {
        pairs.push(("contentType", text(kind)));
    }
    record(pairs)
}

//! Do schema and mapping agree? Every attribute that the schema requires is filled, every one that it offers can be,
//! and nothing else is: a rule can then neither fail for want of a fact nor wait for one that never comes.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cedar_policy::EvalResult;
use serde_json::Value;

use super::decision::Trouble;
use super::question::{Answering, GrantQuestion, NamedAs, Power, Question, RequestFacts};
use super::request::{Asked, Nouns};
use super::schema::Book;
use crate::clock::Timestamp;
use crate::facts::{
    Answer, Arrival, Authority, Category, Channel, Door, Employment, Grant, GrantId, GrantState, MethodName,
    NetworkName, Person, Place, PlatformId, Problem, PurposeId, SourceText, Subject, SubjectId,
};

const CODE: &str = "wayleave::schema::mapping";

/// Compares what the schema declares with what `nouns` builds from the fullest and from the barest facts.
pub(super) fn check(source: &SourceText, book: &Book, nouns: &Nouns) -> Vec<Problem> {
    let mut whys = BTreeSet::new();
    let mut filled = BTreeSet::new();
    for (full, claims) in [(true, true), (false, true), (false, false)] {
        let asked = Sample::new(book, full, claims).map(|sample| sample.ask(book, nouns));
        for asked in asked.unwrap_or_else(|trouble| vec![Err(trouble)]) {
            match asked {
                Ok(asked) => collect(&asked, &mut filled),
                Err(trouble) => {
                    whys.insert(format!("the schema does not fit the gateway: {}", trouble.message));
                }
            }
        }
    }
    let mut problems: Vec<Problem> = whys
        .into_iter()
        .map(|why| Problem::error(CODE, source, (0, 0), why).with_help("compare it with the shipped schema"))
        .collect();
    if problems.is_empty() {
        let empty = declared(&book.json).into_iter().filter(|name| !filled.contains(name));
        problems.extend(empty.map(|name| {
            let message = format!("the schema declares `{name}`, which nothing provides");
            let help = "remove it: a rule that reads it would never apply";
            Problem::error(CODE, source, (0, 0), message).with_help(help)
        }));
    }
    problems
}

/// The actions that something can be asked about.
fn judged(book: &Book) -> Vec<String> {
    let actions = book.schema.actions().filter(|action| {
        let kinds = book.schema.resources_for_action(action);
        kinds.is_some_and(|mut kinds| kinds.next().is_some())
    });
    let mut names: Vec<String> = actions.map(|action| action.id().unescaped().to_owned()).collect();
    names.sort();
    names
}

/// Names of all attributes that the schema declares for what we build: `User.manager`, `post.purpose.ticket`.
fn declared(json: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let members = |at: &str| json.pointer(at).and_then(Value::as_object).into_iter().flatten();
    for (kind, entity) in members("//entityTypes") {
        if let Some(shape) = entity.get("shape") {
            walk(json, shape, kind, 0, &mut names);
        }
    }
    for (action, about) in members("//actions") {
        if let Some(context) = about.pointer("/appliesTo/context") {
            walk(json, context, action, 0, &mut names);
        }
    }
    names
}

/// Deep enough for any schema that somebody would want to read, and an end for one that refers to itself.
const DEEPEST: usize = 8;

fn walk(json: &Value, shape: &Value, at: &str, depth: usize, names: &mut BTreeSet<String>) {
    if depth > DEEPEST {
        return;
    }
    if let Some(attributes) = shape.get("attributes").and_then(Value::as_object) {
        for (name, inner) in attributes {
            let name = format!("{at}.{name}");
            walk(json, inner, &name, depth + 1, names);
            names.insert(name);
        }
        return;
    }
    let kind = shape.get("name").or_else(|| shape.get("type")).and_then(Value::as_str);
    let common = kind.and_then(|name| json.pointer(&format!("//commonTypes/{name}")));
    if let Some(common) = common {
        walk(json, common, at, depth + 1, names);
    }
}

/// Names of all attributes that were built.
fn collect(asked: &Asked, names: &mut BTreeSet<String>) {
    for entity in asked.entities.iter() {
        let kind = entity.uid().type_name().to_string();
        for (name, value) in entity.attrs() {
            let name = format!("{kind}.{name}");
            if let Ok(value) = value {
                inside(&value, &name, names);
            }
            names.insert(name);
        }
    }
    for request in &asked.requests {
        let (Some(action), Some(context)) = (request.action(), request.context()) else {
            continue;
        };
        for (name, _) in context.clone() {
            let at = format!("{}.{name}", action.id().unescaped());
            if let Some(value) = context.get(&name) {
                inside(&value, &at, names);
            }
            names.insert(at);
        }
    }
}

fn inside(value: &EvalResult, at: &str, names: &mut BTreeSet<String>) {
    if let EvalResult::Record(record) = value {
        for (name, value) in record.iter() {
            let name = format!("{at}.{name}");
            inside(value, &name, names);
            names.insert(name);
        }
    }
}

/// Made-up facts: as many as there can be, or as few.
struct Sample {
    /// With everything that is optional.
    full: bool,
    /// Under a grant.
    claims: bool,
    person: Arc<Person>,
    subject: Subject,
    arrival: Arrival,
    place: Place,
    authority: Authority,
    grant: Grant,
}

impl Sample {
    fn new(book: &Book, full: bool, claims: bool) -> Result<Self, Trouble> {
        let sample = |what: &str| Trouble::with_question("sample", format!("no sample {what}"));
        let id = SubjectId::parse("somebody").map_err(|_| sample("person"))?;
        let authority = Authority::parse("www.site.example:443", None).map_err(|_| sample("host"))?;
        let purpose = book.words.purposes().first().ok_or_else(|| sample("purpose"))?;
        let at = Timestamp::from_millis(0);
        Ok(Self {
            full,
            claims,
            person: Arc::new(person(&id, full)),
            subject: Subject {
                id: id.clone(),
                method: MethodName::Basic,
            },
            arrival: Arrival {
                door: Door::Plain,
                client: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
                network: NetworkName::default(),
            },
            place: Place {
                host: authority.host.clone(),
                platform: full.then(|| PlatformId::new("site")),
                categories: Arc::new(full.then(|| Category::new("social")).into_iter().collect()),
                roles: Arc::default(),
            },
            authority,
            grant: Grant {
                id: GrantId::new("grant"),
                subject: id.clone(),
                purpose: PurposeId::new(purpose.as_str()),
                platforms: BTreeSet::from([PlatformId::new("site")]).into(),
                covers: BTreeSet::from(["read".to_owned()]).into(),
                statement: String::new(),
                ticket: full.then(|| "T-1".to_owned()),
                channel: Channel::Portal,
                declared_at: at,
                not_before: at,
                expires: at.plus(Duration::from_secs(1)),
                answer_by: None,
                answers: full.then(|| Answer::approval(id, at)).into_iter().collect(),
                idle: None,
                used_at: None,
                parent: None,
                emergency: None,
                continued: None,
                delegated: None,
                state: GrantState::Active,
                ended_at: None,
                ended: None,
                report: None,
                came: None,
            },
        })
    }

    /// All that can be asked, with everything checked against the schema.
    fn ask(&self, book: &Book, nouns: &Nouns) -> Vec<Result<Asked, Trouble>> {
        let at = Timestamp::from_millis(0);
        let names = judged(book);
        let is_power = |name: &&str| Power::ALL.iter().any(|power| power.as_str() == *name);
        let actions: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|name| !is_power(name))
            .collect();
        let question = Question {
            person: &self.person,
            subject: &self.subject,
            arrival: &self.arrival,
            place: &self.place,
            authority: &self.authority,
            actions: &actions,
            request: Some(RequestFacts {
                method: "POST",
                host: &self.authority.host,
                path: "/",
                bytes: 0,
                content_type: self.full.then_some("text/plain"),
            }),
            grant: self.claims.then_some(&self.grant),
            at,
        };
        let mut asked = vec![nouns.about_site(&question, &book.words, Some(&book.schema))];
        for power in Power::ALL {
            let question = GrantQuestion {
                person: &self.person,
                subject: &self.subject,
                arrival: &self.arrival,
                power,
                purpose: &self.grant.purpose,
                declarer: &self.person.id,
                declarer_person: self.full.then_some(&*self.person),
                business_owner: &self.person.id,
                longest_for: Duration::from_mins(1),
                channel: Channel::Portal,
                answering: Answering {
                    named_as: self.full.then_some(NamedAs::Approver),
                    behalf_of: self.full.then_some(&self.person.id),
                },
                at,
            };
            asked.push(nouns.about_grant(&question, &book.words, Some(&book.schema)));
        }
        asked
    }
}

fn person(id: &SubjectId, full: bool) -> Person {
    let trained = full.then(|| ("course".to_owned(), Timestamp::from_millis(0)));
    let some = |name: &str| full.then(|| name.to_owned()).into_iter().collect();
    Person {
        id: id.clone(),
        name: "Somebody".to_owned(),
        roles: some("staff"),
        departments: some("company"),
        employment: Employment::Employee,
        region: "eu-west".to_owned(),
        time_zone: "UTC".to_owned(),
        manager: full.then(|| id.clone()),
        on_legal_hold: false,
        training: trained.into_iter().collect::<BTreeMap<_, _>>(),
    }
}

//! What somebody looks for among decisions, read from the address of a page, of a call or of the live view; and what is wrong
//! with it. What is not understood is said: nobody takes a slip of theirs for the answer that there is nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use super::decisions::Decided;
use super::intake::Received;
use super::memory::Kept;
use super::pages::{Problem, field};
use super::words::ENGLISH;
use super::{Refused, Visit, paging};
use crate::audit::{ANY, Filter, LetPass, Topic, is_at_or_below, is_of};
use crate::clock::Timestamp;
use crate::facts::{
    Access, Activity, Channel, GrantId, Host, Outcome, PolicyId, PurposeId, Record, SubjectId, all_like, did_you_mean,
};
use crate::rulebook::{Directory, Visitor};

/// What an address can filter by; `all` filters nothing.
pub(super) const FILTERS: [&str; 12] = [
    "user", "host", "client", "platform", "activity", "outcome", "purpose", "policy", "grant", "let_pass", "since",
    "until",
];

/// What an address names beside filters where it says what the lines are about.
pub(super) const TOPIC: &str = "kind";

/// What lines an address asks for; nothing where it names none.
pub(super) fn topic(received: &Received) -> Option<Result<Topic, BadFilter>> {
    let said = received.asked(TOPIC)?.trim().to_lowercase();
    let near = || did_you_mean(&said, Topic::EACH.map(Topic::as_str));
    (!said.is_empty()).then(|| Topic::named(&said).ok_or_else(|| BadFilter::NoSuchTopic(near())))
}
/// The outcome that is any but the one.
pub(super) const NOT_ALLOWED: &str = "except-allow";

/// The longest name that is looked for: longer ones are nobody's, and what they are like takes long to find out.
const LONGEST: usize = 128;
/// How much is told of what is wrong.
const MOST: usize = 16;

/// What somebody looks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) filter: Filter,
    /// The filters as they were given.
    pub(super) said: BTreeMap<String, String>,
}

/// What is wrong with what somebody looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadFilter {
    /// There is no filter of this name; perhaps another one was meant.
    NoSuch(String, Option<&'static str>),
    /// A filter was given twice, and nobody could tell which counts.
    Twice(String),
    /// What a filter says cannot be read: how it is written depends on which one it is.
    Unreadable(&'static str),
    /// Nothing of that kind is recorded; perhaps another one was meant.
    NoSuchTopic(Option<&'static str>),
    /// It tells nothing apart of what is looked for.
    NotOfTopic {
        /// Which filter.
        filter: &'static str,
        /// What is looked for.
        topic: Topic,
    },
    /// No name is as long as what a filter says.
    TooLong(&'static str),
    /// What is looked for would end before it begins.
    EndsBefore,
    /// It is about what passed, and of one's own only refusals are told.
    OfWhatPassed(&'static str),
    /// The rules or the directory in force know nothing of this name, and nothing was found of it; perhaps another was meant.
    Unknown {
        /// Which filter.
        filter: &'static str,
        /// What it says.
        said: String,
        /// What may have been meant.
        near: Option<String>,
    },
}

impl BadFilter {
    /// Which filter it is about.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::NoSuch(name, _) | Self::Twice(name) => name,
            Self::NoSuchTopic(_) => TOPIC,
            Self::EndsBefore => "until",
            Self::Unreadable(filter)
            | Self::TooLong(filter)
            | Self::OfWhatPassed(filter)
            | Self::NotOfTopic { filter, .. }
            | Self::Unknown { filter, .. } => filter,
        }
    }

    /// The same for whoever writes a client.
    fn told(&self) -> Value {
        let text = (ENGLISH.decisions.bad_filter)(self);
        field(self.name(), text.strip_suffix('.').unwrap_or(&text))
    }
}

/// The problem of a call of which this is wrong, and other things.
pub(super) fn unfit(bad: &[BadFilter], more: Vec<Value>) -> Problem {
    paging::unfit(bad.iter().map(BadFilter::told).chain(more).collect())
}

/// How a page answers of which this is wrong.
pub(super) fn status(bad: &[BadFilter]) -> StatusCode {
    if bad.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    }
}

impl Wanted {
    /// What an address asks for, in which `more` may stand beside the filters: empty fields, as an untouched form sends them,
    /// ask for nothing. All that is wrong with it beside that.
    pub(super) fn of(received: &Received, now: Timestamp, more: &[&str]) -> (Self, Vec<BadFilter>) {
        let mut bad = misnamed(received, more);
        let given = |name: &&str| {
            let text = received.asked(name)?.trim().to_owned();
            (!text.is_empty()).then(|| ((*name).to_owned(), text))
        };
        let said: BTreeMap<String, String> = FILTERS.iter().filter_map(given).collect();
        let text = |name: &str| said.get(name).cloned();
        for name in ["platform", "activity", "purpose", "policy"] {
            if said.get(name).is_some_and(|text| text.len() > LONGEST) {
                bad.push(BadFilter::TooLong(name));
            }
        }
        let not_allowed = said.get("outcome").is_some_and(|said| said == NOT_ALLOWED);
        let filter = Filter {
            topic: Topic::All,
            user: read(&said, "user", &mut bad, name_of_somebody),
            outcome: if not_allowed {
                None
            } else {
                read(&said, "outcome", &mut bad, Outcome::named)
            },
            not_allowed,
            platform: text("platform"),
            since: read(&said, "since", &mut bad, |text| Timestamp::meant(text, now).ok()),
            until: read(&said, "until", &mut bad, |text| Timestamp::meant(text, now).ok()),
            activity: text("activity"),
            purpose: text("purpose"),
            host: read(&said, "host", &mut bad, |text| Host::parse(text).ok()),
            client: read(&said, "client", &mut bad, |text| text.parse().ok()),
            policy: text("policy").map(PolicyId::new),
            grant: read(&said, "grant", &mut bad, |text| {
                Timestamp::spelt(text).map(GrantId::new)
            }),
            let_pass: read(&said, "let_pass", &mut bad, LetPass::named),
        };
        if filter
            .since
            .zip(filter.until)
            .is_some_and(|(since, until)| since >= until)
        {
            bad.push(BadFilter::EndsBefore);
        }
        bad.truncate(MOST);
        (Self { filter, said }, bad)
    }

    /// The same of lines about a topic, which is one of the things that they look for.
    pub(super) fn about(topic: Topic, received: &Received, now: Timestamp, more: &[&str]) -> (Self, Vec<BadFilter>) {
        let (mut wanted, mut bad) = Self::of(received, now, more);
        let tells = |filter: &str| ["since", "until"].contains(&filter) || topic.filters().contains(&filter);
        let beside = FILTERS
            .into_iter()
            .filter(|filter| wanted.said.contains_key(*filter) && !tells(filter));
        bad.extend(beside.map(|filter| BadFilter::NotOfTopic { filter, topic }));
        wanted.filter.topic = topic;
        wanted.said.insert(TOPIC.to_owned(), topic.as_str().to_owned());
        (wanted, bad)
    }

    /// Whether it is what they look for. A tunnel that was read is not, unless they ask for tunnels: each request in it is a
    /// decision of its own.
    pub(super) fn admits(&self, record: &Record) -> bool {
        self.filter.admits(record)
            && (self.filter.activity.is_some() || !Decided::of(record).is_some_and(|one| one.is_read_tunnel()))
    }

    /// Whether it is what they look for among their own refusals, which passed under no grant.
    pub(super) fn admits_own(&self, refused: &Refused) -> bool {
        let (filter, seen, refusal) = (&self.filter, &refused.seen, &refused.refusal);
        let is = |wanted: &Option<String>, there: Option<&str>| wanted.is_none() || wanted.as_deref() == there;
        filter.since.is_none_or(|since| seen.at >= since)
            && filter.until.is_none_or(|until| seen.at < until)
            && filter
                .platform
                .as_ref()
                .is_none_or(|meant| refusal.place.platform.as_ref().is_some_and(|id| is_of(id, meant)))
            && is(&filter.activity, Some(refusal.activity.as_str()))
            && filter.outcome.is_none_or(|outcome| refused.remedy.outcome() == outcome)
            && filter
                .host
                .as_ref()
                .is_none_or(|host| is_at_or_below(&refusal.place.host, host))
            && filter
                .client
                .is_none_or(|client| client.holds(seen.arrival.client.ip()))
            && filter
                .policy
                .as_ref()
                .is_none_or(|policy| refusal.reasons.iter().any(|reason| reason.policy == *policy))
            && filter.purpose.is_none()
            && filter.grant.is_none()
            && filter.let_pass.is_none()
    }

    /// What it says that finds none of one's own refusals whatever they are.
    pub(super) fn beyond_own(&self) -> Vec<BadFilter> {
        let of_what_passed = ["purpose", "grant", "let_pass"].into_iter();
        let given = of_what_passed.filter(|filter| self.said.contains_key(*filter));
        given.map(BadFilter::OfWhatPassed).collect()
    }

    /// What it says that the rules in force do not know, for whoever may not look into these: of rules, those that refused
    /// them something count.
    pub(super) fn unknown_of_own(&self, visit: &Visit<'_>, theirs: &[Arc<Kept>]) -> Vec<BadFilter> {
        let reasons = theirs.iter().flat_map(|kept| &kept.refused.refusal.reasons);
        let policies = reasons.map(|reason| reason.policy.as_str()).collect();
        let named = [
            self.unknown_among("platform", &platforms(visit)),
            self.unknown_among("activity", &activities(visit)),
            self.unknown_among("policy", &policies),
        ];
        named.into_iter().flatten().collect()
    }

    /// What it says that neither the rules nor the directory in force know. What ruled before may have known it: so it is
    /// looked for all the same, and told where nothing is found.
    pub(super) fn unknown(&self, visit: &Visit<'_>, visitor: Visitor<'_>, channel: Channel) -> Vec<BadFilter> {
        let rules = visit.rules();
        let purposes = rules.purposes().iter().map(|one| one.id.as_str());
        let purposes = purposes.chain([PurposeId::CONTINUED]).collect();
        let policies = rules.policy().rules().map(|one| one.id.as_str()).collect();
        let of = |filter, known: &BTreeSet<&str>| self.unknown_among(filter, known);
        let named = [
            of("platform", &platforms(visit)),
            of("activity", &activities(visit)),
            of("purpose", &purposes),
            of("policy", &policies),
        ];
        let somebody = self.unknown_person(visit, visitor, channel);
        named.into_iter().chain([somebody]).flatten().collect()
    }

    fn unknown_among(&self, filter: &'static str, known: &BTreeSet<&str>) -> Option<BadFilter> {
        let said = self.said.get(filter).filter(|said| !known.contains(said.as_str()))?;
        Some(BadFilter::Unknown {
            filter,
            said: said.clone(),
            near: did_you_mean(said, known.iter().copied()).map(str::to_owned),
        })
    }

    /// Nobody hears of people that the rules keep apart from them.
    fn unknown_person(&self, visit: &Visit<'_>, visitor: Visitor<'_>, channel: Channel) -> Option<BadFilter> {
        let said = self.filter.user.as_ref()?;
        let people = &visit.in_force.directory;
        let may_see = |id: &SubjectId| may_read_of(visit, visitor, (id, channel));
        if SubjectId::parse(said).ok().filter(&may_see).is_some() {
            return None;
        }
        let near = perhaps_meant(said, people).into_iter().find(may_see);
        Some(BadFilter::Unknown {
            filter: "user",
            said: said.clone(),
            near: near.map(|id| id.to_string()),
        })
    }

    /// What it says of which nothing new will ever be told. An account that the directory does not know can be somebody's all the
    /// same: it is followed by whoever may read of such.
    pub(super) fn never_live(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Vec<BadFilter> {
        let channel = Channel::Portal;
        let account = self.filter.user.as_ref().and_then(|user| SubjectId::parse(user).ok());
        let may_follow = account.is_some_and(|id| {
            let decision = visit.rules().may_see_decisions(visitor, (&id, None), channel, visit.at);
            decision.is_allowed()
        });
        let mut unknown = self.unknown(visit, visitor, channel);
        unknown.retain(|one| !may_follow || one.name() != "user");
        unknown
    }

    /// What a filter says, as it was given; empty where it says nothing.
    pub(super) fn text(&self, filter: &str) -> String {
        self.said.get(filter).cloned().unwrap_or_default()
    }

    /// The address of `path` with the same filters, and with what else is to be in it.
    pub(super) fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.said).extend_pairs(more);
        let query = query.finish();
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    }

    pub(super) fn access(&self) -> Access {
        Access {
            wanted: self.said.clone(),
            ..Access::default()
        }
    }
}

/// Whether the directory knows somebody, and the rules let the person in front read what was decided about them.
pub(super) fn may_read_of(visit: &Visit<'_>, visitor: Visitor<'_>, (id, channel): (&SubjectId, Channel)) -> bool {
    let Some(person) = visit.in_force.directory.person(id) else {
        return false;
    };
    let whose = (id, Some(&*person));
    let decision = visit.rules().may_see_decisions(visitor, whose, channel, visit.at);
    decision.is_allowed()
}

/// Who may be meant by a name: those who are called so in full, then those whose names are like it, the most alike first.
pub(super) fn perhaps_meant(said: &str, people: &Directory) -> Vec<SubjectId> {
    let named = people.called(said);
    let by_id = all_like(said, people.people(), |person| person.id.as_str());
    let by_name = all_like(said, people.people(), |person| person.name.as_str());
    let mut seen = BTreeSet::new();
    let all = named.into_iter().chain(by_id).chain(by_name);
    all.map(|person| person.id.clone())
        .filter(|id| seen.insert(id.clone()))
        .collect()
}

/// A name as people sign in with it, or one in full: nothing is found of that, and who may be meant is told.
fn name_of_somebody(text: &str) -> Option<String> {
    let is_in_full = text.len() <= LONGEST && text.contains(' ') && !text.chars().any(char::is_control);
    (is_in_full || SubjectId::parse(text).is_ok()).then(|| text.to_owned())
}

fn platforms<'a>(visit: &Visit<'a>) -> BTreeSet<&'a str> {
    let all = visit.rules().catalog().platforms().map(|one| one.id.as_str());
    all.chain([ANY]).collect()
}

fn activities<'a>(visit: &Visit<'a>) -> BTreeSet<&'a str> {
    let all = visit.rules().policy().vocabulary().activities().keys();
    all.map(Activity::as_str).chain(["connect"]).collect()
}

/// Names that are no filters, nor what else may stand there; and filters that are given twice.
fn misnamed(received: &Received, more: &[&str]) -> Vec<BadFilter> {
    let (mut bad, mut seen) = (Vec::new(), BTreeSet::new());
    for (name, _) in received.pairs() {
        if bad.len() >= MOST {
            break;
        }
        if !FILTERS.contains(&name.as_ref()) && !more.contains(&name.as_ref()) {
            let near = did_you_mean(&name, FILTERS);
            bad.push(BadFilter::NoSuch(name.chars().take(LONGEST).collect(), near));
        } else if !seen.insert(name.clone()) {
            bad.push(BadFilter::Twice(name.into_owned()));
        }
    }
    bad.dedup();
    bad
}

fn read<T>(
    said: &BTreeMap<String, String>,
    name: &'static str,
    bad: &mut Vec<BadFilter>,
    reader: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let read = reader(said.get(name)?);
    if read.is_none() {
        bad.push(BadFilter::Unreadable(name));
    }
    read
}

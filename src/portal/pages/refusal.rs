//! The guard said no: the page, the problem document and the redirect that say so.

use std::collections::BTreeSet;
use std::time::Duration;

use askama::Template;
use http::StatusCode;
use http::header::{self, HeaderName};
use serde_json::{Value, json};

use super::answer::{BY_HEADER, Origin, Page, document, in_language, put, see_other};
use super::problem::{Problem, proxy_status, retry_after};
use crate::facts::{Activity, Offer, Outcome, PolicyId, PurposeId, Reason, RecordId, Remedy, RulebookId};
use crate::portal::words::{Kind, Selected, Words};
use crate::purpose::mildest_first;
use crate::rulebook::{InEmergency, Refusal};

/// What said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The rules.
    Rules,
    /// A rule that failed to evaluate: any doubt denies.
    PolicyError,
    /// The directory, which does not know the person.
    PersonUnknown,
}

impl From<&Refusal> for Cause {
    fn from(refusal: &Refusal) -> Self {
        match (refusal.policy_error, refusal.unknown_person) {
            (true, _) => Self::PolicyError,
            (false, true) => Self::PersonUnknown,
            (false, false) => Self::Rules,
        }
    }
}

/// What was asked for already and would help once somebody approves it.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The purpose.
    pub title: String,
    /// Who can approve it.
    pub approvers: Vec<String>,
    /// Who can as well, and from when on, where that is yet to come.
    pub later: Option<(String, Vec<String>)>,
    /// Since when it waits, by the person's clock.
    pub since: String,
    /// Until when.
    pub until: String,
    /// Within which time such requests are usually answered.
    pub answered_within: Option<Duration>,
}

/// A refusal, as it is told.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// In which language.
    pub words: &'a Words,
    /// The portal, `https://wayleave.internal`.
    pub portal: &'a str,
    /// What was tried.
    pub activity: &'a Activity,
    /// Where, as people call it: the platform's name or the host.
    pub place: &'a str,
    /// The determining policies.
    pub reasons: &'a [Reason],
    /// Those of them that speak of grants that are held.
    pub of_grants: &'a BTreeSet<PolicyId>,
    /// Those that speak only of grants for other platforms, where one for this platform is held.
    pub elsewhere: &'a BTreeSet<PolicyId>,
    /// What said no.
    pub cause: Cause,
    /// What would help.
    pub remedy: &'a Remedy,
    /// Whether the person holds any grant for this place.
    pub holds_grant: bool,
    /// The purpose that was selected, where it keeps others from helping.
    pub selected: Option<&'a Selected>,
    /// The purpose that helped until it ran out: its title, and when.
    pub expired: Option<(&'a str, &'a str, Option<Duration>)>,
    /// What was asked for already and waits.
    pub pending: Option<&'a Pending>,
    /// For which purposes that is: they are not offered again.
    pub asked: &'a BTreeSet<PurposeId>,
    /// The record of the refused flow.
    pub record: &'a RecordId,
    /// The rules that decided.
    pub rulebook: &'a RulebookId,
    /// The person's own link to this refusal; none where nobody is known.
    pub ticket: Option<&'a str>,
    /// Whether the refused request could be repeated by opening its address.
    pub repeatable: bool,
    /// What the person could take in an emergency.
    pub emergencies: &'a [InEmergency],
    /// Whether the person may continue all the same.
    pub may_continue: bool,
}

/// What a purpose would open.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Opening {
    pub(in crate::portal) title: String,
    pub(in crate::portal) effect: String,
    pub(in crate::portal) approval: Option<String>,
}

/// A refusal in words.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Lines {
    pub(in crate::portal) heading: &'static str,
    pub(in crate::portal) tried: String,
    pub(in crate::portal) why: Vec<String>,
    pub(in crate::portal) openings: Vec<Opening>,
    pub(in crate::portal) fixes: Vec<String>,
    pub(in crate::portal) alternative: Option<String>,
    pub(in crate::portal) sent: &'static str,
    pub(in crate::portal) help: String,
    pub(in crate::portal) link: &'static str,
    pub(in crate::portal) record: String,
    pub(in crate::portal) rulebook: String,
}

#[derive(Template)]
#[template(path = "refusal.html", config = "src/portal/askama.toml")]
struct Html<'a> {
    w: &'a Words,
    told: &'a Lines,
}

/// The page in place of the site's answer, for a person whose request cannot be repeated by opening an address.
pub fn refusal(told: &Told<'_>) -> Page {
    let html = Html {
        w: told.words,
        told: &told.lines(),
    };
    let mut page = document(
        StatusCode::FORBIDDEN,
        Origin::Elsewhere,
        html.render().unwrap_or_default(),
    );
    told.mark(&mut page);
    in_language(page, told.words, BY_HEADER)
}

/// The redirect to the portal, for a person who opened an address. The link holds no address and no name.
pub fn redirect(told: &Told<'_>) -> Page {
    let mut page = see_other(&told.help());
    told.mark(&mut page);
    page
}

/// The problem document, for everything that is not a person.
pub fn problem(told: &Told<'_>) -> Page {
    let (kind, words) = (told.kind(), told.words);
    let doing = (words.activity)(told.activity.as_str());
    let ids: Vec<&str> = told.remedy.offers.iter().map(|offer| offer.purpose.as_str()).collect();
    let detail = (words.detail)(kind, &doing, told.place, &ids);
    let purposes: Vec<Value> = told.remedy.offers.iter().map(|offer| purpose(offer, words)).collect();
    let detail = match told.selected.map(words.selected) {
        Some(only) => format!("{detail} {} {}", only.why, only.help),
        None => detail,
    };
    let detail = if told.may_continue {
        format!("{detail} {}", words.tools_may_continue)
    } else {
        detail
    };
    let pending = told.pending.filter(|_| kind == Kind::ApprovalPending);
    let detail = pending.map_or(detail.clone(), |pending| format!("{detail} {}", told.waits(pending)));
    let reasons = told.reasons();
    let mut problem = Problem::new(StatusCode::FORBIDDEN, kind.as_str(), (words.heading)(kind), &detail)
        .with("instance", told.instance())
        .with("outcome", told.remedy.outcome().as_str())
        .with("reasons", reasons)
        .with("purposes", purposes)
        .with("fixes", told.remedy.fixes.clone())
        .with("declare", format!("{}/v1/grants", told.portal))
        .with("help", told.help())
        .with("policy_revision", told.rulebook.as_str());
    if let Some(alternative) = &told.remedy.alternative {
        problem = problem.with("alternative", alternative.said_in(words.language));
    }
    if told.may_continue {
        problem = problem.with("continue", format!("{}{}/continue", told.portal, told.instance()));
    }
    let urgent = (told.portal, words.language);
    let mut page = problem.in_emergency(told.emergencies, urgent).answer();
    told.mark(&mut page);
    in_language(page, words, BY_HEADER)
}

fn purpose(offer: &Offer, words: &Words) -> Value {
    let span = |length| jiff::SignedDuration::try_from(length).map_or_else(|_| String::new(), |span| span.to_string());
    json!({
        "id": offer.purpose,
        "title": offer.title.said_in(words.language),
        "approval": offer.needs_approval,
        "approvers": offer.approvers,
        "alternates": offer.later.as_ref().map(|later| json!({
            "after": span(later.after), "approvers": later.approvers,
        })),
        "approvals_needed": offer.needed,
        "usually_answered_within": offer.answered_within.map(span),
        "covers": offer.covers,
        "default_ttl": span(offer.default_for),
        "max_ttl": span(offer.longest_for),
        "ticket_pattern": offer.ticket_pattern,
    })
}

impl Told<'_> {
    /// Which kind of refusal it is.
    pub fn kind(&self) -> Kind {
        match self.cause {
            Cause::PolicyError => Kind::PolicyError,
            Cause::PersonUnknown => Kind::PersonUnknown,
            Cause::Rules => self.kind_by_rules(),
        }
    }

    fn kind_by_rules(&self) -> Kind {
        let training = self.remedy.fixes.iter().any(|fix| fix.starts_with("training:"));
        match self.remedy.outcome() {
            Outcome::Allow | Outcome::Declare if self.expired.is_some() => Kind::GrantExpired,
            Outcome::Allow | Outcome::Declare if self.holds_grant => Kind::ActivityNotCovered,
            Outcome::Allow | Outcome::Declare => Kind::PurposeRequired,
            Outcome::Request if self.pending.is_some() => Kind::ApprovalPending,
            Outcome::Request => Kind::ApprovalRequired,
            Outcome::Deny if self.selected.is_some() => Kind::SelectionUnfit,
            Outcome::Deny if self.may_continue => Kind::Coached,
            Outcome::Deny if training => Kind::TrainingRequired,
            Outcome::Deny => Kind::Prohibited,
        }
    }

    /// The refusal in words.
    pub(in crate::portal) fn lines(&self) -> Lines {
        let words = self.words;
        let outcome = self.remedy.outcome();
        let declarable = matches!(outcome, Outcome::Allow | Outcome::Declare);
        let (sent, link) = match (declarable, self.repeatable) {
            (true, false) => (words.go_back_after_declaring, words.link_to_declare),
            (true, true) => (words.nothing_was_sent, words.link_to_declare),
            (false, _) if self.may_continue => (words.nothing_was_sent, words.link_to_continue),
            (false, _) if self.kind() == Kind::ApprovalRequired && self.remedy.offers.iter().any(Offer::can_be_had) => {
                (words.nothing_was_sent, words.link_to_ask)
            }
            (false, _) => (words.nothing_was_sent, words.link_to_explain),
        };
        Lines {
            heading: (words.heading)(self.kind()),
            tried: (words.tried)(&(words.activity)(self.activity.as_str()), self.place),
            why: self.why(),
            openings: {
                let offers = self.remedy.offers.iter();
                let new = offers.filter(|offer| !self.asked.contains(&offer.purpose));
                new.map(|offer| self.opening(offer)).collect()
            },
            fixes: self.remedy.fixes.iter().map(|fix| self.fix(fix)).collect(),
            alternative: {
                let alternative = self.remedy.alternative.as_ref();
                alternative.map(|text| (words.alternative)(text.said_in(words.language)))
            },
            sent,
            help: self.help(),
            link,
            record: self.record.to_string(),
            rulebook: self.rulebook.short(),
        }
    }

    /// The reasons worth telling: those that nothing mends first. One whose fix would change nothing is left out, since
    /// it would read as advice; the record keeps it. So is what a purpose that is held does not cover, where no other
    /// would do; whoever may continue past it hears of it; and what a grant for another platform does not cover. Last, when
    /// the purposes that are held would open this.
    fn reasons(&self) -> Vec<&str> {
        let helps = |fix: &str| self.remedy.fixes.iter().any(|one| one == fix);
        let of_grants = self.may_continue || self.remedy.makes_grants_matter();
        let here = |reason: &&Reason| !self.elsewhere.contains(&reason.policy);
        let counts = |reason: &&Reason| here(reason) && (of_grants || !self.of_grants.contains(&reason.policy));
        let lasting = self.reasons.iter().filter(|reason| reason.fix.is_none());
        let lasting = lasting.filter(counts);
        let mended = self.reasons.iter().filter(counts);
        let mended = mended.filter(|reason| reason.fix.as_deref().is_some_and(helps));
        let reasons = lasting.chain(mended).map(|reason| &reason.text);
        let told = reasons.chain(&self.remedy.not_now);
        told.map(|text| text.said_in(self.words.language)).collect()
    }

    /// A fix as the rule that names it puts it for whoever reads this; where it is another selection, what that could be.
    fn fix(&self, fix: &str) -> String {
        if let Some(selected) = self.selected.filter(|_| Remedy::selected_in(fix).is_some()) {
            return (self.words.selected)(selected).help;
        }
        let mut named = self.reasons.iter().filter_map(|reason| reason.fix.as_ref());
        let named = named.find(|named| ***named == *fix);
        (self.words.fix)(named.map_or(fix, |named| named.said_in(self.words.language)))
    }

    fn why(&self) -> Vec<String> {
        let words = self.words;
        let mut why: Vec<String> = self
            .expired
            .map(|(purpose, when, unused)| (words.expired)(purpose, when, unused))
            .into_iter()
            .collect();
        match self.cause {
            Cause::Rules => {}
            Cause::PolicyError => why.push(words.rules_failed.to_owned()),
            Cause::PersonUnknown => why.push(words.not_listed.to_owned()),
        }
        why.extend(self.selected.map(|selected| (words.selected)(selected).why));
        why.extend(self.reasons().into_iter().map(str::to_owned));
        if let Some(pending) = self.pending.filter(|_| self.kind() == Kind::ApprovalPending) {
            why.push(self.waits(pending));
        }
        why.dedup();
        if why.is_empty() {
            let offers = &self.remedy.offers;
            let why_not = if !offers.is_empty() && self.holds_grant && self.cause == Cause::Rules {
                words.held_opens_not
            } else if offers.is_empty() && self.may_continue {
                words.no_reason_to_continue
            } else if offers.is_empty() {
                words.no_reason
            } else if offers.iter().all(|offer| offer.needs_approval) {
                words.opens_once_approved
            } else {
                words.opens_for_a_purpose
            };
            why.push(why_not.to_owned());
        }
        why
    }

    /// Since when something waits, and for whom.
    fn waits(&self, pending: &Pending) -> String {
        let approvers: Vec<&str> = pending.approvers.iter().map(String::as_str).collect();
        let later = pending.later.as_ref();
        let others: Vec<&str> = later.iter().flat_map(|(_, names)| names).map(String::as_str).collect();
        let later = later.map(|(from, _)| (from.as_str(), others.as_slice()));
        let waits = (self.words.waits)(&pending.title, &approvers, later, &pending.since, &pending.until);
        let within = pending.answered_within.filter(|_| !approvers.is_empty());
        self.words.and_how_fast(waits, within)
    }

    /// What an offer would open.
    pub(in crate::portal) fn opening(&self, offer: &Offer) -> Opening {
        let words = self.words;
        let approvers = words.chain.those(offer.needed, offer.approvers.clone());
        let approvers: Vec<&str> = approvers.iter().map(String::as_str).collect();
        let later = offer.later.as_ref();
        let others: Vec<&str> = later
            .iter()
            .flat_map(|later| &later.approvers)
            .map(String::as_str)
            .collect();
        let later = later.map(|later| (later.after, others.as_slice()));
        Opening {
            title: offer.title.said_in(words.language).to_owned(),
            effect: (words.effect)(
                &(words.groups)(&mildest_first(&offer.covers)),
                self.place,
                offer.default_for,
            ),
            approval: offer.needs_approval.then(|| {
                let within = offer.answered_within.filter(|_| !approvers.is_empty());
                words.and_how_fast((words.approval)(&approvers, later), within)
            }),
        }
    }

    fn help(&self) -> String {
        match self.ticket {
            Some(ticket) => format!("{}/d/{ticket}", self.portal),
            None => format!("{}/", self.portal),
        }
    }

    fn instance(&self) -> String {
        format!("/v1/decisions/{}", self.record)
    }

    /// The headers that every form of a refusal carries.
    fn mark(&self, page: &mut Page) {
        let kind = self.kind();
        proxy_status(page, "http_request_denied", kind.as_str());
        let described = format!("{}{}", self.portal, self.instance());
        let links = format!("<{}>; rel=\"help\", <{described}>; rel=\"describedby\"", self.help());
        put(page.headers_mut(), header::LINK, &links);
        // A cache or a service worker must not show this to somebody else, or later.
        put(page.headers_mut(), HeaderName::from_static("vary"), "*");
        // an approver is a person: a minute is soon (of a redirect it would say when to follow it: RFC 9110 §10.2.3)
        if !page.status().is_redirection() && matches!(kind, Kind::PolicyError | Kind::ApprovalPending) {
            retry_after(page, 60);
        }
    }
}

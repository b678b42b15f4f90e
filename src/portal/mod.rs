//! The counter where people talk to the guard: state a purpose, see and end what they hold, learn why not.
//!
//! It is reached through the proxy under a reserved name, so whoever comes has been identified on the hop to the proxy.
//! That proof is ambient, as a cookie would be: every unsafe request must show that it was meant (see `provenance.rs`
//! and `tokens.rs`), and answering what others ask takes a password, too (`proof.rs`, `signing_in.rs`, `session.rs`).
//!
//! Reads like this: [`Portal::refused`] remembers a refusal and gives its [`Ticket`], [`Portal::shares`] tells other gateways of it; [`Portal::serve`] answers a
//! request, as `table` routes it; `deeds` is the only place that gives and ends grants; [`pages`] is pure and also used
//! by the proxy; [`words`] holds everything that is said, and `language` finds in which language.
//!
//! It must never grant what it cannot record, never show one person what belongs to another, and never let a page of
//! a site or of somebody else act for the person in front of it.

mod accounts;
mod anew;
mod answers;
mod api;
mod approving;
mod beside;
mod beside_pages;
mod book;
mod book_line;
mod book_lines;
mod book_pages;
mod case;
mod choosing;
mod coach;
mod decision_pages;
mod decisions;
mod declare;
mod deeds;
mod delegating;
mod delegation_calls;
mod delegation_pages;
mod drafts;
pub mod effects;
mod emergencies;
mod emergency_calls;
mod emergency_pages;
mod ended;
mod explained;
mod explained_pages;
mod export;
mod exporting;
mod formats;
mod health_pages;
mod history;
mod inbox;
mod intake;
mod language;
mod lists;
mod memory;
mod met;
mod mine;
mod mine_asked;
mod once;
mod open_flows;
mod openapi;
mod others;
mod outcome_calls;
mod outcome_pages;
mod outcomes;
mod own_form;
pub mod pages;
mod paging;
mod places;
mod privacy;
mod privacy_pages;
mod proof;
mod provenance;
mod questions;
mod recalls;
mod renewing;
mod revocations;
mod revoking;
mod routes;
mod rulebook_pages;
mod seal;
mod searches;
mod sees;
mod session;
mod signing_in;
mod stating;
mod table;
mod tail;
#[cfg(test)]
mod tests;
mod theirs;
mod times;
mod token_calls;
mod token_pages;
mod tokens;
mod told;
mod tool_tokens;
mod turns;
mod unread;
mod value;
mod value_pages;
mod waiting;
mod wanted;
pub mod words;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::Body;
use serde::{Deserialize, Serialize};

use crate::audit::Book;
use crate::clock::Timestamp;
use crate::facts::{
    Arrival, FaultCode, Host, Language, Observation, Person, RecordId, Remedy, RulebookId, Subject, SubjectId, Token,
    Wording,
};
use crate::identity::Guard;
use crate::ledger::{Ledger, Once};
use crate::proof::Board;
use crate::rulebook::{InForce, Refusal, Rulebook, Visitor};
pub use anew::{Anew, Until};
pub use deeds::NotGranted;
pub use delegating::{DelegationField, Misfit};
pub use explained::PastRules;
use health_pages::Doctor;
pub use health_pages::{Condition, DoorIs, LookAfter, NoticesAre, Refusing, RulesAre, Unsent};
pub use intake::Received;
use memory::Memory;
use once::Underway;
use pages::counter::Languages;
pub use pages::{Audience, Page};
use pages::{Told, counter};
use seal::Seal;
pub use seal::Ticket;
use searches::Searches;
use session::Sessions;
pub use table::{Route, routes};
pub use tail::Tail;
use tail::Watchers;
use tokens::Tokens;
use turns::Turns;
pub use wanted::BadFilter;
use words::Words;

/// How the portal is reached and what it says of itself.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The reserved name under which the portal answers, through the proxy only.
    pub host: Host,
    /// In which language people are answered who ask for none of those that there are.
    pub language: Language,
    /// Where people turn with questions: a sentence shown below every page, e.g. `help desk, extension 4711`.
    pub contact: Option<String>,
    /// How many seconds a link to a refusal is valid.
    pub ticket_s: u64,
    /// Where rules, or the gateway, only coach: for how many minutes whoever was told why not and continued is not told
    /// again.
    pub continue_minutes: u64,
    /// For how many days at most somebody may let somebody else answer for them what others ask; 0: nobody may.
    pub delegation_days: u64,
    /// For how many people recent refusals are remembered: of each, at most sixteen, and as many tunnels that were stopped.
    pub remembered_people: usize,
    /// For how many days a token for tools can be good at most; the rules on `make-token` may allow less.
    pub token_days: u32,
}

impl Default for Settings {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "a constant that a test parses")]
        let host = Host::parse("wayleave.internal").expect("a host name");
        Self {
            host,
            language: Language::En,
            contact: None,
            ticket_s: 300,
            continue_minutes: 60,
            delegation_days: 90,
            remembered_people: 2048,
            token_days: 90,
        }
    }
}

/// What the portal works with.
#[derive(Clone)]
pub struct PortalParts {
    /// How it is reached.
    pub settings: Settings,
    /// Where grants are kept.
    pub ledger: Ledger,
    /// Where everything is recorded.
    pub book: Book,
    /// What is known of the properties of the rules in force.
    pub findings: Arc<Board>,
    /// Who looks at passwords where somebody must prove once more who they are.
    pub guard: Arc<Guard>,
    /// Where rules are found that ruled.
    pub past: PastRules,
    /// How long the body of a form or of a call may take.
    pub patience: Duration,
}

/// Why the portal cannot open.
#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    /// The system gives no random numbers.
    #[error("the system gives no random numbers, without which forms cannot be protected")]
    Random,
}

/// A request to the portal, as the proxy understood it.
#[derive(Clone, Copy)]
pub struct Visit<'a> {
    /// The rules and the people in force, loaded once for this request.
    pub in_force: &'a InForce,
    /// Who asks, as proven on the hop to the proxy.
    pub subject: &'a Subject,
    /// What the directory knows of them.
    pub person: Option<&'a Arc<Person>>,
    /// How they came in.
    pub arrival: &'a Arrival,
    /// Whether the request came over TLS that ends here, as `https://` on the portal's own host.
    pub secure: bool,
    /// When.
    pub at: Timestamp,
    /// The call that is to be done once, where it is.
    pub once: Option<&'a Once>,
    /// The token for tools that was shown on the hop to the proxy.
    pub token: Option<&'a Token>,
}

/// A refusal to remember.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The record of the refused flow.
    pub record: RecordId,
    /// What was seen, redacted; judged again whenever the refusal is looked at.
    pub seen: Observation,
    /// Why not.
    pub refusal: Refusal,
    /// What would have helped.
    pub remedy: Remedy,
    /// The rules that refused.
    pub rulebook: RulebookId,
    /// The whole address, where a browser's main window asked for it with GET: there the person goes back to.
    pub back: Option<String>,
}

/// A tunnel that was let through and then stopped, because of what it began with: no page could say so.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// Whose tunnel it was.
    pub who: SubjectId,
    /// The record of the tunnel.
    pub record: RecordId,
    /// Where it would have gone.
    pub host: Host,
    /// What was wrong with it.
    pub code: FaultCode,
    /// The same in detail.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// The counter: a handle, so that each request is answered by one that speaks its language.
#[derive(Clone)]
pub struct Portal {
    host: Host,
    origin: Arc<str>,
    settings: Arc<Settings>,
    ledger: Ledger,
    book: Book,
    guard: Arc<Guard>,
    findings: Arc<Board>,
    patience: Duration,
    memory: Arc<Memory>,
    tokens: Arc<Tokens>,
    seal: Arc<Seal>,
    turns: Arc<Turns>,
    /// Of those who ask what they may do: nobody who revokes in an emergency waits for them.
    matrix_turns: Arc<Turns>,
    past: PastRules,
    doctor: Doctor,
    searches: Arc<Searches>,
    watchers: Watchers,
    underway: Arc<Underway>,
    /// Who waits for what another gateway has yet to tell.
    awaited: Arc<Turns>,
    words: &'static Words,
    languages: Languages,
}

impl Portal {
    /// Opens the counter.
    pub fn new(parts: PortalParts) -> Result<Self, PortalError> {
        let (host, ledger) = (parts.settings.host.clone(), parts.ledger);
        let seal = Seal::new(ledger.counter_key()).ok_or(PortalError::Random)?;
        let (ticket_s, most) = (parts.settings.ticket_s, parts.settings.remembered_people);
        Ok(Self {
            origin: format!("https://{host}").into(),
            host,
            memory: Memory::new(ticket_s, most, ledger.is_shared()).into(),
            words: Words::of(parts.settings.language),
            languages: Languages::default(),
            settings: parts.settings.into(),
            ledger,
            book: parts.book,
            guard: parts.guard,
            findings: parts.findings,
            past: parts.past,
            doctor: Doctor::default(),
            patience: parts.patience,
            tokens: Tokens::new(seal.forms()).into(),
            seal: seal.into(),
            turns: Arc::default(),
            matrix_turns: Arc::default(),
            searches: Arc::default(),
            watchers: Watchers::default(),
            underway: Arc::default(),
            awaited: Arc::default(),
        })
    }

    /// The reserved name.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The portal's own origin, `https://wayleave.internal`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Remembers a refusal, and gives the link with which its person, and nobody else, finds it for some minutes.
    /// None where nobody is known, or the request is too long to keep.
    pub fn refused(&self, refused: Refused) -> Option<Ticket> {
        let record = refused.record.clone();
        let who = self.memory.keep(refused)?;
        self.seal.ticket(&who, &record)
    }

    /// Remembers a stopped tunnel for its person's own page.
    pub fn stopped(&self, stopped: Stopped) {
        self.memory.keep_stopped(stopped);
    }

    /// The answer to a refused request: remembered, and told to whoever asked.
    ///
    /// A person who opened an address (`refused.back`) is sent to the portal; any other navigation gets a page in
    /// place of the answer; everything else a problem document.
    pub fn refuse(&self, in_force: &InForce, refused: &Refused, (who, words): (Audience, &'static Words)) -> Page {
        let ticket = self.refused(refused.clone());
        let counter = Self { words, ..self.clone() };
        let case = case::Case::of(&counter, in_force, refused);
        let told = case.told(&counter);
        let told = Told {
            ticket: ticket.as_ref().map(Ticket::as_str),
            // nobody continues past what is not remembered
            may_continue: told.may_continue && ticket.is_some(),
            ..told
        };
        match (who, &refused.back, &ticket) {
            (Audience::Tool, _, _) => pages::problem(&told),
            (Audience::Navigation, Some(_), Some(_)) => pages::redirect(&told),
            (Audience::Navigation, _, _) => pages::refusal(&told),
        }
    }

    /// Answers a request to the portal's host.
    pub async fn serve(&self, visit: &Visit<'_>, received: &Received) -> Page {
        let counter = self.for_request(received);
        let page = if received.path().starts_with("/v1/") {
            counter.serve_tool(visit, received).await
        } else {
            counter.serve_person(visit, received).await
        };
        pages::in_language(page, counter.words, language::BY_CHOICE)
    }

    /// Hears a request to its end; the error is the answer to one that does not come whole.
    pub async fn receive<B>(&self, request: Request<B>) -> Result<Received, Page>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let words = self.words_here(request.headers());
        let received = intake::receive(request, self.patience).await;
        received.map_err(|trouble| pages::in_language(trouble.answer(words), words, language::BY_CHOICE))
    }

    fn sessions(&self) -> Sessions<'_> {
        Sessions {
            ledger: &self.ledger,
            guard: &self.guard,
        }
    }

    fn page(&self, status: StatusCode, template: &impl Template) -> Page {
        counter::page(status, template, &self.languages)
    }

    fn note(&self, status: StatusCode, title: &str, text: &str) -> Page {
        let w = self.words;
        counter::page(status, &counter::Note { w, title, text }, &self.languages_at_home())
    }

    /// What somebody wrote for people, for the one in front.
    fn said<'a>(&self, wording: &'a Wording) -> &'a str {
        wording.said_in(self.words.language)
    }

    fn contact(&self) -> Option<String> {
        self.settings.contact.as_deref().map(self.words.contact)
    }
}

impl<'a> Visit<'a> {
    fn rules(&self) -> &'a Rulebook {
        &self.in_force.rulebook
    }

    /// Who acts, under which rules.
    fn by(&self) -> (&'a SubjectId, &'a RulebookId) {
        (&self.subject.id, self.rules().id())
    }

    fn visitor(&self) -> Option<Visitor<'a>> {
        Some(Visitor {
            person: self.person?,
            subject: self.subject,
            arrival: self.arrival,
        })
    }
}

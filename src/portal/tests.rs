//! Deeds: what the book and the ledger say of a grant whatever comes in between.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::pin::pin;

use futures_util::poll;

use super::answers::NotAnswered;
use super::deeds::{NotEnded, act};
use super::delegation_pages::taking_back;
use super::emergency_pages::reviewing;
use super::inbox::Verb;
use super::mine::ending;
use super::others::deed as others_deed;
use super::outcome_pages::deed as outcome_deed;
use super::renewing::deed as renewing_deed;
use super::revoking::{Look, NotRevoked, Selection};
use super::sees::Sees;
use super::stating::stating as stating_deed;
use super::token_pages::revoking;
use super::tool_tokens::{NotMade, Wanted};
use super::*;
use crate::audit::{self, read};
use crate::clock::Clock;
use crate::facts::{
    Act, Ask, Authority, Came, Channel, Door, Grant, GrantAct, GrantId, GrantState, GrantTerms, MethodName, Mode,
    NetworkName, Observation, PlatformId, PolicyId, PurposeId, Record, RevokedFor, Scope, SourceText, Standing,
    SubjectId, TokenAct, TokenHash, TokenId,
};
use crate::identity::SignIn;
use crate::ledger::{MOST_IN_FORCE, OnRecord};
use crate::purpose::{Approval, Approved, Consent, Declaration, Hearing, Lapsed, Note, Over, Pending, Why};
use crate::rulebook::{Live, Sources, Weighing};

fn noon() -> Timestamp {
    "2026-11-24T11:30:00Z".parse().unwrap()
}

/// A counter with its book and ledger in a folder, and Ada in front of it.
struct Counter {
    folder: tempfile::TempDir,
    in_force: InForce,
    subject: Subject,
    arrival: Arrival,
}

impl Counter {
    fn new() -> Self {
        Self::by(&Sources::embedded())
    }

    fn by(sources: &Sources) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            in_force: Rulebook::assemble(sources).unwrap().in_mode(Mode::Enforce),
            subject: Subject {
                id: SubjectId::parse("ada").unwrap(),
                method: MethodName::Basic,
            },
            arrival: Arrival {
                door: Door::Tls,
                client: "127.0.0.1:50000".parse().unwrap(),
                network: NetworkName::default(),
            },
        }
    }

    fn open(&self) -> Portal {
        let settings = audit::Settings {
            folder: self.records(),
            ..audit::Settings::default()
        };
        let (book, _) = Book::open(&settings, Clock::fixed(noon()), Vec::new()).unwrap();
        let anywhere: crate::identity::MaySend = Arc::new(|_| true);
        let parts = PortalParts {
            settings: Settings::default(),
            ledger: Ledger::open(&self.folder.path().join("ledger.db")).unwrap(),
            book,
            findings: Arc::default(),
            guard: Arc::new(Guard::new(&self.accounts(), &anywhere).unwrap()),
            past: Arc::new(|id| Err(format!("`{id}` is not kept"))),
            patience: Duration::from_secs(30),
        };
        Portal::new(parts).unwrap()
    }

    fn person(&self) -> Arc<Person> {
        self.in_force.directory.person(&self.subject.id).unwrap()
    }

    fn visit<'a>(&'a self, person: &'a Arc<Person>) -> (Visit<'a>, Visitor<'a>) {
        let visit = Visit {
            in_force: &self.in_force,
            subject: &self.subject,
            person: Some(person),
            arrival: &self.arrival,
            secure: true,
            at: noon(),
            once: None,
            token: None,
        };
        let visitor = Visitor {
            person,
            subject: &self.subject,
            arrival: &self.arrival,
        };
        (visit, visitor)
    }

    async fn give(&self, portal: &Portal) -> Result<Grant, NotGranted> {
        let person = self.person();
        let (visit, visitor) = self.visit(&person);
        portal.give(&visit, visitor, &recruiting(), Channel::Portal).await
    }

    fn accounts(&self) -> crate::identity::Settings {
        crate::identity::Settings {
            users: self.folder.path().join("users.toml"),
            ..crate::identity::Settings::default()
        }
    }

    fn records(&self) -> PathBuf {
        self.folder.path().join("records")
    }

    fn terms(&self) -> GrantTerms {
        let person = self.person();
        let (visit, visitor) = self.visit(&person);
        let weighed = visit.rules().weigh(visitor, &recruiting(), Channel::Portal, noon());
        let Weighing::Granted { terms, .. } = weighed else {
            panic!("{weighed:?}");
        };
        terms
    }

    fn came(&self) -> Came {
        Came {
            arrival: self.arrival.clone(),
            method: self.subject.method,
        }
    }

    /// As if the gateway had ended before it could forget this promise.
    fn leave_behind(&self, id: &GrantId) {
        let file = rusqlite::Connection::open(self.folder.path().join("ledger.db")).unwrap();
        file.execute("INSERT INTO promises (id) VALUES (?1)", [id.as_str()])
            .unwrap();
        file.close().unwrap();
    }

    /// What the book says of grants once everything that was accepted is in it.
    async fn told(&self, portal: Portal) -> Vec<(GrantAct, BTreeSet<PolicyId>)> {
        let Portal { book, ledger, .. } = portal;
        // joins the ledger's thread
        drop(ledger);
        book.close().await.unwrap();
        let records = read(&self.records()).unwrap();
        let told = records.filter_map(|found| match found.unwrap().1.act {
            Act::Grant { act, policies, .. } => Some((act, policies)),
            Act::Opening { .. }
            | Act::Closing { .. }
            | Act::Stray { .. }
            | Act::Token { .. }
            | Act::Access { .. }
            | Act::Gateway { .. } => None,
        });
        told.collect()
    }

    /// What the book says of tokens once everything that was accepted is in it.
    async fn told_of_tokens(&self, portal: Portal) -> Vec<TokenAct> {
        let Portal { book, ledger, .. } = portal;
        drop(ledger);
        book.close().await.unwrap();
        let records = read(&self.records()).unwrap();
        let told = records.filter_map(|found| match found.unwrap().1.act {
            Act::Token { act, .. } => Some(act),
            Act::Opening { .. }
            | Act::Closing { .. }
            | Act::Stray { .. }
            | Act::Grant { .. }
            | Act::Access { .. }
            | Act::Gateway { .. } => None,
        });
        told.collect()
    }

    /// What the book says of grants at this moment, on disk.
    fn on_disk(&self) -> Vec<GrantAct> {
        let records = read(&self.records()).unwrap();
        let acts = records.filter_map(|found| match found.unwrap().1.act {
            Act::Grant { act, .. } => Some(act),
            Act::Opening { .. }
            | Act::Closing { .. }
            | Act::Stray { .. }
            | Act::Token { .. }
            | Act::Access { .. }
            | Act::Gateway { .. } => None,
        });
        acts.collect()
    }

    /// Who comes to the counter from now on.
    fn serves(&mut self, who: &str) -> Arc<Person> {
        self.subject.id = SubjectId::parse(who).unwrap();
        self.person()
    }

    /// Ben asks for what Mia must approve.
    async fn ask(&mut self, portal: &Portal, platform: &str) -> Result<Grant, NotGranted> {
        let ben = self.serves("ben");
        let (visit, visitor) = self.visit(&ben);
        portal
            .give_or_ask(&visit, visitor, &brand(platform), Channel::Portal)
            .await
    }

    /// What a form comes to that its person got for that deed, and signed in for a moment ago: the status, and the page or where
    /// it leads.
    async fn opens(
        &self,
        portal: &Portal,
        person: &Arc<Person>,
        path: &str,
        (id, deed): (&str, &str),
    ) -> (StatusCode, String) {
        let (visit, _) = self.visit(person);
        let session = portal
            .sessions()
            .begin(&self.subject.id, &SignIn::default(), &http::HeaderMap::new(), noon())
            .await
            .unwrap()
            .unwrap();
        let token = portal.tokens.issue(&self.subject.id, deed, noon());
        let mut fields = form_urlencoded::Serializer::new(String::new());
        fields.extend_pairs([
            ("token", token.as_str()),
            ("note", "Mine by now"),
            ("accepted", "yes"),
            ("amount", "1"),
        ]);
        if !path.contains('{') {
            fields.append_pair("grant", id);
        }
        let request = Request::post(path.replace("{id}", id).replace("{purpose}", id))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", portal.origin())
            .header("sec-fetch-site", "same-origin")
            .header("cookie", session.split(';').next().unwrap())
            .body(http_body_util::Full::new(Bytes::from(fields.finish())))
            .unwrap();
        let received = portal.receive(request).await.unwrap();
        let page = portal.serve(&visit, &received).await;
        let to = page.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        let status = page.status();
        let text = http_body_util::BodyExt::collect(page.into_body())
            .await
            .unwrap()
            .to_bytes();
        (status, to.unwrap_or_else(|| String::from_utf8(text.to_vec()).unwrap()))
    }

    async fn acts(&self, portal: Portal) -> Vec<GrantAct> {
        self.told(portal).await.into_iter().map(|(act, _)| act).collect()
    }
}

/// A token of Ada's that is good for a day, and the digest of its text.
fn token(id: &str, digest: u8) -> (Token, TokenHash) {
    let token = Token {
        id: TokenId::new(id),
        subject: SubjectId::parse("ada").unwrap(),
        name: String::new(),
        scope: [Scope::Read].into(),
        made_at: noon(),
        expires: noon().plus(Duration::from_hours(24)),
        revoked_at: None,
        revoked_for: None,
    };
    (token, TokenHash::new([digest; 32]))
}

fn recruiting() -> Declaration {
    Declaration {
        purpose: PurposeId::new("recruiting"),
        platforms: BTreeSet::from([PlatformId::new("linkedin")]),
        covers: None,
        statement: "Sourcing candidates for the data engineer role".to_owned(),
        ticket: Some("HR-1234".to_owned()),
        duration: None,
    }
}

fn brand(platform: &str) -> Declaration {
    Declaration {
        purpose: PurposeId::new("brand-publishing"),
        platforms: BTreeSet::from([PlatformId::new(platform)]),
        ticket: None,
        ..recruiting()
    }
}

fn terms_of_brand() -> GrantTerms {
    GrantTerms {
        subject: SubjectId::parse("ben").unwrap(),
        purpose: PurposeId::new("brand-publishing"),
        ..Counter::new().terms()
    }
}

fn recorded(book: &Book, grant: &Grant) -> Record {
    book.record(act(
        GrantAct::Granted,
        grant,
        &grant.subject,
        &RulebookId::new("none"),
        &[],
    ))
}

#[tokio::test]
async fn what_is_given_is_recorded_with_the_policies_that_let_it_be_declared() {
    let counter = Counter::new();
    let portal = counter.open();
    counter.give(&portal).await.unwrap();
    let told = counter.told(portal).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, GrantAct::Granted);
    assert!(!told[0].1.is_empty());
}

#[tokio::test]
async fn a_declaration_beyond_the_cap_is_refused_before_it_is_recorded() {
    let counter = Counter::new();
    let portal = counter.open();
    for _ in 0..MOST_IN_FORCE {
        counter.give(&portal).await.unwrap();
    }
    assert!(matches!(counter.give(&portal).await, Err(NotGranted::TooMany(_))));
    assert_eq!(counter.acts(portal).await, vec![GrantAct::Granted; MOST_IN_FORCE]);
}

#[tokio::test]
async fn an_end_is_recorded_also_when_whoever_asked_for_it_goes_away() {
    let counter = Counter::new();
    let portal = counter.open();
    let grant = counter.give(&portal).await.unwrap();
    {
        let person = counter.person();
        let (visit, visitor) = counter.visit(&person);
        let mut ending = pin!(portal.end(&visit, visitor, grant.id.as_str(), Channel::Api));
        let _ = poll!(ending.as_mut());
    }
    assert_eq!(counter.acts(portal).await, [GrantAct::Granted, GrantAct::Withdrawn]);
    assert_eq!(
        counter.open().ledger.get(&grant.id).unwrap().state,
        GrantState::Withdrawn
    );
}

#[tokio::test]
async fn whoever_goes_away_in_the_middle_of_revoking_tokens_leaves_none_good_that_the_book_says_is_over() {
    let mut counter = Counter::new();
    let portal = counter.open();
    let (own, theirs) = (token("own", 1), token("theirs", 2));
    for (token, hash) in [&own, &theirs] {
        let made = portal.ledger.make_token(token.clone(), *hash, || true);
        made.await.unwrap();
    }
    {
        let ada = counter.person();
        let (visit, visitor) = counter.visit(&ada);
        let mut revoking = pin!(portal.revoke_token(&visit, visitor, "own"));
        assert!(poll!(revoking.as_mut()).is_pending());
    }
    let sol = counter.serves("sol");
    {
        let (visit, visitor) = counter.visit(&sol);
        let why = Why::of(Note::parse("A stolen laptop").unwrap()).unwrap();
        let meant = Selection {
            token: Some(theirs.0.id.clone()),
            ..Selection::default()
        };
        let mut revoking = pin!(portal.revoke(&visit, visitor, &meant, (why, Channel::Api)));
        assert!(poll!(revoking.as_mut()).is_pending());
    }
    assert_eq!(counter.told_of_tokens(portal).await, [TokenAct::Revoked; 2]);
    assert_eq!(counter.open().ledger.good_tokens(noon()), []);
}

#[tokio::test]
async fn a_token_that_cannot_be_revoked_is_not_said_to_be() {
    let mut counter = Counter::new();
    let (token, hash) = token("theirs", 1);
    let ledger = counter.open().ledger;
    ledger.make_token(token.clone(), hash, || true).await.unwrap();
    drop(ledger);
    let file = rusqlite::Connection::open(counter.folder.path().join("ledger.db")).unwrap();
    file.execute_batch("CREATE TRIGGER refusing BEFORE INSERT ON tokens BEGIN SELECT RAISE (FAIL, 'full'); END;")
        .unwrap();
    file.close().unwrap();
    let portal = counter.open();
    let sol = counter.serves("sol");
    let (visit, visitor) = counter.visit(&sol);
    let why = Why::of(Note::parse("A stolen laptop").unwrap()).unwrap();
    let meant = Selection {
        token: Some(token.id.clone()),
        ..Selection::default()
    };
    let revoked = portal.revoke(&visit, visitor, &meant, (why, Channel::Api)).await;
    assert!(matches!(revoked, Err(NotRevoked::NotKept)), "{revoked:?}");
    assert_eq!(portal.ledger.good_tokens(noon()), [token]);
    assert_eq!(counter.told_of_tokens(portal).await, []);
}

#[tokio::test]
async fn the_end_of_a_token_whose_record_went_down_with_the_gateway_is_told_after_the_next_start_and_only_once() {
    let mut counter = Counter::new();
    let portal = counter.open();
    let (own, theirs) = (token("own", 1), token("theirs", 2));
    for (token, hash) in [&own, &theirs] {
        let made = portal.ledger.make_token(token.clone(), *hash, || true);
        made.await.unwrap();
    }
    portal.book.clone().close().await.unwrap();
    let ada = counter.person();
    let (visit, visitor) = counter.visit(&ada);
    portal.revoke_token(&visit, visitor, "own").await.unwrap();
    let sol = counter.serves("sol");
    let (visit, visitor) = counter.visit(&sol);
    let why = Why::of(Note::parse("A stolen laptop").unwrap()).unwrap();
    let all = Selection::default();
    let unrecorded = portal.revoke(&visit, visitor, &all, (why, Channel::Api)).await;
    assert!(matches!(unrecorded, Err(NotRevoked::NotRecorded(_))), "{unrecorded:?}");
    drop(portal);
    for left in [2, 0] {
        let portal = counter.open();
        assert_eq!(portal.ledger.untold_tokens().len(), left);
        portal.settle(&counter.records(), noon()).await.unwrap();
        let Portal { book, ledger, .. } = portal;
        drop(ledger);
        book.close().await.unwrap();
        let ends = read(&counter.records()).unwrap().filter_map(|found| {
            let Act::Token { act, token, by, .. } = found.unwrap().1.act else {
                return None;
            };
            Some((act, token.id.to_string(), by.to_string(), token.revoked_for))
        });
        let ended = crate::facts::Ended {
            by: sol.id.clone(),
            why: "A stolen laptop".to_owned(),
        };
        let because = Some(RevokedFor::Revocation(ended));
        let said = |id: &str, by: &str, why| (TokenAct::Revoked, id.to_owned(), by.to_owned(), why);
        let expected = [said("own", "ada", None), said("theirs", "sol", because)];
        assert_eq!(ends.collect::<Vec<_>>(), expected);
    }
}

#[tokio::test]
async fn a_rule_about_the_holder_is_asked_with_what_is_known_of_the_holder() {
    let mut sources = Sources::embedded();
    let rule = r#"
        @id("revoke.never-a-recruiters") @reason("Only recruiters end what recruiters hold.") @owner("HR")
        forbid (principal, action == Action::"revoke", resource)
        when { resource.declarer in Role::"recruiter" } unless { principal in Role::"recruiter" };
    "#;
    sources.rules.push(SourceText::new("rules/99-test.cedar", rule));
    let mut counter = Counter::by(&sources);
    let portal = counter.open();
    let grant = counter.give(&portal).await.unwrap();
    counter.subject.id = SubjectId::parse("sol").unwrap();
    let security = counter.person();
    let (visit, visitor) = counter.visit(&security);
    let ended = portal.end(&visit, visitor, grant.id.as_str(), Channel::Portal).await;
    assert!(matches!(ended, Err(NotEnded::NoSuch)), "{ended:?}");
}

/// What the token of a form is for, where it is about that id.
type Deed = fn(&str) -> String;

/// What belongs to others: a grant and a token of Ada's, what Ben asks for, what he took in an emergency, and whom Mia lets answer.
struct OfOthers {
    held: Grant,
    token: Token,
    asked: Grant,
    emergency: Grant,
    delegation: Grant,
}

impl OfOthers {
    async fn of(counter: &mut Counter, portal: &Portal) -> Self {
        let (token, hash) = token("adas", 1);
        portal.ledger.make_token(token.clone(), hash, || true).await.unwrap();
        let held = counter.give(portal).await.unwrap();
        let taken = GrantTerms {
            emergency: Some(crate::facts::Emergency {
                review_by: noon().plus(Duration::from_hours(24)),
                review: None,
            }),
            ..terms_of_brand()
        };
        let given = GrantTerms {
            subject: SubjectId::parse("mia").unwrap(),
            purpose: PurposeId::new(PurposeId::DELEGATED),
            platforms: BTreeSet::new(),
            covers: BTreeSet::new(),
            delegated: Some(crate::facts::Delegated {
                to: SubjectId::parse("nora").unwrap(),
                purposes: BTreeSet::new(),
            }),
            ..counter.terms()
        };
        Self {
            held,
            token,
            emergency: portal.ledger.give(taken).await.unwrap(),
            delegation: portal.ledger.give(given).await.unwrap(),
            asked: counter.ask(portal, "instagram").await.unwrap(),
        }
    }

    /// Whether all of it is as it was.
    fn is_untouched(&self, portal: &Portal) -> bool {
        let ledger = &portal.ledger;
        let grants = [&self.held, &self.asked, &self.emergency];
        grants.iter().all(|one| ledger.get(&one.id).as_ref() == Some(*one))
            && ledger.delegation(&self.delegation.id).as_ref() == Some(&self.delegation)
            && ledger.good_tokens(noon()) == std::slice::from_ref(&self.token)
    }
}

#[tokio::test]
async fn whoever_sends_a_form_of_their_own_for_what_belongs_to_others_is_told_as_of_what_is_not_there() {
    let mut counter = Counter::new();
    let portal = counter.open();
    let others = OfOthers::of(&mut counter, &portal).await;
    let dan = counter.serves("dan");
    let nobody = "01a2059d-ffff-7c77-8529-4834e406e3ca";
    let revokes: Deed = |id| {
        others_deed(&Selection {
            grant: Some(GrantId::new(id)),
            ..Selection::default()
        })
    };
    let lines: [(&str, &str, Deed); 10] = [
        ("/approvals/{id}/review", others.emergency.id.as_str(), reviewing),
        ("/purposes/{purpose}", "legal-discovery", stating_deed),
        ("/grants/{id}/end", others.held.id.as_str(), ending),
        ("/grants/{id}/outcome", others.held.id.as_str(), outcome_deed),
        ("/grants/{id}/renew", others.held.id.as_str(), renewing_deed),
        ("/grants/revoke", others.held.id.as_str(), revokes),
        ("/delegations/{id}/end", others.delegation.id.as_str(), taking_back),
        ("/tokens/{id}/revoke", others.token.id.as_str(), revoking),
        ("/approvals/{id}/approve", others.asked.id.as_str(), |id| {
            Verb::Approve.deed(id)
        }),
        ("/approvals/{id}/decline", others.asked.id.as_str(), |id| {
            Verb::Decline.deed(id)
        }),
    ];
    let forms = routes().filter(|route| route.method == "POST" && route.below.is_empty() && route.path.contains('{'));
    for route in forms {
        assert!(
            lines.iter().any(|(path, ..)| *path == route.path),
            "{route:?}: try it here"
        );
    }
    let form_over = counter
        .opens(&portal, &dan, "/grants/{id}/end", (nobody, "another form"))
        .await;
    for (path, theirs, deed) in lines {
        let told = counter.opens(&portal, &dan, path, (theirs, &deed(theirs))).await;
        let none = counter.opens(&portal, &dan, path, (nobody, &deed(nobody))).await;
        assert_ne!(told, form_over, "{path}: the form was looked at");
        assert_eq!(told.0, none.0, "{path}: it tells that there is one");
        assert_eq!(told.1.replace(theirs, "ID"), none.1.replace(nobody, "ID"), "{path}");
        assert!(others.is_untouched(&portal), "{path}");
    }
}

#[tokio::test]
async fn what_is_revoked_and_cannot_be_recorded_now_is_told_with_what_was_done() {
    let mut counter = Counter::new();
    let portal = counter.open();
    let grant = counter.give(&portal).await.unwrap();
    let sol = counter.serves("sol");
    let (visit, visitor) = counter.visit(&sol);
    portal.book.clone().close().await.unwrap();
    let why = Why::of(Note::parse("A stolen laptop").unwrap()).unwrap();
    let all = Selection::default();
    let revoked = portal.revoke(&visit, visitor, &all, (why, Channel::Api)).await;
    let Err(NotRevoked::NotRecorded(done)) = revoked else {
        panic!("{revoked:?}");
    };
    assert_eq!(
        (done.count, &done.grants[0].id, done.grants[0].state),
        (1, &grant.id, GrantState::Revoked)
    );
    assert_eq!(portal.ledger.standing(&grant.subject, noon()).grants(), []);
    let (token, hash) = token("theirs", 1);
    portal.ledger.make_token(token, hash, || true).await.unwrap();
    let why = Why::of(Note::parse("A stolen laptop").unwrap()).unwrap();
    let revoked = portal.revoke(&visit, visitor, &all, (why, Channel::Api)).await;
    let Err(NotRevoked::NotRecorded(done)) = revoked else {
        panic!("{revoked:?}");
    };
    for (words, says) in [
        (&words::ENGLISH, "any more (1 token)"),
        (&words::FRENCH, "plus rien (1\u{a0}jeton)"),
    ] {
        let portal = Portal {
            words,
            ..portal.clone()
        };
        let said = portal.revoked_not_recorded(&done);
        assert!(said.contains(says), "{said}");
    }
}

#[tokio::test]
async fn an_end_whose_record_went_down_with_the_gateway_is_told_after_the_next_start_and_only_once() {
    let mut counter = Counter::new();
    let portal = counter.open();
    let (revoked, own) = (
        counter.give(&portal).await.unwrap(),
        counter.give(&portal).await.unwrap(),
    );
    portal.book.clone().close().await.unwrap();
    let ada = counter.person();
    let (visit, visitor) = counter.visit(&ada);
    portal
        .end(&visit, visitor, own.id.as_str(), Channel::Api)
        .await
        .unwrap();
    let sol = counter.serves("sol");
    let (visit, visitor) = counter.visit(&sol);
    let why = Why::of(Note::parse("A stolen laptop").unwrap()).unwrap();
    let all = Selection::default();
    let unrecorded = portal.revoke(&visit, visitor, &all, (why, Channel::Api)).await;
    assert!(matches!(unrecorded, Err(NotRevoked::NotRecorded(_))), "{unrecorded:?}");
    drop(portal);
    for left in [2, 0] {
        let portal = counter.open();
        assert_eq!(portal.ledger.untold().len(), left);
        portal.settle(&counter.records(), noon()).await.unwrap();
        let Portal { book, ledger, .. } = portal;
        drop(ledger);
        book.close().await.unwrap();
        let ends = read(&counter.records()).unwrap().filter_map(|found| {
            let Act::Grant {
                act,
                grant,
                by,
                policies,
                ..
            } = found.unwrap().1.act
            else {
                return None;
            };
            assert!(!policies.is_empty(), "{act:?}");
            (act != GrantAct::Granted).then(|| (grant.id, act, by.to_string(), grant.ended))
        });
        let mut ends: Vec<_> = ends.collect();
        ends.sort_by_key(|end| end.1 != GrantAct::Revoked);
        let ended = Some(crate::facts::Ended {
            by: sol.id.clone(),
            why: "A stolen laptop".to_owned(),
        });
        let expected = [
            (revoked.id.clone(), GrantAct::Revoked, "sol".to_owned(), ended),
            (own.id.clone(), GrantAct::Withdrawn, "ada".to_owned(), None),
        ];
        assert_eq!(ends, expected);
    }
}

#[tokio::test]
async fn whatever_became_of_a_grant_is_told_after_the_next_start_with_who_did_it_and_why() {
    let counter = Counter::new();
    let portal = counter.open();
    let taken = GrantTerms {
        emergency: Some(crate::facts::Emergency {
            review_by: noon(),
            review: None,
        }),
        ..counter.terms()
    };
    let unused = GrantTerms {
        idle: Some(Duration::from_mins(1)),
        ..counter.terms()
    };
    let taken = portal.ledger.give(taken).await.unwrap();
    let unused = portal.ledger.give(unused).await.unwrap();
    let rulebook = counter.in_force.rulebook.id().clone();
    let on_record = |what, by: &str| OnRecord {
        segment: portal.book.segment(),
        act: what,
        by: SubjectId::parse(by).unwrap(),
        rulebook: rulebook.clone(),
        policies: BTreeSet::from([PolicyId::new("owners-review")]),
    };
    let review = crate::facts::Review {
        by: SubjectId::parse("sol").unwrap(),
        at: noon(),
        accepted: true,
        note: "It burned".to_owned(),
    };
    let review = (review, on_record(GrantAct::Reviewed, "sol"));
    portal.ledger.review(&taken.id, review, |_, _| ()).await.unwrap();
    let withdrawal = (noon(), on_record(GrantAct::Withdrawn, "ada"));
    let ended = portal.ledger.withdraw_on_record(&taken.id, withdrawal, |_, _| ());
    let taken = ended.await.unwrap();
    let late = (noon().plus(Duration::from_mins(2)), on_record(GrantAct::Idle, "ada"));
    let unused = portal.ledger.end_idle(&unused.id, late, |_, _| ()).await.unwrap();
    portal.book.clone().close().await.unwrap();
    drop(portal);
    let portal = counter.open();
    portal.settle(&counter.records(), noon()).await.unwrap();
    portal.book.clone().close().await.unwrap();
    let mut said = said(&counter);
    said.sort_by_key(|said| said.1);
    let expected = [
        (taken.clone(), GrantAct::Reviewed, "sol".to_owned()),
        (taken, GrantAct::Withdrawn, "ada".to_owned()),
        (unused, GrantAct::Idle, "ada".to_owned()),
    ];
    assert_eq!(said, expected);
}

#[tokio::test]
async fn what_came_of_a_grant_and_its_correction_are_each_told_once_also_where_a_crash_takes_the_record() {
    let counter = Counter::new();
    let portal = counter.open();
    let grant = portal.ledger.give(counter.terms()).await.unwrap();
    let end = grant.expires;
    let on_record = |segment| OnRecord {
        segment,
        act: GrantAct::Reported,
        by: grant.subject.clone(),
        rulebook: counter.in_force.rulebook.id().clone(),
        policies: BTreeSet::new(),
    };
    let report = |amount, after| crate::facts::Report {
        at: end.plus(Duration::from_secs(after)),
        corrected_at: None,
        amount: Some(amount),
        text: String::new(),
        department: None,
        settled: false,
    };
    // the first is told, and the second is not before the end
    let first = (report(3, 0), on_record(portal.book.segment()));
    let tells = ended::tells(portal.book.clone());
    portal.ledger.report(&grant.id, first, tells).await.unwrap();
    portal.book.flush().await.unwrap();
    let second = (report(4, 1), on_record(portal.book.segment()));
    let second = portal.ledger.report(&grant.id, second, |_, _| ()).await.unwrap();
    portal.book.clone().close().await.unwrap();
    drop(portal);
    for _ in 0..2 {
        let portal = counter.open();
        portal.settle(&counter.records(), second.until()).await.unwrap();
        portal.book.clone().close().await.unwrap();
    }
    let amounts = read(&counter.records()).unwrap().filter_map(|found| {
        let Act::Grant { act, grant, .. } = found.unwrap().1.act else {
            return None;
        };
        (act == GrantAct::Reported).then(|| grant.report.unwrap().amount)
    });
    assert_eq!(amounts.collect::<Vec<_>>(), [Some(3), Some(4)]);
}

/// What the book says of grants under the rules in force, for that reason.
fn said(counter: &Counter) -> Vec<(Grant, GrantAct, String)> {
    let said = read(&counter.records()).unwrap().filter_map(|found| {
        let Act::Grant {
            act,
            grant,
            by,
            rulebook,
            policies,
        } = found.unwrap().1.act
        else {
            return None;
        };
        assert_eq!(rulebook, *counter.in_force.rulebook.id());
        assert_eq!(policies, BTreeSet::from([PolicyId::new("owners-review")]));
        Some((*grant, act, by.to_string()))
    });
    said.collect()
}

#[tokio::test]
async fn an_end_that_is_on_record_is_owed_no_more() {
    let counter = Counter::new();
    let portal = counter.open();
    let grant = counter.give(&portal).await.unwrap();
    let ada = counter.person();
    let (visit, visitor) = counter.visit(&ada);
    portal
        .end(&visit, visitor, grant.id.as_str(), Channel::Api)
        .await
        .unwrap();
    portal.book.flush().await.unwrap();
    drop(portal);
    assert_eq!(counter.open().ledger.untold(), []);
}

#[tokio::test]
async fn whoever_revokes_what_ended_meanwhile_is_told_that_it_is_over() {
    let mut counter = Counter::new();
    let portal = counter.open();
    let grant = counter.give(&portal).await.unwrap();
    // the ledger is busy with something else, so that two ends wait for it
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let busy = portal.ledger.name(terms_of_brand());
    let mut busy = pin!(portal.ledger.put(busy, move |_| wait.recv().unwrap()));
    assert!(poll!(busy.as_mut()).is_pending());
    let mut first = pin!(portal.ledger.withdraw(&grant.id, noon(), |_| ()));
    assert!(poll!(first.as_mut()).is_pending());
    let sol = counter.serves("sol");
    let (visit, visitor) = counter.visit(&sol);
    let why = Why::of(Note::parse("A stolen laptop").unwrap()).unwrap();
    let meant = Selection {
        grant: Some(grant.id.clone()),
        ..Selection::default()
    };
    let mut late = pin!(portal.revoke(&visit, visitor, &meant, (why, Channel::Api)));
    assert!(poll!(late.as_mut()).is_pending());
    go_on.send(()).unwrap();
    let revoked = late.await;
    assert!(matches!(revoked, Err(NotRevoked::Over)), "{revoked:?}");
    assert_eq!(first.await.unwrap().state, GrantState::Withdrawn);
}

#[tokio::test]
async fn a_password_that_changes_while_a_token_is_being_made_makes_none() {
    let counter = Counter::new();
    let portal = counter.open();
    let ada = counter.person();
    let (visit, visitor) = counter.visit(&ada);
    let stands = Arc::new(tokio::sync::watch::Sender::new(true));
    let wanted = Wanted {
        name: String::new(),
        scope: [Scope::Read].into(),
        lasts: Duration::from_hours(24),
    };
    let proved = (wanted, SignIn::resting_on(Arc::clone(&stands)));
    {
        let mut making = pin!(portal.make_token(&visit, visitor, proved, Channel::Api));
        assert!(
            poll!(making.as_mut()).is_pending(),
            "its record is on the way to the disk"
        );
        stands.send_replace(false);
        assert_eq!(making.await.err(), Some(NotMade::SignInOver));
    }
    assert_eq!(portal.ledger.tokens_of(&ada.id, noon()), []);
    assert_eq!(counter.told_of_tokens(portal).await, [TokenAct::Made, TokenAct::Void]);
}

#[tokio::test]
async fn looking_through_what_everybody_holds_lets_others_have_their_turn() {
    let mut counter = Counter::new();
    let portal = counter.open();
    for nth in 0..300 {
        let terms = GrantTerms {
            subject: SubjectId::parse(&format!("p{nth}")).unwrap(),
            ..counter.terms()
        };
        portal.ledger.give(terms).await.unwrap();
    }
    let all = Selection::default();
    let hers = Selection {
        user: Some(SubjectId::parse("p7").unwrap()),
        ..Selection::default()
    };
    let eve = counter.serves("eve");
    let (visit, visitor) = counter.visit(&eve);
    let page = Look::for_a_page(Channel::Api, None, 100);
    let mut looking = pin!(portal.choose(&visit, visitor, &all, page));
    assert!(
        poll!(looking.as_mut()).is_pending(),
        "she finds nothing, and others have their turn"
    );
    let again = portal.choose(&visit, visitor, &all, page).await;
    assert!(matches!(again, Err(NotRevoked::OneAtATime)), "{again:?}");
    let one = portal.choose(&visit, visitor, &hers, page).await;
    assert!(
        matches!(one, Err(NotRevoked::NoSuch)),
        "one person is looked at without: {one:?}"
    );
    let subject = Subject {
        id: SubjectId::parse("sol").unwrap(),
        method: MethodName::Basic,
    };
    let sol = counter.in_force.directory.person(&subject.id).unwrap();
    let visitor = Visitor {
        person: &sol,
        subject: &subject,
        arrival: &counter.arrival,
    };
    let mut waiting = pin!(portal.choose(&visit, visitor, &all, page));
    assert!(poll!(waiting.as_mut()).is_pending());
    assert!(matches!(looking.await, Err(NotRevoked::NoSuch)));
    let found = poll!(waiting.as_mut());
    let std::task::Poll::Ready(Ok(found)) = found else {
        panic!("a page is full before the first stretch is over: {found:?}");
    };
    assert_eq!(
        (found.grants.len(), found.count(), found.next().is_some()),
        (100, 101, true)
    );
    let after = found.next().cloned();
    let rest = Look {
        after: after.as_ref(),
        ..Look::at_all(Channel::Api)
    };
    assert_eq!(portal.choose(&visit, visitor, &all, rest).await.unwrap().count(), 200);
}

#[tokio::test]
async fn what_a_crash_left_recorded_and_not_given_is_void_after_the_next_start_and_only_once() {
    let counter = Counter::new();
    let portal = counter.open();
    counter.give(&portal).await.unwrap();
    let mut lost = portal.ledger.promise(counter.terms(), 1).await.unwrap();
    lost.is_on_record();
    portal.book.write(recorded(&portal.book, lost.grant())).await.unwrap();
    let mut unrecorded = portal.ledger.promise(counter.terms(), 1).await.unwrap();
    unrecorded.is_on_record();
    assert_ne!(lost.grant().id, unrecorded.grant().id);
    drop(portal);
    for starts in 1..=2 {
        let portal = counter.open();
        assert_eq!(portal.ledger.promised().len(), if starts == 1 { 2 } else { 0 });
        portal.settle(&counter.records(), noon()).await.unwrap();
        assert_eq!(portal.ledger.standing(&counter.subject.id, noon()).grants().len(), 1);
        let acts = counter.acts(portal).await;
        assert_eq!(acts, [GrantAct::Granted, GrantAct::Granted, GrantAct::Void]);
    }
}

#[tokio::test]
async fn whoever_goes_away_in_the_middle_leaves_no_promise_behind() {
    let counter = Counter::new();
    let portal = counter.open();
    let person = counter.person();
    let (visit, visitor) = counter.visit(&person);
    for polls in [1, 2, 3, usize::MAX] {
        let declared = recruiting();
        let mut giving = pin!(portal.give(&visit, visitor, &declared, Channel::Portal));
        let mut polled = 0;
        while polled < polls && poll!(giving.as_mut()).is_pending() {
            polled += 1;
            tokio::task::yield_now().await;
        }
    }
    // the book's writer is done with what it was told, and then the ledger's
    portal.book.flush().await.unwrap();
    let acts = counter.acts(portal).await;
    let granted = acts.iter().filter(|act| **act == GrantAct::Granted).count();
    let voided = acts.iter().filter(|act| **act == GrantAct::Void).count();
    let portal = counter.open();
    assert_eq!(portal.ledger.promised(), []);
    let held = portal.ledger.standing(&counter.subject.id, noon()).grants().len();
    assert_eq!(granted - voided, held);
}

#[tokio::test]
async fn a_promise_that_the_book_does_not_take_is_forgotten_at_once() {
    let counter = Counter::new();
    let portal = counter.open();
    portal.book.clone().close().await.unwrap();
    assert!(matches!(counter.give(&portal).await, Err(NotGranted::NotKept(_))));
    drop(portal);
    assert_eq!(counter.open().ledger.promised(), []);
}

#[tokio::test]
async fn a_grant_that_counted_is_not_void_however_long_it_is_over() {
    let counter = Counter::new();
    let portal = counter.open();
    let days_ago = |days: i64| Timestamp::from_millis(noon().as_millis() - days * 86_400_000);
    let terms = |days: i64| GrantTerms {
        declared_at: days_ago(days),
        expires: days_ago(days - 1),
        ..counter.terms()
    };
    let old = portal.ledger.give(terms(300)).await.unwrap();
    portal.book.write(recorded(&portal.book, &old)).await.unwrap();
    for days in (2..200).rev() {
        portal.ledger.give(terms(days)).await.unwrap();
    }
    drop(portal);
    counter.leave_behind(&old.id);
    let portal = counter.open();
    assert_eq!(portal.ledger.get(&old.id), None, "the view has lost sight of it");
    portal.settle(&counter.records(), noon()).await.unwrap();
    assert_eq!(counter.acts(portal).await, [GrantAct::Granted]);
    assert_eq!(counter.open().ledger.promised(), []);
}

#[tokio::test]
async fn a_start_reads_the_book_from_where_the_first_promise_was_made() {
    let counter = Counter::new();
    for (later, expected) in [(1, 1), (0, 2)] {
        let portal = counter.open();
        let segment = portal.book.segment() + later;
        let mut promise = portal.ledger.promise(counter.terms(), segment).await.unwrap();
        promise.is_on_record();
        let granted = recorded(&portal.book, promise.grant());
        portal.book.write(granted).await.unwrap();
        drop(portal);
        let portal = counter.open();
        portal.settle(&counter.records(), noon()).await.unwrap();
        // what stands before the segment that a promise names does not speak of it
        assert_eq!(counter.acts(portal).await.len(), expected + usize::from(later == 0));
    }
}

#[tokio::test]
async fn nobody_holds_what_the_book_says_never_counted() {
    let counter = Counter::new();
    let portal = counter.open();
    let grant = counter.give(&portal).await.unwrap();
    let granted = recorded(&portal.book, &grant);
    let never = portal.book.record(act(
        GrantAct::Void,
        &grant,
        &grant.subject,
        &RulebookId::new("none"),
        &[],
    ));
    portal.book.write(granted).await.unwrap();
    portal.book.write(never).await.unwrap();
    drop(portal);
    // as if the disk had kept a commit that it had said to have failed
    counter.leave_behind(&grant.id);
    let portal = counter.open();
    portal.settle(&counter.records(), noon()).await.unwrap();
    assert!(portal.ledger.standing(&counter.subject.id, noon()).grants().is_empty());
}

fn as_owner() -> BTreeSet<String> {
    BTreeSet::from(["owner".to_owned()])
}

fn given(hearing: Hearing) -> Approved {
    match hearing.approve(&Approval::by_owner(), Note::default(), noon()) {
        Ok(Consent::Given(approved)) => approved,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_approval_that_a_crash_left_recorded_and_not_given_is_void_and_the_request_waits_on() {
    let counter = Counter::new();
    let portal = counter.open();
    let mia = SubjectId::parse("mia").unwrap();
    let until = noon().plus(Duration::from_hours(1));
    let asked = portal.ledger.ask(counter.terms(), until).await.unwrap();
    let approved = |asked: Grant| {
        let hearing = Pending::of(asked, noon()).unwrap().heard_by(&mia, as_owner()).unwrap();
        given(hearing)
    };
    let promised = portal.ledger.promise_approved(approved(asked.clone()), 1).await;
    let mut promise = promised.unwrap();
    promise.is_on_record();
    let rulebook = RulebookId::new("none");
    let said = act(GrantAct::Approved, promise.grant(), &mia, &rulebook, &[]);
    portal.book.write(portal.book.record(said)).await.unwrap();
    drop((promise, portal));

    let portal = counter.open();
    portal.settle(&counter.records(), noon()).await.unwrap();
    assert_eq!(portal.ledger.waiting(noon()), std::slice::from_ref(&asked));
    let standing = portal.ledger.standing(&counter.subject.id, noon());
    assert!(standing.grants().is_empty());
    assert_eq!(counter.acts(portal).await, [GrantAct::Approved, GrantAct::Void]);
    let portal = counter.open();
    assert_eq!(portal.ledger.promised(), []);
    let again = portal.ledger.promise_approved(approved(asked), 1).await;
    assert!(again.is_ok(), "it can be approved once more");
}

#[tokio::test]
async fn what_is_asked_declined_or_lapsed_is_on_disk_before_anybody_is_told() {
    let mut counter = Counter::new();
    let portal = counter.open();
    let declined = counter.ask(&portal, "x").await.unwrap();
    let lapses = counter.ask(&portal, "linkedin").await.unwrap();
    assert_eq!(counter.on_disk(), [GrantAct::Requested, GrantAct::Requested]);

    let mia = counter.serves("mia");
    let (visit, visitor) = counter.visit(&mia);
    let why = Why::of(Note::parse("not this week").unwrap()).unwrap();
    let answered = portal
        .decline(&visit, visitor, &declined.id, (why, Channel::Portal))
        .await;
    assert_eq!(answered.unwrap().state, GrantState::Declined);
    assert_eq!(counter.on_disk()[2..], [GrantAct::Declined]);

    let ben = counter.serves("ben");
    let (visit, _) = counter.visit(&ben);
    let later = Visit {
        at: lapses.answer_by.unwrap(),
        ..visit
    };
    for _ in 0..2 {
        portal.notice_own_lapses(&later).await;
        assert_eq!(counter.on_disk()[3..], [GrantAct::Lapsed], "once");
    }
    assert_eq!(portal.ledger.get(&lapses.id).unwrap().state, GrantState::Lapsed);
}

#[tokio::test]
async fn nothing_is_asked_or_answered_that_cannot_be_recorded() {
    let mut counter = Counter::new();
    let portal = counter.open();
    let asked = counter.ask(&portal, "x").await.unwrap();
    portal.book.clone().close().await.unwrap();
    assert!(matches!(
        counter.ask(&portal, "linkedin").await,
        Err(NotGranted::NotKept(_))
    ));
    let mia = counter.serves("mia");
    let (visit, visitor) = counter.visit(&mia);
    let why = Why::of(Note::parse("not this week").unwrap()).unwrap();
    let declined = portal.decline(&visit, visitor, &asked.id, (why, Channel::Portal)).await;
    assert_eq!(declined, Err(NotAnswered::NotKept));
    portal
        .notice_lapses(&RulebookId::new("none"), asked.answer_by.unwrap())
        .await;
    assert_eq!(portal.ledger.waiting(noon()), std::slice::from_ref(&asked));
    drop(portal);
    let portal = counter.open();
    assert_eq!(portal.ledger.promised(), []);
    assert_eq!(portal.ledger.waiting(noon()), [asked]);
}

#[tokio::test]
async fn what_a_crash_left_recorded_of_requests_is_void_and_what_lapsed_has_lapsed() {
    let mut counter = Counter::new();
    let portal = counter.open();
    let to_decline = counter.ask(&portal, "x").await.unwrap();
    let to_lapse = counter.ask(&portal, "facebook").await.unwrap();
    let until = to_lapse.answer_by.unwrap();
    let mia = SubjectId::parse("mia").unwrap();
    let why = Why::of(Note::parse("not this week").unwrap()).unwrap();
    let hearing = Pending::of(to_decline.clone(), noon())
        .unwrap()
        .heard_by(&mia, as_owner())
        .unwrap();
    let (ledger, segment) = (&portal.ledger, portal.book.segment());
    let promises = [
        (
            GrantAct::Requested,
            ledger
                .promise_asked((terms_of_brand(), counter.came()), until, segment)
                .await,
        ),
        (
            GrantAct::Declined,
            ledger.promise_declined(hearing.decline(why, noon()), segment).await,
        ),
        (
            GrantAct::Lapsed,
            ledger
                .promise_lapsed(Lapsed::of(to_lapse.clone(), until).unwrap(), segment)
                .await,
        ),
    ];
    for (what, promised) in promises {
        let mut promise = promised.unwrap();
        promise.is_on_record();
        let said = act(what, promise.grant(), &mia, &RulebookId::new("none"), &[]);
        portal.book.write(portal.book.record(said)).await.unwrap();
    }
    drop(portal);

    let portal = counter.open();
    portal.settle(&counter.records(), until).await.unwrap();
    assert_eq!(portal.ledger.waiting(noon()), [to_decline], "declined by nobody");
    assert_eq!(portal.ledger.get(&to_lapse.id).unwrap().state, GrantState::Lapsed);
    let acts = counter.acts(portal).await;
    assert_eq!(
        acts[2..],
        [
            GrantAct::Requested,
            GrantAct::Declined,
            GrantAct::Lapsed,
            GrantAct::Void,
            GrantAct::Void
        ]
    );
    assert_eq!(counter.open().ledger.promised(), []);
}

#[tokio::test]
async fn of_two_equal_requests_at_once_one_waits_and_both_find_it() {
    let mut counter = Counter::new();
    let portal = counter.open();
    let ben = counter.serves("ben");
    let (visit, visitor) = counter.visit(&ben);
    let declared = brand("x");
    let ask = || portal.give_or_ask(&visit, visitor, &declared, Channel::Portal);
    // whichever comes first
    let (waits, found) = match tokio::join!(ask(), ask()) {
        (Ok(waits), Err(found)) | (Err(found), Ok(waits)) => (waits, found),
        both => panic!("{both:?}"),
    };
    assert_eq!(found, NotGranted::Already(Box::new(waits.clone())));
    assert_eq!(portal.ledger.waiting(noon()), [waits]);
    portal.book.flush().await.unwrap();
    let acts = counter.acts(portal).await;
    let count = |wanted| acts.iter().filter(|act| **act == wanted).count();
    assert_eq!(
        (acts.len(), count(GrantAct::Requested), count(GrantAct::Void)),
        (3, 2, 1)
    );
    assert_eq!(counter.open().ledger.promised(), []);
}

#[tokio::test]
async fn whoever_answers_while_somebody_else_does_is_told_so_and_leaves_no_trace() {
    let mut counter = Counter::new();
    let portal = counter.open();
    let asked = counter.ask(&portal, "x").await.unwrap();
    let mia = counter.serves("mia");
    let (visit, visitor) = counter.visit(&mia);
    let why = Why::of(Note::parse("not this week").unwrap()).unwrap();
    let (yes, no) = tokio::join!(
        portal.approve(&visit, visitor, &asked.id, (Note::default(), Channel::Portal)),
        portal.decline(&visit, visitor, &asked.id, (why, Channel::Api))
    );
    assert_eq!(yes.unwrap().state, GrantState::Active);
    assert_eq!(no, Err(NotAnswered::Over(Over::Answered)));
    let acts = counter.acts(portal).await;
    assert_eq!(acts, [GrantAct::Requested, GrantAct::Approved]);
}

#[tokio::test]
async fn whether_somebody_may_still_declare_is_weighed_as_they_came_and_not_as_the_approver_does() {
    let mut sources = Sources::embedded();
    let rule = r#"
        @id("declare.at-the-office") @reason("Declare it at the office.") @owner("IT")
        forbid (principal, action == Action::"declare", resource)
        unless { context.client.network == "office" && context.proof.strong };
    "#;
    sources.rules.push(SourceText::new("rules/99-test.cedar", rule));
    let mut counter = Counter::by(&sources);
    let portal = counter.open();
    counter.arrival.network = NetworkName::new("office");
    counter.subject.method = MethodName::Certificate;
    let asked = counter.ask(&portal, "x").await.unwrap();
    drop(portal);

    let portal = counter.open();
    counter.arrival.network = NetworkName::new("home");
    counter.subject.method = MethodName::Basic;
    let mia = counter.serves("mia");
    let (visit, visitor) = counter.visit(&mia);
    let note = (Note::default(), Channel::Portal);
    let approved = portal.approve(&visit, visitor, &asked.id, note).await;
    assert_eq!(approved.unwrap().state, GrantState::Active);
}

#[tokio::test]
async fn whose_decisions_they_are_is_asked_of_each_person_as_they_were_then() {
    let mut sources = Sources::embedded();
    let apart = r#"
        @id("t.apart") @reason("R.") @owner("HR")
        forbid (principal, action == Action::"see-decisions", resource) when { resource in Department::"marketing" };
    "#;
    sources.rules.push(SourceText::new("rules/99-test.cedar", apart));
    let mut counter = Counter::by(&sources);
    let sol = counter.serves("sol");
    let (visit, visitor) = counter.visit(&sol);
    let people = &counter.in_force.directory;
    let eve = people.person(&SubjectId::parse("eve").unwrap()).unwrap();
    let moved = Arc::new(Person {
        departments: ["engineering".to_owned()].into(),
        ..Person::clone(&eve)
    });
    let seen = |person: Option<&Arc<Person>>| Observation {
        arrival: counter.arrival.clone(),
        subject: Some(Subject {
            id: eve.id.clone(),
            method: MethodName::Basic,
        }),
        person: person.cloned(),
        ask: Ask::Connect(Authority::parse("www.linkedin.com:443", None).unwrap()),
        standing: Standing::default(),
        selected: None,
        at: noon(),
    };
    let mut sees = Sees::of(&visit, visitor, Channel::Portal);
    // the newest first, as a search asks: she moved since, and what she did before stays apart
    assert!(sees.may_see(&seen(Some(&moved))));
    assert!(!sees.may_see(&seen(Some(&eve))));
    assert!(sees.may_see(&seen(Some(&moved))));
    // and what is not known of a record is not taken for something else
    assert!(!sees.may_see(&seen(None)), "today she is of marketing");
}

#[tokio::test]
async fn how_the_gateway_is_can_be_seen_while_one_searches() {
    let mut counter = Counter::new();
    let portal = counter.open();
    portal.introduce(Arc::new(|| Condition {
        ready: true,
        problems: Vec::new(),
        records: true,
        records_waiting: 0,
        turned_away: 0,
        ledger: true,
        version: "0.0.0",
        began: noon(),
        rules: RulesAre {
            refusing: None,
            kept: true,
        },
        notices: None,
        signs_until: noon().plus(Duration::from_hours(24)),
        door: DoorIs::Unopened,
        certificates: 0,
        sign_in_failures: 0,
        sign_in_failures_lately: 0,
        unreadable_tokens: 0,
        tunnels: 0,
        connections: 0,
    }));
    let sol = counter.serves("sol");
    let (visit, visitor) = counter.visit(&sol);
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let mut search = pin!(portal.searches.run(&sol.id, move || wait.recv().is_ok()));
    assert!(poll!(search.as_mut()).is_pending());
    assert_eq!(portal.health_page(&visit, visitor).await.status(), StatusCode::OK);
    go.send(()).unwrap();
    assert_eq!(search.await, Ok(true));
}

#[tokio::test]
async fn who_waits_for_what_was_proved_keeps_nobody_else_waiting() {
    let counter = Counter::new();
    let portal = counter.open();
    let ada = counter.person();
    let (visit, visitor) = counter.visit(&ada);
    let mut page = pin!(portal.privacy(&visit, visitor));
    // nobody compares it: she goes on waiting
    tokio::select! {
        _ = &mut page => panic!("nothing is known of what was proved"),
        () = portal.findings.wanted() => {}
    }
    assert!(poll!(page.as_mut()).is_pending());
    let bob = SubjectId::parse("bob").unwrap();
    let turn = pin!(portal.matrix_turns.wait(&bob));
    assert!(poll!(turn).is_ready());
}

async fn text(page: Page) -> String {
    let page = http_body_util::BodyExt::collect(page.into_body()).await.unwrap();
    String::from_utf8(page.to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn the_page_on_privacy_names_the_rules_by_which_others_than_those_in_a_role_are_read_or_see() {
    let mut sources = Sources::embedded();
    let rules = r#"
        @id("t.some") @reason("Some.") @owner("IT")
        permit (principal in Role::"recruiter", action == Action::"inspect", resource in Platform::"slack");
        @id("t.one") @reason("One.") @owner("IT")
        permit (principal == User::"dan", action == Action::"inspect", resource in Platform::"slack");
        @id("t.sees") @reason("Sees.") @owner("IT")
        permit (principal == User::"dan", action == Action::"approve", resource);
    "#;
    sources.rules.push(SourceText::new("rules/99-test.cedar", rules));
    let counter = Counter::by(&sources);
    let portal = counter.open();
    portal.findings.put(crate::proof::Promises {
        rulebook: counter.in_force.rulebook.id().clone(),
        all: Ok(Vec::new()),
        findings: None,
    });
    let ada = counter.person();
    let (visit, visitor) = counter.visit(&ada);
    for (words, said) in [
        (
            &words::ENGLISH,
            [
                "of others, by name or under conditions",
                "One. (t.one)",
                "Sees. (t.sees)",
            ],
        ),
        (
            &words::FRENCH,
            [
                "pour d’autres personnes, par leur nom",
                "One. (t.one)",
                "Sees. (t.sees)",
            ],
        ),
    ] {
        let portal = Portal {
            words,
            ..portal.clone()
        };
        let page = text(portal.privacy_page(&visit, visitor).await).await;
        for said in said {
            assert!(page.contains(said), "{said}: {page}");
        }
    }
    let told = text(portal.show_privacy(&visit, visitor).await).await;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let slack = told["platforms"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == "slack");
    assert_eq!(slack.unwrap()["others"][0]["policy"], "t.one");
}

/// What is in force with one more rule.
fn with(rule: &str) -> InForce {
    let mut sources = Sources::embedded();
    let text = format!("@id(\"test\") @title(\"T\") @reason(\"R.\") @owner(\"IT\")\n{rule}");
    sources.rules.push(SourceText::new("rules/99-test.cedar", text));
    Rulebook::assemble(&sources).unwrap().in_mode(Mode::Enforce)
}

/// Sol takes away what the book says of so many grants of Ada's and of Ben's, and other rules come into force after the first
/// piece: whether it came whole, and the holders of what was told before and after, with how it ended.
async fn taken_away(grants: usize, then: InForce) -> (bool, [Vec<String>; 2]) {
    let mut counter = Counter::new();
    let portal = counter.open();
    for (number, who) in ["ada", "ben"].into_iter().cycle().take(2 * grants).enumerate() {
        let terms = GrantTerms {
            subject: SubjectId::parse(who).unwrap(),
            ..counter.terms()
        };
        let grant = terms.named(GrantId::new(format!("g{number}")));
        portal.book.note(&recorded(&portal.book, &grant));
    }
    portal.book.flush().await.unwrap();
    let sol = counter.serves("sol");
    let (visit, _) = counter.visit(&sol);
    let live = Arc::new(Live::new(Counter::new().in_force));
    let anew = Anew::listening(&live, &Clock::fixed(noon()), Box::pin(std::future::pending()));
    let request = Request::get("/v1/records?kind=grants&format=jsonl").header("sec-fetch-site", "none");
    let request = request.body(http_body_util::Empty::<Bytes>::new()).unwrap();
    let received = portal.receive(request).await.unwrap();
    let tail = portal.flows(&visit, &received, anew).await.unwrap().unwrap();
    let mut body = tail.into_body();
    let told = |bytes: &[u8]| -> Vec<String> {
        let lines = std::str::from_utf8(bytes).unwrap().lines();
        let lines = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let told = |line: serde_json::Value| line.get("by").or(line.get("end"))?.as_str().map(str::to_owned);
        lines.map(|line| told(line).unwrap()).collect()
    };
    let first = http_body_util::BodyExt::frame(&mut body).await.unwrap().unwrap();
    let before = told(&first.into_data().unwrap());
    live.replace(then);
    let mut rest = Vec::new();
    let mut is_whole = true;
    while let Some(frame) = http_body_util::BodyExt::frame(&mut body).await {
        match frame {
            Ok(frame) => rest.extend(frame.into_data().unwrap()),
            Err(_) => is_whole = false,
        }
    }
    (is_whole, [before, told(&rest)])
}

#[tokio::test]
async fn a_file_goes_on_where_rules_and_people_change_and_leaves_out_whom_they_keep_apart_from_then_on() {
    let (is_whole, [before, after]) = taken_away(600, Counter::new().in_force).await;
    assert!(is_whole);
    let of = |told: &[String], who: &str| told.iter().filter(|whose| *whose == who).count();
    assert_eq!(before.len() + after.len(), 1_200);
    assert_eq!(of(&before, "ben") + of(&after, "ben"), 600, "each once");

    let apart = with("forbid (principal, action == Action::\"see-decisions\", resource == User::\"ben\");");
    let (is_whole, [before, after]) = taken_away(600, apart).await;
    assert!(is_whole && of(&before, "ben") > 0);
    assert_eq!(of(&before, "ada") + of(&after, "ada"), 600);
    assert_eq!(of(&after, "ada"), after.len());
}

#[tokio::test]
async fn a_file_breaks_off_where_other_rules_do_not_let_its_reader_have_it() {
    let shut = with("forbid (principal, action == Action::\"see-decisions\", resource);");
    let (is_whole, [before, after]) = taken_away(600, shut).await;
    assert!(!is_whole && !before.is_empty());
    assert_eq!(after, ["broken-off"]);
}

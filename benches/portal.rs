//! What each page and list of the portal costs where 10,000 people hold 50,000 grants, on the clock of the server: from the request
//! as it came to the answer as it goes, without the wire. The issue asks for less than 100 ms.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench may fail loudly, and prints"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use wayleave::audit::{self, Book};
use wayleave::clock::{Clock, Timestamp};
use wayleave::facts::{
    Act, Arrival, Ask, Authority, Channel, Door, Grant, GrantAct, GrantTerms, Host, MethodName, Mode, NetworkName,
    Observation, PlatformId, PurposeId, Record, Report, SourceText, Standing, Subject, SubjectId,
};
use wayleave::identity::{self, Guard, MaySend};
use wayleave::ledger::{Ledger, OnRecord, Usage};
use wayleave::portal::{Portal, PortalParts, Refused, Settings, Visit, routes};
use wayleave::proof::{Board, Promises};
use wayleave::rulebook::{Described, InForce, Rulebook, Sources};

const PEOPLE: usize = 10_000;
const GRANTS: usize = 50_000;
/// How many requests wait for the same person.
const WAITING: usize = 200;
/// How often each is opened: so many times, but no longer than this, and a few times in any case.
const ROUNDS: usize = 200;
const NO_LONGER: Duration = Duration::from_secs(2);
const FEW: usize = 3;

/// Who opens which pages, beside those of everybody.
const MORE: [(&str, &[&str]); 8] = [
    (
        "mia",
        &[
            "/approvals",
            "/v1/approvals?limit=100",
            "/value",
            "/value?weeks=104",
            "/value/competitor-research?weeks=104",
            "/value.csv?weeks=104",
        ],
    ),
    (
        "nora",
        &["/value", "/value?weeks=104", "/v1/value?weeks=104", "/v1/reviews"],
    ),
    (
        "sol",
        &[
            "/grants",
            "/grants?purpose=recruiting",
            "/grants?user=p7",
            "/grants/revoke?user=p7",
            "/grants/revoke?purpose=recruiting",
            "/grants/revoke?all=true",
            "/v1/grants?purpose=recruiting&limit=100",
        ],
    ),
    (
        "ben",
        &[
            "/approvals",
            "/purposes/brand-publishing",
            "/purposes/community-management",
        ],
    ),
    ("p7", &["/purposes/recruiting"]),
    ("ada", &["/purposes/recruiting"]),
    ("cora", &["/purposes/customer-support"]),
    ("pia", &["/emergency"]),
];

fn noon() -> Timestamp {
    "2026-11-24T11:30:00Z".parse().unwrap()
}

fn main() {
    // cargo asks benches for their tests, too
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run());
}

/// A company, its book and its ledger.
struct Company {
    in_force: InForce,
    book: Book,
    ledger: Ledger,
    findings: Arc<Board>,
    _folder: tempfile::TempDir,
    portal: Portal,
}

impl Company {
    fn new() -> Self {
        let mut sources = Sources::embedded();
        let people = (0..PEOPLE).map(|nth| {
            let department = ["hr", "brand", "marketing", "engineering", "corporate"][nth % 5];
            format!(
                "[[person]]\nid = \"p{nth}\"\nroles = [\"recruiter\"]\ndepartment = \"{department}\"\n\
                 employment = \"employee\"\ntime-zone = \"Europe/Paris\"\nregion = \"eu-west\"\n\n"
            )
        });
        sources
            .people
            .push(SourceText::new("people/many.toml", people.collect::<String>()));
        let tried = Rulebook::tried_after(None, &sources).unwrap();
        let in_force = tried.in_mode(Mode::Enforce);
        let folder = tempfile::tempdir().unwrap();
        let settings = audit::Settings {
            folder: folder.path().join("records"),
            ..audit::Settings::default()
        };
        let (book, _) = Book::open(&settings, Clock::fixed(noon()), Vec::new()).unwrap();
        let accounts = identity::Settings {
            users: folder.path().join("users.toml"),
            ..identity::Settings::default()
        };
        let anywhere: MaySend = Arc::new(|_| true);
        // in memory while it is filled: what a commit costs is for others to measure
        let ledger = Ledger::in_memory().unwrap();
        let findings = Arc::new(compared(&in_force));
        let parts = PortalParts {
            settings: Settings::default(),
            ledger: ledger.clone(),
            book: book.clone(),
            guard: Arc::new(Guard::new(&accounts, &anywhere).unwrap()),
            findings: Arc::clone(&findings),
            past: Arc::new(|id| Err(format!("`{id}` is not kept"))),
            patience: Duration::from_secs(30),
        };
        Self {
            in_force,
            book,
            ledger,
            findings,
            _folder: folder,
            portal: Portal::new(parts).unwrap(),
        }
    }

    fn arrival() -> Arrival {
        Arrival {
            door: Door::Tls,
            client: "127.0.0.1:50000".parse().unwrap(),
            network: NetworkName::default(),
        }
    }

    fn department(&self, who: &SubjectId) -> Option<String> {
        Some(self.in_force.directory.listed(who)?.department.clone())
    }

    /// Everybody does what they do in a quarter.
    async fn live(&self) {
        let purposes: Vec<PurposeId> = self
            .in_force
            .rulebook
            .purposes()
            .iter()
            .map(|one| one.id.clone())
            .collect();
        let usage = Usage::default();
        for nth in 0..GRANTS {
            let grant = self.ledger.give(terms(nth, &purposes)).await.unwrap();
            if grant.expires < noon() {
                self.reports(&grant, nth).await;
            }
            let record = self.record(&grant);
            usage.saw(&record, |who| self.department(who));
            for _ in 0..nth % 9 {
                usage.saw(&flow(&grant, &record), |who| self.department(who));
            }
        }
        for nth in 0..WAITING {
            let terms = GrantTerms {
                subject: who(&format!("p{nth}")),
                purpose: PurposeId::new("brand-publishing"),
                ..terms(0, &purposes)
            };
            let until = noon().plus(Duration::from_hours(48));
            self.ledger.ask(terms, until).await.unwrap();
        }
        let began = Instant::now();
        self.ledger.add_up(&usage, noon()).await.unwrap();
        println!(
            "adding up {GRANTS} grants and their flows of thirteen weeks: {:?}\n",
            began.elapsed()
        );
    }

    async fn reports(&self, grant: &Grant, nth: usize) {
        let report = Report {
            at: grant.expires,
            corrected_at: None,
            amount: u64::try_from(nth % 7).ok(),
            text: String::new(),
            department: self.department(&grant.subject),
            settled: false,
        };
        let on_record = OnRecord {
            segment: self.book.segment(),
            act: GrantAct::Reported,
            by: grant.subject.clone(),
            rulebook: self.in_force.rulebook.id().clone(),
            policies: BTreeSet::new(),
        };
        let said = (report, on_record);
        self.ledger
            .report(&grant.id, said, |_, telling| telling.told())
            .await
            .unwrap();
    }

    fn record(&self, grant: &Grant) -> Record {
        let act = Act::Grant {
            act: GrantAct::Granted,
            grant: Box::new(grant.clone()),
            by: grant.subject.clone(),
            rulebook: self.in_force.rulebook.id().clone(),
            policies: BTreeSet::new(),
        };
        Record {
            at: grant.declared_at,
            ..self.book.record(act)
        }
    }

    /// A refusal of somebody, so that there is a page of it.
    fn refused(&self, user: &str) -> String {
        let subject = Subject {
            id: who(user),
            method: MethodName::Basic,
        };
        let post = Described {
            to: "https://www.facebook.com/".to_owned(),
            method: Some("POST".to_owned()),
            headers: Vec::new(),
            body: None,
        };
        let seen = Observation {
            arrival: Self::arrival(),
            person: self.in_force.directory.person(&subject.id),
            subject: Some(subject),
            ask: self.in_force.rulebook.ask_of(&post).unwrap(),
            standing: Standing::default(),
            selected: None,
            at: noon(),
        };
        let rules = &self.in_force.rulebook;
        let Err(refusal) = rules.judge(&seen).permit() else {
            panic!("{user} passes");
        };
        let record = self.book.record(Act::Grant {
            act: GrantAct::Refused,
            grant: Box::new(self.ledger.name(terms(0, &[PurposeId::new("recruiting")]))),
            by: who(user),
            rulebook: rules.id().clone(),
            policies: BTreeSet::new(),
        });
        let refused = Refused {
            record: record.id.clone(),
            remedy: rules.remedy(&seen),
            seen,
            refusal,
            rulebook: rules.id().clone(),
            back: Some("https://www.facebook.com/".to_owned()),
        };
        self.portal.refused(refused).unwrap();
        record.id.to_string()
    }

    /// How long a page takes, again and again; the first time is told by itself.
    async fn opens(&self, user: &str, path: &str) -> (u16, Vec<u128>) {
        let subject = Subject {
            id: who(user),
            method: MethodName::Basic,
        };
        let (person, arrival) = (self.in_force.directory.person(&subject.id).unwrap(), Self::arrival());
        let visit = Visit {
            in_force: &self.in_force,
            subject: &subject,
            person: Some(&person),
            arrival: &arrival,
            secure: true,
            at: noon(),
            once: None,
            token: None,
        };
        let mut times = Vec::new();
        let mut status = 0;
        let started = Instant::now();
        while times.len() < ROUNDS && (times.len() < FEW || started.elapsed() < NO_LONGER) {
            let request = Request::get(path).header("sec-fetch-site", "none");
            let began = Instant::now();
            let Ok(received) = self.portal.receive(request.body(Empty::<Bytes>::new()).unwrap()).await else {
                panic!("{path}");
            };
            let answer = self.portal.serve(&visit, &received).await;
            times.push(began.elapsed().as_micros());
            status = answer.status().as_u16();
        }
        (status, times)
    }
}

/// What `/privacy` costs whoever opens it first after a change of people or rules, with the comparison that it waits for.
async fn after_a_change(company: &Company) {
    let mut times = Vec::new();
    for _ in 0..FEW {
        company.findings.clear();
        let compares = async {
            company.findings.wanted().await;
            company.findings.put(Promises::of(&company.in_force, None).unwrap());
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = compares => {}
            (_, opened) = company.opens("ada", "/privacy") => times.push(opened[0]),
        }
    }
    println!(
        "\n`/privacy` first after a change, ms: {:?}",
        times.iter().map(|micros| micros / 1_000).collect::<Vec<_>>()
    );
}

fn who(name: &str) -> SubjectId {
    SubjectId::parse(name).unwrap()
}

/// What a gateway has found out of what was proved, before somebody asks: here nothing was.
fn compared(in_force: &InForce) -> Board {
    let board = Board::default();
    board.put(Promises {
        rulebook: in_force.rulebook.id().clone(),
        all: Ok(Vec::new()),
        findings: None,
    });
    board
}

/// The `nth` grant: one of ten is in force, the others began in the weeks before.
fn terms(nth: usize, purposes: &[PurposeId]) -> GrantTerms {
    let days = i64::try_from(nth % 91).unwrap();
    let begins = if nth.is_multiple_of(10) {
        noon()
    } else {
        Timestamp::from_millis(noon().as_millis() - 86_400_000 * days)
    };
    GrantTerms {
        subject: who(&format!("p{}", nth % PEOPLE)),
        purpose: purposes[nth % purposes.len()].clone(),
        platforms: BTreeSet::from([PlatformId::new(["linkedin", "x", "xing", "youtube"][nth % 4])]),
        covers: ["read", "engage"].map(str::to_owned).into(),
        statement: "Looking for somebody who knows how large a company is".to_owned(),
        ticket: None,
        channel: Channel::Portal,
        declared_at: begins,
        not_before: begins,
        expires: begins.plus(Duration::from_hours(8)),
        answers: Vec::new(),
        idle: None,
        parent: None,
        emergency: None,
        continued: None,
        delegated: None,
    }
}

/// A flow that passed under a grant.
fn flow(grant: &Grant, given: &Record) -> Record {
    let seen = Observation {
        arrival: Company::arrival(),
        subject: Some(Subject {
            id: grant.subject.clone(),
            method: MethodName::Basic,
        }),
        person: None,
        ask: Ask::Connect(Authority::parse("x.com", Some(443)).unwrap()),
        standing: Standing::default(),
        selected: None,
        at: given.at,
    };
    let decided = serde_json::json!({
        "outcome": "allow", "host": Host::parse("x.com").unwrap(), "platform": grant.platforms.iter().next(), "activity": "browse",
        "inspect": true, "grant": grant.id, "purpose": grant.purpose, "policies": [], "rulebook": "none",
    });
    let ended = serde_json::json!({
        "end": "completed", "status": 200, "decrypted": true, "bytes_up": 800, "bytes_down": 120_000, "duration_ms": 900,
    });
    Record {
        act: Act::Closing {
            seen: Box::new(seen),
            decided: serde_json::from_value(decided).unwrap(),
            ended: serde_json::from_value(ended).unwrap(),
        },
        ..given.clone()
    }
}

/// What each of them may open, and what they are refused.
fn pages_of(company: &Company) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut pages: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for (user, more) in MORE {
        let refused = company.refused(user);
        let held = company.ledger.grants_of(&who(user));
        let grant = held
            .first()
            .map_or_else(|| "none".to_owned(), |grant| grant.id.to_string());
        // every page and list of everybody, as the router's table has them
        let all = routes().filter(|route| route.method == "GET").map(|route| {
            let path = route
                .path
                .replace("{record}", &refused)
                .replace("/decisions/{id}", &format!("/decisions/{refused}"))
                .replace("{purpose}", "competitor-research")
                .replace("{id}", &grant)
                .replace("{ticket}", "none");
            format!("{}{path}", route.below)
        });
        pages.entry(user).or_default().extend(all);
        pages
            .entry(user)
            .or_default()
            .extend(more.iter().map(|path| (*path).to_owned()));
    }
    pages
}

async fn run() {
    // cargo puts its own flag among the arguments
    let asked: Vec<String> = std::env::args().skip(1).filter(|one| one != "--bench").collect();
    let company = Company::new();
    company.live().await;
    let pages = pages_of(&company);
    println!("| who | page | status | first, ms | p50, ms | p99, ms |");
    println!("|---|---|--:|--:|--:|--:|");
    let mut slow = Vec::new();
    for (user, paths) in &pages {
        let wanted = |path: &&String| asked.is_empty() || asked.iter().any(|one| path.contains(one));
        for path in paths.iter().filter(wanted) {
            let (status, mut times) = company.opens(user, path).await;
            let first = times[0];
            times.sort_unstable();
            let at = |percent: usize| times[(times.len() - 1) * percent / 100];
            let shown = path.split('/').map(|part| if part.len() > 30 { "…" } else { part });
            let shown = shown.collect::<Vec<_>>().join("/");
            let ms = |micros: u128| format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10);
            println!(
                "| {user} | `{shown}` | {status} | {} | {} | {} |",
                ms(first),
                ms(at(50)),
                ms(at(99))
            );
            if first.max(at(99)) >= 100_000 {
                slow.push(format!("{user} {shown}"));
            }
        }
    }
    after_a_change(&company).await;
    println!(
        "\n100 ms and more: {}",
        if slow.is_empty() {
            "none".to_owned()
        } else {
            slow.join(", ")
        }
    );
}

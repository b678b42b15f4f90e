//! What a database has of its own: several gateways, and being out of reach.
#![expect(clippy::disallowed_methods, reason = "writes the password of a database")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::outbox::{claim, due, of, telling};
use super::server::Server;
use super::*;
use crate::facts::{AccountMark, AccountMarks, RevokedFor, RulebookId, Scope, Token, TokenHash, TokenId};
use crate::ledger::Looked;
use crate::ledger::postgres::{Access, Postgres};
use crate::ledger::store::{Bell, Store as _};
use crate::purpose::Lapsed;

/// One server for all tests that do not stop it.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// A database of its own, for as long as its test runs.
pub(super) struct Database {
    url: String,
    name: String,
    shared: bool,
}

impl Drop for Database {
    fn drop(&mut self) {
        // what failed may have failed for want of the server
        if self.shared && !std::thread::panicking() {
            server().says("postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

impl Database {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ledger{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let url = server().database(&name);
        Self {
            url,
            name,
            shared: true,
        }
    }

    fn of(server: &Server) -> Self {
        let name = "ledger".to_owned();
        let url = server.database(&name);
        Self {
            url,
            name,
            shared: false,
        }
    }

    fn settings(&self, gateway: &str) -> Settings {
        Settings {
            store: Kept::Postgresql,
            url: Some(self.url.clone()),
            gateway: Some(gateway.to_owned()),
            ..Settings::default()
        }
    }

    fn gateway(&self, name: &str) -> Result<Ledger, LedgerError> {
        Ledger::kept(&self.settings(name), tls())
    }

    /// What a statement comes to.
    fn says(&self, statement: &str) -> String {
        server().says(&self.name, statement)
    }

    fn two(&self) -> (Ledger, Ledger) {
        (self.gateway("east").unwrap(), self.gateway("west").unwrap())
    }
}

fn tls() -> rustls::ClientConfig {
    crate::tls::install_default();
    let roots = rustls::RootCertStore::empty();
    rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

impl Home for Database {
    fn open(&self) -> Result<Ledger, LedgerError> {
        self.gateway("one")
    }

    fn change(&self, change: &mut (dyn FnMut(&mut dyn Change) + Send)) {
        let access = Access::of(&self.settings("one"), tls()).unwrap();
        let work = move || {
            let nobody = tokio::sync::mpsc::channel(1).0.downgrade();
            let mut store = Postgres::open(&access, Bell::new(nobody)).unwrap();
            let mut transaction = store.begin().unwrap();
            change(&mut transaction);
            transaction.commit().unwrap();
        };
        std::thread::scope(|scope| scope.spawn(work).join().unwrap());
    }

    fn runs(&self, statement: &str) {
        self.says(statement);
    }
}

/// Looks until something is so, for a minute at most: what never comes fails, and does not hang.
fn comes(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is_so() {
        assert!(began.elapsed().as_secs() < 60, "{what}");
    }
}

/// Returns once the ledger shows what is wanted.
async fn until(ledger: &Ledger, mut wanted: impl FnMut(&Ledger) -> bool) {
    let mut changes = ledger.changes();
    while !wanted(ledger) {
        changes.changed().await.unwrap();
    }
}

/// How many grants wait or are in force.
fn alive(ledger: &Ledger, at: Timestamp) -> usize {
    let mut alive = 0;
    ledger.look_on(None, (usize::MAX, at), |grant| {
        alive += usize::from(!Life::of(grant, at).is_over());
        ControlFlow::Continue(())
    });
    alive
}

/// Returns once the ledger is in touch with its database, or is not any more.
async fn until_in_touch(ledger: &Ledger, is: bool) {
    until(ledger, |ledger| (ledger.vouches(false) == Vouched::Now) == is).await;
}

#[tokio::test]
async fn what_one_gateway_gives_and_ends_the_other_knows() {
    let database = Database::new();
    let (east, west) = database.two();
    let given = east.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    until(&west, |west| west.get(&given.id).is_some()).await;
    assert_eq!(
        west.standing(&ada(), moment(2_000)).grants(),
        std::slice::from_ref(&given)
    );
    west.revoke(&given.id, moment(3_000), |_| ()).await.unwrap();
    until(&east, |east| east.standing(&ada(), moment(3_000)).grants().is_empty()).await;
    assert_eq!(east.get(&given.id), west.get(&given.id));
    assert_eq!(east.counts(moment(3_000)), west.counts(moment(3_000)));
}

#[tokio::test]
async fn what_two_gateways_give_at_the_same_time_both_know_all_of() {
    let database = Database::new();
    let (east, west) = database.two();
    let give = async |ledger: &Ledger, who: &str| {
        for nth in 0..20 {
            ledger.give(terms(who, "recruiting", 1_000, 9_000 + nth)).await.unwrap();
        }
    };
    tokio::join!(give(&east, "ada"), give(&west, "bob"));
    for ledger in [&east, &west] {
        until(ledger, |ledger| alive(ledger, moment(1_000)) == 40).await;
    }
    assert_eq!(east.counts(moment(1_000)), west.counts(moment(1_000)));
}

#[tokio::test]
async fn one_of_two_gateways_answers_a_request() {
    let database = Database::new();
    let (east, west) = database.two();
    let asked = east
        .ask(terms("ada", "recruiting", 1_000, 9_000), moment(5_000))
        .await
        .unwrap();
    let (one, other) = tokio::join!(
        east.promise_approved(approved(asked.clone(), 2_000), 1),
        west.promise_approved(approved(asked.clone(), 2_000), 1),
    );
    let (winner, mut promise, loser, refused) = match (one, other) {
        (Ok(promise), Err(refused)) => (&east, promise, &west, refused),
        (Err(refused), Ok(promise)) => (&west, promise, &east, refused),
        (one, other) => panic!("{:?} {:?}", one.err(), other.err()),
    };
    assert_eq!(refused, LedgerError::BeingAnswered(asked.id.clone()));
    promise.is_on_record();
    let given = winner.put(promise.grant().clone(), |_| ()).await.unwrap();
    let late = loser.put(no(asked.clone(), 2_001), |_| ()).await;
    assert_eq!(late, Err(LedgerError::AlreadyOver(asked.id.clone())));
    until(loser, |loser| loser.get(&asked.id).as_ref() == Some(&given)).await;
}

#[tokio::test]
async fn a_lapse_is_noticed_by_one_gateway() {
    let database = Database::new();
    let (east, west) = database.two();
    let asked = east
        .ask(terms("ada", "recruiting", 1_000, 9_000), moment(5_000))
        .await
        .unwrap();
    let lapsed = || Lapsed::of(asked.clone(), moment(5_000)).unwrap();
    let promise = west.promise_lapsed(lapsed(), 1).await.unwrap();
    let second = east.promise_lapsed(lapsed(), 1).await;
    assert_eq!(second.err(), Some(LedgerError::BeingAnswered(asked.id.clone())));
    west.put(promise.grant().clone(), |_| ()).await.unwrap();
    promise.forget();
    let third = east.promise_lapsed(lapsed(), 1).await;
    assert_eq!(third.err(), Some(LedgerError::AlreadyOver(asked.id.clone())));
    until(&east, |east| east.lapsed(moment(5_000)).is_empty()).await;
}

#[tokio::test]
async fn one_of_two_gateways_tells_people_and_the_other_where_that_one_is_gone() {
    let database = Database::new();
    let (east, west) = database.two();
    for gateway in [&east, &west] {
        gateway.tells();
    }
    for nth in 0..20 {
        let asked = terms(&format!("ada{nth}"), "recruiting", 1_000, 9_000);
        east.ask(asked, moment(5_000)).await.unwrap();
    }
    let claim = |ledger: &Ledger, at: i64| {
        let ledger = ledger.clone();
        async move {
            let claim = Claim {
                until: moment(at + 100),
                most: 7,
                ..claim(at)
            };
            ledger.due(claim).await.unwrap().notices
        }
    };
    let (mut all, other, third) = tokio::join!(claim(&east, 2_000), claim(&west, 2_000), claim(&east, 2_000));
    all.extend(other.into_iter().chain(third));
    let distinct: BTreeSet<&GrantId> = all.iter().map(|notice| &of(notice).id).collect();
    assert_eq!((all.len(), distinct.len()), (20, 20));
    assert_eq!(claim(&west, 2_050).await, []);
    drop(east);
    assert_eq!(claim(&west, 2_100).await.len(), 7, "nobody said how it went");
}

#[tokio::test]
async fn of_two_gateways_one_writes_the_digest_and_one_sends_it_also_where_one_tells_nobody() {
    let database = Database::new();
    let (east, west) = database.two();
    let north = database.gateway("north").unwrap();
    for gateway in [&east, &west] {
        gateway.tells_weeks(Duration::ZERO);
    }
    let monday = conformance::monday();
    let later = monday.plus(Duration::from_hours(14 * 24));
    let week = Week::of(monday);
    // the first that finds the week over tells nobody anything
    north.add_up(&conformance::flows(5, 1, week), later).await.unwrap();
    let (one, other) = (Usage::default(), Usage::default());
    let (one, other) = tokio::join!(east.add_up(&one, later), west.add_up(&other, later));
    one.and(other).unwrap();
    let at = later.as_millis();
    let (mut all, more) = tokio::join!(due(&east, at), due(&west, at));
    all.extend(more);
    assert!(
        matches!(all.as_slice(), [Notice { about: About::Week(brought), .. }] if brought.week == week),
        "{all:?}"
    );
    drop((east, west));
    let (east, west) = database.two();
    let mut again = Vec::new();
    for gateway in [&east, &west] {
        gateway.tells_weeks(Duration::ZERO);
        gateway.add_up(&Usage::default(), later).await.unwrap();
        again.extend(due(gateway, at).await);
    }
    assert_eq!(again, all, "whoever claimed it never said how it went");
}

#[tokio::test]
async fn what_many_are_told_of_one_change_is_noted_with_few_questions() {
    let database = Database::new();
    drop(database.gateway("one").unwrap());
    database.says(
        "CREATE TABLE asked (how BIGINT); \
         CREATE FUNCTION counts() RETURNS trigger AS $$ BEGIN INSERT INTO asked VALUES (1); RETURN NULL; END $$ \
         LANGUAGE plpgsql; \
         CREATE TRIGGER counted AFTER INSERT ON notices FOR EACH STATEMENT EXECUTE FUNCTION counts()",
    );
    let names: Vec<GrantId> = (0..1_203).map(|nth| GrantId::new(format!("g{nth}"))).collect();
    database.change(&mut |change| {
        let named = |id: &GrantId| terms(&format!("of-{id}"), "recruiting", 1_000, 9_000).named(id.clone());
        let grants: Vec<Grant> = names.iter().map(named).collect();
        change.write_each(&grants.iter().collect::<Vec<_>>()).unwrap();
    });
    let ledger = telling(&database);
    let ended = Ended {
        by: who("sol"),
        why: "an incident".to_owned(),
    };
    let these = names.into_iter().map(|id| (id, on_record(GrantAct::Revoked)));
    let revoked = ledger.revoke_all(these.collect(), (ended, moment(2_000)), |_, telling| telling.told());
    assert_eq!(revoked.await.unwrap().len(), 1_203);
    assert_eq!(database.says("SELECT count(*) FROM notices"), "1203");
    assert_eq!(database.says("SELECT count(*) FROM asked"), "3");
}

/// A database in which the questions are counted that write accounts and tokens, and that holds so many tokens, each of somebody
/// else.
fn counting(many: usize) -> Database {
    let database = Database::new();
    drop(database.gateway("one").unwrap());
    let last = many - 1;
    database.says(&format!(
        "CREATE TABLE asked (of TEXT); \
         CREATE FUNCTION counts() RETURNS trigger AS $$ BEGIN INSERT INTO asked VALUES (TG_TABLE_NAME || ' ' || TG_OP); \
         RETURN NULL; END $$ LANGUAGE plpgsql; \
         INSERT INTO tokens (id, subject, name, scope, hash, made_ms, expires_ms, changed) \
         SELECT 't' || n, 'p' || n, '', '[\"read\"]', lpad(to_hex(n), 64, '0'), 0, 900000, 1 \
         FROM generate_series(0, {last}) AS n; \
         CREATE TRIGGER counted AFTER INSERT OR DELETE ON accounts FOR EACH STATEMENT EXECUTE FUNCTION counts(); \
         CREATE TRIGGER counted AFTER INSERT OR UPDATE ON tokens FOR EACH STATEMENT EXECUTE FUNCTION counts()"
    ));
    database
}

/// How many questions there were since this was asked last.
fn asked(database: &Database) -> String {
    let each = "SELECT of, count(*) AS n FROM asked GROUP BY of";
    let asked = database.says(&format!(
        "SELECT coalesce(string_agg(of || ' ' || n, ', ' ORDER BY of), '') FROM ({each}) AS e"
    ));
    database.says("DELETE FROM asked");
    asked
}

#[tokio::test]
async fn what_many_accounts_look_like_is_noted_with_few_questions_and_so_are_the_ends_of_their_tokens() {
    let database = counting(1_203);
    let ledger = database.gateway("one").unwrap();
    let marks = |mark: u8, many: usize| -> AccountMarks {
        let mark = |n| (who(&format!("p{n}")), AccountMark::new([mark; 32]));
        (0..many).map(mark).collect()
    };
    let note = |marks: AccountMarks, at| {
        let told = |_: &Token, telling: Telling| telling.told();
        ledger.note_accounts((marks, moment(at)), (7, RulebookId::new("rules")), told)
    };
    let over = note(marks(1, 1_203), 1_000).await.unwrap();
    assert_eq!(over, []);
    let noted = database.says("SELECT count(*) FROM accounts WHERE gateway = 'one'");
    assert_eq!(noted, "1203");
    assert_eq!(asked(&database), "accounts DELETE 3, accounts INSERT 3");
    // the first hundred have another password, and the last three no account
    let mut next = marks(1, 1_200);
    next.extend(marks(2, 100));
    let over = note(next, 2_000).await.unwrap();
    let because = |why: RevokedFor| {
        over.iter()
            .filter(|token| token.revoked_for.as_ref() == Some(&why))
            .count()
    };
    let both = [
        because(RevokedFor::PasswordChanged),
        because(RevokedFor::AccountRemoved),
    ];
    assert_eq!((over.len(), both), (103, [100, 3]));
    let once = "accounts DELETE 1, accounts INSERT 1, tokens INSERT 1, tokens UPDATE 1";
    assert_eq!(asked(&database), once);
}

#[tokio::test]
async fn many_tokens_end_at_once_with_few_questions_and_so_it_is_noted_when_they_were_used() {
    let database = counting(1_203);
    let ledger = database.gateway("one").unwrap();
    for n in 0..1_203 {
        // that somebody shows it is its use
        let shown = ledger.shown_token(&hash_of(n), moment(3_000));
        assert!(matches!(shown, Looked::Good(_)), "{n}");
    }
    let ended = Ended {
        by: who("sol"),
        why: "an incident".to_owned(),
    };
    let ids = (0..1_200).map(|n| (TokenId::new(format!("t{n}")), on_record(GrantAct::Revoked)));
    let these = (Vec::new(), ids.collect(), None);
    let told = (|_: &Grant, _: Telling| (), |_: &Token, telling: Telling| telling.told());
    let revoked = ledger.revoke_all_once(these, (ended, moment(3_000)), told).await;
    assert_eq!(revoked.unwrap().tokens.len(), 1_200);
    assert_eq!(asked(&database), "tokens INSERT 3, tokens UPDATE 3");
    ledger.keep_uses();
    drop(ledger);
    assert_eq!(asked(&database), "tokens UPDATE 3");
    let used = database.says("SELECT count(*) FROM tokens WHERE used_day = 0");
    assert_eq!(used, "1203");
    assert_eq!(database.says("SELECT count(*) FROM untold"), "0");
}

fn hash_of(n: usize) -> TokenHash {
    let mut bytes = [0; 32];
    bytes[30..].copy_from_slice(&u16::try_from(n).unwrap().to_be_bytes());
    TokenHash::new(bytes)
}

#[tokio::test]
async fn a_token_that_cannot_be_read_is_good_nowhere_and_holds_up_nothing_else() {
    let database = Database::new();
    let (east, west) = database.two();
    // whoever knows of the second grant has shown all that came before the first
    let hears = async || {
        for purpose in ["recruiting", "press"] {
            let given = east.give(terms("ada", purpose, 1_000, 9_000)).await.unwrap();
            until(&west, |west| west.get(&given.id).is_some()).await;
        }
    };
    for n in [1, 2] {
        let token = Token {
            id: TokenId::new(format!("t{n}")),
            subject: ada(),
            name: String::new(),
            scope: [Scope::Read].into(),
            made_at: moment(1_000),
            expires: moment(90_000),
            revoked_at: None,
            revoked_for: None,
        };
        east.make_token(token, hash_of(n), || true).await.unwrap();
    }
    hears().await;
    let Looked::Good(shown) = west.shown_token(&hash_of(1), moment(2_000)) else {
        panic!("it is good");
    };
    // as a newer gateway may write it
    database.says(
        "UPDATE changes SET last = last + 1; \
         UPDATE tokens SET scope = '[\"everything\"]', changed = (SELECT last FROM changes) WHERE id = 't1'",
    );
    hears().await;
    assert!(!*shown.stands.borrow(), "what rests on it ends");
    assert!(matches!(west.shown_token(&hash_of(1), moment(2_000)), Looked::Not));
    assert!(matches!(west.shown_token(&hash_of(2), moment(2_000)), Looked::Good(_)));
    assert_eq!(west.unreadable_tokens(), 1);
    assert_eq!((west.healthy(), west.vouches(true)), (Ok(()), Vouched::Now));
}

#[tokio::test]
async fn a_grant_that_cannot_be_read_keeps_nobody_from_being_told_of_another() {
    let database = Database::new();
    let ledger = telling(&database);
    let asks = async |purpose: &str| {
        let asked = ledger.ask(terms("ada", purpose, 1_000, 9_000), moment(5_000));
        asked.await.unwrap()
    };
    let (odd, fine) = (asks("press").await, asks("sales").await);
    database.says(&format!("UPDATE grants SET channel = 'pigeon' WHERE id = '{}'", odd.id));
    let told = due(&ledger, 1_000).await;
    assert_eq!(told.iter().map(|notice| &of(notice).id).collect::<Vec<_>>(), [&fine.id]);
}

#[tokio::test]
async fn nobody_holds_or_asks_for_more_because_there_are_two_gateways() {
    let database = Database::new();
    let (east, west) = database.two();
    for nth in 0..MOST_IN_FORCE {
        let gateway = if nth % 2 == 0 { &east } else { &west };
        gateway.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    }
    for gateway in [&east, &west] {
        let more = gateway.give(terms("ada", "recruiting", 1_000, 9_000)).await;
        assert_eq!(more, Err(LedgerError::TooMany(MOST_IN_FORCE)));
    }
    let first = east
        .ask(terms("bob", "recruiting", 1_000, 9_000), moment(5_000))
        .await
        .unwrap();
    let again = west.ask(terms("bob", "recruiting", 1_000, 9_000), moment(5_000)).await;
    assert_eq!(again, Err(LedgerError::AlreadyAsked(Box::new(first))));
}

#[tokio::test]
async fn a_promise_is_left_to_the_gateway_that_made_it() {
    let database = Database::new();
    let (east, west) = database.two();
    let asked = east
        .ask(terms("ada", "recruiting", 1_000, 9_000), moment(5_000))
        .await
        .unwrap();
    let mut promise = east.promise_approved(approved(asked.clone(), 2_000), 7).await.unwrap();
    promise.is_on_record();
    drop((promise, east, west));
    let west = database.gateway("west").unwrap();
    assert_eq!(west.promised(), []);
    west.forget(vec![asked.id.clone()]);
    let answer = west.promise_approved(approved(asked.clone(), 2_000), 1).await;
    assert_eq!(answer.err(), Some(LedgerError::BeingAnswered(asked.id.clone())));
    let east = database.gateway("east").unwrap();
    let expected = Leftover {
        id: asked.id.clone(),
        segment: 7,
        state: GrantState::Active,
        answers: 1,
        was_kept: false,
    };
    assert_eq!(east.promised(), [expected]);
    east.forget(vec![asked.id.clone()]);
    // whatever comes next comes after it is forgotten
    east.give(terms("bob", "recruiting", 1_000, 9_000)).await.unwrap();
    west.promise_approved(approved(asked, 2_000), 1).await.unwrap();
}

#[tokio::test]
async fn what_was_taken_back_counts_nowhere_and_what_somebody_made_of_it_since_stays() {
    let database = Database::new();
    let west = database.gateway("west").unwrap();
    let [gone, ended] =
        ["gone", "ended"].map(|name| terms("ada", "recruiting", 1_000, 9_000).named(GrantId::new(name)));
    database.change(&mut |change| {
        change.write(&gone).unwrap();
        change.write(&ended).unwrap();
    });
    until(&west, |west| {
        west.get(&gone.id).is_some() && west.get(&ended.id).is_some()
    })
    .await;
    let ended_by_west = west.revoke(&ended.id, moment(2_000), |_| ()).await.unwrap();
    database.change(&mut |change| {
        change.take_back(&gone, None, None).unwrap();
        change.take_back(&ended, None, None).unwrap();
    });
    until(&west, |west| west.get(&gone.id).is_none()).await;
    assert_eq!(west.get(&ended.id), Some(ended_by_west));
    let counted: u64 = west.counts(moment(2_000)).iter().map(|count| count.grants).sum();
    assert_eq!(counted, 1);
}

#[tokio::test]
async fn what_is_used_at_one_gateway_does_not_go_unused_at_the_other() {
    let database = Database::new();
    let (east, west) = database.two();
    let lent = GrantTerms {
        idle: Some(Duration::from_secs(10)),
        ..terms("ada", "recruiting", 1_000, 90_000)
    };
    let grant = east.give(lent).await.unwrap();
    until(&west, |west| west.get(&grant.id).is_some()).await;
    let under_way = west.in_use(&grant.id).unwrap();
    east.in_use(&grant.id).unwrap().touch(moment(9_000));
    east.keep_uses();
    // whatever comes next comes after it, and is known after it
    let next = east.give(terms("bob", "press", 1_000, 9_000)).await.unwrap();
    until(&west, |west| west.get(&next.id).is_some()).await;
    assert_eq!(under_way.until(), moment(19_000));
    assert_eq!(west.idle(moment(19_000)), [], "it may have been used at the other one");
    let early = west
        .end_idle(&grant.id, (moment(18_999), on_record(GrantAct::Idle)), |_, _| ())
        .await;
    assert_eq!(early, Err(LedgerError::AlreadyOver(grant.id.clone())));
    west.end_idle(&grant.id, (moment(19_000), on_record(GrantAct::Idle)), |_, _| ())
        .await
        .unwrap();
    let again = east
        .end_idle(&grant.id, (moment(19_000), on_record(GrantAct::Idle)), |_, _| ())
        .await;
    assert_eq!(again, Err(LedgerError::AlreadyOver(grant.id)));
}

#[tokio::test]
async fn a_grant_that_cannot_be_read_is_not_known_and_holds_up_nothing_else() {
    let database = Database::new();
    let (east, west) = database.two();
    let given = east.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    until(&west, |west| west.get(&given.id).is_some()).await;
    // as a newer gateway may write it
    let newer = format!(
        "UPDATE changes SET last = last + 1; \
         UPDATE grants SET channel = 'thought', changed = (SELECT last FROM changes) WHERE id = '{}'",
        given.id
    );
    server().says(&database.name, &newer);
    let next = east.give(terms("bob", "press", 1_000, 9_000)).await.unwrap();
    until(&west, |west| west.get(&next.id).is_some()).await;
    assert_eq!(west.get(&given.id), None);
    assert_eq!((west.healthy(), west.vouches(true)), (Ok(()), Vouched::Now));
}

#[tokio::test]
async fn a_gateway_that_cannot_read_what_others_change_does_not_say_that_it_knows() {
    let database = Database::new();
    let (east, west) = database.two();
    let given = east.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    until(&west, |west| west.get(&given.id).is_some()).await;
    server().says(&database.name, "ALTER TABLE changes RENAME TO elsewhere");
    until_in_touch(&west, false).await;
    let told = west.healthy().unwrap_err();
    assert!(
        told.contains("what other gateways change has not been heard for"),
        "{told}"
    );
    server().says(&database.name, "ALTER TABLE elsewhere RENAME TO changes");
    until_in_touch(&west, true).await;
    assert_eq!(west.healthy(), Ok(()));
}

/// Whoever reads envelopes waits until the table `renewed` has a row.
const SLOW_TO_READ: &str = "
    ALTER TABLE envelopes RENAME TO kept;
    CREATE TABLE renewed (yes boolean);
    CREATE FUNCTION is_renewed() RETURNS boolean VOLATILE LANGUAGE plpgsql AS $$ BEGIN
        WHILE NOT EXISTS (SELECT FROM renewed) LOOP PERFORM pg_sleep(0.01); END LOOP;
        RETURN true;
    END $$;
    CREATE VIEW envelopes AS SELECT * FROM kept WHERE is_renewed();";

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_that_is_kept_anew_while_old_ones_are_counted_is_not_forgotten() {
    let database = Database::new();
    let gateway = database.gateway("east").unwrap();
    let page = |nth: i64| Envelope {
        who: ada(),
        kind: "refusal".to_owned(),
        name: format!("{nth:02}"),
        stays: false,
        at: moment(nth),
        sealed: vec![1],
    };
    let as_many_as_are_kept = (1..=16).map(page).collect();
    gateway.put_envelopes(as_many_as_are_kept, moment(0)).await.unwrap();
    database.says(SLOW_TO_READ);
    let one_more = tokio::spawn({
        let (gateway, one_more) = (gateway.clone(), page(17));
        async move { gateway.put_envelopes(vec![one_more], moment(0)).await }
    });
    let counting =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DELETE FROM envelopes%' AND wait_event = 'PgSleep'";
    comes("nothing was counted", || {
        assert!(!one_more.is_finished(), "nothing was counted");
        database.says(counting) != "0"
    });
    database.says("UPDATE kept SET at_ms = 18 WHERE name = '01'; INSERT INTO renewed VALUES (true)");
    one_more.await.unwrap().unwrap();
    let kept = gateway.envelopes_of(&ada(), moment(0)).await.unwrap();
    assert!(kept.iter().any(|one| one.name == "01"), "{kept:?}");
}

#[tokio::test]
async fn two_gateways_cannot_bear_one_name() {
    let database = Database::new();
    let _east = database.gateway("east").unwrap();
    let again = database.gateway("east").err().unwrap().to_string();
    assert!(again.contains("another gateway named `east` is connected"), "{again}");
    assert!(again.contains("`ledger.gateway`"), "{again}");
}

#[tokio::test]
async fn a_lost_database_leaves_what_is_known_and_gives_nothing_until_it_is_back() {
    let mut server = Server::start();
    let database = Database::of(&server);
    let (east, west) = database.two();
    let given = east.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    until(&west, |west| west.get(&given.id).is_some()).await;
    assert_eq!((west.healthy(), west.vouches(true)), (Ok(()), Vouched::Now));
    server.stop();
    until_in_touch(&east, false).await;
    until_in_touch(&west, false).await;
    assert_eq!(
        west.standing(&ada(), moment(2_000)).grants(),
        std::slice::from_ref(&given)
    );
    let told = west.healthy().unwrap_err();
    assert!(
        told.contains("out of reach") && told.contains("until it is back"),
        "{told}"
    );
    let refused = west.give(terms("bob", "recruiting", 1_000, 9_000)).await;
    assert!(matches!(refused, Err(LedgerError::Lost(_))), "{refused:?}");
    let kept = west.revoke(&given.id, moment(2_000), |_| ()).await;
    assert!(matches!(kept, Err(LedgerError::Lost(_))), "{kept:?}");
    server.again();
    until_in_touch(&east, true).await;
    east.revoke(&given.id, moment(2_000), |_| ()).await.unwrap();
    until(&west, |west| west.standing(&ada(), moment(2_000)).grants().is_empty()).await;
    until_in_touch(&west, true).await;
    assert_eq!(west.healthy(), Ok(()));
    west.give(terms("bob", "recruiting", 1_000, 9_000)).await.unwrap();
}

#[tokio::test]
async fn what_others_changed_while_a_line_was_cut_is_known_once_it_is_whole() {
    let database = Database::new();
    let (east, west) = database.two();
    for nth in 0..5 {
        let cut = "SELECT pg_terminate_backend(pid, 9000) FROM pg_stat_activity \
                   WHERE datname = current_database() AND application_name = 'wayleave west'";
        server().says(&database.name, cut);
        let given = east.give(terms("ada", "recruiting", 1_000, 9_000 + nth)).await.unwrap();
        until(&west, |west| west.get(&given.id).is_some()).await;
    }
    until_in_touch(&west, true).await;
    west.give(terms("ada", "press", 1_000, 9_000)).await.unwrap();
}

#[tokio::test]
async fn portals_ask_where_the_line_leads_that_was_made_again() {
    let database = Database::new();
    let gateway = database.gateway("east").unwrap();
    let asks = async || gateway.session(&ada(), "none".to_owned()).await;
    asks().await.unwrap();
    let theirs = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'wayleave east'";
    // it bears the name of the gateway
    let is_line = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')";
    let own = database.says(&format!("SELECT pid {theirs} AND NOT {is_line}"));
    let line = database.says(&format!("SELECT pid {theirs} AND {is_line}"));
    database.says(&format!("SELECT pg_terminate_backend({line}, 9000)"));
    comes("the line is whole again", || {
        database.says(&format!("SELECT count(*) {theirs} AND {is_line}")) != "0"
    });
    let began = std::time::Instant::now();
    while let Err(trouble) = asks().await {
        assert!(began.elapsed().as_secs() < 60, "{trouble:?}");
    }
    let others = database.says(&format!("SELECT count(*) {theirs} AND NOT {is_line} AND pid <> {own}"));
    assert_eq!(
        others, "1",
        "the old one may lead to a server that nobody writes to any more"
    );
}

#[tokio::test]
async fn a_database_that_takes_no_changes_any_more_is_lost() {
    let server = Server::start();
    let database = Database::of(&server);
    let (east, west) = database.two();
    let takes_no_changes = async |is: &str| {
        server.says(
            "ledger",
            &format!("ALTER SYSTEM SET default_transaction_read_only = {is}"),
        );
        server.says("ledger", "SELECT pg_reload_conf()");
        comes("the server has read its settings", || {
            server.says("ledger", "SHOW default_transaction_read_only") == is
        });
    };
    let spend = async |token: &str| east.spend(token.to_owned(), moment(1_000), moment(1_000)).await;
    assert_eq!(spend("one").await, Ok(true));
    takes_no_changes("on").await;
    let spent = loop {
        match spend("two").await {
            // the connection has not heard of it yet
            Ok(_) => server.says("ledger", "SELECT 1"),
            Err(trouble) => break trouble,
        };
    };
    assert!(matches!(spent, LedgerError::Lost(_)), "{spent:?}");
    let given = west.give(terms("ada", "recruiting", 1_000, 9_000)).await;
    assert!(matches!(given, Err(LedgerError::Lost(_))), "{given:?}");
    takes_no_changes("off").await;
    until_in_touch(&west, true).await;
    west.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
}

#[test]
fn a_database_that_cannot_be_used_is_named_with_what_to_do_and_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("password");
    std::fs::write(&secret, "tiger\n").unwrap();
    let settings = |url: &str| Settings {
        url: Some(url.to_owned()),
        password_file: Some(secret.clone()),
        ..Database::new().settings("one")
    };
    let nowhere = format!(
        "postgresql://wayleave@{}/x",
        folder.path().to_str().unwrap().replace('/', "%2F")
    );
    let words = |settings: &Settings| Ledger::kept(settings, tls()).err().unwrap().to_string();
    let unreachable = words(&settings(&nowhere));
    assert!(
        unreachable.contains("check that it runs") && !unreachable.contains("tiger"),
        "{unreachable}"
    );
    let missing = words(&settings(&server().url("no_such_database")));
    assert!(
        missing.contains("\"no_such_database\" does not exist; check the user"),
        "{missing}"
    );

    let database = Database::new();
    server().says(&database.name, "CREATE TABLE grants (x INTEGER)");
    let foreign = words(&database.settings("one"));
    assert!(
        foreign.contains("not of wayleave; give wayleave a database of its own"),
        "{foreign}"
    );

    let database = Database::new();
    drop(database.open().unwrap());
    server().says(&database.name, "INSERT INTO wayleave_schema VALUES (99, 'x')");
    let newer = words(&database.settings("one"));
    assert!(
        newer.contains("has version 99") && newer.contains("run the newer wayleave"),
        "{newer}"
    );
    server().says(
        &database.name,
        "DELETE FROM wayleave_schema WHERE version = 99; UPDATE wayleave_schema SET checksum = 'x'",
    );
    let altered = words(&database.settings("one"));
    assert!(altered.contains("another text of migration 1"), "{altered}");
}

#[test]
fn gateways_that_start_together_make_the_tables_once() {
    let database = Database::new();
    std::thread::scope(|scope| {
        let names = ["a", "b", "c", "d"];
        let starts = names.map(|name| scope.spawn(|| database.gateway(name).map(drop)));
        for start in starts {
            assert_eq!(start.join().unwrap(), Ok(()));
        }
    });
}

#[tokio::test]
async fn a_key_of_portals_that_was_changed_is_taken_at_the_next_start_and_until_then_it_is_known() {
    let database = Database::new();
    let (east, west) = database.two();
    let old = east.counter_key().reveal().to_owned();
    east.look_at_key().await;
    assert!(east.is_key_current());
    database.says("DELETE FROM counter_key");
    for gateway in [&east, &west] {
        gateway.look_at_key().await;
        assert!(!gateway.is_key_current());
        assert_eq!(
            gateway.counter_key().reveal(),
            old,
            "what it handed out stays good here"
        );
    }
    drop(east);
    let east = database.gateway("east").unwrap();
    east.look_at_key().await;
    west.look_at_key().await;
    assert!(east.is_key_current() && !west.is_key_current());
    drop(west);
    let west = database.gateway("west").unwrap();
    assert_ne!(west.counter_key().reveal(), old);
    assert_eq!(west.counter_key().reveal(), east.counter_key().reveal());
}

#[tokio::test]
async fn what_portals_know_alike_is_known_at_the_other_gateway_at_once_and_after_a_restart() {
    let database = Database::new();
    let (east, west) = database.two();
    assert_eq!(east.counter_key().reveal(), west.counter_key().reveal());
    assert_eq!(east.counter_key().reveal().len(), 64);
    let spend = async |ledger: &Ledger| {
        let spent = ledger.spend("token".to_owned(), moment(1_000), moment(2_000)).await;
        spent.unwrap()
    };
    assert_eq!((spend(&east).await, spend(&west).await), (true, false));
    let session = Session {
        who: ada(),
        digest: "d".to_owned(),
        since: moment(1_000),
        mark: Some(AccountMark::new([1; 32])),
    };
    let lasts = (Duration::from_mins(15), 8);
    east.begin_session(session.clone(), None, lasts).await.unwrap();
    let known = west.session(&ada(), "d".to_owned()).await;
    assert_eq!(known, Ok(Some(session.clone())));
    let key = east.counter_key().reveal().to_owned();
    drop((east, west));

    let (east, west) = database.two();
    assert_eq!(west.counter_key().reveal(), key);
    assert!(!spend(&west).await);
    assert_eq!(west.session(&ada(), "d".to_owned()).await, Ok(Some(session)));
    east.end_session(&ada(), "d".to_owned()).await.unwrap();
    assert_eq!(west.session(&ada(), "d".to_owned()).await, Ok(None));
    // what one has just given, the other shows as soon as it has looked
    let given = east.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    west.hears().await;
    assert_eq!(west.get(&given.id), Some(given));
}

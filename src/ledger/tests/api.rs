//! What a ledger does for the API, wherever it is kept: calls that are done once, and tokens.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::facts::{AccountMark, AccountMarks, RevokedFor, RulebookId, Scope, Token, TokenHash, TokenId};
use crate::ledger::{Looked, MOST_TOKENS, Once, Shown};

fn once(by: &str, key: &str, at: i64) -> Once {
    Once {
        by: person(by),
        key: key.to_owned(),
        call: format!("call of {key}"),
        at: Timestamp::from_millis(at),
        not_permitted: 0,
    }
}

const DAY: i64 = 86_400_000;

pub(super) async fn what_never_counted_is_done_anew_for_the_call_that_gave_it(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let at = moment;
    let (adas, bens) = (once("ada", "key", 1_000), once("ben", "key", 1_000));
    let void = ledger.name(terms("ada", "recruiting", 1_000, 9_000));
    ledger.put_once(void.clone(), Some(adas.clone()), |_| ()).await.unwrap();
    let kept = ledger.name(terms("ben", "recruiting", 1_000, 9_000));
    ledger.put_once(kept.clone(), Some(bens.clone()), |_| ()).await.unwrap();
    let recalled = ledger.done(&bens.by, &bens.key, at(2_000)).await.unwrap().unwrap();
    assert_eq!(recalled.grants, [kept]);
    ledger.forget_void(&void.id).await.unwrap();
    assert_eq!(ledger.done(&adas.by, &adas.key, at(2_000)).await, Ok(None));
    assert!(ledger.done(&bens.by, &bens.key, at(2_000)).await.unwrap().is_some());
}

pub(super) async fn what_a_call_did_is_kept_with_it_for_a_day_and_is_done_once(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let at = moment;
    let first = ledger.name(terms("ada", "recruiting", 1_000, 9_000));
    let call = once("ada", "key", 1_000);
    assert_eq!(ledger.done(&call.by, &call.key, at(1_000)).await, Ok(None));
    ledger
        .put_once(first.clone(), Some(call.clone()), |_| ())
        .await
        .unwrap();
    drop(ledger);
    let ledger = home.open().unwrap();
    let done = ledger.done(&call.by, &call.key, at(2_000)).await.unwrap().unwrap().done;
    assert_eq!(
        (done.call.as_str(), done.grants.as_slice()),
        ("call of key", &[first.id.clone()][..])
    );
    assert_eq!((done.asked, done.count), (false, 1));
    let second = ledger.name(terms("ada", "press", 2_000, 9_000));
    let again = ledger
        .put_once(second.clone(), Some(once("ada", "key", 2_000)), |_| ())
        .await;
    assert_eq!(again, Err(LedgerError::DoneAlready));
    assert_eq!(ledger.get(&second.id), None);
    // of somebody else, and a day later, it is another call
    let theirs = ledger.name(terms("ben", "press", 2_000, 9_000));
    ledger
        .put_once(theirs, Some(once("ben", "key", 2_000)), |_| ())
        .await
        .unwrap();
    assert_eq!(ledger.done(&call.by, &call.key, at(1_000 + DAY)).await, Ok(None));
    let later = ledger.name(terms("ada", "press", 1_000 + DAY, 9_000 + DAY));
    ledger
        .put_once(later, Some(once("ada", "key", 1_000 + DAY)), |_| ())
        .await
        .unwrap();
}

fn token(of: &str, id: &str, made: i64) -> Token {
    Token {
        id: TokenId::new(id),
        subject: person(of),
        name: "nightly".to_owned(),
        scope: [Scope::Read, Scope::Proxy].into(),
        made_at: Timestamp::from_millis(made),
        expires: Timestamp::from_millis(made + DAY),
        revoked_at: None,
        revoked_for: None,
    }
}

/// The token of that digest, where it is good.
fn good(ledger: &Ledger, digest: u8, at: i64) -> Option<Shown> {
    match ledger.shown_token(&hash(digest), moment(at)) {
        Looked::Good(shown) => Some(shown),
        Looked::Not => None,
        Looked::Unknown => panic!("nothing is unknown"),
    }
}

fn hash(number: u8) -> TokenHash {
    TokenHash::new([number; 32])
}

pub(super) async fn a_token_survives_a_restart_is_found_by_its_digest_and_ends_when_it_is_revoked(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let at = moment;
    let made = ledger
        .make_token(token("ada", "one", 1_000), hash(1), || true)
        .await
        .unwrap();
    ledger
        .make_token(token("ben", "two", 1_000), hash(2), || true)
        .await
        .unwrap();
    let shown = good(&ledger, 1, 2_000).unwrap();
    assert_eq!(*shown.token, made);
    assert!(good(&ledger, 3, 2_000).is_none());
    assert!(good(&ledger, 1, 1_000 + DAY).is_none(), "it has expired");
    ledger.keep_uses();
    drop(ledger);

    let ledger = home.open().unwrap();
    let listed = ledger.tokens_of(&person("ada"), at(2_000));
    assert_eq!((listed.len(), &listed[0].token), (1, &made));
    assert_eq!(listed[0].used_on, Some(at(0)));
    let shown = good(&ledger, 1, 2_000).unwrap();
    let revoke = async |who: &str| {
        let when = (at(3_000), on_record(GrantAct::Withdrawn));
        let told = |_: &Token, telling: Telling| telling.told();
        ledger.revoke_token(&made.id, &person(who), when, told).await
    };
    let by_another = revoke("ben").await;
    assert_eq!(by_another, Err(LedgerError::NoSuchToken(made.id.clone())));
    assert!(*shown.stands.borrow());
    let revoked = revoke("ada").await.unwrap();
    assert_eq!(revoked.revoked_at, Some(at(3_000)));
    assert!(!*shown.stands.borrow(), "what rests on it ends");
    assert!(good(&ledger, 1, 3_000).is_none());
    let twice = revoke("ada").await;
    assert_eq!(twice, Err(LedgerError::NoSuchToken(made.id.clone())));
    drop(ledger);
    let ledger = home.open().unwrap();
    assert!(good(&ledger, 1, 3_000).is_none());
    assert!(good(&ledger, 2, 3_000).is_some());
    assert_eq!(ledger.untold_tokens(), [], "the book said so");
}

pub(super) async fn tokens_end_with_what_is_revoked_at_once_for_a_call_that_is_done_once(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let at = moment;
    let grant = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    for (of, digest) in [("ada", 1), ("ben", 2)] {
        let made = ledger.make_token(token(of, of, 1_000), hash(digest), || true);
        made.await.unwrap();
    }
    let ended = Ended {
        by: person("sol"),
        why: "stolen".to_owned(),
    };
    let shown = good(&ledger, 1, 2_000).unwrap();
    let call = once("sol", "key", 1_000);
    let revoke = async || {
        let these = vec![(grant.id.clone(), on_record(GrantAct::Revoked))];
        let tokens = ["ada", "of nobody"].map(|id| (TokenId::new(id), on_record(GrantAct::Revoked)));
        // as where the gateway ends before the book has said so
        let dropped = (|_: &Grant, _: Telling| (), |_: &Token, _: Telling| ());
        let these = (these, tokens.into(), Some(call.clone()));
        ledger.revoke_all_once(these, (ended.clone(), at(2_000)), dropped).await
    };
    let all = revoke().await.unwrap();
    let over = Token {
        revoked_at: Some(at(2_000)),
        revoked_for: Some(RevokedFor::Revocation(ended.clone())),
        ..token("ada", "ada", 1_000)
    };
    assert_eq!((all.grants.len(), &all.tokens), (1, &vec![over.clone()]));
    assert!(!*shown.stands.borrow(), "what rests on it ends");
    assert!(good(&ledger, 1, 2_000).is_none() && good(&ledger, 2, 2_000).is_some());
    assert_eq!(
        ledger.ended_tokens_of(&person("ada"), at(2_000)),
        std::slice::from_ref(&over)
    );
    let twice = revoke().await.unwrap();
    assert_eq!(twice, AllEnded::default(), "all of it is over");
    let recalled = ledger.done(&call.by, &call.key, at(2_000)).await.unwrap().unwrap();
    assert_eq!((recalled.done.token_count, &recalled.tokens), (1, &vec![over.clone()]));
    drop(ledger);

    let ledger = home.open().unwrap();
    assert!(good(&ledger, 1, 2_000).is_none());
    let untold = UntoldToken {
        token: over.clone(),
        on_record: on_record(GrantAct::Revoked),
    };
    assert_eq!(ledger.untold_tokens(), [untold]);
    assert_eq!(ledger.untold().len(), 1, "the grant by itself");
    ledger.tokens_told(vec![over.id]);
    drop(ledger);
    assert_eq!(home.open().unwrap().untold_tokens(), []);
}

pub(super) async fn while_noted_accounts_cannot_be_found_no_token_counts_and_none_is_over(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let made = ledger.make_token(token("ada", "one", 1_000), hash(1), || true);
    made.await.unwrap();
    assert!(!ledger.holds_tokens(true), "there never were any");
    note(&ledger, &accounts(&[("ada", 1)]), 1_000).await.unwrap();
    drop(ledger);
    let ledger = home.open().unwrap();
    let shown = good(&ledger, 1, 2_000).unwrap();
    assert!(ledger.holds_tokens(true));
    assert!(matches!(ledger.shown_token(&hash(1), moment(2_000)), Looked::Unknown));
    ledger.end_tokens(moment(2_000));
    assert!(!*shown.stands.borrow(), "what rests on it ends");
    assert!(!ledger.holds_tokens(false));
    let again = good(&ledger, 1, 2_000).unwrap();
    assert!(*again.stands.borrow(), "and is good again");
}

pub(super) async fn a_proof_that_is_over_makes_no_token(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let kept = ledger.make_token(token("ada", "late", 1_000), hash(1), || false).await;
    assert_eq!(kept, Err(LedgerError::ProofOver));
    assert!(good(&ledger, 1, 2_000).is_none());
    drop(ledger);
    let ledger = home.open().unwrap();
    assert_eq!(ledger.tokens_of(&person("ada"), moment(2_000)), vec![]);
}

pub(super) async fn one_person_has_so_many_tokens_and_what_rests_on_one_ends_when_it_expires(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let at = moment;
    for number in 0..MOST_TOKENS {
        let hash = hash(u8::try_from(number).unwrap());
        ledger
            .make_token(token("ada", &format!("t{number:02}"), 1_000), hash, || true)
            .await
            .unwrap();
    }
    let one_more = ledger.make_token(token("ada", "more", 1_000), hash(99), || true).await;
    assert_eq!(one_more, Err(LedgerError::TooManyTokens(MOST_TOKENS)));
    let shown = good(&ledger, 0, 1_000).unwrap();
    ledger.end_tokens(at(DAY));
    assert!(*shown.stands.borrow());
    ledger.end_tokens(at(1_000 + DAY));
    assert!(!*shown.stands.borrow());
    assert_eq!(
        ledger.token(&shown.token.id, at(1_000)),
        None,
        "what is over is forgotten"
    );
    ledger
        .make_token(token("ada", "later", 1_000 + DAY), hash(99), || true)
        .await
        .unwrap();
}

/// Notes what accounts look like, and that the book tells what ended with them.
async fn note(ledger: &Ledger, accounts: &AccountMarks, at: i64) -> Result<Vec<Token>, LedgerError> {
    let told = |_: &Token, telling: Telling| telling.told();
    let when = (accounts.clone(), moment(at));
    ledger.note_accounts(when, (7, RulebookId::new("rules")), told).await
}

pub(super) async fn whoever_shows_a_token_while_tokens_stop_counting_has_nothing_that_lasts(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let made = ledger.make_token(token("ada", "one", 1_000), hash(1), || true);
    made.await.unwrap();
    note(&ledger, &accounts(&[("ada", 1)]), 1_000).await.unwrap();
    let (stop, late) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                if let Looked::Good(shown) = ledger.shown_token(&hash(1), moment(2_000)) {
                    late.lock().unwrap().push(shown);
                }
            }
        });
        for _ in 0..300 {
            assert!(ledger.holds_tokens(true));
            let mut shown = late.lock().unwrap();
            ledger.end_tokens(moment(2_000));
            assert!(shown.iter().all(|shown| !*shown.stands.borrow()), "it is not cut");
            shown.clear();
            drop(shown);
            assert!(!ledger.holds_tokens(false));
        }
        stop.store(true, Ordering::Relaxed);
    });
}

pub(super) async fn an_account_that_is_again_what_it_was_has_its_tokens_again(home: &dyn Home) {
    let ledger = home.open().unwrap();
    for (of, digest) in [("ada", 1), ("ben", 2)] {
        let made = ledger.make_token(token(of, of, 1_000), hash(digest), || true);
        made.await.unwrap();
    }
    let first = accounts(&[("ada", 1), ("ben", 2)]);
    note(&ledger, &first, 1_000).await.unwrap();
    let shown = good(&ledger, 1, 2_000).unwrap();
    ledger.suspend_tokens_of(&[person("ada")].into());
    assert!(!*shown.stands.borrow() && good(&ledger, 1, 2_000).is_none());
    // what changed could not be kept, and the file is as it was
    assert_eq!(
        ledger.changed_accounts(&first),
        (vec![], true),
        "there is something to do"
    );
    assert_eq!(note(&ledger, &first, 3_000).await, Ok(vec![]));
    assert!(good(&ledger, 1, 3_000).is_some());
    assert_eq!(ledger.changed_accounts(&first), (vec![], false));
    // and where another one changed meanwhile, that one's alone are over
    ledger.suspend_tokens_of(&[person("ada"), person("ben")].into());
    let over = note(&ledger, &accounts(&[("ada", 1), ("ben", 9)]), 4_000)
        .await
        .unwrap();
    assert_eq!(over.len(), 1);
    assert_eq!([1, 2].map(|one| good(&ledger, one, 4_000).is_some()), [true, false]);
}

pub(super) async fn what_ends_with_an_account_is_told_by_the_next_start_where_the_book_does_not(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let made = ledger.make_token(token("ada", "one", 1_000), hash(1), || true);
    made.await.unwrap();
    note(&ledger, &accounts(&[("ada", 1)]), 1_000).await.unwrap();
    let when = (accounts(&[]), moment(2_000));
    let untold = |_: &Token, _: Telling| ();
    let over = ledger
        .note_accounts(when, (7, RulebookId::new("rules")), untold)
        .await
        .unwrap();
    drop(ledger);
    let ledger = home.open().unwrap();
    let [left] = ledger.untold_tokens() else {
        panic!("{:?}", ledger.untold_tokens());
    };
    assert_eq!(std::slice::from_ref(&left.token), over.as_slice());
    let told = &left.on_record;
    assert_eq!(
        (told.segment, told.by.as_str(), told.rulebook.as_str()),
        (7, "ada", "rules")
    );
    ledger.tokens_told(vec![left.token.id.clone()]);
    drop(ledger);
    assert_eq!(home.open().unwrap().untold_tokens(), []);
}

fn accounts(marks: &[(&str, u8)]) -> AccountMarks {
    let marks = marks
        .iter()
        .map(|(name, mark)| (person(name), AccountMark::new([*mark; 32])));
    marks.collect()
}

pub(super) async fn the_tokens_of_an_account_that_changes_or_goes_end_also_where_nobody_watched(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let at = moment;
    for (of, digest) in [("ada", 1), ("ben", 2), ("cora", 3)] {
        let made = ledger.make_token(token(of, of, 1_000), hash(digest), || true);
        made.await.unwrap();
    }
    let first = accounts(&[("ada", 1), ("ben", 2), ("cora", 3)]);
    let nothing_known = (vec![], true);
    assert_eq!(ledger.changed_accounts(&first), nothing_known);
    assert_eq!(note(&ledger, &first, 2_000).await, Ok(vec![]));
    assert_eq!(ledger.changed_accounts(&first), (vec![], false));
    drop(ledger);

    let ledger = home.open().unwrap();
    assert_eq!(
        ledger.changed_accounts(&first),
        (vec![], false),
        "it is known after a restart"
    );
    let (adas, bens) = (good(&ledger, 1, 2_000).unwrap(), good(&ledger, 2, 2_000).unwrap());
    let next = accounts(&[("ada", 9), ("cora", 3), ("dan", 4)]);
    let (changed, is_news) = ledger.changed_accounts(&next);
    assert_eq!(
        changed,
        [
            (person("ada"), RevokedFor::PasswordChanged),
            (person("ben"), RevokedFor::AccountRemoved),
        ]
    );
    assert!(is_news);
    ledger.suspend_tokens_of(&[person("ada")].into());
    assert!(!*adas.stands.borrow() && *bens.stands.borrow());
    assert!(good(&ledger, 1, 2_000).is_none(), "whether or not it can be kept");
    let over = note(&ledger, &next, 3_000).await.unwrap();
    let over: Vec<_> = over
        .iter()
        .map(|token| (token.id.as_str(), token.revoked_at, token.revoked_for.clone()))
        .collect();
    assert_eq!(
        over,
        [
            ("ada", Some(at(3_000)), Some(RevokedFor::PasswordChanged)),
            ("ben", Some(at(3_000)), Some(RevokedFor::AccountRemoved)),
        ]
    );
    assert!(!*bens.stands.borrow());
    assert!(good(&ledger, 3, 3_000).is_some());
    drop(ledger);
    let ledger = home.open().unwrap();
    assert_eq!(ledger.changed_accounts(&next), (vec![], false));
    assert_eq!(
        [1, 2, 3].map(|one| good(&ledger, one, 3_000).is_some()),
        [false, false, true]
    );
    assert_eq!(ledger.ended_tokens_of(&person("ada"), at(4_000)).len(), 1);
    ledger.end_tokens(at(3_000 + 7 * DAY));
    assert_eq!(ledger.ended_tokens_of(&person("ada"), at(4_000)), []);
}

fn person(name: &str) -> SubjectId {
    SubjectId::parse(name).unwrap()
}

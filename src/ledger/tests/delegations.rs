//! Who lets whom answer for them, wherever that is kept.

use super::*;
use crate::facts::{Answer, Behalf, Delegated};
use crate::purpose::Lapsed;

/// That `by` lets nora answer for them from one moment to another.
fn delegation(by: &str, from: i64, until: i64) -> GrantTerms {
    GrantTerms {
        platforms: BTreeSet::new(),
        covers: BTreeSet::new(),
        statement: String::new(),
        ticket: None,
        // of two at the same moment nobody knows which comes first
        declared_at: moment(if by == "ada" { 1_000 } else { 1_001 }),
        delegated: Some(Delegated {
            to: who("nora"),
            purposes: BTreeSet::from([PurposeId::new("press")]),
        }),
        ..terms(by, PurposeId::DELEGATED, from, until)
    }
}

fn to_nora(ledger: &Ledger, now: i64) -> Vec<GrantId> {
    let given = ledger.delegated_to(&who("nora"), moment(now)).into_iter();
    given.map(|one| one.id).collect()
}

fn live(ledger: &Ledger, now: i64) -> Vec<GrantId> {
    ledger.delegations(moment(now)).into_iter().map(|one| one.id).collect()
}

pub(super) async fn who_answers_for_whom_survives_a_restart_and_is_none_of_what_they_hold(home: &dyn Home) {
    let (first, second) = {
        let ledger = home.open().unwrap();
        let first = ledger.give(delegation("ada", 1_000, 5_000)).await.unwrap();
        let second = ledger.give(delegation("mia", 4_000, 9_000)).await.unwrap();
        ledger.give(terms("ada", "press", 1_000, 9_000)).await.unwrap();
        (first, second)
    };
    let ledger = home.open().unwrap();
    assert_eq!(ledger.delegation(&first.id), Some(first.clone()));
    assert_eq!(ledger.delegated_by(&ada()), std::slice::from_ref(&first));
    assert_eq!(to_nora(&ledger, 1_000), [first.id.clone(), second.id.clone()]);
    assert_eq!(
        live(&ledger, 1_000),
        std::slice::from_ref(&first.id),
        "the other begins later"
    );
    assert_eq!(live(&ledger, 4_999), [first.id.clone(), second.id.clone()]);
    assert_eq!(
        (live(&ledger, 5_000), to_nora(&ledger, 9_000)),
        (vec![second.id.clone()], vec![])
    );

    let held: Vec<PurposeId> = ledger.grants_of(&ada()).into_iter().map(|one| one.purpose).collect();
    assert_eq!(held, [PurposeId::new("press")]);
    assert_eq!(ledger.standing(&ada(), moment(1_000)).grants().len(), 1);
    assert_eq!(ledger.get(&first.id), None);
    let mut looked = Vec::new();
    ledger.look_on(None, (9, moment(1_000)), |one| {
        looked.push(one.purpose.clone());
        ControlFlow::Continue(())
    });
    assert_eq!(looked, [PurposeId::new("press")]);
    ledger.tells();
    ledger.give(delegation("ada", 1_000, 5_000)).await.unwrap();
    assert_eq!(outbox::due(&ledger, 9_000).await, []);
}

pub(super) async fn what_is_taken_back_is_over_at_once_and_stays_so(home: &dyn Home) {
    let given = {
        let ledger = home.open().unwrap();
        let given = ledger.give(delegation("ada", 3_000, 9_000)).await.unwrap();
        let on_record = on_record(GrantAct::Withdrawn);
        let ended = ledger.withdraw_on_record(&given.id, (moment(2_000), on_record), |_, _| ());
        assert_eq!(
            ended.await.unwrap().state,
            GrantState::Withdrawn,
            "before it begins, too"
        );
        assert_eq!((to_nora(&ledger, 2_000), live(&ledger, 4_000)), (vec![], vec![]));
        let twice = ledger.withdraw(&given.id, moment(2_001), |_| ()).await;
        assert_eq!(twice, Err(LedgerError::AlreadyOver(given.id.clone())));
        given
    };
    let ledger = home.open().unwrap();
    assert_eq!((to_nora(&ledger, 2_000), live(&ledger, 4_000)), (vec![], vec![]));
    assert_eq!(ledger.delegated_by(&ada())[0].ended_at, Some(moment(2_000)));
    assert_eq!(ledger.untold()[0].grant.id, given.id, "the book has not said so");
}

pub(super) async fn nobody_piles_up_delegations_one_after_the_other(home: &dyn Home) {
    let ledger = home.open().unwrap();
    for _ in 0..MOST_IN_FORCE {
        ledger.give(terms("ada", "press", 1_000, 9_000)).await.unwrap();
    }
    let days = 0..i64::try_from(MOST_DELEGATED).unwrap();
    for day in days {
        let one = delegation("ada", 2_000 + day * 10, 2_005 + day * 10);
        ledger.give(one).await.unwrap();
    }
    let one_more = ledger.give(delegation("ada", 8_000, 9_000)).await;
    assert_eq!(one_more, Err(LedgerError::TooMany(MOST_DELEGATED)));
    assert_eq!(ledger.standing(&ada(), moment(1_000)).grants().len(), MOST_IN_FORCE);
    let first = to_nora(&ledger, 1_000).remove(0);
    ledger.withdraw(&first, moment(1_500), |_| ()).await.unwrap();
    ledger.give(delegation("ada", 8_000, 9_000)).await.unwrap();
}

/// What ada asks for once nora, as `by` lets her, has approved it at that moment.
fn approved_for(asked: &Grant, given: &Grant, at: i64) -> Approved {
    let behalf = Behalf {
        whom: given.subject.clone(),
        delegation: given.id.clone(),
    };
    let pending = Pending::of(asked.clone(), moment(at)).unwrap();
    let seats = BTreeSet::from(["owner".to_owned()]);
    let heard = pending.heard_for(&who("nora"), seats, Some(behalf)).unwrap();
    match heard.approve(&Approval::by_owner(), Note::default(), moment(at)) {
        Ok(Consent::Given(approved)) => approved,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn an_answer_for_somebody_does_not_count_once_that_ended_before_it_was_kept(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let given = ledger.give(delegation("mia", 2_000, 6_000)).await.unwrap();
    let asked = ledger
        .ask(terms("ada", "press", 1_000, 9_000), moment(9_000))
        .await
        .unwrap();
    let promise = ledger
        .promise_approved(approved_for(&asked, &given, 3_000), 1)
        .await
        .unwrap();
    // its record is on the way to the disk
    ledger.withdraw(&given.id, moment(3_500), |_| ()).await.unwrap();
    let kept = ledger.put(promise.grant().clone(), |_| ()).await;
    assert_eq!(kept, Err(LedgerError::NoSuchGrant(given.id)));
    assert_eq!(ledger.get(&asked.id), Some(asked));
}

pub(super) async fn what_was_answered_for_somebody_stands_and_lapses_also_once_that_ended(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let given = ledger.give(delegation("mia", 2_000, 6_000)).await.unwrap();
    let asked = ledger
        .ask(terms("ada", "press", 1_000, 9_000), moment(9_000))
        .await
        .unwrap();
    // the first of two approvals that it takes
    let partly = Grant {
        answers: vec![Answer {
            behalf: Some(Behalf {
                whom: who("mia"),
                delegation: given.id.clone(),
            }),
            missing: 1,
            ..Answer::approval(who("nora"), moment(3_000))
        }],
        ..asked
    };
    let partly = ledger.put(partly, |_| ()).await.unwrap();
    ledger.withdraw(&given.id, moment(3_500), |_| ()).await.unwrap();
    let lapsed = Lapsed::of(partly, moment(9_000)).unwrap();
    let promise = ledger.promise_lapsed(lapsed, 1).await.unwrap();
    let lapsed = ledger.put(promise.grant().clone(), |_| ()).await.unwrap();
    assert_eq!((lapsed.state, lapsed.answers.len()), (GrantState::Lapsed, 1));
}

pub(super) async fn an_answer_for_somebody_is_kept_only_while_they_let_whoever_gives_it(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let given = ledger.give(delegation("mia", 2_000, 6_000)).await.unwrap();
    let asked = ledger
        .ask(terms("ada", "press", 1_000, 9_000), moment(9_000))
        .await
        .unwrap();
    let refused = LedgerError::NoSuchGrant(given.id.clone());
    for at in [1_999, 6_000] {
        let promised = ledger.promise_approved(approved_for(&asked, &given, at), 1).await;
        assert_eq!(promised.err(), Some(refused.clone()), "{at}");
    }
    let another = Grant {
        subject: who("lea"),
        ..given.clone()
    };
    let promised = ledger.promise_approved(approved_for(&asked, &another, 3_000), 1).await;
    assert_eq!(promised.err(), Some(refused.clone()), "not of that person");
    let promise = ledger
        .promise_approved(approved_for(&asked, &given, 3_000), 1)
        .await
        .unwrap();
    promise.forget();
    ledger.withdraw(&given.id, moment(3_500), |_| ()).await.unwrap();
    let promised = ledger.promise_approved(approved_for(&asked, &given, 3_600), 1).await;
    assert_eq!(promised.err(), Some(refused));
    let kept = ledger.get(&asked.id).unwrap();
    assert!(kept.waits(moment(3_600)) && kept.answers.is_empty());
}

//! What people are to be told, wherever it is kept.

use super::*;
use crate::facts::{Answer, NoticeEvent};

const LEASE: i64 = 300_000;

/// After all that is due at that moment, for somebody who knows how to write and to ring.
pub(super) fn claim(at: i64) -> Claim {
    Claim {
        now: moment(at),
        until: moment(at + LEASE),
        most: 100,
        known: ["", "email", "bell"].map(str::to_owned).into(),
        forsaken: moment(i64::MIN),
        busy: Vec::new(),
    }
}

pub(super) fn telling(home: &dyn Home) -> Ledger {
    let ledger = home.open().unwrap();
    ledger.tells();
    ledger
}

/// Claims all that is due at that moment.
pub(super) async fn due(ledger: &Ledger, at: i64) -> Vec<Notice> {
    ledger.due(claim(at)).await.unwrap().notices
}

fn events(notices: &[Notice]) -> Vec<NoticeEvent> {
    let event = |notice: &Notice| match &notice.about {
        About::Grant(_, event) => Some(*event),
        About::Week(_) => None,
    };
    notices.iter().filter_map(event).collect()
}

pub(super) fn of(notice: &Notice) -> &Grant {
    match &notice.about {
        About::Grant(grant, _) => grant,
        About::Week(brought) => panic!("{brought:?} is of no grant"),
    }
}

async fn fares(ledger: &Ledger, notice: &Notice, fate: Fate) {
    ledger.fare(vec![(notice.clone(), fate)]).await.unwrap();
}

fn letter(way: &str, to: &str) -> Letter {
    Letter {
        way: way.to_owned(),
        to: to.to_owned(),
    }
}

async fn asks(ledger: &Ledger, purpose: &str) -> Grant {
    let asked = ledger.ask(terms("ada", purpose, 1_000, 9_000), moment(5_000));
    asked.await.unwrap()
}

pub(super) async fn each_change_owes_what_people_are_to_be_told_of_it(home: &dyn Home) {
    let ledger = telling(home);
    let [yes_to, no_to, unheard] = [
        asks(&ledger, "recruiting").await,
        asks(&ledger, "press").await,
        asks(&ledger, "sales").await,
    ];
    let waits = due(&ledger, 1_000).await;
    assert_eq!(events(&waits), [NoticeEvent::Waits; 3]);
    assert!(waits.iter().all(|notice| notice.letter.is_none() && notice.tries == 0));
    let given = ledger.put(yes(yes_to.clone(), 2_000), |_| ()).await.unwrap();
    ledger.put(no(no_to, 2_001), |_| ()).await.unwrap();
    ledger.put(silent(unheard, 5_000), |_| ()).await.unwrap();
    let ended = Ended {
        by: who("sol"),
        why: "an incident".to_owned(),
    };
    let these = vec![(given.id.clone(), on_record(GrantAct::Revoked))];
    let revoked = ledger.revoke_all(these, (ended, moment(6_000)), |_, _| ());
    assert_eq!(revoked.await.unwrap().len(), 1);
    let then = due(&ledger, 6_000).await;
    let told = [
        NoticeEvent::Approved,
        NoticeEvent::Declined,
        NoticeEvent::Lapsed,
        NoticeEvent::Revoked,
    ];
    assert_eq!(events(&then), told);
    assert_eq!((&of(&then[0]).id, of(&then[0]).state), (&given.id, GrantState::Revoked));
}

pub(super) async fn each_of_several_approvals_is_told_and_what_is_to_be_told_later_is_kept_until_then(home: &dyn Home) {
    let asked = {
        let ledger = telling(home);
        let asked = asks(&ledger, "recruiting").await;
        let waits = due(&ledger, 1_000).await.remove(0);
        let later = (NoticeEvent::AlternatesMay, moment(3_000));
        fares(&ledger, &waits, Fate::Addressed(Vec::new(), Some(later))).await;
        asked
    };
    let ledger = telling(home);
    assert_eq!(due(&ledger, 1_999).await, []);
    let once = Grant {
        answers: vec![Answer::approval(who("lea"), moment(2_000))],
        ..asked
    };
    let once = ledger.put(once, |_| ()).await.unwrap();
    let told = due(&ledger, 2_000).await;
    assert_eq!(events(&told), [NoticeEvent::PartlyApproved]);
    fares(&ledger, &told[0], Fate::Done).await;
    let more = Answer::approval(who("luc"), moment(2_500));
    let twice = Grant {
        answers: once.answers.iter().cloned().chain([more]).collect(),
        ..once
    };
    ledger.put(twice, |_| ()).await.unwrap();
    assert_eq!(events(&due(&ledger, 2_999).await), [NoticeEvent::PartlyApproved]);
    assert_eq!(events(&due(&ledger, 3_000).await), [NoticeEvent::AlternatesMay]);
    assert_eq!(due(&ledger, 3_001).await, [], "once");
}

pub(super) async fn nobody_is_told_what_they_did_themselves_nor_anything_where_nothing_is_told(home: &dyn Home) {
    let ledger = home.open().unwrap();
    asks(&ledger, "recruiting").await;
    ledger.tells();
    let own = ledger.give(terms("ada", "press", 1_000, 9_000)).await.unwrap();
    ledger.withdraw(&own.id, moment(2_000), |_| ()).await.unwrap();
    assert_eq!(due(&ledger, 8_999).await, []);
    // whether anything is asked of it, whoever tells people knows
    assert_eq!(events(&due(&ledger, 9_000).await), [NoticeEvent::CameOfIt]);
}

pub(super) async fn what_came_of_a_grant_is_asked_once_it_expires_and_is_not_counted_among_what_waits_before(
    home: &dyn Home,
) {
    let ledger = telling(home);
    let given = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    let waiting = async |now| ledger.due(claim(now)).await.unwrap().waiting;
    assert_eq!(waiting(8_999).await, 0);
    let asked = due(&ledger, 9_000).await;
    assert_eq!((events(&asked), of(&asked[0])), (vec![NoticeEvent::CameOfIt], &given));
    assert_eq!(waiting(9_000).await, 1);
    fares(&ledger, &asked[0], Fate::Again(moment(20_000))).await;
    assert_eq!(waiting(19_999).await, 0, "until its morning");
    let morning = due(&ledger, 20_000).await;
    assert_eq!(morning.len(), 1);
    let letters = vec![letter("email", "ada")];
    fares(&ledger, &morning[0], Fate::Addressed(letters, None)).await;
    let told = due(&ledger, 20_000).await;
    assert_eq!(told[0].since, moment(20_000), "it is late from then on");
    fares(&ledger, &told[0], Fate::Again(moment(30_000))).await;
    let later = due(&ledger, 30_000).await;
    assert_eq!((later[0].since, later[0].tries), (moment(20_000), 1));
    fares(&ledger, &later[0], Fate::Untried).await;
    asks(&ledger, "press").await;
    let first = NoticeEvent::Waits;
    assert_eq!(events(&due(&ledger, 40_000).await), [first, NoticeEvent::CameOfIt]);
}

pub(super) async fn an_emergency_is_told_at_once_and_that_nobody_reviewed_it_when_that_is_due(home: &dyn Home) {
    let ledger = telling(home);
    let taken = GrantTerms {
        emergency: Some(Emergency {
            review_by: moment(50_000),
            review: None,
        }),
        ..terms("ada", "crisis", 1_000, 90_000)
    };
    ledger.give(taken).await.unwrap();
    let at_once = due(&ledger, 1_000).await;
    assert_eq!(events(&at_once), [NoticeEvent::BrokeGlass]);
    fares(&ledger, &at_once[0], Fate::Done).await;
    assert_eq!(due(&ledger, 49_999).await, []);
    assert_eq!(events(&due(&ledger, 50_000).await), [NoticeEvent::ReviewOverdue]);
}

pub(super) async fn what_is_to_be_told_survives_a_crash_and_is_claimed_anew(home: &dyn Home) {
    let asked = {
        let ledger = telling(home);
        let asked = asks(&ledger, "recruiting").await;
        assert_eq!(due(&ledger, 1_000).await.len(), 1);
        assert_eq!(due(&ledger, 1_001).await, [], "it is claimed");
        asked
    };
    let ledger = telling(home);
    let again = due(&ledger, 1_002).await;
    assert_eq!(again.len(), 1);
    assert_eq!(*of(&again[0]), asked, "with how whoever asked came");
    let until = 1_002 + LEASE;
    assert_eq!(due(&ledger, until - 1).await, []);
    assert_eq!(
        due(&ledger, until).await,
        again,
        "whoever claimed it never said how it went"
    );
}

pub(super) async fn a_notice_becomes_letters_each_of_which_fares_by_itself(home: &dyn Home) {
    let ledger = telling(home);
    asks(&ledger, "recruiting").await;
    let notice = due(&ledger, 1_000).await.remove(0);
    let letters = vec![letter("email", "grace"), letter("email", "mia"), letter("email", "mia")];
    fares(&ledger, &notice, Fate::Addressed(letters, None)).await;
    let both = due(&ledger, 1_000).await;
    let to = |notice: &Notice| notice.letter.clone().unwrap().to;
    assert_eq!(both.iter().map(to).collect::<Vec<_>>(), ["grace", "mia"]);
    fares(&ledger, &both[0], Fate::Done).await;
    fares(&ledger, &both[1], Fate::Again(moment(8_000))).await;
    let found = ledger.due(claim(7_999)).await.unwrap();
    assert_eq!((found.waiting, found.notices), (1, Vec::new()));
    let second = due(&ledger, 8_000).await;
    assert_eq!(
        second,
        [Notice {
            tries: 1,
            ..both[1].clone()
        }]
    );
    fares(&ledger, &second[0], Fate::Done).await;
    assert_eq!(ledger.due(claim(9_999)).await.unwrap(), Due::default());
}

pub(super) async fn a_change_that_is_taken_back_owes_nothing(home: &dyn Home) {
    let (asked, given) = {
        let ledger = telling(home);
        let asked = asks(&ledger, "recruiting").await;
        let given = ledger.put(yes(asked.clone(), 2_000), |_| ()).await.unwrap();
        (asked, given)
    };
    home.change(&mut |change| change.take_back(&given, Some(&asked), None).unwrap());
    let ledger = telling(home);
    assert_eq!(events(&due(&ledger, 3_000).await), [NoticeEvent::Waits]);
}

pub(super) async fn what_was_not_tried_is_anybodys_at_once_and_no_try_is_counted(home: &dyn Home) {
    let ledger = telling(home);
    asks(&ledger, "recruiting").await;
    let claimed = due(&ledger, 1_000).await;
    assert_eq!(due(&ledger, 1_001).await, []);
    fares(&ledger, &claimed[0], Fate::Untried).await;
    assert_eq!(due(&ledger, 1_001).await, claimed);
}

pub(super) async fn what_was_addressed_already_is_not_addressed_anew(home: &dyn Home) {
    let ledger = telling(home);
    asks(&ledger, "recruiting").await;
    let notice = due(&ledger, 1_000).await.remove(0);
    let addressed = Fate::Addressed(vec![letter("email", "mia")], None);
    fares(&ledger, &notice, addressed.clone()).await;
    let sent = due(&ledger, 1_000).await.remove(0);
    fares(&ledger, &sent, Fate::Done).await;
    // noted again by somebody who never heard that it had been noted
    fares(&ledger, &notice, addressed).await;
    assert_eq!(due(&ledger, 1_000).await, []);
}

pub(super) async fn what_goes_a_way_that_is_busy_or_not_known_here_is_left_and_what_nobody_knows_is_not_forever(
    home: &dyn Home,
) {
    let ledger = telling(home);
    asks(&ledger, "recruiting").await;
    let notice = due(&ledger, 1_000).await.remove(0);
    let letters = ["bell", "email", "pigeon"].map(|way| letter(way, "mia"));
    fares(&ledger, &notice, Fate::Addressed(letters.into(), None)).await;
    let claims = async |claim: Claim| {
        let due = ledger.due(claim).await.unwrap();
        let ways = due.notices.into_iter().map(|notice| notice.letter.unwrap().way);
        (due.waiting, ways.collect::<Vec<_>>())
    };
    let busy = Claim {
        busy: vec!["bell".to_owned()],
        ..claim(1_000)
    };
    assert_eq!(claims(busy).await, (3, vec!["email".to_owned()]));
    assert_eq!(claims(claim(1_000)).await, (3, vec!["bell".to_owned()]));
    let forsaken = |before: i64| Claim {
        forsaken: moment(before),
        ..claim(2_000)
    };
    assert_eq!(claims(forsaken(999)).await, (3, vec![]), "somebody else may know it");
    assert_eq!(claims(forsaken(1_000)).await, (3, vec!["pigeon".to_owned()]));
}

pub(super) async fn what_cannot_be_read_is_put_off_and_stands_in_nobodys_way(home: &dyn Home) {
    let ledger = telling(home);
    let [odd, lost, fine] = [
        asks(&ledger, "press").await,
        asks(&ledger, "recruiting").await,
        asks(&ledger, "sales").await,
    ];
    drop(ledger);
    home.runs(&format!(
        "UPDATE notices SET event = 'sneezed', due_ms = 1 WHERE id = '{}'; \
         UPDATE notices SET id = 'nowhere', due_ms = 2 WHERE id = '{}'",
        odd.id, lost.id
    ));
    let ledger = telling(home);
    let one = |at: i64| Claim { most: 1, ..claim(at) };
    for unread in 0..2 {
        assert_eq!(ledger.due(one(1_000)).await.unwrap().notices, [], "{unread}");
    }
    let found = ledger.due(one(1_000)).await.unwrap();
    assert_eq!((found.waiting, &of(&found.notices[0]).id), (3, &fine.id));
    // nothing is due, so nothing is changed, until it is looked at again
    let hour = 3_600_000;
    assert_eq!(due(&ledger, 1_000 + hour - 1).await.len(), 1, "the claim has run out");
    drop(ledger);
    home.runs(&format!("UPDATE notices SET event = 'waits' WHERE id = '{}'", odd.id));
    let ledger = telling(home);
    let mended = due(&ledger, 1_000 + hour).await;
    assert!(mended.iter().any(|notice| of(notice).id == odd.id), "{mended:?}");
}

//! What portals know alike: forms that were sent, sessions, and envelopes.

use super::*;
use crate::facts::AccountMark;

fn session(who: &str, digest: &str, since: i64) -> Session {
    Session {
        who: super::who(who),
        digest: digest.to_owned(),
        since: moment(since),
        mark: None,
    }
}

async fn digests(ledger: &Ledger, who: &str, all: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for digest in all {
        let one = ledger.session(&super::who(who), (*digest).to_owned()).await.unwrap();
        found.extend(one.map(|session| session.digest));
    }
    found
}

fn envelope(who: &str, (kind, name): (&str, &str), at: i64) -> Envelope {
    Envelope {
        who: super::who(who),
        kind: kind.to_owned(),
        name: name.to_owned(),
        stays: false,
        at: moment(at),
        sealed: format!("{who} {kind} {name} {at}").into_bytes(),
    }
}

async fn names(ledger: &Ledger, who: &str, since: i64) -> Vec<String> {
    let found = ledger.envelopes_of(&super::who(who), moment(since)).await.unwrap();
    found
        .into_iter()
        .map(|one| format!("{} {}", one.kind, one.name))
        .collect()
}

pub(super) async fn a_token_of_a_form_is_used_once_and_forgotten_when_it_counts_no_more(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let spend = async |token: &str, issued, now| {
        let spent = ledger.spend(token.to_owned(), moment(issued), moment(now)).await;
        spent.unwrap()
    };
    assert!(spend("one", 0, 1_000).await);
    assert!(!spend("one", 0, 1_001).await);
    assert!(spend("two", 0, 1_001).await);
    assert!(!spend("two", 0, 1_001).await);
    let hours = |hours: i64| hours * 3_600_000;
    assert!(!spend("one", 0, hours(2)).await, "longer than any counts");
    spend("three", hours(2), hours(2) + 1).await;
    assert!(spend("one", 0, hours(1)).await, "it was forgotten");
}

pub(super) async fn what_is_over_is_forgotten_though_nothing_new_comes(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let (hour, now) = (3_600_000, 100 * 3_600_000);
    for issued in [now - 3 * hour, now - hour] {
        let spent = ledger.spend(issued.to_string(), moment(issued), moment(issued)).await;
        assert_eq!(spent, Ok(true));
        let begun = session("mia", &issued.to_string(), issued);
        ledger
            .begin_session(begun, None, (Duration::from_hours(9), 8))
            .await
            .unwrap();
        let met = envelope("ada", ("refusal", &issued.to_string()), issued);
        ledger.put_envelopes(vec![met], moment(0)).await.unwrap();
    }
    let two_hours = Duration::from_hours(2);
    ledger.forget_over(moment(now), (two_hours, two_hours)).await.unwrap();
    let [old, new] = [now - 3 * hour, now - hour].map(|issued| issued.to_string());
    assert_eq!(digests(&ledger, "mia", &[&old, &new]).await, [new.as_str()]);
    assert_eq!(names(&ledger, "ada", 0).await, [format!("refusal {new}")]);
    for (token, is_first) in [(old, true), (new, false)] {
        assert_eq!(
            ledger.spend(token, moment(now - hour), moment(now - hour)).await,
            Ok(is_first)
        );
    }
}

pub(super) async fn a_session_is_its_persons_takes_the_place_of_the_one_before_and_ends_for_good(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let keep = (Duration::from_mins(15), 3);
    let begin = async |session: Session, before: Option<&str>| {
        let begun = ledger.begin_session(session, before.map(str::to_owned), keep);
        begun.await.unwrap();
    };
    let marked = Session {
        mark: Some(AccountMark::new([7; 32])),
        ..session("mia", "a", 1_000)
    };
    begin(marked.clone(), Some("of nobody")).await;
    assert_eq!(ledger.session(&who("mia"), "a".to_owned()).await, Ok(Some(marked)));
    assert_eq!(ledger.session(&who("ben"), "a".to_owned()).await, Ok(None));
    ledger.end_session(&who("ben"), "a".to_owned()).await.unwrap();
    begin(session("ben", "b", 1_000), Some("a")).await;
    assert_eq!(digests(&ledger, "mia", &["a"]).await, ["a"], "nobody ends another's");
    begin(session("mia", "c", 2_000), Some("a")).await;
    assert_eq!(digests(&ledger, "mia", &["a", "c"]).await, ["c"]);
    for (digest, since) in [("d", 3_000), ("e", 4_000), ("f", 4_000)] {
        begin(session("mia", digest, since), None).await;
    }
    let all = ["a", "c", "d", "e", "f"];
    assert_eq!(digests(&ledger, "mia", &all).await, ["d", "e", "f"], "the oldest goes");
    ledger.end_session(&who("mia"), "e".to_owned()).await.unwrap();
    assert_eq!(digests(&ledger, "mia", &all).await, ["d", "f"]);
    begin(session("ben", "g", 903_000), None).await;
    assert_eq!(digests(&ledger, "mia", &all).await, ["f"], "what is over is forgotten");
}

pub(super) async fn a_session_ends_with_the_account_that_it_rests_on_and_not_with_another(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let mark = |number: u8| AccountMark::new([number; 32]);
    let on = |digest: &str, number: Option<u8>| Session {
        mark: number.map(mark),
        ..session("mia", digest, 1_000)
    };
    let note = async |accounts: &[(&str, u8)]| {
        let accounts = accounts.iter().map(|(name, number)| (who(name), mark(*number)));
        let told = (1, RulebookId::new("sha256:0"));
        let noted = ledger.note_accounts((accounts.collect(), moment(1_000)), told, |_, _| ());
        noted.await.unwrap();
    };
    note(&[("mia", 1), ("ben", 1)]).await;
    for (digest, number) in [("a", Some(1)), ("b", Some(2)), ("c", None)] {
        let begun = ledger.begin_session(on(digest, number), None, (Duration::from_mins(15), 8));
        begun.await.unwrap();
    }
    let all = ["a", "b", "c"];
    note(&[("mia", 1), ("ben", 2)]).await;
    assert_eq!(digests(&ledger, "mia", &all).await, all);
    // whoever signed in with the new password at a gateway that knew it before this one stays so
    note(&[("mia", 2), ("ben", 2)]).await;
    assert_eq!(digests(&ledger, "mia", &all).await, ["b", "c"]);
    note(&[("ben", 2)]).await;
    assert_eq!(digests(&ledger, "mia", &all).await, ["c"]);
}

pub(super) async fn of_envelopes_the_latest_of_a_name_and_sixteen_of_a_kind_are_kept_for_their_person(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let put = async |all: Vec<Envelope>, forget| ledger.put_envelopes(all, moment(forget)).await.unwrap();
    put(
        vec![envelope("ada", ("draft", "x"), 5), envelope("ben", ("draft", "x"), 6)],
        0,
    )
    .await;
    put(vec![envelope("ada", ("draft", "x"), 9)], 0).await;
    put(vec![envelope("ada", ("draft", "x"), 7)], 0).await;
    let found = ledger.envelopes_of(&ada(), moment(0)).await;
    assert_eq!(
        found,
        Ok(vec![envelope("ada", ("draft", "x"), 9)]),
        "an older one changes nothing"
    );
    assert!(names(&ledger, "ada", 9).await.is_empty());

    let twice = |at| Envelope {
        sealed: b"of two at once".to_vec(),
        ..envelope("ada", ("draft", "x"), at)
    };
    let all = vec![
        envelope("ada", ("draft", "x"), 9),
        twice(9),
        envelope("ada", ("draft", "x"), 8),
    ];
    put(all, 0).await;
    let found = ledger.envelopes_of(&ada(), moment(0)).await;
    assert_eq!(found, Ok(vec![twice(9)]), "of one name there is one");

    let page = Envelope {
        stays: true,
        ..envelope("ada", ("refusal", "page"), 10)
    };
    let many = (0..20).map(|at| envelope("ada", ("refusal", &format!("call {at:02}")), 20 + at));
    put(std::iter::once(page).chain(many).collect(), 0).await;
    let kept = names(&ledger, "ada", 9).await;
    assert_eq!((kept.len(), kept[0].as_str()), (16, "refusal page"));
    assert_eq!(kept[1], "refusal call 05");
    assert_eq!(names(&ledger, "ada", 0).await.len(), 17, "each kind has its own room");

    ledger.forget_envelope(&ada(), "refusal", "page").await.unwrap();
    ledger.forget_envelope(&ada(), "draft", "page").await.unwrap();
    assert_eq!(names(&ledger, "ada", 0).await.len(), 16);
    put(Vec::new(), 39).await;
    assert_eq!(
        names(&ledger, "ada", 0).await,
        ["refusal call 19"],
        "what is old is forgotten"
    );
}

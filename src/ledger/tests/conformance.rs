//! What a ledger does wherever it is kept: each sentence is tried in every place that there is.

use super::api::{
    a_proof_that_is_over_makes_no_token, a_token_survives_a_restart_is_found_by_its_digest_and_ends_when_it_is_revoked,
    an_account_that_is_again_what_it_was_has_its_tokens_again,
    one_person_has_so_many_tokens_and_what_rests_on_one_ends_when_it_expires,
    the_tokens_of_an_account_that_changes_or_goes_end_also_where_nobody_watched,
    tokens_end_with_what_is_revoked_at_once_for_a_call_that_is_done_once,
    what_a_call_did_is_kept_with_it_for_a_day_and_is_done_once,
    what_ends_with_an_account_is_told_by_the_next_start_where_the_book_does_not,
    what_never_counted_is_done_anew_for_the_call_that_gave_it,
    while_noted_accounts_cannot_be_found_no_token_counts_and_none_is_over,
    whoever_shows_a_token_while_tokens_stop_counting_has_nothing_that_lasts,
};
use super::counter::{
    a_session_ends_with_the_account_that_it_rests_on_and_not_with_another,
    a_session_is_its_persons_takes_the_place_of_the_one_before_and_ends_for_good,
    a_token_of_a_form_is_used_once_and_forgotten_when_it_counts_no_more,
    of_envelopes_the_latest_of_a_name_and_sixteen_of_a_kind_are_kept_for_their_person,
    what_is_over_is_forgotten_though_nothing_new_comes,
};
use super::delegations::{
    an_answer_for_somebody_does_not_count_once_that_ended_before_it_was_kept,
    an_answer_for_somebody_is_kept_only_while_they_let_whoever_gives_it,
    nobody_piles_up_delegations_one_after_the_other, what_is_taken_back_is_over_at_once_and_stays_so,
    what_was_answered_for_somebody_stands_and_lapses_also_once_that_ended,
    who_answers_for_whom_survives_a_restart_and_is_none_of_what_they_hold,
};
use super::digest::{
    a_clock_that_was_ahead_for_a_moment_costs_nobody_a_week,
    a_week_is_told_once_when_all_of_it_is_settled_with_the_one_before_and_survives_a_crash,
    a_week_of_which_nothing_is_told_is_no_news_and_nobody_hears_of_weeks_where_nobody_is_told_of_them,
    a_week_that_nobody_can_name_is_put_off, of_weeks_in_which_a_gateway_was_off_the_last_is_told_alone,
    what_is_to_be_told_of_a_week_becomes_letters_each_of_which_fares_by_itself,
};
use super::outbox::{
    a_change_that_is_taken_back_owes_nothing, a_notice_becomes_letters_each_of_which_fares_by_itself,
    an_emergency_is_told_at_once_and_that_nobody_reviewed_it_when_that_is_due, claim,
    each_change_owes_what_people_are_to_be_told_of_it,
    each_of_several_approvals_is_told_and_what_is_to_be_told_later_is_kept_until_then,
    nobody_is_told_what_they_did_themselves_nor_anything_where_nothing_is_told, telling,
    what_came_of_a_grant_is_asked_once_it_expires_and_is_not_counted_among_what_waits_before,
    what_cannot_be_read_is_put_off_and_stands_in_nobodys_way,
    what_goes_a_way_that_is_busy_or_not_known_here_is_left_and_what_nobody_knows_is_not_forever,
    what_is_to_be_told_survives_a_crash_and_is_claimed_anew, what_was_addressed_already_is_not_addressed_anew,
    what_was_not_tried_is_anybodys_at_once_and_no_try_is_counted,
};
use super::*;
use crate::purpose::{Approver, Lapsed, Needed, PartlyApproved};

/// Makes tests of sentences, one for each place.
macro_rules! everywhere {
    ($($sentence:ident,)*) => {
        mod in_a_file {
            use crate::ledger::tests::sqlite::Folder;
            $(
                #[tokio::test]
                async fn $sentence() {
                    super::$sentence(&Folder::new()).await;
                }
            )*
        }
        #[cfg(feature = "postgres")]
        mod in_a_database {
            use crate::ledger::tests::postgres::Database;
            $(
                #[tokio::test]
                async fn $sentence() {
                    super::$sentence(&Database::new()).await;
                }
            )*
        }
    };
}

everywhere! {
    an_answer_for_somebody_does_not_count_once_that_ended_before_it_was_kept,
    what_was_answered_for_somebody_stands_and_lapses_also_once_that_ended,
    a_grant_survives_a_restart_to_the_letter,
    a_grant_counts_until_its_last_moment_which_is_no_longer_part_of_it,
    several_grants_stand_side_by_side_and_others_have_their_own,
    an_ended_grant_ends_at_once_stays_ended_and_cannot_end_twice,
    what_waits_or_is_in_force_is_looked_through_in_order_and_what_is_over_is_passed_by,
    what_is_revoked_at_once_ends_with_who_and_why_and_what_is_over_stays_as_it_is,
    what_is_not_there_any_more_keeps_nothing_else_from_being_revoked,
    more_is_revoked_at_once_than_one_question_holds,
    an_expired_or_unknown_grant_cannot_be_ended,
    whoever_listens_hears_of_grants_given_and_ended,
    one_person_cannot_pile_up_grants_without_end,
    what_somebody_continued_past_survives_a_restart_and_takes_no_room_from_purposes,
    memory_forgets_old_grants_but_never_one_in_force,
    of_what_is_over_memory_keeps_what_ended_last_and_whatever_nobody_answered,
    grants_are_counted_by_purpose_and_stage_of_life_also_after_a_restart,
    what_is_asked_waits_across_a_restart_opens_nothing_and_is_given_once,
    how_somebody_came_is_remembered_for_as_long_as_their_request_waits,
    what_was_taken_back_declined_or_lapsed_cannot_be_given_any_more,
    that_a_request_lapsed_is_noticed_once_and_not_before,
    whoever_asks_for_no_more_than_what_waits_already_finds_that,
    one_person_cannot_ask_without_end_and_what_waits_takes_no_room_from_what_is_held,
    a_promise_to_approve_was_kept_only_if_the_approval_is_there,
    each_of_several_approvals_is_kept_and_none_is_lost_where_two_come_at_once,
    a_promise_of_one_of_several_approvals_was_kept_only_if_that_one_is_there,
    what_was_promised_of_a_request_tells_whether_it_was_kept,
    when_a_grant_was_used_last_survives_a_crash_but_for_the_last_minute_which_never_ends_it_early,
    what_goes_unused_is_over_before_anybody_says_so_and_is_said_once,
    what_waits_for_a_review_is_never_forgotten_and_is_reviewed_once,
    of_emergencies_so_many_wait_for_a_review_and_not_one_more,
    a_grant_is_renewed_once_until_its_renewal_is_over,
    what_came_of_a_grant_survives_a_restart_and_is_corrected_once_the_book_tells_it,
    nobody_says_what_came_of_what_is_in_force_never_counted_or_is_long_over,
    usage_is_told_once_its_week_is_over_and_what_came_of_it_once_nothing_can_be_corrected,
    what_is_counted_so_late_that_its_week_is_told_counts_in_the_next_one,
    a_clock_that_is_years_behind_for_a_moment_costs_nothing,
    what_came_of_it_is_told_of_the_weeks_after_a_clock_that_went_ahead,
    a_clock_that_went_years_ahead_and_came_back_costs_a_week_and_tells_nothing_twice,
    what_is_read_of_purposes_holds_up_nobody_who_revokes,
    what_a_call_did_is_kept_with_it_for_a_day_and_is_done_once,
    what_never_counted_is_done_anew_for_the_call_that_gave_it,
    a_token_survives_a_restart_is_found_by_its_digest_and_ends_when_it_is_revoked,
    one_person_has_so_many_tokens_and_what_rests_on_one_ends_when_it_expires,
    a_proof_that_is_over_makes_no_token,
    while_noted_accounts_cannot_be_found_no_token_counts_and_none_is_over,
    whoever_shows_a_token_while_tokens_stop_counting_has_nothing_that_lasts,
    an_account_that_is_again_what_it_was_has_its_tokens_again,
    what_ends_with_an_account_is_told_by_the_next_start_where_the_book_does_not,
    tokens_end_with_what_is_revoked_at_once_for_a_call_that_is_done_once,
    the_tokens_of_an_account_that_changes_or_goes_end_also_where_nobody_watched,
    each_change_owes_what_people_are_to_be_told_of_it,
    each_of_several_approvals_is_told_and_what_is_to_be_told_later_is_kept_until_then,
    nobody_is_told_what_they_did_themselves_nor_anything_where_nothing_is_told,
    an_emergency_is_told_at_once_and_that_nobody_reviewed_it_when_that_is_due,
    what_came_of_a_grant_is_asked_once_it_expires_and_is_not_counted_among_what_waits_before,
    what_is_to_be_told_survives_a_crash_and_is_claimed_anew,
    a_notice_becomes_letters_each_of_which_fares_by_itself,
    a_change_that_is_taken_back_owes_nothing,
    who_answers_for_whom_survives_a_restart_and_is_none_of_what_they_hold,
    what_is_taken_back_is_over_at_once_and_stays_so,
    nobody_piles_up_delegations_one_after_the_other,
    an_answer_for_somebody_is_kept_only_while_they_let_whoever_gives_it,
    what_was_not_tried_is_anybodys_at_once_and_no_try_is_counted,
    what_was_addressed_already_is_not_addressed_anew,
    what_goes_a_way_that_is_busy_or_not_known_here_is_left_and_what_nobody_knows_is_not_forever,
    what_cannot_be_read_is_put_off_and_stands_in_nobodys_way,
    how_fast_requests_are_usually_answered_is_told_of_five_and_survives_a_restart,
    what_was_settled_does_not_come_back_with_what_is_still_on_disk,
    a_week_is_told_once_when_all_of_it_is_settled_with_the_one_before_and_survives_a_crash,
    of_weeks_in_which_a_gateway_was_off_the_last_is_told_alone,
    a_week_of_which_nothing_is_told_is_no_news_and_nobody_hears_of_weeks_where_nobody_is_told_of_them,
    what_is_to_be_told_of_a_week_becomes_letters_each_of_which_fares_by_itself,
    a_week_that_nobody_can_name_is_put_off,
    a_clock_that_was_ahead_for_a_moment_costs_nobody_a_week,
    a_session_ends_with_the_account_that_it_rests_on_and_not_with_another,
    a_session_is_its_persons_takes_the_place_of_the_one_before_and_ends_for_good,
    a_token_of_a_form_is_used_once_and_forgotten_when_it_counts_no_more,
    of_envelopes_the_latest_of_a_name_and_sixteen_of_a_kind_are_kept_for_their_person,
    what_is_over_is_forgotten_though_nothing_new_comes,
}

async fn a_grant_survives_a_restart_to_the_letter(home: &dyn Home) {
    let given = {
        let ledger = home.open().unwrap();
        ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap()
    };
    let again = home.open().unwrap();
    let standing = again.standing(&ada(), moment(1_000));
    assert_eq!(standing.grants(), std::slice::from_ref(&given));
    assert_eq!(again.get(&given.id), Some(given));
}

async fn a_grant_counts_until_its_last_moment_which_is_no_longer_part_of_it(home: &dyn Home) {
    let ledger = home.open().unwrap();
    ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    let held = |now| ledger.standing(&ada(), moment(now)).grants().len();
    assert_eq!([held(999), held(1_000), held(8_999), held(9_000)], [0, 1, 1, 0]);
}

async fn several_grants_stand_side_by_side_and_others_have_their_own(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let first = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    let second = ledger
        .give(terms("ada", "market-research", 2_000, 5_000))
        .await
        .unwrap();
    ledger.give(terms("bob", "recruiting", 2_000, 9_000)).await.unwrap();
    let standing = ledger.standing(&ada(), moment(3_000));
    assert_eq!(standing.grants(), [second.clone(), first.clone()]);
    assert_eq!(ledger.grants_of(&ada()), [second, first]);
}

async fn an_ended_grant_ends_at_once_stays_ended_and_cannot_end_twice(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let grant = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    let ended = ledger.withdraw(&grant.id, moment(2_000), |_| ()).await.unwrap();
    assert_eq!(ended.state, GrantState::Withdrawn);
    assert!(ledger.standing(&ada(), moment(2_000)).grants().is_empty());
    let twice = ledger.revoke(&grant.id, moment(2_001), |_| ()).await;
    assert_eq!(twice, Err(LedgerError::AlreadyOver(grant.id.clone())));
    drop(ledger);
    let again = home.open().unwrap();
    assert!(again.standing(&ada(), moment(2_000)).grants().is_empty());
    assert_eq!(again.get(&grant.id).unwrap().state, GrantState::Withdrawn);
}

async fn what_waits_or_is_in_force_is_looked_through_in_order_and_what_is_over_is_passed_by(home: &dyn Home) {
    let ledger = home.open().unwrap();
    ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    ledger.give(terms("ada", "press", 5_000, 9_000)).await.unwrap();
    let asked = ledger.ask(terms("bob", "recruiting", 1_000, 9_000), moment(8_000));
    asked.await.unwrap();
    ledger.give(terms("sol", "press", 1_000, 9_000)).await.unwrap();
    ledger.give(terms("bob", "press", 500, 1_500)).await.unwrap();
    let look_at = |after: Option<&GrantId>, (count, at): (usize, i64)| {
        let mut seen = Vec::new();
        let next = ledger.look_on(after, (count, moment(at)), |grant| {
            seen.push(grant.id.clone());
            ControlFlow::Continue(())
        });
        (seen, next)
    };
    let look = |after, count| look_at(after, (count, 1_499));
    let (all, last) = look(None, 9);
    assert_eq!((all.len(), last.as_ref()), (5, all.last()));
    let (alive, passed) = look_at(None, (9, 1_500));
    assert_eq!(
        (&alive[..], passed),
        (&all[1..], last.clone()),
        "what is over is passed by"
    );
    assert_eq!(look_at(None, (9, 8_000)).0.len(), 3, "nobody has answered");
    assert_eq!(look_at(None, (9, 9_000)), (Vec::new(), last.clone()));
    assert_eq!(look(last.as_ref(), 9), (Vec::new(), None));
    assert_eq!(look(Some(&all[0]), 2), (all[1..3].to_vec(), Some(all[2].clone())));
    let first = ledger.look_on(None, (9, moment(0)), |_| ControlFlow::Break(()));
    assert_eq!(first, None, "it is left at the first");
}

async fn what_is_revoked_at_once_ends_with_who_and_why_and_what_is_over_stays_as_it_is(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let given = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    let later = ledger.give(terms("ada", "press", 5_000, 9_000)).await.unwrap();
    let asked = ledger.ask(terms("bob", "recruiting", 1_000, 9_000), moment(8_000));
    let asked = asked.await.unwrap();
    let own = ledger.give(terms("sol", "press", 1_000, 9_000)).await.unwrap();
    let over = ledger.give(terms("bob", "press", 500, 1_500)).await.unwrap();
    let ended = Ended {
        by: SubjectId::parse("sol").unwrap(),
        why: "an incident".to_owned(),
    };
    let these = [&given, &later, &asked, &own, &over].map(|grant| {
        let act = if grant.id == own.id {
            GrantAct::Withdrawn
        } else {
            GrantAct::Revoked
        };
        (grant.id.clone(), on_record(act))
    });
    let (tell, told) = std::sync::mpsc::channel();
    let once_kept = move |grant: &Grant, telling: Telling| {
        // of one of them the book says so
        if grant.subject == who("sol") {
            telling.told();
        }
        tell.send(grant.id.clone()).unwrap();
    };
    let revoked = ledger.revoke_all(these.into(), (ended.clone(), moment(2_000)), once_kept);
    let revoked = revoked.await.unwrap();
    assert_eq!(told.into_iter().count(), 4);
    let states: Vec<GrantState> = revoked.iter().map(|grant| grant.state).collect();
    let taken = GrantState::Revoked;
    assert_eq!(states, [taken, taken, taken, GrantState::Withdrawn]);
    assert!(revoked.iter().all(|grant| grant.ended == Some(ended.clone())));
    assert_eq!(ledger.ended_with(&revoked[0]), 4);
    assert_eq!(ledger.ended_with(&over), 0);
    drop(ledger);
    let again = home.open().unwrap();
    assert_eq!(again.get(&given.id), Some(revoked[0].clone()));
    let untold: Vec<&Grant> = again.untold().iter().map(|untold| &untold.grant).collect();
    let mut expected: Vec<&Grant> = revoked.iter().take(3).collect();
    expected.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(untold, expected);
    assert_eq!(again.untold()[0].on_record, on_record(GrantAct::Revoked));
    assert_eq!(again.get(&over.id), Some(over));
}

async fn what_is_not_there_any_more_keeps_nothing_else_from_being_revoked(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let given = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    let ended = Ended {
        by: SubjectId::parse("sol").unwrap(),
        why: "an incident".to_owned(),
    };
    let these = [GrantId::new("nope"), given.id.clone()].map(|id| (id, on_record(GrantAct::Revoked)));
    let revoked = ledger.revoke_all(these.into(), (ended, moment(2_000)), |_, _| ());
    assert_eq!(revoked.await.unwrap().len(), 1);
    assert!(ledger.standing(&ada(), moment(2_000)).grants().is_empty());
}

async fn more_is_revoked_at_once_than_one_question_holds(home: &dyn Home) {
    drop(home.open().unwrap());
    home.change(&mut |change| {
        for nth in 0..1_203 {
            let terms = terms(&format!("p{nth}"), "recruiting", 1_000, 9_000);
            change.write(&terms.named(GrantId::new(format!("g{nth}")))).unwrap();
        }
    });
    let ended = Ended {
        by: SubjectId::parse("sol").unwrap(),
        why: "an incident".to_owned(),
    };
    let ledger = telling(home);
    let these = (0..1_203).map(|nth| (GrantId::new(format!("g{nth}")), on_record(GrantAct::Revoked)));
    let once_kept = |grant: &Grant, telling: Telling| {
        if grant.subject != who("p7") {
            telling.told();
        }
    };
    let revoked = ledger.revoke_all(these.collect(), (ended, moment(2_000)), once_kept);
    assert_eq!(revoked.await.unwrap().len(), 1_203);
    assert_eq!(ledger.due(claim(2_000)).await.unwrap().waiting, 1_203);
    drop(ledger);
    let again = home.open().unwrap();
    let untold: Vec<&str> = again.untold().iter().map(|one| one.grant.id.as_str()).collect();
    assert_eq!(untold, ["g7"]);
    assert_eq!(again.get(&GrantId::new("g1202")).unwrap().state, GrantState::Revoked);
}

async fn an_expired_or_unknown_grant_cannot_be_ended(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let grant = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    let late = ledger.withdraw(&grant.id, moment(9_000), |_| ()).await;
    assert_eq!(late, Err(LedgerError::AlreadyOver(grant.id)));
    let nobody = GrantId::new("nope");
    let unknown = ledger.withdraw(&nobody, moment(1), |_| ()).await;
    assert_eq!(unknown, Err(LedgerError::NoSuchGrant(nobody)));
}

async fn whoever_listens_hears_of_grants_given_and_ended(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let mut changes = ledger.changes();
    let grant = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    changes.changed().await.unwrap();
    ledger.revoke(&grant.id, moment(2_000), |_| ()).await.unwrap();
    changes.changed().await.unwrap();
    assert_eq!(*changes.borrow(), 2);
}

async fn one_person_cannot_pile_up_grants_without_end(home: &dyn Home) {
    let ledger = home.open().unwrap();
    for _ in 0..MOST_IN_FORCE {
        ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    }
    let one_more = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await;
    assert_eq!(one_more, Err(LedgerError::TooMany(MOST_IN_FORCE)));
    ledger.give(terms("ada", "recruiting", 9_000, 10_000)).await.unwrap();
}

async fn what_somebody_continued_past_survives_a_restart_and_takes_no_room_from_purposes(home: &dyn Home) {
    let continued = || GrantTerms {
        platforms: BTreeSet::new(),
        continued: Some(Continued {
            host: Some(Host::parse("www.example.org").unwrap()),
            past: BTreeSet::from([PolicyId::new("some.rule")]),
        }),
        ..terms("ada", PurposeId::CONTINUED, 1_000, 9_000)
    };
    {
        let ledger = home.open().unwrap();
        for _ in 0..MOST_IN_FORCE {
            ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
            ledger.give(continued()).await.unwrap();
        }
        let one_more = ledger.give(continued()).await;
        assert_eq!(one_more, Err(LedgerError::TooMany(MOST_IN_FORCE)));
    }
    let again = home.open().unwrap().standing(&ada(), moment(1_000));
    let kept = again
        .grants()
        .iter()
        .filter(|grant| grant.continued == continued().continued);
    assert_eq!((kept.count(), again.grants().len()), (MOST_IN_FORCE, 2 * MOST_IN_FORCE));
}

async fn memory_forgets_old_grants_but_never_one_in_force(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let long = ledger.give(terms("ada", "recruiting", 0, 1_000_000)).await.unwrap();
    for round in 1..200 {
        let short = terms("ada", "recruiting", round * 10, round * 10 + 5);
        ledger.give(short).await.unwrap();
    }
    let check = |ledger: &Ledger| {
        assert_eq!(ledger.grants_of(&ada()).len(), view::REMEMBERED);
        let standing = ledger.standing(&ada(), moment(5_000));
        assert_eq!(standing.grants(), std::slice::from_ref(&long));
    };
    check(&ledger);
    drop(ledger);
    check(&home.open().unwrap());
}

async fn of_what_is_over_memory_keeps_what_ended_last_and_whatever_nobody_answered(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let long = ledger.give(terms("ada", "recruiting", 0, 1_000_000)).await.unwrap();
    let ask = |place, until| ledger.ask(on(place, terms("ada", "press", 1, 2)), moment(until));
    let waits = ask("x", 1_000_000).await.unwrap();
    let unnoticed = ask("xing", 4_000).await.unwrap();
    let declined = ask("linkedin", 1_000_000).await.unwrap();
    let withdrawn = ledger.give(terms("ada", "press", 0, 900_000)).await.unwrap();
    // over long ago, and each for longer than the requests were made for
    for round in 1..200 {
        ledger
            .give(terms("ada", "press", round * 10, round * 10 + 5))
            .await
            .unwrap();
    }
    ledger.put(no(declined.clone(), 5_000), |_| ()).await.unwrap();
    let early = ledger.withdraw(&withdrawn.id, moment(3), |_| ()).await.unwrap();
    assert_eq!(early.until(), moment(3));
    for round in 200..400 {
        ledger
            .give(terms("ada", "press", round * 10, round * 10 + 5))
            .await
            .unwrap();
    }
    let check = |ledger: &Ledger| {
        let known = [&long, &waits, &unnoticed, &declined].map(|grant| ledger.get(&grant.id).is_some());
        assert_eq!(known, [true; 4], "in force, waiting, silent, answered");
        assert_eq!(ledger.get(&early.id), None, "it ended before everything else");
        assert_eq!(ledger.grants_of(&ada()).len(), view::REMEMBERED);
    };
    check(&ledger);
    drop(ledger);
    check(&home.open().unwrap());
}

async fn grants_are_counted_by_purpose_and_stage_of_life_also_after_a_restart(home: &dyn Home) {
    let ledger = home.open().unwrap();
    ledger.give(terms("ada", "recruiting", 0, 10_000)).await.unwrap();
    ledger.give(terms("ada", "recruiting", 0, 100)).await.unwrap();
    let ended = ledger.give(terms("bob", "recruiting", 0, 10_000)).await.unwrap();
    ledger.revoke(&ended.id, moment(50), |_| ()).await.unwrap();
    let asked = |place, until| ledger.ask(on(place, terms("cora", "recruiting", 0, 10_000)), moment(until));
    asked("x", 9_000).await.unwrap();
    asked("xing", 100).await.unwrap();
    let noticed = asked("linkedin", 100).await.unwrap();
    ledger.put(silent(noticed, 100), |_| ()).await.unwrap();
    let declined = asked("facebook", 9_000).await.unwrap();
    ledger.put(no(declined, 60), |_| ()).await.unwrap();
    let approved = asked("reddit", 9_000).await.unwrap();
    ledger.put(yes(approved, 4_900), |_| ()).await.unwrap();
    ledger
        .give(GrantTerms {
            not_before: moment(6_000),
            ..terms("dan", "recruiting", 0, 10_000)
        })
        .await
        .unwrap();
    let line = |ledger: &Ledger| {
        let counts = ledger.counts(moment(5_000));
        let words = counts
            .iter()
            .map(|c| format!("{} {} {}", c.purpose, c.life.as_str(), c.grants));
        words.collect::<Vec<_>>().join(", ")
    };
    let expected = "recruiting requested 1, recruiting approved 1, recruiting active 2, recruiting expired 1, \
                    recruiting withdrawn 0, recruiting revoked 1, recruiting declined 1, recruiting lapsed 2";
    assert_eq!(line(&ledger), expected);
    drop(ledger);
    assert_eq!(line(&home.open().unwrap()), expected);
}

async fn what_is_asked_waits_across_a_restart_opens_nothing_and_is_given_once(home: &dyn Home) {
    let asked = {
        let ledger = home.open().unwrap();
        let asked = ledger.ask(terms("ada", "recruiting", 1_000, 9_000), moment(5_000));
        asked.await.unwrap()
    };
    let ledger = home.open().unwrap();
    assert_eq!(ledger.waiting(moment(4_999)), std::slice::from_ref(&asked));
    assert!(ledger.standing(&ada(), moment(2_000)).grants().is_empty());
    let mut changes = ledger.changes();
    changes.borrow_and_update();

    let promise = ledger
        .promise_approved(approved(asked.clone(), 4_000), 1)
        .await
        .unwrap();
    let second = ledger.promise_approved(approved(asked.clone(), 4_000), 1).await;
    assert_eq!(second.err(), Some(LedgerError::BeingAnswered(asked.id.clone())));
    let given = ledger.put(promise.grant().clone(), |_| ()).await.unwrap();
    promise.forget();
    changes.changed().await.unwrap();
    assert!(ledger.waiting(moment(4_000)).is_empty());
    let held = |now| ledger.standing(&ada(), moment(now)).grants().len();
    assert_eq!([held(3_999), held(4_000), held(11_999), held(12_000)], [0, 1, 1, 0]);

    let over = LedgerError::AlreadyOver(asked.id.clone());
    let twice = ledger.promise_approved(approved(asked.clone(), 4_001), 1).await;
    assert_eq!(twice.err(), Some(over.clone()));
    let late = ledger.put(no(asked, 4_001), |_| ()).await;
    assert_eq!(late, Err(over));
    drop(ledger);
    let again = home.open().unwrap();
    assert_eq!(again.get(&given.id), Some(given));
}

async fn how_somebody_came_is_remembered_for_as_long_as_their_request_waits(home: &dyn Home) {
    let asked = {
        let ledger = home.open().unwrap();
        let terms = terms("ada", "recruiting", 1_000, 9_000);
        let promise = ledger.promise_asked((terms, came()), moment(5_000), 1).await.unwrap();
        ledger.put(promise.grant().clone(), |_| ()).await.unwrap()
    };
    let ledger = home.open().unwrap();
    assert_eq!(ledger.waiting(moment(2_000)), std::slice::from_ref(&asked));
    assert_eq!(asked.came.as_deref(), Some(&came()));
    let told = serde_json::to_string(&asked).unwrap();
    assert!(!told.contains("192.0.2.7") && !told.contains("office"), "{told}");
    assert_eq!(yes(asked.clone(), 2_000).came, None);
    assert_eq!(no(asked.clone(), 2_000).came, None);
    assert_eq!(silent(asked.clone(), 5_000).came, None);
    let back = ledger.withdraw(&asked.id, moment(2_000), |_| ()).await.unwrap();
    assert_eq!(back.came, None);
}

async fn what_was_taken_back_declined_or_lapsed_cannot_be_given_any_more(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let ask = |place| ledger.ask(on(place, terms("ada", "recruiting", 1_000, 9_000)), moment(5_000));
    let back = ask("x").await.unwrap();
    let declined = ask("xing").await.unwrap();
    let lapsed = ask("linkedin").await.unwrap();
    ledger.withdraw(&back.id, moment(2_000), |_| ()).await.unwrap();
    let said = ledger.put(no(declined.clone(), 2_000), |_| ()).await.unwrap();
    assert_eq!(said.answers[0].note, "not this week");
    assert_eq!(ledger.get(&declined.id), Some(said));
    for (asked, at) in [(&back, 2_001), (&declined, 2_001)] {
        let given = ledger.put(yes(asked.clone(), at), |_| ()).await;
        assert_eq!(given, Err(LedgerError::AlreadyOver(asked.id.clone())));
    }
    let too_late = Grant {
        not_before: moment(5_000),
        ..yes(lapsed.clone(), 4_999)
    };
    let given = ledger.put(too_late, |_| ()).await;
    assert_eq!(given, Err(LedgerError::AlreadyOver(lapsed.id)));
    assert!(ledger.standing(&ada(), moment(5_000)).grants().is_empty());
}

async fn that_a_request_lapsed_is_noticed_once_and_not_before(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let asked = ledger.ask(terms("ada", "recruiting", 1_000, 2_000), moment(5_000));
    let asked = asked.await.unwrap();
    let over = LedgerError::AlreadyOver(asked.id.clone());
    let lapsed = silent(asked.clone(), 5_000);
    let too_early = Grant {
        ended_at: Some(moment(4_999)),
        ..lapsed.clone()
    };
    assert_eq!(ledger.put(too_early, |_| ()).await, Err(over.clone()));
    drop(ledger);
    let ledger = home.open().unwrap();
    assert!(ledger.lapsed(moment(4_999)).is_empty());
    assert_eq!(ledger.lapsed(moment(5_000)), std::slice::from_ref(&asked));
    ledger.put(lapsed.clone(), |_| ()).await.unwrap();
    assert_eq!(ledger.get(&asked.id).unwrap().state, GrantState::Lapsed);
    assert_eq!(ledger.put(lapsed, |_| ()).await, Err(over));
    assert!(ledger.lapsed(moment(5_001)).is_empty());
    drop(ledger);
    assert!(home.open().unwrap().lapsed(moment(5_001)).is_empty());
}

async fn whoever_asks_for_no_more_than_what_waits_already_finds_that(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let asking = || terms("ada", "recruiting", 1_000, 9_000);
    let first = ledger.ask(asking(), moment(5_000)).await.unwrap();
    let less = GrantTerms {
        covers: BTreeSet::from(["read".to_owned()]),
        statement: "in other words".to_owned(),
        expires: moment(8_000),
        ..asking()
    };
    let found = Err(LedgerError::AlreadyAsked(Box::new(first.clone())));
    for again in [asking(), less] {
        assert_eq!(ledger.ask(again.clone(), moment(6_000)).await, found);
        let promised = ledger.promise_asked((again, came()), moment(6_000), 1).await;
        assert_eq!(promised.map(|_| first.clone()), found);
    }
    let longer = GrantTerms {
        expires: moment(9_001),
        ..asking()
    };
    let more = GrantTerms {
        covers: BTreeSet::from(["read", "publish", "administer"].map(str::to_owned)),
        ..asking()
    };
    let elsewhere = on("x", asking());
    let somebody_else = terms("bob", "recruiting", 1_000, 9_000);
    let late = terms("ada", "recruiting", 5_000, 9_000);
    for other in [longer, more, elsewhere, somebody_else] {
        ledger.ask(other, moment(5_000)).await.unwrap();
    }
    ledger.ask(late, moment(9_000)).await.unwrap();
    ledger.withdraw(&first.id, moment(2_000), |_| ()).await.unwrap();
    assert_eq!(ledger.waiting(moment(2_000)).len(), 5);
}

async fn one_person_cannot_ask_without_end_and_what_waits_takes_no_room_from_what_is_held(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let ask = |nth: usize| {
        let terms = on(&format!("p{nth}"), terms("ada", "recruiting", 1_000, 2_000));
        ledger.ask(terms, moment(900_000))
    };
    for nth in 0..MOST_IN_FORCE {
        ask(nth).await.unwrap();
        ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    }
    let more = ask(MOST_IN_FORCE).await;
    assert_eq!(more, Err(LedgerError::TooManyWaiting(MOST_IN_FORCE)));
    let first = ledger.waiting(moment(1_000)).remove(0);
    let full = ledger.promise_approved(approved(first.clone(), 1_000), 1).await;
    assert_eq!(full.err(), Some(LedgerError::TooMany(MOST_IN_FORCE)));
    for round in 10..200 {
        ledger
            .give(terms("ada", "press", round * 1_000, round * 1_000 + 5))
            .await
            .unwrap();
    }
    assert_eq!(ledger.waiting(moment(1_000)).len(), MOST_IN_FORCE);
    drop(ledger);
    assert_eq!(home.open().unwrap().waiting(moment(1_000)).len(), MOST_IN_FORCE);
}

/// What somebody makes of a request that two must approve.
fn one_of_two(asked: &Grant, who: &str, at: i64) -> Consent {
    let two = Approval {
        of: vec![Approver::Group("legal".to_owned())],
        needed: Needed::People(2),
    };
    let pending = Pending::of(asked.clone(), moment(at)).unwrap();
    let who = SubjectId::parse(who).unwrap();
    let hearing = pending
        .heard_by(&who, BTreeSet::from(["group:legal".to_owned()]))
        .unwrap();
    hearing
        .approve(&two, Note::parse("read it").unwrap(), moment(at))
        .unwrap()
}

fn partly(asked: &Grant, who: &str, at: i64) -> PartlyApproved {
    match one_of_two(asked, who, at) {
        Consent::Partly(partly) => partly,
        Consent::Given(given) => panic!("{given:?}"),
    }
}

async fn each_of_several_approvals_is_kept_and_none_is_lost_where_two_come_at_once(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let asked = ledger.ask(terms("ada", "recruiting", 1_000, 9_000), moment(5_000));
    let asked = asked.await.unwrap();
    let first = ledger.promise_partly(partly(&asked, "lea", 2_000), 1).await.unwrap();
    let meanwhile = ledger.promise_partly(partly(&asked, "luc", 2_000), 1).await;
    assert_eq!(meanwhile.err(), Some(LedgerError::BeingAnswered(asked.id.clone())));
    let kept = ledger.put(first.grant().clone(), |_| ()).await.unwrap();
    first.forget();
    let since = LedgerError::AnsweredSince(asked.id.clone());
    let late = ledger.promise_partly(partly(&asked, "luc", 2_001), 1).await;
    assert_eq!(late.err(), Some(since.clone()), "it would lose the first");
    assert_eq!(ledger.put(yes(asked.clone(), 2_001), |_| ()).await, Err(since));
    drop(ledger);
    let ledger = home.open().unwrap();
    assert_eq!(ledger.waiting(moment(2_001)), std::slice::from_ref(&kept));
    assert_eq!((kept.answers[0].missing, kept.came.clone()), (1, asked.came.clone()));
    let Consent::Given(given) = one_of_two(&kept, "luc", 3_000) else {
        panic!("nobody else is needed");
    };
    let promise = ledger.promise_approved(given, 1).await.unwrap();
    let given = ledger.put(promise.grant().clone(), |_| ()).await.unwrap();
    let held = ledger.standing(&ada(), moment(3_000));
    assert_eq!((held.grants().len(), given.answers.len()), (1, 2));
}

async fn a_promise_of_one_of_several_approvals_was_kept_only_if_that_one_is_there(home: &dyn Home) {
    for kept in [false, true] {
        let ledger = home.open().unwrap();
        let place = if kept { "x" } else { "xing" };
        let asked = ledger.ask(on(place, terms("ada", "recruiting", 1_000, 9_000)), moment(5_000));
        let asked = asked.await.unwrap();
        let mut promise = ledger.promise_partly(partly(&asked, "lea", 2_000), 3).await.unwrap();
        promise.is_on_record();
        if kept {
            ledger.put(promise.grant().clone(), |_| ()).await.unwrap();
            drop(ledger);
            home.change(&mut |change| change.promise(promise.grant(), 3).unwrap());
        } else {
            drop(ledger);
        }
        let again = home.open().unwrap();
        let left = again.promised().iter().find(|left| left.id == asked.id).unwrap();
        assert_eq!(
            (left.state, left.answers, left.was_kept),
            (GrantState::Requested, 1, kept)
        );
        again.forget(vec![asked.id]);
    }
}

async fn a_promise_to_approve_was_kept_only_if_the_approval_is_there(home: &dyn Home) {
    let left = async |give: bool| {
        let ledger = home.open().unwrap();
        let place = if give { "x" } else { "xing" };
        let asked = ledger.ask(on(place, terms("ada", "recruiting", 1_000, 9_000)), moment(5_000));
        let mut promise = ledger
            .promise_approved(approved(asked.await.unwrap(), 4_000), 1)
            .await
            .unwrap();
        promise.is_on_record();
        if give {
            ledger.put(promise.grant().clone(), |_| ()).await.unwrap();
            drop(ledger);
            home.change(&mut |change| change.promise(promise.grant(), 1).unwrap());
        }
        promise.grant().id.clone()
    };
    for give in [false, true] {
        let id = left(give).await;
        let ledger = home.open().unwrap();
        let leftover = ledger.promised().iter().find(|left| left.id == id).unwrap();
        assert_eq!(leftover.was_kept, give);
    }
}

async fn what_was_promised_of_a_request_tells_whether_it_was_kept(home: &dyn Home) {
    let mut expected = Vec::new();
    {
        let ledger = home.open().unwrap();
        let ask = |place| ledger.ask(on(place, terms("ada", "recruiting", 1_000, 9_000)), moment(5_000));
        let (to_decline, to_lapse) = (ask("x").await.unwrap(), ask("xing").await.unwrap());
        let why = Why::of(Note::parse("no").unwrap()).unwrap();
        let declined = heard(to_decline, 2_000).decline(why, moment(2_000));
        let lapsed = Lapsed::of(to_lapse, moment(5_000)).unwrap();
        let asked = ledger.promise_asked((terms("ada", "recruiting", 1_000, 9_000), came()), moment(5_000), 1);
        let promises = [
            asked.await.unwrap(),
            ledger.promise_declined(declined, 1).await.unwrap(),
            ledger.promise_lapsed(lapsed, 1).await.unwrap(),
        ];
        for mut promise in promises {
            promise.is_on_record();
            expected.push((promise.grant().id.clone(), promise.grant().clone()));
        }
    }
    expected.sort_by(|(a, _), (b, _)| a.cmp(b));
    for was_kept in [false, true] {
        let ledger = home.open().unwrap();
        let left: Vec<_> = ledger
            .promised()
            .iter()
            .map(|left| (&left.id, left.state, left.was_kept))
            .collect();
        let told: Vec<_> = expected.iter().map(|(id, grant)| (id, grant.state, was_kept)).collect();
        assert_eq!(left, told);
        drop(ledger);
        home.change(&mut |change| expected.iter().for_each(|(_, grant)| change.write(grant).unwrap()));
    }
}

async fn when_a_grant_was_used_last_survives_a_crash_but_for_the_last_minute_which_never_ends_it_early(
    home: &dyn Home,
) {
    let minutes = |minutes: u64| moment(0).plus(Duration::from_mins(minutes));
    let lent = || GrantTerms {
        idle: Some(Duration::from_mins(30)),
        ..terms("ada", "recruiting", 0, 90_000_000)
    };
    let (used, unused) = {
        let ledger = home.open().unwrap();
        let used = ledger.give(lent()).await.unwrap();
        let unused = ledger.give(on("x", lent())).await.unwrap();
        ledger.in_use(&used.id).unwrap().touch(minutes(20));
        ledger.keep_uses();
        (used, unused)
    };
    let ledger = home.open().unwrap();
    let in_force = |at| {
        let standing = ledger.standing(&ada(), minutes(at));
        let ids = standing.grants().iter().map(|grant| grant.id.clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(in_force(30), [unused.id.clone(), used.id.clone()]);
    assert_eq!(in_force(31), std::slice::from_ref(&used.id));
    assert_eq!((in_force(50), in_force(51)), (vec![used.id.clone()], vec![]));
    // what it was given as has no moment of use in it, so that it is the same grant whenever it is judged
    assert_eq!(
        ledger.standing(&ada(), minutes(40)).grants(),
        std::slice::from_ref(&used)
    );
}

async fn what_goes_unused_is_over_before_anybody_says_so_and_is_said_once(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let lent = GrantTerms {
        idle: Some(Duration::from_secs(10)),
        ..terms("ada", "recruiting", 1_000, 90_000)
    };
    let grant = ledger.give(lent).await.unwrap();
    let early = ledger
        .end_idle(&grant.id, (moment(10_999), on_record(GrantAct::Idle)), |_, _| ())
        .await;
    assert_eq!(early, Err(LedgerError::AlreadyOver(grant.id.clone())));
    assert_eq!(ledger.idle(moment(10_999)), []);
    let found = ledger.get(&grant.id).unwrap();
    assert_eq!(Life::of(&found, moment(11_000)), Life::Expired);
    let mut shown = Vec::new();
    ledger.look_on(None, (10, moment(11_000)), |grant| {
        shown.push(Life::of(grant, moment(11_000)));
        ControlFlow::Continue(())
    });
    assert_eq!(shown, [Life::Expired]);
    let expired = |life: &Count| (life.life == Life::Expired).then_some(life.grants);
    assert_eq!(ledger.counts(moment(11_000)).iter().find_map(expired), Some(1));
    assert!(ledger.revoke(&grant.id, moment(11_000), |_| ()).await.is_err());
    // where others may have seen it used, as long as it takes to hear of that
    assert_eq!(ledger.idle(moment(12_000).plus(HEARD_WITHIN)).len(), 1);
    let ended = ledger
        .end_idle(&grant.id, (moment(12_000), on_record(GrantAct::Idle)), |_, _| ())
        .await
        .unwrap();
    assert_eq!(
        (ended.ended_at, ended.used_at),
        (Some(moment(11_000)), Some(moment(1_000)))
    );
    assert!(ended.fell_idle(moment(12_000)) && ledger.idle(moment(900_000)).is_empty());
    assert!(
        ledger
            .end_idle(&grant.id, (moment(12_000), on_record(GrantAct::Idle)), |_, _| ())
            .await
            .is_err()
    );
}

async fn what_waits_for_a_review_is_never_forgotten_and_is_reviewed_once(home: &dyn Home) {
    let taken = GrantTerms {
        parent: Some(GrantId::new("before")),
        ..emergency("ada", 1_000)
    };
    let grant = {
        let ledger = home.open().unwrap();
        let grant = ledger.give(taken).await.unwrap();
        for start in 0..2 * i64::try_from(view::REMEMBERED).unwrap() {
            let from = 10_000 + start * 10;
            ledger.give(terms("ada", "recruiting", from, from + 5)).await.unwrap();
        }
        assert_eq!(ledger.unreviewed(), std::slice::from_ref(&grant));
        grant
    };
    let ledger = home.open().unwrap();
    assert_eq!(ledger.unreviewed(), std::slice::from_ref(&grant));
    assert_eq!(
        (ledger.reviews(moment(49_999)), ledger.reviews(moment(50_000))),
        ([1, 0], [0, 1])
    );
    let review = Review {
        by: who("grace"),
        at: moment(60_000),
        accepted: true,
        note: "It burned".to_owned(),
    };
    let found = (review.clone(), on_record(GrantAct::Reviewed));
    let reviewed = ledger.review(&grant.id, found.clone(), |_, _| ()).await.unwrap();
    assert_eq!(reviewed, grant.reviewed(review.clone()).unwrap());
    assert_eq!(ledger.unreviewed(), []);
    let again = ledger.review(&grant.id, found, |_, _| ()).await;
    assert_eq!(again, Err(LedgerError::AlreadyOver(grant.id.clone())));
    drop(ledger);
    // nobody said that the book tells it
    let untold = home.open().unwrap().untold().to_vec();
    let expected = Untold {
        grant: reviewed,
        on_record: on_record(GrantAct::Reviewed),
    };
    assert_eq!(untold, [expected]);
}

/// What somebody says at that moment.
pub(super) fn came_to(amount: u64, at: i64) -> (Report, OnRecord) {
    let report = Report {
        at: moment(at),
        corrected_at: None,
        amount: Some(amount),
        text: "it's \"done\"; DROP TABLE grants; --".to_owned(),
        department: Some("hr".to_owned()),
        settled: false,
    };
    (report, on_record(GrantAct::Reported))
}

async fn what_came_of_a_grant_survives_a_restart_and_is_corrected_once_the_book_tells_it(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let grant = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    let said = ledger.report(&grant.id, came_to(12, 9_000), |_, _| ()).await.unwrap();
    assert_eq!(said, grant.reported(came_to(12, 9_000).0).unwrap());
    let early = ledger.report(&grant.id, came_to(13, 9_001), |_, _| ()).await;
    assert_eq!(early, Err(LedgerError::BeingAnswered(grant.id.clone())));
    drop(ledger);
    let ledger = home.open().unwrap();
    assert_eq!(ledger.get(&grant.id).as_ref(), Some(&said));
    let untold: Vec<&Grant> = ledger.untold().iter().map(|one| &one.grant).collect();
    assert_eq!(untold, [&said]);
    ledger.told(vec![(grant.id.clone(), GrantAct::Reported)]);
    let tells = |_: &Grant, telling: Telling| telling.told();
    let corrected = ledger.report(&grant.id, came_to(13, 9_002), tells).await.unwrap();
    let report = corrected.report.clone().unwrap();
    assert_eq!(
        (report.at, report.corrected_at, report.amount),
        (moment(9_000), Some(moment(9_002)), Some(13))
    );
    let again = ledger.report(&grant.id, came_to(14, 9_003), |_, _| ()).await.unwrap();
    assert_eq!(
        ledger
            .counts(moment(9_003))
            .iter()
            .map(|count| count.grants)
            .sum::<u64>(),
        1
    );
    drop(ledger);
    let ledger = home.open().unwrap();
    assert_eq!(ledger.get(&grant.id), Some(again));
}

async fn nobody_says_what_came_of_what_is_in_force_never_counted_or_is_long_over(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let grant = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    let waits = ledger
        .ask(terms("ada", "press", 1_000, 9_000), moment(5_000))
        .await
        .unwrap();
    let over = |id: &GrantId| Err(LedgerError::AlreadyOver(id.clone()));
    let live = ledger.report(&grant.id, came_to(1, 8_999), |_, _| ()).await;
    assert_eq!(live, over(&grant.id));
    let never = ledger.report(&waits.id, came_to(1, 9_000), |_, _| ()).await;
    assert_eq!(never, over(&waits.id));
    let days = |days: u64| moment(9_000).plus(Duration::from_hours(24 * days)).as_millis();
    let late = ledger.report(&grant.id, came_to(1, days(14)), |_, _| ()).await;
    assert_eq!(late, over(&grant.id));
    let nobody = GrantId::new("nope");
    let unknown = ledger.report(&nobody, came_to(1, 9_000), |_, _| ()).await;
    assert_eq!(unknown, Err(LedgerError::NoSuchGrant(nobody)));
    assert_eq!(ledger.get(&grant.id), Some(grant), "nothing has changed");
}

/// A Monday at midnight.
pub(super) fn monday() -> Timestamp {
    Week::of("2026-11-25T12:00:00Z".parse().unwrap()).begins()
}

pub(super) fn days(days: u64) -> Timestamp {
    monday().plus(Duration::from_hours(24 * days))
}

/// So many people of two departments, each with so many flows in that week.
pub(super) fn flows(people: usize, each: u64, week: Week) -> Usage {
    let usage = Usage::default();
    let counted = (0..people).map(|nth| {
        let seat = Seat {
            week,
            measure: Measure::Flows,
            purpose: PurposeId::new("recruiting"),
            platform: (nth % 2 == 0).then(|| PlatformId::new("linkedin")),
            subject: who(&format!("p{nth}")),
            department: Some("it's \"hr\"; --".to_owned()),
        };
        let sums = Sums {
            count: each,
            bytes_up: 10 * each,
            bytes_down: 100 * each,
            millis: 1_000 * each,
        };
        (seat, sums)
    });
    usage.give_back(counted.collect());
    usage
}

async fn figures(ledger: &Ledger) -> Vec<(String, Measure, Part, Option<u64>, u64)> {
    let week = Week::of(monday());
    let figures = ledger
        .figures(
            &BTreeSet::from([PurposeId::new("recruiting")]),
            week.before(9)..=week.next().next().next(),
        )
        .await
        .unwrap();
    let told = figures.into_iter().map(|figure| {
        let Figure {
            week,
            measure,
            part,
            people,
            sums,
            ..
        } = figure;
        (week.to_string(), measure, part, people, sums.count)
    });
    told.collect()
}

/// Five people say that ten came of what they held for a day.
async fn five_report(ledger: &Ledger) -> Vec<Grant> {
    let mut all = Vec::new();
    for nth in 0..5 {
        let mut terms = terms(&format!("p{nth}"), "recruiting", 1_000, 9_000);
        (terms.declared_at, terms.not_before, terms.expires) = (days(1), days(1), days(2));
        let grant = ledger.give(terms).await.unwrap();
        let said = ledger.report(&grant.id, came_to(10, days(2).as_millis()), |_, _| ());
        all.push(said.await.unwrap());
    }
    all
}

async fn what_was_settled_does_not_come_back_with_what_is_still_on_disk(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let mut taken = emergency("ada", 1_000);
    (taken.declared_at, taken.not_before, taken.expires) = (days(1), days(1), days(2));
    let grant = ledger.give(taken).await.unwrap();
    // the book never has it, so it stays on disk
    let said = ledger.report(&grant.id, came_to(10, days(2).as_millis()), |_, _| ());
    let said = said.await.unwrap();
    ledger.add_up(&Usage::default(), days(30)).await.unwrap();
    let settled = said.report.as_ref().map(Report::settled);
    assert_eq!(ledger.get(&grant.id).unwrap().report, settled);
    let review = Review {
        by: who("grace"),
        at: days(31),
        accepted: true,
        note: "It burned".to_owned(),
    };
    let review = (review, on_record(GrantAct::Reviewed));
    ledger.review(&grant.id, review, |_, _| ()).await.unwrap();
    let reviewed = ledger.get(&grant.id).unwrap();
    assert!(!reviewed.awaits_review(), "{reviewed:?}");
    assert_eq!(reviewed.report, settled);
    let of_ada = ledger.grants_of(&ada());
    assert_eq!(of_ada.len(), 1);
    assert_eq!(of_ada[0].report, settled, "nowhere in memory");
}

async fn usage_is_told_once_its_week_is_over_and_what_came_of_it_once_nothing_can_be_corrected(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let week = Week::of(monday());
    ledger.add_up(&flows(7, 1, week), days(1)).await.unwrap();
    ledger.add_up(&flows(6, 2, week), days(2)).await.unwrap();
    let all = five_report(&ledger).await;
    let [unwritten, .., reported] = &all[..] else {
        panic!("five said it")
    };
    // but for what one of them said, all of it is in the book
    let in_the_book = all.iter().skip(1).map(|one| (one.id.clone(), GrantAct::Reported));
    ledger.told(in_the_book.collect());
    // what one of them said, as the ledger has it
    let said = |ledger: &Ledger| ledger.get(&reported.id).unwrap().report;
    assert_eq!(figures(&ledger).await, [], "the week lasts");
    let late = days(7).plus(Duration::from_mins(59));
    ledger.add_up(&Usage::default(), late).await.unwrap();
    assert_eq!(figures(&ledger).await, [], "others may still add to it");
    drop(ledger);
    let ledger = home.open().unwrap();
    ledger.add_up(&Usage::default(), days(8)).await.unwrap();
    let monday = || "2026-11-23".to_owned();
    let hr = Part::Department(Some("it's \"hr\"; --".to_owned()));
    // three of seven have no platform, which tells their number only together with the others
    let used = [
        (monday(), Measure::Flows, Part::Whole, Some(7), 19),
        (monday(), Measure::Flows, hr, Some(7), 19),
        (monday(), Measure::Flows, Part::Platform(None), None, 19),
    ];
    assert_eq!(figures(&ledger).await, used);
    ledger.add_up(&Usage::default(), days(13)).await.unwrap();
    assert_eq!(figures(&ledger).await, used, "what was said can still be corrected");
    assert_eq!(said(&ledger), reported.report, "and is there to be corrected");
    ledger.add_up(&Usage::default(), days(14)).await.unwrap();
    ledger.add_up(&Usage::default(), days(30)).await.unwrap();
    let settled = reported.report.as_ref().map(Report::settled);
    assert_eq!(said(&ledger), settled, "nothing is left of it but that it was said");
    let told = figures(&ledger).await;
    let hr = Part::Department(Some("hr".to_owned()));
    let value = [
        (monday(), Measure::Value, Part::Whole, Some(5), 50),
        (monday(), Measure::Value, hr, Some(5), 50),
        (monday(), Measure::Value, Part::Platform(None), None, 50),
    ];
    assert_eq!(told, [used, value].concat());
    drop(ledger);
    // nobody is left of whom it was counted
    home.change(&mut |change| assert!(change.counted_through(week.next()).unwrap().is_empty()));
    let ledger = home.open().unwrap();
    assert_eq!(figures(&ledger).await, told);
    assert_eq!(said(&ledger), settled, "also on disk");
    let left = ledger.get(&unwritten.id).unwrap().report;
    assert_eq!(left, unwritten.report, "what the book does not have yet waits for it");
    let again = ledger.report(&reported.id, came_to(11, days(31).as_millis()), |_, _| ());
    assert_eq!(again.await, Err(LedgerError::AlreadyOver(reported.id.clone())));
}

async fn what_is_counted_so_late_that_its_week_is_told_counts_in_the_next_one(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let week = Week::of(monday());
    ledger.add_up(&flows(5, 1, week), days(8)).await.unwrap();
    let told = figures(&ledger).await;
    assert_eq!((told[0].0.as_str(), told[0].4), ("2026-11-23", 5));
    ledger.add_up(&flows(6, 1, week), days(8)).await.unwrap();
    assert_eq!(figures(&ledger).await, told, "what was told stays");
    drop(ledger);
    let ledger = home.open().unwrap();
    ledger.add_up(&Usage::default(), days(15)).await.unwrap();
    let both = figures(&ledger).await;
    assert_eq!(both[..told.len()], told);
    assert_eq!((both[told.len()].0.as_str(), both[told.len()].4), ("2026-11-30", 6));
}

async fn a_clock_that_went_years_ahead_and_came_back_costs_a_week_and_tells_nothing_twice(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let week = Week::of(monday());
    let years = days(4_000);
    ledger.add_up(&flows(5, 1, week), days(1)).await.unwrap();
    // it is wrong for two weeks, and people go on
    ledger.add_up(&flows(5, 2, Week::of(years)), years).await.unwrap();
    let later = years.plus(Duration::from_hours(24 * 7));
    ledger.add_up(&flows(5, 4, Week::of(later)), later).await.unwrap();
    let early = figures(&ledger).await;
    assert_eq!((early[0].0.as_str(), early[0].4), ("2026-11-23", 5), "told too early");
    // and right again, on the second day
    ledger.add_up(&Usage::default(), days(2)).await.unwrap();
    ledger.add_up(&flows(6, 8, week), days(2)).await.unwrap();
    drop(ledger);
    let ledger = home.open().unwrap();
    for day in [3, 8, 9, 13] {
        ledger.add_up(&Usage::default(), days(day)).await.unwrap();
        assert_eq!(figures(&ledger).await, early, "nothing of it changes");
    }
    ledger.add_up(&Usage::default(), days(15)).await.unwrap();
    let told = figures(&ledger).await;
    assert_eq!(told[..early.len()], early);
    let whole = (told[early.len()].0.as_str(), told[early.len()].3, told[early.len()].4);
    // what was counted two weeks ahead of its time, and what was counted once it was right again
    assert_eq!(whole, ("2026-11-30", Some(6), 5 * 4 + 6 * 8));
    ledger.add_up(&flows(5, 1, week.next().next()), days(16)).await.unwrap();
    ledger.add_up(&Usage::default(), days(22)).await.unwrap();
    let next = figures(&ledger).await;
    let last = next.iter().rev().find(|figure| figure.2 == Part::Whole).unwrap();
    assert_eq!((last.0.as_str(), last.4), ("2026-12-07", 5), "as ever");
    drop(ledger);
    home.change(&mut |change| assert!(change.counted_through(Week::LAST).unwrap().is_empty()));
}

async fn a_clock_that_is_years_behind_for_a_moment_costs_nothing(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let week = Week::of(monday());
    let early = monday().plus(Duration::from_mins(1));
    ledger.add_up(&flows(5, 2, week.before(1)), early).await.unwrap();
    ledger.add_up(&flows(5, 1, week), days(1)).await.unwrap();
    drop(ledger);
    // a start before the clock is set
    let ledger = home.open().unwrap();
    ledger.add_up(&Usage::default(), moment(0)).await.unwrap();
    ledger.add_up(&flows(5, 1, week), days(2)).await.unwrap();
    ledger.add_up(&Usage::default(), days(8)).await.unwrap();
    let whole = figures(&ledger)
        .await
        .into_iter()
        .filter(|figure| figure.2 == Part::Whole);
    let whole: Vec<(String, u64)> = whole.map(|figure| (figure.0, figure.4)).collect();
    assert_eq!(whole, [("2026-11-16".to_owned(), 10), ("2026-11-23".to_owned(), 10)]);
}

async fn what_came_of_it_is_told_of_the_weeks_after_a_clock_that_went_ahead(home: &dyn Home) {
    let ledger = home.open().unwrap();
    ledger.add_up(&Usage::default(), days(4_000)).await.unwrap();
    ledger.add_up(&Usage::default(), days(2)).await.unwrap();
    for nth in 0..5 {
        let mut terms = terms(&format!("p{nth}"), "recruiting", 1_000, 9_000);
        (terms.declared_at, terms.not_before, terms.expires) = (days(1), days(1), days(2));
        let grant = ledger.give(terms).await.unwrap();
        ledger
            .report(&grant.id, came_to(10, days(3).as_millis()), |_, _| ())
            .await
            .unwrap();
    }
    ledger.add_up(&Usage::default(), days(15)).await.unwrap();
    let told = figures(&ledger).await;
    let whole = told
        .iter()
        .find(|figure| figure.1 == Measure::Value && figure.2 == Part::Whole);
    let whole = whole.map(|figure| (figure.0.as_str(), figure.3, figure.4));
    assert_eq!(whole, Some(("2026-11-23", Some(5), 50)));
}

async fn what_is_read_of_purposes_holds_up_nobody_who_revokes(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let grant = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    let week = Week::of(monday());
    ledger.add_up(&flows(5, 1, week), days(8)).await.unwrap();
    let many: BTreeSet<PurposeId> = (0..40).map(|nth| PurposeId::new(format!("p{nth}"))).collect();
    let reading = ledger.figures(&many, week.before(100)..=week);
    let revoking = ledger.revoke(&grant.id, moment(2_000), |_| ());
    // the reading begins first, and has not ended when the grant has
    tokio::select! {
        biased;
        _ = reading => panic!("everything was read before anything else was done"),
        revoked = revoking => assert_eq!(revoked.unwrap().state, GrantState::Revoked),
    }
}

/// What somebody takes in an emergency.
fn emergency(who: &str, from: i64) -> GrantTerms {
    GrantTerms {
        emergency: Some(Emergency {
            review_by: moment(50_000),
            review: None,
        }),
        ..terms(who, "crisis", from, from + 1_000)
    }
}

async fn of_emergencies_so_many_wait_for_a_review_and_not_one_more(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let mut taken = Vec::new();
    for nth in 0..MOST_UNREVIEWED {
        let from = 10_000 * i64::try_from(nth).unwrap();
        taken.push(ledger.give(emergency("ada", from)).await.unwrap());
    }
    let full = Some(LedgerError::TooManyUnreviewed(MOST_UNREVIEWED));
    assert_eq!(ledger.give(emergency("ada", 90_000)).await.err(), full);
    assert_eq!(ledger.promise(emergency("ada", 90_000), 1).await.err(), full);
    ledger.give(emergency("bob", 90_000)).await.unwrap();
    ledger.give(terms("ada", "recruiting", 90_000, 91_000)).await.unwrap();
    let review = Review {
        by: who("grace"),
        at: moment(90_000),
        accepted: false,
        note: "It did not burn".to_owned(),
    };
    let review = (review, on_record(GrantAct::Reviewed));
    ledger.review(&taken[0].id, review, |_, _| ()).await.unwrap();
    ledger.give(emergency("ada", 90_000)).await.unwrap();
}

async fn a_grant_is_renewed_once_until_its_renewal_is_over(home: &dyn Home) {
    let ledger = home.open().unwrap();
    let first = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    let renewing = |from: i64| GrantTerms {
        parent: Some(first.id.clone()),
        ..terms("ada", "recruiting", from, from + 5_000)
    };
    let renewal = ledger.give(renewing(8_000)).await.unwrap();
    let renewed = Err(LedgerError::AlreadyRenewed(Box::new(renewal.clone())));
    assert_eq!(ledger.give(renewing(9_000)).await, renewed);
    let promised = ledger.promise(renewing(9_000), 1).await;
    assert_eq!(promised.map(|_| renewal.clone()), renewed);
    assert_eq!(ledger.ask(renewing(9_000), moment(10_000)).await, renewed);
    let asked = ledger.ask(renewing(13_000), moment(20_000)).await.unwrap();
    assert_eq!(
        ledger.give(renewing(14_000)).await,
        Err(LedgerError::AlreadyRenewed(Box::new(asked.clone())))
    );
    ledger.put(yes(asked.clone(), 14_000), |_| ()).await.unwrap();
    ledger.withdraw(&asked.id, moment(15_000), |_| ()).await.unwrap();
    ledger.give(renewing(16_000)).await.unwrap();
}

async fn how_fast_requests_are_usually_answered_is_told_of_five_and_survives_a_restart(home: &dyn Home) {
    const MINUTE: i64 = 60_000;
    let recruiting = PurposeId::new("recruiting");
    let ledger = home.open().unwrap();
    let asks = async |nth: i64, purpose: &str| {
        let asked = terms(&format!("p{nth}"), purpose, MINUTE * nth, MINUTE * 9_000);
        ledger.ask(asked, moment(MINUTE * 5_000)).await.unwrap()
    };
    let usual = |ledger: &Ledger, at: i64| ledger.usually_answered_within(&recruiting, moment(MINUTE * at));
    let mut waiting = Vec::new();
    for nth in 0..6 {
        waiting.push(asks(nth, "recruiting").await);
    }
    // approved and declined after 8 to 12 minutes, but for one after a day; of another purpose nothing counts here
    for (nth, took) in [(0, 8), (1, 9), (2, 12), (3, 1_440)] {
        let asked = waiting[usize::try_from(nth).unwrap()].clone();
        let answered = if nth % 2 == 0 {
            yes(asked, MINUTE * (nth + took))
        } else {
            no(asked, MINUTE * (nth + took))
        };
        ledger.put(answered, |_| ()).await.unwrap();
    }
    let other = asks(7, "brand").await;
    ledger.put(yes(other, MINUTE * 8), |_| ()).await.unwrap();
    assert_eq!(usual(&ledger, 1_500), None, "four");
    let last = waiting.pop().unwrap();
    ledger.put(yes(last, MINUTE * 15), |_| ()).await.unwrap();
    assert_eq!(usual(&ledger, 1_500), Some(Duration::from_mins(10)));
    // what is taken back, and what nobody answered, is no answer; what ends later was answered all the same
    let untouched = waiting.pop().unwrap();
    ledger
        .withdraw(&untouched.id, moment(MINUTE * 30), |_| ())
        .await
        .unwrap();
    ledger
        .revoke(&waiting[0].id, moment(MINUTE * 40), |_| ())
        .await
        .unwrap();
    assert_eq!(usual(&ledger, 1_500), Some(Duration::from_mins(10)));
    drop(ledger);
    let again = home.open().unwrap();
    assert_eq!(usual(&again, 1_500), Some(Duration::from_mins(10)));
    assert_eq!(usual(&again, 91 * 1_440), None, "long ago");
}

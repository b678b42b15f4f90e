//! Letting somebody else answer, in English.

use crate::portal::words::DelegationWords;
use crate::portal::{DelegationField, Misfit};

pub(super) const DELEGATION: DelegationWords = DelegationWords {
    link: "While you are away: let somebody answer for you",
    title: "Who answers for you",
    what: "Whoever you name may approve and decline what you may, on the days that you say; you still can, too. They cannot pass it on, and nobody approves that way what you or they asked for. The record says that they did it for you.",
    given: "They answer for you",
    received: "You answer for them",
    nobody: "Nobody answers for you.",
    form: "Let somebody answer for you",
    to: "Who",
    to_hint: "The name with which they sign in.",
    from: "First day",
    from_hint: "Empty: from now on.",
    until: "Last day",
    until_hint: |days| format!("{days} days after the first one at most."),
    purposes: "Only for these purposes",
    purposes_hint: "None chosen: for all of them.",
    all_purposes: "All purposes",
    give: "Let them answer for me",
    take_back: "Take it back",
    sign_in: "Sign in to choose who answers for you",
    days: |from, until| format!("From {from} until {until}, both included"),
    given_to: |who| format!("{who} may answer for you. The gateway holds it from the first day to the last."),
    taken_back: |who| format!("{who} does not answer for you any more."),
    answers_for: |whom| format!("For {whom}, who lets you answer"),
    by_for: |by, whom| format!("{by} for {whom}"),
    theirs: "Who answers for whom",
    counted: |count| match count {
        1 => "1 delegation".to_owned(),
        count => format!("{count} delegations"),
    },
    revoked: "That delegation is over: nobody answers by it any more.",
    revoked_by: |by, to, why| format!("{by} ended that {to} answers for you: {why}"),
    off: "This gateway lets nobody answer for somebody else: what was given before does not count.",
    may_not: |why| {
        if why.is_empty() {
            "The rules do not let you choose them to answer for you.".to_owned()
        } else {
            why.to_owned()
        }
    },
    not_given_title: "Nobody else answers for you",
    misfit: |misfit| match misfit {
        Misfit::NoSuchPerson(name) if name.is_empty() => "Say who is to answer for you.".to_owned(),
        Misfit::NoSuchPerson(name) => {
            format!("The directory lists nobody called `{name}`: write the name with which they sign in.")
        }
        Misfit::Yourself => "You answer for yourself anyway: name somebody else.".to_owned(),
        Misfit::NoSuchPurpose(id, None) => format!("There is no purpose `{id}`."),
        Misfit::NoSuchPurpose(id, Some(near)) => format!("There is no purpose `{id}`; did you mean `{near}`?"),
        Misfit::NoDay(DelegationField::Until, text) if text.is_empty() => "Say which day is the last one.".to_owned(),
        Misfit::NoDay(_, text) => format!("`{text}` is no day: write it as 2026-12-24."),
        Misfit::Reversed => "It would end before it begins: the last day comes after the first.".to_owned(),
        Misfit::Past => "That is over already: choose a last day that is still to come.".to_owned(),
        Misfit::TooLong(0) => "This gateway lets nobody answer for somebody else.".to_owned(),
        Misfit::TooLong(days) => format!("It may last {days} days at most: choose an earlier last day."),
        Misfit::TooFar => "It may begin in a year at the latest: choose an earlier first day.".to_owned(),
    },
    too_many: |given| {
        format!(
            "{given} people answer for you already, or will, which is as many as may: take one of these back first."
        )
    },
    over_title: "It is over already",
    over: "They do not answer for you any more.",
    not_kept_title: "Nothing has changed",
    not_kept: "The gateway cannot keep that at the moment. Try again in a minute.",
};

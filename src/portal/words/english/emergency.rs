//! Break-glass and its reviews in English.

use crate::portal::words::EmergencyWords;

pub(super) const EMERGENCY: EmergencyWords = EmergencyWords {
    open: "This cannot wait …",
    hint: "In an emergency this opens at once, for an hour at most. Those who would have approved it find it on their pages, and one of them looks at it by the next working day; where your company has notices sent, they and the security team get one at once.",
    why: "What has happened?",
    button: "Break the glass",
    not_taken_title: "Nothing was opened",
    overdue_title: "An earlier emergency of yours is not reviewed yet",
    overdue: "Somebody has to look at it first: ask whoever could have approved it. Until then you can break no glass.",
    too_many: |waiting| {
        format!("{waiting} emergencies of yours wait for a review. Some of them must be reviewed first.")
    },
    nobody_reviews_title: "Nobody could review it",
    nobody_reviews: |purpose, owner| {
        let turn_to = match owner {
            Some(owner) => format!("{owner} owns it: turn to them, or to your help desk"),
            None => "You own it yourself, and nobody reviews what they took: ask your help desk".to_owned(),
        };
        format!(
            "What opens in an emergency is reviewed afterwards, and nobody could review “{purpose}” for you: whoever could is not \
             in the directory, or the rules do not let them. {turn_to}, to name somebody else. Nothing was opened."
        )
    },
    marked: |purpose| format!("Break-glass: {purpose}"),
    to_review: "Emergencies to review",
    broke_the_glass: |who, purpose| format!("{who} broke the glass for “{purpose}”"),
    open_until: |until, live| {
        if live {
            format!("Open until {until}")
        } else {
            format!("It was open until {until}")
        }
    },
    review_due: |due, overdue| {
        if overdue {
            format!("The review was due at {due}: until it is done, nothing else opens for this person in an emergency")
        } else {
            format!("The review is due at {due}")
        }
    },
    found: "Was it an emergency?",
    found_why: "What did you find? Whoever broke the glass will read it.",
    accepted: "Yes, accepted",
    not_accepted: "No, not accepted",
    send: "Review",
    say_what_you_found: "Go back, choose whether it was an emergency, and say in a few words what you found: whoever broke the glass will read it.",
    you_reviewed: |who, accepted| {
        let found = if accepted { "accepted" } else { "did not accept" };
        format!("You {found} that {who} broke the glass. They see what you wrote.")
    },
    was_reviewed: |by, at, accepted| {
        let found = if accepted { "accepted it" } else { "did not accept it" };
        format!("{by} {found} at {at}.")
    },
    my_reviews: "Emergencies of mine",
    sign_in_to_review: "Sign in to review",
    reviewed_already_title: "It is reviewed already",
    reviewed_already: "Somebody reviewed this emergency before you.",
    may_not_review_title: "You may not review this",
    not_reviewed_title: "It is not reviewed",
    not_reviewed: "The gateway cannot keep the review at the moment. Try again in a minute.",
    reviewed_not_recorded_title: "Reviewed, and not recorded yet",
    reviewed_not_recorded: "It is reviewed, but the record of it is not on disk yet: the gateway writes it as soon as it can. Tell your help desk if it lasts.",
};

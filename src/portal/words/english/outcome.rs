//! What came of it, in English.

use super::parts::number;
use super::unfit::invisible;
use crate::facts::Report;
use crate::portal::outcomes::Unsaid;
use crate::portal::words::OutcomeWords;

pub(super) const OUTCOME: OutcomeWords = OutcomeWords {
    asked: "What came of it?",
    why_asked: "This shows what the purpose is worth. Numbers are added up for the whole company, and never shown for fewer than five people; your own words stay with your grant and its record.",
    in_words: "In your own words, if you like",
    save: "Save",
    skip: "Nothing to say",
    correct: "Correct this",
    number,
    you_said: |metric, amount, skipped| match amount {
        Some(amount) => format!("{metric}: {amount}"),
        None if skipped => "You had nothing to say.".to_owned(),
        None => "You said it in words.".to_owned(),
    },
    said: "What you said came of it",
    noted: "Thank you: it is noted.",
    unsaid: |why| match why {
        Unsaid::Nothing => "Go back and give a number or a few words, or choose “Nothing to say”.".to_owned(),
        Unsaid::NoNumber => format!(
            "Go back and give a whole number, 0 or more and at most {}.",
            number(Report::MOST)
        ),
        Unsaid::Invisible(sign) => format!("Go back and {}.", invisible(sign)),
        Unsaid::LongText => format!("Go back and say it in at most {} characters.", Report::LONGEST),
    },
    not_kept_title: "Nothing was noted",
    not_kept: "The gateway cannot keep it at the moment. Try again in a minute.",
    not_asked_title: "There is nothing to note here",
    not_asked: "A grant can be reported on once it is over, for fourteen days, and what you said can be corrected for seven. Nothing is counted of some purposes.",
    not_recorded_title: "Noted, and not recorded yet",
    not_recorded: "It is noted, but the record of it is not on disk yet: the gateway writes it as soon as it can. Tell your help desk if it lasts.",
};

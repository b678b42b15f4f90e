//! What came of it? Once a grant is over, its holder says how much of what the value of its purpose is counted in, and what
//! in words; or that there is nothing to say. Nobody else does, and for some days they can correct it.
//!
//! No rule speaks of that: it opens nothing, and is theirs alone to say. Ledger first, book second, as with ends; and told
//! once the record is on disk.

use std::fmt::Display;

use super::ended::tells;
use super::{Portal, Visit};
use crate::facts::{Grant, GrantAct, GrantId, Invisible, Lines, Report, Wording};
use crate::ledger::LedgerError;
use crate::rulebook::Visitor;

/// Why nothing was kept of what somebody says came of a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotReported {
    /// The person holds no such grant.
    NoSuch,
    /// It is not over yet, or was for too long; it never counted; or nothing is counted of its purpose.
    NotAsked,
    /// What they said last is being recorded, or the ledger cannot keep it.
    NotKept,
    /// It is kept, and the record is not on disk yet.
    NotRecorded(Box<Grant>),
}

/// What somebody says: an amount, a text, both, or that there is nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    amount: Option<u64>,
    text: String,
}

/// What is wrong with what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// Neither an amount nor a text, and not that there is nothing to say.
    Nothing,
    /// No whole number, or one above [`Report::MOST`].
    NoNumber,
    /// More than [`Report::LONGEST`] characters.
    LongText,
    /// A character in the text that nobody sees, and that changes what is read.
    Invisible(Invisible),
}

impl Said {
    /// Nothing, on purpose.
    pub(super) fn skipped() -> Self {
        Self::default()
    }

    /// This much, and so.
    pub(super) fn of(amount: Option<u64>, text: &str) -> Result<Self, Unsaid> {
        let text = text.trim();
        if amount.is_some_and(|amount| amount > Report::MOST) {
            return Err(Unsaid::NoNumber);
        }
        if text.chars().count() > Report::LONGEST {
            return Err(Unsaid::LongText);
        }
        if let Some(sign) = Invisible::first_in(text, Lines::Many) {
            return Err(Unsaid::Invisible(sign));
        }
        if amount.is_none() && text.is_empty() {
            return Err(Unsaid::Nothing);
        }
        Ok(Self {
            amount,
            text: text.to_owned(),
        })
    }

    /// The same of what stands in the fields of a form: a number as people write it, in groups or not.
    pub(super) fn read(amount: &str, text: &str) -> Result<Self, Unsaid> {
        let digits: String = amount.chars().filter(|sign| !sign.is_whitespace()).collect();
        if digits.is_empty() {
            return Self::of(None, text);
        }
        let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
        let amount = digits.parse().ok().filter(|_| plain);
        Self::of(Some(amount.ok_or(Unsaid::NoNumber)?), text)
    }
}

impl Portal {
    /// What is counted of the purpose of a grant; none where nothing is, or there is no such purpose any more.
    pub(super) fn counted<'a>(visit: &Visit<'a>, grant: &Grant) -> Option<&'a Wording> {
        let purpose = visit.rules().purposes().get(&grant.purpose)?;
        purpose.value_metric.as_ref()
    }

    /// What the holder of a grant is asked now: what is counted of its purpose. Of what they never used there is nothing to say,
    /// which they can say all the same.
    pub(super) fn asks<'a>(visit: &Visit<'a>, grant: &Grant) -> Option<&'a Wording> {
        let can = grant.can_be_reported(visit.at) && grant.report.is_none() && grant.was_used();
        Self::counted(visit, grant).filter(|_| can)
    }

    /// Keeps what somebody says came of a grant of theirs.
    pub(super) async fn report(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (id, said): (&GrantId, Said),
    ) -> Result<Grant, NotReported> {
        let grant = self.ledger.get(id).filter(|grant| grant.subject == visitor.person.id);
        let grant = grant.ok_or(NotReported::NoSuch)?;
        if !grant.can_be_reported(visit.at) || Self::counted(visit, &grant).is_none() {
            return Err(NotReported::NotAsked);
        }
        let listed = visit.in_force.directory.listed(&grant.subject);
        let report = Report {
            at: visit.at,
            corrected_at: None,
            amount: said.amount,
            text: said.text,
            department: listed.map(|listed| listed.department.clone()),
            settled: false,
        };
        let said = (report, self.on_record(GrantAct::Reported, visit.by(), &[]));
        let kept = self.ledger.report(id, said, tells(self.book.clone())).await;
        let reported = kept.map_err(|trouble| {
            if matches!(trouble, LedgerError::AlreadyOver(_)) {
                NotReported::NotAsked
            } else {
                warn(&trouble, id, "what came of a grant could not be kept");
                NotReported::NotKept
            }
        })?;
        if let Err(trouble) = self.book.flush().await {
            warn(&trouble, id, "what came of a grant is not recorded yet");
            return Err(NotReported::NotRecorded(Box::new(reported)));
        }
        Ok(reported)
    }
}

fn warn(trouble: &dyn Display, grant: &GrantId, what: &str) {
    tracing::warn!(%trouble, %grant, "{what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_a_whole_number_as_people_write_it_and_nothing_is_not_said_by_saying_nothing() {
        let read = |amount: &str, text: &str| Said::read(amount, text).map(|said| (said.amount, said.text));
        assert_eq!(
            read(" 12 ", " two of them replied "),
            Ok((Some(12), "two of them replied".to_owned()))
        );
        assert_eq!(read("12\u{202f}000", ""), Ok((Some(12_000), String::new())));
        assert_eq!(read("0", ""), Ok((Some(0), String::new())));
        assert_eq!(read("", "a good talk"), Ok((None, "a good talk".to_owned())));
        assert_eq!(read(" ", "\n"), Err(Unsaid::Nothing));
        for amount in ["-1", "+1", "1.5", "twelve", "1e3", "1000000001", "99999999999999999999"] {
            assert_eq!(read(amount, ""), Err(Unsaid::NoNumber), "{amount}");
        }
        assert_eq!(read("1000000000", "").map(|said| said.0), Ok(Some(Report::MOST)));
        let long = "é".repeat(Report::LONGEST);
        assert!(read("", &long).is_ok());
        assert_eq!(read("", &format!("{long}!")), Err(Unsaid::LongText));
        assert!(matches!(read("3", "no\u{202e}thing"), Err(Unsaid::Invisible(_))));
    }
}

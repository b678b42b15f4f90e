//! Break-glass: a purpose at once, without its approval and its audience, for an hour at most, with a ticket and in words;
//! and when somebody who could have approved it looks at that. Whether somebody *may* is the rules' to say.

use std::time::Duration;

use super::declaration::{Declaration, Terms, Unfit, weigh_statement};
use super::terms::Purpose;
use crate::clock::Timestamp;

/// How long anything opens in an emergency at most.
pub const LONGEST_EMERGENCY: Duration = Duration::from_hours(1);

/// How many characters say what happened, where the purpose asks for fewer.
const LEAST_SAID: usize = 12;

impl Purpose {
    /// What a declaration in an emergency amounts to: as any other one, but for whom the purpose is meant and who must
    /// approve it.
    pub fn weigh_emergency(&self, declaration: &Declaration, at: Timestamp) -> Result<Terms, Vec<Unfit>> {
        let mut unfit = Vec::new();
        self.weigh_platforms(&declaration.platforms, &mut unfit);
        let covers = self.weigh_covers(declaration.covers.as_ref(), &mut unfit);
        let longest = self.longest_for(&covers).min(LONGEST_EMERGENCY);
        let span = declaration.duration.unwrap_or(longest);
        if self.can_cover(&covers) && (span > longest || span.is_zero()) {
            unfit.push(Unfit::TooLong {
                purpose: self.id.clone(),
                longest,
                covers: covers.clone(),
            });
        }
        weigh_statement(&declaration.statement, self.statement_min.max(LEAST_SAID), &mut unfit);
        let ticket = self.weigh_ticket(declaration.ticket.as_deref(), &mut unfit);
        if ticket.is_none() && !unfit.iter().any(|one| matches!(one, Unfit::OtherTicket { .. })) {
            unfit.push(Unfit::NoTicket);
        }
        if !unfit.is_empty() {
            return Err(unfit);
        }
        Ok(Terms {
            purpose: self.id.clone(),
            platforms: declaration.platforms.clone(),
            idle: self.idle_for(&covers),
            covers,
            statement: declaration.statement.trim().to_owned(),
            ticket,
            not_before: at,
            expires: at.plus(span),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::facts::{PlatformId, PurposeId, SourceText};
    use crate::purpose::{Purposes, UnfitField};

    const AT: Timestamp = Timestamp::from_millis(1_000_000);

    fn crisis(more: &str) -> Purpose {
        let text = format!(
            r#"
[[purpose]]
id = "crisis"
title = "Crisis"
description = "Inform."
owner = "nora"
basis = "Legitimate interest"
roles = ["communications"]
platforms = ["x"]
covers = ["read", "publish"]
approval = "owner"
training = "social-media"
statement-min = 0
value-metric = "Time"
retention = "six months"
review = 2027-06-30
{more}
"#
        );
        let read = Purposes::parse(&SourceText::new("purposes.toml", text))
            .whole()
            .unwrap();
        read.get(&PurposeId::new("crisis")).unwrap().clone()
    }

    fn declaration(statement: &str, ticket: Option<&str>, duration: Option<Duration>) -> Declaration {
        Declaration {
            purpose: PurposeId::new("crisis"),
            platforms: BTreeSet::from([PlatformId::new("x")]),
            covers: None,
            statement: statement.to_owned(),
            ticket: ticket.map(str::to_owned),
            duration,
        }
    }

    #[test]
    fn an_emergency_lasts_an_hour_at_most_and_is_for_people_whom_the_purpose_is_not_meant_for() {
        let said = "The plant is on fire";
        let terms = crisis("")
            .weigh_emergency(&declaration(said, Some("INC-1"), None), AT)
            .unwrap();
        assert_eq!(terms.expires.since(AT), LONGEST_EMERGENCY);
        let shorter = crisis("longest = { publish = \"20m\" }");
        let terms = shorter
            .weigh_emergency(&declaration(said, Some("INC-1"), None), AT)
            .unwrap();
        assert_eq!(terms.expires.since(AT), Duration::from_mins(20));
        for too_long in [Duration::from_mins(61), Duration::ZERO] {
            let unfit = crisis("").weigh_emergency(&declaration(said, Some("INC-1"), Some(too_long)), AT);
            let unfit = unfit.unwrap_err();
            assert!(
                matches!(
                    &unfit[..],
                    [Unfit::TooLong {
                        longest: LONGEST_EMERGENCY,
                        ..
                    }]
                ),
                "{unfit:?}"
            );
        }
    }

    #[test]
    fn an_emergency_takes_a_ticket_and_words_also_where_the_purpose_asks_for_none() {
        let unfit = crisis("")
            .weigh_emergency(&declaration("fire", None, None), AT)
            .unwrap_err();
        let fields: Vec<UnfitField> = unfit.iter().map(Unfit::field).collect();
        assert_eq!(fields, [UnfitField::Statement, UnfitField::Ticket]);
        let pattern = crisis("ticket = { pattern = \"INC-[0-9]+\", example = \"INC-1\" }");
        let said = "The plant is on fire";
        for wrong in [None, Some("HR-1")] {
            let unfit = pattern
                .weigh_emergency(&declaration(said, wrong, None), AT)
                .unwrap_err();
            assert_eq!(unfit.len(), 1, "{unfit:?}");
            assert_eq!(unfit[0].field(), UnfitField::Ticket);
        }
    }
}

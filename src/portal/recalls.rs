//! What an answer takes of what other gateways know: to ask for more would cost each reader a question to the ledger.

use super::openapi::Call;
use super::table::{Does, Shows};

/// What is brought to mind before somebody is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recalls {
    /// Nothing.
    Nothing,
    /// What other gateways have changed.
    Changes,
    /// That, and what the person met there.
    Refusals,
}

impl Recalls {
    pub(super) fn of_page(shows: Shows) -> Self {
        match shows {
            Shows::Mine | Shows::Purpose | Shows::Urgent | Shows::RefusalByTicket | Shows::Refusal | Shows::Granted => {
                Self::Refusals
            }
            Shows::Inbox
            | Shows::Delegations
            | Shows::Others
            | Shows::Revoke
            | Shows::Grant
            | Shows::Tokens
            | Shows::SignIn => Self::Changes,
            Shows::Decisions
            | Shows::Decision
            | Shows::Open
            | Shows::Health
            | Shows::Rulebook
            | Shows::PastRulebook
            | Shows::Value
            | Shows::ValueCsv
            | Shows::PurposeValue
            | Shows::Privacy => Self::Nothing,
        }
    }

    pub(super) fn of_form(does: Does) -> Self {
        match does {
            Does::Declare | Does::State | Does::BeUrgent | Does::BreakGlass | Does::GoOn | Does::Renew => {
                Self::Refusals
            }
            Does::Review
            | Does::End
            | Does::Report
            | Does::Revoke
            | Does::Delegate
            | Does::TakeBack
            | Does::MakeToken
            | Does::RevokeToken
            | Does::SignIn
            | Does::SignOut
            | Does::Approve
            | Does::Decline => Self::Changes,
        }
    }

    pub(super) fn of_call(call: Call) -> Self {
        match call {
            Call::ListDecisions | Call::ShowDecision | Call::Continue => Self::Refusals,
            Call::ListGrants
            | Call::Declare
            | Call::ShowGrant
            | Call::EndGrant
            | Call::Renew
            | Call::Approve
            | Call::Decline
            | Call::Review
            | Call::BreakGlass
            | Call::Revoke
            | Call::ListApprovals
            | Call::ListReviews
            | Call::Matrix
            | Call::Explain
            | Call::ListTokens
            | Call::MakeToken
            | Call::RevokeToken
            | Call::ReportOutcome
            | Call::ListDelegations
            | Call::Delegate
            | Call::ShowDelegation
            | Call::EndDelegation => Self::Changes,
            Call::ListRecords
            | Call::ListOpen
            | Call::ListPurposes
            | Call::ShowValue
            | Call::ShowPrivacy
            | Call::Document => Self::Nothing,
        }
    }
}

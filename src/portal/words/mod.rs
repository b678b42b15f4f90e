//! Every word that the pages, and the problem documents of refusals, say to people, in one place: another language is
//! another [`Words`], and a request is answered in one of them from beginning to end. What the API says to whoever writes a
//! client of it stands where it arises, in English.
//!
//! Rules for whoever writes here: say what happened, why, and what to do; never blame; no jargon; short sentences.

mod book;
mod chain;
mod decisions;
mod delegation;
mod emergency;
mod english;
mod explained;
mod french;
mod health;
mod history;
mod open;
mod outcome;
mod privacy;
mod proofs;
mod rulebook;
mod stating;
#[cfg(test)]
mod tests;
mod tokens;
mod value;

use std::time::Duration;

pub use book::{BookWords, GrantSaid};
pub use chain::ChainWords;
pub use decisions::DecisionWords;
pub use delegation::DelegationWords;
pub use emergency::EmergencyWords;
pub use english::ENGLISH;
pub use explained::ExplainedWords;
pub use french::FRENCH;
pub use health::{HealthWords, ProofsAre};
pub use history::HistoryWords;
use jiff::Zoned;
pub use open::OpenWords;
pub use outcome::OutcomeWords;
pub use privacy::{KeptWords, PrivacyWords};
pub use proofs::ProofWords;
pub use rulebook::RulebookWords;
pub use stating::StatingWords;
pub use tokens::TokenWords;
pub use value::ValueWords;

use crate::facts::{FaultCode, Language, Offer, Reason};
use crate::purpose::{Over, Unfit};
use crate::rulebook::{NotDeclared, Outdated};

/// Who may answer as well once something has waited for so long.
pub type OthersAfter<'a> = Option<(Duration, &'a [&'a str])>;

/// Who may answer as well from that moment on, as a clock shows it.
pub type OthersFrom<'a> = Option<(&'a str, &'a [&'a str])>;

/// Which kind of refusal it is; names the problem type (RFC 9457 §3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Some purpose would help, and none is in force.
    PurposeRequired,
    /// Some purpose would help; the one in force does not cover this.
    ActivityNotCovered,
    /// Some purpose would help; one that did has run out.
    GrantExpired,
    /// Some purpose would help once somebody approves it.
    ApprovalRequired,
    /// Some purpose would help; it was asked for, and waits for an answer.
    ApprovalPending,
    /// A training would help.
    TrainingRequired,
    /// Something would help if another purpose, or none, were selected.
    SelectionUnfit,
    /// Nothing would help, but the rules only advise against it.
    Coached,
    /// Nothing would help.
    Prohibited,
    /// A rule failed to evaluate: any doubt denies.
    PolicyError,
    /// The directory does not know the person.
    PersonUnknown,
}

impl Kind {
    /// The last part of the problem type's address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PurposeRequired => "purpose-required",
            Self::ActivityNotCovered => "activity-not-covered",
            Self::GrantExpired => "grant-expired",
            Self::ApprovalRequired => "approval-required",
            Self::ApprovalPending => "approval-pending",
            Self::TrainingRequired => "training-required",
            Self::SelectionUnfit => "selection-unfit",
            Self::Coached => "coached",
            Self::Prohibited => "prohibited",
            Self::PolicyError => "policy-error",
            Self::PersonUnknown => "person-unknown",
        }
    }
}

/// A purpose that was selected, where that keeps others from helping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selected {
    /// What was sent selects none, or several at once.
    NotOne,
    /// There is none of this id; and of which id is one that was probably meant.
    Unknown(String, Option<String>),
    /// It does not open this.
    Unfit(String),
}

/// What is said where only a selected purpose counts.
pub struct OnlyIt {
    /// Why nothing else does.
    pub why: String,
    /// What to do.
    pub help: String,
}

/// What a page says about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultWords {
    /// What happened, as a heading.
    pub title: &'static str,
    /// What that means.
    pub what: &'static str,
    /// What the reader can do.
    pub advice: &'static str,
}

/// The words of one language.
#[expect(
    missing_docs,
    reason = "each field is named after what it says; the words themselves explain it"
)]
#[derive(Clone, Copy, Debug)]
pub struct Words {
    pub language: Language,
    pub product: &'static str,
    /// Between a name and what is said of it.
    pub colon: &'static str,
    /// Between parts of a list that are sentences.
    pub semicolon: &'static str,
    /// The time of a moment today.
    pub clock: fn(&Zoned) -> String,
    /// Another day with its time.
    pub calendar: fn(&Zoned) -> String,
    /// A day with its year.
    pub day: fn(&Zoned) -> String,
    /// What the links to the other languages are, for whoever does not see them.
    pub languages: &'static str,
    /// The link past what every page begins with.
    pub skip: &'static str,

    // Refusals.
    pub heading: fn(Kind) -> &'static str,
    pub tried: fn(activity: &str, place: &str) -> String,
    pub activity: fn(&str) -> String,
    pub groups: fn(&[&str]) -> String,
    /// Several things, with “and” before the last.
    pub list: fn(&[&str]) -> String,
    pub effect: fn(groups: &str, place: &str, lasts: Duration) -> String,
    pub approval: fn(&[&str], OthersAfter<'_>) -> String,
    pub fix: fn(&str) -> String,
    pub selected: fn(&Selected) -> OnlyIt,
    pub alternative: fn(&str) -> String,
    pub expired: fn(purpose: &str, when: &str, unused: Option<Duration>) -> String,
    pub detail: fn(Kind, activity: &str, place: &str, purposes: &[&str]) -> String,
    pub no_reason: &'static str,
    pub no_reason_to_continue: &'static str,
    pub opens_for_a_purpose: &'static str,
    /// What is held there does not open it, and another purpose would.
    pub held_opens_not: &'static str,
    pub opens_once_approved: &'static str,
    pub rules_failed: &'static str,
    pub not_listed: &'static str,
    pub would_help: &'static str,
    pub nothing_was_sent: &'static str,
    pub go_back_after_declaring: &'static str,
    pub link_to_declare: &'static str,
    pub link_to_explain: &'static str,
    pub link_to_ask: &'static str,
    pub waits: fn(purpose: &str, approvers: &[&str], later: OthersFrom<'_>, since: &str, until: &str) -> String,
    pub link_to_continue: &'static str,
    pub reference: &'static str,
    pub rules: &'static str,

    // Declaring.
    pub choose_purpose: &'static str,
    pub statement: &'static str,
    pub statement_hint: fn(usize) -> String,
    pub ticket: &'static str,
    pub ticket_needed: fn(example: &str) -> String,
    pub ticket_hint: fn(needed_for: &[&str], examples: &[&str]) -> String,
    pub must_approve: fn(approvers: &[&str], later: OthersAfter<'_>, within: Duration) -> String,
    pub declare_and_continue: &'static str,
    pub ask_for_approval: &'static str,
    pub declare_or_ask: &'static str,
    pub was_asked: fn(approvers: &[&str], later: OthersFrom<'_>) -> String,
    /// `owner` is none where it is the reader.
    pub nobody_approves: fn(purpose: &str, owner: Option<&str>) -> String,
    pub needs_approval_title: fn(purpose: &str) -> String,
    pub once_approved: fn(effect: &str, lasts: Duration) -> String,
    pub statement_given: &'static str,
    pub look_again: &'static str,
    pub what_is_kept: &'static str,
    pub not_granted: &'static str,
    pub choose_one: &'static str,
    /// Part of a list: it begins small and has no full stop.
    pub unfit: fn(&Unfit) -> String,
    pub unfit_title: &'static str,
    pub unfit_detail: fn(said: &str) -> String,
    pub not_declared_title: &'static str,
    pub not_declared: fn(&NotDeclared) -> String,
    pub too_many_title: &'static str,
    pub too_many: fn(held: usize) -> String,
    pub too_many_waiting_title: &'static str,
    pub too_many_waiting: fn(waiting: usize) -> String,
    pub no_purpose_helps: &'static str,
    pub already_allowed_title: &'static str,
    pub already_allowed: &'static str,
    pub granted_until: fn(&str) -> String,
    pub go_on_to: fn(&str) -> String,
    pub go_back_and_try_again: &'static str,
    pub grant: &'static str,

    // Continuing.
    pub continue_anyway: &'static str,
    pub continue_hint: fn(lasts: Duration) -> String,
    pub tools_may_continue: &'static str,
    pub continued: &'static str,
    pub continued_until: fn(&str) -> String,
    pub not_continued_title: &'static str,
    pub not_continued: &'static str,

    // My page.
    pub my_page: &'static str,
    pub see_my_page: &'static str,
    pub signed_in_as: &'static str,
    pub greeting: fn(&str) -> String,
    pub about: fn(sign_in: &str, roles: &[&str], departments: &[&str]) -> String,
    pub my_purposes: &'static str,
    pub no_purposes: &'static str,
    pub left: fn(left: Duration, until: &str, unused: Option<Duration>) -> String,
    pub where_and_what: fn(places: &[&str], groups: &str) -> String,
    pub end: &'static str,
    pub ended: &'static str,
    pub chain: ChainWords,
    pub delegation: DelegationWords,
    pub emergency: EmergencyWords,
    pub stating: StatingWords,
    pub proofs: ProofWords,
    pub tokens: TokenWords,
    pub history: HistoryWords,
    pub outcome: OutcomeWords,
    pub privacy: PrivacyWords,
    pub value: ValueWords,
    pub decisions: DecisionWords,
    pub book: BookWords,
    pub explained: ExplainedWords,
    pub health: HealthWords,
    pub open: OpenWords,
    pub rulebook: RulebookWords,
    pub renew: &'static str,
    pub renewed: &'static str,
    pub renewal_asked: &'static str,
    pub my_ended: &'static str,
    pub ended_at: fn(when: &str, unused: Option<Duration>) -> String,
    pub renew_over_title: &'static str,
    pub renew_over: &'static str,
    pub not_renewed_title: &'static str,
    pub to_answer: fn(usize) -> String,
    pub my_requests: &'static str,
    pub take_back: &'static str,
    pub my_answers: &'static str,
    pub was_approved: fn(by: &str, at: &str, until: &str) -> String,
    pub was_declined: fn(by: &str, at: &str) -> String,
    pub was_silent: fn(approvers: &[&str], until: &str) -> String,
    pub recent_refusals: &'static str,
    pub connected: fn(place: &str) -> String,
    pub no_refusals: &'static str,
    pub what_i_may_declare: &'static str,
    pub from_tools: &'static str,
    pub from_tools_how: &'static str,
    pub from_tools_choose: &'static str,
    pub example_statement: &'static str,
    pub contact: fn(&str) -> String,

    // Answering.
    pub sign_in_again_title: &'static str,
    pub sign_in_again: &'static str,
    pub wrong_password: &'static str,
    pub no_password: &'static str,
    pub request_over_title: &'static str,
    pub request_over: fn(Over) -> &'static str,
    pub may_not_answer_title: &'static str,
    pub may_not_answer: fn(&[Reason]) -> String,
    pub outdated_title: &'static str,
    pub outdated: fn(&Outdated) -> String,
    pub holds_too_many: fn(held: usize) -> String,
    pub not_answered_title: &'static str,
    pub not_answered: &'static str,
    pub reason_title: &'static str,
    pub reason_wanted: fn(most: usize) -> String,
    pub say_why: &'static str,
    pub say_why_here: &'static str,
    pub again_title: &'static str,
    pub again_why: &'static str,
    pub user_name: &'static str,
    pub password: &'static str,
    pub sign_in: &'static str,
    pub wrong_password_here: &'static str,
    pub sign_out: &'static str,
    pub signed_in_for: &'static str,
    pub inbox: &'static str,
    pub nothing_waits: &'static str,
    pub sign_in_to_answer: &'static str,
    pub asks_for: fn(who: &str, purpose: &str) -> String,
    pub about_asker: fn(sign_in: &str, roles: &[&str], departments: &[&str]) -> String,
    pub training_state: fn(course: &str, until: Option<&str>) -> String,
    pub held_before: fn(times: &[Duration]) -> String,
    pub asked_and_waits: fn(asked: &str, until: &str) -> String,
    pub approve: &'static str,
    pub decline_open: &'static str,
    pub decline_why: &'static str,
    pub decline: &'static str,
    /// `until` is none where it is over again.
    pub you_approved: fn(purpose: &str, who: &str, until: Option<&str>) -> String,
    pub you_declined: fn(purpose: &str, who: &str) -> String,

    // Revoking.
    pub reason_to_revoke_title: &'static str,
    pub reason_to_revoke_wanted: fn(most: usize) -> String,
    pub say_why_you_revoke: &'static str,
    pub may_not_revoke_title: &'static str,
    pub may_not_revoke: fn(reasons: &str) -> String,
    pub not_revoked_title: &'static str,
    pub not_revoked: &'static str,
    pub revoked_not_recorded_title: &'static str,
    pub revoked_not_recorded: fn(grants: usize, tokens: usize, delegations: usize) -> String,
    pub was_revoked: fn(by: &str, at: &str) -> String,
    pub my_revoked: &'static str,
    pub see_in_force: &'static str,
    pub in_force: &'static str,
    pub in_force_what: &'static str,
    pub in_force_count: fn(usize) -> String,
    pub in_force_here: fn(usize) -> String,
    /// Who is perhaps meant, where nobody who is called so holds anything.
    pub nobody_holds: fn(said: &str, near: Option<&str>) -> String,
    pub filter: &'static str,
    pub filter_any: &'static str,
    pub filter_purpose: &'static str,
    pub filter_platform: &'static str,
    pub filter_show: &'static str,
    pub column_who: &'static str,
    pub column_where: &'static str,
    pub column_until: &'static str,
    pub column_statement: &'static str,
    pub waits_until: fn(&str) -> String,
    pub more_follow: &'static str,
    pub revoke: &'static str,
    pub revoke_many: fn(usize) -> String,
    pub revoke_all: &'static str,
    pub one_at_a_time_title: &'static str,
    pub one_at_a_time: &'static str,
    pub revoke_title: fn(what: &str) -> String,
    pub revoke_effect: &'static str,
    pub and_more: fn(usize) -> String,
    pub revoke_why: &'static str,
    pub revoke_not: &'static str,
    pub sign_in_to_revoke: &'static str,
    pub say_why_you_revoke_here: &'static str,
    pub you_revoked: fn(usize) -> String,

    // Short pages.
    pub not_known_title: &'static str,
    pub not_known: fn(&str) -> String,
    pub link_over_title: &'static str,
    pub link_over: &'static str,
    pub not_here_title: &'static str,
    pub not_here: &'static str,
    pub form_over_title: &'static str,
    pub form_over: &'static str,
    pub out_of_reach_title: &'static str,
    pub out_of_reach: &'static str,
    pub not_kept_title: &'static str,
    pub not_kept: &'static str,
    pub grant_over_title: &'static str,
    pub grant_over: &'static str,
    pub may_not_end_title: &'static str,
    pub not_ended_title: &'static str,
    pub not_ended: &'static str,
    pub too_large_title: &'static str,
    pub too_large: fn(most: usize) -> String,
    pub broken_off_title: &'static str,
    pub broken_off: &'static str,
    pub bad_form_title: &'static str,
    pub bad_form: &'static str,

    // Signing in and faults.
    pub wanted: &'static str,
    pub what_you_can_do: &'static str,
    pub technically: &'static str,
    pub fault: fn(FaultCode) -> FaultWords,
}

impl Words {
    /// The words of `language`.
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::Fr => &FRENCH,
        }
    }

    /// What is said of an approval, and how fast one is usually given or declined, where that is known.
    pub fn and_how_fast(&self, approval: String, within: Option<Duration>) -> String {
        match within.map(self.stating.usually_answered) {
            Some(usually) => approval + " " + &usually,
            None => approval,
        }
    }

    /// What the button of the declare page says, given what it offers.
    pub fn send(&self, offers: &[&Offer]) -> &'static str {
        let asks = |offer: &&Offer| offer.needs_approval;
        match (offers.iter().any(asks), offers.iter().all(asks)) {
            (false, _) => self.declare_and_continue,
            (true, false) => self.declare_or_ask,
            (true, true) => self.ask_for_approval,
        }
    }
}

/// So much of the largest unit of which there is one: units are a thousand times each other.
fn scaled(count: u64, units: [&str; 4], (point, space): (char, char)) -> String {
    let (mut tenths, mut unit) = (u128::from(count) * 10, 0);
    while tenths >= 10_000 && unit + 1 < units.len() {
        (tenths, unit) = (tenths / 1_000, unit + 1);
    }
    let unit = units.get(unit).copied().unwrap_or_default();
    let (whole, part) = (tenths / 10, tenths % 10);
    if part == 0 || whole >= 10 {
        format!("{whole}{space}{unit}")
    } else {
        format!("{whole}{point}{part}{space}{unit}")
    }
}

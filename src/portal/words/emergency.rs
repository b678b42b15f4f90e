//! What is said of break-glass and its reviews.

/// The words of emergencies.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct EmergencyWords {
    pub open: &'static str,
    pub hint: &'static str,
    pub why: &'static str,
    pub button: &'static str,
    pub not_taken_title: &'static str,
    pub overdue_title: &'static str,
    pub overdue: &'static str,
    pub too_many: fn(usize) -> String,
    pub nobody_reviews_title: &'static str,
    /// Of a purpose, with whoever owns it, unless that is who asks.
    pub nobody_reviews: fn(purpose: &str, owner: Option<&str>) -> String,
    pub marked: fn(purpose: &str) -> String,
    pub to_review: &'static str,
    pub broke_the_glass: fn(who: &str, purpose: &str) -> String,
    pub open_until: fn(until: &str, live: bool) -> String,
    pub review_due: fn(due: &str, overdue: bool) -> String,
    pub found: &'static str,
    pub found_why: &'static str,
    pub accepted: &'static str,
    pub not_accepted: &'static str,
    pub send: &'static str,
    pub say_what_you_found: &'static str,
    pub you_reviewed: fn(who: &str, accepted: bool) -> String,
    pub was_reviewed: fn(by: &str, at: &str, accepted: bool) -> String,
    pub my_reviews: &'static str,
    pub sign_in_to_review: &'static str,
    pub reviewed_already_title: &'static str,
    pub reviewed_already: &'static str,
    pub may_not_review_title: &'static str,
    pub not_reviewed_title: &'static str,
    pub not_reviewed: &'static str,
    pub reviewed_not_recorded_title: &'static str,
    pub reviewed_not_recorded: &'static str,
}

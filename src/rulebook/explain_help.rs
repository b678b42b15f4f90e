//! What would help, in words: purposes, fixes, and what an emergency opens.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Rulebook;
use super::explain::Explanation;
use crate::facts::fields::list;
use crate::facts::{Mode, Observation, Offer, Outcome, PlatformId, PurposeId, Remedy, Wording};
use crate::purpose::show_duration;

/// What its sender could take in an emergency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InEmergency {
    /// The purpose.
    pub purpose: PurposeId,
    /// What people call it.
    pub title: Wording,
    /// What it would have to cover.
    pub covers: BTreeSet<String>,
}

impl Rulebook {
    /// What the sender of something refused could take in an emergency, and what for; nothing where a purpose helps that
    /// nobody has to approve.
    pub fn in_emergency(&self, seen: &Observation, remedy: &Remedy) -> Vec<InEmergency> {
        if remedy.offers.iter().any(|offer| !offer.needs_approval) {
            return Vec::new();
        }
        let taken = self.emergencies(seen).into_iter();
        let taken = taken.filter_map(|(id, covers)| {
            Some(InEmergency {
                title: self.purposes.get(&id)?.title.clone(),
                purpose: id,
                covers,
            })
        });
        taken.collect()
    }
}

impl InEmergency {
    fn line(&self, platform: Option<&PlatformId>) -> String {
        let on = platform.map_or_else(String::new, |platform| format!(" --on {platform}"));
        let covers = list(self.covers.iter().map(String::as_str));
        format!(
            "  in an emergency, `wayleave break-glass {}{on}` ({}): covers {covers}, opens at once for an hour at most, and is \
             reviewed by the next working day",
            self.purpose, self.title
        )
    }
}

impl Explanation {
    /// What its sender could do; nothing needs help that passes.
    pub(super) fn help(&self) -> Vec<String> {
        if self.passes {
            return Vec::new();
        }
        let mut lines: Vec<String> = self.remedy.offers.iter().map(offered).collect();
        let fixes = self.remedy.fixes.iter().map(|fix| match Remedy::selected_in(fix) {
            Some(selected) => format!("  select another purpose than `{selected}`, or none"),
            None => format!("  fix `{fix}`"),
        });
        lines.extend(fixes);
        lines.extend(self.emergencies.iter().map(|taken| taken.line(self.platform.as_ref())));
        lines.extend(
            self.remedy
                .alternative
                .iter()
                .map(|other| format!("  instead: {other}")),
        );
        let coaching = self.policies.iter().filter(|policy| policy.mode == Mode::Coach);
        let coaching = list(coaching.map(|policy| policy.id.as_str()));
        match (&self.coach, lines.is_empty()) {
            (Some(_), true) => lines.push("  to continue, once told why not: no purpose would do more".to_owned()),
            (Some(_), false) => lines.push("  or to continue, once told why not".to_owned()),
            (None, true) if self.has_failed() => {
                lines.push(
                    "  nothing that its sender can do: the rule must be repaired by whoever answers for it".to_owned(),
                );
            }
            (None, true) if self.outcome == Outcome::Deny => {
                lines.push("  nothing: no purpose of the catalogue opens this".to_owned());
            }
            (None, false) if !coaching.is_empty() && !self.remedy.offers.is_empty() => {
                lines.push(format!("  and then to continue past {coaching}, which only coaches"));
            }
            (None, _) => {}
        }
        lines
    }
}

fn offered(offer: &Offer) -> String {
    let verb = if offer.needs_approval { "ask for" } else { "declare" };
    let covers = list(offer.covers.iter().map(String::as_str));
    let (lasts, longest) = (show_duration(offer.default_for), show_duration(offer.longest_for));
    let mut line = format!(
        "  {verb} `{}` ({}): covers {covers}, lasts {lasts}, at most {longest}",
        offer.purpose, offer.title
    );
    if let Some(idle) = offer.idle {
        line = format!("{line}, unused {}", show_duration(idle));
    }
    if !offer.approvers.is_empty() {
        let approvers = list(offer.approvers.iter().map(String::as_str));
        let of = match offer.needed {
            0 | 1 => String::new(),
            needed => format!("{needed} of "),
        };
        line = format!("{line}, approved by {of}{approvers}");
    }
    if let Some(later) = &offer.later {
        let by = list(later.approvers.iter().map(String::as_str));
        let also = if offer.approvers.is_empty() { "approved" } else { "also" };
        line = format!("{line}, {also} by {by} from {} on", show_duration(later.after));
    }
    if let Some(pattern) = &offer.ticket_pattern {
        line = format!("{line}, ticket `{pattern}`");
    }
    line
}

//! What lines of the book are about, as somebody looks for them: what passed or was refused, and what people did beside. Pure.

use crate::facts::{Act, Grant, Record};

/// What lines are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Topic {
    /// Whatever there is.
    #[default]
    All,
    /// What passed through the gateway, or was to.
    Flows,
    /// Purposes that were asked for, given, answered, reported and ended; those taken in an emergency are among them.
    Grants,
    /// Those that were taken in an emergency, and their review.
    BreakGlass,
    /// That somebody was told why not, and went on.
    Continued,
    /// Who lets whom answer for them.
    Delegations,
    /// Tokens for tools.
    Tokens,
    /// Who looked at what was recorded of others.
    Access,
    /// What the gateway did by itself: which rules came to rule, when it started, what it could not record.
    Gateway,
}

impl Topic {
    /// All of them.
    pub const EACH: [Self; 9] = [
        Self::All,
        Self::Flows,
        Self::Grants,
        Self::BreakGlass,
        Self::Continued,
        Self::Delegations,
        Self::Tokens,
        Self::Access,
        Self::Gateway,
    ];

    /// The name by which it is asked for.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Flows => "flows",
            Self::Grants => "grants",
            Self::BreakGlass => "break-glass",
            Self::Continued => "continued",
            Self::Delegations => "delegations",
            Self::Tokens => "tokens",
            Self::Access => "access",
            Self::Gateway => "gateway",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::EACH.into_iter().find(|topic| topic.as_str() == name)
    }

    /// All names, for whoever wrote another one.
    pub fn names() -> String {
        Self::EACH.map(Self::as_str).join(", ")
    }

    /// What a record is about, as narrowly as that can be said.
    pub fn of(record: &Record) -> Self {
        match &record.act {
            Act::Opening { .. } | Act::Closing { .. } | Act::Stray { .. } => Self::Flows,
            Act::Grant { grant, .. } => Self::of_grant(grant),
            Act::Token { .. } => Self::Tokens,
            Act::Access { .. } => Self::Access,
            Act::Gateway { .. } => Self::Gateway,
        }
    }

    fn of_grant(grant: &Grant) -> Self {
        match (&grant.delegated, &grant.continued, &grant.emergency) {
            (Some(_), _, _) => Self::Delegations,
            (None, Some(_), _) => Self::Continued,
            (None, None, Some(_)) => Self::BreakGlass,
            (None, None, None) => Self::Grants,
        }
    }

    /// Whether a record is about this.
    pub fn holds(self, record: &Record) -> bool {
        let about = Self::of(record);
        match self {
            Self::All => true,
            Self::Grants => matches!(about, Self::Grants | Self::BreakGlass),
            Self::Flows
            | Self::BreakGlass
            | Self::Continued
            | Self::Delegations
            | Self::Tokens
            | Self::Access
            | Self::Gateway => about == self,
        }
    }

    /// Of which `kind` the lines are in the book that are about this; of flows, those that tell how they ended.
    pub(super) fn lines(self) -> &'static [&'static str] {
        match self {
            Self::All => &["closing", "grant", "token", "access", "gateway"],
            Self::Flows => &["closing"],
            Self::Grants | Self::BreakGlass | Self::Continued | Self::Delegations => &["grant"],
            Self::Tokens => &["token"],
            Self::Access => &["access"],
            Self::Gateway => &["gateway"],
        }
    }

    /// By which filters lines about this can be told apart, beside when they were written. Of flows there are more.
    pub fn filters(self) -> &'static [&'static str] {
        match self {
            Self::All | Self::Flows | Self::Access | Self::Grants | Self::BreakGlass => {
                &["user", "grant", "purpose", "platform"]
            }
            Self::Continued => &["user", "grant", "platform"],
            Self::Delegations => &["user", "grant", "purpose"],
            Self::Tokens => &["user"],
            Self::Gateway => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_name_and_lines_are_of_kinds_that_there_are() {
        for topic in Topic::EACH {
            assert_eq!(Topic::named(topic.as_str()), Some(topic));
            let known = Topic::All.lines();
            assert!(topic.lines().iter().all(|kind| known.contains(kind)), "{topic:?}");
        }
        assert_eq!(Topic::named("grant"), None);
    }
}

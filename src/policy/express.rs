//! Our values as Cedar's.

use std::time::Duration;

use cedar_policy::{EntityId, EntityTypeName, EntityUid, RestrictedExpression};

use super::decision::Trouble;
use crate::clock::Timestamp;
use crate::facts::SiteRole;

pub(super) type Expr = RestrictedExpression;

/// What Cedar refused to build, as something that denies.
pub(super) fn wrong(what: &str, error: &dyn std::error::Error) -> Trouble {
    Trouble::with_question(what, error.to_string())
}

/// The entity of this type and name.
pub(super) fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

/// A string.
pub(super) fn text(value: &str) -> Expr {
    Expr::new_string(value.to_owned())
}

/// A datetime.
pub(super) fn moment(at: Timestamp) -> Expr {
    Expr::new_datetime(at.to_string())
}

/// A duration; the longest that Cedar has for one that is longer.
pub(super) fn span(length: Duration) -> Expr {
    let millis = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    Expr::new_duration(format!("{millis}ms"))
}

/// A record of these fields.
pub(super) fn record<'a>(fields: impl IntoIterator<Item = (&'a str, Expr)>) -> Result<Expr, Trouble> {
    Expr::new_record(fields.into_iter().map(|(name, value)| (name.to_owned(), value))).map_err(|e| wrong("context", &e))
}

/// What a host does for its platform, as rules spell it.
pub(super) fn serves(role: SiteRole) -> &'static str {
    match role {
        SiteRole::Site => "site",
        SiteRole::Api => "api",
        SiteRole::Cdn => "cdn",
        SiteRole::Media => "media",
        SiteRole::Upload => "upload",
        SiteRole::Realtime => "realtime",
        SiteRole::E2ee => "e2ee",
        SiteRole::Login => "login",
        SiteRole::ShortLink => "short-link",
        SiteRole::Ads => "ads",
        SiteRole::Manage => "manage",
        SiteRole::Pixel => "pixel",
        SiteRole::Embed => "embed",
        SiteRole::Telemetry => "telemetry",
        SiteRole::Other => "other",
    }
}

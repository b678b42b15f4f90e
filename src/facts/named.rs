//! Whom a line of the book names.

use std::collections::BTreeSet;

use super::principal::SubjectId;
use super::record::Act;
use super::token::RevokedFor;

impl Act {
    /// Everybody whom a line about no flow names: a flow says itself who sent it.
    pub fn named(&self) -> BTreeSet<SubjectId> {
        match self {
            Self::Opening { .. } | Self::Closing { .. } | Self::Stray { .. } | Self::Gateway { .. } => BTreeSet::new(),
            Self::Grant { grant, by, .. } => {
                let to = grant.delegated.as_ref().map(|delegated| &delegated.to);
                let behalf = grant.answers.last().and_then(|answer| answer.behalf.as_ref());
                let named = [Some(&grant.subject), Some(by), to, behalf.map(|behalf| &behalf.whom)];
                named.into_iter().flatten().cloned().collect()
            }
            Self::Token { token, by, .. } => {
                let revoked = match &token.revoked_for {
                    Some(RevokedFor::Revocation(ended)) => Some(&ended.by),
                    Some(RevokedFor::PasswordChanged | RevokedFor::AccountRemoved) | None => None,
                };
                let named = [Some(&token.subject), Some(by), revoked];
                named.into_iter().flatten().cloned().collect()
            }
            Self::Access { access, by, .. } => {
                let wanted = access.wanted.get("user").and_then(|user| SubjectId::parse(user).ok());
                let named = [Some(by.clone()), wanted].into_iter().flatten();
                named.chain(access.about().cloned()).collect()
            }
        }
    }
}

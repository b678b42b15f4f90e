//! Taking back what others hold, or what waits: all that somebody names of it and the rules let them end, at once.
//!
//! As with ending (`deeds.rs`), the ledger comes first: taking away access never waits for the book. It is told once the
//! records are on disk as well. What somebody must not know of is not counted either: they know of their own, of what waits
//! for their answer, and of what they may end.

use std::collections::BTreeMap;

use super::deeds::act;
use super::{Portal, Visit};
use crate::facts::{Channel, Grant, GrantAct, GrantId, PlatformId, PurposeId, Reason, SubjectId};
use crate::ledger::Life;
use crate::policy::Decision;
use crate::purpose::Why;
use crate::rulebook::Visitor;

/// Which grants are meant: those of which all that is named holds; every one where nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) grant: Option<GrantId>,
    pub(super) user: Option<SubjectId>,
    pub(super) purpose: Option<PurposeId>,
    pub(super) platform: Option<PlatformId>,
}

/// What somebody may end of what they meant.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen {
    /// In the order in which it was declared.
    pub(super) grants: Vec<Grant>,
    /// How much else they know of.
    pub(super) not_permitted: usize,
    reasons: BTreeMap<GrantId, Vec<Reason>>,
}

/// Why nothing was revoked, or what cannot be said of it.
#[derive(Clone, Debug)]
pub(super) enum NotRevoked {
    /// There is nothing of the kind that they know of.
    NoSuch,
    /// The grant that they mean is over already.
    Over,
    /// The rules refuse all of it.
    Refused(Vec<Reason>),
    /// The ledger cannot keep the change: nothing was revoked.
    NotKept,
    /// It is revoked, and the records are not on disk yet.
    NotRecorded(Vec<Grant>),
}

impl Selection {
    fn means(&self, grant: &Grant) -> bool {
        self.grant.as_ref().is_none_or(|id| grant.id == *id)
            && self.user.as_ref().is_none_or(|user| grant.subject == *user)
            && self.purpose.as_ref().is_none_or(|purpose| grant.purpose == *purpose)
            && self.platform.as_ref().is_none_or(|id| grant.platforms.contains(id))
    }
}

impl Portal {
    /// What somebody may end of what they mean, and how much they know of beside it.
    pub(super) fn choose(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        meant: &Selection,
        channel: Channel,
    ) -> Result<Chosen, NotRevoked> {
        let mut chosen = Chosen::default();
        let mut refused = None;
        chosen.grants = self.ledger.alive(visit.at, |grant| {
            // what somebody continued past is theirs alone to take back
            if grant.continued.is_some() || !meant.means(grant) {
                return false;
            }
            let decision = visit.may_end(visitor, grant, channel);
            if decision.is_allowed() {
                chosen.reasons.insert(grant.id.clone(), decision.reasons().to_vec());
            } else if self.knows_of(visit, visitor, grant, channel) {
                chosen.not_permitted += 1;
                refused.get_or_insert_with(|| decision.reasons().to_vec());
            }
            decision.is_allowed()
        });
        match refused {
            _ if !chosen.grants.is_empty() => Ok(chosen),
            Some(reasons) => Err(NotRevoked::Refused(reasons)),
            None if self.is_over(visit, visitor, meant, channel) => Err(NotRevoked::Over),
            None => Err(NotRevoked::NoSuch),
        }
    }

    /// Ends what somebody may end of what they mean, and says why: all of it, or nothing.
    pub(super) async fn revoke(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        meant: &Selection,
        (why, channel): (Why, Channel),
    ) -> Result<Chosen, NotRevoked> {
        let chosen = self.choose(visit, visitor, meant, channel)?;
        let ids = chosen.grants.iter().map(|grant| grant.id.clone()).collect();
        let (book, by, rulebook) = (self.book.clone(), visit.subject.id.clone(), visit.rules().id().clone());
        let reasons = chosen.reasons;
        let once_kept = move |ended: &Grant| {
            let what = if ended.subject == by {
                GrantAct::Withdrawn
            } else {
                GrantAct::Revoked
            };
            let reasons = reasons.get(&ended.id).map_or(&[][..], Vec::as_slice);
            book.note(&book.record(act(what, ended, &by, &rulebook, reasons)));
        };
        let ended = why.said_by(visitor.person.id.clone());
        let revoked = self.ledger.revoke_all(ids, ended, visit.at, once_kept).await;
        let grants = revoked.map_err(|trouble| {
            tracing::warn!(%trouble, "grants could not be revoked");
            NotRevoked::NotKept
        })?;
        if grants.is_empty() {
            // its holder, or somebody else, was first
            return Err(NotRevoked::Over);
        }
        if let Err(trouble) = self.book.flush().await {
            tracing::warn!(%trouble, grants = grants.len(), "that grants were revoked is not recorded yet");
            return Err(NotRevoked::NotRecorded(grants));
        }
        Ok(Chosen {
            grants,
            not_permitted: chosen.not_permitted,
            reasons: BTreeMap::new(),
        })
    }

    fn knows_of(&self, visit: &Visit<'_>, visitor: Visitor<'_>, grant: &Grant, channel: Channel) -> bool {
        self.asked(visit, visitor, &grant.id, channel).is_some()
    }

    fn is_over(&self, visit: &Visit<'_>, visitor: Visitor<'_>, meant: &Selection, channel: Channel) -> bool {
        let grant = meant.grant.as_ref().and_then(|id| self.ledger.get(id));
        grant.is_some_and(|grant| {
            let known = visit.may_end(visitor, &grant, channel).is_allowed();
            grant.continued.is_none() && Life::of(&grant, visit.at).is_over() && known
        })
    }
}

impl Visit<'_> {
    /// Whether the rules let somebody end a grant.
    pub(super) fn may_end(&self, visitor: Visitor<'_>, grant: &Grant, channel: Channel) -> Decision {
        let holder = self.in_force.directory.person(&grant.subject);
        self.rules()
            .may_end(visitor, grant, holder.as_deref(), channel, self.at)
    }
}

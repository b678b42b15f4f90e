//! Taking back what others hold, or what waits: all that somebody names of it and the rules let them end, at once.
//!
//! As with ending (`deeds.rs`), the ledger comes first: taking away access never waits for the book. It is told once the
//! records are on disk as well. What somebody must not know of is not counted either: they know of their own, of what waits
//! for their answer, and of what they may end.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::beside::Beside;
use super::ended::{tells, tells_of_tokens};
use super::paging::PAGE;
use super::{Portal, Visit};
use crate::facts::{Channel, Grant, GrantAct, GrantId, PlatformId, PurposeId, Reason, SubjectId, Token, TokenId};
use crate::ledger::{AllEnded, LedgerError, Life, Once};
use crate::policy::Decision;
use crate::purpose::Why;
use crate::rulebook::{Ending, Visitor};

/// How many grants are looked at before others have their turn.
const STRETCH: usize = 128;

/// Which grants are meant: those of which all that is named holds; every one where nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selection {
    pub(super) grant: Option<GrantId>,
    pub(super) user: Option<SubjectId>,
    pub(super) purpose: Option<PurposeId>,
    pub(super) platform: Option<PlatformId>,
    /// A token for tools, and no grant.
    pub(super) token: Option<TokenId>,
    /// That somebody answers for somebody else, and no grant.
    pub(super) delegation: Option<GrantId>,
}

/// How far to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    pub(super) channel: Channel,
    /// Only at what comes after this one.
    pub(super) after: Option<&'a GrantId>,
    /// Only until as much is found.
    pub(super) until: Option<usize>,
    /// Only at what others hold than this person.
    pub(super) not_of: Option<&'a SubjectId>,
    /// Whether it matters what else they know of, which takes a question for each that waits for an answer.
    pub(super) at_known: bool,
}

/// What somebody may end of what they meant.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen {
    /// The first page of it, in the order in which it was declared.
    pub(super) grants: Vec<Grant>,
    /// How much else they know of.
    pub(super) not_permitted: usize,
    /// The tokens and delegations of it.
    pub(super) beside: Beside,
    /// All the grants of it in the same order, what becomes of it, and what lets them.
    all: Vec<(GrantId, GrantAct, Arc<[Reason]>)>,
    refused: Option<Arc<[Reason]>>,
}

/// What was revoked.
#[derive(Clone, Debug)]
pub(super) struct Revoked {
    /// The first page of the grants.
    pub(super) grants: Vec<Grant>,
    /// How many it is.
    pub(super) count: usize,
    pub(super) delegations: Vec<Grant>,
    pub(super) tokens: Vec<Token>,
    /// How much else they know of.
    pub(super) not_permitted: usize,
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
    /// They are having everything looked through already.
    OneAtATime,
    /// Another gateway has just done it, for the same call.
    Done,
    /// The ledger cannot keep the change: nothing was revoked.
    NotKept,
    /// It is revoked, and the records are not on disk yet.
    NotRecorded(Revoked),
}

impl Selection {
    fn means(&self, grant: &Grant) -> bool {
        self.token.is_none()
            && self.delegation.is_none()
            && self.grant.as_ref().is_none_or(|id| grant.id == *id)
            && self.user.as_ref().is_none_or(|user| grant.subject == *user)
            && self.purpose.as_ref().is_none_or(|purpose| grant.purpose == *purpose)
            && self.platform.as_ref().is_none_or(|id| grant.platforms.contains(id))
    }
}

impl<'a> Look<'a> {
    /// At all of it.
    pub(super) fn at_all(channel: Channel) -> Self {
        Self {
            channel,
            after: None,
            until: None,
            not_of: None,
            at_known: true,
        }
    }

    /// For one page, and whether more follows.
    pub(super) fn for_a_page(channel: Channel, after: Option<&'a GrantId>, limit: usize) -> Self {
        Self {
            after,
            until: Some(limit + 1),
            at_known: false,
            ..Self::at_all(channel)
        }
    }

    /// Whether there is anything.
    pub(super) fn for_any(channel: Channel) -> Self {
        Self {
            until: Some(1),
            ..Self::at_all(channel)
        }
    }

    fn is_at(&self, grant: &Grant) -> bool {
        self.after.is_none_or(|after| grant.id > *after) && self.not_of.is_none_or(|who| grant.subject != *who)
    }
}

impl Chosen {
    /// How many grants it is.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// How much it is with all that is no grant.
    pub(super) fn count_all(&self) -> usize {
        self.all.len() + self.beside.count()
    }

    /// The same, with a page of at most so many.
    pub(super) fn cut(mut self, limit: usize) -> Self {
        self.grants.truncate(limit);
        self
    }

    /// After which the next page begins.
    pub(super) fn next(&self) -> Option<&GrantId> {
        let last = self.grants.last().filter(|_| self.all.len() > self.grants.len());
        last.map(|grant| &grant.id)
    }

    fn add(&mut self, grant: &Grant, own: bool, reasons: Arc<[Reason]>) {
        if self.grants.len() < PAGE {
            self.grants.push(grant.clone());
        }
        self.all.push((grant.id.clone(), act(own), reasons));
    }
}

fn act(own: bool) -> GrantAct {
    if own { GrantAct::Withdrawn } else { GrantAct::Revoked }
}

impl Portal {
    /// What somebody may end of what they mean, and how much they know of beside it.
    pub(super) async fn choose(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        meant: &Selection,
        look: Look<'_>,
    ) -> Result<Chosen, NotRevoked> {
        let mut chosen = Chosen::default();
        let mut may = visit.in_force.ending(visitor, look.channel, visit.at);
        let mut consider = |grant: &Grant| {
            if meant.means(grant) && look.is_at(grant) {
                self.consider(visit, visitor, (grant, &mut may, look), &mut chosen);
            }
            if look.until.is_some_and(|until| chosen.all.len() >= until) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        if let Some(few) = self.few(meant) {
            // whether it stopped before the end does not matter
            let _ = few.iter().try_for_each(consider);
        } else {
            let turn = self.turns.wait(&visitor.person.id).await;
            let _turn = turn.ok_or(NotRevoked::OneAtATime)?;
            let (mut last, stretch) = (look.after.cloned(), (STRETCH, visit.at));
            while let Some(next) = self.ledger.look_on(last.as_ref(), stretch, &mut consider) {
                last = Some(next);
                tokio::task::yield_now().await;
            }
        }
        // they stand on the first page
        if look.after.is_none() && look.until.is_none_or(|until| chosen.all.len() < until) {
            chosen.beside = self.beside(visit, &mut may, meant, look).await;
        }
        match chosen.refused.take() {
            _ if chosen.count_all() > 0 => Ok(chosen),
            Some(reasons) => Err(NotRevoked::Refused(reasons.to_vec())),
            None if self.is_over(visit, visitor, meant, look.channel) => Err(NotRevoked::Over),
            None => Err(NotRevoked::NoSuch),
        }
    }

    /// All that one holds, or the one that is named, in order; none where more could be meant.
    fn few(&self, meant: &Selection) -> Option<Vec<Grant>> {
        if meant.token.is_some() || meant.delegation.is_some() {
            return Some(Vec::new());
        }
        if let Some(id) = &meant.grant {
            return Some(self.ledger.get(id).into_iter().collect());
        }
        let mut theirs = self.ledger.grants_of(meant.user.as_ref()?);
        theirs.sort_by(|a, b| a.id.cmp(&b.id));
        Some(theirs)
    }

    fn consider(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (grant, may, look): (&Grant, &mut Ending<'_>, Look<'_>),
        chosen: &mut Chosen,
    ) {
        // what somebody continued past is theirs alone to take back
        if grant.continued.is_some() || Life::of(grant, visit.at).is_over() {
            return;
        }
        let may = may.grant(grant);
        if may.is_allowed {
            let own = grant.subject == visitor.person.id;
            chosen.add(grant, own, may.reasons);
        } else if look.at_known && self.is_told_of(visit, visitor, grant, look.channel) {
            chosen.not_permitted += 1;
            chosen.refused.get_or_insert(may.reasons);
        }
    }

    /// Ends what somebody may end of what they mean, and says why: all of it, or nothing.
    pub(super) async fn revoke(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        meant: &Selection,
        (why, channel): (Why, Channel),
    ) -> Result<Revoked, NotRevoked> {
        let chosen = self.choose(visit, visitor, meant, Look::at_all(channel)).await?;
        let (not_permitted, Beside { tokens, delegations }) = (chosen.not_permitted, chosen.beside);
        let ended = why.said_by(visitor.person.id.clone());
        let delegations = delegations.into_iter().map(|(one, reasons)| {
            let own = one.subject == visitor.person.id;
            (one.id, act(own), reasons)
        });
        let these = chosen.all.into_iter().chain(delegations).map(|(id, what, reasons)| {
            let on_record = self.on_record(what, visit.by(), &reasons);
            (id, on_record)
        });
        let once = visit.once.cloned().map(|once| Once { not_permitted, ..once });
        let tokens = tokens.into_iter().map(|(token, reasons)| {
            let on_record = self.on_record(GrantAct::Revoked, visit.by(), &reasons);
            (token.id, on_record)
        });
        let these = (these.collect(), tokens.collect(), once);
        let tell = (tells(self.book.clone()), tells_of_tokens(self.book.clone()));
        let revoked = self.ledger.revoke_all_once(these, (ended, visit.at), tell).await;
        let revoked = revoked.map_err(|trouble| {
            if trouble == LedgerError::DoneAlready {
                return NotRevoked::Done;
            }
            tracing::warn!(%trouble, "what was meant could not be revoked");
            NotRevoked::NotKept
        })?;
        self.revoked(revoked, not_permitted).await
    }

    /// What ended, once the book tells it.
    async fn revoked(
        &self,
        AllEnded { grants, tokens }: AllEnded,
        not_permitted: usize,
    ) -> Result<Revoked, NotRevoked> {
        if grants.is_empty() && tokens.is_empty() {
            // its holder, or somebody else, was first
            return Err(NotRevoked::Over);
        }
        let (delegations, mut grants): (Vec<Grant>, Vec<Grant>) =
            grants.into_iter().partition(|grant| grant.delegated.is_some());
        let count = grants.len();
        grants.truncate(PAGE);
        grants.shrink_to_fit();
        let revoked = Revoked {
            grants,
            count,
            delegations,
            tokens,
            not_permitted,
        };
        if let Err(trouble) = self.book.flush().await {
            tracing::warn!(%trouble, grants = count, "what was revoked is not recorded yet");
            return Err(NotRevoked::NotRecorded(revoked));
        }
        Ok(revoked)
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

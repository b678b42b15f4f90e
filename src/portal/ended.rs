//! What became of grants, and that tokens were revoked, in the book: ledger first, book second. What a crash overtakes between the two is told by the next
//! start, from what the ledger keeps.

use std::collections::BTreeMap;
use std::path::Path;

use super::Portal;
use crate::audit::{Book, read_from};
use crate::facts::{Act, Grant, GrantAct, GrantId, Reason, RulebookId, SubjectId, Token, TokenAct, TokenId};
use crate::ledger::{OnRecord, Telling, Untold, UntoldToken};

/// Says in the book what became of a grant once that is kept, and that it does once it is on disk.
pub(super) fn tells(book: Book) -> impl FnMut(&Grant, Telling) + Send + 'static {
    move |grant, telling| {
        let record = book.record(telling.says(grant));
        book.note_then(&record, move || telling.told());
    }
}

/// The same of tokens that were revoked.
pub(super) fn tells_of_tokens(book: Book) -> impl FnMut(&Token, Telling) + Send + 'static {
    move |token, telling| {
        let record = book.record(telling.says_of(token));
        book.note_then(&record, move || telling.told());
    }
}

/// What is told of grants and of tokens.
#[derive(Debug, Default)]
pub(super) struct NowTold {
    pub(super) grants: Vec<(GrantId, GrantAct)>,
    pub(super) tokens: Vec<TokenId>,
}

/// Whether a record of `grant` tells what is to be told: what its holder says of it can be corrected, and told again.
fn tells_of(untold: &Untold, grant: &Grant) -> bool {
    untold.on_record.act != GrantAct::Reported || untold.grant.report == grant.report
}

impl Portal {
    /// Says in the book what is not told in the folder `records`; gives what is told then.
    pub(super) fn tell_ends(&self, records: &Path) -> Result<NowTold, String> {
        let (untold, tokens) = (self.ledger.untold(), self.ledger.untold_tokens());
        let on_record = untold.iter().map(|one| &one.on_record);
        let on_record = on_record.chain(tokens.iter().map(|one| &one.on_record));
        let Some(from) = on_record.map(|on_record| on_record.segment).min() else {
            return Ok(NowTold::default());
        };
        let named = |one: &Untold| ((one.grant.id.clone(), one.on_record.act), one.clone());
        let mut lost: BTreeMap<_, Untold> = untold.iter().map(named).collect();
        let named = |one: &UntoldToken| (one.token.id.clone(), one.clone());
        let mut revoked: BTreeMap<TokenId, UntoldToken> = tokens.iter().map(named).collect();
        let told = NowTold {
            grants: lost.keys().cloned().collect(),
            tokens: revoked.keys().cloned().collect(),
        };
        for found in read_from(records, from).map_err(|problem| problem.to_string())? {
            let (_, record) = found.map_err(|problem| problem.to_string())?;
            if let Act::Token {
                act: TokenAct::Revoked,
                token,
                ..
            } = &record.act
            {
                revoked.remove(&token.id);
            }
            if let Act::Grant { act, grant, .. } = record.act {
                let named = (grant.id.clone(), act);
                if lost.get(&named).is_some_and(|one| tells_of(one, &grant)) {
                    lost.remove(&named);
                }
            }
        }
        for one in lost.into_values() {
            self.book.note(&self.book.record(one.on_record.says(one.grant)));
        }
        for one in revoked.into_values() {
            self.book.note(&self.book.record(one.on_record.says_of(one.token)));
        }
        Ok(told)
    }

    /// How the book will say what somebody makes of a grant now, and why the rules let them.
    pub(super) fn on_record(
        &self,
        act: GrantAct,
        (by, rulebook): (&SubjectId, &RulebookId),
        reasons: &[Reason],
    ) -> OnRecord {
        OnRecord {
            segment: self.book.segment(),
            act,
            by: by.clone(),
            rulebook: rulebook.clone(),
            policies: reasons.iter().map(|reason| reason.policy.clone()).collect(),
        }
    }
}

//! What somebody wrote and could not send, because they had to sign in first: given back to them, and to nobody else, by
//! whichever gateway they come to.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Portal, Visit};
use crate::ledger::{Envelope, LedgerError};

/// For how long it is kept.
const KEPT: Duration = Duration::from_hours(1);

/// What it is sealed as; of each person, what they wrote last is kept.
const DRAFT: &str = "draft";

/// What somebody wrote for one deed.
#[derive(Serialize, Deserialize)]
pub(super) struct Draft {
    of: String,
    note: String,
}

impl Draft {
    /// What was written, where it was for that deed.
    pub(super) fn of(&self, deed: &str) -> Option<&str> {
        (self.of == deed).then_some(self.note.as_str())
    }
}

impl Portal {
    /// Keeps what the person wrote for the deed `of`.
    pub(super) async fn keep_draft(&self, visit: &Visit<'_>, of: &str, note: &str) {
        if note.is_empty() {
            return;
        }
        let draft = Draft {
            of: of.to_owned(),
            note: note.to_owned(),
        };
        let who = &visit.subject.id;
        let text = serde_json::to_vec(&draft).unwrap_or_default();
        let Some(sealed) = self.seal.seal(&[DRAFT, who.as_str()], &text) else {
            return;
        };
        let envelope = Envelope {
            who: who.clone(),
            kind: DRAFT.to_owned(),
            name: DRAFT.to_owned(),
            stays: false,
            at: visit.at,
            sealed,
        };
        let forget = visit.at.minus(super::memory::KEPT);
        told(self.ledger.put_envelopes(vec![envelope], forget).await);
    }

    /// What the person wrote last and did not send.
    pub(super) async fn draft(&self, visit: &Visit<'_>) -> Option<Draft> {
        let who = &visit.subject.id;
        let found = self.ledger.envelopes_of(who, visit.at.minus(KEPT)).await;
        let kept = found.ok()?.into_iter().find(|envelope| envelope.kind == DRAFT)?;
        let text = self.seal.open(&[DRAFT, who.as_str()], &kept.sealed)?;
        serde_json::from_slice(&text).ok()
    }

    /// It was sent.
    pub(super) async fn draft_sent(&self, visit: &Visit<'_>) {
        told(self.ledger.forget_envelope(&visit.subject.id, DRAFT, DRAFT).await);
    }
}

/// That a draft is lost, or lives on for an hour, is no reason to stop anybody.
fn told(kept: Result<(), LedgerError>) {
    kept.unwrap_or_else(|trouble| tracing::debug!(%trouble, "a draft was not kept"));
}

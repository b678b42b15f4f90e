//! Calls that are done once, however often they are sent: whoever gives them a key (`Idempotency-Key`,
//! draft-ietf-httpapi-idempotency-key-header) can send one again that nobody answered, and hears what came of the first.
//!
//! What came of it is kept by the ledger with the grant itself; what is refused is not kept, and is asked anew.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::api::{given, not_kept};
use super::intake::Received;
use super::openapi::Call;
use super::pages::{self, Page, Problem, retry_after};
use super::revocations::{AGAIN, extend};
use super::revoking::{NotRevoked, Revoked};
use super::{Portal, Visit};
use crate::facts::{SubjectId, hex};
use crate::ledger::{Once, Recalled};

/// The header.
const KEY: &str = "idempotency-key";
/// How long a key may be.
const LONGEST: usize = 255;
/// Says that an answer is that to an earlier call.
const REPLAYED: &str = "idempotency-replayed";

/// The calls that are being answered, by who sent them.
#[derive(Default)]
pub(super) struct Underway(Mutex<BTreeSet<(SubjectId, String)>>);

/// One of them, until it is dropped.
pub(super) struct Place<'a> {
    underway: &'a Underway,
    call: (SubjectId, String),
}

impl Underway {
    fn enter(&self, once: &Once) -> Option<Place<'_>> {
        let call = (once.by.clone(), once.key.clone());
        let mut underway = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = underway.insert(call.clone());
        // a place that is dropped gives up the call, so none is made in vain
        is_new.then(|| Place { underway: self, call })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut underway = self.underway.0.lock().unwrap_or_else(PoisonError::into_inner);
        underway.remove(&self.call);
    }
}

impl Portal {
    /// The call as [`Portal::once`] has it, if what is shown with it is good for it.
    pub(super) async fn begin(
        &self,
        visit: &Visit<'_>,
        received: &Received,
        call: Call,
    ) -> Result<Option<(Once, Place<'_>)>, Page> {
        match self.not_covered(visit, &received.headers, call.scopes()) {
            Some(answer) => Err(answer),
            None => self.once(visit, received, call).await,
        }
    }

    /// The call that is to be done once, and its place; nothing where it gives no key. The error is its answer, where it is not
    /// to be done now.
    async fn once(
        &self,
        visit: &Visit<'_>,
        received: &Received,
        call: Call,
    ) -> Result<Option<(Once, Place<'_>)>, Page> {
        if !call.can_be_keyed() {
            return Ok(None);
        }
        let Some(key) = key(received)? else {
            return Ok(None);
        };
        let once = Once {
            by: visit.subject.id.clone(),
            key: hex(digest(&SHA256, key.as_bytes()).as_ref()),
            call: received.fingerprint(),
            at: visit.at,
            not_permitted: 0,
        };
        let place = self.underway.enter(&once).ok_or_else(in_use)?;
        match self.ledger.done(&once.by, &once.key, visit.at).await {
            Ok(None) => Ok(Some((once, place))),
            Ok(Some(recalled)) if recalled.done.call != once.call => Err(reused()),
            Ok(Some(recalled)) => Err(self.done_before(visit, received, (call, recalled)).await),
            Err(trouble) => {
                tracing::warn!(%trouble, "it cannot be found out whether a call was done already");
                Err(not_kept(self.words.not_kept_title, self.words.not_kept))
            }
        }
    }

    /// The answer to the same call once more: the same grants, as they are by now.
    async fn done_before(&self, visit: &Visit<'_>, received: &Received, (call, recalled): (Call, Recalled)) -> Page {
        let mut page = match call {
            Call::Revoke => {
                // what others held is shown as it was the first time: to whoever proves themselves with the call
                if let Err(page) = self.proves_again(visit, &received.headers).await {
                    return page;
                }
                self.revoked_before(visit, recalled).await
            }
            Call::Declare
            | Call::BreakGlass
            | Call::Renew
            | Call::ListGrants
            | Call::ShowGrant
            | Call::EndGrant
            | Call::Approve
            | Call::Decline
            | Call::Review
            | Call::ListApprovals
            | Call::ListReviews
            | Call::ListDecisions
            | Call::ShowDecision
            | Call::ListOpen
            | Call::ListRecords
            | Call::Continue
            | Call::ListPurposes
            | Call::Matrix
            | Call::Explain
            | Call::ListTokens
            | Call::MakeToken
            | Call::RevokeToken
            | Call::ReportOutcome
            | Call::ListDelegations
            | Call::Delegate
            | Call::ShowDelegation
            | Call::EndDelegation
            | Call::ShowValue
            | Call::ShowPrivacy
            | Call::Document => match recalled.grants.first() {
                Some(grant) => given(recalled.done.asked, &self.shown(grant, visit), grant),
                None => super::api::no_such_grant(),
            },
        };
        page.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        page
    }
}

impl Portal {
    /// As the first answer: told once the records are on disk.
    async fn revoked_before(&self, visit: &Visit<'_>, recalled: Recalled) -> Page {
        let Recalled {
            done,
            grants,
            delegations,
            tokens,
        } = recalled;
        if let Err(trouble) = self.book.flush().await {
            tracing::warn!(%trouble, grants = done.count, "what was revoked is not recorded yet");
            let revoked = Revoked {
                grants,
                count: done.count,
                delegations,
                tokens,
                not_permitted: done.not_permitted,
            };
            return self.not_revoked(visit, &NotRevoked::NotRecorded(revoked));
        }
        let revoked: Vec<Value> = grants.iter().map(|grant| self.shown(grant, visit)).collect();
        let mut body = json!({ "revoked": revoked, "count": done.count, "not_permitted": done.not_permitted });
        let beside = Self::told_beside(visit, (&delegations, done.delegations), (&tokens, done.token_count));
        extend(&mut body, beside);
        pages::json(StatusCode::OK, &body)
    }
}

/// The key that a call gives.
fn key(received: &Received) -> Result<Option<&str>, Page> {
    let mut values = received.headers.get_all(KEY).iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    // a string of RFC 9651, as the draft has it, or the same without its quotes, as many clients send it
    let text = value.to_str().ok().filter(|_| second.is_none()).map(str::trim);
    let bare = text.map(|text| {
        text.strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or(text)
    });
    let fits = |key: &&str| {
        (1..=LONGEST).contains(&key.len())
            && key
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
    };
    bare.filter(fits).map(Some).ok_or_else(|| {
        let detail = format!(
            "Give one key of 1 to {LONGEST} printable characters, e.g. Idempotency-Key: \"8e03978e-40d5-43e8-bc93-6894a57f9324\"."
        );
        let title = "The key of the call cannot be read";
        Problem::new(StatusCode::BAD_REQUEST, "key-unfit", title, &detail)
            .in_english()
            .answer()
    })
}

/// A call with the same key is being answered, here or by another gateway.
pub(super) fn in_use() -> Page {
    let (title, detail) = (
        "The same call is being answered",
        "A call of yours with the same Idempotency-Key has not been answered yet. Send it again in a moment, to hear what came of it.",
    );
    let problem = Problem::new(StatusCode::CONFLICT, "key-in-use", title, detail);
    let mut page = problem.in_english().answer();
    retry_after(&mut page, AGAIN);
    page
}

fn reused() -> Page {
    let (title, detail) = (
        "The key was given to another call",
        "You sent another call with the same Idempotency-Key within the last 24 hours. Give each call a key of its own.",
    );
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", title, detail);
    problem.in_english().answer()
}

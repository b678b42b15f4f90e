//! What some platforms want to be fetched before anything is posted there: an access token, or the key of a session.
//!
//! ```text
//!  key ──> one is held ───────────────┬──> posted with it ──> taken: let in
//!      └─> none: fetched, once for all ┘                  └─> 401 or 403: over; fetched anew, posted once more ──> the same: shut out
//! ```
//!
//! It is in memory alone, and neither logged nor shown. Where it is refused, nothing is asked or posted for a while, whoever
//! waits: an account that is tried too often is locked.

use std::sync::{Arc, Mutex as Shared, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request};
use http_body_util::Full;
use tokio::sync::Mutex;

use super::server::{Bad, Server, Unfetched};
use super::{AGENT, FORM, JSON, PATIENCE, Place, host_of};
use crate::clock::Timestamp;
use crate::facts::{Authority, Secret};
use crate::notices::Went;
use crate::notices::settings::Webhook;
use crate::upstream::Errands;

/// How long nothing is asked after it was in vain; and after it was refused: at first, doubled each time, and at most.
const IN_VAIN: Duration = Duration::from_secs(30);
const REFUSED: Duration = Duration::from_mins(1);
const REFUSED_AT_MOST: Duration = Duration::from_hours(1);
/// Nobody is left alone for longer than that, whatever they ask for.
const MOST_ASKED: Duration = Duration::from_hours(24);

/// What opens the door.
#[derive(Clone)]
pub(super) struct Key {
    text: Arc<Secret>,
    until: Timestamp,
    /// Which one it is, of all that were fetched.
    nth: u64,
}

/// Where it is fetched, and what is held of it.
pub(super) struct Session {
    hook: String,
    server: Server,
    place: Place,
    form: Secret,
    errands: Errands,
    held: Mutex<Held>,
    /// Why nobody is let in; none while somebody is.
    shut: Shared<Option<String>>,
}

#[derive(Default)]
struct Held {
    key: Option<Key>,
    fetched: u64,
    /// Until when nothing is asked, and why.
    pause: Option<(Timestamp, String)>,
    refusals: u32,
}

impl Session {
    /// The one that a hook needs to post to this host; none where it needs none. Reads what its settings name as files.
    pub(super) fn of(settings: &Webhook, to: (&Authority, bool), errands: &Errands) -> Result<Option<Self>, Bad> {
        let Some(server) = Server::of(settings.kind) else {
            return Ok(None);
        };
        let (place, form) = server.asked(settings, to)?;
        Ok(Some(Self {
            hook: settings.name.clone(),
            server,
            place,
            form,
            errands: errands.clone(),
            held: Mutex::default(),
            shut: Shared::default(),
        }))
    }

    /// What opens the door, fetched where none is held; what becomes of a letter where there is none.
    pub(super) async fn key(&self, at: Timestamp) -> Result<Key, Went> {
        // INVARIANT: whoever fetches one holds this: the others wait, and find what came of it.
        let mut held = self.held.lock().await;
        if let Some(later) = held.later(at) {
            return Err(later);
        }
        if let Some(key) = held.key.as_ref().filter(|key| at < key.until) {
            return Ok(key.clone());
        }
        let unfetched = match self.fetch(at).await {
            Ok((text, lasts)) => return Ok(held.hold(text, at.plus(lasts))),
            Err(unfetched) => unfetched,
        };
        if unfetched.is_refused {
            let settings = self.server.settings();
            let why = format!("{}: check {settings}, then restart the gateway", unfetched.why);
            Err(self.refused(&mut held, why, at))
        } else {
            let pause = unfetched.asked.unwrap_or_default().clamp(IN_VAIN, MOST_ASKED);
            Err(held.rest(unfetched.why, at, pause))
        }
    }

    /// As what it is shown at the door.
    pub(super) fn header(&self, key: &Key) -> Option<(HeaderName, HeaderValue)> {
        self.server.shown(&key.text)
    }

    /// It opens nothing any more: whoever comes next fetches another one.
    pub(super) async fn over(&self, key: &Key) {
        let mut held = self.held.lock().await;
        held.key = held.key.take().filter(|other| other.nth != key.nth);
    }

    /// It opens nothing, and another one would not either: what becomes of the letter.
    pub(super) async fn shut_out(&self, key: &Key, why: &str, at: Timestamp) -> Went {
        let mut held = self.held.lock().await;
        if let Some(later) = held.later(at) {
            return later;
        }
        let why = format!("{why}: {}", self.server.rights());
        if held.key.as_ref().is_some_and(|other| other.nth == key.nth) {
            self.refused(&mut held, why, at)
        } else {
            // somebody has fetched another one by now
            Went::Later(why, None)
        }
    }

    /// It opened the door.
    pub(super) async fn let_in(&self) {
        if self.shut().take().is_some() {
            self.held.lock().await.refusals = 0;
            tracing::info!(hook = %self.hook, "the hook is let in again: what waits is posted");
        }
    }

    /// Nothing waits to be posted there any more: whatever comes next tries anew at once.
    pub(super) fn forget(&self) {
        // somebody who holds it is asking just now, and will say what came of it
        let Ok(mut held) = self.held.try_lock() else { return };
        if self.shut().take().is_some() {
            (held.pause, held.refusals) = (None, 0);
        }
    }

    /// Why nothing is posted there.
    pub(super) fn trouble(&self) -> Option<String> {
        self.shut().clone()
    }

    fn refused(&self, held: &mut Held, why: String, at: Timestamp) -> Went {
        held.key = None;
        let doubled = REFUSED.saturating_mul(1 << held.refusals.min(16));
        held.refusals = held.refusals.saturating_add(1);
        tracing::error!(hook = %self.hook, why, "a hook is not let in: nothing is posted there until that is mended");
        *self.shut() = Some(why.clone());
        held.rest(why, at, doubled.min(REFUSED_AT_MOST))
    }

    async fn fetch(&self, at: Timestamp) -> Result<(Secret, Duration), Unfetched> {
        let Place { to, secure, target } = &self.place;
        let request = Request::builder()
            .method(Method::POST)
            .uri(target)
            .header(HOST, host_of(to, *secure))
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, JSON)
            .header(CONTENT_TYPE, FORM)
            .body(Full::new(Bytes::from(self.form.reveal().to_owned())));
        let request = request.map_err(|_| Unfetched::refused("the request cannot be written".to_owned()))?;
        let asked = self.errands.ask((to, *secure), request, PATIENCE).await;
        let (answer, body) = asked.map_err(|fault| Unfetched::in_vain(fault.to_string(), None))?;
        self.server.given(&answer, &body, at).map_err(|mut unfetched| {
            unfetched.why = format!("`{to}` {}", unfetched.why);
            unfetched
        })
    }

    fn shut(&self) -> MutexGuard<'_, Option<String>> {
        self.shut.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// What becomes of a letter while nothing is asked.
    fn later(&self, at: Timestamp) -> Option<Went> {
        let (until, why) = self.pause.as_ref().filter(|(until, _)| at < *until)?;
        Some(Went::Later(why.clone(), Some(until.since(at))))
    }

    /// Asks nothing for so long.
    fn rest(&mut self, why: String, at: Timestamp, pause: Duration) -> Went {
        self.pause = Some((at.plus(pause), why.clone()));
        Went::Later(why, Some(pause))
    }

    fn hold(&mut self, text: Secret, until: Timestamp) -> Key {
        self.fetched = self.fetched.saturating_add(1);
        self.pause = None;
        let key = Key {
            text: Arc::new(text),
            until,
            nth: self.fetched,
        };
        self.key = Some(key.clone());
        key
    }
}

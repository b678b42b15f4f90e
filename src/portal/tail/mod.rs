//! Decisions as they are made, as an event stream (HTML, "server-sent events"). Few watch at once, each for some minutes, after
//! which a browser asks again and is asked who it is again. However slow one is, the writer of the records does not wait:
//! what went by meanwhile is told as a number.

mod watchers;

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use http::header::{self, HeaderValue};
use http::{Method, Response, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::json;

use super::decision_pages::Shown;
use super::decisions::{Decided, Unseen};
use super::intake::Received;
use super::pages::{Page, plain, retry_after};
use super::sees::Sees;
use super::wanted::Wanted;
use super::{Anew, BadFilter, Portal, Visit, provenance};
use crate::audit::{Filter, Watcher, Written};
use crate::facts::{AccessAct, Channel};
pub(super) use watchers::Watchers;
use watchers::{NoPlace, Place};

/// Where it is.
const ADDRESS: &str = "/decisions/live";
/// How often something is said where nothing happens, so that an end of the connection is noticed.
const BEAT: Duration = Duration::from_secs(15);

/// What flows to a watcher.
pub type Tail = Response<StreamBody<Events>>;
/// The events of it; an error where it ends before it is whole, so that the transport does not say that it is.
pub(super) type Events = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send + Sync>>;

/// One who watches.
struct Watching {
    watcher: Watcher,
    sees: Sees,
    wanted: Wanted,
    shown: Shown,
    anew: Anew,
    end: Pin<Box<tokio::time::Sleep>>,
    _place: Place,
}

impl Portal {
    /// What flows to whoever asks for decisions as they are made or for what a search finds as a file, for as long as they may
    /// have it; a page says why not, and nothing is answered here to any other request.
    pub async fn flows(&self, visit: &Visit<'_>, received: &Received, anew: Anew) -> Option<Result<Tail, Page>> {
        if received.path() == ADDRESS {
            self.tail(visit, received, anew).await
        } else {
            self.export(visit, received, anew).await
        }
    }

    /// Decisions as they are made: a browser asks for them again where it is to be looked at anew.
    async fn tail(&self, visit: &Visit<'_>, received: &Received, anew: Anew) -> Option<Result<Tail, Page>> {
        if received.path() != ADDRESS || received.method != Method::GET {
            return None;
        }
        // nobody watches by a link of somebody else's
        let is_theirs = provenance::may_open(&received.headers) && !provenance::is_led_here(&received.headers);
        let is_ours = visit.secure && visit.token.is_none() && is_theirs;
        let visitor = visit.visitor().filter(|_| is_ours)?;
        let counter = self.for_request(received);
        let policies = Self::may_watch(visit, visitor, Channel::Portal)?;
        let (wanted, mut bad) = Wanted::of(received, visit.at, &["all", "after"]);
        bad.extend(wanted.never_live(visit, visitor));
        if !bad.is_empty() {
            return Some(Err(counter.bad_filters(&bad)));
        }
        let place = match self.watchers.enter(&visitor.person.id) {
            Ok(place) => place,
            Err(why) => return Some(Err(counter.no_place(why))),
        };
        let noted = self.note_looking(visit, &wanted, AccessAct::Watched, policies).await;
        if noted.is_err() {
            return Some(Err(counter.unseen_decisions_page(&Unseen::NotRecorded)));
        }
        // what a browser has seen is newer than what the page was made of
        let seen = received.headers.get("last-event-id");
        let seen = seen.and_then(|seen| seen.to_str().ok()?.parse().ok());
        let seen = seen.or_else(|| received.asked("after")?.parse().ok());
        let watching = Watching {
            watcher: self.book.watch(seen),
            sees: Sees::of(visit, visitor, Channel::Portal),
            wanted: Wanted {
                filter: Filter {
                    since: None,
                    until: None,
                    ..wanted.filter
                },
                ..wanted
            },
            shown: Shown::of(counter.words, visit, visitor),
            anew,
            end: Box::pin(tokio::time::sleep_until(place.until)),
            _place: place,
        };
        Some(Ok(flowing(watching)))
    }

    /// Nothing will ever be told to whoever watches for what there is not.
    fn bad_filters(&self, bad: &[BadFilter]) -> Page {
        let words = &self.words.decisions;
        let wrong: Vec<String> = bad.iter().map(words.bad_filter).collect();
        self.note(StatusCode::UNPROCESSABLE_ENTITY, words.bad_filters, &wrong.join(" "))
    }

    fn no_place(&self, why: NoPlace) -> Page {
        let words = &self.words.decisions;
        let text = match why {
            NoPlace::Full => words.many_watch,
            NoPlace::Yours => words.you_watch,
        };
        let mut page = self.note(StatusCode::SERVICE_UNAVAILABLE, words.many_watch_title, text);
        retry_after(&mut page, 60);
        page
    }
}

/// The answer with its events.
fn flowing(watching: Watching) -> Tail {
    // at once, so that whoever asked knows that it flows
    let begins = stream::once(async { Ok(Frame::data(Bytes::from_static(b"retry: 2000\n\n"))) });
    let goes_on = stream::unfold(watching, |mut watching| async move {
        let text = watching.next().await?;
        Some((Ok(Frame::data(Bytes::from(text))), watching))
    });
    let events: Events = Box::pin(stream::StreamExt::chain(begins, goes_on));
    let (mut head, _) = plain(StatusCode::OK, "text/event-stream", String::new()).into_parts();
    head.headers
        .insert(header::VARY, HeaderValue::from_static(super::language::BY_CHOICE));
    Response::from_parts(head, StreamBody::new(events))
}

impl Watching {
    /// What is said next; nothing once it is over.
    async fn next(&mut self) -> Option<String> {
        tokio::select! {
            biased;
            () = self.anew.comes() => None,
            () = &mut self.end => None,
            written = tokio::time::timeout(BEAT, self.watcher.next()) => match written {
                Ok(written) => Some(self.told(&written?)),
                Err(_) => Some(self.looked()),
            },
        }
    }

    fn told(&mut self, written: &Written) -> String {
        let mut text = String::new();
        if written.missed > 0 {
            let missed = (self.shown.words.decisions.missed)(written.missed);
            text.push_str(&event("missed", None, &json!({ "text": missed })));
        }
        for (number, record) in &written.records {
            if self.wanted.admits(record)
                && self.sees.admits(record)
                && let Some(decided) = Decided::of(record)
            {
                text.push_str(&event(
                    "decision",
                    Some(*number),
                    &json!(self.shown.line(&decided, None)),
                ));
            }
        }
        text.push_str(&self.looked());
        text
    }

    /// How far they have come, which is a sign of life as well: what did not fit the filters need not be looked at again by
    /// whoever comes back.
    fn looked(&self) -> String {
        event("looked", Some(self.watcher.seen()), &json!({}))
    }
}

/// One event; JSON stands on one line.
fn event(kind: &str, number: Option<u64>, data: &serde_json::Value) -> String {
    let id = number.map(|number| format!("id: {number}\n")).unwrap_or_default();
    format!("{id}event: {kind}\ndata: {data}\n\n")
}

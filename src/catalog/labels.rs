//! How far an operation's name is believed.
//!
//! A name is the client's claim. One that names a write is taken at its word, and every name counts: those in the
//! query, in headers, in the body, repeated or in a batch. One that names a *read* on a writing request loosens, so it
//! counts only where the catalogue says so:
//!
//! * `reads = "endpoint"`: the path cannot write, whatever stands in the request;
//! * `reads = "label"`: the path can write under another name. The read is believed only if the name stands where the
//!   server itself takes the request from (in the body, where the signature lists the body; in the path, where it
//!   names no operation), if the whole body was readable and held no file, and if no `mark` of the platform contradicts
//!   it. Every other name counts as well.
//!
//! A safe method needs no name to be believed; a mark contradicts it all the same.
//!
//! **What remains.** Persisted-query interfaces (Facebook, Instagram, Threads, Quora, Medium, X) run a stored document by its
//! id, and the name beside it is decoration: somebody who crafts requests can send the id of a mutation under the
//! name of a query. The ids rotate with every deployment, so no list of them is safe. The marks close this as far as the
//! request shows it (`variables.input` of every Relay mutation, every field that the web clients of Facebook, Instagram, Threads and X do not
//! send, at X every variable that the read does not take, at Medium a hash in `extensions`); a
//! mutation without such a mark that is sent under a read's name passes as a read. Whoever cannot accept that removes
//! the `reads = "label"` lines of the platform: its reads by POST then are `unknown-write`.

use smallvec::SmallVec;

use super::index::Match;
use super::marks::Mark;
use super::peek::{LONGEST_NAME, MARK, Media, is_unclear, reads_as};
use super::recognise::Reader;
use super::signature::{Method, Operation, Reads};
use super::tree::Kind;
use crate::facts::Peek;

/// With more values for one key than this, nobody can say which one counts.
const MOST_NAMES: usize = 64;

/// Where a name stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Query,
    Header,
    Body,
}

type Labels = [(String, String)];

impl<'c> Reader<'c, '_> {
    /// Adds what the names of a request make of it, given the signatures that match otherwise.
    pub(super) fn judge_names(&mut self, method: Method, matches: &[Match<'c>]) {
        let needs_body = |found: &Match<'c>| found.operation().is_some_and(|operation| operation.places.in_body());
        if self.body_is_hidden() && !method.is_safe() && matches.iter().any(needs_body) {
            self.add(self.catalog.activities.common.unknown_write);
        }
        let head = self.head;
        match &head.peek {
            Peek::Operations(operations) if !operations.is_empty() => {
                for body in operations {
                    self.one_operation(method, matches, body);
                }
            }
            Peek::Operations(_) | Peek::NotTaken | Peek::Opaque(_) => self.one_operation(method, matches, &[]),
        }
    }

    fn one_operation(&mut self, method: Method, matches: &[Match<'c>], body: &Labels) {
        let mut any_name = false;
        for (at, found) in matches.iter().enumerate() {
            let Some(key) = found.key() else {
                continue;
            };
            let seen_before = matches.iter().take(at).any(|earlier| earlier.key() == Some(key));
            if seen_before {
                continue;
            }
            // A key that only some servers take for this one may name something to them, and nothing to others.
            if self
                .head
                .query
                .iter()
                .any(|(name, _)| name != key && reads_as(name, key))
            {
                self.add(self.catalog.activities.common.unknown_write);
            }
            for (count, (from, name)) in self.names(key, matches, body).into_iter().enumerate() {
                any_name = true;
                if count >= MOST_NAMES {
                    self.add(self.catalog.activities.common.unknown_write);
                    break;
                }
                self.one_name(method, matches, body, (key, from, name));
            }
        }
        if !any_name {
            self.without_name(method, matches, body);
        }
    }

    /// The values that a request gives for an operation's key, wherever they stand.
    fn names<'n>(&self, key: &str, matches: &[Match<'_>], body: &'n Labels) -> Vec<(From, &'n str)>
    where
        'c: 'n,
    {
        let head = self.head;
        let reads_header = |name: &str| {
            let mut operations = matches
                .iter()
                .filter_map(Match::operation)
                .filter(|operation| *operation.key == *key);
            operations.any(|operation| operation.places.headers.iter().any(|header| **header == *name))
        };
        let query = head.query.iter().filter(|(name, _)| reads_as(name, key));
        let headers = head.hints.labels.iter().filter(|(name, _)| reads_header(name));
        let body = body.iter().filter(|(name, _)| name == key);
        query
            .map(|(_, value)| (From::Query, value.as_str()))
            .chain(headers.map(|(_, value)| (From::Header, value.as_str())))
            .chain(body.map(|(_, value)| (From::Body, value.as_str())))
            .collect()
    }

    fn one_name(&mut self, method: Method, matches: &[Match<'c>], body: &Labels, label: (&str, From, &str)) {
        let (key, from, name) = label;
        // What could not be decoded stands for text that nobody has seen.
        let is_readable = name.len() <= LONGEST_NAME && !name.contains(char::REPLACEMENT_CHARACTER);
        let rank = |found: &Match<'c>, operation: &Operation| {
            let (kind, length) = operation.pattern.rank();
            // Two regular expressions that both match are two readings, however long they are.
            let length = if kind == 1 { 0 } else { length };
            let specific = !self.is_fallback(found);
            (found.host_rank, kind, specific, length, found.path_rank)
        };
        let fits = |found: &Match<'c>| {
            let operation = found.operation()?;
            let fits = is_readable && *operation.key == *key && operation.pattern.matches(name);
            fits.then(|| rank(found, operation))
        };
        let Some(best) = matches.iter().filter_map(fits).max() else {
            self.without_name(method, matches, body);
            return;
        };
        let winners: Vec<Match<'c>> = matches
            .iter()
            .filter(|found| fits(found) == Some(best))
            .copied()
            .collect();
        for winner in &winners {
            let believed = self.believes(method, winner, body, (key, from));
            self.add_if(believed, winner);
        }
        // A signature that names the host more closely has its say, too.
        let closer = |found: &Match<'c>| found.operation().is_none() && found.host_rank > best.0;
        if matches.iter().any(closer) {
            self.without_name(method, matches, body);
        }
    }

    /// What the request is by host, method and path alone.
    fn without_name(&mut self, method: Method, matches: &[Match<'c>], body: &Labels) {
        let rank = |found: &Match<'c>| (found.host_rank, found.path_rank, !self.is_fallback(found));
        let unnamed = || matches.iter().filter(|found| found.operation().is_none());
        let Some(best) = unnamed().map(rank).max() else {
            if method.is_safe() && self.is_contradicted(method, body) {
                self.add(self.catalog.activities.common.unknown_write);
            } else {
                self.add_default(method);
            }
            return;
        };
        let mut winners: Vec<Match<'c>> = unnamed().filter(|found| rank(found) == best).copied().collect();
        let writes = |found: &&Match<'c>| self.kind(found.signature.activity) == Kind::Write;
        if !winners.iter().any(|found| writes(&found)) {
            // a read that names the host more closely hides no write that names the path more closely
            let closer = |found: &&Match<'c>| found.path_rank > best.1 && !self.is_fallback(found);
            let hidden = || unnamed().filter(writes).filter(closer);
            if let Some(closest) = hidden().map(rank).max() {
                winners.extend(hidden().filter(|found| rank(found) == closest).copied());
            }
        }
        for winner in &winners {
            let believed = self.believes(method, winner, body, ("", From::Query));
            self.add_if(believed, winner);
        }
    }

    fn add_if(&mut self, believed: bool, found: &Match<'c>) {
        if believed {
            self.add_signature(found.signature);
        } else {
            self.add(self.catalog.activities.common.unknown_write);
        }
    }

    fn is_fallback(&self, found: &Match<'_>) -> bool {
        let common = self.catalog.activities.common;
        [common.unknown_write, common.browse].contains(&found.signature.activity)
    }

    /// Whether a signature's activity may be taken as what the request does.
    fn believes(&self, method: Method, found: &Match<'_>, body: &Labels, label: (&str, From)) -> bool {
        let signature = found.signature;
        if self.kind(signature.activity) == Kind::Write {
            return true;
        }
        let counts = match signature.reads {
            Reads::Endpoint => return true,
            Reads::No => method.is_safe(),
            Reads::Label => method.is_safe() || self.stands_where_it_counts(found, body, label),
        };
        counts && !self.is_contradicted(method, body)
    }

    fn stands_where_it_counts(&self, found: &Match<'_>, body: &Labels, (key, from): (&str, From)) -> bool {
        let Some(operation) = found.operation() else {
            // The name is the path's last segment.
            return true;
        };
        let places = &operation.places;
        if places.in_body() {
            let readable = match Media::of(self.head) {
                Media::Form | Media::Multipart(_) => places.form,
                Media::Json => places.json,
                Media::Other => false,
            };
            return readable && !self.body_is_hidden() && body.iter().any(|(name, _)| name == key);
        }
        match from {
            From::Query => places.query,
            From::Header => true,
            From::Body => false,
        }
    }

    /// Whether something in the request shows that it writes, or could be hidden where we cannot look.
    fn is_contradicted(&self, method: Method, body: &Labels) -> bool {
        if method.is_safe() && self.head.query.is_empty() {
            return false;
        }
        if method.is_safe() {
            // where nothing is marked a name makes no difference to a safe method
            return self.marks().next().is_some() && self.query_shows();
        }
        self.body_is_hidden() || body.iter().any(|(name, _)| name == MARK) || self.query_shows()
    }

    /// Whether the query shows that the request writes: asked for each operation of a batch, and the same for all.
    fn query_shows(&self) -> bool {
        *self.query_shows.get_or_init(|| {
            let marks: SmallVec<[&Mark; 8]> = self.marks().collect();
            self.head.query.iter().any(|(key, value)| {
                is_unclear(key, value) || marks.iter().any(|mark| mark.is_in_pair(key, value, self.paths))
            })
        })
    }
}

impl<'c> Match<'c> {
    pub(super) fn operation(&self) -> Option<&'c Operation> {
        self.signature.operation.as_ref()
    }

    fn key(&self) -> Option<&'c str> {
        self.operation().map(|operation| &*operation.key)
    }
}

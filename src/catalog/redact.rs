//! What signatures look at in a request, and a head without the rest.

use super::Catalog;
use super::PEEK_LIMIT;
use super::path::{Segments, Spelling};
use super::peek::{MARK, Media, Wanted};
use super::recognise::{OVERRIDE_HEADERS, Reader, is_beacon, overriding};
use super::signature::{Method, Reads};
use crate::facts::{Head, Peek, Place};

impl Catalog {
    pub(super) fn body_matters(&self, place: &Place, head: &Head) -> bool {
        let hints = &head.hints;
        let limit = u64::try_from(PEEK_LIMIT).unwrap_or(u64::MAX);
        let readable = hints.has_body
            && hints.content_encoding.is_none()
            && hints.content_length.is_none_or(|length| length <= limit)
            && Media::of(head) != Media::Other;
        if !readable {
            return false;
        }
        let path = self.hidden(place, &head.path);
        let spelling = Spelling::of(&path);
        let paths = spelling.paths();
        let reader = Reader::new(self, place, head, &paths);
        let marked = self.index.marks(place).next().is_some();
        let writing = |method: &Method| !method.is_safe();
        reader.in_reach().any(|candidate| {
            let signature = candidate.signature;
            let named = signature
                .operation
                .as_ref()
                .is_some_and(|operation| operation.places.in_body());
            let doubted = marked && signature.reads == Reads::Label;
            let mut methods = reader.effective_methods().filter(writing);
            (named || doubted) && methods.any(|method| signature.methods.contains(method))
        })
    }

    /// What signatures look at in the body of such a request.
    pub(super) fn wanted<'c>(&'c self, place: &'c Place, head: &'c Head) -> Wanted<'c> {
        let path = self.hidden(place, &head.path);
        let spelling = Spelling::of(&path);
        let paths = spelling.paths();
        let reader = Reader::new(self, place, head, &paths);
        let mut wanted = Wanted::default();
        for candidate in reader.in_reach() {
            match &candidate.signature.operation {
                Some(operation) if operation.places.in_body() => wanted.keys.push(&operation.key),
                Some(_) | None => {}
            }
            if candidate.signature.reads == Reads::Label && wanted.marks.is_empty() {
                wanted.marks.extend(self.index.marks(place));
            }
        }
        wanted.keys.sort_unstable();
        wanted.keys.dedup();
        wanted
    }

    pub(super) fn without_the_unread(&self, place: &Place, head: &Head) -> Head {
        let path = self.hidden(place, &head.path);
        let spelling = Spelling::of(&path);
        let paths = spelling.paths();
        let reader = Reader::new(self, place, head, &paths);
        let operations: Vec<_> = reader
            .in_reach()
            .filter_map(|found| found.signature.operation.as_ref())
            .collect();
        let marks: Vec<_> = self.index.marks(place).collect();
        let is_key = |key: &str| operations.iter().any(|operation| *operation.key == *key);
        let is_header = |name: &str| {
            let mut headers = operations.iter().flat_map(|operation| &operation.places.headers);
            OVERRIDE_HEADERS.contains(&name) || headers.any(|header| **header == *name)
        };
        let parameter = |(key, value): &(String, String)| {
            if is_key(key) || overriding(key, value).is_some() {
                return Some((key.clone(), value.clone()));
            }
            let mark = marks.iter().find(|mark| mark.is_in_pair(key, value))?;
            Some((mark.key.to_string(), mark.sign.stand_in()))
        };
        let mut kept = Head {
            path: path.to_string(),
            ..head.clone()
        };
        kept.query = head.query.iter().filter_map(parameter).collect();
        kept.hints.labels.retain(|(name, _)| is_header(name));
        if let Peek::Operations(found) = &mut kept.peek {
            for labels in found {
                labels.retain(|(key, value)| key == MARK || is_key(key) || overriding(key, value).is_some());
            }
        }
        if !self.looks_at_the_page(place, head, &paths.plain) {
            kept.hints.origin = None;
            kept.hints.referer = None;
        }
        kept
    }

    /// Whether the page that a request came from matters: only where it could be an embed.
    fn looks_at_the_page(&self, place: &Place, head: &Head, path: &Segments<'_>) -> bool {
        let by_path = self
            .index
            .embeds(place.host.as_str())
            .any(|embed| embed.path.matches(path, false));
        let by_role = is_beacon(place);
        let own = self.family_of(&place.host);
        let from = head.hints.referer.as_ref().map(|referer| &referer.host);
        let same = |host| own.is_some() && self.family_of(host) == own;
        (by_path || by_role) && [from, head.hints.origin.as_ref()].into_iter().flatten().any(same)
    }
}

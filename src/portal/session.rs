//! Who signed in a short while ago, beside what the hop to the proxy proves: what approving takes.
//!
//! A session is a cookie of the portal's own host that no script can read and no other site sends along (RFC 6265bis:
//! `__Host-`, `Secure`, `HttpOnly`, `SameSite=Strict`). It is good for the person who got it, coming in as that person on
//! the hop, for a quarter of an hour; each sign-in makes a new one, so that nobody can have put it there before. What it
//! rests on can be taken back (a removed account, a new password). Sessions live in memory: a restart ends them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;

use super::language;
use super::tokens::random;
use crate::clock::Timestamp;
use crate::facts::SubjectId;
use crate::identity::SignIn;

/// For how long a sign-in is recent.
pub(super) const RECENT: Duration = Duration::from_mins(15);

/// How many sessions one person has at most: then the oldest goes for each that comes.
const EACH: usize = 8;

const NAME: &str = "__Host-wayleave-session";

/// SHA-256 of an id: what is in memory lets nobody in.
type Digest = Vec<u8>;

struct Session {
    digest: Digest,
    since: Timestamp,
    sign_in: SignIn,
}

impl Session {
    fn is_good(&self, now: Timestamp) -> bool {
        self.since <= now && now.since(self.since) < RECENT && self.sign_in.is_good()
    }
}

/// The sessions by person.
#[derive(Default)]
pub(super) struct Sessions {
    people: Mutex<BTreeMap<SubjectId, Vec<Session>>>,
}

impl Sessions {
    /// Begins a session, and ends the one that `headers` bring; gives the `Set-Cookie` for it. None if there is no
    /// randomness.
    pub(super) fn begin(
        &self,
        who: &SubjectId,
        sign_in: SignIn,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<String> {
        let id = URL_SAFE_NO_PAD.encode(random::<16>()?);
        let before = presented(headers);
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.retain(|_, sessions| {
            // a request that waited comes from a moment ago: it ends nothing that began meanwhile
            sessions.retain(|session| now.since(session.since) < RECENT && session.sign_in.is_good());
            !sessions.is_empty()
        });
        let theirs = people.entry(who.clone()).or_default();
        theirs.retain(|session| before.as_ref() != Some(&session.digest));
        if theirs.len() >= EACH {
            theirs.remove(0);
        }
        theirs.push(Session {
            digest: digest(&id),
            since: now,
            sign_in,
        });
        Some(cookie(&id, RECENT))
    }

    /// What the session of `who` rests on that `headers` bring; none where they bring none.
    pub(super) fn sign_in(&self, who: &SubjectId, headers: &HeaderMap, now: Timestamp) -> Option<SignIn> {
        let presented = presented(headers)?;
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let mut theirs = people.get(who)?.iter().filter(|session| session.is_good(now));
        let found = theirs.find(|session| session.digest == presented)?;
        Some(found.sign_in.clone())
    }

    /// Ends the session that `headers` bring, if it is `who`'s; gives the `Set-Cookie` that has the browser forget it.
    pub(super) fn end(&self, who: &SubjectId, headers: &HeaderMap) -> String {
        if let Some(presented) = presented(headers) {
            let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(theirs) = people.get_mut(who) {
                theirs.retain(|session| session.digest != presented);
            }
        }
        cookie("", Duration::ZERO)
    }
}

fn cookie(id: &str, lasts: Duration) -> String {
    let lasts = lasts.as_secs();
    format!("{NAME}={id}; Path=/; Max-Age={lasts}; Secure; HttpOnly; SameSite=Strict")
}

fn digest(id: &str) -> Digest {
    digest::digest(&digest::SHA256, id.as_bytes()).as_ref().to_vec()
}

/// The session that a client presents: one, or none counts. HTTP/2 splits the field (RFC 9113 §8.2.3).
fn presented(headers: &HeaderMap) -> Option<Digest> {
    let mut ids = language::values_of(headers, NAME);
    match (ids.next(), ids.next()) {
        (Some(id), None) => Some(digest(id)),
        (None | Some(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;

    use super::*;

    fn who(name: &str) -> SubjectId {
        SubjectId::parse(name).unwrap()
    }

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus(Duration::from_mins(minutes))
    }

    /// What a browser sends back after `Set-Cookie`.
    fn back(set: &str) -> HeaderMap {
        let pair = set.split(';').next().unwrap();
        HeaderMap::from_iter([(COOKIE, format!("theme=dark; {pair}").parse().unwrap())])
    }

    fn knows(sessions: &Sessions, name: &str, headers: &HeaderMap, now: Timestamp) -> bool {
        sessions.sign_in(&who(name), headers, now).is_some()
    }

    fn begin(sessions: &Sessions, name: &str, headers: &HeaderMap, minutes: u64) -> String {
        let begun = sessions.begin(&who(name), SignIn::default(), headers, at(minutes));
        begun.unwrap()
    }

    #[test]
    fn a_session_is_its_persons_for_a_quarter_of_an_hour() {
        let sessions = Sessions::default();
        let headers = back(&begin(&sessions, "mia", &HeaderMap::new(), 0));
        assert!(knows(&sessions, "mia", &headers, at(14)));
        assert!(!knows(&sessions, "mia", &headers, at(15)));
        assert!(
            !knows(&sessions, "ben", &headers, at(1)),
            "another person who got hold of it"
        );
        assert!(!knows(&sessions, "mia", &HeaderMap::new(), at(1)));
    }

    #[test]
    fn its_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts() {
        let set = begin(&Sessions::default(), "mia", &HeaderMap::new(), 0);
        let (pair, rest) = set.split_once("; ").unwrap();
        let id = pair.strip_prefix("__Host-wayleave-session=").unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(id).unwrap().len(), 16);
        assert_eq!(rest, "Path=/; Max-Age=900; Secure; HttpOnly; SameSite=Strict");
    }

    #[test]
    fn nobody_can_fix_a_session_before_somebody_signs_in() {
        let sessions = Sessions::default();
        let planted = back("__Host-wayleave-session=cGxhbnRlZA; Path=/");
        let first = back(&begin(&sessions, "mia", &planted, 0));
        assert!(!knows(&sessions, "mia", &planted, at(0)));
        let second = back(&begin(&sessions, "mia", &first, 1));
        assert!(!knows(&sessions, "mia", &first, at(1)), "the one before ends");
        assert!(knows(&sessions, "mia", &second, at(1)));
        let mut both = second.clone();
        both.append(COOKIE, first[COOKIE].clone());
        assert!(!knows(&sessions, "mia", &both, at(1)), "two are none");
    }

    #[test]
    fn signing_out_ends_it_and_so_it_does_not_fill_the_memory() {
        let sessions = Sessions::default();
        let headers = back(&begin(&sessions, "mia", &HeaderMap::new(), 0));
        sessions.end(&who("ben"), &headers);
        assert!(knows(&sessions, "mia", &headers, at(0)), "not by somebody else");
        assert!(sessions.end(&who("mia"), &headers).contains("Max-Age=0"));
        assert!(!knows(&sessions, "mia", &headers, at(0)));
        for _ in 0..100 {
            begin(&sessions, "mia", &HeaderMap::new(), 0);
        }
        assert_eq!(sessions.people.lock().unwrap()[&who("mia")].len(), EACH);
        begin(&sessions, "ben", &HeaderMap::new(), 60);
        assert_eq!(sessions.people.lock().unwrap().len(), 1);
    }
}

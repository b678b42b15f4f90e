//! Who signed in a short while ago, beside what the hop to the proxy proves: what approving takes.
//!
//! A session is a cookie of the portal's own host that no script can read and no other site sends along (RFC 6265bis:
//! `__Host-`, `Secure`, `HttpOnly`, `SameSite=Strict`). It is good for the person who got it, coming in as that person on
//! the hop, for a quarter of an hour; each sign-in makes a new one, so that nobody can have put it there before. What it
//! rests on can be taken back (a removed account, a new password). The ledger keeps it, and is asked each time: signed out
//! at one gateway is signed out at all, and where the ledger cannot be asked nobody is signed in.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;

use super::language;
use super::tokens::{AHEAD, random};
use crate::clock::Timestamp;
use crate::facts::{SubjectId, hex};
use crate::identity::{Guard, SignIn};
use crate::ledger::{Ledger, LedgerError, Session};

/// For how long a sign-in is recent.
pub(super) const RECENT: Duration = Duration::from_mins(15);

/// How many sessions one person has at most: then the oldest goes for each that comes.
const EACH: u32 = 8;

const NAME: &str = "__Host-wayleave-session";

/// The sessions that the ledger keeps.
pub(super) struct Sessions<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) guard: &'a Guard,
}

impl Sessions<'_> {
    /// Begins a session, and ends the one that `headers` bring; gives the `Set-Cookie` for it. None if there is no
    /// randomness.
    pub(super) async fn begin(
        &self,
        who: &SubjectId,
        sign_in: &SignIn,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Option<String>, LedgerError> {
        let Some(id) = random::<16>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes)) else {
            return Ok(None);
        };
        let session = Session {
            who: who.clone(),
            digest: digest(&id),
            since: now,
            mark: sign_in.mark(),
        };
        let begun = self.ledger.begin_session(session, presented(headers), (RECENT, EACH));
        begun.await?;
        Ok(Some(cookie(&id, RECENT)))
    }

    /// What the session of `who` rests on that `headers` bring; none where they bring none, or nobody can say.
    pub(super) async fn sign_in(&self, who: &SubjectId, headers: &HeaderMap, now: Timestamp) -> Option<SignIn> {
        let found = self.ledger.session(who, presented(headers)?).await;
        let found = found.inspect_err(|trouble| tracing::warn!(%trouble, "whether somebody signed in is not known"));
        let session = found.ok()??;
        if session.since > now.plus(AHEAD) || now.since(session.since) >= RECENT {
            return None;
        }
        let sign_in = match session.mark {
            Some(mark) => self.guard.sign_in_by(who, mark)?,
            None => SignIn::default(),
        };
        sign_in.is_good().then_some(sign_in)
    }

    /// Ends the session that `headers` bring, if it is `who`'s; gives the `Set-Cookie` that has the browser forget it.
    pub(super) async fn end(&self, who: &SubjectId, headers: &HeaderMap) -> Result<String, LedgerError> {
        if let Some(presented) = presented(headers) {
            self.ledger.end_session(who, presented).await?;
        }
        Ok(cookie("", Duration::ZERO))
    }
}

fn cookie(id: &str, lasts: Duration) -> String {
    let lasts = lasts.as_secs();
    format!("{NAME}={id}; Path=/; Max-Age={lasts}; Secure; HttpOnly; SameSite=Strict")
}

/// SHA-256 of an id: what is kept lets nobody in.
fn digest(id: &str) -> String {
    hex(digest::digest(&digest::SHA256, id.as_bytes()).as_ref())
}

/// The session that a client presents: one, or none counts. HTTP/2 splits the field (RFC 9113 §8.2.3).
fn presented(headers: &HeaderMap) -> Option<String> {
    let mut ids = language::values_of(headers, NAME);
    match (ids.next(), ids.next()) {
        (Some(id), None) => Some(digest(id)),
        (None | Some(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::header::COOKIE;

    use super::*;
    use crate::facts::Secret;
    use crate::identity::{self, users};

    fn who(name: &str) -> SubjectId {
        SubjectId::parse(name).unwrap()
    }

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus(Duration::from_mins(minutes))
    }

    /// Where Mia has an account.
    struct Home {
        settings: identity::Settings,
        ledger: Ledger,
        guard: Guard,
        _folder: tempfile::TempDir,
    }

    impl Home {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let settings = identity::Settings {
                users: folder.path().join("users.toml"),
                ..identity::Settings::default()
            };
            users::change(&settings.users, |users| {
                users.add("mia", &Secret::new("of mia, at first"), 1)
            })
            .unwrap();
            let anywhere: identity::MaySend = Arc::new(|_| true);
            Self {
                guard: Guard::new(&settings, &anywhere).unwrap(),
                ledger: Ledger::in_memory().unwrap(),
                settings,
                _folder: folder,
            }
        }

        fn sessions(&self) -> Sessions<'_> {
            Sessions {
                ledger: &self.ledger,
                guard: &self.guard,
            }
        }
    }

    /// What a browser sends back after `Set-Cookie`.
    fn back(set: &str) -> HeaderMap {
        let pair = set.split(';').next().unwrap();
        HeaderMap::from_iter([(COOKIE, format!("theme=dark; {pair}").parse().unwrap())])
    }

    async fn knows(sessions: &Sessions<'_>, name: &str, headers: &HeaderMap, now: Timestamp) -> bool {
        sessions.sign_in(&who(name), headers, now).await.is_some()
    }

    async fn begin(sessions: &Sessions<'_>, name: &str, headers: &HeaderMap, minutes: u64) -> String {
        let (who, sign_in) = (who(name), SignIn::default());
        let begun = sessions.begin(&who, &sign_in, headers, at(minutes)).await;
        begun.unwrap().unwrap()
    }

    #[tokio::test]
    async fn a_session_is_its_persons_for_a_quarter_of_an_hour() {
        let home = Home::new();
        let sessions = home.sessions();
        let headers = back(&begin(&sessions, "mia", &HeaderMap::new(), 0).await);
        assert!(knows(&sessions, "mia", &headers, at(14)).await);
        assert!(!knows(&sessions, "mia", &headers, at(15)).await);
        assert!(
            !knows(&sessions, "ben", &headers, at(1)).await,
            "another person who got hold of it"
        );
        assert!(!knows(&sessions, "mia", &HeaderMap::new(), at(1)).await);
    }

    #[tokio::test]
    async fn its_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts() {
        let home = Home::new();
        let sessions = home.sessions();
        let set = begin(&sessions, "mia", &HeaderMap::new(), 0).await;
        let (pair, rest) = set.split_once("; ").unwrap();
        let id = pair.strip_prefix("__Host-wayleave-session=").unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(id).unwrap().len(), 16);
        assert_eq!(rest, "Path=/; Max-Age=900; Secure; HttpOnly; SameSite=Strict");
    }

    #[tokio::test]
    async fn nobody_can_fix_a_session_before_somebody_signs_in() {
        let home = Home::new();
        let sessions = home.sessions();
        let planted = back("__Host-wayleave-session=cGxhbnRlZA; Path=/");
        let first = back(&begin(&sessions, "mia", &planted, 0).await);
        assert!(!knows(&sessions, "mia", &planted, at(0)).await);
        let second = back(&begin(&sessions, "mia", &first, 1).await);
        assert!(!knows(&sessions, "mia", &first, at(1)).await, "the one before ends");
        assert!(knows(&sessions, "mia", &second, at(1)).await);
        let mut both = second.clone();
        both.append(COOKIE, first[COOKIE].clone());
        assert!(!knows(&sessions, "mia", &both, at(1)).await, "two are none");
    }

    #[tokio::test]
    async fn signing_out_ends_it_and_of_those_of_one_person_the_oldest_goes() {
        let home = Home::new();
        let sessions = home.sessions();
        let headers = back(&begin(&sessions, "mia", &HeaderMap::new(), 0).await);
        sessions.end(&who("ben"), &headers).await.unwrap();
        assert!(knows(&sessions, "mia", &headers, at(0)).await, "not by somebody else");
        let forgets = sessions.end(&who("mia"), &headers).await.unwrap();
        assert!(forgets.contains("Max-Age=0"));
        assert!(!knows(&sessions, "mia", &headers, at(0)).await);
        let mut all = Vec::new();
        for minutes in 0..10 {
            all.push(back(&begin(&sessions, "mia", &HeaderMap::new(), minutes).await));
        }
        let mut good = Vec::new();
        for headers in &all {
            good.push(knows(&sessions, "mia", headers, at(9)).await);
        }
        assert_eq!(good, [&[false; 2][..], &[true; 8]].concat());
    }

    #[tokio::test]
    async fn it_rests_on_the_account_with_which_somebody_signed_in() {
        let home = Home::new();
        let sessions = home.sessions();
        let marks = || sessions.guard.accounts().unwrap();
        let before = marks()[&who("mia")];
        let sign_in = sessions.guard.sign_in_by(&who("mia"), before).unwrap();
        let (mia, none) = (who("mia"), HeaderMap::new());
        let begun = sessions.begin(&mia, &sign_in, &none, at(0)).await;
        let headers = back(&begun.unwrap().unwrap());
        assert!(knows(&sessions, "mia", &headers, at(1)).await);
        users::change(&home.settings.users, |users| {
            users.passwd("mia", &Secret::new("of mia, anew"), 1)
        })
        .unwrap();
        sessions.guard.reload().unwrap();
        assert_ne!(marks()[&who("mia")], before);
        assert!(!knows(&sessions, "mia", &headers, at(1)).await);
    }
}

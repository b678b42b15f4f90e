//! A user name and a password in `Proxy-Authorization: Basic` (RFC 7617), checked against the accounts file.
//!
//! What an attacker may learn is one bit: these credentials are right, or they are not. An unknown user costs the same
//! hash as a wrong password; hashing is bounded and never on an async worker.
#![expect(
    clippy::disallowed_methods,
    reason = "door: hashes passwords on blocking threads, measures how long a verdict is remembered"
)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use http::HeaderValue;
use tokio::sync::Semaphore;

use super::remembered::{Digest, Remembered, Verdict};
use super::{Asking, Built, Method};
use crate::facts::{Arrival, MethodName, Secret, Subject};
use crate::identity::selection::{meant_password, readings};
use crate::identity::users::{self, Stamp, Users};
use crate::identity::{Answer, BadSetting, Evidence, MaySend, Settings, WhyRejected, password};

/// How long the accounts file is not looked at again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many sign-ins may wait for a hash; the next one is told to try again.
const MOST_WAITING: usize = 256;

struct Basic {
    may_send: MaySend,
    remember: Duration,
    started: Instant,
    accounts: Accounts,
    key: hmac::Key,
    hashing: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// A hash that no password has, so that an unknown user costs what a known one does.
    decoy: String,
}

pub(super) fn build(settings: &Settings, may_send: &MaySend) -> Built {
    Ok(Box::new(Basic::open(settings, may_send)?))
}

impl Basic {
    fn open(settings: &Settings, may_send: &MaySend) -> Result<Self, BadSetting> {
        let broken = |field, message: String, help: &str| BadSetting {
            field,
            message,
            help: help.to_owned(),
        };
        let no_randomness = |why: String| {
            broken(
                "methods",
                why,
                "the system gives no random numbers; check `/dev/urandom`",
            )
        };
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &rand::SystemRandom::new())
            .map_err(|why| no_randomness(why.to_string()))?;
        let mut noise = [0; 32];
        rand::fill(&mut noise).map_err(|why| no_randomness(why.to_string()))?;
        let noise = base64::engine::general_purpose::STANDARD.encode(noise);
        Ok(Self {
            may_send: Arc::clone(may_send),
            remember: Duration::from_secs(settings.basic_remember_s),
            started: Instant::now(),
            accounts: Accounts::open(settings.users.clone()).map_err(|why| {
                broken(
                    "users",
                    why,
                    "correct the file, or make a new one with `wayleave user add`",
                )
            })?,
            key,
            hashing: Arc::new(Semaphore::new(usize::from(settings.basic_at_once))),
            waiting: AtomicUsize::new(0),
            decoy: password::hash(&Secret::new(noise)).map_err(no_randomness)?,
        })
    }
}

impl Method for Basic {
    fn name(&self) -> &'static str {
        MethodName::Basic.as_str()
    }

    fn identify<'a>(&'a self, evidence: &'a Evidence<'_>) -> Asking<'a> {
        Box::pin(async move {
            let Some(token) = evidence.proxy_authorization.and_then(basic_token) else {
                return Answer::Silent;
            };
            if !(self.may_send)(evidence.arrival) {
                return Answer::Rejected(WhyRejected::UseTlsDoor);
            }
            let Some(credentials) = Credentials::parse(token) else {
                return Answer::Rejected(WhyRejected::Malformed);
            };
            match self.check(credentials).await {
                Err(why) => Answer::Rejected(why),
                Ok(None) => Answer::Rejected(WhyRejected::WrongCredentials),
                Ok(Some((id, selects))) => Answer::Known {
                    subject: Subject {
                        id,
                        method: MethodName::Basic,
                    },
                    selects,
                },
            }
        })
    }

    /// Where a password may not be sent in clear, none is asked for: the browser would send it.
    fn challenge(&self, arrival: &Arrival) -> Option<HeaderValue> {
        (self.may_send)(arrival).then_some(HeaderValue::from_static("Basic realm=\"wayleave\", charset=\"UTF-8\""))
    }

    fn reload(&self) -> Result<(), String> {
        self.accounts.look(self.started.elapsed(), Look::Now);
        self.healthy()
    }

    fn healthy(&self) -> Result<(), String> {
        self.accounts.problem().map_or(Ok(()), Err)
    }
}

impl Basic {
    async fn check(&self, credentials: Credentials) -> Result<Verdict, WhyRejected> {
        let now = self.started.elapsed();
        self.accounts.look(now, Look::WhenDue);
        let digest = self.digest(&credentials);
        if let Some(verdict) = self.accounts.lock().remembered.recall(&digest, now) {
            return Ok(verdict);
        }
        let place = Waiting::enter(&self.waiting).ok_or(WhyRejected::Unavailable)?;
        let hashing = Arc::clone(&self.hashing).acquire_owned().await;
        let permit = hashing.map_err(|_| WhyRejected::Unavailable)?;
        drop(place);
        // A browser opens six connections at once: five of them find what the first one learned.
        if let Some(verdict) = self.accounts.lock().remembered.recall(&digest, now) {
            return Ok(verdict);
        }
        let (generation, candidate) = self.candidate(&credentials);
        let Candidate {
            verdict,
            hash,
            password,
        } = candidate;
        // The permit goes along: a client that hangs up must not free a place while its hash still runs.
        let right = tokio::task::spawn_blocking(move || {
            let right = password::verify(&password, &hash);
            drop(permit);
            right
        })
        .await
        .map_err(|_| WhyRejected::Unavailable)?;
        let verdict = verdict.filter(|_| right);
        let now = self.started.elapsed();
        let mut state = self.accounts.lock();
        if state.generation == generation {
            let until = now.saturating_add(self.remember);
            state.remembered.keep(digest, verdict.clone(), now, until);
        }
        Ok(verdict)
    }

    /// The account that the name means, or the decoy.
    fn candidate(&self, credentials: &Credentials) -> (u64, Candidate) {
        let state = self.accounts.lock();
        let found = readings(&credentials.name)
            .into_iter()
            .find_map(|reading| Some((state.users.hash_of(&reading.user)?.to_owned(), reading)));
        let candidate = match found {
            Some((hash, reading)) => Candidate {
                hash,
                password: Secret::new(meant_password(credentials.password.reveal(), reading.decoded)),
                verdict: Some((reading.user, reading.selects)),
            },
            None => Candidate {
                hash: self.decoy.clone(),
                password: Secret::new(credentials.password.reveal()),
                verdict: None,
            },
        };
        (state.generation, candidate)
    }

    fn digest(&self, credentials: &Credentials) -> Digest {
        let mut context = hmac::Context::with_key(&self.key);
        // A name holds no colon (RFC 7617 §2), so this is unambiguous.
        context.update(credentials.name.as_bytes());
        context.update(b":");
        context.update(credentials.password.reveal().as_bytes());
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        digest
    }
}

struct Candidate {
    verdict: Verdict,
    hash: String,
    password: Secret,
}

/// A place in the queue for hashing, given back when dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Option<Self> {
        let place = Self(count);
        (count.fetch_add(1, Ordering::Relaxed) < MOST_WAITING).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a client sent.
struct Credentials {
    name: String,
    password: Secret,
}

/// The token behind the scheme `Basic`, which has no case (RFC 9110 §11.1).
fn basic_token(value: &HeaderValue) -> Option<&[u8]> {
    let bytes = value.as_bytes();
    let (scheme, token) = bytes.split_at_checked(bytes.iter().position(|b| *b == b' ')?)?;
    scheme.eq_ignore_ascii_case(b"basic").then(|| token.trim_ascii())
}

impl Credentials {
    fn parse(token: &[u8]) -> Option<Self> {
        let bytes = base64::engine::general_purpose::STANDARD.decode(token).ok()?;
        let text = Secret::new(String::from_utf8(bytes).ok()?);
        let (name, password) = text.reveal().split_once(':')?;
        let fits = !name.is_empty() && !text.reveal().chars().any(char::is_control);
        fits.then(|| Self {
            name: name.to_owned(),
            password: Secret::new(password),
        })
    }
}

/// Whether to look at the file at all.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    WhenDue,
    Now,
}

/// The accounts as last read, and what checking said since then.
struct Accounts {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    users: Users,
    /// Counts changes, so that a verdict about older accounts is not remembered for newer ones.
    generation: u64,
    remembered: Remembered,
    stamp: Stamp,
    looked: Duration,
    problem: Option<String>,
}

impl Accounts {
    fn open(path: PathBuf) -> Result<Self, String> {
        let stamp = Stamp::of(&path);
        let users = users::load(&path).map_err(|why| why.to_string())?;
        let state = Mutex::new(State {
            users,
            generation: 0,
            remembered: Remembered::default(),
            stamp,
            looked: Duration::ZERO,
            problem: None,
        });
        Ok(Self { path, state })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn problem(&self) -> Option<String> {
        self.lock().problem.clone()
    }

    /// Reads the file again if it has changed. One that does not parse never counts: the accounts before it stay.
    fn look(&self, now: Duration, look: Look) {
        let mut state = self.lock();
        if look == Look::WhenDue && now.saturating_sub(state.looked) < LOOK_EVERY {
            return;
        }
        state.looked = now;
        let stamp = Stamp::of(&self.path);
        if stamp == state.stamp {
            return;
        }
        state.stamp = stamp;
        match users::load(&self.path) {
            Ok(users) => {
                state.users = users;
                state.generation += 1;
                state.remembered.forget();
                state.problem = None;
            }
            Err(why) => {
                let why = format!("the accounts before the change stay in force: {why}");
                tracing::error!(path = %self.path.display(), "{why}");
                state.problem = Some(why);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::facts::{Door, NetworkName, SubjectId};

    fn header(credentials: &str) -> HeaderValue {
        let token = base64::engine::general_purpose::STANDARD.encode(credentials);
        HeaderValue::from_str(&format!("Basic {token}")).unwrap()
    }

    fn arrival(door: Door, client: &str) -> Arrival {
        Arrival {
            door,
            client: format!("{client}:40000").parse().unwrap(),
            network: NetworkName::default(),
        }
    }

    fn add(path: &Path, names: &[(&str, &str)]) {
        users::change(path, |users| {
            names
                .iter()
                .try_for_each(|(name, password)| users.add(name, &Secret::new(*password), 1))
        })
        .unwrap();
    }

    fn method(path: &Path, settings: Settings) -> Box<dyn Method> {
        let settings = Settings {
            users: path.to_owned(),
            ..settings
        };
        let loopback_only: MaySend = Arc::new(|arrival| arrival.door == Door::Tls || arrival.client.ip().is_loopback());
        build(&settings, &loopback_only).map_err(|why| why.to_string()).unwrap()
    }

    async fn ask(method: &dyn Method, value: &HeaderValue, arrival: &Arrival) -> Answer {
        let evidence = Evidence {
            proxy_authorization: Some(value),
            more_than_one: false,
            client_certificate: None,
            arrival,
        };
        method.identify(&evidence).await
    }

    async fn sign_in(method: &dyn Method, credentials: &str) -> Answer {
        ask(method, &header(credentials), &arrival(Door::Plain, "127.0.0.1")).await
    }

    fn known(name: &str, purpose: Option<&str>) -> Answer {
        Answer::Known {
            subject: Subject {
                id: SubjectId::parse(name).unwrap(),
                method: MethodName::Basic,
            },
            selects: purpose.map(crate::facts::PurposeId::new),
        }
    }

    const WRONG: Answer = Answer::Rejected(WhyRejected::WrongCredentials);

    #[tokio::test]
    async fn the_right_password_signs_in_and_a_suffix_selects_a_purpose() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "pa:ss wörd"), ("bob", "b%40b")]);
        let method = method(&path, Settings::default());
        for (credentials, answer) in [
            ("ada:pa:ss wörd", known("ada", None)),
            ("ada:pa:ss wörd", known("ada", None)),
            ("ada+recruiting:pa:ss wörd", known("ada", Some("recruiting"))),
            ("ada%2Brecruiting:pa%3Ass%20w%C3%B6rd", known("ada", Some("recruiting"))),
            ("bob:b%40b", known("bob", None)),
            ("bob:b@b", WRONG),
            ("ada:wrong", WRONG),
            ("ada:", WRONG),
            ("Ada:pa:ss wörd", WRONG),
            ("ada+Not A Purpose:pa:ss wörd", WRONG),
            ("nobody:pa:ss wörd", WRONG),
            ("nobody+recruiting:pa:ss wörd", WRONG),
        ] {
            assert_eq!(sign_in(&*method, credentials).await, answer, "{credentials}");
        }
    }

    #[tokio::test]
    async fn an_exact_user_name_wins_over_a_suffix() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        // `add` refuses such names; accounts that came from elsewhere may have them.
        let text = std::fs::read_to_string(&path).unwrap();
        let line = text.lines().find(|line| line.starts_with("\"ada\"")).unwrap();
        std::fs::write(
            &path,
            format!("{text}{}\n", line.replace("\"ada\"", "\"ada+recruiting\"")),
        )
        .unwrap();
        let method = method(&path, Settings::default());
        assert_eq!(
            sign_in(&*method, "ada+recruiting:of ada").await,
            known("ada+recruiting", None)
        );
        assert_eq!(
            sign_in(&*method, "ada+marketing:of ada").await,
            known("ada", Some("marketing"))
        );
    }

    #[tokio::test]
    async fn what_is_not_basic_is_left_to_others_and_what_is_malformed_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let method = method(&folder.path().join("users.toml"), Settings::default());
        let here = arrival(Door::Plain, "127.0.0.1");
        for (value, answer) in [
            ("Bearer abc", Answer::Silent),
            ("Basicabc", Answer::Silent),
            ("Negotiate YII=", Answer::Silent),
            ("Basic !!!", Answer::Rejected(WhyRejected::Malformed)),
            ("Basic ", Answer::Rejected(WhyRejected::Malformed)),
            ("bAsIc YWRh", Answer::Rejected(WhyRejected::Malformed)),
            ("Basic OnB3", Answer::Rejected(WhyRejected::Malformed)),
            ("Basic YWRhOgBw", Answer::Rejected(WhyRejected::Malformed)),
            ("Basic YWRhOv8=", Answer::Rejected(WhyRejected::Malformed)),
        ] {
            assert_eq!(
                ask(&*method, &HeaderValue::from_static(value), &here).await,
                answer,
                "{value}"
            );
        }
    }

    #[tokio::test]
    async fn a_password_in_clear_from_a_strange_network_is_rejected_unread_and_not_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let method = method(&path, Settings::default());
        let (strange, tls) = (arrival(Door::Plain, "192.0.2.7"), arrival(Door::Tls, "192.0.2.7"));
        let right = header("ada:of ada");
        assert_eq!(
            ask(&*method, &right, &strange).await,
            Answer::Rejected(WhyRejected::UseTlsDoor)
        );
        assert_eq!(method.challenge(&strange), None);
        assert_eq!(ask(&*method, &right, &tls).await, known("ada", None));
        assert_eq!(
            method.challenge(&tls).unwrap(),
            "Basic realm=\"wayleave\", charset=\"UTF-8\""
        );
    }

    #[tokio::test]
    async fn a_changed_file_counts_after_a_reload_and_a_removed_user_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        let method = method(&path, Settings::default());
        assert_eq!(sign_in(&*method, "ada:of ada").await, WRONG);
        add(&path, &[("ada", "of ada")]);
        method.reload().unwrap();
        assert_eq!(sign_in(&*method, "ada:of ada").await, known("ada", None));
        users::change(&path, |users| users.passwd("ada", &Secret::new("new one"), 1)).unwrap();
        method.reload().unwrap();
        assert_eq!(sign_in(&*method, "ada:of ada").await, WRONG);
        assert_eq!(sign_in(&*method, "ada:new one").await, known("ada", None));
        std::fs::remove_file(&path).unwrap();
        method.reload().unwrap();
        assert_eq!(sign_in(&*method, "ada:new one").await, WRONG);
    }

    #[tokio::test]
    async fn a_broken_file_is_reported_and_the_accounts_before_it_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let method = method(&path, Settings::default());
        std::fs::write(&path, "[users]\nada = 3\n").unwrap();
        let why = method.reload().unwrap_err();
        assert!(why.contains("users.toml:2:7: user `ada` is not a table"), "{why}");
        assert_eq!(sign_in(&*method, "ada:of ada").await, known("ada", None));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(method.reload(), Ok(()));
    }

    #[tokio::test]
    async fn a_verdict_about_old_accounts_is_not_remembered_for_new_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let accounts = Accounts::open(path.clone()).unwrap();
        let before = accounts.lock().generation;
        users::change(&path, |users| users.remove("ada")).unwrap();
        accounts.look(Duration::ZERO, Look::WhenDue);
        assert_eq!(
            accounts.lock().generation,
            before,
            "not looked at again within a second"
        );
        accounts.look(LOOK_EVERY, Look::WhenDue);
        assert_ne!(accounts.lock().generation, before);
    }

    #[tokio::test]
    async fn many_sign_ins_at_once_all_get_their_answer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada"), ("bob", "of bob")]);
        let method = method(&path, Settings::default());
        let asked: Vec<_> = (0..12)
            .map(|n| sign_in(&*method, ["ada:of ada", "bob:of bob", "ada:of bob"][n % 3]))
            .collect();
        for (n, answer) in futures_util::future::join_all(asked).await.into_iter().enumerate() {
            assert_eq!(answer, [known("ada", None), known("bob", None), WRONG][n % 3].clone());
        }
    }

    #[test]
    fn an_unknown_user_costs_what_a_known_one_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let settings = Settings {
            users: path,
            ..Settings::default()
        };
        let anywhere: MaySend = Arc::new(|_| true);
        let basic = Basic::open(&settings, &anywhere)
            .map_err(|why| why.to_string())
            .unwrap();
        let of = |name: &str| {
            let token = base64::engine::general_purpose::STANDARD.encode(format!("{name}:guess"));
            basic.candidate(&Credentials::parse(token.as_bytes()).unwrap()).1
        };
        let cost = |phc: &str| phc.split('$').take(4).collect::<Vec<_>>().join("$");
        let (known, unknown) = (of("ada"), of("nobody"));
        assert_eq!(cost(&known.hash), cost(&unknown.hash));
        assert_ne!(known.hash, unknown.hash);
        assert_eq!(unknown.verdict, None, "not even the decoy's own password would sign in");
    }

    #[test]
    fn the_queue_for_hashing_is_bounded_and_gives_places_back() {
        let count = AtomicUsize::new(0);
        let places: Vec<_> = (0..MOST_WAITING).map(|_| Waiting::enter(&count).unwrap()).collect();
        assert!(Waiting::enter(&count).is_none());
        assert_eq!(count.load(Ordering::Relaxed), MOST_WAITING);
        drop(places);
        assert!(Waiting::enter(&count).is_some());
    }
}

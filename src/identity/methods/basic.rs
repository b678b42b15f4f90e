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
use super::{Asking, Method};
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

pub(super) fn build(settings: &Settings, may_send: &MaySend) -> Result<Box<dyn Method>, BadSetting> {
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
    Ok(Box::new(Basic {
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
    }))
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

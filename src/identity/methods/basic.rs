//! A user name and a password in `Proxy-Authorization: Basic` (RFC 7617), checked against the accounts file.
//!
//! What an attacker may learn is one bit: these credentials are right, or they are not. An unknown user costs the same
//! hash as a wrong password; hashing is bounded and never on an async worker.
#![expect(
    clippy::disallowed_methods,
    reason = "door: hashes passwords on blocking threads, measures how long a verdict is remembered"
)]

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use http::HeaderValue;

use super::accounts::{Account, Accounts};
use super::checking::{Checking, Turn};
use super::credentials::{Credentials, basic_token};
use super::guesses::{Guesser, Guesses, Stand};
use super::hashing::Hashing;
use super::queue::Queue;
use super::remembered::{Digest, Wrong};
use super::{Asking, Built, Method};
use crate::facts::{AccountMark, AccountMarks, Arrival, MethodName, PurposeId, Secret, Subject, SubjectId, one_client};
use crate::identity::selection::{meant_password, readings};
use crate::identity::{BadSetting, Evidence, Identification, MaySend, Settings, SignIn, WhyRejected, password};

struct Basic {
    may_send: MaySend,
    remember: Duration,
    started: Instant,
    accounts: Accounts,
    wrong: Mutex<Wrong>,
    guesses: Mutex<Guesses>,
    checking: Checking,
    key: hmac::Key,
    hashing: Hashing,
    /// Whether the last password that should be hashed could not be.
    failing: AtomicBool,
    queue: Queue,
    /// An account with a password that nobody has, so that an unknown user costs what a known one does.
    decoy: Arc<Account>,
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
                    "correct the file, or move it away and make a new one with `wayleave user add NAME`",
                )
            })?,
            wrong: Mutex::default(),
            guesses: Mutex::default(),
            checking: Checking::default(),
            key,
            hashing: Hashing::new(settings.basic_at_once),
            failing: AtomicBool::new(false),
            queue: Queue::default(),
            decoy: Arc::new(Account::new(
                password::hash(&Secret::new(noise)).map_err(no_randomness)?,
            )),
        })
    }
}

/// What a client sends to sign in as `who` with `password` (RFC 7617 §2); a name holds no colon.
pub fn proof(who: &SubjectId, password: &Secret) -> Option<HeaderValue> {
    let credentials = Secret::new(format!("{who}:{}", password.reveal()));
    let token = base64::engine::general_purpose::STANDARD.encode(credentials.reveal());
    let mut value = HeaderValue::try_from(format!("Basic {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Method for Basic {
    fn name(&self) -> &'static str {
        MethodName::Basic.as_str()
    }

    fn identify<'a>(&'a self, evidence: &'a Evidence<'_>) -> Asking<'a> {
        Box::pin(async move {
            let Some(token) = evidence.proxy_authorization.and_then(basic_token) else {
                return Identification::Silent;
            };
            if !(self.may_send)(evidence.arrival) {
                return Identification::Rejected(WhyRejected::UseTlsDoor, None);
            }
            let Some(credentials) = Credentials::parse(token) else {
                return Identification::Rejected(WhyRejected::Malformed, None);
            };
            let attempt = self.attempt(&credentials);
            let account = attempt.meant.as_ref().map(|(id, _)| id.clone());
            match self.check(attempt, &credentials, evidence.arrival.client.ip()).await {
                Err(why) => Identification::Rejected(why, account),
                Ok(None) => Identification::Rejected(WhyRejected::WrongCredentials, account),
                Ok(Some(known)) => Identification::Known {
                    subject: Subject {
                        id: known.id,
                        method: MethodName::Basic,
                    },
                    selects: known.selects,
                    sign_in: known.sign_in,
                    token: None,
                },
            }
        })
    }

    /// Where a password may not be sent in clear, none is asked for: the browser would send it.
    fn challenge(&self, arrival: &Arrival) -> Option<HeaderValue> {
        (self.may_send)(arrival).then_some(HeaderValue::from_static("Basic realm=\"wayleave\", charset=\"UTF-8\""))
    }

    fn has_password(&self, who: &SubjectId) -> bool {
        self.accounts.load().contains_key(who)
    }

    fn sign_in_by(&self, who: &SubjectId, mark: AccountMark) -> Option<SignIn> {
        let accounts = self.accounts.load();
        let account = accounts.get(who).filter(|account| account.looks_like(mark))?;
        Some(account.sign_in())
    }

    fn marks(&self) -> Option<Arc<AccountMarks>> {
        Some(self.accounts.marks())
    }

    fn lacks_accounts(&self) -> bool {
        self.accounts.is_missing()
    }

    fn reload(&self) -> Result<(), String> {
        self.accounts.look();
        self.healthy()
    }

    fn healthy(&self) -> Result<(), String> {
        self.accounts.problem().map_or(Ok(()), Err)
    }
}

impl Basic {
    /// Whose credentials they are; none if they are wrong. What could not be hashed is not known to be wrong: it is neither
    /// remembered nor a guess.
    async fn check(
        &self,
        attempt: Attempt,
        credentials: &Credentials,
        client: IpAddr,
    ) -> Result<Option<Known>, WhyRejected> {
        let here = one_client(client);
        let guesser = || (here, self.digest([&attempt.whose, "", ""]));
        // most come from where nobody guesses
        if !self.guesses().is_unsuspected(&here, self.started.elapsed()) {
            self.may_guess(&guesser())?;
        }
        if self.recalls_right(&attempt) {
            return Ok(attempt.known(true));
        }
        let wrong = self.wrongs(&attempt, credentials);
        if self.recalls_wrong(&wrong) {
            return Ok(None);
        }
        let guesser = guesser();
        // A browser opens many connections at once: all of them need the same one answer.
        let check = loop {
            self.may_guess(&guesser)?;
            match self.checking.turn(wrong) {
                Turn::Ours(check) => break check,
                Turn::Theirs(check) => {
                    if let Some(answer) = check.result().await {
                        return Ok(attempt.known(answer));
                    }
                }
            }
        };
        let mut looked_at = self.look_at(guesser)?;
        let place = self.queue.enter(client).ok_or(WhyRejected::Unavailable)?;
        let mut hashing = self.hashing.place().await.ok_or(WhyRejected::Unavailable)?;
        drop(place);
        // what was learned meanwhile, of the same password under another purpose
        if self.recalls_right(&attempt) {
            return Ok(attempt.known(true));
        }
        if self.recalls_wrong(&wrong) {
            return Ok(None);
        }
        // The place goes along: a client that hangs up must not free it while its hash still runs.
        let hash = tokio::task::spawn_blocking(move || {
            let verified = hashing.verify(&attempt.password, &attempt.account.hash);
            drop(hashing);
            (attempt, verified)
        });
        looked_at.is_hashed = true;
        let hashed = hash.await;
        looked_at.is_hashed = false;
        let (attempt, verified) = hashed.map_err(|_| WhyRejected::Unavailable)?;
        let is_right = self.known_of(verified)?;
        let now = self.started.elapsed();
        let until = now.saturating_add(self.remember);
        if is_right {
            attempt.account.remember(attempt.right, until);
            self.guesses().right(&guesser);
        } else if !self.wrong().recalls(&wrong, now) {
            // a program that goes on sending what it was given once does not guess
            self.wrong().keep(wrong, until);
            self.guesses().wrong(guesser, now);
        }
        check.done(is_right);
        Ok(attempt.known(is_right))
    }

    /// Whether a password is right, where that is known; that it is not is told when it begins.
    fn known_of(&self, verified: Result<bool, String>) -> Result<bool, WhyRejected> {
        let was_failing = self.failing.swap(verified.is_err(), Ordering::Relaxed);
        verified.map_err(|why| {
            if !was_failing {
                tracing::error!("{why}; whoever signs in is told to try again");
            }
            WhyRejected::Unavailable
        })
    }

    /// Whether one more password of this account would be looked at for this client.
    fn may_guess(&self, guesser: &Guesser) -> Result<(), WhyRejected> {
        is_heard(self.guesses().stand(guesser, self.started.elapsed()))
    }

    /// One more is looked at, if it is.
    fn look_at(&self, guesser: Guesser) -> Result<LookedAt<'_>, WhyRejected> {
        is_heard(self.guesses().admit(guesser, self.started.elapsed()))?;
        Ok(LookedAt {
            basic: self,
            guesser,
            is_hashed: false,
        })
    }

    /// Whether credentials are remembered as right.
    fn recalls_right(&self, attempt: &Attempt) -> bool {
        attempt.account.recalls(&attempt.right, self.started.elapsed())
    }

    fn recalls_wrong(&self, wrong: &Digest) -> bool {
        self.wrong().recalls(wrong, self.started.elapsed())
    }

    /// What is remembered of credentials if they are wrong. The name is part of it, as sent: or a second guess would be
    /// faster for a user that does not exist. Most are right, and need it not.
    fn wrongs(&self, attempt: &Attempt, credentials: &Credentials) -> Digest {
        self.digest([&attempt.account.hash, &credentials.name, credentials.password.reveal()])
    }

    /// The account that the name means, or the decoy.
    fn attempt(&self, credentials: &Credentials) -> Attempt {
        let accounts = self.accounts.load();
        let found = readings(&credentials.name)
            .into_iter()
            .find_map(|reading| Some((accounts.get(&reading.user)?.clone(), reading)));
        let sent = credentials.password.reveal();
        // of a name that is nobody's the part that could be a user, so that suffixes do not tell it from an account
        let shortest = || {
            let names = readings(&credentials.name)
                .into_iter()
                .map(|reading| reading.user.to_string());
            names.min_by_key(String::len).unwrap_or_default()
        };
        let whose = found
            .as_ref()
            .map_or_else(shortest, |(_, reading)| reading.user.to_string());
        let (account, password, meant) = match found {
            Some((account, reading)) => {
                let password = Secret::new(meant_password(sent, reading.decoded));
                (account, password, Some((reading.user, reading.selects)))
            }
            None => (self.decoy.clone(), Secret::new(sent), None),
        };
        // A hash names one account with one password, and neither it nor a name holds a colon (RFC 7617 §2).
        let right = self.digest([&account.hash, "", password.reveal()]);
        Attempt {
            account,
            password,
            meant,
            whose,
            right,
        }
    }

    fn digest(&self, parts: [&str; 3]) -> Digest {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(part.as_bytes());
            context.update(b":");
        }
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        digest
    }

    fn guesses(&self) -> MutexGuard<'_, Guesses> {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrong(&self) -> MutexGuard<'_, Wrong> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A password that is being looked at.
struct LookedAt<'a> {
    basic: &'a Basic,
    guesser: Guesser,
    is_hashed: bool,
}

impl Drop for LookedAt<'_> {
    fn drop(&mut self) {
        let (now, mut guesses) = (self.basic.started.elapsed(), self.basic.guesses());
        guesses.ends(&self.guesser);
        if self.is_hashed {
            // who hangs up before the answer has taken a hash as well, and does not do so for ever
            guesses.wrong(self.guesser, now);
        }
    }
}

const fn is_heard(stand: Stand) -> Result<(), WhyRejected> {
    match stand {
        Stand::Heard => Ok(()),
        Stand::Busy => Err(WhyRejected::Unavailable),
        Stand::Waits => Err(WhyRejected::TooManyGuesses),
    }
}

/// Credentials, and the account that they must be right for.
struct Attempt {
    account: Arc<Account>,
    password: Secret,
    /// Whom the name means, and the purpose that it selects; none for the decoy.
    meant: Option<(SubjectId, Option<PurposeId>)>,
    /// The name under which guesses are counted.
    whose: String,
    /// What the account remembers if they are right.
    right: Digest,
}

/// Who has signed in.
struct Known {
    id: SubjectId,
    selects: Option<PurposeId>,
    sign_in: SignIn,
}

impl Attempt {
    /// Who it is, given whether the password is right. An account that changed meanwhile is nobody's.
    fn known(self, is_right: bool) -> Option<Known> {
        let sign_in = self.account.sign_in();
        let (id, selects) = self.meant.filter(|_| is_right && sign_in.is_good())?;
        Some(Known { id, selects, sign_in })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::facts::{Door, NetworkName, PurposeId};
    use crate::identity::users;

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

    /// The user and the purpose that they select, or why nobody is known; neither for silence.
    type Told = Result<(String, Option<String>), Option<WhyRejected>>;

    async fn ask(method: &dyn Method, value: &HeaderValue, arrival: &Arrival) -> Told {
        let evidence = Evidence {
            proxy_authorization: Some(value),
            more_than_one: false,
            client_certificate: None,
            arrival,
        };
        match method.identify(&evidence).await {
            Identification::Known {
                subject,
                selects,
                sign_in,
                ..
            } => {
                assert!(subject.method == MethodName::Basic && sign_in.is_good());
                let selects = selects.map(|purpose| purpose.as_str().to_owned());
                Ok((subject.id.as_str().to_owned(), selects))
            }
            Identification::Silent => Err(None),
            Identification::Rejected(why, _) => Err(Some(why)),
        }
    }

    async fn sign_in(method: &dyn Method, credentials: &str) -> Told {
        ask(method, &header(credentials), &arrival(Door::Plain, "127.0.0.1")).await
    }

    #[expect(clippy::unnecessary_wraps, reason = "it stands for one of the two answers")]
    fn known(name: &str, purpose: Option<&str>) -> Told {
        Ok((name.to_owned(), purpose.map(str::to_owned)))
    }

    const fn rejected(why: WhyRejected) -> Told {
        Err(Some(why))
    }

    const WRONG: Told = rejected(WhyRejected::WrongCredentials);

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
            ("ada+Not A Purpose:pa:ss wörd", known("ada", Some(PurposeId::NOT_ONE))),
            ("ada+Not A Purpose:wrong", WRONG),
            ("ada+recruiting+x:pa:ss wörd", known("ada", Some(PurposeId::NOT_ONE))),
            ("ada+recruiting+x:wrong", WRONG),
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
            ("Bearer abc", Err(None)),
            ("Basicabc", Err(None)),
            ("Negotiate YII=", Err(None)),
            ("Basic !!!", rejected(WhyRejected::Malformed)),
            ("Basic ", rejected(WhyRejected::Malformed)),
            ("bAsIc YWRh", rejected(WhyRejected::Malformed)),
            ("Basic OnB3", rejected(WhyRejected::Malformed)),
            ("Basic YWRhOgBw", rejected(WhyRejected::Malformed)),
            ("Basic YWRhOv8=", rejected(WhyRejected::Malformed)),
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
        assert_eq!(ask(&*method, &right, &strange).await, rejected(WhyRejected::UseTlsDoor));
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
        users::change(&path, |users| users.remove("ada")).unwrap();
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
        let why = method.reload().unwrap_err();
        assert!(why.contains("is not there, or empty"), "{why}");
        assert_eq!(sign_in(&*method, "ada:of ada").await, WRONG);
        add(&path, &[("ada", "of ada")]);
        assert_eq!(method.reload(), Ok(()));
        assert_eq!(sign_in(&*method, "ada:of ada").await, known("ada", None));
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_for_a_moment_is_read_at_the_next_look() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let method = method(&path, Settings::default());
        users::change(&path, |users| users.remove("ada")).unwrap();
        let whole = std::fs::read(&path).unwrap();
        // a file that is no text stands for one that cannot be read: the system says no, and nothing is parsed
        std::fs::write(&path, b"\xff".repeat(whole.len())).unwrap();
        let before = std::fs::metadata(&path).unwrap().modified().unwrap();
        assert!(method.reload().is_err());
        assert_eq!(sign_in(&*method, "ada:of ada").await, known("ada", None));

        let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        std::io::Write::write_all(&mut file, &whole).unwrap();
        file.set_modified(before).unwrap();
        assert_eq!(method.reload(), Ok(()), "though its stamp is the same");
        assert_eq!(sign_in(&*method, "ada:of ada").await, WRONG);
    }

    #[tokio::test]
    async fn many_sign_ins_at_once_all_get_their_answer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada"), ("bob", "of bob")]);
        let method = method(&path, Settings::default());
        let attempts: Vec<_> = (0..12)
            .map(|n| sign_in(&*method, ["ada:of ada", "bob:of bob", "ada:of bob"][n % 3]))
            .collect();
        for (n, answer) in futures_util::future::join_all(attempts).await.into_iter().enumerate() {
            assert_eq!(answer, [known("ada", None), known("bob", None), WRONG][n % 3].clone());
        }
    }

    #[tokio::test]
    async fn a_guesser_waits_and_the_right_password_signs_in_from_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada"), ("bob", "of bob")]);
        let basic = basic(&path);
        let (here, elsewhere) = (arrival(Door::Tls, "192.0.2.7"), arrival(Door::Tls, "192.0.2.8"));
        let wait = rejected(WhyRejected::TooManyGuesses);
        let from = async |arrival: &Arrival, credentials: &str| ask(&basic, &header(credentials), arrival).await;
        assert_eq!(from(&here, "bob:of bob").await, known("bob", None));
        for user in ["ada", "bob", "nobody"] {
            let mut answers = Vec::new();
            for n in 0..=super::super::guesses::FREE {
                // the same again is no guess
                assert_eq!(from(&elsewhere, "ada:stale").await, WRONG);
                answers.push(from(&here, &format!("{user}+p{n}:guess {n}")).await);
            }
            assert_eq!(answers.pop(), Some(wait.clone()), "{user}");
            assert!(answers.iter().all(|answer| *answer == WRONG), "{user}: {answers:?}");
        }
        assert_eq!(from(&here, "ada:of ada").await, wait, "or guessing would go on");
        assert_eq!(from(&elsewhere, "ada:of ada").await, known("ada", None));
        assert_eq!(from(&here, "bob:of bob").await, wait, "though it is known");
        assert_eq!(from(&elsewhere, "bob:of bob").await, known("bob", None));
    }

    #[tokio::test]
    async fn what_is_known_is_not_found_out_by_asking_much_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let basic = basic(&path);
        let (here, elsewhere) = (arrival(Door::Tls, "192.0.2.7"), arrival(Door::Tls, "192.0.2.8"));
        assert_eq!(ask(&basic, &header("ada:of ada"), &elsewhere).await, known("ada", None));
        let mut guesses: Vec<_> = (0..20).map(|n| header(&format!("ada:guess {n}"))).collect();
        guesses.push(header("ada:of ada"));
        let answers = guesses.iter().map(|guess| ask(&basic, guess, &here));
        let answers = futures_util::future::join_all(answers).await;
        assert_eq!(answers.iter().filter(|answer| **answer == WRONG).count(), 10);
        assert_eq!(answers.last(), Some(&rejected(WhyRejected::Unavailable)));
    }

    #[tokio::test]
    async fn who_hangs_up_before_the_answer_has_guessed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let basic = basic(&path);
        let (here, elsewhere) = (arrival(Door::Tls, "192.0.2.7"), arrival(Door::Tls, "192.0.2.8"));
        for n in 0..super::super::guesses::FREE {
            let guess = header(&format!("ada:guess {n}"));
            drop(basic.hashing.place().await); // there is one for it
            let asks = std::pin::pin!(ask(&basic, &guess, &here));
            assert!(futures_util::poll!(asks).is_pending(), "it is hashed");
        }
        let told = ask(&basic, &header("ada:of ada"), &here).await;
        assert_eq!(told, rejected(WhyRejected::TooManyGuesses));
        assert_eq!(ask(&basic, &header("ada:of ada"), &elsewhere).await, known("ada", None));
    }

    #[tokio::test]
    async fn who_was_attacked_is_told_and_a_name_that_is_nobodys_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let basic = basic(&path);
        let here = arrival(Door::Tls, "192.0.2.7");
        for (credentials, account) in [("ada+recruiting:wrong", Some("ada")), ("my password:x", None)] {
            let value = header(credentials);
            let evidence = Evidence {
                proxy_authorization: Some(&value),
                more_than_one: false,
                client_certificate: None,
                arrival: &here,
            };
            let Identification::Rejected(WhyRejected::WrongCredentials, told) = basic.identify(&evidence).await else {
                panic!("{credentials}")
            };
            assert_eq!(told.as_ref().map(SubjectId::as_str), account);
        }
    }

    fn basic(path: &Path) -> Basic {
        let settings = Settings {
            users: path.to_owned(),
            ..Settings::default()
        };
        let anywhere: MaySend = Arc::new(|_| true);
        Basic::open(&settings, &anywhere)
            .map_err(|why| why.to_string())
            .unwrap()
    }

    fn credentials(text: &str) -> Credentials {
        let token = base64::engine::general_purpose::STANDARD.encode(text);
        Credentials::parse(token.as_bytes()).unwrap()
    }

    #[test]
    fn an_unknown_user_costs_what_a_known_one_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let basic = basic(&path);
        let of = |name: &str| basic.attempt(&credentials(&format!("{name}:guess")));
        let cost = |attempt: &Attempt| attempt.account.hash.split('$').take(4).collect::<Vec<_>>().join("$");
        let (known, unknown) = (of("ada"), of("nobody"));
        assert_eq!(cost(&known), cost(&unknown));
        assert_ne!(known.account.hash, unknown.account.hash);
        assert!(
            unknown.meant.is_none(),
            "not even the decoy's own password would sign in"
        );
        for (first, second) in [("ada", "ada+x"), ("nobody", "nobody+x"), ("nobody", "nobodx")] {
            let wrongs = |name: &str| basic.wrongs(&of(name), &credentials(&format!("{name}:guess")));
            assert_ne!(wrongs(first), wrongs(second), "each guess is hashed for once");
        }
    }

    #[tokio::test]
    async fn a_password_is_hashed_once_whatever_purpose_the_name_selects() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let basic = basic(&path);
        assert_eq!(sign_in(&basic, "ada:of ada").await, known("ada", None));
        for same in ["ada:of ada", "ada+recruiting:of ada", "ada%2Brecruiting:of%20ada"] {
            assert!(basic.recalls_right(&basic.attempt(&credentials(same))), "{same}");
        }
        assert!(!basic.recalls_right(&basic.attempt(&credentials("ada:of bob"))));
    }

    #[tokio::test]
    async fn the_same_credentials_at_once_take_one_place_however_many_send_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let basic = basic(&path);
        // only one place is left
        let client = IpAddr::from([127, 0, 0, 1]);
        let mut crowd: Vec<_> = std::iter::from_fn(|| basic.queue.enter(client)).collect();
        crowd.pop();
        for (credentials, answer) in [("ada:of ada", known("ada", None)), ("ada:of bob", WRONG)] {
            let attempts = (0..200).map(|_| sign_in(&basic, credentials));
            let answers = futures_util::future::join_all(attempts).await;
            assert!(answers.iter().all(|each| *each == answer), "{answers:?}");
        }
        assert_eq!(
            sign_in(&basic, "ada:of eve").await,
            WRONG,
            "the same again is one guess"
        );
    }

    #[tokio::test]
    async fn a_client_that_floods_the_queue_is_told_to_try_again_and_others_sign_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let basic = basic(&path);
        let flood: Vec<_> = std::iter::from_fn(|| basic.queue.enter([192, 0, 2, 7].into())).collect();
        let right = header("ada:of ada");
        let (flooding, other) = (arrival(Door::Tls, "192.0.2.7"), arrival(Door::Tls, "192.0.2.8"));
        assert_eq!(ask(&basic, &right, &flooding).await, rejected(WhyRejected::Unavailable));
        assert_eq!(ask(&basic, &right, &other).await, known("ada", None));
        assert_eq!(
            ask(&basic, &right, &flooding).await,
            known("ada", None),
            "what is known needs no place"
        );
        drop(flood);
    }

    #[tokio::test]
    async fn what_could_not_be_hashed_is_not_wrong_and_is_looked_at_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let mut basic = basic(&path);
        let decoy = std::mem::replace(&mut basic.decoy, Arc::new(Account::new("no hash at all".to_owned())));
        for _ in 0..=super::super::guesses::FREE {
            assert_eq!(
                sign_in(&basic, "nobody:guess").await,
                rejected(WhyRejected::Unavailable)
            );
            assert!(basic.failing.load(Ordering::Relaxed));
        }
        basic.decoy = decoy;
        assert_eq!(sign_in(&basic, "nobody:guess").await, WRONG, "nothing is remembered");
        assert!(!basic.failing.load(Ordering::Relaxed), "and would be told again");
    }

    #[tokio::test]
    async fn a_sign_in_ends_with_its_account() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        add(&path, &[("ada", "of ada")]);
        let basic = basic(&path);
        let attempt = || basic.attempt(&credentials("ada:of ada"));
        let before = attempt();
        let Known { sign_in, .. } = attempt().known(true).unwrap();
        users::change(&path, |users| users.remove("ada")).unwrap();
        basic.reload().unwrap();
        assert!(!sign_in.is_good());
        assert!(
            before.known(true).is_none(),
            "a hash that ends after its account signs nobody in"
        );
    }
}

//! Who are you.
//!
//! The [`Guard`] asks the methods of the settings in their order (`methods/mod.rs` is the table). The first that knows
//! the sender ends the asking; so does the first that is shown a proof and finds it wrong: a wrong password is not
//! "try the next". [`users`] keeps the accounts of the built-in Basic method; [`selection`] reads the purpose that
//! somebody puts behind their name.
//!
//! Never: look at the destination, decide what somebody may do, or let a password reach a log, a record or a cache.

mod evidence;
mod methods;
mod password;
mod rejected;
pub mod selection;
mod sign_in;
mod tokens;
pub mod users;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;
use serde::{Deserialize, Serialize};

pub use self::evidence::Evidence;
use self::methods::Method;
pub use self::methods::{WAIT, basic_proof};
pub use self::rejected::WhyRejected;
pub use self::sign_in::SignIn;
pub use self::tokens::{FindToken, Found, Holder, token_hash};
use crate::facts::{
    AccountMark, AccountMarks, Arrival, MethodName, PurposeId, Subject, SubjectId, Token, did_you_mean,
};

/// How people prove who they are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The methods, asked in this order: `certificate`, `basic`.
    pub methods: Vec<String>,
    /// The accounts file of the method `basic`, written by `wayleave user`. Approving takes its passwords also where nobody
    /// signs in with one.
    pub users: PathBuf,
    /// For how many seconds a checked password is remembered (as a keyed digest), so that not every request hashes. A
    /// change of the account ends it at once.
    pub basic_remember_s: u64,
    /// How many passwords may be hashed at the same time; each takes some 20 ms of a core, in 19 MiB that
    /// are kept for the next.
    pub basic_at_once: u16,
    /// The fewest characters of a new password.
    pub basic_shortest: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            methods: methods::TABLE.iter().map(|row| row.name.to_owned()).collect(),
            users: PathBuf::from("state/users.toml"),
            basic_remember_s: 3600,
            basic_at_once: 2,
            basic_shortest: 10,
        }
    }
}

/// A setting that cannot be used as written: which one, why, and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSetting {
    /// The field of [`Settings`].
    pub field: &'static str,
    /// What is wrong with it.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl fmt::Display for BadSetting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}`: {} ({})", self.field, self.message, self.help)
    }
}

impl Settings {
    /// Everything that is wrong with the settings beyond their types.
    pub fn problems(&self) -> Vec<BadSetting> {
        let known = || methods::TABLE.iter().map(|row| row.name);
        let mut found: Vec<BadSetting> = self
            .methods
            .iter()
            .filter(|name| !known().any(|method| method == name.as_str()))
            .map(|name| BadSetting {
                field: "methods",
                message: format!("there is no method `{name}`"),
                help: did_you_mean(name, known()).map_or_else(
                    || format!("use one of: {}", known().collect::<Vec<_>>().join(", ")),
                    |meant| format!("did you mean `{meant}`?"),
                ),
            })
            .collect();
        if self.methods.is_empty() {
            found.push(BadSetting {
                field: "methods",
                message: "nobody could prove who they are".to_owned(),
                help: format!("list at least one of: {}", known().collect::<Vec<_>>().join(", ")),
            });
        }
        if self.basic_at_once == 0 {
            found.push(BadSetting {
                field: "basic_at_once",
                message: "no password could ever be checked".to_owned(),
                help: "use at least 1".to_owned(),
            });
        }
        found
    }
}

/// What the guard makes of the evidence.
#[derive(Clone, Debug)]
pub enum Identification {
    /// The sender is known.
    Known {
        /// Who it is and how that was proven.
        subject: Subject,
        /// The purpose that the user name's suffix selects among the grants in force.
        selects: Option<PurposeId>,
        /// What ends when the proof is taken back.
        sign_in: SignIn,
        /// The token for tools that was shown: it is good for some of what the person may do.
        token: Option<Arc<Token>>,
    },
    /// No proof was shown.
    Silent,
    /// A proof was shown and is wrong; it was for this account, if there is such an account. What stands for a name that
    /// is nobody's may be a password that was typed in the wrong place.
    Rejected(WhyRejected, Option<SubjectId>),
}

/// Says whether a password may be used by this arrival.
pub type MaySend = Arc<dyn Fn(&Arrival) -> bool + Send + Sync>;

/// Asks the methods, in order.
pub struct Guard {
    methods: Vec<Box<dyn Method>>,
    /// Passwords, where nobody signs in with one: they still are what somebody proves themselves once more with.
    beside: Option<Box<dyn Method>>,
    /// Finds tokens for tools, which stand for no password where one proves themselves once more.
    tokens: Option<FindToken>,
    may_send: MaySend,
    rejections: AtomicU64,
}

impl fmt::Debug for Guard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.methods.iter().map(|method| method.name()).collect();
        out.debug_struct("Guard")
            .field("methods", &names)
            .finish_non_exhaustive()
    }
}

impl Guard {
    /// A guard with the methods of the settings; all problems at once. `may_send_passwords` says from which arrivals a
    /// password is accepted: not where anybody on the way could read it.
    pub fn new(settings: &Settings, may_send_passwords: &MaySend) -> Result<Self, Vec<BadSetting>> {
        let problems = settings.problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        let (mut built, mut problems) = (Vec::new(), Vec::new());
        for name in &settings.methods {
            for row in methods::TABLE.iter().filter(|row| row.name == name) {
                match (row.build)(settings, may_send_passwords) {
                    Ok(method) => built.push(method),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        let mut beside = None;
        let passwords = methods::TABLE.iter().find(|row| row.name == MethodName::Basic.as_str());
        if let Some(row) = passwords.filter(|row| !settings.methods.iter().any(|name| name == row.name)) {
            match (row.build)(settings, may_send_passwords) {
                Ok(method) => beside = Some(method),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(Self {
                methods: built,
                beside,
                tokens: None,
                may_send: Arc::clone(may_send_passwords),
                rejections: AtomicU64::new(0),
            })
        } else {
            Err(problems)
        }
    }

    /// The same guard, which also believes tokens.
    #[must_use]
    pub fn believing(mut self, tokens: FindToken) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// The token in `Authorization: Bearer`, where there is one.
    pub fn bearer(&self, field: &HeaderValue) -> Option<Result<Holder, WhyRejected>> {
        let found = tokens::bearer(field, self.tokens.as_ref()?)?;
        if found.is_err() {
            self.rejections.fetch_add(1, Ordering::Relaxed);
        }
        Some(found)
    }

    /// Says who sent the evidence.
    pub async fn identify(&self, evidence: &Evidence<'_>) -> Identification {
        let find = self.tokens.as_ref();
        let by_token = find.and_then(|find| tokens::identify(evidence, find, (self.may_send)(evidence.arrival)));
        if let Some(answer) = by_token {
            if matches!(answer, Identification::Rejected(..)) {
                self.rejections.fetch_add(1, Ordering::Relaxed);
            }
            return answer;
        }
        self.ask(self.methods.iter(), evidence).await
    }

    /// Asks these methods, and counts what is wrong.
    async fn ask(&self, methods: impl Iterator<Item = &Box<dyn Method>>, evidence: &Evidence<'_>) -> Identification {
        let answer = first_answer(methods, evidence).await;
        if matches!(answer, Identification::Rejected(..)) {
            self.rejections.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    /// Says whether `who`, known on the hop to the proxy, proves it once more with a password: `proof` is as
    /// `Proxy-Authorization` would be, and is looked at in the same way and within the same limits, also where nobody signs
    /// in so.
    pub async fn confirm(
        &self,
        who: &SubjectId,
        proof: &HeaderValue,
        arrival: &Arrival,
    ) -> Result<SignIn, WhyRejected> {
        let evidence = Evidence {
            proxy_authorization: Some(proof),
            more_than_one: false,
            client_certificate: None,
            arrival,
        };
        let (why, account) = match self.ask(self.all(), &evidence).await {
            Identification::Known { subject, sign_in, .. } if subject.id == *who => return Ok(sign_in),
            // somebody else's password proves nothing of this person
            Identification::Known { subject, .. } => (WhyRejected::WrongCredentials, Some(subject.id)),
            Identification::Silent => (WhyRejected::Malformed, None),
            Identification::Rejected(why, account) => (why, account),
        };
        let user = account.as_ref().map(SubjectId::as_str);
        tracing::info!(client = %arrival.client, %who, user, %why, "a proof of identity was refused");
        Err(why)
    }

    /// Whether `who` has a password to prove themselves with.
    pub fn has_password(&self, who: &SubjectId) -> bool {
        self.all().any(|method| method.has_password(who))
    }

    /// What a sign-in of `who` rests on here that was made, be it at another gateway, with an account that looked so; none where
    /// there is no such account here any more.
    pub fn sign_in_by(&self, who: &SubjectId, mark: AccountMark) -> Option<SignIn> {
        self.all().find_map(|method| method.sign_in_by(who, mark))
    }

    /// What the accounts of people look like who have a password; the same value as long as none changes. Nothing where no
    /// passwords are kept here.
    pub fn accounts(&self) -> Option<Arc<AccountMarks>> {
        self.all().find_map(|method| method.marks())
    }

    /// Whether passwords are kept here, and the file of the accounts is not there or has nothing in it: whose account is gone,
    /// nobody knows then.
    pub fn lacks_accounts(&self) -> bool {
        self.all().any(|method| method.lacks_accounts())
    }

    fn all(&self) -> impl Iterator<Item = &Box<dyn Method>> {
        self.methods.iter().chain(&self.beside)
    }

    /// The values of `Proxy-Authenticate` for a 407 to this arrival, the best method first (RFC 9110 §11.7.1).
    ///
    /// Empty where nothing that HTTP can ask for would be accepted: a 407 without a challenge is not allowed, so the
    /// answer is then a 403 that names the TLS door.
    pub fn challenges(&self, arrival: &Arrival) -> Vec<HeaderValue> {
        self.methods
            .iter()
            .filter_map(|method| method.challenge(arrival))
            .collect()
    }

    /// How many proofs were wrong since the start.
    pub fn rejections(&self) -> u64 {
        self.rejections.load(Ordering::Relaxed)
    }

    /// Looks at the accounts, and reads them again if they have changed; says what is wrong with them. It reads files:
    /// call it once a second, and never on an async worker.
    pub fn reload(&self) -> Result<(), String> {
        self.all().try_for_each(|method| method.reload())
    }

    /// Whether every method can do its work; if not, why.
    pub fn healthy(&self) -> Result<(), String> {
        self.all().try_for_each(|method| method.healthy())
    }
}

/// What the first method says that finds something in the evidence.
async fn first_answer(methods: impl Iterator<Item = &Box<dyn Method>>, evidence: &Evidence<'_>) -> Identification {
    if evidence.more_than_one {
        return Identification::Rejected(WhyRejected::TwoProofs, None);
    }
    for method in methods {
        match method.identify(evidence).await {
            Identification::Silent => {}
            answer @ (Identification::Known { .. } | Identification::Rejected(..)) => return answer,
        }
    }
    Identification::Silent
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use http::HeaderMap;
    use rustls::pki_types::CertificateDer;

    use super::*;
    use crate::facts::{Door, NetworkName};

    fn settings(folder: &std::path::Path) -> Settings {
        let users = folder.join("users.toml");
        users::change(&users, |users| {
            users.add("ada", &crate::facts::Secret::new("of ada"), 1)
        })
        .unwrap();
        Settings {
            users,
            ..Settings::default()
        }
    }

    fn arrival() -> Arrival {
        Arrival {
            door: Door::Tls,
            client: SocketAddr::from(([192, 0, 2, 7], 40000)),
            network: NetworkName::default(),
        }
    }

    fn anywhere() -> MaySend {
        Arc::new(|_| true)
    }

    fn guard(settings: &Settings) -> Guard {
        Guard::new(settings, &anywhere()).unwrap()
    }

    fn signed_in(headers: &[&'static str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for value in headers {
            map.append(http::header::PROXY_AUTHORIZATION, HeaderValue::from_static(value));
        }
        map
    }

    /// `ada:of ada`
    const ADA: &str = "Basic YWRhOm9mIGFkYQ==";

    #[tokio::test]
    async fn two_proofs_are_rejected_even_if_they_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let guard = guard(&settings(folder.path()));
        let (here, twice, none) = (arrival(), signed_in(&[ADA, ADA]), signed_in(&[]));
        let answer = guard.identify(&Evidence::gather(&twice, None, &here)).await;
        assert!(
            matches!(answer, Identification::Rejected(WhyRejected::TwoProofs, None)),
            "{answer:?}"
        );
        let answer = guard.identify(&Evidence::gather(&none, None, &here)).await;
        assert!(matches!(answer, Identification::Silent), "{answer:?}");
        assert_eq!(guard.rejections(), 1);
    }

    #[tokio::test]
    async fn somebody_proves_once_more_who_they_are_with_their_own_password_and_within_the_same_limits() {
        let folder = tempfile::tempdir().unwrap();
        let guard = guard(&settings(folder.path()));
        let (ada, bob) = (SubjectId::parse("ada").unwrap(), SubjectId::parse("bob").unwrap());
        let here = arrival();
        let proof = |who: &SubjectId, password: &str| basic_proof(who, &crate::facts::Secret::new(password)).unwrap();
        let confirm = async |who, proof| guard.confirm(who, &proof, &here).await;
        assert!(confirm(&ada, proof(&ada, "of ada")).await.unwrap().is_good());
        let of_another = confirm(&bob, proof(&ada, "of ada")).await;
        assert_eq!(of_another.err(), Some(WhyRejected::WrongCredentials));
        let bearer = HeaderValue::from_static("Bearer x");
        assert_eq!(confirm(&ada, bearer).await.err(), Some(WhyRejected::Malformed));
        for guess in 0..10 {
            let wrong = confirm(&ada, proof(&ada, &format!("guess {guess}"))).await;
            assert_eq!(wrong.err(), Some(WhyRejected::WrongCredentials));
        }
        let one_more = confirm(&ada, proof(&ada, "guess 11")).await;
        assert_eq!(one_more.err(), Some(WhyRejected::TooManyGuesses));
        assert!(guard.has_password(&ada) && !guard.has_password(&bob));
    }

    #[tokio::test]
    async fn who_signs_in_by_certificate_alone_proves_themselves_once_more_with_a_password_and_signs_in_with_none() {
        let folder = tempfile::tempdir().unwrap();
        let guard = guard(&Settings {
            methods: vec!["certificate".to_owned()],
            ..settings(folder.path())
        });
        let (ada, here) = (SubjectId::parse("ada").unwrap(), arrival());
        let headers = signed_in(&[ADA]);
        let answer = guard.identify(&Evidence::gather(&headers, None, &here)).await;
        assert!(matches!(answer, Identification::Silent), "{answer:?}");
        assert!(guard.challenges(&here).is_empty(), "no password is asked for");
        let confirm = async |password: &str| {
            let proof = basic_proof(&ada, &crate::facts::Secret::new(password)).unwrap();
            guard.confirm(&ada, &proof, &here).await
        };
        assert!(guard.has_password(&ada));
        assert!(confirm("of ada").await.is_ok());
        assert_eq!(confirm("a guess").await.err(), Some(WhyRejected::WrongCredentials));
        assert_eq!(guard.rejections(), 1);
    }

    #[tokio::test]
    async fn a_certificate_is_believed_before_a_password_and_a_wrong_one_ends_the_asking() {
        let folder = tempfile::tempdir().unwrap();
        let guard = guard(&settings(folder.path()));
        let (here, password, none) = (arrival(), signed_in(&[ADA]), signed_in(&[]));
        let mut params = rcgen::CertificateParams::default();
        params.subject_alt_names = vec![rcgen::SanType::URI("wayleave:user:bob".try_into().unwrap())];
        let key = rcgen::KeyPair::generate().unwrap();
        let bob: CertificateDer<'static> = params.self_signed(&key).unwrap().into();
        let answer = guard.identify(&Evidence::gather(&none, Some(&bob), &here)).await;
        assert!(
            matches!(&answer, Identification::Known { subject, .. } if subject.id.as_str() == "bob" && subject.method == MethodName::Certificate),
            "{answer:?}"
        );
        let answer = guard.identify(&Evidence::gather(&password, Some(&bob), &here)).await;
        assert!(
            matches!(&answer, Identification::Rejected(WhyRejected::AnotherName, Some(whose)) if whose.as_str() == "bob"),
            "ada is not whom it names, be her password right: {answer:?}"
        );
        let garbage = CertificateDer::from(vec![0x30, 0x00]);
        let answer = guard
            .identify(&Evidence::gather(&password, Some(&garbage), &here))
            .await;
        assert!(
            matches!(answer, Identification::Rejected(WhyRejected::CertificateUnclear, None)),
            "{answer:?}"
        );
        let answer = guard.identify(&Evidence::gather(&password, None, &here)).await;
        assert!(
            matches!(&answer, Identification::Known { subject, .. } if subject.id.as_str() == "ada"),
            "{answer:?}"
        );
    }

    #[test]
    fn browsers_are_asked_for_a_password_in_words_that_they_know() {
        let folder = tempfile::tempdir().unwrap();
        let guard = guard(&settings(folder.path()));
        assert_eq!(
            guard.challenges(&arrival()),
            ["Basic realm=\"wayleave\", charset=\"UTF-8\""]
        );
    }

    #[test]
    fn settings_that_nobody_could_sign_in_with_are_refused_with_a_hint() {
        let settings = Settings {
            methods: vec!["basik".to_owned(), "kerberos".to_owned()],
            basic_at_once: 0,
            ..Settings::default()
        };
        let problems: Vec<String> = settings.problems().iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "`methods`: there is no method `basik` (did you mean `basic`?)",
                "`methods`: there is no method `kerberos` (use one of: certificate, basic)",
                "`basic_at_once`: no password could ever be checked (use at least 1)",
            ]
        );
        assert!(Guard::new(&settings, &anywhere()).is_err());
    }

    #[test]
    fn a_broken_accounts_file_keeps_the_guard_from_starting() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        users::save(&users::Users::default(), &settings.users).unwrap();
        assert!(Guard::new(&settings, &anywhere()).is_ok());
        assert!(
            Guard::new(
                &Settings {
                    users: folder.path().to_owned(),
                    ..settings
                },
                &anywhere()
            )
            .is_err(),
            "a folder is no accounts file"
        );
    }
}

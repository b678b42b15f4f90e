//! The accounts in force: a snapshot that requests read without waiting, replaced when the file has changed.
//!
//! An account that a change leaves as it was stays the same value, with what is known of its password; so one new user
//! does not make everybody's next request hash. One that is removed or has a new password ends what rests on it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use aws_lc_rs::digest::{SHA256, digest};

use super::remembered::Digest;
use crate::facts::{AccountMark, AccountMarks, SubjectId};
use crate::identity::SignIn;
use crate::identity::sign_in::Proof;
use crate::identity::users::{self, Stamp, Users, UsersError};

/// One account with one password.
pub(super) struct Account {
    /// The password's hash.
    pub(super) hash: String,
    /// The keyed digest of the password, once somebody has sent it, and until when it is remembered.
    right: ArcSwapOption<(Digest, Duration)>,
    proof: Proof,
    mark: AccountMark,
}

impl Account {
    /// An account whose password has this hash.
    pub(super) fn new(hash: String) -> Self {
        Self {
            mark: mark(&hash),
            hash,
            right: ArcSwapOption::empty(),
            proof: Proof::new(),
        }
    }

    /// Whether `digest` is that of the password, as far as is remembered at `now`.
    pub(super) fn recalls(&self, digest: &Digest, now: Duration) -> bool {
        let right = self.right.load();
        right.as_ref().is_some_and(|right| right.0 == *digest && now < right.1)
    }

    /// Remembers the digest of the password until `until`.
    pub(super) fn remember(&self, digest: Digest, until: Duration) {
        self.right.store(Some(Arc::new((digest, until))));
    }

    /// What a sign-in with this account rests on.
    pub(super) fn sign_in(&self) -> SignIn {
        self.proof.sign_in().with(self.mark)
    }

    /// Whether it looks like that: the same account with the same password, set at the same time.
    pub(super) fn looks_like(&self, mark: AccountMark) -> bool {
        self.mark == mark
    }
}

/// What is told of an account where it is noticed that accounts change.
fn mark(hash: &str) -> AccountMark {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(digest(&SHA256, hash.as_bytes()).as_ref()) {
        *to = *from;
    }
    AccountMark::new(bytes)
}

type Snapshot = BTreeMap<SubjectId, Arc<Account>>;

/// The accounts as last read.
pub(super) struct Accounts {
    path: PathBuf,
    current: ArcSwap<Snapshot>,
    /// The same as it is told to those who must notice what changes.
    marks: ArcSwap<AccountMarks>,
    /// Held while the file is looked at; no request waits for it.
    last: Mutex<Last>,
}

/// What the last look at the file found.
struct Last {
    /// Whether it was not there, or had nothing in it.
    is_missing: bool,
    /// None if the file must be read again, whatever it looks like.
    stamp: Option<Stamp>,
    problem: Option<String>,
}

impl Accounts {
    pub(super) fn open(path: PathBuf) -> Result<Self, String> {
        let stamp = Stamp::of(&path);
        let users = users::find(&path).map_err(|why| why.to_string())?;
        let is_missing = users.is_none();
        let first = following(&Snapshot::new(), &users.unwrap_or_default());
        Ok(Self {
            path,
            marks: ArcSwap::from_pointee(marks(&first)),
            current: ArcSwap::from_pointee(first),
            last: Mutex::new(Last {
                is_missing,
                stamp: Some(stamp),
                problem: None,
            }),
        })
    }

    /// The accounts now.
    pub(super) fn load(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// What they look like; the same value as long as nothing changes.
    pub(super) fn marks(&self) -> Arc<AccountMarks> {
        self.marks.load_full()
    }

    /// Whether there is no file, or nothing in it: nobody signs in with a password, and nobody knows whose account is gone.
    pub(super) fn is_missing(&self) -> bool {
        self.lock().is_missing
    }

    /// What is wrong with the file.
    pub(super) fn problem(&self) -> Option<String> {
        self.lock().problem.clone()
    }

    /// Reads the file again if it has changed. One that does not parse never counts: the accounts before it stay.
    pub(super) fn look(&self) {
        let mut last = self.lock();
        let stamp = Stamp::of(&self.path);
        if last.stamp == Some(stamp) {
            return;
        }
        match users::find(&self.path) {
            Ok(found) => {
                // INVARIANT: a file that is not there says of no account that it is gone for good
                let problem = self.missing(found.is_none());
                if let Some(why) = problem.as_ref().filter(|why| last.problem.as_ref() != Some(*why)) {
                    tracing::error!("{why}");
                }
                *last = Last {
                    is_missing: found.is_none(),
                    stamp: Some(stamp),
                    problem,
                };
                self.replace(found.as_ref());
            }
            Err(why) => {
                // What cannot be parsed is not read again until it changes; what could not be read may be readable now.
                last.stamp = matches!(why, UsersError::Problems(_)).then_some(stamp);
                let why = format!("the accounts before the change stay in force: {why}");
                if last.problem.as_ref() != Some(&why) {
                    tracing::error!(path = %self.path.display(), "{why}");
                }
                last.problem = Some(why);
            }
        }
    }

    /// What is wrong where the file is missing of accounts that there were.
    fn missing(&self, is_missing: bool) -> Option<String> {
        (is_missing && !self.marks().is_empty()).then(|| {
            format!(
                "there are accounts no more: `{}` is not there, or empty; nobody signs in with a password and no token is good until it is back; put it back, or, where all accounts are to go, remove each with `wayleave user remove`",
                self.path.display()
            )
        })
    }

    /// What is told of accounts stays as it was while they cannot be found.
    fn replace(&self, users: Option<&Users>) {
        let before = self.current.load_full();
        let after = Arc::new(users.map(|users| following(&before, users)).unwrap_or_default());
        self.current.store(after.clone());
        if users.is_some() {
            self.marks.store(Arc::new(marks(&after)));
        }
        // INVARIANT: after the swap, so that whoever signs in from now on finds only accounts that are not ended.
        for (id, account) in &*before {
            if !after.get(id).is_some_and(|kept| Arc::ptr_eq(kept, account)) {
                account.proof.take_back();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn marks(accounts: &Snapshot) -> AccountMarks {
    let mark = |(id, account): (&SubjectId, &Arc<Account>)| (id.clone(), account.mark);
    accounts.iter().map(mark).collect()
}

/// The accounts of `users`; those that are as they were in `before` are the same values.
fn following(before: &Snapshot, users: &Users) -> Snapshot {
    let account = |(id, hash): (&SubjectId, &str)| {
        let kept = before.get(id).filter(|account| account.hash == hash);
        let account = kept.cloned().unwrap_or_else(|| Arc::new(Account::new(hash.to_owned())));
        (id.clone(), account)
    };
    users.hashes().map(account).collect()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests damage the file")]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::facts::Secret;

    fn edit(path: &Path, edit: impl FnOnce(&mut Users) -> Result<(), UsersError>) {
        users::change(path, edit).unwrap();
    }

    fn opened() -> (tempfile::TempDir, PathBuf, Accounts) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        edit(&path, |users| users.add("ada", &Secret::new("of ada"), 1));
        edit(&path, |users| users.add("bob", &Secret::new("of bob"), 1));
        let accounts = Accounts::open(path.clone()).unwrap();
        (folder, path, accounts)
    }

    fn account(accounts: &Accounts, name: &str) -> Option<Arc<Account>> {
        accounts.load().get(&SubjectId::parse(name).unwrap()).cloned()
    }

    #[test]
    fn a_file_that_is_not_there_or_empty_for_a_moment_is_not_that_every_account_is_gone() {
        let (_folder, path, accounts) = opened();
        let as_ada = account(&accounts, "ada").unwrap().sign_in();
        let before = accounts.marks();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        for written in [None, Some("\n")] {
            if let Some(text) = written {
                std::fs::write(&path, text).unwrap();
            }
            accounts.look();
            assert!(accounts.is_missing());
            let problem = accounts.problem().unwrap();
            assert!(problem.contains("no token is good until it is back"), "{problem}");
            assert!(
                account(&accounts, "ada").is_none() && !as_ada.is_good(),
                "nobody signs in"
            );
        }
        std::fs::write(&path, text).unwrap();
        accounts.look();
        assert_eq!((accounts.is_missing(), accounts.problem()), (false, None));
        assert_eq!(accounts.marks(), before, "they are who they were");
        // that every account is removed says a file that is there
        edit(&path, |users| users.remove("ada"));
        edit(&path, |users| users.remove("bob"));
        accounts.look();
        assert!(accounts.marks().is_empty() && !accounts.is_missing());
    }

    #[test]
    fn only_a_removed_account_or_a_new_password_ends_a_sign_in() {
        let (_folder, path, accounts) = opened();
        let (ada, bob) = (account(&accounts, "ada").unwrap(), account(&accounts, "bob").unwrap());
        let (as_ada, as_bob) = (ada.sign_in(), bob.sign_in());
        ada.remember([1; 32], Duration::MAX);

        let before = accounts.marks();
        accounts.look();
        assert!(Arc::ptr_eq(&before, &accounts.marks()), "nothing has changed");
        edit(&path, |users| users.add("eve", &Secret::new("of eve"), 1));
        accounts.look();
        let after = accounts.marks();
        let same = |name: &str| {
            let id = SubjectId::parse(name).unwrap();
            before.get(&id) == after.get(&id)
        };
        assert!(same("ada") && same("bob") && !same("eve"));
        assert!(as_ada.is_good() && as_bob.is_good(), "somebody else was added");
        let same = account(&accounts, "ada").unwrap();
        assert!(same.recalls(&[1; 32], Duration::ZERO), "and nobody has to hash again");

        edit(&path, |users| users.passwd("bob", &Secret::new("of bob"), 1));
        accounts.look();
        assert!(
            as_ada.is_good() && !as_bob.is_good(),
            "even the same password, set anew"
        );
        let bob_id = SubjectId::parse("bob").unwrap();
        assert_ne!(before.get(&bob_id), accounts.marks().get(&bob_id));
        assert!(account(&accounts, "bob").unwrap().sign_in().is_good());

        edit(&path, |users| users.remove("ada"));
        accounts.look();
        assert!(!as_ada.is_good());
        edit(&path, |users| users.add("ada", &Secret::new("of ada"), 1));
        accounts.look();
        assert!(!as_ada.is_good(), "an account of the same name is another account");
    }
}

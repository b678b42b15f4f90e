//! Credentials that are being checked, so that those which come meanwhile wait for that answer and not for one of their own.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::remembered::Digest;

/// What is being checked, by digest; and once it is known, whether it is right.
#[derive(Debug, Default)]
pub(super) struct Checking(Mutex<HashMap<Digest, watch::Receiver<Option<bool>>>>);

/// Whose turn it is to check.
#[derive(Debug)]
pub(super) enum Turn<'c> {
    /// Nobody else checks these.
    Ours(Check<'c>),
    /// Somebody does.
    Theirs(Waiting),
}

/// A check, until it is dropped.
#[derive(Debug)]
pub(super) struct Check<'c> {
    checking: &'c Checking,
    digest: Digest,
    result: watch::Sender<Option<bool>>,
}

/// Waits for somebody else's check.
#[derive(Debug)]
pub(super) struct Waiting(watch::Receiver<Option<bool>>);

impl Checking {
    pub(super) fn turn(&self, digest: Digest) -> Turn<'_> {
        let mut checking = self.lock();
        if let Some(theirs) = checking.get(&digest) {
            return Turn::Theirs(Waiting(theirs.clone()));
        }
        let (result, waits) = watch::channel(None);
        checking.insert(digest, waits);
        Turn::Ours(Check {
            checking: self,
            digest,
            result,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, watch::Receiver<Option<bool>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Check<'_> {
    /// Tells those who wait.
    pub(super) fn done(self, is_right: bool) {
        self.result.send_replace(Some(is_right));
    }
}

impl Drop for Check<'_> {
    fn drop(&mut self) {
        self.checking.lock().remove(&self.digest);
    }
}

impl Waiting {
    /// Whether the credentials are right; none if whoever checked them gave up.
    pub(super) async fn result(mut self) -> Option<bool> {
        *self.0.wait_for(Option::is_some).await.ok()?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_who_wait_hear_the_answer_or_take_their_turn() {
        let checking = Checking::default();
        let turn = || checking.turn([7; 32]);
        let Turn::Ours(check) = turn() else {
            panic!("nobody checks")
        };
        let (Turn::Theirs(one), Turn::Theirs(other)) = (turn(), turn()) else {
            panic!("somebody checks")
        };
        assert!(matches!(checking.turn([8; 32]), Turn::Ours(_)));
        check.done(true);
        assert_eq!((one.result().await, other.result().await), (Some(true), Some(true)));

        let Turn::Ours(check) = turn() else {
            panic!("nobody checks any more")
        };
        let Turn::Theirs(waits) = turn() else {
            panic!("somebody checks")
        };
        drop(check);
        assert_eq!(waits.result().await, None);
        assert!(checking.lock().is_empty());
    }
}

//! Whether what somebody proved at the door still stands.

use std::sync::Arc;

use tokio::sync::watch;

use crate::facts::AccountMark;

/// Somebody's having signed in. It is good until what proved it is taken back: the account is removed, or its password
/// changes. Asking is cheap, so that every request inside a tunnel can ask.
#[derive(Clone, Debug, Default)]
pub struct SignIn {
    /// None where nothing that this gateway keeps can take the proof back, as with a certificate.
    proof: Option<Arc<watch::Sender<bool>>>,
    /// What the account looks like that it rests on.
    mark: Option<AccountMark>,
}

/// What sign-ins rest on, until it is taken back.
#[derive(Debug)]
pub(super) struct Proof(Arc<watch::Sender<bool>>);

impl Proof {
    /// A proof that stands.
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(true)))
    }

    /// From now on no sign-in that rests on it is good.
    pub(super) fn take_back(&self) {
        self.0.send_replace(false);
    }

    /// A sign-in that rests on it.
    pub(super) fn sign_in(&self) -> SignIn {
        SignIn {
            proof: Some(Arc::clone(&self.0)),
            mark: None,
        }
    }
}

impl SignIn {
    /// A sign-in that is good for as long as this stands.
    pub fn resting_on(stands: Arc<watch::Sender<bool>>) -> Self {
        Self {
            proof: Some(stands),
            mark: None,
        }
    }

    /// The same, with an account that looks like this.
    #[must_use]
    pub(super) fn with(self, mark: AccountMark) -> Self {
        Self {
            mark: Some(mark),
            ..self
        }
    }

    /// What the account looks like that it rests on, by which other gateways know it; none where it rests on none.
    pub fn mark(&self) -> Option<AccountMark> {
        self.mark
    }

    /// Whether what proved it still stands.
    pub fn is_good(&self) -> bool {
        self.proof.as_ref().is_none_or(|proof| *proof.borrow())
    }

    /// Returns once what proved it is taken back; never for what cannot be.
    pub async fn ended(&self) {
        let Some(proof) = &self.proof else {
            return std::future::pending().await;
        };
        // we hold its sender, so it cannot close
        drop(proof.subscribe().wait_for(|stands| !stands).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sign_in_is_good_until_its_proof_is_taken_back() {
        let proof = Proof::new();
        let sign_in = proof.sign_in();
        let copy = sign_in.clone();
        assert!(sign_in.is_good() && SignIn::default().is_good());
        proof.take_back();
        assert!(!sign_in.is_good() && !copy.is_good());
        copy.ended().await;
    }
}

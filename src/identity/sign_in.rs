//! What a sign-in rests on, so that it can end while connections that it opened go on.

use tokio_util::sync::CancellationToken;

/// Somebody's having signed in. It is good until what proved it is taken back: the account is removed, or its password
/// changes. Asking costs one look at a flag, so that every request inside a tunnel can ask.
#[derive(Clone, Debug, Default)]
pub struct SignIn {
    /// None where nothing that this gateway keeps can take the proof back, as with a certificate.
    ended: Option<CancellationToken>,
}

impl SignIn {
    /// A sign-in that ends when `ended` is cancelled.
    pub(super) fn until(ended: CancellationToken) -> Self {
        Self { ended: Some(ended) }
    }

    /// Whether what proved it still stands.
    pub fn is_good(&self) -> bool {
        self.ended.as_ref().is_none_or(|ended| !ended.is_cancelled())
    }

    /// Returns once what proved it is taken back; never for what cannot be.
    pub async fn ended(&self) {
        match &self.ended {
            Some(ended) => ended.cancelled().await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sign_in_is_good_until_its_proof_is_taken_back() {
        let proof = CancellationToken::new();
        let sign_in = SignIn::until(proof.clone());
        let copy = sign_in.clone();
        assert!(sign_in.is_good() && SignIn::default().is_good());
        proof.cancel();
        assert!(!sign_in.is_good() && !copy.is_good());
        copy.ended().await;
    }
}

//! What is said to whoever has not proven who they are.

/// The words of proofs.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct ProofWords {
    pub sign_in_title: &'static str,
    pub sign_in_what: &'static str,
    pub sign_in_advice: &'static str,
    pub wait_title: &'static str,
    pub wait_what: &'static str,
    pub wait_advice: &'static str,
    pub busy_title: &'static str,
    pub busy_what: &'static str,
    pub busy_advice: &'static str,
    pub tls_door_title: &'static str,
    pub tls_door_what: &'static str,
    pub tls_door_advice: &'static str,
    pub another_title: &'static str,
    pub another_what: &'static str,
    pub another_advice: &'static str,
}

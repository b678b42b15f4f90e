//! Why a proof is not believed. Pure.

use std::fmt;

/// Why a proof is wrong. The words are for the person; they never tell whether a user exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WhyRejected {
    /// Two `Proxy-Authorization` fields.
    TwoProofs,
    /// `Proxy-Authorization` is not `Basic` with a user name and a password.
    Malformed,
    /// The user name or the password is wrong.
    WrongCredentials,
    /// The password is not looked at: too many for this user were wrong, from this address.
    TooManyGuesses,
    /// A password was sent in clear from a network where that is not accepted.
    UseTlsDoor,
    /// The client certificate names nobody, or more than one.
    CertificateUnclear,
    /// The user name that was sent beside a client certificate is not whose that is.
    AnotherName,
    /// A token was shown for what it is not good for.
    OutOfScope,
    /// The accounts could not be asked.
    Unavailable,
}

impl WhyRejected {
    /// The name used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TwoProofs => "two-proofs",
            Self::Malformed => "malformed",
            Self::WrongCredentials => "wrong-credentials",
            Self::TooManyGuesses => "too-many-guesses",
            Self::UseTlsDoor => "use-tls-door",
            Self::CertificateUnclear => "certificate-unclear",
            Self::AnotherName => "another-name",
            Self::OutOfScope => "out-of-scope",
            Self::Unavailable => "unavailable",
        }
    }

    /// All of them, for closed label sets.
    pub const ALL: [Self; 9] = [
        Self::TwoProofs,
        Self::Malformed,
        Self::WrongCredentials,
        Self::TooManyGuesses,
        Self::UseTlsDoor,
        Self::CertificateUnclear,
        Self::AnotherName,
        Self::OutOfScope,
        Self::Unavailable,
    ];
}

impl fmt::Display for WhyRejected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::TwoProofs => "the request carries two `Proxy-Authorization` fields; send one",
            Self::Malformed => "the `Proxy-Authorization` field is not `Basic` with a user name and a password",
            Self::WrongCredentials => "the user name or the password is wrong",
            Self::TooManyGuesses => {
                "too many wrong passwords from this address, for this user or altogether; wait some minutes"
            }
            Self::UseTlsDoor => "passwords are not accepted in clear from this network; use the TLS door",
            Self::CertificateUnclear => "the client certificate does not name exactly one user",
            Self::AnotherName => "the user name beside the client certificate is not the one that it names",
            Self::OutOfScope => "the token is not good for this",
            Self::Unavailable => "sign-in is not possible right now; try again",
        })
    }
}

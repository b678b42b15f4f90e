//! Passwords: argon2id (RFC 9106) in PHC strings, with bounds on what a file may ask us to compute.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::facts::Secret;

/// More memory than this for one hash (in KiB) would let a line of the accounts file stop the gateway.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
/// More passes than this would let it hold a core for seconds.
const MOST_PASSES: u32 = 16;

/// Hashes a password with a fresh salt, at the cost that RFC 9106 §4 and OWASP recommend for 19 MiB.
pub(super) fn hash(password: &Secret) -> Result<String, String> {
    Argon2::default()
        .hash_password(password.reveal().as_bytes())
        .map(|phc| phc.to_string())
        .map_err(|why| format!("the password could not be hashed: {why}"))
}

/// Whether `password` is the one that `phc` was made from. Slow on purpose: never call it on an async worker.
pub(super) fn verify(password: &Secret, phc: &str) -> bool {
    PasswordHash::new(phc).is_ok_and(|hash| {
        // The cost comes from the hash itself; the instance only says which algorithm we accept.
        Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
            .verify_password(password.reveal().as_bytes(), &hash)
            .is_ok()
    })
}

/// Why a text of the accounts file is not a hash that we would compute.
pub(super) fn problem_with(phc: &str) -> Option<&'static str> {
    let Ok(hash) = PasswordHash::new(phc) else {
        return Some("it is not a PHC string (`$argon2id$v=19$m=…`)");
    };
    if hash.algorithm.as_str() != "argon2id" {
        return Some("it is not made by argon2id");
    }
    if hash.salt.is_none() || hash.hash.is_none() {
        return Some("it has no salt or no hash");
    }
    let Ok(params) = Params::try_from(&hash) else {
        return Some("its parameters are not those of argon2id");
    };
    (params.m_cost() > MOST_MEMORY_KIB || params.t_cost() > MOST_PASSES).then_some("it costs too much to check")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_that_was_hashed_verifies() {
        let phc = hash(&Secret::new("correct horse")).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify(&Secret::new("correct horse"), &phc));
        assert!(!verify(&Secret::new("correct horsf"), &phc));
        assert!(!verify(&Secret::new(""), &phc));
        assert_eq!(problem_with(&phc), None);
    }

    #[test]
    fn two_hashes_of_one_password_differ() {
        let password = Secret::new("correct horse");
        assert_ne!(hash(&password).unwrap(), hash(&password).unwrap());
    }

    #[test]
    fn what_is_not_a_bounded_argon2id_hash_is_named() {
        let good = hash(&Secret::new("correct horse")).unwrap();
        for bad in [
            "hunter2".to_owned(),
            "$apr1$abc$def".to_owned(),
            good.replace("argon2id", "argon2i"),
            good.replace("m=19456", "m=4000000"),
            good.replace("t=2", "t=900"),
            good.rsplit_once('$').unwrap().0.to_owned(),
        ] {
            assert!(problem_with(&bad).is_some(), "{bad}");
        }
    }
}

//! Passwords: argon2id (RFC 9106) in PHC strings, with bounds on what a file may ask us to compute.

use argon2::password_hash::PasswordHasher;
use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::facts::Secret;

/// More memory than this for one hash (in KiB) would let a line of the accounts file stop the gateway.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
/// More passes than this would let it hold a core for seconds.
const MOST_PASSES: u32 = 16;

/// What is kept for the next hash (in KiB): dearer ones than ours, as they may be imported, take theirs each time.
const KEPT_KIB: usize = 32 * 1024;

/// Hashes a password with a fresh salt, at the cost that RFC 9106 §4 and OWASP recommend for 19 MiB.
pub(super) fn hash(password: &Secret) -> Result<String, String> {
    Argon2::default()
        .hash_password(password.reveal().as_bytes())
        .map(|phc| phc.to_string())
        .map_err(|why| format!("the password could not be hashed: {why}"))
}

/// Memory that hashes are made in, one after the other. It is kept: what is taken and given back for every hash, on
/// whichever thread, an allocator does not give back to the system, unless it is much at once.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl Memory {
    /// As much as `blocks`.
    fn with(&mut self, blocks: usize) -> Result<&mut [Block], argon2::Error> {
        let missing = blocks.saturating_sub(self.0.len());
        let reserved = self.0.try_reserve_exact(missing);
        reserved.map_err(|_| argon2::Error::OutOfMemory)?;
        self.0.resize(self.0.len() + missing, Block::new());
        self.0.get_mut(..blocks).ok_or(argon2::Error::OutOfMemory)
    }

    /// Gives back what is more than one keeps. A block is one KiB.
    fn shrink(&mut self) {
        self.0.truncate(KEPT_KIB);
        self.0.shrink_to(KEPT_KIB);
    }

    #[cfg(test)]
    pub(super) fn is_there(&self) -> bool {
        !self.0.is_empty()
    }
}

/// Whether `password` is the one that `phc` was made from; an error says that nobody knows. Slow on purpose: never call
/// it on an async worker.
pub(super) fn verify(password: &Secret, phc: &str, memory: &mut Memory) -> Result<bool, String> {
    let unknown = |why: &str| format!("a password could not be checked: {why}");
    let stored = Stored::read(phc).map_err(unknown)?;
    let mut made = vec![0; stored.output.len()];
    let hashed = memory.with(stored.argon2.params().block_count()).and_then(|memory| {
        let argon2 = &stored.argon2;
        let hashed =
            argon2.hash_password_into_with_memory(password.reveal().as_bytes(), &stored.salt, &mut made, &mut *memory);
        // what is left in it tells a wrong guess from the right one much faster than the hash does
        memory.fill(Block::new());
        hashed
    });
    memory.shrink();
    hashed.map_err(|why| unknown(&why.to_string()))?;
    // two of these are compared in constant time
    Output::new(&made)
        .map(|made| made == stored.output)
        .map_err(|why| unknown(&why.to_string()))
}

/// Why a text of the accounts file is not a hash that we would compute.
pub(super) fn problem_with(phc: &str) -> Option<&'static str> {
    Stored::read(phc).err()
}

/// A hash that we would compute, at its own cost.
struct Stored {
    argon2: Argon2<'static>,
    salt: Salt,
    output: Output,
}

impl Stored {
    fn read(phc: &str) -> Result<Self, &'static str> {
        let hash = PasswordHash::new(phc).map_err(|_| "it is not a PHC string (`$argon2id$v=19$m=…`)")?;
        if hash.algorithm.as_str() != "argon2id" {
            return Err("it is not made by argon2id");
        }
        let version = hash.version.map_or(Ok(Version::default()), Version::try_from);
        let version = version.map_err(|_| "it is not made by a version of argon2id that is known here")?;
        let params = Params::try_from(&hash).map_err(|_| "its parameters are not those of argon2id")?;
        if params.m_cost() > MOST_MEMORY_KIB || params.t_cost() > MOST_PASSES {
            return Err("it costs too much to check");
        }
        let (salt, output) = hash.salt.zip(hash.hash).ok_or("it has no salt or no hash")?;
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, version, params),
            salt,
            output,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_that_was_hashed_verifies() {
        let phc = hash(&Secret::new("correct horse")).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        let mut memory = Memory::default();
        for (password, is_right) in [("correct horse", true), ("correct horsf", false), ("", false)] {
            assert_eq!(
                verify(&Secret::new(password), &phc, &mut memory),
                Ok(is_right),
                "{password}"
            );
        }
        assert_eq!(problem_with(&phc), None);
    }

    #[test]
    fn hashes_of_any_cost_are_made_in_the_same_memory_and_nothing_stays_in_it() {
        let password = Secret::new("correct horse");
        let costing = |kib, lanes| {
            let params = Params::new(kib, 1, lanes, None).unwrap();
            let made = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_with_salt(password.reveal().as_bytes(), b"some salt")
                .unwrap();
            made.to_string()
        };
        let (small, large) = (costing(64, 1), costing(256, 3));
        let mut memory = Memory::default();
        for (phc, blocks) in [(&small, 64), (&large, 252), (&small, 252), (&large, 252)] {
            assert_eq!(verify(&password, phc, &mut memory), Ok(true));
            assert_eq!(verify(&Secret::new("another"), phc, &mut memory), Ok(false));
            assert_eq!(memory.0.len(), blocks);
            assert!(
                memory
                    .0
                    .iter()
                    .all(|block| block.as_ref().iter().all(|word| *word == 0))
            );
        }
    }

    #[test]
    fn what_a_dear_hash_took_is_given_back() {
        let params = Params::new(48 * 1024, 1, 1, None).unwrap();
        let dear = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let dear = dear.hash_password_with_salt(b"correct horse", b"some salt").unwrap();
        let mut memory = Memory::default();
        let password = Secret::new("correct horse");
        assert_eq!(verify(&password, &dear.to_string(), &mut memory), Ok(true));
        assert_eq!(memory.0.capacity(), KEPT_KIB);
        assert_eq!(verify(&password, &dear.to_string(), &mut memory), Ok(true));
    }

    #[test]
    fn what_cannot_be_hashed_is_neither_right_nor_wrong() {
        let password = Secret::new("correct horse");
        let beyond = hash(&password).unwrap().replace("m=19456", "m=4000000");
        let verified = verify(&password, &beyond, &mut Memory::default());
        assert_eq!(
            verified.unwrap_err(),
            "a password could not be checked: it costs too much to check"
        );
        let refused = Memory::default().with(usize::MAX).err();
        assert_eq!(refused, Some(argon2::Error::OutOfMemory));
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
            good.replace("v=19", "v=18"),
            good.replace("m=19456", "m=4000000"),
            good.replace("t=2", "t=900"),
            good.rsplit_once('$').unwrap().0.to_owned(),
        ] {
            assert!(problem_with(&bad).is_some(), "{bad}");
        }
    }
}

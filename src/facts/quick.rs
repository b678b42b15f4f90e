//! A hash for what is looked up in the midst of a request: one multiplication for sixteen bytes. It is keyed by numbers
//! that nobody outside of this process knows, so that nobody chooses names that fall together; what it is used for is
//! bounded besides.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

/// A map that is looked up so.
pub type QuickMap<K, V> = HashMap<K, V, Quick>;

static KEYS: LazyLock<[u64; 2]> = LazyLock::new(|| {
    let random = RandomState::new();
    [random.hash_one(0), random.hash_one(1)]
});

/// Makes hashers, all with the same keys.
#[derive(Clone, Copy, Debug)]
pub struct Quick([u64; 2]);

impl Default for Quick {
    fn default() -> Self {
        Self(*KEYS)
    }
}

impl BuildHasher for Quick {
    type Hasher = Mixer;

    fn build_hasher(&self) -> Mixer {
        let Self([state, key]) = *self;
        Mixer { state, key }
    }
}

/// Mixes what it is given into its state, a word or two at a time.
pub struct Mixer {
    state: u64,
    key: u64,
}

/// Both halves of the product: every bit of either number tells on the result.
fn mixed(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    let bytes = product.to_le_bytes();
    let (low, high) = bytes.split_at(8);
    word(low) ^ word(high)
}

/// Up to eight bytes as a number.
fn word(bytes: &[u8]) -> u64 {
    match <[u8; 8]>::try_from(bytes) {
        Ok(bytes) => u64::from_le_bytes(bytes),
        Err(_) => bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    }
}

impl Mixer {
    fn mix(&mut self, one: u64, other: u64) {
        self.state = mixed(self.state ^ one, self.key ^ other);
    }
}

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(16) {
            let (one, other) = piece.split_at(piece.len().min(8));
            self.mix(word(one), word(other));
        }
        // so that nothing is taken for the same with zeros behind it
        self.state ^= bytes.len() as u64;
    }

    fn write_u8(&mut self, number: u8) {
        self.state ^= u64::from(number);
    }

    fn write_u64(&mut self, number: u64) {
        self.mix(number, 0);
    }

    fn write_i64(&mut self, number: i64) {
        self.write_u64(number.cast_unsigned());
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        mixed(self.state, self.key)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_that_differ_a_little_fall_apart() {
        let quick = Quick::default();
        let names: Vec<String> = (0..20_000).map(|number| format!("user-{number}")).collect();
        let longer = (1..200).map(|length| "\0".repeat(length));
        let names: Vec<String> = names.into_iter().chain(longer).collect();
        let hashes: BTreeSet<u64> = names.iter().map(|name| quick.hash_one(name)).collect();
        assert_eq!(hashes.len(), names.len());
        // also by what a table looks at first: the upper and the lower bits
        for shift in [0, 57] {
            let mut count = [0_usize; 128];
            for name in &names {
                let place = usize::try_from(quick.hash_one(name) >> shift & 127).unwrap();
                count[place] += 1;
            }
            let even = names.len() / count.len();
            assert!(
                count.iter().all(|count| (even / 2..even * 2).contains(count)),
                "{count:?}"
            );
        }
        let numbers: BTreeSet<u64> = (0_usize..50)
            .flat_map(|a| (0_usize..50).map(move |b| Quick::default().hash_one([a, b, 0])))
            .collect();
        assert_eq!(numbers.len(), 2500);
    }

    #[test]
    fn the_same_is_the_same_whoever_asks() {
        let names = [
            "",
            "a",
            "www.linkedin.com",
            "a name that is longer than two words of a machine",
        ];
        for name in names {
            assert_eq!(
                Quick::default().hash_one(name),
                Quick::default().hash_one(name.to_owned())
            );
        }
    }
}

//! A quick hash of key bytes. Never compared with anything of another run, and never trusted alone: whoever needs to know that two keys
//! are equal compares their bytes, whoever only needs to know that they differ may err on the side of equal.

use std::hash::{BuildHasherDefault, Hasher};

const K0: u64 = 0xa076_1d64_78bd_642f;
const K1: u64 = 0xe703_7ed1_a0b4_28db;

fn mix(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let (low, high) = (wide as u64, (wide >> 64) as u64);
    low ^ high
}

/// Adds some bytes to a hash; their number counts too, so `ab`, `c` differs from `a`, `bc`.
pub(super) fn add(hash: u64, bytes: &[u8]) -> u64 {
    let mut hash = mix(hash ^ K0, bytes.len() as u64 ^ K1);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        hash = mix(hash ^ u64::from_le_bytes(word), K1);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = mix(hash ^ u64::from_le_bytes(word), K0);
    }
    hash
}

/// Adds a number to a hash.
pub(super) fn add_number(hash: u64, number: u64) -> u64 {
    mix(hash ^ K0, number ^ K1)
}

/// Takes what is a hash already as it is.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = add(self.0, bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A map whose keys are hashes.
pub(super) type ByHash<T> = std::collections::HashMap<u64, T, BuildHasherDefault<Hashed>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let of = |parts: &[&[u8]]| parts.iter().fold(7, |hash, part| add(hash, part));
        let all = [
            of(&[b"ab", b"c"]),
            of(&[b"a", b"bc"]),
            of(&[b"abc"]),
            of(&[b"abc", b""]),
            of(&[b"abc\0"]),
            of(&[b"12345678", b"9"]),
            of(&[b"123456789"]),
        ];
        let different: std::collections::BTreeSet<u64> = all.into_iter().collect();
        assert_eq!(different.len(), all.len());
    }
}

//! Pseudo-random choices from a seed, the same on every machine.

/// A stream of choices (splitmix64).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// `DTSCTL_TEST_SEED` where it is set, the clock otherwise.
    pub fn seed_of_environment() -> u64 {
        std::env::var("DTSCTL_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or_else(|| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            u64::from(now.subsec_nanos()) ^ now.as_secs()
        })
    }

    /// A stream of its own, which later choices of this one do not change.
    pub fn fork(&mut self) -> Random {
        Random(self.next())
    }

    /// The next 64 bits.
    #[expect(clippy::should_implement_trait, reason = "a stream without end is not an iterator")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to one less than `below`.
    pub fn below(&mut self, below: u64) -> u64 {
        self.next() % below.max(1)
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.wrapping_sub(low).unsigned_abs().saturating_add(1);
        low.wrapping_add(i64::try_from(self.below(span)).unwrap_or_default())
    }

    /// True once in `of` times.
    pub fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    /// An index below `length`.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    /// One of these; there must be one.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }

    /// One of these, where there is any.
    pub fn any<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { Some(self.pick(of)) }
    }

    /// One of these by weight; the weights must not all be 0.
    pub fn weighed<'a, T>(&mut self, of: &'a [(u64, T)]) -> &'a T {
        let mut at = self.below(of.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in of {
            if at < *weight {
                return choice;
            }
            at -= weight;
        }
        &of[0].1
    }
}

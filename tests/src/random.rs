//! Chance that can be had again: a printed seed gives the same numbers.

use crate::tell;

/// A source of numbers (`SplitMix64`, by Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The source that `SEED` names, or else 1, for `what`; the seed is told.
    pub fn for_test(what: &str) -> Self {
        let seed = std::env::var("SEED").ok().filter(|seed| !seed.is_empty());
        let seed = seed.map_or(1, |seed| seed.parse().expect("SEED is a number"));
        tell(&format!("{what}: SEED={seed}"));
        Self::new(seed)
    }

    /// The source with this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("64 bits");
        usize::try_from(self.number() % bound).expect("it is below a usize")
    }

    /// One of `items`, of which there is one at least.
    pub fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// `n` of `items` in the order they have there, or all where there are no more.
    pub fn sample<T>(&mut self, mut items: Vec<T>, n: usize) -> Vec<T> {
        while items.len() > n {
            items.remove(self.below(items.len()));
        }
        items
    }
}

/// `sample` in `cargo test`, `all` in the nightly run: `NIGHTLY=1`.
pub fn quantity(sample: usize, all: usize) -> usize {
    let is_nightly = std::env::var_os("NIGHTLY").is_some_and(|value| !value.is_empty());
    if is_nightly { all } else { sample }
}

//! Randomness: every generator comes from a seed that the caller gave, and independent work takes
//! a stream of its own, so that results do not depend on threads or on order.

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A seeded generator (ChaCha with 8 rounds) whose state can be saved.
///
/// Streams of one seed are independent: [`Rng::stream`] for particles and chains by number,
/// [`Rng::named`] for parameters by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng(ChaCha8Rng);

/// The state of a [`Rng`], to be saved and restored bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RngState {
    /// The key that the seed was stretched to.
    pub key: [u8; 32],
    /// Which stream of the key.
    pub stream: u64,
    /// How many 32-bit words were drawn.
    pub position: u128,
}

impl Rng {
    /// The generator of a seed.
    pub fn seed(seed: u64) -> Self {
        Rng(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Stream number `stream` of a seed.
    pub fn stream(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Rng(rng)
    }

    /// The stream of a seed that belongs to a name, whatever else is drawn before it.
    pub fn named(seed: u64, name: &str) -> Self {
        // FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
        let hash =
            name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        Self::stream(seed, hash | 1 << 63)
    }

    /// The state, from which [`Rng::restore`] goes on bit for bit.
    pub fn state(&self) -> RngState {
        RngState { key: self.0.get_seed(), stream: self.0.get_stream(), position: self.0.get_word_pos() }
    }

    /// The generator in a saved state.
    pub fn restore(state: RngState) -> Self {
        let mut rng = ChaCha8Rng::from_seed(state.key);
        rng.set_stream(state.stream);
        rng.set_word_pos(state.position);
        Rng(rng)
    }
}

impl RngCore for Rng {
    #[inline]
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    #[inline]
    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    #[inline]
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand::Error> {
        self.0.try_fill_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restored_generator_goes_on_bit_for_bit() {
        let mut rng = Rng::stream(3, 5);
        rng.next_u32();
        let mut again = Rng::restore(rng.state());
        assert_eq!(
            (0..9).map(|_| rng.next_u64()).collect::<Vec<_>>(),
            (0..9).map(|_| again.next_u64()).collect::<Vec<_>>()
        );
    }

    #[test]
    fn seeds_streams_and_names_differ() {
        let mut first = [Rng::seed(0), Rng::seed(1), Rng::stream(0, 1), Rng::named(0, "w"), Rng::named(0, "b")]
            .map(|mut rng| rng.next_u64());
        first.sort_unstable();
        assert!(first.windows(2).all(|pair| pair[0] != pair[1]));
    }
}

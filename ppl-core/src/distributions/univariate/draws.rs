//! Many draws from one generator, on all threads, with results that do not depend on them.

use rand::Rng as _;

use crate::dtype::Dtype;
use crate::rng::Rng;
use crate::threads;

/// Draws up to this number come from the generator itself; beyond it each chunk of this size has a
/// stream of its own.
const CHUNK: usize = 4096;

/// `numel` draws; `draw` is given the element's number.
pub(in crate::distributions) fn draws<E: Dtype>(
    numel: usize,
    rng: &mut Rng,
    draw: impl Fn(usize, &mut Rng) -> f64 + Sync,
) -> Vec<E> {
    draws_in_dtype(numel, rng, |i, rng| E::of(draw(i, rng)))
}

/// [`draws`] that come in their dtype.
pub(super) fn draws_in_dtype<E: Dtype>(
    numel: usize,
    rng: &mut Rng,
    draw: impl Fn(usize, &mut Rng) -> E + Sync,
) -> Vec<E> {
    if numel <= CHUNK {
        return (0..numel).map(|i| draw(i, rng)).collect();
    }
    let seed: u64 = rng.r#gen();
    let mut values = vec![E::of(0.0); numel];
    threads::each_chunk(&mut values, CHUNK, &|c, chunk| {
        let mut rng = Rng::stream(seed, c as u64);
        for (i, value) in chunk.iter_mut().enumerate() {
            *value = draw(c * CHUNK + i, &mut rng);
        }
    });
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_do_not_change_draws() {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| draws::<f64>(3 * CHUNK + 5, &mut Rng::seed(1), |i, rng| i as f64 + rng.r#gen::<f64>()))
        };
        let (one, three) = (run(1), run(3));
        assert_eq!(one, three);
        assert!(one.iter().enumerate().all(|(i, v)| v.floor() == i as f64));
    }

    #[test]
    fn chunks_and_further_calls_differ() {
        let mut rng = Rng::seed(2);
        let mut draw = || draws::<f64>(2 * CHUNK, &mut rng, |_, rng| rng.r#gen());
        let (first, second) = (draw(), draw());
        assert_ne!(first[..CHUNK], first[CHUNK..]);
        assert_ne!(first, second);
    }
}

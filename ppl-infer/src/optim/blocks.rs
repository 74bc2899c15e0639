//! A rule over several slices at once, in blocks that fit a core's cache, over the threads.

use ppl_core::Dtype;
use rayon::prelude::*;

/// How many elements are checked and updated together: small enough to stay in the first cache.
const BLOCK: usize = 2048;

/// How many elements one thread takes at a time.
const CHUNK: usize = 32 * BLOCK;

/// One element of each slice, to be updated.
pub(super) struct Element<'a, E, const N: usize> {
    /// Its gradient.
    pub(super) gradient: E,
    /// The parameter.
    pub(super) value: &'a mut E,
    /// The slots.
    pub(super) slots: [&'a mut E; N],
}

/// Applies `f` to every element whose gradient is finite; returns the first whose gradient is not.
pub(super) fn each<E: Dtype, const N: usize>(
    update: super::Update<'_, E>,
    f: impl Fn(Element<'_, E, N>) + Send + Sync,
) -> Option<usize> {
    let mut slots = update.slots.iter_mut();
    let slots: [&mut [E]; N] = std::array::from_fn(|_| slots.next().expect("one vector a slot").as_mut_slice());
    if update.value.len() <= CHUNK {
        return chunk(update.value, update.gradient, slots, &f);
    }
    let mut slots = slots.map(|slot| slot.chunks_mut(CHUNK));
    let work: Vec<_> = update
        .value
        .chunks_mut(CHUNK)
        .zip(update.gradient.chunks(CHUNK))
        .map(|(value, gradient)| (value, gradient, slots.each_mut().map(|s| s.next().expect("equal lengths"))))
        .collect();
    let bad: Vec<Option<usize>> = work
        .into_par_iter()
        .enumerate()
        .map(|(i, (value, gradient, slots))| chunk(value, gradient, slots, &f).map(|at| i * CHUNK + at))
        .collect();
    bad.into_iter().flatten().next()
}

fn chunk<E: Dtype, const N: usize>(
    value: &mut [E],
    gradient: &[E],
    mut slots: [&mut [E]; N],
    f: &(impl Fn(Element<'_, E, N>) + Send + Sync),
) -> Option<usize> {
    let mut first = None;
    for start in (0..value.len()).step_by(BLOCK) {
        let end = (start + BLOCK).min(value.len());
        let gradient = &gradient[start..end];
        let value = &mut value[start..end];
        let mut slots = slots.each_mut().map(|slot| &mut slot[start..end]);
        // A sum is finite only if all its terms are; the sum of finite terms that overflows only
        // sends the block down the careful path.
        if gradient.iter().fold(E::of(0.0), |sum, g| sum + g.abs()).is_finite() {
            for i in 0..value.len() {
                let slots = slots.each_mut().map(|slot| &mut slot[i]);
                f(Element { gradient: gradient[i], value: &mut value[i], slots });
            }
            continue;
        }
        for i in 0..value.len() {
            if gradient[i].is_finite() {
                let slots = slots.each_mut().map(|slot| &mut slot[i]);
                f(Element { gradient: gradient[i], value: &mut value[i], slots });
            } else {
                first.get_or_insert(start + i);
            }
        }
    }
    first
}

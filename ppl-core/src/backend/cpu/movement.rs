//! Picking elements by position and joining tensors end to end.

use std::sync::Arc;

use dfdx::tensor::Cpu;

use super::{Element, output, record_from, slice};
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::Flat;

/// The elements at the given positions.
pub(super) fn take<E: Element>(x: Flat<E, Cpu>, positions: Arc<[usize]>) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let values = {
        let x = slice(&x);
        positions.iter().map(|&p| x[p]).collect()
    };
    let out = output(values, x.tracked);
    record_from(&out, move |grads, upstream| {
        scatter(&upstream, &positions, grads.of(&x));
    });
    out
}

/// Adds each number to the element at its position.
fn scatter<E: Dtype>(numbers: &[E], positions: &[usize], out: &mut [E]) {
    const LANES: usize = 4;
    let n = out.len();
    if n == 0 || numbers.len() < 2 * LANES * n {
        positions.iter().zip(numbers).for_each(|(&p, &g)| out[p] += g);
        return;
    }
    // Neighbours often go to one element, whose sums would wait for one another: they go to sums of their own.
    let mut sums = vec![E::of(0.0); LANES * n];
    let (groups, rest) = positions.as_chunks::<LANES>();
    let (numbers, last) = numbers.split_at(LANES * groups.len());
    for (group, numbers) in groups.iter().zip(numbers.chunks_exact(LANES)) {
        for lane in 0..LANES {
            sums[lane * n..][..n][group[lane]] += numbers[lane];
        }
    }
    rest.iter().zip(last).for_each(|(&p, &g)| out[p] += g);
    for sums in sums.chunks_exact(n) {
        out.iter_mut().zip(sums).for_each(|(out, &sum)| *out += sum);
    }
}

/// The elements from `start` on.
pub(super) fn window<E: Element>(x: Flat<E, Cpu>, start: usize, len: usize) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let out = output(slice(&x)[start..start + len].to_vec(), x.tracked);
    record_from(&out, move |grads, upstream| {
        let gradient = grads.of(&x);
        gradient[start..start + len].iter_mut().zip(&upstream).for_each(|(g, &u)| *g += u);
    });
    out
}

/// All elements of the parts, one part after the other.
pub(super) fn join<E: Element>(parts: Vec<Flat<E, Cpu>>) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let values: Vec<E> = parts.iter().flat_map(|part| slice(part).iter().copied()).collect();
    let out = output(values, parts.iter().any(|part| part.tracked));
    record_from(&out, move |grads, upstream| {
        let mut rest = &upstream[..];
        for part in &parts {
            let (here, after) = rest.split_at(part.numel());
            rest = after;
            if part.tracked {
                let gradient = grads.of(part);
                gradient.iter_mut().zip(here).for_each(|(g, &u)| *g += u);
            }
        }
    });
    out
}

//! Functions of single elements over whole tensors, forward and backward.

use dfdx::tensor::Cpu;
use rayon::prelude::*;

use super::{CHUNK, Element, buffer::slice, output, record_from};
use crate::backend::Backend;
use crate::functions::Function;
use crate::tensor::{Flat, Tensor};

/// Scalars are spread over a block of this many elements, so that the inner loop sees slices only.
const BLOCK: usize = 512;

/// `N` arguments, each as long as the output or one number.
struct Args<'a, E, const N: usize> {
    slices: [&'a [E]; N],
    /// A block full of the number, for those that are one number; empty for the others.
    spread: [Vec<E>; N],
}

impl<'a, E: Element, const N: usize> Args<'a, E, N>
where
    Cpu: Backend<E>,
{
    fn new(args: &'a [Flat<E, Cpu>; N], numel: usize) -> Self {
        let slices: [&[E]; N] = std::array::from_fn(|i| slice(&args[i].inner));
        let spread = std::array::from_fn(|i| {
            let s = slices[i];
            assert!(s.len() == numel || s.len() == 1, "an argument of {} elements among {numel}", s.len());
            if s.len() == numel { Vec::new() } else { vec![s[0]; numel.min(BLOCK)] }
        });
        Args { slices, spread }
    }

    /// The arguments of `len` elements from `start`.
    fn block(&self, start: usize, len: usize) -> [&[E]; N] {
        std::array::from_fn(|i| {
            if self.spread[i].is_empty() { &self.slices[i][start..start + len] } else { &self.spread[i][..len] }
        })
    }
}

/// The blocks of `start..start + len`.
fn blocks(start: usize, len: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..len).step_by(BLOCK).map(move |at| (start + at, BLOCK.min(len - at)))
}

/// `f` of each element.
pub(super) fn map<E: Element, F: Function<E, N>, const N: usize>(
    f: F,
    args: [Flat<E, Cpu>; N],
    numel: usize,
) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let mut values = vec![E::of(0.0); numel];
    {
        let inputs = Args::new(&args, numel);
        let fill = |at: usize, chunk: &mut [E]| {
            for (start, len) in blocks(at, chunk.len()) {
                let block = inputs.block(start, len);
                for (k, y) in chunk[start - at..][..len].iter_mut().enumerate() {
                    *y = f.value(std::array::from_fn(|i| block[i][k]));
                }
            }
        };
        if numel <= CHUNK {
            fill(0, &mut values);
        } else {
            values.par_chunks_mut(CHUNK).enumerate().for_each(|(c, chunk)| fill(c * CHUNK, chunk));
        }
    }
    let out = output(values, args.iter().any(|a| a.tracked));
    let saved = out.clone();
    record_from(&out, move |grads, upstream| {
        let values = slice(&saved.inner);
        accumulate(f, &args, grads, |k| upstream[k], |k, _| values[k], numel)
    });
    out
}

/// The sum of `f` over all elements.
pub(super) fn sum<E: Element, F: Function<E, N>, const N: usize>(
    f: F,
    args: [Flat<E, Cpu>; N],
    numel: usize,
) -> Tensor<(), E, Cpu>
where
    Cpu: Backend<E>,
{
    let total = {
        let inputs = Args::new(&args, numel);
        let partial = |c: usize| {
            let at = c * CHUNK;
            let mut sum = 0.0;
            for (start, len) in blocks(at, CHUNK.min(numel - at)) {
                let block = inputs.block(start, len);
                for k in 0..len {
                    sum += f.value(std::array::from_fn(|i| block[i][k])).wide();
                }
            }
            sum
        };
        let chunks = numel.div_ceil(CHUNK);
        if chunks <= 1 {
            (0..chunks).map(partial).sum::<f64>()
        } else {
            (0..chunks).into_par_iter().map(partial).collect::<Vec<f64>>().into_iter().sum()
        }
    };
    let out = output(vec![E::of(total)], args.iter().any(|a| a.tracked));
    record_from(&out, move |grads, upstream| {
        accumulate(f, &args, grads, |_| upstream[0], |_, args| f.value(args), numel)
    });
    out.reshape_like(&())
}

/// The gradient that each chunk adds to: a stretch of a full argument's, or a number's own sum.
enum Target<'a, E> {
    None,
    Full(&'a mut [E]),
    Scalar(f64),
}

/// Adds `upstream · ∂f/∂arg` to the gradient of each tracked argument.
///
/// A zero upstream adds nothing even where the derivative is infinite, so that a branch not chosen
/// by `where` cannot poison the other with NaN.
fn accumulate<E: Element, F: Function<E, N>, const N: usize>(
    f: F,
    args: &[Flat<E, Cpu>; N],
    grads: &mut crate::autodiff::DfdxGradients<E, Cpu>,
    upstream: impl Fn(usize) -> E + Sync,
    value: impl Fn(usize, [E; N]) -> E + Sync,
    numel: usize,
) -> Result<(), <Cpu as dfdx::tensor::HasErr>::Err>
where
    Cpu: Backend<E>,
{
    // Gradients are taken out of the map to be written side by side. An argument that occurs twice
    // finds its own taken; those wait for a second round.
    let mut pending: [bool; N] = std::array::from_fn(|i| args[i].tracked && numel > 0);
    while pending.iter().any(|&p| p) {
        let mut taken: [Vec<E>; N] = std::array::from_fn(|_| Vec::new());
        for i in 0..N {
            if pending[i] {
                taken[i] = std::mem::take(E::buffer(grads.get_or_alloc_mut(&args[i].inner)?));
                pending[i] = taken[i].is_empty();
            }
        }
        round(f, args, &mut taken, &upstream, &value, numel);
        for i in 0..N {
            if !taken[i].is_empty() {
                *E::buffer(grads.get_or_alloc_mut(&args[i].inner)?) = std::mem::take(&mut taken[i]);
            }
        }
    }
    Ok(())
}

/// One pass over the elements that adds to the gradients that are there.
fn round<E: Element, F: Function<E, N>, const N: usize>(
    f: F,
    args: &[Flat<E, Cpu>; N],
    taken: &mut [Vec<E>; N],
    upstream: &(impl Fn(usize) -> E + Sync),
    value: &(impl Fn(usize, [E; N]) -> E + Sync),
    numel: usize,
) where
    Cpu: Backend<E>,
{
    let inputs = Args::new(args, numel);
    let scalar: [bool; N] = std::array::from_fn(|i| taken[i].len() == 1 && numel != 1);
    let mut sums = [0.0f64; N];
    let mut chunks: Vec<[Target<'_, E>; N]> = Vec::with_capacity(numel.div_ceil(CHUNK));
    {
        let mut full: [_; N] = {
            let mut rest = taken.iter_mut();
            std::array::from_fn(|_| rest.next().expect("N gradients").chunks_mut(CHUNK))
        };
        for _ in 0..numel.div_ceil(CHUNK) {
            chunks.push(std::array::from_fn(|i| match (scalar[i], &mut full[i]) {
                (true, _) => Target::Scalar(0.0),
                (false, chunks) => chunks.next().map_or(Target::None, Target::Full),
            }));
        }
    }
    let work = |(c, targets): (usize, &mut [Target<'_, E>; N])| {
        let at = c * CHUNK;
        for (start, len) in blocks(at, CHUNK.min(numel - at)) {
            let block = inputs.block(start, len);
            for k in 0..len {
                let here = std::array::from_fn(|i| block[i][k]);
                let above = upstream(start + k);
                let partials = f.partials(here, value(start + k, here));
                for i in 0..N {
                    let add = if above == E::of(0.0) { above } else { above * partials[i] };
                    match &mut targets[i] {
                        Target::None => {}
                        Target::Full(gradient) => gradient[start - at + k] += add,
                        Target::Scalar(sum) => *sum += add.wide(),
                    }
                }
            }
        }
    };
    if chunks.len() <= 1 {
        chunks.iter_mut().enumerate().for_each(work);
    } else {
        chunks.par_iter_mut().enumerate().for_each(work);
    }
    for targets in &chunks {
        for i in 0..N {
            if let Target::Scalar(sum) = targets[i] {
                sums[i] += sum;
            }
        }
    }
    drop(chunks);
    for i in 0..N {
        if scalar[i] {
            taken[i][0] += E::of(sums[i]);
        }
    }
}

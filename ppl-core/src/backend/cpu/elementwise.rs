//! Functions of single elements over whole tensors, forward and backward.

use dfdx::tensor::Cpu;

use super::{CHUNK, Element, buffer::slice, output, record_from};
use crate::backend::Backend;
use crate::functions::Function;
use crate::tensor::{Flat, Tensor};
use crate::threads;

/// Scalars are spread over a block of this many elements, so that the inner loop sees slices only.
/// Small, since a block of each argument's gradient lies on the stack and is zeroed for tiny tensors.
const BLOCK: usize = 128;

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
        Self::of(std::array::from_fn(|i| slice(&args[i].inner)), numel)
    }

    fn of(slices: [&'a [E]; N], numel: usize) -> Self {
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
        threads::each_chunk(&mut values, CHUNK, &|c, chunk| {
            let at = c * CHUNK;
            for (start, len) in blocks(at, chunk.len()) {
                let block = inputs.block(start, len);
                for (k, y) in chunk[start - at..][..len].iter_mut().enumerate() {
                    *y = f.value(std::array::from_fn(|i| block[i][k]));
                }
            }
        });
    }
    let out = output(values, args.iter().any(|a| a.tracked));
    let saved = out.clone();
    record_from(&out, move |grads, upstream| {
        let above = Args::of([&upstream], numel);
        accumulate(f, &args, grads, &above, Some(slice(&saved.inner)), numel)
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
    let total: f64 = {
        let inputs = Args::new(&args, numel);
        let partial = |c: usize, sum: &mut f64| {
            let at = c * CHUNK;
            for (start, len) in blocks(at, CHUNK.min(numel - at)) {
                let block = inputs.block(start, len);
                *sum += (0..len).map(|k| f.value(std::array::from_fn(|i| block[i][k])).wide()).sum::<f64>();
            }
        };
        if numel <= CHUNK {
            let mut sum = 0.0;
            partial(0, &mut sum);
            sum
        } else {
            let mut sums = vec![0.0; numel.div_ceil(CHUNK)];
            threads::each(&mut sums, &partial);
            sums.into_iter().sum()
        }
    };
    let out = output(vec![E::of(total)], args.iter().any(|a| a.tracked));
    record_from(&out, move |grads, upstream| {
        let above = Args::of([&upstream], numel);
        accumulate(f, &args, grads, &above, None, numel)
    });
    out.reshape_like(&())
}

/// The gradient that each chunk adds to: a stretch of a full argument's, or a number's own sum.
enum Target<'a, E> {
    None,
    Full(&'a mut [E]),
    Scalar(f64),
}

/// Adds `upstream · ∂f/∂arg` to the gradient of each tracked argument; `values` are those of `f`
/// where the forward pass kept them.
///
/// A zero upstream adds nothing even where the derivative is infinite, so that a branch not chosen
/// by `where` cannot poison the other with NaN.
fn accumulate<E: Element, F: Function<E, N>, const N: usize>(
    f: F,
    args: &[Flat<E, Cpu>; N],
    grads: &mut crate::autodiff::DfdxGradients<E, Cpu>,
    upstream: &Args<'_, E, 1>,
    values: Option<&[E]>,
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
        round(f, args, &mut taken, upstream, values, numel);
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
    upstream: &Args<'_, E, 1>,
    values: Option<&[E]>,
    numel: usize,
) where
    Cpu: Backend<E>,
{
    let inputs = Args::new(args, numel);
    let scalar: [bool; N] = std::array::from_fn(|i| taken[i].len() == 1 && numel != 1);
    let mut chunks = targets(taken, scalar, numel.div_ceil(CHUNK));
    threads::each(&mut chunks, &|c, targets| {
        let at = c * CHUNK;
        // What each argument's gradient gains over a block: found first and added after, so that
        // both loops are free of branches on what the arguments are.
        let mut gains = [[E::of(0.0); BLOCK]; N];
        for (start, len) in blocks(at, CHUNK.min(numel - at)) {
            let block = inputs.block(start, len);
            let [above] = upstream.block(start, len);
            let values = values.map(|v| &v[start..][..len]);
            for k in 0..len {
                let here = std::array::from_fn(|i| block[i][k]);
                let value = values.map_or_else(|| f.value(here), |v| v[k]);
                let partials = f.partials(here, value);
                for i in 0..N {
                    gains[i][k] = if above[k] == E::of(0.0) { above[k] } else { above[k] * partials[i] };
                }
            }
            for (target, gains) in targets.iter_mut().zip(&gains) {
                let gains = &gains[..len];
                match target {
                    Target::None => {}
                    Target::Full(gradient) => {
                        gradient[start - at..][..len].iter_mut().zip(gains).for_each(|(g, &gain)| *g += gain);
                    }
                    Target::Scalar(sum) => *sum += gains.iter().map(|gain| gain.wide()).sum::<f64>(),
                }
            }
        }
    });
    let sums: [f64; N] = std::array::from_fn(|i| {
        chunks.iter().map(|targets| if let Target::Scalar(sum) = targets[i] { sum } else { 0.0 }).sum()
    });
    drop(chunks);
    for i in (0..N).filter(|&i| scalar[i]) {
        taken[i][0] += E::of(sums[i]);
    }
}

/// The gradients that were taken, cut into chunks.
fn targets<E: Element, const N: usize>(
    taken: &mut [Vec<E>; N],
    scalar: [bool; N],
    chunks: usize,
) -> Vec<[Target<'_, E>; N]>
where
    Cpu: Backend<E>,
{
    let mut full = taken.each_mut().map(|gradient| gradient.chunks_mut(CHUNK));
    let mut next = |i: usize| match scalar[i] {
        true => Target::Scalar(0.0),
        false => full[i].next().map_or(Target::None, Target::Full),
    };
    (0..chunks).map(|_| std::array::from_fn(&mut next)).collect()
}

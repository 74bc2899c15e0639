//! Functions of single elements over whole tensors, forward and backward.

use dfdx::tensor::Cpu;
use smallvec::SmallVec;

use super::registers::in_widest;
use super::{CHUNK, Element, number, output, record_from, slice};
use crate::autodiff::GradientStore;
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::Function;
use crate::tensor::Flat;
use crate::threads;

/// Scalars are spread over a block of this many elements, so that the inner loop sees slices only.
/// Small, since a block of each argument's gradient lies on the stack and is zeroed for tiny tensors.
pub(super) const BLOCK: usize = 128;

/// Up to so many elements are taken one by one: blocks would cost more than they save.
pub(super) const FEW: usize = 32;

/// The arguments of element `k`.
#[inline(always)]
pub(super) fn at<E: Dtype, const N: usize>(slices: &[&[E]; N], k: usize) -> [E; N] {
    std::array::from_fn(|i| slices[i][if slices[i].len() == 1 { 0 } else { k }])
}

/// Checks that arguments have as many elements as the output, or one.
pub(super) fn check_lens<E, const N: usize>(slices: &[&[E]; N], numel: usize) {
    for len in slices.each_ref().map(|s| s.len()) {
        assert!(len == numel || len == 1, "an argument of {len} elements among {numel}");
    }
}

/// `N` arguments, each as long as the output or one number.
pub(super) struct Args<'a, E, const N: usize> {
    slices: [&'a [E]; N],
    numel: usize,
}

/// A block of each argument. Arrays of one length, so that loops over them are free of checks.
pub(super) type Block<E, const N: usize> = [[E; BLOCK]; N];

impl<'a, E: Element, const N: usize> Args<'a, E, N>
where
    Cpu: Backend<E>,
{
    pub(super) fn new(args: &'a [Flat<E, Cpu>; N], numel: usize) -> Self {
        let slices: [&[E]; N] = std::array::from_fn(|i| slice(&args[i]));
        check_lens(&slices, numel);
        Args { slices, numel }
    }
}

impl<'a, E: Dtype, const N: usize> Args<'a, E, N> {
    /// A block in which the arguments that are one number are spread.
    #[inline(always)]
    pub(super) fn spread(&self) -> Block<E, N> {
        let mut block = [[E::of(0.0); BLOCK]; N];
        for (block, argument) in block.iter_mut().zip(self.slices).filter(|(_, argument)| argument.len() != self.numel)
        {
            *block = [argument[0]; BLOCK];
        }
        block
    }

    /// The block of `len` elements from `start`: where they are, or in `rest` if they are fewer than a whole block's.
    #[inline(always)]
    pub(super) fn block<'b>(&self, start: usize, len: usize, rest: &'b mut Block<E, N>) -> [&'b [E; BLOCK]; N]
    where
        'a: 'b,
    {
        let full = self.slices.map(|s| s.len() == self.numel);
        for i in (0..N).filter(|&i| full[i] && len < BLOCK) {
            rest[i][..len].copy_from_slice(&self.slices[i][start..][..len]);
        }
        std::array::from_fn(|i| match self.slices[i].get(start..).and_then(<[E]>::first_chunk) {
            Some(whole) if full[i] => whole,
            _ => &rest[i],
        })
    }
}

/// The blocks of `start..start + len`.
pub(super) fn blocks(start: usize, len: usize) -> impl Iterator<Item = (usize, usize)> {
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
    if numel <= FEW {
        return map_few(f, args, numel);
    }
    let mut values = vec![E::of(0.0); numel];
    {
        let inputs = Args::new(&args, numel);
        threads::each_chunk(&mut values, CHUNK, &|c, chunk| {
            let at = c * CHUNK;
            in_widest(
                #[inline(always)]
                || {
                    let (f, mut rest, mut values) = (f, inputs.spread(), [E::of(0.0); BLOCK]);
                    for (start, len) in blocks(at, chunk.len()) {
                        fill(f, &mut values, inputs.block(start, len, &mut rest), len);
                        chunk[start - at..][..len].copy_from_slice(&values[..len]);
                    }
                },
            );
        });
    }
    let out = output(values, args.iter().any(|a| a.tracked));
    let saved = out.clone();
    record_from(&out, move |grads, upstream| {
        let values = slice(&saved);
        if numel <= CHUNK {
            one_chunk(f, &args, grads, upstream, values);
        } else {
            accumulate(f, &args, grads, &upstream, values);
        }
    });
    out
}

/// [`map`] for few elements, which keeps no values for the backward pass.
fn map_few<E: Element, F: Function<E, N>, const N: usize>(f: F, args: [Flat<E, Cpu>; N], numel: usize) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let slices: [&[E]; N] = std::array::from_fn(|i| slice(&args[i]));
    check_lens(&slices, numel);
    let tracked = args.iter().any(|a| a.tracked);
    let out = match numel {
        1 => number(f.value(at(&slices, 0)), tracked),
        _ => output((0..numel).map(|k| f.value(at(&slices, k))).collect(), tracked),
    };
    record_from(&out, move |grads, upstream| {
        let slices: [&[E]; N] = std::array::from_fn(|i| slice(&args[i]));
        let gain = |i: usize, k: usize| {
            let here = at(&slices, k);
            // As in `accumulate`: a zero upstream adds nothing.
            if upstream[k] == E::of(0.0) { upstream[k] } else { upstream[k] * f.partials(here, f.value(here))[i] }
        };
        for i in (0..N).filter(|&i| args[i].tracked) {
            if slices[i].len() == numel && numel != 1 {
                grads.add(&args[i], (0..numel).map(|k| gain(i, k)).collect());
            } else {
                grads.add_number(&args[i], E::of((0..numel).map(|k| gain(i, k).wide()).sum()));
            }
        }
    });
    out
}

/// The values of a block's first `len` elements.
#[inline(always)]
pub(super) fn fill<E: Dtype, F: Function<E, N>, const N: usize>(
    f: F,
    values: &mut [E; BLOCK],
    block: [&[E; BLOCK]; N],
    len: usize,
) {
    for k in 0..len.min(BLOCK) {
        values[k] = f.value(std::array::from_fn(|i| block[i][k]));
    }
}

/// The gradient that each chunk adds to: a stretch of a full argument's, or a number's own sum.
pub(super) enum Target<'a, E> {
    None,
    Full(&'a mut [E]),
    Scalar(f64),
}

impl<E: Dtype> Target<'_, E> {
    /// Adds what a block of the chunk gains, `from` elements behind its start.
    #[inline(always)]
    pub(super) fn add(&mut self, from: usize, gains: &[E]) {
        match self {
            Target::None => {}
            Target::Full(gradient) => {
                gradient[from..][..gains.len()].iter_mut().zip(gains).for_each(|(g, &gain)| *g += gain);
            }
            Target::Scalar(sum) => *sum += sum_of(gains),
        }
    }
}

/// The sum of a block in `f64`, in eight lanes side by side so that none waits for another.
#[inline(always)]
pub(super) fn sum_of<E: Dtype>(values: &[E]) -> f64 {
    let mut lanes = [0.0; 8];
    let whole = values.chunks_exact(lanes.len());
    let rest: f64 = whole.remainder().iter().map(|v| v.wide()).sum();
    for values in whole {
        lanes.iter_mut().zip(values).for_each(|(lane, v)| *lane += v.wide());
    }
    rest + lanes.iter().sum::<f64>()
}

/// Adds `upstream · ∂f/∂arg` to the gradient of each tracked argument; `values` are those of `f`, for one thread. The
/// buffer of the upstream becomes that of an argument's gains.
///
/// A zero upstream adds nothing even where the derivative is infinite, so that a branch not chosen
/// by `where` cannot poison the other with NaN.
fn one_chunk<E: Element, F: Function<E, N>, const N: usize>(
    f: F,
    args: &[Flat<E, Cpu>; N],
    grads: &mut GradientStore<E, Cpu>,
    mut upstream: Vec<E>,
    values: &[E],
) where
    Cpu: Backend<E>,
{
    let numel = values.len();
    let inputs = Args::new(args, numel);
    let full: [bool; N] = std::array::from_fn(|i| args[i].tracked && args[i].numel() == numel);
    let last = full.iter().rposition(|&full| full);
    let new = |i: usize| if full[i] && last != Some(i) { Vec::with_capacity(numel) } else { Vec::new() };
    let mut gradients: [Vec<E>; N] = std::array::from_fn(new);
    let mut sums = [0.0; N];
    in_widest(
        #[inline(always)]
        || {
            let (f, mut rest, mut gains) = (f, inputs.spread(), [[E::of(0.0); BLOCK]; N]);
            for (start, len) in blocks(0, numel) {
                let block = inputs.block(start, len, &mut rest);
                gain(f, &mut gains, block, &upstream[start..][..len], &values[start..][..len]);
                for i in 0..N {
                    if last == Some(i) {
                        upstream[start..][..len].copy_from_slice(&gains[i][..len]);
                    } else if full[i] {
                        gradients[i].extend_from_slice(&gains[i][..len]);
                    } else if args[i].tracked {
                        sums[i] += sum_of(&gains[i][..len]);
                    }
                }
            }
        },
    );
    if let Some(i) = last {
        gradients[i] = upstream;
    }
    for (i, gradient) in gradients.into_iter().enumerate().filter(|(i, _)| args[*i].tracked) {
        if full[i] {
            grads.add(&args[i], gradient);
        } else {
            grads.add_number(&args[i], E::of(sums[i]));
        }
    }
}

/// What each argument's gradient gains over a block: found first and added after, so that both loops are free of branches
/// on what the arguments are.
#[inline(always)]
fn gain<E: Dtype, F: Function<E, N>, const N: usize>(
    f: F,
    gains: &mut Block<E, N>,
    block: [&[E; BLOCK]; N],
    upstream: &[E],
    outputs: &[E],
) {
    let len = upstream.len().min(BLOCK);
    let mut rest = [[E::of(0.0); BLOCK]; 2];
    let [above, values] = Args { slices: [upstream, outputs], numel: len }.block(0, len, &mut rest);
    for k in 0..len {
        let partials = f.partials(std::array::from_fn(|i| block[i][k]), values[k]);
        for i in 0..N {
            gains[i][k] = if above[k] == E::of(0.0) { above[k] } else { above[k] * partials[i] };
        }
    }
}

/// [`one_chunk`] of any number of elements.
fn accumulate<E: Element, F: Function<E, N>, const N: usize>(
    f: F,
    args: &[Flat<E, Cpu>; N],
    grads: &mut GradientStore<E, Cpu>,
    upstream: &[E],
    values: &[E],
) where
    Cpu: Backend<E>,
{
    // Gradients are taken out of the map to be written side by side. An argument that occurs twice
    // finds its own taken; those wait for a second round.
    let mut pending: [bool; N] = std::array::from_fn(|i| args[i].tracked);
    while pending.iter().any(|&p| p) {
        let mut taken: [Vec<E>; N] = std::array::from_fn(|_| Vec::new());
        for i in 0..N {
            if pending[i] {
                taken[i] = std::mem::take(grads.of(&args[i]));
                pending[i] = taken[i].is_empty();
            }
        }
        round(f, args, &mut taken, upstream, values);
        for i in 0..N {
            if !taken[i].is_empty() {
                *grads.of(&args[i]) = std::mem::take(&mut taken[i]);
            }
        }
    }
}

/// One pass over the elements that adds to the gradients that are there.
fn round<E: Element, F: Function<E, N>, const N: usize>(
    f: F,
    args: &[Flat<E, Cpu>; N],
    taken: &mut [Vec<E>; N],
    upstream: &[E],
    values: &[E],
) where
    Cpu: Backend<E>,
{
    let numel = values.len();
    let inputs = Args::new(args, numel);
    let scalar: [bool; N] = std::array::from_fn(|i| taken[i].len() == 1);
    let mut chunks = targets(taken, scalar, numel.div_ceil(CHUNK));
    threads::each(&mut chunks, &|c, targets| {
        let at = c * CHUNK;
        in_widest(
            #[inline(always)]
            || {
                let (f, mut rest, mut gains) = (f, inputs.spread(), [[E::of(0.0); BLOCK]; N]);
                for (start, len) in blocks(at, CHUNK.min(numel - at)) {
                    let block = inputs.block(start, len, &mut rest);
                    gain(f, &mut gains, block, &upstream[start..][..len], &values[start..][..len]);
                    for (target, gains) in targets.iter_mut().zip(&gains) {
                        target.add(start - at, &gains[..len]);
                    }
                }
            },
        );
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
pub(super) fn targets<E: Element, const N: usize>(
    taken: &mut [Vec<E>; N],
    scalar: [bool; N],
    chunks: usize,
) -> SmallVec<[[Target<'_, E>; N]; 1]>
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

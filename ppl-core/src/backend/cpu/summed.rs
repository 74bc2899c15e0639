//! Sums of functions of single elements. Their gradient is the slopes times one number, so the slopes
//! are found in the pass that finds the values, and nothing is computed twice.

use dfdx::tensor::Cpu;
use smallvec::{SmallVec, smallvec};

use super::elementwise::{Args, BLOCK, Block, FEW, Target, at, blocks, check_lens, fill, sum_of, targets};
use super::registers::in_widest;
use super::slice;
use super::{CHUNK, Element, number, record_from};
use crate::autodiff::{GradientStore, is_recording};
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::functions::Function;
use crate::tensor::{Flat, Tensor};
use crate::threads;

/// The sum of `f` over all elements.
pub(super) fn sum<E: Element, F: Function<E, N>, const N: usize>(
    f: F,
    args: [Flat<E, Cpu>; N],
    numel: usize,
) -> Tensor<(), E, Cpu>
where
    Cpu: Backend<E>,
{
    let tracked = args.iter().any(|a| a.tracked);
    if !tracked || numel == 0 || !is_recording() {
        let total = total(f, &Args::new(&args, numel), numel);
        return number(E::of(total), tracked).reshape_like(&());
    }
    let (total, slopes) = if numel <= FEW {
        few(f, &args, numel)
    } else if numel <= CHUNK {
        one_chunk(f, &args, numel)
    } else {
        total_and_slopes(f, &args, numel)
    };
    let out = number(E::of(total), true);
    record_from(&out, move |grads, upstream| {
        for (arg, slopes) in args.iter().zip(slopes).filter(|(arg, _)| arg.tracked) {
            add(grads, arg, upstream[0], slopes);
        }
    });
    out.reshape_like(&())
}

/// The values alone.
fn total<E: Element, F: Function<E, N>, const N: usize>(f: F, inputs: &Args<'_, E, N>, numel: usize) -> f64
where
    Cpu: Backend<E>,
{
    let mut sums: SmallVec<[f64; 1]> = smallvec![0.0; numel.div_ceil(CHUNK)];
    threads::each(&mut sums, &|c, sum| {
        let at = c * CHUNK;
        in_widest(
            #[inline(always)]
            || {
                let (f, mut rest, mut values) = (f, inputs.spread(), [E::of(0.0); BLOCK]);
                for (start, len) in blocks(at, CHUNK.min(numel - at)) {
                    fill(f, &mut values, inputs.block(start, len, &mut rest), len);
                    *sum += sum_of(&values[..len]);
                }
            },
        );
    });
    sums.into_iter().sum()
}

/// [`total_and_slopes`] of few elements, one by one.
fn few<E: Element, F: Function<E, N>, const N: usize>(
    f: F,
    args: &[Flat<E, Cpu>; N],
    numel: usize,
) -> (f64, [Vec<E>; N])
where
    Cpu: Backend<E>,
{
    let slices: [&[E]; N] = std::array::from_fn(|i| slice(&args[i]));
    check_lens(&slices, numel);
    let mut slopes = args.each_ref().map(|arg| Vec::with_capacity(if arg.tracked { arg.numel() } else { 0 }));
    let (mut total, mut sums) = (0.0, [0.0; N]);
    for k in 0..numel {
        let (value, partials) = f.value_and_partials(at(&slices, k));
        total += value.wide();
        for i in (0..N).filter(|&i| args[i].tracked) {
            if slices[i].len() == numel { slopes[i].push(partials[i]) } else { sums[i] += partials[i].wide() }
        }
    }
    for i in (0..N).filter(|&i| args[i].tracked && slices[i].len() != numel) {
        slopes[i].push(E::of(sums[i]));
    }
    (total, slopes)
}

/// [`total_and_slopes`] of elements for one thread, which fills no buffer twice.
fn one_chunk<E: Element, F: Function<E, N>, const N: usize>(
    f: F,
    args: &[Flat<E, Cpu>; N],
    numel: usize,
) -> (f64, [Vec<E>; N])
where
    Cpu: Backend<E>,
{
    let inputs = Args::new(args, numel);
    let full: [bool; N] = std::array::from_fn(|i| args[i].tracked && args[i].numel() == numel);
    let mut slopes: [Vec<E>; N] = std::array::from_fn(|i| Vec::with_capacity(if full[i] { numel } else { 0 }));
    let (mut total, mut sums) = (0.0, [0.0; N]);
    in_widest(
        #[inline(always)]
        || {
            let (f, mut rest) = (f, inputs.spread());
            let (mut values, mut gains) = ([E::of(0.0); BLOCK], [[E::of(0.0); BLOCK]; N]);
            for (start, len) in blocks(0, numel) {
                let block = inputs.block(start, len, &mut rest);
                fill_with_slopes(f, &mut values, &mut gains, block, len);
                total += sum_of(&values[..len]);
                for i in 0..N {
                    if full[i] {
                        slopes[i].extend_from_slice(&gains[i][..len]);
                    } else if args[i].tracked {
                        sums[i] += sum_of(&gains[i][..len]);
                    }
                }
            }
        },
    );
    for i in (0..N).filter(|&i| args[i].tracked && !full[i]) {
        slopes[i].push(E::of(sums[i]));
    }
    (total, slopes)
}

/// The sum of tensors of one element each, in `f64`.
pub(super) fn add_up<E: Element>(terms: Vec<Flat<E, Cpu>>) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let total: f64 = terms.iter().flat_map(|term| slice(term)).map(|v| v.wide()).sum();
    let out = number(E::of(total), terms.iter().any(|term| term.tracked));
    record_from(&out, move |grads, upstream| {
        for term in terms.iter().filter(|term| term.tracked) {
            grads.add_number(term, upstream[0]);
        }
    });
    out
}

/// The sum, and its slopes along each tracked argument: one for each element, or their sum along an
/// argument that is one number.
fn total_and_slopes<E: Element, F: Function<E, N>, const N: usize>(
    f: F,
    args: &[Flat<E, Cpu>; N],
    numel: usize,
) -> (f64, [Vec<E>; N])
where
    Cpu: Backend<E>,
{
    let inputs = Args::new(args, numel);
    let mut slopes = args.each_ref().map(|arg| if arg.tracked { vec![E::of(0.0); arg.numel()] } else { Vec::new() });
    let scalar = slopes.each_ref().map(|slopes| slopes.len() == 1 && numel != 1);
    let targets = targets(&mut slopes, scalar, numel.div_ceil(CHUNK));
    let mut chunks: SmallVec<[_; 1]> = targets.into_iter().map(|targets| (0.0, targets)).collect();
    threads::each(&mut chunks, &|c, (sum, targets)| {
        let at = c * CHUNK;
        in_widest(
            #[inline(always)]
            || {
                // Here, so that the compiler sees that nothing else refers to them.
                let (f, mut rest) = (f, inputs.spread());
                let (mut values, mut gains) = ([E::of(0.0); BLOCK], [[E::of(0.0); BLOCK]; N]);
                for (start, len) in blocks(at, CHUNK.min(numel - at)) {
                    let block = inputs.block(start, len, &mut rest);
                    fill_with_slopes(f, &mut values, &mut gains, block, len);
                    *sum += sum_of(&values[..len]);
                    targets.iter_mut().zip(&gains).for_each(|(target, gains)| target.add(start - at, &gains[..len]));
                }
            },
        );
    });
    let total = chunks.iter().map(|(sum, _)| sum).sum();
    let sums: [f64; N] = std::array::from_fn(|i| {
        chunks.iter().map(|(_, targets)| if let Target::Scalar(sum) = targets[i] { sum } else { 0.0 }).sum()
    });
    drop(chunks);
    for i in (0..N).filter(|&i| scalar[i]) {
        slopes[i][0] = E::of(sums[i]);
    }
    (total, slopes)
}

/// Values and slopes of a block's first `len` elements.
#[inline(always)]
fn fill_with_slopes<E: Dtype, F: Function<E, N>, const N: usize>(
    f: F,
    values: &mut [E; BLOCK],
    gains: &mut Block<E, N>,
    block: [&[E; BLOCK]; N],
    len: usize,
) {
    for k in 0..len.min(BLOCK) {
        let (value, partials) = f.value_and_partials(std::array::from_fn(|i| block[i][k]));
        values[k] = value;
        for i in 0..N {
            gains[i][k] = partials[i];
        }
    }
}

/// Adds `upstream · slopes` to the gradient of an argument. A zero upstream adds nothing even where a
/// slope is infinite.
fn add<E: Element>(grads: &mut GradientStore<E, Cpu>, arg: &Flat<E, Cpu>, upstream: E, mut slopes: Vec<E>)
where
    Cpu: Backend<E>,
{
    if upstream == E::of(0.0) {
        return;
    }
    if upstream != E::of(1.0) {
        threads::each_chunk(&mut slopes, CHUNK, &|_, slopes| {
            slopes.iter_mut().for_each(|slope| *slope = upstream * *slope)
        });
    }
    grads.add(arg, slopes);
}

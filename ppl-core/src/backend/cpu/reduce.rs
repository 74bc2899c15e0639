//! Reductions over the middle one of three layers.

use dfdx::tensor::Cpu;
use rayon::prelude::*;

use super::{CHUNK, Element, output, record_from, slice};
use crate::backend::{Backend, Layers, Reduction};
use crate::dtype::Dtype;
use crate::functions::arithmetic::larger;
use crate::tensor::Flat;

/// Joins the elements of the middle layer.
pub(super) fn reduce<E: Element>(x: Flat<E, Cpu>, layers: Layers, reduction: Reduction) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    match reduction {
        Reduction::Sum => {
            let out = output(sum(slice(&x), layers), x.tracked);
            record_from(&out, move |grads, upstream| {
                spread(grads.of(&x), layers, |_, to| upstream[to]);
            });
            out
        }
        Reduction::LogSumExp => log_sum_exp(x, layers),
        Reduction::Max => max(x, layers),
    }
}

/// ln Σ eˣ, shifted by each column's largest element; NaN if one is.
fn log_sum_exp<E: Element>(x: Flat<E, Cpu>, layers: Layers) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let shifted = per_column(slice(&x), layers, |_, column| shifted_sum(column));
    let out = output(shifted.iter().map(|&(max, sum)| max + E::of(sum.ln())).collect(), x.tracked);
    record_from(&out, move |grads, upstream| {
        let gradient = grads.of(&x);
        let x = slice(&x);
        // From the shifted sum and not from the value, whose rounding error at a large maximum
        // would be that of every share.
        let scales: Vec<E> = shifted.iter().zip(&upstream).map(|(&(_, sum), &u)| u / E::of(sum)).collect();
        if layers.inner > 1 || layers.axis == 0 {
            spread(gradient, layers, |from, to| scales[to] * share(x[from], shifted[to].0));
            return;
        }
        let columns = gradient.par_chunks_mut(layers.axis).zip(x.par_chunks(layers.axis));
        columns.enumerate().with_min_len(CHUNK.div_ceil(layers.axis)).for_each(|(to, (gradient, x))| {
            let (max, scale) = (shifted[to].0, scales[to]);
            let pairs = gradient.iter_mut().zip(x);
            if max.is_infinite() {
                pairs.for_each(|(g, &v)| *g += scale * share(v, max));
            } else {
                pairs.for_each(|(g, &v)| *g += scale * (v - max).quick_exp());
            }
        });
    });
    out
}

/// e^(v − max); where the maximum is infinite, 1 for an element that is +∞ and 0 for all others.
fn share<E: Dtype>(v: E, max: E) -> E {
    if !max.is_infinite() {
        (v - max).quick_exp()
    } else if max > E::of(0.0) && v == max {
        E::of(1.0)
    } else {
        E::of(0.0)
    }
}

/// The largest element, and Σ e^(x − largest). That is 1 over nothing but −∞, so that the value is
/// −∞, and the number of the elements that are +∞ where there are such.
fn shifted_sum<E: Dtype>(mut column: Column<'_, E>) -> (E, f64) {
    let max = column.clone().fold(E::neg_infinity(), larger);
    if max == E::neg_infinity() {
        return (max, 1.0);
    }
    let mut sum = 0.0;
    // A block at a time: first the exponentials, as vector code, and then their sum.
    let mut block = [E::of(0.0); 32];
    loop {
        let mut len = 0;
        block.iter_mut().zip(&mut column).for_each(|(b, v)| (*b, len) = (v, len + 1));
        if max == E::infinity() {
            block[..len].iter_mut().for_each(|b| *b = share(*b, max));
        } else {
            block.iter_mut().for_each(|b| *b = (*b - max).quick_exp());
        }
        sum += block[..len].iter().map(|b| b.wide()).sum::<f64>();
        if len < block.len() {
            return (max, sum);
        }
    }
}

/// The largest element; NaN if one is. Ties share the gradient.
fn max<E: Element>(x: Flat<E, Cpu>, layers: Layers) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let values = per_column(slice(&x), layers, |_, column| column.fold(E::neg_infinity(), larger));
    let out = output(values, x.tracked);
    let saved = out.clone();
    record_from(&out, move |grads, upstream| {
        let gradient = grads.of(&x);
        let (x, out) = (slice(&x), slice(&saved));
        let shares =
            per_column(x, layers, |to, column| upstream[to] / E::of(column.filter(|&v| v == out[to]).count() as f64));
        spread(gradient, layers, |from, to| if x[from] == out[to] { shares[to] } else { E::of(0.0) });
    });
    out
}

/// Sums in `f64`. A sum of everything goes chunk by chunk over the threads.
fn sum<E: Dtype>(x: &[E], layers: Layers) -> Vec<E> {
    let Layers { outer, axis, inner } = layers;
    if outer * inner == 1 && x.len() > CHUNK {
        let partial: Vec<f64> = x.par_chunks(CHUNK).map(|c| c.iter().map(|v| v.wide()).sum()).collect();
        return vec![E::of(partial.into_iter().sum())];
    }
    let mut out = vec![E::of(0.0); outer * inner];
    if x.is_empty() {
        return out;
    }
    let sum_rows = |rows: &mut [E], x: &[E]| {
        let mut sums = vec![0.0f64; inner];
        for (out, slab) in rows.chunks_exact_mut(inner).zip(x.chunks_exact(axis * inner)) {
            if inner == 1 {
                out[0] = E::of(slab.iter().map(|v| v.wide()).sum());
                continue;
            }
            sums.fill(0.0);
            for row in slab.chunks_exact(inner) {
                sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += v.wide());
            }
            out.iter_mut().zip(&sums).for_each(|(o, &sum)| *o = E::of(sum));
        }
    };
    // Whole slabs to each thread: every sum runs over its column in order, whatever the threads.
    let slabs = CHUNK.div_ceil(axis * inner);
    if outer <= slabs {
        sum_rows(&mut out, x);
    } else {
        let work = out.par_chunks_mut(slabs * inner).zip(x.par_chunks(slabs * axis * inner));
        work.for_each(|(rows, x)| sum_rows(rows, x));
    }
    out
}

/// `f(to, column)` for each output.
fn per_column<'a, E: Dtype, I: Send>(
    x: &'a [E],
    layers: Layers,
    f: impl Fn(usize, Column<'a, E>) -> I + Sync,
) -> Vec<I> {
    let Layers { outer, axis, inner } = layers;
    let one = |to: usize| {
        // An axis without elements leaves nothing to start from.
        let start = (to / inner * axis * inner + to % inner).min(x.len());
        f(to, x[start..].iter().step_by(inner).take(axis).copied())
    };
    if x.len() <= CHUNK {
        (0..outer * inner).map(one).collect()
    } else {
        (0..outer * inner).into_par_iter().with_min_len((CHUNK / axis).max(1)).map(one).collect()
    }
}

/// The elements that reduce to one output.
type Column<'a, E> = std::iter::Copied<std::iter::Take<std::iter::StepBy<std::slice::Iter<'a, E>>>>;

/// Adds `f(from, to)` to the gradient of each element.
fn spread<E: Dtype>(gradient: &mut [E], layers: Layers, f: impl Fn(usize, usize) -> E + Sync) {
    let Layers { axis, inner, .. } = layers;
    if gradient.is_empty() {
        return;
    }
    // A row holds the elements of one place on the axis, one for each of `inner` outputs.
    let add = |mut row: usize, mut rest: &mut [E]| {
        while !rest.is_empty() {
            let (slab, place) = (row / axis, row % axis);
            let count = (axis - place).min(rest.len() / inner);
            let (here, after) = std::mem::take(&mut rest).split_at_mut(count * inner);
            if inner == 1 {
                here.iter_mut().enumerate().for_each(|(i, g)| *g += f(row + i, slab));
            } else {
                for (r, stretch) in here.chunks_exact_mut(inner).enumerate() {
                    let from = (row + r) * inner;
                    stretch.iter_mut().enumerate().for_each(|(i, g)| *g += f(from + i, slab * inner + i));
                }
            }
            row += count;
            rest = after;
        }
    };
    if gradient.len() <= CHUNK {
        add(0, gradient);
    } else {
        let rows = CHUNK.div_ceil(inner);
        gradient.par_chunks_mut(rows * inner).enumerate().for_each(|(c, chunk)| add(c * rows, chunk));
    }
}

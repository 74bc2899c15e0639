//! Reductions over the middle one of three layers.

use dfdx::tensor::Cpu;
use rayon::prelude::*;

use super::{CHUNK, Element, buffer::slice, output, record_from};
use crate::backend::{Backend, Layers, Reduction};
use crate::dtype::Dtype;
use crate::tensor::Flat;

/// Joins the elements of the middle layer.
pub(super) fn reduce<E: Element>(x: Flat<E, Cpu>, layers: Layers, reduction: Reduction) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let values = match reduction {
        Reduction::Sum => sum(slice(&x.inner), layers),
        Reduction::LogSumExp => per_column(slice(&x.inner), layers, log_sum_exp),
        Reduction::Max => per_column(slice(&x.inner), layers, |column| column.fold(E::neg_infinity(), E::max)),
    };
    let out = output(values, x.tracked);
    let saved = out.clone();
    record_from(&out, move |grads, upstream| {
        let gradient = E::buffer(grads.get_or_alloc_mut(&x.inner)?);
        let (x, out) = (slice(&x.inner), slice(&saved.inner));
        match reduction {
            Reduction::Sum => spread(gradient, layers, |_, to| upstream[to]),
            Reduction::LogSumExp => spread(gradient, layers, |from, to| {
                // Nothing but −∞ has no gradient; the quotient would be NaN.
                if out[to] == E::neg_infinity() { E::of(0.0) } else { upstream[to] * (x[from] - out[to]).exp() }
            }),
            Reduction::Max => {
                let ties =
                    per_column_with(x, layers, out, |column, max| E::of(column.filter(|&v| v == max).count() as f64));
                spread(
                    gradient,
                    layers,
                    |from, to| if x[from] == out[to] { upstream[to] / ties[to] } else { E::of(0.0) },
                );
            }
        }
        Ok(())
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
    if inner == 1 {
        return (0..outer).map(|o| E::of(x[o * axis..][..axis].iter().map(|v| v.wide()).sum())).collect();
    }
    let mut out = Vec::with_capacity(outer * inner);
    let mut sums = vec![0.0f64; inner];
    for o in 0..outer {
        sums.fill(0.0);
        for row in x[o * axis * inner..][..axis * inner].chunks_exact(inner.max(1)) {
            for (sum, v) in sums.iter_mut().zip(row) {
                *sum += v.wide();
            }
        }
        out.extend(sums.iter().map(|&s| E::of(s)));
    }
    out
}

fn per_column<E: Dtype, I>(x: &[E], layers: Layers, f: impl Fn(Column<'_, E>) -> I) -> Vec<I> {
    (0..layers.outer * layers.inner).map(|to| f(Column { x, layers, to, at: 0 })).collect()
}

fn per_column_with<E: Dtype>(x: &[E], layers: Layers, out: &[E], f: impl Fn(Column<'_, E>, E) -> E) -> Vec<E> {
    (0..out.len()).map(|to| f(Column { x, layers, to, at: 0 }, out[to])).collect()
}

/// ln Σ eˣ of a column, shifted by its largest element.
fn log_sum_exp<E: Dtype>(column: Column<'_, E>) -> E {
    let max = column.clone().fold(E::neg_infinity(), E::max);
    if max.is_infinite() {
        return max;
    }
    let sum: f64 = column.map(|v| (v - max).exp().wide()).sum();
    max + E::of(sum.ln())
}

/// Adds `f(from, to)` to the gradient of each element.
fn spread<E: Dtype>(gradient: &mut [E], layers: Layers, f: impl Fn(usize, usize) -> E) {
    let Layers { axis, inner, .. } = layers;
    let width = axis * inner;
    if width == 0 {
        return;
    }
    for (from, g) in gradient.iter_mut().enumerate() {
        *g += f(from, from / width * inner + from % inner);
    }
}

/// The elements that reduce to output `to`.
#[derive(Clone)]
struct Column<'a, E> {
    x: &'a [E],
    layers: Layers,
    to: usize,
    at: usize,
}

impl<E: Dtype> Iterator for Column<'_, E> {
    type Item = E;

    fn next(&mut self) -> Option<E> {
        let Layers { axis, inner, .. } = self.layers;
        if self.at == axis {
            return None;
        }
        let from = self.to / inner * axis * inner + self.at * inner + self.to % inner;
        self.at += 1;
        Some(self.x[from])
    }
}

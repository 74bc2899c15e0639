//! Functions of rows, forward and backward.

use std::sync::Arc;

use dfdx::tensor::Cpu;
use rayon::prelude::*;

use super::{CHUNK, Element, output, record_from, slice};
use crate::autodiff::is_recording;
use crate::backend::Backend;
use crate::functions::rows::RowFunction;
use crate::tensor::Flat;
use crate::threads;

/// `f` of each of `rows` rows.
pub(super) fn rows<E: Element>(f: Arc<dyn RowFunction<E>>, x: Flat<E, Cpu>, rows: usize) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let (from, to) = f.lens();
    if to == 1 && from > 0 && x.tracked && is_recording() && f.slopes_with_value() {
        return with_slopes(&*f, x, rows);
    }
    let mut values = vec![E::of(0.0); rows * to];
    {
        let x = slice(&x);
        each(&mut values, to, from, |row, y| f.value(row, &x[row * from..][..from], y));
    }
    let out = output(values, x.tracked);
    let saved = out.clone();
    record_from(&out, move |grads, upstream| {
        let gradient = grads.of(&x);
        let (x, y) = (slice(&x), slice(&saved));
        each(gradient, from, to, |row, gradient| {
            f.pullback(row, &x[row * from..][..from], &y[row * to..][..to], &upstream[row * to..][..to], gradient);
        });
    });
    out
}

/// `f` of rows that give one number each, with the slopes that the backward pass needs.
fn with_slopes<E: Element>(f: &dyn RowFunction<E>, x: Flat<E, Cpu>, rows: usize) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let len = f.lens().0;
    let (mut values, mut slopes) = (vec![E::of(0.0); rows], vec![E::of(0.0); rows * len]);
    {
        let x = slice(&x);
        let together = (CHUNK / len).max(1);
        let mut chunks: Vec<_> = values.chunks_mut(together).zip(slopes.chunks_mut(together * len)).collect();
        threads::each(&mut chunks, &|c, (values, slopes)| {
            for (k, (value, slopes)) in values.iter_mut().zip(slopes.chunks_exact_mut(len)).enumerate() {
                let row = c * together + k;
                *value = f.value_and_slopes(row, &x[row * len..][..len], slopes);
            }
        });
    }
    let out = output(values, true);
    record_from(&out, move |grads, upstream| {
        let gradient = grads.of(&x);
        each(gradient, len, 1, |row, gradient| {
            let u = upstream[row];
            if u != E::of(0.0) {
                gradient.iter_mut().zip(&slopes[row * len..]).for_each(|(g, &slope)| *g += u * slope);
            }
        });
    });
    out
}

/// `f` of each row of `len` numbers, of which each needs `other` more.
fn each<E: Element>(values: &mut [E], len: usize, other: usize, f: impl Fn(usize, &mut [E]) + Sync)
where
    Cpu: Backend<E>,
{
    if len == 0 {
        return;
    }
    let together = (CHUNK / len.max(other)).max(1);
    if values.len() <= together * len {
        values.chunks_exact_mut(len).enumerate().for_each(|(row, values)| f(row, values));
    } else {
        values.par_chunks_exact_mut(len).with_min_len(together).enumerate().for_each(|(row, values)| f(row, values));
    }
}

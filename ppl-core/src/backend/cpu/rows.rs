//! Functions of rows, forward and backward.

use std::sync::Arc;

use dfdx::tensor::Cpu;
use rayon::prelude::*;

use super::{CHUNK, Element, buffer::slice, output, record_from};
use crate::backend::Backend;
use crate::functions::rows::RowFunction;
use crate::tensor::Flat;

/// `f` of each of `rows` rows.
pub(super) fn rows<E: Element>(f: Arc<dyn RowFunction<E>>, x: Flat<E, Cpu>, rows: usize) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let (from, to) = f.lens();
    let mut values = vec![E::of(0.0); rows * to];
    {
        let x = slice(&x.inner);
        each(&mut values, to, from, |row, y| f.value(row, &x[row * from..][..from], y));
    }
    let out = output(values, x.tracked);
    let saved = out.clone();
    record_from(&out, move |grads, upstream| {
        let gradient = E::buffer(grads.get_or_alloc_mut(&x.inner)?);
        let (x, y) = (slice(&x.inner), slice(&saved.inner));
        each(gradient, from, to, |row, gradient| {
            f.pullback(row, &x[row * from..][..from], &y[row * to..][..to], &upstream[row * to..][..to], gradient);
        });
        Ok(())
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

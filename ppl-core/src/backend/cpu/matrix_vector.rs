//! Products of a matrix and a vector, data and coefficients for example, with their gradients. A row at a time, since a matrix that
//! is read once is not worth the order that a product of matrices brings it into.

use dfdx::tensor::Cpu;

use super::registers::in_widest;
use super::{Element, buffer::slice, output, record_from};
use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::Flat;
use crate::threads;

/// How many elements of the matrix one thread takes at a time. Fixed, so that sums do not depend on threads.
const CHUNK: usize = 1 << 17;

/// How many sums of a row run side by side.
const LANES: usize = 8;

/// `a · x` for a matrix of rows of `k` elements.
pub(super) fn product<E: Element>(a: Flat<E, Cpu>, x: Flat<E, Cpu>, rows: usize, k: usize) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let mut values = vec![E::of(0.0); rows];
    let share = (CHUNK / k.max(1)).max(1);
    {
        let (a, x) = (slice(&a.inner), slice(&x.inner));
        threads::each_chunk(&mut values, share, &|c, out| dots(&a[c * share * k..][..out.len() * k], x, out));
    }
    let out = output(values, a.tracked || x.tracked);
    record_from(&out, move |grads, upstream| {
        if a.tracked {
            let (gradient, x) = (E::buffer(grads.get_or_alloc_mut(&a.inner)?), slice(&x.inner));
            threads::each_chunk(gradient, share * k.max(1), &|c, gradient| {
                for (row, &up) in gradient.chunks_exact_mut(k).zip(&upstream[c * share..]) {
                    row.iter_mut().zip(x).for_each(|(g, &x)| *g += up * x);
                }
            });
        }
        if x.tracked && rows > 0 {
            let a = slice(&a.inner);
            let mut parts = vec![E::of(0.0); rows.div_ceil(share) * k];
            threads::each_chunk(&mut parts, k.max(1), &|c, part| {
                let upstream = &upstream[c * share..][..share.min(rows - c * share)];
                add_rows(&a[c * share * k..][..upstream.len() * k], upstream, part);
            });
            let gradient = E::buffer(grads.get_or_alloc_mut(&x.inner)?);
            for part in parts.chunks_exact(k.max(1)) {
                gradient.iter_mut().zip(part).for_each(|(g, &part)| *g += part);
            }
        }
        Ok(())
    });
    out
}

/// The inner product of each row with `x`.
fn dots<E: Dtype>(a: &[E], x: &[E], out: &mut [E]) {
    in_widest(
        #[inline(always)]
        || each_dot(a, x, out),
    );
}

#[inline(always)]
fn each_dot<E: Dtype>(a: &[E], x: &[E], out: &mut [E]) {
    let (x_lanes, x_rest) = x.as_chunks::<LANES>();
    for (row, out) in a.chunks_exact(x.len().max(1)).zip(out) {
        let (row, rest) = row.as_chunks::<LANES>();
        let mut lanes = [E::of(0.0); LANES];
        for (row, x) in row.iter().zip(x_lanes) {
            for lane in 0..LANES {
                lanes[lane] += row[lane] * x[lane];
            }
        }
        let mut sum = E::of(0.0);
        rest.iter().zip(x_rest).for_each(|(&a, &x)| sum += a * x);
        *out = sum + joined(lanes);
    }
}

/// The sum of the lanes, in pairs.
#[inline(always)]
fn joined<E: Dtype>(mut lanes: [E; LANES]) -> E {
    for half in [4, 2, 1] {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
    }
    lanes[0]
}

/// `out += aᵀ · weights`.
fn add_rows<E: Dtype>(a: &[E], weights: &[E], out: &mut [E]) {
    in_widest(
        #[inline(always)]
        || add_four_by_four(a, weights, out),
    );
}

/// [`add_rows`], four rows at a time, so that `out` is read and written for every fourth only.
#[inline(always)]
fn add_four_by_four<E: Dtype>(a: &[E], weights: &[E], out: &mut [E]) {
    let k = out.len();
    let (groups, last) = weights.as_chunks::<4>();
    let (whole, rest) = a.split_at(4 * k * groups.len());
    for (rows, w) in whole.chunks_exact((4 * k).max(1)).zip(groups) {
        let (first, second) = rows.split_at(2 * k);
        let ((a, b), (c, d)) = (first.split_at(k), second.split_at(k));
        add_four([a, b, c, d], *w, out);
    }
    for (row, &w) in rest.chunks_exact(k.max(1)).zip(last) {
        out.iter_mut().zip(row).for_each(|(out, &a)| *out += w * a);
    }
}

#[inline(always)]
fn add_four<E: Dtype>(rows: [&[E]; 4], w: [E; 4], out: &mut [E]) {
    let k = out.len();
    let [a, b, c, d] = rows.map(|row| &row[..k]);
    for j in 0..k {
        out[j] += (w[0] * a[j] + w[1] * b[j]) + (w[2] * c[j] + w[3] * d[j]);
    }
}

//! Products of a matrix and a vector, data and coefficients for example, with their gradients. A row at a time, since a matrix that
//! is read once is not worth the order that a product of matrices brings it into.

use dfdx::tensor::Cpu;

use super::{Element, output, record_from, slice};
use crate::backend::Backend;
use crate::tensor::Flat;
use crate::threads;

/// How many elements of the matrix one thread takes at a time. Fixed, so that sums do not depend on threads.
/// Below it, to wake threads costs more than they save.
const CHUNK: usize = 1 << 18;

/// `a · x` for a matrix of rows of `k` elements.
pub(super) fn product<E: Element>(a: Flat<E, Cpu>, x: Flat<E, Cpu>, rows: usize, k: usize) -> Flat<E, Cpu>
where
    Cpu: Backend<E>,
{
    let mut values = vec![E::of(0.0); rows];
    let share = (CHUNK / k.max(1)).max(1);
    {
        let (a, x) = (slice(&a), slice(&x));
        threads::each_chunk(&mut values, share, &|c, out| E::dots(&a[c * share * k..][..out.len() * k], x, out));
    }
    let out = output(values, a.tracked || x.tracked);
    record_from(&out, move |grads, upstream| {
        if a.tracked {
            let (gradient, x) = (grads.of(&a), slice(&x));
            threads::each_chunk(gradient, share * k.max(1), &|c, gradient| {
                for (row, &up) in gradient.chunks_exact_mut(k).zip(&upstream[c * share..]) {
                    row.iter_mut().zip(x).for_each(|(g, &x)| *g += up * x);
                }
            });
        }
        if x.tracked && rows > 0 {
            let a = slice(&a);
            let mut parts = vec![E::of(0.0); rows.div_ceil(share) * k];
            threads::each_chunk(&mut parts, k.max(1), &|c, part| {
                let upstream = &upstream[c * share..][..share.min(rows - c * share)];
                E::add_rows(&a[c * share * k..][..upstream.len() * k], upstream, part);
            });
            let gradient = grads.of(&x);
            for part in parts.chunks_exact(k.max(1)) {
                gradient.iter_mut().zip(part).for_each(|(g, &part)| *g += part);
            }
        }
    });
    out
}

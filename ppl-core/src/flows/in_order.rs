//! The way back through an autoregressive flow: one variable after the other.

use crate::backend::Backend;
use crate::dtype::Dtype;
use crate::tensor::{Flat, Tensor};

/// Candidates for all numbers, and the logarithm of each one's slope.
pub(super) type Candidates<E, D> = (Flat<E, D>, Flat<E, D>);

/// What has the given images, where `candidates(x)` is right for a variable as soon as `x` is right in
/// the variables before it; with the logarithms of all slopes.
pub(super) fn in_order<E: Dtype, D: Backend<E>>(
    order: &[usize],
    rows: usize,
    candidates: impl Fn(&Flat<E, D>) -> Candidates<E, D>,
) -> Candidates<E, D> {
    let len = order.len();
    let mut x = Tensor::full_like(E::of(0.0), (rows * len,));
    let mut log_slopes = x.clone();
    for &variable in order {
        let (next, slopes) = candidates(&x);
        let mask: Vec<bool> = (0..rows * len).map(|at| at % len == variable).collect();
        x = next.select(&mask, x);
        log_slopes = slopes.select(&mask, log_slopes);
    }
    (x, log_slopes)
}
